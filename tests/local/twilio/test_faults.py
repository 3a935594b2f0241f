import asyncio
from collections.abc import Mapping
from typing import get_args

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.faults import FAULTS, FaultName
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import SAY_HELLO

TO, OTHER, FROM = "+14155550100", "+14155550101", "+14155550199"
BASE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
PATIENT, IMPATIENT = 30.0, 0.2
"""seconds: only who expects no answer gives up soon"""
DROPPED, GAVE_UP = -1, -2


async def create(
    http: aiohttp.ClientSession, *, to: str = TO, resource: str = "Messages", patience: float = PATIENT
) -> int:
    """The status of a create's answer, or what came instead of it."""
    fields = {"To": to, "From": FROM, "Body": "Hello", "Twiml": SAY_HELLO}
    return await ask(http, "POST", f"{BASE}/{resource}.json", fields, patience=patience)


async def ask(
    http: aiohttp.ClientSession,
    method: str,
    path: str,
    fields: Mapping[str, str] | None = None,
    *,
    patience: float = PATIENT,
) -> int:
    try:
        async with http.request(method, path, data=fields, timeout=aiohttp.ClientTimeout(total=patience)) as response:
            await response.read()
            return response.status
    except TimeoutError:
        return GAVE_UP
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        return DROPPED


def test_every_fault_that_has_a_name_is_there() -> None:
    assert set(FAULTS) == set(get_args(FaultName))


@pytest.mark.parametrize(
    ("fault", "answer", "accepted"),
    [
        ("drop-after", DROPPED, 1),
        ("500-after", 500, 1),
        ("garbage", 201, 1),
        ("slow", 201, 1),
        ("never-after", GAVE_UP, 1),
        ("never-before", GAVE_UP, 0),
        ("500-before", 500, 0),
        ("503-before", 503, 0),
        ("429", 429, 0),
        ("401", 401, 0),
        ("suspended", 403, 0),
        ("refuse", DROPPED, 0),
        ("proxy-after", 403, 1),
        ("proxy-before", 403, 0),
        ("loop", 201, 1),
    ],
)
@pytest.mark.parametrize("resource", ["Messages", "Calls"])
async def test_each_fault_accepts_a_create_or_not_and_the_next_one_is_as_ever(
    http: aiohttp.ClientSession,
    simulator: Simulator,
    *,
    fault: FaultName,
    answer: int,
    accepted: int,
    resource: str,
) -> None:
    simulator.faults.add(fault, times=1, seconds=0.01, status=403)

    patience = IMPATIENT if answer == GAVE_UP else PATIENT
    assert await create(http, resource=resource, patience=patience) == answer
    assert len(simulator.messages) + len(simulator.calls) == accepted
    assert await create(http, resource=resource) == 201
    assert simulator.faults.made == {fault: 1}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("500-after", 20500),
        ("500-before", 20500),
        ("503-before", 20503),
        ("429", 20429),
        ("401", 20003),
        ("suspended", 30002),
    ],
)
async def test_error_answers_are_those_of_twilio(
    client: Client, simulator: Simulator, *, fault: FaultName, code: int
) -> None:
    simulator.faults.add(fault)
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(to=TO, from_=FROM, body="Hello")

    assert refused.value.code == code


