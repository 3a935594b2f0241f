"""The example of docs/how-to/extend.md, before real queues, a simulated Twilio and a Lookup of ours."""

import asyncio
import base64
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web
from azure.storage.queue.aio import QueueClient

from examples.checked import blueprint
from local.harness.ports import free_port
from local.host import Host
from local.host.indexing import QueueTrigger, index
from local.twilio import Simulator
from tests.end_to_end.stage import Stage, eventually, new_id
from tests.web.app import CONTENT, ROOT, TOKEN, Served, close, environment, load, quick_host_json, settings_of

DOCUMENTATION: Final = (ROOT / "docs" / "how-to" / "extend.md").read_text("utf-8")
ACCOUNT: Final = "AC" + "0" * 32
MOBILE, LANDLINE, UNKNOWN, NOBODY = "+14155550701", "+14155550702", "+14155550703", "+14155550704"
ANSWERS: Final[dict[str, Any]] = {
    MOBILE: {"line_type_intelligence": {"type": "mobile", "carrier_name": "Example", "error_code": None}},
    LANDLINE: {"line_type_intelligence": {"type": "landline", "carrier_name": "Example", "error_code": None}},
    UNKNOWN: {"line_type_intelligence": {"type": None, "error_code": 60601}},
}


@dataclass
class Lookups:
    """A Lookup that answers as told, and counts."""

    url: str = ""
    status: int = HTTPStatus.OK
    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: web.Request) -> web.Response:
        """https://www.twilio.com/docs/lookup/v2-api#making-a-request."""
        number = request.match_info["number"]
        assert request.headers["Authorization"] == f"Basic {base64.b64encode(f'{ACCOUNT}:{TOKEN}'.encode()).decode()}"
        assert dict(request.query) == {"Fields": "line_type_intelligence"}
        self.asked[number] += 1
        if self.status != HTTPStatus.OK or number not in ANSWERS:
            return web.json_response({"code": 20404}, status=self.status if self.status != HTTPStatus.OK else 404)
        return web.json_response({"phone_number": number, "valid": True, **ANSWERS[number]})


@pytest.fixture(scope="module")
async def lookups() -> AsyncIterator[Lookups]:
    """A Lookup over real HTTP."""
    lookups = Lookups()
    site = web.Application()
    site.router.add_get("/v2/PhoneNumbers/{number}", lookups.answer)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    lookups.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield lookups
    await runner.cleanup()


@pytest.fixture(scope="module")
async def extended(azurite: str, lookups: Lookups) -> AsyncIterator[Stage]:
    """A running set whose app has the example's queue too."""
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    async with Simulator.start(account_sid=ACCOUNT, auth_token=TOKEN, pace=0.1, webhooks=public) as twilio:
        settings = settings_of(azurite, TWILIO_API_BASE_URL=twilio.url, PUBLIC_BASE_URL=public)
        for suffix in ("", "-checked"):
            async with QueueClient.from_connection_string(azurite, settings["OUTBOUND_QUEUE"] + suffix) as queue:
                await queue.create_queue()
        module = load(settings)
        name = settings["OUTBOUND_QUEUE"] + "-checked"
        module.app.register_functions(blueprint(module.wiring, queue=name, lookups=lookups.url))
        host_json = quick_host_json()
        host_json["extensions"]["queues"]["visibilityTimeout"] = "00:00:00"
        async with (
            Host.start(app=module.app, host_json=host_json, settings=settings, port=port) as host,
            aiohttp.ClientSession() as session,
        ):
            yield Stage(settings=settings, app=Served(host.url, session), twilio=twilio, session=session)
            await twilio.settled()
        await close(module.wiring)


async def enqueue(extended: Stage, request: dict[str, Any]) -> str:
    """Put a request into the queue that the example adds; return the id of its message."""
    checked = Stage(
        settings={**extended.settings, "OUTBOUND_QUEUE": extended.settings["OUTBOUND_QUEUE"] + "-checked"},
        app=extended.app,
        twilio=extended.twilio,
        session=extended.session,
    )
    return await checked.enqueue(request)


def texts_to(extended: Stage, number: str) -> int:
    return len([message for message in extended.twilio.messages if message.to == number])


@pytest.mark.parametrize("number", [MOBILE, UNKNOWN, NOBODY])
async def test_a_text_goes_on_where_nothing_speaks_against_it(extended: Stage, number: str) -> None:
    request = {"id": new_id(), "channel": "sms", "to": number, "body": "Hello"}
    await enqueue(extended, request)
    await extended.ended(request["id"], "delivered")


