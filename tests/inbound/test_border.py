"""Nobody moves the border between the URL and the form: a signature has no separator there.

Each attack takes a webhook that Twilio signed, moves the border, and shows first that the library which checks
signatures takes it. https://www.twilio.com/docs/usage/webhooks/webhooks-security#how-twilio-signs-requests
"""

import json
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from twilio.request_validator import RequestValidator

from shared.deliveries.record import Delivery
from shared.inbound.form import Form
from tests.samples import webhooks
from tests.samples.calls import INBOUND, LINE, PERSON, Phone
from tests.web.app import FORM, NUMBER, PUBLIC_BASE_URL, TOKEN, App

TO = "+14155550143"
ACCOUNT = ("AccountSid", "AC" + "0" * 32)
Fields = list[tuple[str, str]]


async def _waiting(app: App, delivery_id: str, **more: Any) -> Delivery:  # noqa: ANN401 - whatever a request holds
    """Return a delivery that was attempted, and whose SID is not known."""
    await app.take(json.dumps({"id": delivery_id, "channel": "sms", "to": TO, "body": "Hello", **more}).encode())
    delivery = await app.wiring.log.get(delivery_id)
    assert delivery is not None
    assert (delivery.attempts, delivery.sid) == (1, None)
    return delivery


async def _of_an_earlier_version(app: App, delivery_id: str) -> Delivery:
    """Return such a delivery as the version before wrote it."""
    delivery = await _waiting(app, delivery_id)
    return await app.wiring.log.change(delivery, msgspec.structs.replace(delivery, callback_form=None))


def _status(to: str = TO) -> Fields:
    sid = webhooks.new_sid("SM")
    return [ACCOUNT, ("From", NUMBER), ("MessageSid", sid), ("MessageStatus", "failed"), ("To", to)]


async def _post(app: App, target: str, fields: Iterable[tuple[str, str]], signature: str) -> int:
    body = webhooks.encode(*fields)
    return (await app.request("POST", target, body, {**FORM, "X-Twilio-Signature": signature})).status


async def _attack(app: App, signed: str, fields: Fields, cut: str) -> int:
    """Move what stands behind `cut` in the signed URL into the name of the first field, and post that."""
    signature = webhooks.signature(PUBLIC_BASE_URL + signed, fields)
    (name, value), *others = sorted(fields)
    moved = [(signed.removeprefix(cut) + name, value), *others]
    form = Form.parse(webhooks.encode(*moved))
    assert RequestValidator(TOKEN).validate(PUBLIC_BASE_URL + cut, form, signature), "the signature itself holds"
    return await _post(app, cut, moved, signature)


@pytest.mark.parametrize("end", ["&v=2", ""], ids=["with its end", "first form"])
async def test_a_callback_that_is_cut_to_name_another_delivery_is_refused_and_changes_nothing(
    app: App, end: str
) -> None:
    victim = await _waiting(app, uuid.uuid4().hex)
    target = f"/api/sms/status?delivery={victim.id}"
    assert await _attack(app, f"{target}2{end}", _status(), target) == 403
    assert await app.wiring.log.get(victim.id) == victim


@pytest.mark.parametrize("kept", ["&v=", "&v", ""])
async def test_an_end_that_is_cut_itself_is_refused(app: App, kept: str) -> None:
    victim = await _waiting(app, uuid.uuid4().hex)
    target = f"/api/sms/status?delivery={victim.id}"
    assert await _attack(app, f"{target}&v=2", _status(), target + kept) == 403
    assert await app.wiring.log.get(victim.id) == victim


async def test_a_callback_that_is_prolonged_by_its_form_is_refused(app: App) -> None:
    victim = await _waiting(app, uuid.uuid4().hex)
    target, fields = f"/api/sms/status?delivery={victim.id}&v=2", _status()
    signature = webhooks.signature(PUBLIC_BASE_URL + target, fields)
    longer = target + "".join(ACCOUNT)
    assert RequestValidator(TOKEN).validate(
        PUBLIC_BASE_URL + longer, Form.parse(webhooks.encode(*fields[1:])), signature
    )
    assert await _post(app, longer, fields[1:], signature) == 403
    assert await app.wiring.log.get(victim.id) == victim


async def test_a_callback_as_twilio_was_given_it_counts(app: App) -> None:
    delivery = await _waiting(app, f"a:{uuid.uuid4().hex}")
    target, fields = f"/api/sms/status?delivery={delivery.id.replace(':', '*')}&v=2", _status()
    assert await _post(app, target, fields, webhooks.signature(PUBLIC_BASE_URL + target, fields)) == 204
    after = await app.delivery(delivery.id)
    assert (after["status"], after["sid"]) == ("failed", fields[2][1])


async def test_a_callback_in_flight_from_before_the_update_counts(app: App) -> None:
    delivery = await _of_an_earlier_version(app, f"a:{uuid.uuid4().hex}")
    target, fields = f"/api/sms/status?delivery={delivery.id.replace(':', '%3A')}", _status()
    assert await _post(app, target, fields, webhooks.signature(PUBLIC_BASE_URL + target, fields)) == 204
    after = await app.delivery(delivery.id)
    assert (after["status"], after["sid"]) == ("failed", fields[2][1])


