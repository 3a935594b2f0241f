"""Looking for what an attempt left behind: adopted, left for a person, or sent again, and never twice."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError

from shared.deliveries import rows
from shared.deliveries.feed import Feed
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.checks import Rules
from shared.outbound.provider import Resource
from shared.outbound.replay import replay
from tests.deliveries.samples import an_event
from tests.fakes import FROM_NUMBER, SERVICE_SID, a_sid, an_answer, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, TEXT, a_message

UNCLEAR = TwilioUnclear("the request left and no answer came")
ATTEMPT, SETTLE = timedelta(seconds=20), timedelta(seconds=60)
BODY = str(TEXT["body"])


def at_twilio(bench: Bench, *, sid: str | None = None, **changes: Any) -> Resource:  # noqa: ANN401 - any field of it
    """What an attempt made now leaves at Twilio, whose answer is lost."""
    fields = {"body": BODY, "from_": FROM_NUMBER, "direction": "outbound-api", "created_at": bench.clock.now}
    return an_answer(sid, **{**fields, **changes})


class RememberingFeed(Feed):
    """A feed that keeps which candidates it told of."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    async def tell(self, delivery: Delivery, event: Event) -> None:
        self.told.append(event.raw.get("candidate"))


async def lose_the_answer(bench: Bench, message: bytes | None = None) -> None:
    """Send a request whose answer is lost, and come to when the look can be made."""
    bench.provider.outcomes = [UNCLEAR]
    await bench.take(message or a_message())
    bench.clock.advance(ATTEMPT + SETTLE)


async def find_nothing(bench: Bench, message: bytes | None = None) -> None:
    """Make the first look, which finds nothing, and come to when the second one can be made."""
    await bench.take(message or a_message())
    bench.clock.advance(bench.queue.puts[-1][1])
    bench.queue.puts.clear()


async def lose_patience(bench: Bench, message: bytes | None = None) -> list[float]:
    """Take a message, and each that follows from it, until none follows; return the pauses in seconds."""
    pauses: list[float] = []
    while True:
        bench.queue.puts.clear()
        await bench.take(message or a_message())
        if not bench.queue.puts:
            return pauses
        [(_, pause)] = bench.queue.puts
        pauses.append(pause.total_seconds())
        bench.clock.advance(pause)


async def test_what_twilio_has_is_adopted_and_not_sent_again(bench: Bench) -> None:
    left = at_twilio(bench)
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid, delivery.error_code, delivery.error_message) == (
        "queued",
        left.sid,
        None,
        None,
    )
    assert await bench.storage.log.owner_of(left.sid) == "order-1"
    assert len(bench.provider.created) == 1
    assert await bench.statuses() == ["uncertain", "queued"]
    await bench.take(a_message())
    assert len(bench.provider.created) == 1


async def test_the_look_is_for_the_recipient_alone_and_back_to_the_claim(bench: Bench) -> None:
    begun = bench.clock.now
    await lose_the_answer(bench)
    await bench.take(a_message())
    assert bench.provider.looks == [("messages", "+14155550100", begun - timedelta(seconds=10))]


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({"to": "whatsapp:+5215512345678"}, ["whatsapp:+525512345678", "whatsapp:+5215512345678"]),
        ({"to": "+553188887777"}, ["+5531988887777", "+553188887777"]),
        ({"to": "+14155550100", "from": SERVICE_SID}, ["+14155550100", "rcs:+14155550100"]),
        ({"to": "whatsapp:US.1234"}, ["whatsapp:US.1234"]),
    ],
)
async def test_a_look_asks_for_every_address_under_which_twilio_may_list_it(
    bench: Bench, asked: dict[str, str], listed: list[str]
) -> None:
    await lose_the_answer(bench, a_message(**asked))
    await bench.take(a_message(**asked))
    assert [to for _, to, _ in bench.provider.looks] == listed


async def test_what_is_listed_under_another_spelling_is_adopted_once(bench: Bench) -> None:
    message = a_message(to="+5215512345678")
    left = at_twilio(bench)
    await lose_the_answer(bench, message)
    bench.provider.has, bench.provider.late = [left], {left.sid: 1}
    await bench.take(message)
    assert (await bench.delivery()).sid == left.sid, "the second spelling has it"
    assert len(bench.provider.created) == 1


