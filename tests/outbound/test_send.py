import asyncio
import logging
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from azure.core.exceptions import ServiceRequestError

from shared.connections import Bounds
from shared.deliveries.log import DeliveryLog
from shared.errors import Changed, SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.claim import Attempt, new_delivery, ticks
from shared.outbound.provider import Resource
from shared.queues import LARGEST
from shared.table_service.service import TableService
from shared.tables import Table
from tests.consents.samples import a_consent
from tests.deliveries.samples import an_event
from tests.fakes import AUTH_TOKEN, FROM_NUMBER, FakeProvider, a_sid, an_answer, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message, decoded
from tests.storage import Storage

BUSY = TwilioUnavailable("Twilio takes no more requests for now", code=20429)
UNCLEAR = TwilioUnclear("Twilio answered HTTP 500", code=20500)
ATTEMPT = timedelta(seconds=20)
"""the time of two sends"""
SETTLE = timedelta(seconds=60)
EXPLANATION = "The 'To' number +14155550100 is not a valid phone number."


def refused(code: int, status: int = 400) -> TwilioRefused:
    return TwilioRefused(status=status, code=code, explanation=EXPLANATION)


def failing(*errors: SwitchboardError) -> FakeProvider:
    return FakeProvider(outcomes=list(errors))


async def test_a_text_is_sent_and_what_twilio_answered_is_on_record(bench: Bench) -> None:
    sid = a_sid()
    bench.provider.outcomes = [an_answer(sid, "accepted", answer={"sid": sid, "num_segments": "1"})]
    await bench.take(a_message(metadata={"order": "1"}))
    (created,) = bench.provider.created
    assert (created.kind, created.parameters["to"], created.parameters["from_"]) == (
        "message",
        "+14155550100",
        FROM_NUMBER,
    )
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid, delivery.attempts) == ("accepted", sid, 1)
    assert (delivery.metadata, delivery.request) == ({"order": "1"}, a_message(metadata={"order": "1"}))
    (event,) = await bench.timeline()
    assert (event.status, event.sid, event.raw) == ("accepted", sid, {"sid": sid, "num_segments": "1"})
    assert await bench.storage.log.owner_of(sid) == "order-1"
    assert bench.queue.puts == []


async def test_a_call_is_made(bench: Bench) -> None:
    await bench.take(a_message(CALL))
    (created,) = bench.provider.created
    assert (created.kind, created.parameters["to"]) == ("call", "+14155550100")
    delivery = await bench.delivery("order-2")
    assert (delivery.status, delivery.channel) == ("queued", "call")


async def test_the_claim_stands_before_anything_is_sent(bench: Bench) -> None:
    seen: list[str] = []

    class Watching(FakeProvider):
        async def create_message(self, parameters: dict[str, object], *, not_after: float) -> Resource:
            delivery = await bench.delivery()
            seen.append(delivery.status)
            assert delivery.deadline == bench.clock.now + ATTEMPT
            return await super().create_message(parameters, not_after=not_after)

    bench.provider = Watching()
    await bench.take(a_message())
    assert seen == ["submitting"]


async def test_twilio_is_given_no_longer_than_the_attempt_has(bench: Bench) -> None:
    bench.settings = make_settings(TWILIO_TIMEOUT_SECONDS="3")
    before = ticks()
    await bench.take(a_message())
    (created,) = bench.provider.created
    assert before + 6 <= created.not_after <= ticks() + 6
    delivery = await bench.delivery()
    assert delivery.deadline == bench.clock.now + timedelta(seconds=6)


async def test_a_second_message_with_the_same_request_is_not_sent(bench: Bench) -> None:
    await bench.take(a_message())
    first = await bench.delivery()
    await bench.take(a_message() + b"  ", message_id="message-2")
    assert len(bench.provider.created) == 1
    assert await bench.delivery() == first
    assert bench.queue.puts == []


async def test_of_many_messages_with_the_same_request_at_once_one_is_sent(bench: Bench) -> None:
    await asyncio.gather(*(bench.take(a_message(), message_id=f"message-{n}") for n in range(5)))
    assert len(bench.provider.created) == 1


