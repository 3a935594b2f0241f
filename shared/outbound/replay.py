"""Sending again what was rejected or failed, because somebody asks for it: as a new attempt, on record."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import Fault, RequestInvalid, SwitchboardError
from shared.outbound.checks import Rules
from shared.outbound.claim import OTHER_CONTENT
from shared.outbound.decode import decode
from shared.outbound.outcomes import own_event, since_replay
from shared.outbound.request import VALID_FOR
from shared.queues import Queue

_SHORTLY: Final = timedelta(seconds=2)
"""the message is to find the state that it relies on; where it comes too early, housekeeping gives it another"""
REPLAYABLE: Final = frozenset({status.REJECTED, status.FAILED, status.EXPIRED, "undelivered", "busy", "no-answer"})


class NotReplayable(SwitchboardError):
    """It is not over, went well, was replayed already, or nothing is left of it to send."""


async def replay(
    delivery: Delivery,
    *,
    rules: Rules,
    log: DeliveryLog,
    queue: Queue,
    now: datetime,
    looked: bool = False,
    opted_out: bool = False,
    by: str | None = None,
) -> None:
    """Send a delivery's request again, and keep when (`replayed_at`) and who asked for it.

    What failed becomes `retrying`, and its next attempt is due now; what it was at Twilio before is remembered. So does
    what was left for a person, where that person `looked`, and did not find it at Twilio; and what was suppressed, with
    `opted_out`: it is suppressed again if the recipient still wants no texts. What was rejected before it
    was claimed has never been a request: its message goes to the queue as it came, once, as it may be rejected again
    under another id.

    Raises:
        NotReplayable: there is nothing to send again.
        RequestInvalid: it still can't be sent; every fault is named.
        Changed: somebody else did something with it just now.
        azure.core's errors: it may have been enqueued; asking again does no harm.
    """
    request = await check(delivery, rules=rules, log=log, looked=looked, opted_out=opted_out)
    if delivery.request_hash is None:
        replayed = msgspec.structs.replace(delivery, replayed_at=now, updated_at=now)
        await queue.put(request)
        await log.change(delivery, replayed, own_event(replayed, {"reason": "replayed"}, key="replayed", by=by))
        return
    after = _reopened(delivery, now)
    await queue.put(request, delay=_SHORTLY)
    key = f"replayed:{delivery.attempts}:{since_replay(delivery)}".rstrip(":")
    await log.reopen(delivery, after, own_event(after, {"reason": "replayed"}, key=key, by=by))


async def check(
    delivery: Delivery, *, rules: Rules, log: DeliveryLog, looked: bool = False, opted_out: bool = False
) -> bytes:
    """Make sure that a delivery can be replayed, and return its request.

    Raises:
        NotReplayable: there is nothing to send again.
        RequestInvalid: it still can't be sent; every fault is named.
    """
    if delivery.erased:
        raise NotReplayable("it is erased: nothing is left of it to send")
    allowed = REPLAYABLE | {status.SUPPRESSED} if opted_out else REPLAYABLE
    replayable = delivery.status in allowed or (looked and delivery.is_left_for_a_person)
    if delivery.request is None or not replayable:
        raise NotReplayable(f"expected one of {', '.join(sorted(allowed))}, it is {delivery.status}")
    if delivery.is_replayed_message:
        raise NotReplayable(f"it was replayed at {delivery.replayed_at:%Y-%m-%dT%H:%M:%SZ}: its message is another now")
    decoded = decode(delivery.request, rules)
    if delivery.request_hash is None:
        first = await log.get(decoded.request.id)
        if first is not None and first.request_hash != decoded.hash:
            raise RequestInvalid("it can't be sent", [Fault("id", OTHER_CONTENT)])
    return delivery.request


def _reopened(delivery: Delivery, now: datetime) -> Delivery:
    not_it = delivery.candidates if delivery.is_left_for_a_person else ()
    return msgspec.structs.replace(
        delivery,
        status=status.RETRYING,
        sid=None,
        sequence=None,
        past_sids=(*delivery.past_sids, *filter(None, [delivery.sid]), *not_it),
        candidates=(),
        unowned_since=None,
        left_at=None,
        error_code=None,
        error_message=None,
        next_attempt_at=now,
        fallback_at=None,
        expires_at=now + VALID_FOR,
        replayed_at=now,
        cancel_asked_at=None,
        cancel_asked_by=None,
        updated_at=now,
    )
