"""A second way: gone when the first fails or is silent, each step once, each linked to the first."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.deliveries.record import Delivery
from shared.errors import TwilioRefused, TwilioUnavailable
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import decode, faults_of
from shared.outbound.fallback import derive
from shared.queues import LARGEST
from tests.deliveries.samples import NOW, an_event
from tests.fakes import SERVICE_SID, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

CALL_THEN: dict[str, Any] = {"channel": "call", "say": "Your parcel has arrived."}
FAILED = TwilioRefused(status=400, code=30005, explanation="Unknown destination handset")


def follow_ups(bench: Bench) -> list[internal.FollowUp]:
    read = [internal.read(message) for message, _ in bench.queue.puts]
    return [message for message in read if isinstance(message, internal.FollowUp)]


async def follow_up(bench: Bench, delivery_id: str = "order-1") -> None:
    await bench.take(internal.write(internal.FollowUp(delivery_id)))


async def test_where_the_first_fails_the_second_is_gone_once_and_linked(bench: Bench) -> None:
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=CALL_THEN))
    [message] = follow_ups(bench)
    await bench.take(internal.write(message))
    await bench.take(internal.write(message))
    second = await bench.delivery("order-1~2")
    assert (second.channel, second.to, second.origin, second.status) == ("call", "+14155550100", "order-1", "queued")
    assert [created.kind for created in bench.provider.created] == ["message", "call"]
    [link] = [event for event in await bench.timeline() if "fallback" in event.raw]
    assert link.raw["fallback"] == "order-1~2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"to": "rcs:+14155550100", "from": SERVICE_SID}, {"channel": "sms", "to": "+14155550100", "body": "Hi"}),
        ({"to": "whatsapp:+5215512345678"}, {"channel": "sms", "to": "+525512345678", "body": "Hi"}),
        ({"to": "whatsapp:US.1234"}, {"channel": "sms", "to": "+14155550100", "body": "Hi"}),
        ({"to": "messenger:1", "from": SERVICE_SID}, {**CALL_THEN, "to": "+14155550100"}),
    ],
)
async def test_a_second_way_may_name_the_person_in_another_spelling_or_by_a_number_that_nobody_told(
    bench: Bench, first: dict[str, str], second: dict[str, str]
) -> None:
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=second, **first))
    await follow_up(bench)
    assert [created.parameters["to"] for created in bench.provider.created] == [first["to"], second["to"]]


@pytest.mark.parametrize(
    ("to", "called"), [("rcs:+14155550100", "+14155550100"), ("whatsapp:+5215512345678", "+5215512345678")]
)
async def test_a_call_after_a_message_goes_to_its_number(bench: Bench, to: str, called: str) -> None:
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(**{"to": to, "from": SERVICE_SID, "fallback": {**CALL_THEN, "from": "+14155550199"}}))
    await follow_up(bench)
    assert (await bench.delivery("order-1~2")).to == called


@pytest.mark.parametrize(
    ("to", "other"), [("whatsapp:+5215512345678", "+525512345679"), ("rcs:+14155550100", "+14155550101")]
)
async def test_a_second_way_to_another_phone_is_refused(bench: Bench, to: str, other: str) -> None:
    second = {"channel": "sms", "to": other, "body": "Hi"}
    await bench.take(a_message(**{"to": to, "from": SERVICE_SID, "fallback": second}))
    rejected = await bench.delivery("message-1")
    assert (rejected.status, bench.provider.created) == ("rejected", [])
    assert "fallback.to" in str(rejected.reasons)


async def test_a_call_after_a_message_to_a_user_without_a_number_is_refused_when_it_is_asked_for(bench: Bench) -> None:
    await bench.take(a_message(to="whatsapp:US.1234", fallback=CALL_THEN))
    assert "fallback.to" in str((await bench.delivery("message-1")).reasons)


async def test_it_is_looked_for_before_the_state_is_final(bench: Bench) -> None:
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=CALL_THEN))
    assert bench.journal.index("queue") < bench.journal.index("delivery failed")


@pytest.mark.parametrize(
    ("when", "word", "gone"),
    [(None, "undelivered", True), (None, "delivered", False), (["failed"], "undelivered", False)],
)
async def test_a_callback_that_ends_the_first_decides(
    bench: Bench,
    when: list[str] | None,
    word: str,
    gone: bool,  # noqa: FBT001 - of the table
) -> None:
    fallback = CALL_THEN if when is None else {**CALL_THEN, "when": when}
    await bench.take(a_message(fallback=fallback))
    delivery = await bench.delivery()
    await bench.storage.log.record(delivery, an_event(word, sid=delivery.sid))
    await follow_up(bench)
    assert (await bench.storage.log.get("order-1~2") is not None) == gone


async def test_silence_of_the_first_is_noticed_in_time(bench: Bench) -> None:
    await bench.take(a_message(fallback={**CALL_THEN, "after_seconds": 60}))
    [(message, delay)] = bench.queue.puts
    assert timedelta(seconds=60) <= delay <= timedelta(seconds=63)
    bench.clock.advance(timedelta(seconds=30))
    await bench.take(message)
    assert await bench.storage.log.get("order-1~2") is None
    assert internal.read(bench.queue.puts[-1][0]) == internal.FollowUp("order-1", tries=1)
    bench.clock.advance(timedelta(seconds=30))
    await bench.take(message)
    assert (await bench.delivery("order-1~2")).status == "queued"


async def test_the_third_way_follows_the_second_and_belongs_to_the_first(bench: Bench) -> None:
    third = {"channel": "sms", "body": "Call us, please.", "from": "+15005550006"}
    bench.provider.outcomes = [FAILED, FAILED]
    await bench.take(a_message(metadata={"case": "7"}, fallback={**CALL_THEN, "fallback": third}))
    await follow_up(bench)
    await follow_up(bench, "order-1~2")
    delivery = await bench.delivery("order-1~3")
    assert (delivery.origin, delivery.channel, delivery.metadata) == ("order-1", "sms", {"case": "7"})


async def test_faults_of_a_second_way_are_told_before_anything_is_sent(bench: Bench) -> None:
    await bench.take(a_message(fallback={"channel": "call", "body": "?", "fallback": {"channel": "sms", "to": "+491"}}))
    delivery = await bench.delivery("message-1")
    assert delivery.status == "rejected"
    told = " ".join(delivery.reasons)
    assert "fallback.body" in told
    assert "fallback.fallback.to" in told


async def test_what_is_told_before_it_is_on_record_is_looked_for_again(bench: Bench) -> None:
    await bench.take(a_message(fallback=CALL_THEN))
    await follow_up(bench)
    assert follow_ups(bench) == [internal.FollowUp("order-1", tries=1)]


async def test_a_second_way_that_can_not_be_gone_any_more_is_on_record_with_its_origin(bench: Bench) -> None:
    bench.settings = make_settings(ALLOWED_COUNTRIES="US")
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=CALL_THEN))
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    await bench.take(internal.write(internal.FollowUp("order-1")), message_id="message-2")
    rejected = await bench.delivery("message-2")
    assert (rejected.status, rejected.origin, rejected.named) == ("rejected", "order-1", "order-1~2")
    assert "ALLOWED_COUNTRIES" in " ".join(rejected.reasons)


async def test_who_turns_out_to_have_opted_out_is_not_called_by_default(bench: Bench) -> None:
    await bench.take(a_message(fallback=CALL_THEN))
    delivery = await bench.delivery()
    await bench.storage.log.record(delivery, an_event("failed", sid=delivery.sid, error_code=21610))
    await follow_up(bench)
    assert await bench.storage.log.get("order-1~2") is None


async def test_an_urgent_request_has_an_urgent_second_way(bench: Bench) -> None:
    bench.settings = make_settings(QUIET_HOURS="00:00-23:59")
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(urgent=True, fallback=CALL_THEN))
    await follow_up(bench)
    assert (await bench.delivery("order-1~2")).status == "queued"


@pytest.mark.parametrize("word", ["undelivered", "failed"])
async def test_a_fallback_whose_name_has_an_escape_is_sent(bench: Bench, word: str) -> None:
    await bench.take(a_message(fallback=CALL_THEN).replace(b'"fallback"', b'"f\\u0061llback"'))
    delivery = await bench.delivery()
    await bench.storage.log.record(delivery, an_event(word, sid=delivery.sid))
    [message] = follow_ups(bench)
    await bench.take(internal.write(message))
    assert (await bench.delivery("order-1~2")).status == "queued"


def a_large_message(size: int, *, steps: int = 2) -> bytes:
    """A request of so many bytes, almost all of them in its last fallback."""

    def of(length: int) -> bytes:
        last = {"channel": "sms", "content_sid": "HX" + "0" * 32, "content_variables": {"1": "✓" * (length // 3)}}
        for _ in range(steps - 2):
            last = {**CALL_THEN, "fallback": last}
        text = json.loads(a_message(fallback=last, metadata={"order": "7"}, id="x" * 100))
        return json.dumps({**text, "body": "y"}, ensure_ascii=False).encode()

    message = of(size - len(of(0)))
    return message.replace(b'"y"', b'"' + b"y" * (1 + size - len(message)) + b'"')


@pytest.mark.parametrize("steps", [2, 3, 5])
def test_a_request_is_taken_only_if_a_queue_carries_every_fallback_of_it(steps: int) -> None:
    taken = 0
    for size in range(LARGEST - 600, LARGEST + 2):
        message = a_large_message(size, steps=steps)
        assert len(message) == size
        faults = faults_of(message, Rules(make_settings()))
        assert {fault.field.rpartition(".")[2] for fault in faults} <= {"fallback", "request"}
        if faults:
            continue
        taken += 1
        request = decode(message, Rules(make_settings())).request
        first = Delivery(
            id=request.id, channel="sms", direction="outbound", status="failed", created_at=NOW, updated_at=NOW
        )
        for _ in range(steps - 1):
            assert request.fallback is not None
            derived = derive(first, request, request.fallback)
            message = internal.write(derived)
            assert len(message) <= LARGEST
            request = decode(message, Rules(make_settings())).request
            first = msgspec.structs.replace(first, id=derived.id, origin=derived.origin)
    assert 0 < taken < 600


async def test_the_largest_fallback_that_is_taken_is_tried_again_like_any_other(bench: Bench) -> None:
    size = next(size for size in range(LARGEST, 0, -1) if not faults_of(a_large_message(size), Rules(make_settings())))
    bench.provider.outcomes = [FAILED, TwilioUnavailable("too many requests")]
    await bench.take(a_large_message(size))
    await follow_up(bench, "x" * 100)
    assert (await bench.delivery("x" * 100 + "~2")).status == "retrying"


async def test_a_fallback_of_an_earlier_version_that_no_queue_carries_does_not_stay_open(bench: Bench) -> None:
    text = {"channel": "sms", "to": "+14155550100", "content_sid": "HX" + "0" * 32}
    request = {**text, "content_variables": {"1": "✓" * 17_000}}
    message = internal.write(internal.Derived(id="order-1~2", origin="order-1", request=request))
    assert len(message) > LARGEST
    now = bench.clock()
    submitting = Delivery(
        id="order-1~2",
        channel="sms",
        direction="outbound",
        status="submitting",
        created_at=now,
        updated_at=now,
        to="+14155550100",
        from_="+14155550199",
        origin="order-1",
        attempts=1,
        attempt="token-1",
        claimed_at=now,
        deadline=now + timedelta(seconds=20),
        expires_at=now + timedelta(hours=24),
        request=message,
        request_hash="hash-1",
    )
    await bench.storage.log.claim(submitting)
    bench.clock.advance(timedelta(minutes=20))
    await bench.take(internal.to_take_again("order-1~2", message))
    assert (await bench.delivery("order-1~2")).status == "uncertain"
    for _ in ("the first look", "the second look"):
        bench.clock.advance(timedelta(minutes=20))
        await bench.take(bench.queue.puts[-1][0])
    delivery = await bench.delivery("order-1~2")
    assert (delivery.status, bench.provider.created) == ("rejected", [])
    assert f"at most {LARGEST} bytes" in (delivery.error_message or "")
