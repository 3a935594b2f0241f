"""Browsers call, and are called: by the simulated Twilio, with everything on record."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.twilio.calls import Call
from local.twilio.people import Act, Person, hang_up, press, say, wait
from shared.text.destinations import Destinations
from shared.voice.browser import REFUSED
from shared.voice.flows.kinds.dial import Dial
from shared.voice.flows.library import Flows
from tests.end_to_end.flows.calling import called, heard, over, shown
from tests.end_to_end.flows.folder import with_flows
from tests.end_to_end.stage import Stage
from tests.web.app import NUMBER, ROOT

ANNA, BOB = "client:anna", "client:bob"
BERLIN = "+4930123456"
SETTINGS = {"CLIENT_MAY_CALL": "+49*, +1*, client:*", "ALLOWED_COUNTRIES": "DE,US", "MAX_CALL_SECONDS": "120"}


@pytest.fixture(scope="module")
async def everything(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A running set whose browsers may call Germany, the United States and each other."""
    folder = tmp_path_factory.mktemp("app")
    async with with_flows(azurite, folder, site="http://site.invalid", **SETTINGS) as everything:
        yield everything


DOCUMENTATION = (ROOT / "docs" / "how-to" / "browser-calls.md").read_text("utf-8")


async def dialled(everything: Stage, *acts: Act, to: str, caller: str = ANNA) -> Call:
    """A browser calls; returns the call when it has ended, and Twilio found nothing wrong."""
    url = f"{everything.settings['PUBLIC_BASE_URL']}/api/voice/client"
    return await over(everything, everything.twilio.call(*acts, from_=caller, to=to, url=url))


def legs(everything: Stage, call: Call) -> list[Call]:
    """The calls that a call dialled."""
    return [other for other in everything.twilio.calls if other.parent_sid == call.sid]


async def on_record(everything: Stage, call: Call, *dials: str) -> list[dict[str, Any]]:
    """Wait until a call that is over has these outcomes on record, and return what is told of each."""
    delivery = await shown(
        everything, call.sid, lambda it: it["status"] == "completed" and len(_told(it)) == len(dials)
    )
    assert (delivery["direction"], delivery["from"], delivery["to"]) == ("inbound", call.from_, call.to)
    assert [each["dial"] for each in _told(delivery)] == list(dials)
    return _told(delivery)


def _told(delivery: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a JSON document
    return [event["raw"] for event in delivery["events"] if event["kind"] == "browser"]


async def test_a_browser_talks_to_a_number_which_sees_the_apps_own(everything: Stage) -> None:
    everything.twilio.people.put(BERLIN, Person(acts=(say("Guten Tag"), wait(5), hang_up())))
    call = await dialled(everything, say("Hello"), to=BERLIN)
    [callee] = legs(everything, call)

    assert (heard(call), heard(call, "heard"), heard(callee, "heard")) == ([], ["Guten Tag"], ["Hello"])
    assert (callee.from_, callee.parent_sid) == (NUMBER, call.sid)
    _, end = await on_record(everything, call, "number", "completed")
    assert end["dial_sid"] == callee.sid
    assert int(end["seconds"]) >= 5


async def test_no_conversation_lasts_longer_than_a_call_may(everything: Stage) -> None:
    everything.twilio.people.put(BERLIN, Person(acts=(wait(900), hang_up())))
    call = await dialled(everything, wait(900), to=BERLIN)

    _, end = await on_record(everything, call, "number", "completed")
    assert 115 <= int(end["seconds"]) <= 125


@pytest.mark.parametrize(
    ("to", "words", "dial"),
    [
        ("+14155550601", "The line is busy.", "busy"),
        ("+14155550602", "Nobody answers.", "no-answer"),
        ("+14155550603", "The call could not be connected.", "failed"),
    ],
)
async def test_who_calls_in_vain_hears_why(everything: Stage, to: str, words: str, dial: str) -> None:
    everything.twilio.people.put(to, Person(answers=dial))  # type: ignore[arg-type]
    call = await dialled(everything, to=to)

    assert heard(call) == [words]
    await on_record(everything, call, "number", dial)


async def test_a_browser_talks_to_another(everything: Stage) -> None:
    everything.twilio.people.put(BOB, Person(acts=(say("Bob here"), wait(5), hang_up())))
    call = await dialled(everything, say("It is Anna"), to=BOB)
    [callee] = legs(everything, call)

    assert (callee.from_, heard(callee, "heard")) == (ANNA, ["It is Anna"])
    await on_record(everything, call, "client", "completed")


@pytest.mark.parametrize(
    ("to", "caller"),
    [
        ("+19005551234", ANNA),
        ("+12684601234", ANNA),
        ("+33142685300", ANNA),
        ("+49112", ANNA),
        ("112", ANNA),
        ("sip:+4930123456@example.com", ANNA),
        ('"/><Dial>+19005551234</Dial><Say x="', ANNA),
        ("", ANNA),
        (BERLIN, "+14155550177"),
        (BERLIN, "client:someone@example.com"),
    ],
)
async def test_what_may_not_be_called_is_refused_and_no_call_leaves(everything: Stage, to: str, caller: str) -> None:
    before = len(everything.twilio.calls)
    call = await dialled(everything, to=to, caller=caller)

    assert heard(call) == [REFUSED]
    assert len(everything.twilio.calls) == before + 1
    delivery = await shown(everything, call.sid, _told)
    assert [each["dial"] for each in _told(delivery)] == ["refused"]
    assert _told(delivery)[0]["problem"].startswith(("expected", "this"))


async def test_who_calls_a_number_reaches_a_browser_by_way_of_a_flow(everything: Stage) -> None:
    everything.twilio.people.put(ANNA, Person(acts=(say("Anna here"), wait(5), hang_up())))
    call = await called(everything, press("13"), say("Hello"), from_="+14155550611", to="+14155550203")
    [callee] = legs(everything, call)

    assert callee.to == ANNA
    assert (heard(call, "heard"), heard(callee, "heard")) == (["Anna here"], ["Hello"])


async def test_the_simulated_call_of_the_documentation_is_one(everything: Stage) -> None:
    [written] = re.findall(r"-d '({\"from\": \"client:.*?})'", DOCUMENTATION)
    asked = json.loads(written)
    asked["url"] = asked["url"].replace("http://127.0.0.1:7071", everything.settings["PUBLIC_BASE_URL"])
    call = await over(everything, (await everything.simulate("inbound/call", **asked))["sid"])
    await on_record(everything, call, "client", "completed")


def test_the_flow_of_the_documentation_is_one(tmp_path: Path) -> None:
    [block] = re.findall(r"^```toml\n(.*?)^```$", DOCUMENTATION, re.DOTALL | re.MULTILINE)
    (tmp_path / "sales.toml").write_text(block, "utf-8")
    [flow] = Flows.load(tmp_path, default_zone=ZoneInfo("UTC"))
    assert isinstance(flow.steps["anna"].action, Dial)
    assert [target.kind for target in flow.steps["anna"].action.targets] == ["client", "number"]


def test_the_list_of_the_documentation_is_one() -> None:
    [written] = re.findall(r"^CLIENT_MAY_CALL=(.*)$", DOCUMENTATION, re.MULTILINE)
    assert [to in Destinations.parse(written) for to in ("+4930123", BOB, "+4940123")] == [True, True, False]
