"""What the settings or the templates allow no more, after an attempt: looked for as ever, adopted, or rejected."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from shared.errors import TwilioUnclear
from shared.text.templates.library import Templates
from tests.fakes import FROM_NUMBER, a_sid, an_answer, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message

UNCLEAR = TwilioUnclear("Twilio answered HTTP 500", code=20500)
ATTEMPT, SETTLE = timedelta(seconds=20), timedelta(seconds=60)
LOST = [UNCLEAR, "died"]


async def lost(bench: Bench, how: TwilioUnclear | str, message: bytes) -> None:
    """Send a request whose answer is lost, and come to when the look can be made."""
    if how == "died":
        await bench.die_sending(message)
        bench.clock.advance(ATTEMPT)
    else:
        bench.provider.outcomes = [UNCLEAR]
    await bench.take(message)
    bench.clock.advance(ATTEMPT + SETTLE)


@pytest.mark.parametrize("how", LOST, ids=str)
@pytest.mark.parametrize(
    ("message", "plain", "body"),
    [
        (a_message(), "false", "Your parcel has arrived."),
        (a_message(body="It\u2019s here\u2026"), "true", "It's here..."),
        (a_message(body="x" * 1599 + "\u2026"), "true", "x" * 1599 + "\u2026"),
        (a_message(CALL, id="order-1"), "false", None),
    ],
    ids=["text", "plain text", "text that would get too long", "call"],
)
async def test_what_is_not_allowed_any_more_is_looked_for_all_the_same_and_adopted(
    bench: Bench, how: TwilioUnclear | str, message: bytes, plain: str, body: str | None
) -> None:
    bench.settings = make_settings(SMS_PLAIN_PUNCTUATION=plain)
    is_call = body is None
    left = an_answer(a_sid("CA" if is_call else "SM"), body=body, from_=FROM_NUMBER, created_at=bench.clock.now)
    await lost(bench, how, message)
    bench.provider.has = [left]
    bench.settings = make_settings(SMS_PLAIN_PUNCTUATION=plain, ALLOWED_COUNTRIES="DE")
    created = len(bench.provider.created)
    await bench.take(message, message_id="message-2")
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid) == ("queued", left.sid)
    assert len(bench.provider.created) == created
    assert await bench.storage.log.get("message-2") is None


@pytest.mark.parametrize("how", LOST, ids=str)
async def test_what_is_not_allowed_any_more_and_not_found_is_rejected_on_its_own_record(
    bench: Bench, how: TwilioUnclear | str
) -> None:
    await lost(bench, how, a_message())
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    created = len(bench.provider.created)
    await bench.take(a_message(), message_id="message-2")
    bench.clock.advance(SETTLE)
    await bench.take(a_message(), message_id="message-3")
    delivery = await bench.delivery()
    assert (delivery.status, delivery.next_attempt_at, delivery.error_code) == ("rejected", None, None)
    assert "ALLOWED_COUNTRIES" in (delivery.error_message or "")
    assert (len(bench.provider.looks), len(bench.provider.created)) == (2, created)
    assert await bench.storage.log.get("message-2") is None


async def test_what_is_not_allowed_any_more_is_doubted_first_and_looked_for_when_it_has_settled(bench: Bench) -> None:
    await bench.die_sending(a_message())
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    for expected, wait in (("submitting", ATTEMPT), ("uncertain", SETTLE), ("uncertain", SETTLE), ("rejected", SETTLE)):
        bench.queue.puts.clear()
        await bench.take(a_message())
        assert (await bench.delivery()).status == expected
        assert len(bench.queue.puts) == (expected != "rejected"), "it comes back, until it has ended"
        bench.clock.advance(wait)
    assert len(bench.provider.looks) == 2


async def test_what_somebody_did_while_it_was_looked_for_keeps_it_from_being_rejected(bench: Bench) -> None:
    """Another look, made at the same time, saw what may be this one."""
    await lost(bench, UNCLEAR, a_message())
    stale = await bench.delivery()

    async def another_looks() -> None:
        await bench.storage.log.change(stale, msgspec.structs.replace(stale, candidates=(a_sid(),)))

    bench.provider.during_a_look = another_looks
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    await bench.take(a_message())
    assert (await bench.delivery()).is_left_for_a_person


async def test_a_template_that_is_gone_keeps_nothing_from_being_looked_for(bench: Bench, tmp_path: Path) -> None:
    front = '---\nchannel = "sms"\n\n[values]\nnumber = "integer"\n--- en ---\n'
    (tmp_path / "parcel.txt").write_text(front + "Your parcel {{ number }} has arrived.\n", encoding="utf-8")
    bench.templates = Templates.load(tmp_path)
    message = a_message(body=..., template="parcel", data={"number": 7})
    left = an_answer(a_sid(), body="Your parcel 7 has arrived.", from_=FROM_NUMBER, created_at=bench.clock.now)
    await lost(bench, UNCLEAR, message)
    assert (await bench.delivery()).text == left.body
    bench.provider.has, bench.templates = [left], Templates()
    await bench.take(message)
    assert (await bench.delivery()).sid == left.sid