async def test_calls_are_looked_for_among_calls(bench: Bench) -> None:
    left = at_twilio(bench, sid=a_sid("CA"), body=None)
    await lose_the_answer(bench, a_message(CALL))
    bench.provider.has = [left]
    await bench.take(a_message(CALL))
    assert [kind for kind, _, _ in bench.provider.looks] == ["calls"]
    assert (await bench.delivery("order-2")).sid == left.sid
    assert len(bench.provider.created) == 1


async def test_the_look_goes_by_the_sender_on_record_where_the_default_one_changed(bench: Bench) -> None:
    left = at_twilio(bench)
    await lose_the_answer(bench)
    bench.provider.has = [left]
    bench.settings = make_settings(TWILIO_FROM_NUMBER="+15005550099")
    await bench.take(a_message())
    assert (await bench.delivery()).sid == left.sid
    assert len(bench.provider.created) == 1


async def test_it_is_sent_again_to_the_number_on_record_where_the_default_region_changed(bench: Bench) -> None:
    """A national number means another person elsewhere."""
    bench.settings = make_settings(DEFAULT_REGION="US")
    message = a_message(to="2025550100")
    await lose_the_answer(bench, message)
    bench.settings = make_settings(DEFAULT_REGION="GB")
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await find_nothing(bench, message)
    await bench.look_twice(message)
    assert [to for _, to, _ in bench.provider.looks] == ["+12025550100"] * 2
    assert [created.parameters["to"] for created in bench.provider.created] == ["+12025550100"] * 3


async def test_an_event_that_a_crash_left_out_of_the_state_counts_before_anything_is_sent(bench: Bench) -> None:
    await lose_the_answer(bench)
    sid = a_sid()
    await bench.storage.log.own_sid(sid, "order-1")
    await bench.storage.deliveries.insert(rows.event_row("order-1", an_event("sent", sid=sid)))
    await bench.take(a_message())
    assert ((await bench.delivery()).status, (await bench.delivery()).sid) == ("sent", sid)
    assert len(bench.provider.created) == 1


async def test_a_word_that_is_not_known_says_that_twilio_has_it_all_the_same(bench: Bench) -> None:
    await lose_the_answer(bench)
    sid = a_sid()
    await bench.storage.deliveries.insert(rows.event_row("order-1", an_event("scheduled", sid=sid)))
    await bench.take(a_message())
    assert (await bench.delivery()).sid == sid
    assert (bench.provider.looks, len(bench.provider.created)) == ([], 1)


async def test_nobody_looks_while_the_account_is_turned_away(bench: Bench) -> None:
    await lose_the_answer(bench)
    bench.queue.puts.clear()
    await bench.gate.shut(20003, bench.clock.now)
    await bench.take(a_message())
    assert bench.provider.looks == []
    assert bench.queue.puts == [(a_message(), SETTLE)]
    bench.clock.advance(SETTLE)
    await bench.look_twice(a_message())
    assert (len(bench.provider.looks), len(bench.provider.created)) == (2, 2)
    assert bench.gate.wait(bench.clock.now) is None, "the create opened it"


@pytest.mark.parametrize(("status", "code"), [(401, 20003), (401, 70051), (403, 20003), (403, 30002), (400, 20404)])
async def test_a_look_that_is_refused_leaves_the_breaker_as_it_is(bench: Bench, status: int, code: int) -> None:
    """A key may be allowed to create and not to list: only a create tells whether the account can send."""
    await lose_the_answer(bench)
    bench.provider.failures = [TwilioRefused(status=status, code=code, explanation="")] * 2
    await bench.take(a_message())
    assert bench.gate.wait(bench.clock.now) is None
    await bench.gate.shut(20003, bench.clock.now)
    bench.clock.advance(SETTLE)
    await bench.take(a_message())
    assert bench.provider.failures == [], "it was tried, as the pause was over"
    assert bench.gate.code == 20003
    assert bench.gate.wait(bench.clock.now) is None, "and the look took no create's turn"


async def test_a_look_that_finds_something_does_not_open_the_breaker(bench: Bench) -> None:
    left = at_twilio(bench)
    await lose_the_answer(bench)
    await bench.gate.shut(20003, bench.clock.now)
    bench.clock.advance(SETTLE)
    bench.provider.has = [left]
    await bench.take(a_message())
    assert ((await bench.delivery()).sid, bench.gate.code) == (left.sid, 20003)