async def test_other_content_under_the_same_id_is_recorded_as_rejected_under_its_messages_id(bench: Bench) -> None:
    await bench.take(a_message())
    first = await bench.delivery()
    other = a_message(body="Something else.")
    await bench.take(other, message_id="message-2")
    assert len(bench.provider.created) == 1
    assert await bench.delivery() == first
    rejected = await bench.delivery("message-2")
    assert (rejected.status, rejected.channel, rejected.request) == ("rejected", "sms", other)
    (reason,) = rejected.reasons
    assert reason.startswith("id: ")
    assert bench.queue.puts == []


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (a_message(to="123", boddy="x"), {"to", "boddy"}),
        (b'{"channel":"call"', {"request"}),
        (b"", {"request"}),
        (b"\xff\xfe\x00", {"request"}),
        (b"\xff" * LARGEST, {"request"}),
        (b"x" * LARGEST, {"request"}),
        (a_message() + b" " * (LARGEST - len(a_message())), {"request"}),
    ],
    ids=lambda value: f"{len(value)} bytes" if isinstance(value, bytes) else "-".join(sorted(value)),
)
async def test_an_unusable_message_is_recorded_whole_with_every_reason(
    bench: Bench, message: bytes, fields: set[str]
) -> None:
    await bench.take(message)
    rejected = await bench.delivery("message-1")
    assert (rejected.status, rejected.direction, rejected.request) == ("rejected", "outbound", message)
    assert {reason.partition(":")[0] for reason in rejected.reasons} == fields
    (event,) = await bench.timeline("message-1")
    assert (event.status, event.raw) == ("rejected", {"reasons": list(rejected.reasons)})
    assert bench.provider.created == []
    assert await bench.storage.log.get("order-1") is None


async def test_a_message_with_thousands_of_faults_is_recorded_with_the_first_of_them(bench: Bench) -> None:
    message = b"{" + b",".join(b'"%x":0' % n for n in range(0x100, 0xD00)) + b"}"
    await bench.take(message)
    rejected = await bench.delivery("message-1")
    assert rejected.request == message
    assert len(rejected.reasons) == 101
    assert rejected.reasons[-1] == "and 2975 more"  # 3072 names that nobody knows, and three fields that are missing


async def test_a_rejected_message_keeps_its_metadata(bench: Bench) -> None:
    await bench.take(a_message(to="12", metadata={"order": "7"}), message_id="message-1")
    delivery = await bench.delivery("message-1")
    assert (delivery.status, delivery.metadata) == ("rejected", {"order": "7"})


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (a_message(to="123"), "order-1"),
        (a_message(id="no good id", to="123"), "no good id"),
        (a_message(id="x" * 500), "x" * 193 + "… (cut)"),
        (a_message(id=5), None),
        (a_message(id=...), None),
        (b"[]", None),
    ],
)
async def test_a_rejected_message_tells_the_id_that_it_named(bench: Bench, message: bytes, named: str | None) -> None:
    await bench.take(message)
    assert (await bench.delivery("message-1")).named == named


async def test_an_unusable_message_that_comes_again_is_recorded_once(bench: Bench) -> None:
    await bench.take(b"{}")
    first = await bench.delivery("message-1")
    bench.clock.advance(timedelta(minutes=1))
    await bench.take(b"{}")
    assert await bench.delivery("message-1") == first
    assert len(await bench.timeline("message-1")) == 1


async def test_an_unusable_message_does_not_occupy_the_id_that_it_named(bench: Bench) -> None:
    await bench.take(a_message(to="123"))
    await bench.take(a_message(), message_id="message-2")
    assert (await bench.delivery()).status == "queued"


@pytest.mark.parametrize("error", [BUSY, TwilioUnavailable("refused connection"), TooLate("no time"), refused(21611)])
async def test_what_twilio_did_not_process_is_sent_again_later(bench: Bench, error: SwitchboardError) -> None:
    bench.provider = failing(error)
    await bench.take(a_message())
    delivery = await bench.delivery()
    ((message, delay),) = bench.queue.puts
    assert message == a_message()
    assert timedelta(seconds=2.5) <= delay <= timedelta(seconds=5)
    assert (delivery.status, delivery.next_attempt_at) == ("retrying", bench.clock.now + delay)
    assert delivery.error_code == getattr(error, "code", None)
    assert [event.status for event in await bench.timeline()] == ["retrying"]

    bench.clock.advance(delay)
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == ("queued", 2, None)
    assert (delivery.error_code, delivery.error_message) == (None, None)
    assert len(bench.provider.created) == 2


async def test_a_retry_stays_hidden_in_the_queue_and_has_no_end(bench: Bench) -> None:
    bench.provider = failing(TwilioUnavailable("busy", retry_after=3600.0))
    await bench.take(a_message())
    assert [message async for message in bench.queue.client.receive_messages()] == []
    assert (await bench.queue.client.get_queue_properties()).approximate_message_count == 1
    ((message, delay),) = bench.queue.puts
    assert message == a_message()
    assert timedelta(hours=1) <= delay <= timedelta(hours=1.25)


