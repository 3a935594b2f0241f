"""Two identical texts whose answers were lost, in every order of the storage calls that give them owners.

Each has one message at Twilio. Looks, callbacks and late answers own these at the same time, or die on the way. In the
end each delivery owns one of the two, and nothing is sent a third time.
"""

from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast
from urllib.parse import urlencode

import pytest

from shared.consents import Consents
from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import Changed
from shared.inbound.form import Form
from shared.inbound.status import record_message_status
from shared.outbound.claim import due_at, recalled
from shared.outbound.find_out import Finder
from shared.outbound.gate import Gate
from shared.outbound.outcomes import Outcomes
from shared.outbound.provider import Resource
from shared.outbound.rights import Rights
from shared.queues import Queue
from tests.deliveries.stepping import SteppedTable, Steps, World, every_order
from tests.fakes import FROM_NUMBER, Clock, FakeProvider, an_answer, make_settings
from tests.outbound.samples import TEXT, a_message

SETTLE: Final = timedelta(seconds=60)
SECOND: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""Twilio's date_created of both messages, in whole seconds: it does not tell the two attempts apart"""
ONE, TWO = "SM" + "1" * 32, "SM" + "2" * 32
NAMED: Final = {ONE: "order-1", TWO: "order-2"}
"""whose attempt made a message: its callbacks name that delivery"""
ROUNDS: Final = 12
"""of looks by both, after which both must have found theirs: their pauses grow, for ten minutes"""

Listed = tuple[str, ...]


class OrderedProvider(FakeProvider):
    """A Twilio that lists what it is told to, in that order."""

    def __init__(self, listed: Listed) -> None:
        super().__init__()
        self.listed = listed

    async def messages_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        return [_at_twilio(sid) for sid in self.listed]


class NoQueue(Queue):
    """Nobody takes the wake-ups: the test takes each request again by itself."""

    def __init__(self) -> None:
        super().__init__(lambda: cast("Any", None))

    async def put(self, message: bytes, *, delay: timedelta = timedelta(0)) -> str:
        return "message-1"


def _at_twilio(sid: str) -> Resource:
    return an_answer(
        sid, body=str(TEXT["body"]), from_=FROM_NUMBER, direction="outbound-api", created_at=SECOND, status="queued"
    )


def an_uncertain_one(delivery_id: str, *, begun: timedelta) -> Delivery:
    claimed_at = SECOND + begun
    return Delivery(
        id=delivery_id,
        channel="sms",
        direction="outbound",
        status=status.UNCERTAIN,
        created_at=claimed_at,
        updated_at=claimed_at,
        claimed_at=claimed_at,
        deadline=claimed_at + timedelta(seconds=20),
        to=str(TEXT["to"]),
        from_=FROM_NUMBER,
        attempts=1,
        attempt=f"token of {delivery_id}",
        expires_at=claimed_at + timedelta(hours=24),
        request=a_message(id=delivery_id),
        request_hash="hash",
    )


@dataclass
class Twins:
    """The two deliveries, and all that happens to them."""

    world: World = field(default_factory=World)
    clock: Clock = field(default_factory=lambda: Clock(SECOND + timedelta(seconds=21) + SETTLE))

    async def claim(self) -> None:
        for number, delivery_id in enumerate(NAMED.values(), start=1):
            await self.world.log().claim(an_uncertain_one(delivery_id, begun=timedelta(milliseconds=300 * number)))

    def log(self, actor: str, steps: Steps) -> DeliveryLog:
        """A log whose steps are the owners of SIDs and the states: events are read by nobody here."""
        return DeliveryLog(
            SteppedTable(self.world.deliveries, actor, steps, matters=lambda _, row: row == "delivery"),
            SteppedTable(self.world.lookups, actor, steps, matters=lambda partition, _: partition.startswith("sid:")),
        )

    def outcomes(self, log: DeliveryLog) -> Outcomes:
        return Outcomes(
            log=log,
            queue=NoQueue(),
            consents=Consents(self.world.table),
            gate=Gate(self.world.table),
            settle=SETTLE,
            clock=self.clock,
        )

    async def look(self, log: DeliveryLog, delivery_id: str, listed: Listed) -> None:
        """Look for a delivery, which must not end in sending it again."""
        delivery = await log.get(delivery_id)
        assert delivery is not None
        if delivery.sid is not None:
            return
        finder = Finder(
            log=log,
            provider=OrderedProvider(listed),
            outcomes=self.outcomes(log),
            gate=Gate(self.world.table),
            rights=Rights(self.world.table),
            settings=make_settings(),
            clock=self.clock,
        )
        assert not await finder.is_free(delivery, recalled(delivery, plain_punctuation=False)), "a third send"

    async def hear(self, log: DeliveryLog, sid: str) -> None:
        """Get a status callback."""
        told = {"MessageSid": sid, "MessageStatus": "sent", "To": str(TEXT["to"]), "From": FROM_NUMBER}
        form = Form.parse(urlencode(told).encode())
        await record_message_status(log, form, delivery_id=NAMED[sid], now=self.clock.now)

    async def answer(self, log: DeliveryLog, sid: str) -> None:
        """Record the answer to the create, in a process that stood still until now."""
        delivery = an_uncertain_one(NAMED[sid], begun=timedelta(milliseconds=300))
        await self.outcomes(log).accepted(delivery, _at_twilio(sid), at=SECOND)

    async def settle(self) -> None:
        """Let both be looked for, when each look is due, until both are found."""
        log = self.world.log()
        for _ in range(ROUNDS):
            found = [await log.get(delivery_id) for delivery_id in NAMED.values()]
            waiting = [one for one in found if one is not None and one.sid is None]
            if not waiting:
                return
            self.clock.now = max(self.clock.now, *(due_at(one, settle=SETTLE) for one in waiting))
            for one in waiting:
                folded = await log.fold_again(one)
                await self.look(log, folded.id, (ONE, TWO))

    @property
    def owners(self) -> dict[str, str]:
        """Which delivery each owner row names, by SID."""
        rows = self.world.lookups.items()
        return {key[0].removeprefix("sid:"): str(row["Delivery"]) for key, row in rows if key[0].startswith("sid:")}

    async def sids(self) -> dict[str | None, str]:
        """The deliveries by their SIDs."""
        found = {one: await self.world.log().get(one) for one in NAMED.values()}
        return {delivery.sid: name for name, delivery in found.items() if delivery is not None}