@pytest.mark.parametrize(
    "error",
    [TwilioUnavailable("busy", code=20429, retry_after=3600.0), TwilioUnclear("a proxy's page", retry_after=3600.0)],
    ids=["twilio", "a proxy"],
)
async def test_a_look_is_not_made_again_before_the_answer_wants_it(bench: Bench, error: SwitchboardError) -> None:
    await lose_the_answer(bench)
    bench.queue.puts.clear()
    bench.provider.failures = [error]
    await bench.take(a_message())
    assert bench.queue.puts == [(a_message(), timedelta(hours=1))]


async def test_where_two_looks_find_nothing_it_is_claimed_again_and_sent(bench: Bench) -> None:
    await lose_the_answer(bench)
    first = await bench.delivery()
    await bench.look_twice(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.attempts, len(bench.provider.created)) == ("queued", 2, 2)
    assert delivery.attempt != first.attempt
    assert delivery.claimed_at == bench.clock.now
    assert (delivery.looked_at, await bench.statuses()) == (None, ["uncertain", "uncertain", "queued"])


@pytest.mark.parametrize(
    "change",
    [{"from_": "+14155550198"}, {"direction": "inbound"}, {"created_at": None}],
    ids=["another sender", "an answer of theirs", "made long before"],
)
async def test_what_does_not_fit_is_none_of_its_own(bench: Bench, change: dict[str, Any]) -> None:
    if "created_at" in change:
        change = {"created_at": bench.clock.now - timedelta(minutes=1)}
    left = at_twilio(bench, **change)
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await bench.look_twice(a_message())
    assert len(bench.provider.created) == 2
    assert await bench.storage.log.owner_of(left.sid) is None


async def test_what_belongs_to_another_delivery_is_passed_over(bench: Bench) -> None:
    theirs = at_twilio(bench)
    await lose_the_answer(bench)
    await bench.storage.log.own_sid(theirs.sid, "order-9")
    bench.provider.has = [theirs]
    await bench.look_twice(a_message())
    assert len(bench.provider.created) == 2
    assert (await bench.delivery()).sid not in {None, theirs.sid}
    assert await bench.storage.log.owner_of(theirs.sid) == "order-9"


async def test_two_identical_texts_never_share_one_message(bench: Bench) -> None:
    """Of two that lost their answers, one had reached Twilio: it is adopted once, and the other is sent."""
    left = at_twilio(bench)
    for name in ("order-1", "order-2"):
        bench.provider.outcomes = [UNCLEAR]
        await bench.take(a_message(id=name))
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.provider.has = [left]
    # a look that comes between the other's owner row and its state decides nothing, and is made again
    for _ in range(3):
        await asyncio.gather(*(bench.take(a_message(id=name)) for name in ("order-1", "order-2")))
        bench.clock.advance(SETTLE)
    sids = {(await bench.delivery(name)).sid for name in ("order-1", "order-2")}
    assert len(sids) == 2
    assert left.sid in sids
    assert None not in sids
    assert len(bench.provider.created) == 3


async def test_one_that_differs_in_its_text_is_left_for_a_person_and_never_sent_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    feed = RememberingFeed()
    log = DeliveryLog(bench.storage.deliveries, bench.storage.lookups, feed=feed)
    bench.storage = replace(bench.storage, log=log)
    left = at_twilio(bench, body="Your parcel has arrived")
    await lose_the_answer(bench)
    bench.provider.has = [left]
    caplog.clear()
    assert await lose_patience(bench) == [15, 30, 60, 120, 240, 135], "ten minutes in all"
    assert [record.levelno for record in caplog.records if record.name.startswith("shared")] == [logging.ERROR]
    for _ in range(3):
        bench.clock.advance(timedelta(days=1))
        await bench.take(a_message())
    assert (await bench.delivery()).status == "uncertain"
    assert len(bench.provider.created) == 1
    assert await bench.storage.log.owner_of(left.sid) is None
    told = [event for event in await bench.timeline() if "candidate" in event.raw]
    assert [event.raw["candidate"] for event in told] == [left.sid], "told once, however often it is seen"
    assert (await bench.delivery()).candidates == (left.sid,)
    assert sum("left for a person" in record.getMessage() for record in caplog.records) == 1
    assert feed.told.count(left.sid) == 1


