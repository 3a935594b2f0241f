"""Erasing a delivery erases what was derived from it, and nothing that only looks like it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from shared.deliveries import status
from shared.deliveries.derived import Derivations
from shared.deliveries.erasure import NotErasable
from shared.deliveries.record import Delivery
from shared.errors import Changed, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound import internal
from shared.outbound.erase import erase_with_derived
from tests.deliveries.samples import an_event
from tests.fakes import a_sid
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

THEN_TEXT: dict[str, Any] = {"channel": "sms", "body": "It failed, Zoë."}
THEN_CALL: dict[str, Any] = {"channel": "call", "say": "Your parcel has arrived, Zoë.", "fallback": THEN_TEXT}
FAILED = TwilioRefused(status=400, code=30005, explanation="Unknown destination handset")
HOUR = timedelta(hours=1)
NUMBERS_AND_WORDS = ("5550100", "5550177", "Zoë", "parcel")


def derivations(bench: Bench) -> Derivations:
    return Derivations(bench.storage.deliveries, bench.storage.lookups, log=bench.storage.log)


async def erase(bench: Bench, delivery_id: str = "order-1") -> None:
    await erase_with_derived(
        await bench.delivery(delivery_id),
        derivations=derivations(bench),
        log=bench.storage.log,
        provider=bench.provider,
        now=bench.clock.now,
    )


async def derived(bench: Bench, delivery_id: str = "order-1") -> list[str]:
    return [one.id for one in await derivations(bench).of(await bench.delivery(delivery_id))]


async def erased(bench: Bench, *ids: str) -> list[bool]:
    return [(await bench.delivery(one)).erased for one in ids]


async def everything(bench: Bench) -> str:
    return repr([await bench.storage.rows(bench.storage.deliveries), await bench.storage.rows(bench.storage.lookups)])


async def follow_up(bench: Bench, delivery_id: str) -> None:
    await bench.take(internal.write(internal.FollowUp(delivery_id)))


async def three_ways(bench: Bench) -> None:
    """A text that failed, the call after it that was not answered, and the text after that."""
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=THEN_CALL))
    await follow_up(bench, "order-1")
    call = await bench.delivery("order-1~2")
    await bench.storage.log.record(call, an_event("no-answer", sid=call.sid))
    await follow_up(bench, "order-1~2")


async def sent(bench: Bench, delivery_id: str, origin: str, word: str = "delivered", **more: object) -> Delivery:
    """Have the app send a text that it derived, and Twilio say what became of it."""
    request = {"channel": "sms", "to": "+14155550177", "body": "Zoë's parcel"}
    await bench.take(internal.write(internal.Derived(id=delivery_id, origin=origin, request={**request, **more})))
    delivery = await bench.delivery(delivery_id)
    return await bench.storage.log.record(delivery, an_event(word, sid=delivery.sid))


async def a_call(bench: Bench, delivery_id: str = "order-1") -> Delivery:
    await bench.take(a_message(id=delivery_id, channel="call", body=None, say="Hello, Zoë."))
    call = await bench.delivery(delivery_id)
    return await bench.storage.log.record(call, an_event("completed", sid=call.sid))


async def test_every_fallback_of_a_delivery_is_erased_with_it(bench: Bench) -> None:
    await three_ways(bench)
    last = await bench.delivery("order-1~3")
    await bench.storage.log.record(last, an_event("delivered", sid=last.sid))
    assert await derived(bench) == ["order-1~2", "order-1~3"]
    call = await bench.delivery("order-1~2")
    await erase(bench)
    assert await erased(bench, "order-1", "order-1~2", "order-1~3") == [True] * 3
    assert bench.provider.erased == [("recordings", call.sid), ("message", last.sid)]
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []


async def test_a_fallback_is_erased_with_those_after_it_and_without_those_before(bench: Bench) -> None:
    await three_ways(bench)
    last = await bench.delivery("order-1~3")
    await bench.storage.log.record(last, an_event("delivered", sid=last.sid))
    await erase(bench, "order-1~2")
    assert await erased(bench, "order-1", "order-1~2", "order-1~3") == [False, True, True]


async def test_a_fallback_that_waits_is_canceled_and_never_sent(bench: Bench) -> None:
    bench.provider.outcomes = [FAILED, TwilioUnavailable("busy")]
    await bench.take(a_message(fallback=THEN_TEXT))
    await follow_up(bench, "order-1")
    assert (await bench.delivery("order-1~2")).status == status.RETRYING
    await erase(bench)
    left = await bench.delivery("order-1~2")
    assert (left.status, left.erased) == (status.CANCELED, True)
    bench.clock.advance(HOUR)
    for message, _ in list(bench.queue.puts):
        await bench.take(message)
    assert len(bench.provider.created) == 2


async def test_where_one_of_them_is_not_over_it_is_named_and_nothing_is_canceled_or_erased(bench: Bench) -> None:
    await three_ways(bench)
    before = await everything(bench)
    with pytest.raises(NotErasable, match="order-1~3 is queued"):
        await erase(bench)
    assert await everything(bench) == before
    assert bench.provider.erased == []


async def test_what_waits_is_not_canceled_where_another_is_not_over(bench: Bench) -> None:
    await a_call(bench)
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(
        internal.write(
            internal.Derived(
                id="order-1~3.0-tell-text",
                origin="order-1",
                request={"channel": "sms", "to": "+14155550177", "body": "Hello"},
            )
        )
    )
    await sent(bench, "order-1~4.0-tell-text", "order-1", "sent")
    with pytest.raises(NotErasable, match=r"order-1~4\.0-tell-text is sent"):
        await erase(bench)
    assert (await bench.delivery("order-1~3.0-tell-text")).status == status.RETRYING


async def test_the_texts_of_a_call_and_their_fallbacks_are_erased_with_it(bench: Bench) -> None:
    await a_call(bench)
    ids = ["order-1~3.0-tell-text", "order-1~cdef0123.12.1-tell-text", "order-1~3.0-tell-text~2"]
    for delivery_id in ids:
        await sent(bench, delivery_id, delivery_id.rpartition("~")[0])
    assert sorted(await derived(bench)) == sorted(ids)
    await erase(bench)
    assert await erased(bench, "order-1", *ids) == [True] * 4
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []


async def test_the_texts_that_a_call_sent_under_its_sid_are_erased_with_it(bench: Bench) -> None:
    call = await a_call(bench)
    await sent(bench, f"{call.sid}~3.0-tell-text", str(call.sid))
    await erase(bench)
    assert await erased(bench, f"{call.sid}~3.0-tell-text") == [True]


async def test_what_only_looks_like_it_stays(bench: Bench) -> None:
    """The deliveries of a schedule that has the call's id, those of a broadcast, and of calls with longer ids."""
    await a_call(bench)
    due = bench.clock.now
    ids = [
        internal.occurrence_id("order-1", due),
        internal.occurrence_id("order-1", due + timedelta(seconds=5)),
        f"{internal.occurrence_id('order-1', due)}~2",
        "order-1~r0123456789abcdef",
        "order-10~3.0-tell-text",
        "order-1-0~2",
    ]
    for delivery_id in ids:
        await sent(bench, delivery_id, delivery_id.rpartition("~")[0])
    assert await derived(bench) == []
    await erase(bench)
    assert await erased(bench, *ids) == [False] * len(ids)