Act = Callable[[Twins, DeliveryLog], Coroutine[Any, Any, object]]


def look(delivery_id: str, *listed: str) -> Act:
    return lambda twins, log: twins.look(log, delivery_id, listed)


def hear(sid: str) -> Act:
    return lambda twins, log: twins.hear(log, sid)


def answer(sid: str) -> Act:
    return lambda twins, log: twins.answer(log, sid)


PAIRS: Final[dict[str, tuple[Act, Act]]] = {
    "a look that takes the other's, and a callback": (look("order-1", TWO, ONE), hear(ONE)),
    "a look that sees only the other's, and a callback": (look("order-1", TWO), hear(ONE)),
    "a look that takes the other's, and its own late answer": (look("order-1", TWO, ONE), answer(ONE)),
    "a look that takes the other's, and the other's callback": (look("order-1", TWO, ONE), hear(TWO)),
    "looks of both, which list alike": (look("order-1", TWO, ONE), look("order-2", TWO, ONE)),
    "looks of both, each of which takes the other's": (look("order-1", TWO, ONE), look("order-2", ONE, TWO)),
    "two looks of one, in two orders": (look("order-1", TWO, ONE), look("order-1", ONE, TWO)),
}


async def _play(steps: Steps, first: Act, second: Act, *, later: tuple[str, ...] = ()) -> None:
    twins = Twins()
    await twins.claim()
    ends = await steps.run(
        first=first(twins, twins.log("first", steps)), second=second(twins, twins.log("second", steps))
    )
    for end in ends.values():
        if isinstance(end, BaseException) and not isinstance(end, Changed):
            raise end
    if steps.dies is None:
        assert Counter(twins.owners.values()).most_common(1)[0][1] == 1, "what one owns beside its SID is given back"
    for sid in later:
        await twins.hear(twins.world.log(), sid)
    await twins.settle()
    assert set(twins.owners) == {ONE, TWO}, steps.taken
    assert twins.owners == await twins.sids(), "an owner row for each, and it is the one of its SID"


@pytest.mark.parametrize("later", [(), (ONE, TWO), (TWO, ONE)], ids=["no callback", "callbacks", "callbacks, reversed"])
@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS)
async def test_each_of_two_identical_requests_owns_one_message_in_every_order(
    first: Act, second: Act, later: tuple[str, ...]
) -> None:
    assert await every_order(lambda steps: _play(steps, first, second, later=later)) > 5


@pytest.mark.parametrize("who", ["first", "second"])
@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS)
async def test_each_owns_one_message_where_one_of_those_that_find_it_dies(first: Act, second: Act, who: str) -> None:
    for calls in range(1, 8):
        await every_order(lambda steps: _play(steps, first, second), dies=(who, calls))


async def test_nothing_is_sent_again_while_another_that_died_owns_both_and_has_not_said_which_is_its_own() -> None:
    """Nor after that: it keeps one, and the other one is taken over."""
    twins = Twins()
    await twins.claim()
    log = twins.world.log()
    for sid in NAMED:
        assert await log.own_sid(sid, "order-1") == "order-1"
    for _ in range(4):
        await twins.look(log, "order-2", (ONE, TWO))
        twins.clock.advance(SETTLE)
    await twins.settle()
    assert twins.owners == await twins.sids()


async def test_an_owner_that_has_another_sid_is_passed_over_by_an_answer_and_by_a_callback() -> None:
    for act in (answer(TWO), hear(TWO)):
        twins = Twins()
        await twins.claim()
        log = twins.world.log()
        await twins.hear(log, ONE)
        assert await log.own_sid(TWO, "order-1") == "order-1", "it died before it could give this back"
        await act(twins, log)
        assert twins.owners == await twins.sids() == NAMED


async def test_a_callback_of_exchanged_messages_stands_where_its_url_says_and_owns_nothing() -> None:
    """So a timeline may tell of two SIDs: owner rows say which of them is the delivery's."""
    twins = Twins()
    await twins.claim()
    log = twins.world.log()
    await twins.look(log, "order-1", (TWO, ONE))
    await twins.hear(log, ONE)
    assert {event.sid for event in await log.timeline("order-1")} == {ONE, TWO}
    assert twins.owners == {TWO: "order-1"}
    await twins.settle()
    assert twins.owners == await twins.sids() == {TWO: "order-1", ONE: "order-2"}