async def test_one_that_ends_like_the_text_that_was_asked_for_is_another(bench: Bench) -> None:
    """Of two whose answers were lost, only the longer one had reached Twilio."""
    left = at_twilio(bench, body="oh yes")
    texts = {"order-1": "yes", "order-2": "oh yes"}
    for name, body in texts.items():
        bench.provider.outcomes = [UNCLEAR]
        await bench.take(a_message(id=name, body=body))
    bench.clock.advance(ATTEMPT + SETTLE)
    bench.provider.has = [left]
    shorter = a_message(id="order-1", body="yes")
    await bench.take(shorter)
    delivery = await bench.delivery("order-1")
    assert not delivery.is_left_for_a_person, "the other may still say that it is its own"
    assert (
        delivery.error_message
        == f"looked at again at 2026-03-02T12:01:35Z, because {left.sid} belongs to no delivery yet"
    )
    assert delivery.next_attempt_at == bench.clock.now + timedelta(seconds=15)
    await bench.take(a_message(id="order-2", body="oh yes"))
    assert (await bench.delivery("order-2")).sid == left.sid
    bench.clock.advance(timedelta(seconds=15))
    await bench.look_twice(shorter)
    assert [created.parameters["body"] for created in bench.provider.created] == ["yes", "oh yes", "yes"]


async def test_a_crash_does_not_begin_the_patience_anew_nor_end_it(bench: Bench) -> None:
    """Duplicates and early messages look no sooner, and what is on record says for how long it was looked."""
    left = at_twilio(bench, body="Something else")
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await bench.take(a_message())
    for _ in range(3):
        bench.clock.advance(timedelta(seconds=4))
        await bench.take(a_message())
    assert len(bench.provider.looks) == 1
    bench.clock.advance(timedelta(minutes=9))
    await bench.take(a_message())
    assert not (await bench.delivery()).is_left_for_a_person
    bench.clock.advance(timedelta(minutes=1))
    await bench.take(a_message())
    assert (await bench.delivery()).is_left_for_a_person
    assert len(bench.provider.looks) == 3


async def test_what_was_left_for_a_person_is_no_more_once_it_is_claimed_again(bench: Bench) -> None:
    """The one that differs turned out to be another delivery's."""
    left = at_twilio(bench, body="Something else")
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await lose_patience(bench)
    assert (await bench.delivery()).is_left_for_a_person
    await bench.storage.log.own_sid(left.sid, "order-9")
    bench.provider.outcomes = [UNCLEAR]
    await bench.look_twice(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.candidates, delivery.is_left_for_a_person) == ("uncertain", (), False)
    assert (delivery.attempts, delivery.left_at) == (2, None)


async def test_what_was_left_for_a_person_is_not_sent_because_twilio_lists_it_no_more(bench: Bench) -> None:
    """Only another delivery that owns the candidate shows that it was not this one's."""
    left = at_twilio(bench, body="Something else")
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await lose_patience(bench)
    before = await bench.delivery()
    bench.provider.has = []
    for _ in range(3):
        bench.clock.advance(timedelta(hours=1))
        await bench.take(a_message())
    assert await bench.delivery() == before
    assert len(bench.provider.created) == 1


async def test_a_candidate_that_a_later_look_does_not_list_is_not_forgotten(bench: Bench) -> None:
    left = at_twilio(bench, body="Something else")
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await bench.take(a_message())
    bench.clock.advance(timedelta(seconds=15))
    bench.provider.has = []
    await lose_patience(bench)
    delivery = await bench.delivery()
    assert (delivery.is_left_for_a_person, delivery.candidates) == (True, (left.sid,))
    assert len(bench.provider.created) == 1


async def test_what_an_earlier_version_left_for_a_person_stays_so(bench: Bench) -> None:
    """Its rows have candidates, and do not say since when."""
    left = at_twilio(bench, body="Something else")
    await lose_the_answer(bench)
    before = await bench.delivery()
    old = await bench.storage.log.change(
        before, msgspec.structs.replace(before, candidates=(left.sid,), account=None, next_attempt_at=None)
    )
    assert old.is_left_for_a_person
    bench.provider.has = [left]
    bench.queue.puts.clear()
    await bench.take(a_message())
    assert (await bench.delivery(), bench.queue.puts) == (old, [])


