"""What was derived from a delivery: its fallbacks, the texts that its call sent, and the reply to a text.

| derived | found by |
|---|---|
| the next fallback | its id: `order-1~2` of `order-1`, `order-1~3` of that |
| the texts of a call's flow | their ids, which begin with the call's and go on with the turn: `order-1~3.0-step-text` |
| the reply to a text | `answers`, among what the text's sender was sent in the days after it |

A schedule's deliveries are not derived from a delivery, even of one that has the schedule's id.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.deliveries import keys, rows
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.tables import Table

_FALLBACK: Final = re.compile(r"(?P<head>.+)~(?P<number>\d{1,3})")
_OF_SCHEDULE: Final = re.compile(r"\d{8}T\d{4,6}Z(~.*)?")
_AFTER_TIMES: Final = "~:"
"""the ids of a schedule's deliveries go on with a digit"""
_FIRST_TURN, _AFTER_TURNS = "~0", "~g"
"""such an id goes on with a number, or with hexadecimal digits of another call's SID"""
_REPLIES_COME_FOR: Final = timedelta(days=4)
"""a reply is on record from Twilio's first status callback about it on; a carrier tries for three days"""


@dataclass(frozen=True, slots=True)
class Made:
    """A delivery that a schedule made, and its status when its row was read."""

    id: str
    status: str


class Derivations:
    """Finds it, and what was derived from that in turn."""

    def __init__(self, deliveries: Table, lookups: Table, *, log: DeliveryLog) -> None:
        self._deliveries = deliveries
        self._lookups = lookups
        self._log = log

    async def of(self, first: Delivery) -> list[Delivery]:
        """Return all that was derived from a delivery, the nearest first; tombstones too."""
        found = {first.id: first}
        todo = [first]
        while todo:
            for delivery_id in await self._next(todo.pop(0)):
                if delivery_id not in found and (delivery := await self._log.get(delivery_id)) is not None:
                    found[delivery_id] = delivery
                    todo.append(delivery)
        del found[first.id]
        return list(found.values())

    async def made_by(self, schedule_id: str, *, after: str, limit: int) -> list[Made]:
        """Return what a schedule made and what was derived from that, `limit` at most, from the id `after` on.

        The ids of a schedule's deliveries go on with the times that they are for, so their order is that of the times.
        Others may stand between them, such as the fallbacks of a delivery that has the schedule's id.
        """
        found = self._deliveries.query(
            "PartitionKey gt @after and PartitionKey lt @end and RowKey eq @state",
            limit=limit,
            select="PartitionKey,Status",
            after=after,
            end=schedule_id + _AFTER_TIMES,
            state=rows.STATE,
        )
        return [Made(row["PartitionKey"], row["Status"]) async for row in found]

    async def _next(self, delivery: Delivery) -> list[str]:
        ids = [_fallback_of(delivery.id)]
        if delivery.channel == "call":
            # a call that names no delivery sends them under its SID
            for call in dict.fromkeys(filter(None, (delivery.id, delivery.sid, *delivery.past_sids))):
                ids += await self._texts_of(call)
        if (delivery.channel, delivery.direction) == ("sms", "inbound") and delivery.from_:
            ids += await self._replies_to(delivery)
        return ids

    async def _texts_of(self, call: str) -> list[str]:
        found = self._deliveries.query(
            "PartitionKey ge @first and PartitionKey lt @end and RowKey eq @state",
            select="PartitionKey",
            first=call + _FIRST_TURN,
            end=call + _AFTER_TURNS,
            state=rows.STATE,
        )
        ids = [row["PartitionKey"] async for row in found]
        return [one for one in ids if not is_made_by(call, one)]

    async def _replies_to(self, text: Delivery) -> list[str]:
        sent = []
        for partition in keys.recipient_partitions(text.from_ or ""):
            found = self._lookups.query(
                "PartitionKey eq @partition and RowKey gt @newest and RowKey lt @oldest",
                select="RowKey",
                partition=partition,
                newest=keys.before(text.created_at + _REPLIES_COME_FOR),
                oldest=keys.after(text.created_at),
            )
            sent += [await self._log.get(keys.delivery_at(row["RowKey"])) async for row in found]
        return [one.id for one in sent if one is not None and one.answers == text.id]


def is_made_by(schedule_id: str, delivery_id: str) -> bool:
    """Tell whether a delivery is one that a schedule made, or was derived from such a one, by its id."""
    return _OF_SCHEDULE.fullmatch(delivery_id.removeprefix(f"{schedule_id}~")) is not None


def first_made(schedule_id: str, since: datetime) -> str:
    """Return what comes before the ids of all deliveries that a schedule made for `since` or later."""
    return f"{schedule_id}~{since.astimezone(UTC):%Y%m%dT%H%M}"


def _fallback_of(delivery_id: str) -> str:
    """Return the id of the fallback of a delivery: the next number where it is one itself."""
    match _FALLBACK.fullmatch(delivery_id):
        case None:
            return f"{delivery_id}~2"
        case itself:
            return f"{itself['head']}~{int(itself['number']) + 1}"
