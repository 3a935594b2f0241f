"""What answers in Twilio's place: the pages of proxies, as faults of the simulator."""

from email.utils import parsedate_to_datetime
from random import Random
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.dates import now
from local.twilio.faults import FaultName
from local.twilio.stand_ins import BODIES, STATUSES, StandIn, stand_in
from tests.local.twilio.test_faults import BASE, FROM, TO, create
from tests.local.twilio.test_list_orders import pages
from tests.local.twilio.test_lists import LIST, text

TEXT = {"To": TO, "From": FROM, "Body": "Hello"}


def is_twilios_word(text: str) -> bool:
    """Whether a text is an error of Twilio's, or a resource."""
    try:
        answer = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(answer, dict) and (isinstance(answer.get("code"), int) or "sid" in answer)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("fault", "accepted"), [("proxy-before", 0), ("proxy-after", 1)])
async def test_a_proxy_answers_before_or_after_twilio_accepted(
    http: aiohttp.ClientSession, simulator: Simulator, *, fault: FaultName, accepted: int, status: int, body: str
) -> None:
    simulator.faults.add(fault, times=1, status=status, body=body)
    async with http.post(f"{BASE}/Messages.json", data=TEXT, allow_redirects=False) as response:
        answer = await response.text()

    assert response.status == status
    assert not is_twilios_word(answer)
    assert ("Location" in response.headers) == (300 <= status < 400)
    assert len(simulator.messages) == accepted


@given(seed=st.integers(), draws=st.integers(1, 50))
def test_nothing_that_a_proxy_says_at_random_is_twilios_word(seed: int, draws: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    for _ in range(draws):
        page = stand_in(random, status=None, body=None, retry_after=None)
        assert page.status in STATUSES
        assert not is_twilios_word(page.answer().text or "")


def test_every_status_and_body_comes_at_random_and_a_retry_after_in_both_forms() -> None:
    random = Random(1)  # noqa: S311 - no secret
    drawn = [stand_in(random, status=None, body=None, retry_after=None) for _ in range(500)]

    assert {page.status for page in drawn} == set(STATUSES)
    assert {page.body for page in drawn} == set(BODIES)
    assert {(page.retry_after is None, page.retry_after_date) for page in drawn} >= {
        (True, False),
        (False, False),
        (False, True),
    }


def test_a_retry_after_is_told_in_seconds_or_as_a_date() -> None:
    begin = now()
    seconds = StandIn(status=503, retry_after=7).answer().headers["Retry-After"]
    date = StandIn(status=503, retry_after=7, retry_after_date=True).answer().headers["Retry-After"]

    assert seconds == "7"
    assert date.endswith(" GMT")
    assert 5 <= (parsedate_to_datetime(date) - begin).total_seconds() <= 60


async def test_the_same_seed_makes_the_same_pages(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    async def row(seed: int) -> list[int]:
        simulator.faults.randomly(seed=seed, rates={"proxy-before": 0.5})
        found = []
        for _ in range(30):
            async with http.post(f"{BASE}/Messages.json", data=TEXT, allow_redirects=False) as response:
                found.append(response.status)
        return found

    first, again, other = [await row(seed) for seed in (1, 1, 2)]
    assert first == again != other


async def test_a_client_that_follows_a_redirection_is_found_out(
    http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add("proxy-before", status=302)
    async with http.post(f"{BASE}/Messages.json", data=TEXT, allow_redirects=False) as response:
        assert response.headers["Location"] == f"{simulator.url}/elsewhere"
    assert simulator.faults.followed == {}

    async with http.post(f"{BASE}/Messages.json", data=TEXT) as response:
        assert response.status == 200
    assert simulator.faults.followed == {"GET with credentials": 1}
    async with http.get("/simulator/faults") as response:
        assert (await response.json())["followed"] == {"GET with credentials": 1}
    await simulator.reset()
    assert simulator.faults.followed == {}


async def test_a_page_of_a_list_can_fail_alone(
    client: Client, http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    await text(client, *[TO] * 5)
    await simulator.settled()
    simulator.faults.add("500-before", on="list", page=1)
    simulator.faults.add("refuse", on="list", page=2)
    first = await _page(http, f"{LIST}?PageSize=2")
    with pytest.raises(aiohttp.ClientResponseError) as failed:
        await _page(http, first["next_page_uri"])

    assert failed.value.status == 500
    assert await create(http) == 201, "a page is one of a list"
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await _page(http, f"{LIST}?PageSize=2&Page=2")
    assert simulator.faults.plan().rules[0].page == 1


async def test_a_list_can_lead_back_to_its_first_page(
    client: Client, http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    await text(client, *[TO] * 5)
    await simulator.settled()
    simulator.faults.add("loop", on="list", page=1, times=2)
    looked = await pages(http, f"{LIST}?PageSize=2")

    assert [page["page"] for page in looked] == [0, 1, 0, 1, 0, 1, 2]
    assert simulator.faults.made == {"loop": 2}
    simulator.faults.add("loop", on="create")
    assert await create(http) == 201, "a loop is one of a list"


async def _page(http: aiohttp.ClientSession, uri: str) -> dict[str, Any]:
    async with http.get(uri) as response:
        response.raise_for_status()
        page: dict[str, Any] = await response.json()
        return page


@pytest.mark.parametrize(
    "rule", [{"status": 42}, {"status": 700}, {"body": "poem"}, {"page": -1}, {"retry_after": "soon"}]
)
async def test_a_proxy_that_cannot_be_is_told_why(http: aiohttp.ClientSession, rule: dict[str, object]) -> None:
    async with http.put("/simulator/faults", json=[{"fault": "proxy-before"} | rule]) as response:
        assert response.status == 400