async def test_a_text_whose_trailing_line_break_twilio_trimmed_is_adopted(bench: Bench) -> None:
    message = a_message(body="two\n")
    left = at_twilio(bench, body="two")
    await lose_the_answer(bench, message)
    bench.provider.has = [left]
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid) == ("queued", left.sid)
    assert len(bench.provider.created) == 1


async def test_one_that_is_alike_goes_before_one_that_differs(bench: Bench) -> None:
    other, alike = at_twilio(bench, body="Something else"), at_twilio(bench)
    await lose_the_answer(bench)
    bench.provider.has = [other, alike]
    await bench.take(a_message())
    assert (await bench.delivery()).sid == alike.sid
    assert await bench.storage.log.owner_of(other.sid) is None


async def test_one_that_differs_and_is_its_own_already_is_adopted(bench: Bench) -> None:
    """It owned the SID and died before that was on record: the text has nothing more to say."""
    left = at_twilio(bench, body="Ihr Paket ist da")
    await lose_the_answer(bench)
    await bench.storage.log.own_sid(left.sid, "order-1")
    bench.provider.has = [left]
    await bench.take(a_message())
    assert (await bench.delivery()).sid == left.sid
    assert len(bench.provider.created) == 1


async def test_its_own_goes_before_what_is_alike_and_belongs_to_nobody(bench: Bench) -> None:
    """To adopt another's would leave none to that one, and it would be sent again."""
    others, own = at_twilio(bench), at_twilio(bench)
    await lose_the_answer(bench)
    await bench.storage.log.own_sid(own.sid, "order-1")
    bench.provider.has = [others, own]
    await bench.take(a_message())
    assert (await bench.delivery()).sid == own.sid
    assert await bench.storage.log.owner_of(others.sid) is None


async def test_what_an_earlier_attempt_left_is_not_what_a_replayed_one_left(bench: Bench) -> None:
    earlier = at_twilio(bench, status="undelivered")
    bench.provider.outcomes = [earlier]
    await bench.take(a_message())
    await replay(
        await bench.delivery(),
        rules=Rules(bench.settings),
        log=bench.storage.log,
        queue=bench.queue,
        now=bench.clock.now,
    )
    await lose_the_answer(bench)
    bench.provider.has = [earlier]
    await bench.look_twice(a_message())
    delivery = await bench.delivery()
    assert (delivery.past_sids, delivery.sid not in {None, earlier.sid}) == ((earlier.sid,), True)
    assert len(bench.provider.created) == 3


