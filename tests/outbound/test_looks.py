"""Two looks, whatever Twilio's list does: late, in any order, with others' messages, in another account."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import TwilioUnavailable, TwilioUnclear
from shared.outbound.checks import Rules
from shared.outbound.provider import Resource
from shared.outbound.replay import replay
from tests.fakes import ACCOUNT_SID, FROM_NUMBER, DiedError, FakeProvider, a_sid, an_answer, die, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import TEXT, a_message
from tests.storage import Storage

UNCLEAR = TwilioUnclear("the request left and no answer came")
ATTEMPT, SETTLE = timedelta(seconds=20), timedelta(seconds=60)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
OTHER_ACCOUNT = "AC" + "f" * 28 + "beef"
BODY = str(TEXT["body"])


def at_twilio(bench: Bench, **changes: Any) -> Resource:  # noqa: ANN401 - any field of it
    """What an attempt made now leaves at Twilio, whose answer is lost."""
    fields = {"body": BODY, "from_": FROM_NUMBER, "direction": "outbound-api", "created_at": bench.clock.now}
    return an_answer(**{**fields, **changes})


async def lose(bench: Bench, name: str = "order-1", **fields: object) -> bytes:
    """Send a request whose answer is lost; return its message."""
    message = a_message(id=name, **fields)
    bench.provider.outcomes = [UNCLEAR]
    await bench.take(message)
    return message


async def follow(bench: Bench, message: bytes, *, at_most: int = 20) -> None:
    """Take a message, and each that follows from it when that is due, until none follows."""
    for _ in range(at_most):
        bench.queue.puts.clear()
        await bench.take(message)
        if not bench.queue.puts:
            return
        bench.clock.advance(bench.queue.puts[-1][1])
    raise AssertionError(f"{at_most} messages, and still one more")


@pytest.mark.parametrize(("late", "created"), [(0, 1), (1, 1), (2, 2)])
async def test_what_is_listed_by_the_second_look_is_never_sent_twice(bench: Bench, late: int, created: int) -> None:
    left = at_twilio(bench)
    message = await lose(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.provider.has, bench.provider.late = [left], {left.sid: late}
    await follow(bench, message)
    assert len(bench.provider.created) == created
    assert ((await bench.delivery()).sid == left.sid) is (created == 1)


async def test_the_first_look_that_finds_nothing_is_on_record_and_says_when_the_second_follows(bench: Bench) -> None:
    message = await lose(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.queue.puts.clear()
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.looked_at) == ("uncertain", bench.clock.now)
    assert delivery.next_attempt_at == bench.clock.now + SETTLE
    assert delivery.error_message == "a look at Twilio found nothing, the second one follows at 2026-03-02T12:02:20Z"
    assert bench.queue.puts == [(message, SETTLE)]
    assert len(bench.provider.created) == 1


async def test_no_duplicate_and_no_early_message_makes_the_second_look_early(bench: Bench) -> None:
    message = await lose(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    await bench.take(message)
    bench.clock.advance(SETTLE - SECOND)
    bench.queue.puts.clear()
    await asyncio.gather(*(bench.take(message) for _ in range(4)))
    assert (len(bench.provider.looks), len(bench.provider.created)) == (1, 1)
    assert bench.queue.puts == [(message, 2 * SECOND)] * 4
    bench.clock.advance(SECOND)
    await bench.take(message)
    assert (len(bench.provider.looks), len(bench.provider.created)) == (2, 2)


async def test_without_time_to_settle_there_is_a_second_between_the_looks(bench: Bench) -> None:
    bench.settings = make_settings(RECONCILE_AFTER_SECONDS="0")
    message = await lose(bench)
    bench.clock.advance(ATTEMPT)
    bench.queue.puts.clear()
    await bench.take(message)
    assert bench.queue.puts == [(message, SECOND)]
    await bench.take(message)
    assert len(bench.provider.looks) == 1


async def test_a_first_look_whose_record_fails_is_made_again_and_counts_as_none(bench: Bench) -> None:
    """The message for the second look is written first: it finds no first one on record, and makes that."""

    class Unwritable(DeliveryLog):
        async def change(self, before: Delivery, after: Delivery, *events: Event) -> Delivery:
            raise HttpResponseError(f"{before.id} {after.id} {len(events)}")

    message = await lose(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    whole = bench.storage
    bench.storage = Storage(Unwritable(whole.deliveries, whole.lookups), whole.deliveries, whole.lookups)
    bench.queue.puts.clear()
    await bench.take(message)
    assert bench.queue.puts == [(message, SETTLE)]
    bench.storage = whole
    assert (await bench.delivery()).looked_at is None
    bench.clock.advance(SETTLE)
    await follow(bench, message)
    assert (len(bench.provider.looks), len(bench.provider.created)) == (3, 2)


async def test_a_process_that_dies_in_a_look_leaves_it_to_the_next(bench: Bench) -> None:
    message = await lose(bench)
    bench.clock.advance(ATTEMPT + SETTLE)

    async def dies() -> None:
        die()

    for looked in (False, True):
        bench.provider.during_a_look = dies
        with pytest.raises(DiedError):
            await bench.take(message)
        bench.provider.during_a_look = FakeProvider().during_a_look
        assert ((await bench.delivery()).looked_at is not None) is looked
        await bench.take(message)
        bench.clock.advance(SETTLE)
    assert (len(bench.provider.looks), len(bench.provider.created)) == (4, 2)


async def test_a_look_that_takes_longer_than_a_look_may_is_no_look(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each list has its own bound, and a phone with several spellings has several lists."""
    message = await lose(bench, to="+525512345678")
    bench.clock.advance(ATTEMPT + SETTLE)
    monkeypatch.setattr("shared.outbound.find_out._LOOK_SECONDS", 0.0)
    bench.provider.during_a_look = asyncio.Event().wait  # type: ignore[assignment]
    await asyncio.wait_for(bench.take(message), 30)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.looked_at, len(bench.provider.created)) == ("uncertain", None, 1)
    assert "there are more messages at Twilio than could be read in 0 s" in (delivery.error_message or "")