async def test_a_callback_about_its_own_message_counts_whichever_version_gave_twilio_the_url(app: App) -> None:
    delivery = await _waiting(app, uuid.uuid4().hex)
    fields = _status()
    for end, status in (("&v=2", "sent"), ("", "delivered")):
        target = f"/api/sms/status?delivery={delivery.id}{end}"
        told = [(name, status if name == "MessageStatus" else value) for name, value in fields]
        assert await _post(app, target, told, webhooks.signature(PUBLIC_BASE_URL + target, told)) == 204
    assert (await app.delivery(delivery.id))["status"] == "delivered"


@pytest.mark.parametrize("query", ["", "?source=service&x=1"])
async def test_a_callback_that_names_no_delivery_is_kept_under_its_sid(app: App, query: str) -> None:
    target, fields = f"/api/sms/status{query}", _status()
    assert await _post(app, target, fields, webhooks.signature(PUBLIC_BASE_URL + target, fields)) == 204
    assert (await app.delivery(fields[2][1]))["status"] == "failed"


@pytest.mark.parametrize("route", ["voice/recording", "voice/transcription"])
async def test_news_of_a_recording_that_are_cut_are_refused(app: App, route: str) -> None:
    victim = await _waiting(app, uuid.uuid4().hex, channel="call", body=None, say="Hello")
    sids = [(f"{kind}Sid", webhooks.new_sid(kind[:2].upper())) for kind in ("Recording", "Transcription")]
    told = [ACCOUNT, ("CallSid", webhooks.new_sid("CA")), *sids]
    fields = [*told, ("RecordingStatus", "completed"), ("TranscriptionStatus", "completed")]
    target = f"/api/{route}?delivery={victim.id}"
    assert await _attack(app, f"{target}2&v=2", fields, target) == 403
    assert await app.wiring.log.get(victim.id) == victim
    assert "recording" not in [event["kind"] for event in (await app.delivery(victim.id))["events"]]


async def test_trouble_that_is_cut_to_name_another_delivery_is_not_on_its_record(app: App) -> None:
    victim = await _waiting(app, uuid.uuid4().hex, channel="call", body=None, say="Hello")
    fields = [ACCOUNT, ("CallSid", webhooks.new_sid("CA")), ("CallStatus", "in-progress"), ("ErrorCode", "11200")]
    target = f"/api/fallback/voice?delivery={victim.id}"
    assert await _attack(app, f"{target}2&v=2", fields, target) == 200, "who is on the line hears something"
    assert "trouble" not in [event["kind"] for event in (await app.delivery(victim.id))["events"]]


async def test_a_turn_whose_state_is_cut_is_refused_for_a_call_that_this_version_began(app: App) -> None:
    phone = Phone(app, ends={"From": PERSON, "To": LINE, "Direction": "inbound"})
    call = await app.wiring.log.get(phone.sid)
    assert call is None
    await phone.turn("/api/twimlets/menu?Message=Hello&Options[1]=https://example.com/")
    fields = [ACCOUNT, ("CallSid", phone.sid), ("CallStatus", "in-progress"), ("Digits", "7")]
    begin = f"/api/twimlets/menu?delivery={phone.sid}"
    whole = f"{begin}&Message=Hello&step=menu&part=done&turn=12&v=2"
    before = await phone.delivery()
    for signed, cut in (
        (whole, whole.removesuffix("2&v=2")),
        (whole, whole.removesuffix("&v=2")),
        (whole.replace(begin, f"{begin}2"), begin),
        (whole.replace(begin, f"{begin}22"), f"{begin}2"),
        (whole, whole.partition("=")[0]),
    ):
        assert await _attack(app, signed, fields, cut) == 403, cut
    assert await phone.delivery() == before
    assert await _post(app, whole, fields, webhooks.signature(PUBLIC_BASE_URL + whole, fields)) == 200


async def test_a_url_to_a_step_that_people_write_goes_on_with_a_call_on_record(app: App) -> None:
    phone = Phone(app)
    await phone.post(INBOUND, CallStatus="ringing", To=NUMBER)
    await phone.turn("/api/voice/flow/customer-line/menu?turn=100")


async def test_a_call_that_comes_in_has_sealed_urls_and_one_that_an_earlier_version_answered_goes_on(app: App) -> None:
    phone = Phone(app)
    fields = [ACCOUNT, ("CallSid", phone.sid), ("CallStatus", "in-progress"), ("From", PERSON), ("To", NUMBER)]
    target = f"/api/voice/flow/customer-line/menu?part=done&turn=1&delivery={phone.sid}"
    signature = webhooks.signature(PUBLIC_BASE_URL + target, fields)
    await phone.post(INBOUND, CallStatus="ringing", To=NUMBER)
    call = await app.wiring.log.get(phone.sid)
    assert call is not None
    assert await _post(app, target, fields, signature) == 403
    await app.wiring.log.change(call, msgspec.structs.replace(call, callback_form=None))
    assert await _post(app, target, fields, signature) == 200