async def test_each_retry_waits_longer_and_leaves_an_event(bench: Bench) -> None:
    bench.provider = failing(*[BUSY] * 4)
    for _ in range(4):
        await bench.take(a_message())
        bench.clock.advance(bench.queue.puts[-1][1])
    delays = [delay.total_seconds() for _, delay in bench.queue.puts]
    assert all(5 * 2**n / 2 <= delay <= 5 * 2**n for n, delay in enumerate(delays))
    assert [event.status for event in await bench.timeline()] == ["retrying"] * 4
    assert (await bench.delivery()).attempts == 4


async def test_a_retry_that_is_not_due_comes_back_later(bench: Bench) -> None:
    bench.provider = failing(BUSY)
    await bench.take(a_message())
    waiting = await bench.delivery()
    due = waiting.next_attempt_at
    assert due is not None
    bench.clock.advance(timedelta(seconds=1))
    await bench.take(a_message())
    assert bench.queue.puts[1:] == [(a_message(), due - bench.clock.now + timedelta(seconds=1))]
    assert await bench.delivery() == waiting
    assert len(bench.provider.created) == 1


async def test_of_two_that_come_for_a_due_retry_one_sends_and_the_other_is_told_to_look_again(bench: Bench) -> None:
    bench.provider = failing(BUSY)
    await bench.take(a_message())
    bench.clock.advance(timedelta(minutes=1))
    outcomes = await asyncio.gather(*(bench.take(a_message()) for _ in range(3)), return_exceptions=True)
    assert len(bench.provider.created) == 2
    assert all(outcome is None or isinstance(outcome, Changed) for outcome in outcomes)


@pytest.mark.parametrize("asked", [None, 60.0])
async def test_a_retry_that_would_come_too_late_waits_for_the_end_and_ends_as_expired(
    bench: Bench, asked: float | None
) -> None:
    bench.provider = failing(TwilioUnavailable("busy", code=20429, retry_after=asked))
    left = timedelta(seconds=2 if asked is None else 60)
    expires_at = bench.clock.now + left
    await bench.take(a_message(expires_at=expires_at.isoformat()))
    delivery = await bench.delivery()
    assert (delivery.status, delivery.next_attempt_at, delivery.error_code) == ("retrying", expires_at, 20429)
    ((message, delay),) = bench.queue.puts
    assert delay == left
    bench.clock.advance(delay)
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.next_attempt_at) == ("expired", None)
    assert len(bench.queue.puts) == 1
    assert len(bench.provider.created) == 1
    assert await bench.statuses() == ["retrying", "expired"]


async def test_a_request_that_comes_too_late_is_not_sent(bench: Bench) -> None:
    await bench.take(a_message(expires_at=bench.clock.now.isoformat()))
    assert (await bench.delivery()).status == "expired"
    assert [event.status for event in await bench.timeline()] == ["expired"]
    assert bench.provider.created == []


async def test_a_retry_that_comes_a_day_late_is_not_sent(bench: Bench) -> None:
    bench.provider = failing(BUSY)
    await bench.take(a_message())
    bench.clock.advance(timedelta(hours=24))
    await bench.take(a_message())
    assert (await bench.delivery()).status == "expired"
    assert len(bench.provider.created) == 1


async def test_a_request_may_wait_until_the_end_of_time(bench: Bench) -> None:
    message = a_message(expires_at="9999-12-31T23:59:59.999999Z")
    await bench.take(message)
    await bench.take(message)
    assert (await bench.delivery()).expires_at == datetime.max.replace(tzinfo=UTC)
    assert len(bench.provider.created) == 1


async def test_an_unclear_outcome_leaves_the_request_uncertain_and_it_is_not_sent_again_unlooked(bench: Bench) -> None:
    bench.provider = failing(UNCLEAR)
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_code) == ("uncertain", 20500)
    assert bench.queue.puts == [(a_message(), ATTEMPT + SETTLE)], "it comes back when the look can be made"
    bench.clock.advance(ATTEMPT + SETTLE - timedelta(seconds=1))
    await bench.take(a_message())
    assert await bench.delivery() == delivery
    assert bench.queue.puts[1:] == [(a_message(), timedelta(seconds=2))]
    assert len(bench.provider.created) == 1
    assert bench.provider.looks == []
    assert await bench.statuses() == ["uncertain"]


@pytest.mark.parametrize("code", [21610, 63014])
async def test_a_recipient_who_opted_out_is_suppressed(bench: Bench, code: int) -> None:
    bench.provider = failing(refused(code))
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_code, delivery.error_message) == ("suppressed", code, EXPLANATION)
    await bench.take(a_message())
    assert len(bench.provider.created) == 1


