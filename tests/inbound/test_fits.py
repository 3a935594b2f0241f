"""A callback that names a delivery counts for it only where it is about that delivery's own message or call."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.deliveries.record import Delivery
from shared.inbound.fits import misfit
from shared.inbound.form import Form
from tests.deliveries.samples import a_delivery
from tests.samples import webhooks
from tests.web.app import NUMBER, App

TO, OTHER = "+14155550143", "+14155550144"
ACCOUNT, ANOTHER = "AC" + "0" * 32, "AC" + "1" * 32
SM, MM, CA, IM = (kind + "a" * 32 for kind in ("SM", "MM", "CA", "IM"))
SERVICE, ANOTHER_SERVICE = "MG" + "2" * 32, "MG" + "3" * 32


def _why(delivery: Delivery, *, sid: str = SM, channel: Any = "sms", **told: str) -> str | None:  # noqa: ANN401 - a word
    fields = {"AccountSid": ACCOUNT, "To": TO, "From": NUMBER, **told}
    form = Form([(name.removesuffix("_"), value) for name, value in fields.items() if value])
    return misfit(delivery, form, sid=sid, channel=channel, account=ACCOUNT)


@pytest.mark.parametrize(
    ("ours", "told"),
    [
        ({}, {}),
        ({}, {"sid": MM}),
        ({}, {"From": ""}),
        ({}, {"AccountSid": ""}),
        ({"from_": None}, {"From": OTHER}),
        (
            {"to": f"whatsapp:{TO}", "from_": f"whatsapp:{NUMBER}"},
            {"To": f"whatsapp:{TO}", "From": f"whatsapp:{NUMBER}"},
        ),
        ({}, {"To": f"rcs:{TO}"}),
        ({"to": "whatsapp:+5215512345678"}, {"To": "whatsapp:+525512345678"}),
        ({"to": "whatsapp:+552187654321"}, {"To": "whatsapp:+5521987654321"}),
        ({"to": "whatsapp:+5491123456789"}, {"To": "whatsapp:+541123456789"}),
        ({"to": "+5215512345678"}, {"To": "+525512345678"}),
        ({"to": "whatsapp:US.1234"}, {"To": "whatsapp:us.1234"}),
        ({"to": "whatsapp:US.1234"}, {"To": "whatsapp:+14155550143"}),
        ({"to": "whatsapp:+14155550143"}, {"To": "whatsapp:US.1234"}),
        ({"from_": "whatsapp:+525512345678"}, {"From": "whatsapp:+5215512345678"}),
        ({"from_": SERVICE}, {"From": OTHER, "MessagingServiceSid": SERVICE}),
        ({"from_": SERVICE}, {"From": "12345"}),
        ({"from_": "12345"}, {"From": "12345"}),
        ({"from_": "Acme Shop"}, {"From": "ACME SHOP"}),
        ({"channel": "call"}, {"sid": CA, "channel": "call"}),
        ({"channel": "call", "to": "client:anna"}, {"sid": CA, "channel": "call", "To": "client:anna"}),
        ({"direction": "inbound", "to": NUMBER, "from_": TO, "sid": MM}, {}),
        ({"direction": "inbound", "to": NUMBER, "from_": TO, "sid": SM}, {"To": NUMBER, "From": TO}),
    ],
)
def test_what_is_about_the_delivery_fits(ours: dict[str, Any], told: dict[str, str]) -> None:
    assert _why(a_delivery(**{"to": TO, "from_": NUMBER, **ours}), **told) is None


@pytest.mark.parametrize(
    ("ours", "told", "why"),
    [
        ({}, {"To": OTHER}, "recipient"),
        ({}, {"To": ""}, "recipient"),
        ({"to": None}, {}, "recipient"),
        ({"to": "+5215512345678"}, {"To": "+525512345679"}, "recipient"),
        ({"to": "whatsapp:+551133334444"}, {"To": "whatsapp:+5511933334444"}, "recipient"),
        ({"to": "whatsapp:US.1234"}, {"To": "whatsapp:US.1235"}, "recipient"),
        ({"to": "+14155550143"}, {"To": "whatsapp:US.1234"}, "recipient"),
        ({"to": "whatsapp:+525512345678"}, {"To": "whatsapp:+555512345678"}, "recipient"),
        ({"to": "whatsapp:+552187654321"}, {"To": "whatsapp:+551187654321"}, "recipient"),
        ({"to": "whatsapp:+552187654321"}, {"To": "whatsapp:+5511987654321"}, "recipient"),
        ({"to": "whatsapp:+14155550143"}, {"To": "whatsapp:+141155550143"}, "recipient"),
        ({"to": f"whatsapp:{TO}"}, {"To": f"whatsapp:+44{TO[2:]}"}, "recipient"),
        ({}, {"From": OTHER}, "sender"),
        ({"from_": SERVICE}, {"MessagingServiceSid": ANOTHER_SERVICE}, "sender"),
        ({}, {"AccountSid": ANOTHER}, "account"),
        ({}, {"sid": CA}, "kind"),
        ({}, {"sid": IM}, "kind"),
        ({}, {"sid": CA, "channel": "call"}, "kind"),
        ({"channel": "call"}, {}, "kind"),
        ({"channel": None}, {}, "kind"),
        ({"direction": "inbound", "to": NUMBER, "from_": TO, "sid": MM}, {"To": OTHER}, "recipient"),
    ],
)
def test_what_is_about_something_else_does_not_fit(ours: dict[str, Any], told: dict[str, str], why: str) -> None:
    assert why in (_why(a_delivery(**{"to": TO, "from_": NUMBER, **ours}), **told) or "")


async def _taken(app: App, **more: Any) -> Delivery:  # noqa: ANN401 - whatever a request holds
    request = {"id": uuid.uuid4().hex, "channel": "sms", "to": TO, "body": "Hello", **more}
    await app.take(json.dumps({name: value for name, value in request.items() if value is not None}).encode())
    delivery = await app.wiring.log.get(request["id"])
    assert delivery is not None
    return delivery


async def _tell(app: App, delivery: Delivery, *, route: str = "sms/status", **told: str) -> str:
    """Tell what became of a message or a call, and name the delivery; return the SID."""
    is_call = route.startswith("voice")
    sid = webhooks.new_sid("CA" if is_call else "SM")
    kind = {"CallSid": sid, "CallStatus": "failed"} if is_call else {"MessageSid": sid, "MessageStatus": "failed"}
    fields = {"AccountSid": ACCOUNT, "From": NUMBER, "To": TO, **kind, **told}
    body = webhooks.encode(*((name, value) for name, value in fields.items() if value))
    target = f"/api/{route}?delivery={delivery.id}&v=2"
    assert (await app.request("POST", target, body, webhooks.headers(target, body))).status == 204
    return fields["CallSid" if is_call else "MessageSid"]


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ("sms/status", {"To": OTHER}),
        ("sms/status", {"From": OTHER}),
        ("sms/status", {"To": ""}),
        ("sms/status", {"AccountSid": ANOTHER}),
        ("sms/status", {"MessageSid": CA}),
        ("voice/status", {}),
    ],
)
async def test_a_callback_about_something_else_changes_nothing_of_a_delivery_and_is_kept_under_its_sid(
    app: App, route: str, told: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    told = {name: value.replace(CA, webhooks.new_sid("CA")) for name, value in told.items()}
    waiting = await _taken(app)
    events = (await app.delivery(waiting.id))["events"]
    caplog.clear()
    sid = await _tell(app, waiting, route=route, **told)
    assert await app.wiring.log.get(waiting.id) == waiting
    assert (await app.delivery(waiting.id))["events"] == events
    assert await app.wiring.log.owner_of(sid) is None
    kept = await app.delivery(sid)
    assert (kept["status"], len(kept["events"])) == ("failed", 1)
    [line] = [record.getMessage() for record in caplog.records if "not about it" in record.getMessage()]
    assert waiting.id in line
    assert OTHER not in line


async def test_its_own_callback_still_counts_after_one_about_something_else(app: App) -> None:
    waiting = await _taken(app)
    await _tell(app, waiting, To=OTHER)
    sid = await _tell(app, waiting)
    after = await app.delivery(waiting.id)
    assert (after["status"], after["sid"]) == ("failed", sid)


async def test_a_delivery_that_nobody_tried_to_send_is_given_no_sid(app: App) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    waiting = await _taken(app, send_at=later)
    assert (waiting.status, waiting.attempts) == ("scheduled", 0)
    await _tell(app, waiting)
    assert await app.wiring.log.get(waiting.id) == waiting


async def test_a_message_of_its_own_that_was_not_known_is_on_its_record(app: App) -> None:
    """Two messages for one request would be a broken promise: that must be seen."""
    delivery = await _taken(app)
    first = await _tell(app, delivery, MessageStatus="sent")
    second = await _tell(app, delivery)
    after = await app.delivery(delivery.id)
    assert (after["status"], after["sid"]) == ("sent", first)
    assert [event["sid"] for event in after["events"]][-2:] == [first, second]


@pytest.mark.parametrize("route", ["voice/recording", "voice/transcription"])
async def test_a_recording_of_another_call_is_on_that_calls_record(app: App, route: str) -> None:
    mine, other = await _call(app), await _call(app)
    assert await _recorded(app, route, mine, CallSid=other.sid) == 204
    assert not await _recordings(app, mine)
    assert await _recordings(app, other)


async def test_a_recording_of_a_call_that_nobody_knows_is_asked_for_again(app: App) -> None:
    mine = await _call(app)
    assert await _recorded(app, "voice/recording", mine, CallSid=webhooks.new_sid("CA")) == 503
    assert await _recorded(app, "voice/recording", mine, CallSid=mine.sid, AccountSid=ANOTHER) == 204
    assert await _recordings(app, mine) == 1, "its call is known by its SID, whatever the URL names"


async def test_a_recording_of_a_leg_that_the_call_dialled_is_on_the_calls_record(app: App) -> None:
    mine, leg = await _call(app), webhooks.new_sid("CA")
    assert await _recorded(app, "voice/recording", mine, CallSid=leg, ParentCallSid=mine.sid) == 204
    assert await _recordings(app, mine) == 1


async def test_a_recording_that_comes_before_the_calls_sid_is_on_its_record(app: App) -> None:
    waiting = await _taken(app, channel="call", body=None, say="Hello")
    assert (waiting.attempts, waiting.sid) == (1, None)
    other = await _call(app)
    assert await _recorded(app, "voice/recording", waiting, CallSid=other.sid) == 204
    assert not await _recordings(app, waiting), "that call is another's"
    foreign = {"CallSid": webhooks.new_sid("CA"), "AccountSid": ANOTHER}
    assert await _recorded(app, "voice/recording", waiting, **foreign) == 503
    assert not await _recordings(app, waiting), "that call is another account's"
    assert await _recorded(app, "voice/recording", waiting, CallSid=webhooks.new_sid("CA")) == 204
    assert await _recordings(app, waiting) == 1


async def _call(app: App) -> Delivery:
    """Return a call that was made, and whose SID is known."""
    call = await _taken(app, channel="call", body=None, say="Hello")
    await _tell(app, call, route="voice/status", CallStatus="ringing")
    found = await app.wiring.log.get(call.id)
    assert found is not None
    assert found.sid is not None
    return found


async def _recorded(app: App, route: str, named: Delivery, **told: str | None) -> int:
    kind = "Recording" if route.endswith("recording") else "Transcription"
    what = {f"{kind}Sid": webhooks.new_sid(kind[:2].upper()), f"{kind}Status": "completed"}
    fields = {"AccountSid": ACCOUNT, **what, **told}
    body = webhooks.encode(*((name, value or "") for name, value in fields.items()))
    target = f"/api/{route}?delivery={named.id}&v=2"
    return (await app.request("POST", target, body, webhooks.headers(target, body))).status


async def _recordings(app: App, delivery: Delivery) -> int:
    kinds = [event["kind"] for event in (await app.delivery(delivery.id))["events"]]
    return kinds.count("recording") + kinds.count("transcription")