async def test_a_text_to_a_landline_is_refused_before_it_costs_anything(extended: Stage) -> None:
    request = {"id": new_id(), "channel": "sms", "to": LANDLINE, "body": new_id()}
    message_id = await enqueue(extended, request)
    delivery = await extended.ended(message_id, "rejected")
    assert delivery["named"] == request["id"]
    assert delivery["reasons"] == ["request: expected a telephone that takes texts, Lookup says landline"]
    assert not [message for message in extended.twilio.messages if message.body == request["body"]]
    assert await extended.get(request["id"]) is None, "its id is free"


async def test_what_was_refused_is_sent_all_the_same_where_a_person_says_so(extended: Stage) -> None:
    request = {"id": new_id(), "channel": "sms", "to": LANDLINE, "body": new_id()}
    message_id = await enqueue(extended, request)
    await extended.ended(message_id, "rejected")
    answer = await extended.request("POST", f"/api/deliveries/{message_id}/replay", {})
    assert answer.status == HTTPStatus.ACCEPTED, answer
    await extended.ended(request["id"], "delivered")
    assert [message.to for message in extended.twilio.messages if message.body == request["body"]] == [LANDLINE]


async def test_a_call_is_not_looked_up(extended: Stage, lookups: Lookups) -> None:
    before = lookups.asked[LANDLINE]
    request = {"id": new_id(), "channel": "call", "to": LANDLINE, "say": "Hello"}
    await enqueue(extended, request)
    await extended.ended(request["id"], "completed")
    assert lookups.asked[LANDLINE] == before


async def test_what_can_not_be_used_is_refused_as_ever(extended: Stage) -> None:
    await enqueue(extended, {"id": "x", "channel": "sms", "to": MOBILE, "subject": new_id()})

    async def rejected() -> list[Any]:
        return [found for found in await extended.search(status="rejected") if "subject" in str(found["reasons"])]

    await eventually(rejected)


async def test_a_request_that_comes_twice_is_sent_once(extended: Stage, lookups: Lookups) -> None:
    request = {"id": new_id(), "channel": "sms", "to": MOBILE, "body": "Only once"}
    before, asked = texts_to(extended, MOBILE), lookups.asked[MOBILE]
    await asyncio.gather(*(enqueue(extended, request) for _ in range(3)))
    await extended.ended(request["id"], "delivered")

    async def all_asked() -> bool:
        return lookups.asked[MOBILE] == asked + 3

    await eventually(all_asked)
    await extended.queue_is_empty()
    assert texts_to(extended, MOBILE) == before + 1


async def test_where_lookup_is_away_it_is_asked_again_and_then_the_text_goes_on_unchecked(
    extended: Stage, lookups: Lookups, caplog: pytest.LogCaptureFixture
) -> None:
    request = {"id": new_id(), "channel": "sms", "to": UNKNOWN, "body": "Hello"}
    before = lookups.asked[UNKNOWN]
    lookups.status = HTTPStatus.SERVICE_UNAVAILABLE
    try:
        await enqueue(extended, request)
        await extended.ended(request["id"], "delivered")
    finally:
        lookups.status = HTTPStatus.OK
    assert lookups.asked[UNKNOWN] == before + 5
    assert UNKNOWN not in caplog.text


def blocks(kind: str) -> list[str]:
    """The fenced blocks of the documentation."""
    found: list[str] = re.findall(rf"^```{kind}\n(.*?)^```$", DOCUMENTATION, re.DOTALL | re.MULTILINE)
    return found


def test_the_code_in_the_documentation_is_this_very_code() -> None:
    assert (ROOT / "examples" / "checked.py").read_text("utf-8") in blocks("python")


def test_the_lines_of_the_documentation_add_the_function_and_change_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [lines] = [block for block in blocks("python") if "register_functions" in block and "def " not in block]
    settings = settings_of("UseDevelopmentStorage=true")
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    source = (ROOT / "function_app.py").read_text("utf-8")

    def functions(code: str) -> dict[str, object]:
        space: dict[str, Any] = {"__file__": str(CONTENT / "function_app.py"), "__name__": "function_app"}
        exec(compile(code, "function_app.py", "exec"), space)  # noqa: S102 - our own code
        return {each.name: each.trigger for each in index(space["app"], settings=settings)}

    before, after = functions(source), functions(source + "\n\n" + lines)
    assert after.pop("checked") == QueueTrigger(queue="checked", connection="AzureWebJobsStorage", binary=True)
    assert after == before


def test_the_request_of_the_documentation_is_one() -> None:
    requests = [json.loads(found) for found in re.findall(r"printf '%s' '({.*?})'", DOCUMENTATION)]
    assert [request["channel"] for request in requests] == ["sms"]