@pytest.mark.parametrize("code", [21211, 21606, 99999])
async def test_what_twilio_refuses_fails_with_its_reason(bench: Bench, code: int) -> None:
    bench.provider = failing(refused(code))
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_code, delivery.error_message) == ("failed", code, EXPLANATION)
    (event,) = await bench.timeline()
    assert (event.status, event.error_code) == ("failed", code)
    await bench.take(a_message())
    assert len(bench.provider.created) == 1
    assert bench.queue.puts == []


async def claim_elsewhere(bench: Bench) -> None:
    attempt = Attempt.begin(bench.clock.now, send_seconds=10)
    assert await bench.storage.log.claim(new_delivery(decoded(), a_message(), attempt, enqueued_at=None))


async def test_a_request_that_somebody_else_is_at_comes_back_after_the_deadline(bench: Bench) -> None:
    await claim_elsewhere(bench)
    bench.clock.advance(timedelta(seconds=5))
    await bench.take(a_message())
    assert bench.queue.puts == [(a_message(), ATTEMPT - timedelta(seconds=4))]
    assert (await bench.delivery()).status == "submitting"
    assert bench.provider.created == []


async def test_an_attempt_that_never_said_how_it_ended_leaves_the_request_uncertain(bench: Bench) -> None:
    await claim_elsewhere(bench)
    bench.clock.advance(ATTEMPT)
    await bench.take(a_message())
    assert (await bench.delivery()).status == "uncertain"
    assert [event.status for event in await bench.timeline()] == ["uncertain"]
    assert bench.provider.created == []
    assert bench.queue.puts == [(a_message(), SETTLE)]


async def test_a_callback_that_comes_before_the_answer_is_not_undone_by_it(bench: Bench) -> None:
    sid = a_sid()

    class Quick(FakeProvider):
        async def create_message(self, parameters: dict[str, object], *, not_after: float) -> Resource:
            await bench.storage.log.record(await bench.delivery(), an_event("delivered", sid=sid))
            return await super().create_message(parameters, not_after=not_after)

    bench.provider = Quick(outcomes=[an_answer(sid)])
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid) == ("delivered", sid)
    assert {event.status for event in await bench.timeline()} == {"queued", "delivered"}


async def test_a_message_is_not_acknowledged_while_storage_is_away(bench: Bench) -> None:
    nowhere = "AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a"  # nobody listens on the first port
    async with TableService.open(nowhere, bounds=Bounds(repetitions=0)) as service:
        away = Table(service.table("t"))
        bench.storage = Storage(DeliveryLog(away, away), away, away)
        for message in (a_message(), b"unusable"):
            with pytest.raises(ServiceRequestError):
                await bench.take(message)
    assert bench.provider.created == []


async def test_logs_carry_the_delivery_and_show_no_number_no_text_and_no_token(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "shared")
    outcomes: list[SwitchboardError | Resource] = [
        refused(21211),
        BUSY,
        UNCLEAR,
        TooLate("no time"),
        refused(99999),
        an_answer(a_sid()),
        refused(21610),
        TwilioUnavailable("nobody gets so far: the recipient opted out"),
    ]
    for n, outcome in enumerate(outcomes):
        bench.provider.outcomes = [outcome]
        message = a_message(id=f"order-{n}")
        await bench.take(message, message_id=f"message-{n}")
        await bench.take(message, message_id=f"message-{n}")
        await bench.take(a_message(id=f"order-{n}", body="Your secret has arrived."), message_id=f"other-{n}")
    bench.clock.advance(ATTEMPT + SETTLE)
    await bench.consents.record(a_consent("opted-in", at=bench.clock.now))
    bench.provider.outcomes = [refused(20003, 401)]
    bench.provider.has = [an_answer(body="Your secret", from_=FROM_NUMBER)]
    for n in (2, 1, 3):
        await bench.take(a_message(id=f"order-{n}"), message_id="later")
    assert bench.gate.code == 20003
    await bench.take(a_message(to="+1415555010099999", body="Your secret " * 500), message_id="faulty")
    records = [record for record in caplog.records if record.name.startswith("shared.")]
    told = {record.__dict__.get("delivery") for record in records}
    assert {f"order-{n}" for n in range(len(outcomes))} | {"other-0", "faulty"} <= told
    for record in records:
        assert record.__dict__.get("delivery") or record.name in {"shared.outbound.gate", "shared.consents.register"}
        shown = f"{record.getMessage()} {record.__dict__!r}"
        assert not [part for part in ("5550100", "5550199", "parcel", "secret", AUTH_TOKEN) if part in shown]
    accepted = [record for record in records if record.getMessage().startswith("at Twilio")]
    assert ["to +141…00" in record.getMessage() for record in accepted] == [True]