async def test_a_slow_answer_is_accepted_at_once(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    simulator.faults.add("slow", seconds=60)

    assert await create(http, patience=IMPATIENT) == GAVE_UP
    assert len(simulator.messages) == 1


async def test_garbage_is_no_json(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    simulator.faults.add("garbage", on="list")
    async with http.get(f"{BASE}/Messages.json") as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_a_rate_limit_can_say_how_long(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    simulator.faults.add("429", times=1, retry_after=7)
    simulator.faults.add("429", times=1)
    told = []
    for _ in range(2):
        async with http.post(f"{BASE}/Messages.json") as response:
            told.append(response.headers.get("Retry-After"))

    assert told == ["7", None]


async def test_rules_are_followed_in_order_and_as_often_as_they_say(
    http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add("429", times=2)
    simulator.faults.add("503-before", times=1)

    assert [await create(http) for _ in range(4)] == [429, 429, 503, 201]


async def test_a_rule_can_hold_for_a_while(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    simulator.faults.add("429", lasts=60)
    assert [await create(http) for _ in range(2)] == [429, 429]

    simulator.faults.clear()
    simulator.faults.add("429", lasts=0)
    assert await create(http) == 201
    assert simulator.faults.plan().rules == ()


async def test_a_rule_can_be_for_one_recipient(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    simulator.faults.add("500-before", to=TO)
    simulator.faults.add("503-before", on="list", to=TO)

    assert [await create(http, to=to) for to in (OTHER, TO)] == [201, 500]
    listed = [await ask(http, "GET", f"{BASE}/Messages.json?To=%2B{to[1:]}") for to in (OTHER, TO)]
    assert listed == [200, 503]


@pytest.mark.parametrize(
    ("where", "spoilt"),
    [
        ({"on": "create"}, {"create messages", "create calls"}),
        ({"on": "create", "resource": "calls"}, {"create calls"}),
        ({"on": "list"}, {"list messages", "list recordings"}),
        ({"on": "fetch"}, {"fetch message", "fetch account"}),
        ({"on": "update"}, {"update message"}),
        ({"on": "delete"}, {"delete message"}),
        ({"on": "any", "resource": "recordings"}, {"list recordings"}),
        ({"on": "any", "resource": "account"}, {"fetch account"}),
    ],
)
async def test_a_rule_is_for_an_operation_on_a_resource(
    http: aiohttp.ClientSession, *, where: dict[str, str], spoilt: set[str]
) -> None:
    requests = {
        "create messages": ("POST", f"{BASE}/Messages.json"),
        "create calls": ("POST", f"{BASE}/Calls.json"),
        "list messages": ("GET", f"{BASE}/Messages.json"),
        "list recordings": ("GET", f"{BASE}/Calls/CA1/Recordings.json"),
        "fetch message": ("GET", f"{BASE}/Messages/SM1.json"),
        "fetch account": ("GET", f"{BASE}.json"),
        "update message": ("POST", f"{BASE}/Messages/SM1.json"),
        "delete message": ("DELETE", f"{BASE}/Messages/SM1.json"),
    }
    await http.put("/simulator/faults", json=[{"fault": "503-before"} | where])
    answers = {name: await ask(http, *request) for name, request in requests.items()}

    assert {name for name, status in answers.items() if status == 503} == spoilt


async def row_of_answers(http: aiohttp.ClientSession, simulator: Simulator, *, seed: int) -> list[int]:
    simulator.faults.randomly(seed=seed, rates={"500-before": 0.3, "429": 0.2})
    return [await create(http) for _ in range(40)]


async def test_the_same_seed_makes_the_same_faults(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    first, again, other = [await row_of_answers(http, simulator, seed=seed) for seed in (1, 1, 2)]

    assert first == again != other
    assert set(first) == {201, 429, 500}


async def test_random_faults_have_their_rates_and_rules_come_first(
    http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.randomly(seed=1, rates={"500-before": 1.0})
    simulator.faults.add("429", times=1)

    assert [await create(http) for _ in range(3)] == [429, 500, 500]
    assert await ask(http, "GET", f"{BASE}/Messages.json") == 200


async def test_faults_are_made_shown_and_cleared_over_http(http: aiohttp.ClientSession, simulator: Simulator) -> None:
    plan = {
        "rules": [{"fault": "429", "times": 3, "retry_after": 1}],
        "random": {"seed": 4, "rates": {"500-before": 1}, "on": "list"},
        "callbacks": {"duplicate": 0.5, "before_answer": True},
    }
    assert (await http.put("/simulator/faults", json=plan)).status == 204
    assert await create(http) == 429
    async with http.get("/simulator/faults") as response:
        shown = await response.json()
    assert shown["rules"][0] | {"fault": "429", "times": 2, "retry_after": 1} == shown["rules"][0]
    assert shown["random"]["rates"] == {"500-before": 1.0}
    assert shown["callbacks"]["before_answer"] is True
    assert shown["made"] == {"429": 1}

    assert (await http.delete("/simulator/faults")).status == 204
    assert await create(http) == 201
    await http.put("/simulator/faults", json=plan["rules"])
    assert await create(http) == 429
    await simulator.reset()
    assert await create(http) == 201


@pytest.mark.parametrize(
    "plan",
    [
        "no list",
        [{"fault": "earthquake"}],
        [{"fault": "429", "on": "sometimes"}],
        [{"fault": "429", "times": 0}],
        [{"fault": "429", "typo": 1}],
        {"random": {"seed": 1, "rates": {"429": 0.6, "401": 0.6}}},
        {"random": {"seed": 1, "rates": {"429": -0.1}}},
        {"callbacks": {"duplicate": 2}},
        {"typo": 1},
    ],
)
async def test_wrong_faults_are_told_why_and_change_nothing(
    http: aiohttp.ClientSession, simulator: Simulator, plan: object
) -> None:
    simulator.faults.add("429")
    async with http.put("/simulator/faults", json=plan) as response:
        assert response.status == 400
        assert (await response.json())["error"]
    assert await create(http) == 429


async def test_creates_are_counted_by_their_delivery_even_where_nobody_was_told(
    http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add("drop-after", times=1)
    simulator.faults.add("500-before", times=1)
    for delivery in ("a-1", "a-1", "a-1", "b%2F2"):
        fields = {"To": TO, "From": FROM, "Body": "Hello", "Twiml": SAY_HELLO}
        fields["StatusCallback"] = f"http://127.0.0.1:9/status?note=1&delivery={delivery}#rc=0"
        await ask(http, "POST", f"{BASE}/{'Calls' if delivery == 'b%2F2' else 'Messages'}.json", fields)
    await create(http)
    await simulator.settled()
    for message in simulator.messages:
        await ask(http, "DELETE", f"{BASE}/Messages/{message.sid}.json")
    async with http.get("/simulator/accepted") as response:
        assert await response.json() == {"a-1": 2, "b/2": 1}

    assert simulator.accepted() == {"a-1": 2, "b/2": 1}
    await simulator.reset()
    assert simulator.accepted() == {}


async def test_many_requests_at_once_get_a_limited_fault_just_so_often(
    http: aiohttp.ClientSession, simulator: Simulator
) -> None:
    simulator.faults.add("500-before", times=5, to=TO)
    answers = await asyncio.gather(*(create(http) for _ in range(20)))

    assert sorted(answers) == [201] * 15 + [500] * 5
