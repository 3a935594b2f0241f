"""Somebody calls, or is called: what they heard, and what is on record of it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from local.twilio import Simulator
from local.twilio.calls import Call
from local.twilio.people import Act
from local.twilio.webhooks import Posted
from tests.end_to_end.stage import Stage, eventually
from tests.web.app import FORM, TOKEN, Answer

APP = "+15005550006"
PRESENTED = ("said", "played", "paused")
"""what the app has somebody hear"""


async def called(everything: Stage, *acts: Act, from_: str, to: str) -> Call:
    """Somebody calls this number and does this; returns the call when it has ended, and Twilio found nothing wrong."""
    sid = everything.twilio.call(*acts, from_=from_, to=to)
    return await over(everything, sid)


async def over(everything: Stage, sid: str) -> Call:
    """Wait until a call has ended; nothing may be wrong with any document that it was given."""
    call = await everything.twilio.ended(sid)
    all_is_well(everything.twilio, call)
    return call


def all_is_well(twilio: Simulator, call: Call) -> None:
    """Nothing of a call, or of those that it dialled, would be in Twilio's debugger."""
    assert call.notes == (), call
    for other in twilio.calls:
        assert other.parent_sid != call.sid or other.notes == (), other


def heard(call: Call, *kinds: str) -> list[str]:
    """What a call's transcript has of these kinds; without any, what the app has somebody hear."""
    return [entry.what for entry in call.transcript if entry.kind in (kinds or PRESENTED)]


def calls_to(everything: Stage, to: str) -> list[Call]:
    """The calls to an address, in order."""
    return [call for call in everything.twilio.calls if call.to == to]


def webhooks(everything: Stage, sid: str) -> list[Posted]:
    """What the app was asked about a call, in order."""
    return [hook for hook in everything.twilio.webhooks if ("CallSid", sid) in hook.fields]


async def again(everything: Stage, hook: Posted) -> Answer:
    """Have Twilio ask the very same once more."""
    url = hook.url.partition("#")[0]
    signature = RequestValidator(TOKEN).compute_signature(url, dict(hook.fields))
    body = urlencode(hook.fields).encode()
    target = url.removeprefix(everything.settings["PUBLIC_BASE_URL"])
    return await everything.app.request("POST", target, body, {**FORM, "X-Twilio-Signature": signature})


def details(delivery: Any, *names: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a JSON document
    """What happened in the flow, in order: of each event those of these that it has."""
    raws = [event["raw"] for event in delivery["events"] if event["kind"] == "flow"]
    return [shown for raw in raws if (shown := {name: raw[name] for name in names if name in raw})]


async def shown(everything: Stage, delivery_id: str, as_it_should: Callable[[Any], object]) -> Any:  # noqa: ANN401 - JSON
    """Wait until a delivery is as it should be, and return it; events may come at any time, and in any order."""

    async def look() -> Any:  # noqa: ANN401 - a JSON document
        delivery = await everything.get(delivery_id)
        return delivery if delivery is not None and as_it_should(delivery) else None

    return await eventually(look, lambda: everything.get(delivery_id))


def of_kind(delivery: Any, kind: str) -> list[Any]:  # noqa: ANN401 - JSON documents
    """What Twilio told in a delivery's events of a kind."""
    return [event["raw"] for event in delivery["events"] if event["kind"] == kind]