async def test_an_uncertain_row_of_an_earlier_version_is_looked_for_twice_too(bench: Bench) -> None:
    message = await lose(bench)
    before = await bench.delivery()
    await bench.storage.log.change(before, msgspec.structs.replace(before, account=None))
    bench.clock.advance(ATTEMPT + SETTLE)
    await bench.take(message)
    assert len(bench.provider.created) == 1
    bench.clock.advance(SETTLE)
    await bench.take(message)
    assert len(bench.provider.created) == 2


others = st.sampled_from(
    [
        {"created_at": timedelta(hours=-1)},
        {"created_at": timedelta(seconds=-11)},
        {"created_at": timedelta(minutes=5)},
        {"direction": "inbound"},
        {"from_": "+14155550198"},
    ]
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    noise=st.lists(others, max_size=6),
    seed=st.integers(0, 1000),
    late=st.integers(0, 1),
    fails=st.lists(st.booleans(), max_size=4),
    seconds=st.integers(-9, 29),
)
async def test_whatever_the_order_and_whatever_fails_what_twilio_lists_in_time_is_sent_once(  # noqa: PLR0917 - drawn
    bench: Bench, noise: list[dict[str, Any]], seed: int, late: int, fails: list[bool], seconds: int
) -> None:
    """`late`: of the looks that succeed, how many it is not listed in. A look that fails never leads to a send."""
    bench.provider = FakeProvider(order=random.Random(seed))  # noqa: S311 - no secret
    name = a_sid("order-")
    begun = bench.clock.now
    left = at_twilio(bench, created_at=begun + seconds * SECOND)
    message = await lose(bench, name)
    bench.clock.advance(ATTEMPT + SETTLE)
    moved = [
        {key: begun + value if isinstance(value, timedelta) else value for key, value in one.items()} for one in noise
    ]
    bench.provider.has = [*(at_twilio(bench, **{"created_at": begun, **one}) for one in moved), left]
    looks_until_listed = late
    for is_failure in fails:
        bench.provider.failures = [UNCLEAR] if is_failure else []
        bench.provider.late = {left.sid: len(bench.provider.looks) + (1 if looks_until_listed else 0)}
        bench.queue.puts.clear()
        await bench.take(message)
        looks_until_listed -= not is_failure and looks_until_listed > 0
        assert len(bench.provider.created) == 1
        if not bench.queue.puts:
            break
        bench.clock.advance(bench.queue.puts[-1][1])
    bench.provider.failures = []
    bench.provider.late = {left.sid: len(bench.provider.looks) + looks_until_listed}
    await follow(bench, message)
    assert ((await bench.delivery(name)).sid, len(bench.provider.created)) == (left.sid, 1)