@pytest.mark.parametrize(
    "error",
    [
        TwilioUnclear("Twilio answered HTTP 500"),
        TwilioUnavailable("no connection"),
        TwilioRefused(status=401, code=20003, explanation=""),
        TooLate("no time"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_look_that_failed_is_no_look_and_is_made_again(bench: Bench, error: SwitchboardError) -> None:
    await lose_the_answer(bench)
    bench.queue.puts.clear()
    bench.provider.failures = [error]
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.looked_at) == ("uncertain", None)
    assert delivery.next_attempt_at == bench.clock.now + SETTLE
    assert (delivery.error_message or "").startswith("a look at Twilio failed: ")
    assert bench.queue.puts == [(a_message(), SETTLE)], "as long again as it took so far"
    assert len(bench.provider.created) == 1
    bench.clock.advance(SETTLE)
    await bench.take(a_message())
    assert len(bench.provider.looks) == 2
    assert len(bench.provider.created) == 1, "the first that succeeded"
    bench.clock.advance(SETTLE)
    await bench.take(a_message())
    assert len(bench.provider.created) == 2


async def test_looks_that_fail_again_and_again_are_made_less_and_less_often(bench: Bench) -> None:
    await lose_the_answer(bench)
    bench.queue.puts.clear()
    for _ in range(6):
        bench.provider.failures = [UNCLEAR]
        await bench.take(a_message())
        bench.clock.advance(bench.queue.puts[-1][1])
    assert [delay.total_seconds() for _, delay in bench.queue.puts] == [60, 120, 240, 480, 900, 900]
    assert len(bench.provider.created) == 1


async def test_whatever_happens_during_the_look_makes_the_next_claim_fail(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """The claim names the version from before the look: a callback that comes in between is not sent over."""
    await lose_the_answer(bench)
    await find_nothing(bench)
    stale = await bench.delivery()

    async def a_callback_comes() -> None:
        await bench.storage.log.record(stale, an_event("sent"))

    bench.provider.during_a_look = a_callback_comes
    caplog.clear()
    with caplog.at_level(logging.INFO, "shared"):
        await bench.take(a_message())
    assert (await bench.delivery()).status == "sent"
    assert len(bench.provider.created) == 1
    assert bench.queue.puts == [(a_message(), timedelta(seconds=1))], "put back: no failure, and no dequeue is spent"
    last = caplog.records[-1]
    assert (last.levelno, last.__dict__["delivery"]) == (logging.INFO, "order-1")
    await bench.take(a_message())
    assert len(bench.provider.created) == 1
    assert len(bench.queue.puts) == 1, "and acknowledged then"


async def test_a_message_that_can_not_be_put_back_is_left_to_the_host(bench: Bench) -> None:
    """It is put back first and let go then: where that fails, the host still has it."""
    await lose_the_answer(bench)
    await find_nothing(bench)
    stale = await bench.delivery()

    async def a_callback_comes_and_the_queue_goes_away() -> None:
        await bench.storage.log.record(stale, an_event("sent"))
        bench.queue.put = away  # type: ignore[method-assign]

    async def away(*_: object, **__: object) -> str:
        raise HttpResponseError("storage is away")

    bench.provider.during_a_look = a_callback_comes_and_the_queue_goes_away
    with pytest.raises(HttpResponseError):
        await bench.take(a_message())


async def test_of_many_that_look_at_once_one_sends(bench: Bench) -> None:
    await lose_the_answer(bench)
    await find_nothing(bench)
    await asyncio.gather(*(bench.take(a_message()) for _ in range(4)))
    assert len(bench.provider.created) == 2
    assert len(bench.queue.puts) <= 3, "one is put back for each that came too late, and none besides"


async def test_that_a_look_found_nothing_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await lose_the_answer(bench)
    with caplog.at_level(logging.INFO, "shared"):
        await bench.look_twice(a_message())
    told = [record for record in caplog.records if "found nothing" in record.getMessage()]
    assert [(record.levelno, record.__dict__["delivery"]) for record in told] == [(logging.INFO, "order-1")] * 2


async def test_when_it_is_looked_for_is_shown(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.provider.outcomes = [UNCLEAR]
    await bench.take(a_message())
    assert (await bench.delivery()).next_attempt_at == bench.clock.now + ATTEMPT + SETTLE
    [line] = [record.getMessage() for record in caplog.records if record.name.startswith("shared.outbound")]
    assert line == (
        "uncertain, not known whether it was sent: the request left and no answer came,"
        " looked for at 2026-03-02T12:01:20Z [delivery order-1]"
    )


async def test_what_is_left_for_a_person_says_so_and_names_what_it_may_be(bench: Bench) -> None:
    left = at_twilio(bench, body="Your parcel has arrived")
    await lose_the_answer(bench)
    bench.provider.has = [left]
    await lose_patience(bench)
    delivery, event = await bench.delivery(), (await bench.timeline())[-1]
    for message in (delivery.error_message, event.error_message):
        assert message is not None
        assert message.startswith("left for a person: ")
        assert left.sid in message
    assert delivery.next_attempt_at is None


async def test_an_attempt_that_died_is_doubted_first_and_then_looked_for(bench: Bench) -> None:
    left = at_twilio(bench)
    await bench.die_sending(a_message())
    bench.provider.has = [left]
    for wait in (ATTEMPT, SETTLE):
        assert bench.provider.looks == []
        bench.clock.advance(wait)
        await bench.take(a_message())
    assert (await bench.delivery()).sid == left.sid
    assert bench.provider.created == []
    assert await bench.statuses() == ["uncertain", "queued"]


async def test_a_request_that_expired_while_it_was_looked_for_is_not_sent(bench: Bench) -> None:
    message = a_message(expires_at=(bench.clock.now + ATTEMPT + SETTLE).isoformat())
    await lose_the_answer(bench, message)
    await bench.look_twice(message)
    assert (await bench.delivery()).status == "expired"
    assert len(bench.provider.created) == 1


async def test_what_twilio_has_is_adopted_even_when_the_request_has_expired(bench: Bench) -> None:
    left = at_twilio(bench)
    message = a_message(expires_at=(bench.clock.now + ATTEMPT).isoformat())
    await lose_the_answer(bench, message)
    bench.provider.has = [left]
    await bench.take(message)
    assert (await bench.delivery()).sid == left.sid