@pytest.mark.parametrize(
    ("brought", "told"),
    [("+14155550177", "+14155550177"), ("whatsapp:+5215512345678", "whatsapp:+525512345678")],
)
async def test_the_reply_to_a_text_is_erased_with_it_and_what_else_its_sender_got_is_not(
    bench: Bench, brought: str, told: str
) -> None:
    log, now = bench.storage.log, bench.clock.now
    text, reply, other = a_sid(), a_sid(), a_sid()

    def message(sid: str, minutes: int, **more: Any) -> Delivery:  # noqa: ANN401 - as of a delivery
        at = now + timedelta(minutes=minutes)
        return Delivery(
            id=sid, sid=sid, channel="sms", created_at=at, updated_at=at, from_="+14155550199", text="parcel", **more
        )

    came = message(text, 0, direction="inbound", status="received")
    came = msgspec.structs.replace(came, from_=brought, to="+14155550199")
    for delivery in (
        came,
        message(reply, 1, direction="outbound", status="delivered", to=told, answers=text),
        message(other, 2, direction="outbound", status="delivered", to=told, answers=a_sid()),
    ):
        await log.file(delivery, an_event(delivery.status, sid=delivery.sid))
    assert await derived(bench, text) == [reply]
    await erase(bench, text)
    assert await erased(bench, text, reply, other) == [True, True, False]


async def test_what_a_failure_left_is_erased_when_it_is_asked_for_again(bench: Bench) -> None:
    await three_ways(bench)
    last = await bench.delivery("order-1~3")
    await bench.storage.log.record(last, an_event("delivered", sid=last.sid))
    bench.provider.failures = [TwilioUnclear("no answer")]
    with pytest.raises(TwilioUnclear):
        await erase(bench)
    assert not (await bench.delivery()).erased, "by the first the others are found"
    for _ in range(2):
        await erase(bench)
        assert await erased(bench, "order-1", "order-1~2", "order-1~3") == [True] * 3


async def test_tombstones_lead_to_what_comes_after_them(bench: Bench) -> None:
    await three_ways(bench)
    for delivery_id in ("order-1", "order-1~2"):
        await bench.storage.log.erase(await bench.delivery(delivery_id), now=bench.clock.now)
    assert await derived(bench) == ["order-1~2", "order-1~3"]


async def test_a_fallback_that_begins_in_the_same_moment_is_told_and_not_left_behind(bench: Bench) -> None:
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=THEN_TEXT))
    first = await bench.delivery()
    log_erase = bench.storage.log.erase

    async def erase_too_late(delivery: Delivery, **more: Any) -> Delivery:  # noqa: ANN401 - as it is called
        await follow_up(bench, "order-1")
        return await log_erase(delivery, **more)

    bench.storage.log.erase = erase_too_late  # type: ignore[method-assign]
    with pytest.raises(Changed):
        await erase(bench)
    bench.storage.log.erase = log_erase  # type: ignore[method-assign]
    with pytest.raises(NotErasable, match="order-1~2 is queued"):
        await erase(bench)
    assert first.request is not None


async def test_a_fallback_of_what_is_being_erased_does_not_begin(bench: Bench) -> None:
    bench.provider.outcomes = [FAILED]
    await bench.take(a_message(fallback=THEN_TEXT))
    get, log = bench.storage.log.get, bench.storage.log

    async def get_then_erase(delivery_id: str) -> Delivery | None:
        log.get = get  # type: ignore[method-assign]
        found = await get(delivery_id)
        assert found is not None
        await log.erase(found, now=bench.clock.now)
        return found

    log.get = get_then_erase  # type: ignore[method-assign]
    await follow_up(bench, "order-1")
    assert await get("order-1~2") is None
    assert await bench.timeline() == []
    assert len(bench.provider.created) == 1