async def test_the_settings_that_hold_now_decide(bench: Bench) -> None:
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    await bench.take(a_message())
    assert (await bench.delivery("message-1")).status == "rejected"
    assert bench.provider.created == []


async def test_what_is_on_record_of_a_claim_is_what_was_claimed(bench: Bench) -> None:
    await claim_elsewhere(bench)
    delivery = await bench.delivery()
    again = new_delivery(decoded(), a_message(), Attempt.begin(bench.clock.now, send_seconds=10), enqueued_at=None)
    assert msgspec.structs.replace(delivery, version=None, attempt=None) == msgspec.structs.replace(again, attempt=None)


async def test_what_became_stricter_since_a_request_was_claimed_rejects_it_on_its_own_record(bench: Bench) -> None:
    bench.provider = failing(BUSY)
    await bench.take(a_message())
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    bench.clock.advance(timedelta(seconds=1))
    await bench.take(a_message(), message_id="message-2")
    delivery = await bench.delivery()
    assert (delivery.status, delivery.next_attempt_at) == ("rejected", None)
    assert "ALLOWED_COUNTRIES" in (delivery.error_message or "")
    assert await bench.storage.log.get("message-2") is None
    assert await bench.statuses() == ["retrying", "rejected"]


async def test_what_became_stricter_changes_nothing_about_what_was_sent(bench: Bench) -> None:
    await bench.take(a_message())
    before = await bench.delivery()
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    await bench.take(a_message(), message_id="message-2")
    assert await bench.delivery() == before
    assert await bench.storage.log.get("message-2") is None


async def test_a_retry_goes_out_from_the_sender_that_is_on_record(bench: Bench) -> None:
    """The default one changed meanwhile: what is looked for after a lost answer is what stands in the delivery."""
    bench.provider = failing(BUSY)
    await bench.take(a_message())
    bench.settings = make_settings(TWILIO_FROM_NUMBER="+14155550198")
    bench.clock.advance(timedelta(minutes=1))
    await bench.take(a_message())
    assert [created.parameters["from_"] for created in bench.provider.created] == [FROM_NUMBER] * 2
    assert (await bench.delivery()).from_ == FROM_NUMBER


async def test_a_request_waits_from_when_it_was_enqueued(bench: Bench) -> None:
    await bench.sender.take("message-1", a_message(), enqueued_at=bench.clock.now - timedelta(hours=24))
    assert (await bench.delivery()).status == "expired"
    assert bench.provider.created == []


@pytest.mark.parametrize(
    ("error", "expected"), [(BUSY, "retrying"), (refused(21211), "failed"), (refused(21610), "suppressed")]
)
async def test_a_clear_outcome_ends_the_doubt_that_somebody_had_meanwhile(
    bench: Bench, error: SwitchboardError, expected: str
) -> None:
    """The attempt was slow, and its message came again after the deadline: what Twilio says counts all the same."""

    class Slow(FakeProvider):
        async def create_message(self, parameters: dict[str, object], *, not_after: float) -> Resource:
            bench.clock.advance(ATTEMPT)
            await bench.take(a_message())
            assert (await bench.delivery()).status == "uncertain"
            return await super().create_message(parameters, not_after=not_after)

    bench.provider = Slow(outcomes=[error])
    await bench.take(a_message())
    assert (await bench.delivery()).status == expected
    assert len(bench.provider.created) == 1
    bench.clock.advance(SETTLE)
    if expected != "retrying":
        await bench.take(a_message())
        assert (await bench.delivery()).status == expected
        assert len(bench.provider.created) == 1


async def test_an_outcome_goes_over_no_other_attempt(bench: Bench) -> None:
    class Slow(FakeProvider):
        async def create_message(self, parameters: dict[str, object], *, not_after: float) -> Resource:
            if self.created:
                return await super().create_message(parameters, not_after=not_after)
            self.created.append(None)  # type: ignore[arg-type]
            for wait in (ATTEMPT, SETTLE, SETTLE):
                bench.clock.advance(wait)
                await bench.take(a_message())
            raise BUSY

    bench.provider = Slow()
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.attempts) == ("queued", 2)
    await bench.take(a_message())
    assert len(bench.provider.created) == 2, "and the message that comes back changes nothing"