async def test_two_identical_texts_in_flight_each_adopt_their_own(bench: Bench) -> None:
    """Both lost their answers; the first one's message is listed late, and the second one's is alike."""
    first = await lose(bench, "order-1")
    its_own = at_twilio(bench)
    bench.clock.advance(5 * SECOND)
    second = await lose(bench, "order-2")
    seconds_own = at_twilio(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.provider.has, bench.provider.late = [its_own, seconds_own], {its_own.sid: 1}
    await bench.take(first)
    delivery = await bench.delivery("order-1")
    assert (delivery.status, delivery.sid) == ("uncertain", None)
    assert f"{seconds_own.sid} belongs to no delivery yet" in (delivery.error_message or "")
    await bench.take(second)
    bench.clock.advance(15 * SECOND)
    await bench.take(first)
    assert [(await bench.delivery(name)).sid for name in ("order-1", "order-2")] == [its_own.sid, seconds_own.sid]
    assert len(bench.provider.created) == 2


async def test_one_that_is_left_to_another_delivery_is_adopted_when_the_patience_is_over(bench: Bench) -> None:
    """The other never comes to look: nothing may hang for ever, and nothing is sent."""
    first = await lose(bench, "order-1")
    bench.clock.advance(5 * SECOND)
    await lose(bench, "order-2")
    only = at_twilio(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.provider.has = [only]
    begun = bench.clock.now
    await follow(bench, first)
    assert (await bench.delivery("order-1")).sid == only.sid
    assert bench.clock.now == begun + timedelta(minutes=10)
    assert len(bench.provider.created) == 2


async def test_another_that_asked_for_something_else_or_has_its_own_is_no_reason_to_wait(bench: Bench) -> None:
    first = await lose(bench, "order-1")
    bench.clock.advance(5 * SECOND)
    await lose(bench, "order-2", body="Something else")
    await bench.take(a_message(id="order-3"))
    only = at_twilio(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.provider.has = [only]
    await bench.take(first)
    assert (await bench.delivery("order-1")).sid == only.sid


async def test_a_look_in_another_account_proves_nothing_and_is_not_made(bench: Bench) -> None:
    left = at_twilio(bench)
    message = await lose(bench)
    assert (await bench.delivery()).account == ACCOUNT_SID
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.settings = make_settings(TWILIO_ACCOUNT_SID=OTHER_ACCOUNT)
    bench.queue.puts.clear()
    for _ in range(3):
        await bench.take(message)
        bench.clock.advance(HOUR)
    delivery = await bench.delivery()
    assert (bench.provider.looks, bench.queue.puts, len(bench.provider.created)) == ([], [], 1)
    assert delivery.is_left_for_a_person
    assert (delivery.error_message or "").startswith("left for a person: its attempt was made in the Twilio account")
    assert "cdef" in (delivery.error_message or "")
    assert "beef" in (delivery.error_message or "")
    assert ACCOUNT_SID not in (delivery.error_message or "")
    assert [event.status for event in await bench.timeline()] == ["uncertain", "uncertain"], "told once"
    bench.settings = make_settings()
    bench.provider.has = [left]
    await bench.take(message)
    assert (await bench.delivery()).sid == left.sid, "it goes on where the setting was changed back"


async def test_a_person_who_looked_in_the_other_account_may_replay_it_in_this_one(bench: Bench) -> None:
    message = await lose(bench)
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.settings = make_settings(TWILIO_ACCOUNT_SID=OTHER_ACCOUNT)
    await bench.take(message)
    await replay(
        await bench.delivery(),
        rules=Rules(bench.settings),
        log=bench.storage.log,
        queue=bench.queue,
        now=bench.clock.now,
        looked=True,
    )
    replayed = await bench.delivery()
    assert (replayed.status, replayed.left_at) == ("retrying", None)
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.account, delivery.left_at) == ("queued", OTHER_ACCOUNT, None)
    assert (len(bench.provider.created), bench.provider.looks) == (2, [])


async def test_what_another_account_did_not_process_is_sent_in_this_one(bench: Bench) -> None:
    message = a_message()
    bench.provider.outcomes = [TwilioUnavailable("busy", code=20429)]
    await bench.take(message)
    bench.settings = make_settings(TWILIO_ACCOUNT_SID=OTHER_ACCOUNT)
    bench.clock.advance(bench.queue.puts[-1][1])
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.account, len(bench.provider.created)) == ("queued", OTHER_ACCOUNT, 2)
