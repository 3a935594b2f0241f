"""Keys and rows of the `Lookups` table: how deliveries are found otherwise than by id, and whose a SID is. Pure.

| partition | row key | what it is for |
|---|---|---|
| `wake:<second>:<spread>` | when it was opened, and the id | open deliveries, new or still to be sent, due then |
| `ask:<second>:<spread>` | the same | open deliveries that Twilio has, and should be asked about then |
| `open:<spread>` | the id, and when it was opened again | open deliveries, as earlier versions listed them |
| `day:<day>:<spread>` | when, newest first, and the id | all of a day |
| `status:<status>:<day>:<spread>` | the same | those of a day that came into a notable status |
| `late:<day>:<spread>` | the same | those that the purge looks at again on that day |
| `erased:<minute>:<spread>` | the same | those that were erased, and are swept once more at that minute |
| `to:<hash of the person>` | the same | all of one recipient; the hash keeps numbers out of URLs and request logs |
| `from:<hash of the person>` | the same | what Twilio told of, such as texts that came in, by its `From` |
| `about:<hash of the person>` | the same | rejected messages in which the address can be read |
| `named:<id>` | the same | rejected messages that named this id |
| `sid:<SID>` | `owner` | the delivery that a message or call belongs to (`shared.deliveries.owners`) |
| `reply:<day>:<hash of the person>` | as of `day` | the automatic texts to a person: replies, and texts of flows |

A person is the canonical form of an address (`shared.text.spellings`). Earlier versions hashed the address itself.

A row here is written before what it leads to, so it may lead nowhere, or to a delivery that has moved on: whoever
follows it looks again. `<spread>` keeps any one partition below what Azure serves
(https://learn.microsoft.com/azure/storage/tables/scalability-targets).
"""

import hashlib
import re
import zlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from shared.deliveries.record import Delivery
from shared.deliveries.status import NOTABLE
from shared.table_service.limits import as_key
from shared.text import spellings

SPREAD: Final = 4
Action = Literal["wake", "ask"]
"""what an open delivery is listed for"""
Family = Literal["to", "from", "about"]
"""kinds of partitions that list deliveries by an address"""
LOOKED_AT_AFTER: Final = timedelta(minutes=15)
"""how long an open delivery is left alone"""
OWNER: Final = "owner"
ERASED: Final = "erased"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HORIZON: Final = datetime(9999, 12, 31, tzinfo=UTC)
_LAST: Final = 10**18 - 1
"""microseconds since 1970 are counted down from here, so that the newest comes first"""


_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,199}")


def is_id(text: str) -> bool:
    """Tell whether a delivery can have this id: a request's own, a derived one, a SID, or a queue message's."""
    return _ID.fullmatch(text) is not None


def owner_partition(sid: str) -> str:
    """Return the partition that says whose a SID is."""
    return as_key(f"sid:{sid}")


def owner_row(sid: str, delivery_id: str) -> dict[str, Any]:
    """Return the row that makes a SID belong to a delivery."""
    return {"PartitionKey": owner_partition(sid), "RowKey": OWNER, "Delivery": delivery_id}


def opened_at(delivery: Delivery) -> datetime:
    """Return when a delivery was opened: created, or opened again since."""
    return delivery.reopened_at or delivery.created_at


def opening(delivery: Delivery) -> str:
    """Return the row key of every entry that lists a delivery while it is open.

    Each opening has its own. So an entry of an earlier opening, or of a claim that failed, can be deleted without
    harm to the delivery's own entry.
    """
    return f"{before(opened_at(delivery))}~{delivery.id}"


def open_row(delivery: Delivery) -> dict[str, Any]:
    """Return the first entry of a delivery while it is open; it follows from the delivery at any later time."""
    return entry_row("wake", opening(delivery), opened_at(delivery) + LOOKED_AT_AFTER)


def entry_row(action: Action, row_key: str, look_at: datetime) -> dict[str, Any]:
    """Return an entry that lists an open delivery for an action, to be looked at from `look_at` on."""
    partition = f"{action}:{_second(look_at)}:{_spread(delivery_at(row_key))}"
    return {"PartitionKey": partition, "RowKey": row_key, "LookAt": look_at}


def due_range(action: Action, now: datetime) -> tuple[str, str]:
    """Return the first partition of the entries that are due for an action, and the one after the last of them."""
    return f"{action}:", f"{action}:{_second(now + timedelta(microseconds=1))}"


def former_open_key(delivery: Delivery) -> str:
    """Return the row key that earlier versions gave to the entry of an open delivery."""
    again = delivery.reopened_at
    return delivery.id if again is None else f"{delivery.id}~~{before(again)}"


def first_of(kind: str, moment: datetime | None = None) -> str:
    """Return the partition before all of a kind that has days, or before all of the day (the minute) of `moment`."""
    if moment is None:
        return f"{kind}:"
    return f"{kind}:{moment:%Y%m%d%H%M}" if kind == ERASED else f"{kind}:{moment:%Y%m%d}"


def erased_row(delivery: Delivery, again: datetime) -> dict[str, Any]:
    """Return the row that has a delivery that was erased swept once more, from the minute of `again` on."""
    return {"PartitionKey": f"{first_of(ERASED, again)}:{_spread(delivery.id)}", "RowKey": position(delivery)}


def late_row(delivery: Delivery, again: datetime) -> dict[str, Any]:
    """Return the row that brings a delivery before the purge again, on the day of `again`."""
    return {"PartitionKey": f"late:{again:%Y%m%d}:{_spread(delivery.id)}", "RowKey": position(delivery)}


def day_row(delivery: Delivery) -> dict[str, Any]:
    """Return the row that finds a delivery by its time."""
    partition = f"day:{delivery.created_at:%Y%m%d}:{_spread(delivery.id)}"
    return {"PartitionKey": partition, "RowKey": position(delivery)}


def day_partitions(day: date) -> list[str]:
    """Return the partitions that together list all deliveries of a day (UTC)."""
    return [f"day:{day:%Y%m%d}:{spread}" for spread in range(SPREAD)]


def status_row(delivery: Delivery) -> dict[str, Any]:
    """Return the row that finds a delivery by its present status and its time."""
    partition = f"status:{delivery.status}:{delivery.created_at:%Y%m%d}:{_spread(delivery.id)}"
    return {"PartitionKey": partition, "RowKey": position(delivery)}


def notable_kinds() -> list[str]:
    """Return the beginnings of the partitions that list deliveries by status, one for each status that has them."""
    return [f"status:{word}" for word in sorted(NOTABLE)]


def status_partitions(status: str, day: date) -> list[str]:
    """Return the partitions that together list the deliveries of a day (UTC) that were in a status."""
    return [f"status:{status}:{day:%Y%m%d}:{spread}" for spread in range(SPREAD)]


def digest(address: str) -> str:
    """Return what stands for an address in keys."""
    return _hash(spellings.person(address))


def digests(address: str) -> tuple[str, ...]:
    """Return what may stand for an address in keys, its `digest` first."""
    return tuple(_hash(spelling) for spelling in spellings.spellings(address))


def recipient_partition(address: str) -> str:
    """Return the partition that lists the deliveries of a recipient, whichever way its address is spelled."""
    return f"to:{digest(address)}"


def recipient_partitions(address: str) -> list[str]:
    """Return the partitions that together list them: that one, and those of each spelling from earlier versions."""
    return partitions_of("to", digests(address))


def partitions_of(kind: Family, hashes: Iterable[str]) -> list[str]:
    """Return the partitions of one kind that list deliveries by these hashes of addresses."""
    return [f"{kind}:{each}" for each in hashes]


def address_rows(delivery: Delivery) -> list[dict[str, Any]]:
    """Return the rows that find a delivery by an address, or by the id that a rejected message named.

    The sender of a request has no row: it is this app's own address, with nearly every delivery behind it.
    """
    row_key = position(delivery)
    if delivery.is_refused:
        found = [*partitions_of("about", map(digest, _mentioned(delivery))), *_named(delivery)]
        return [{"PartitionKey": partition, "RowKey": row_key} for partition in found]
    found = partitions_of("from", map(digest, _told_sender(delivery)))
    by_sender = [{"PartitionKey": partition, "RowKey": row_key} for partition in found]
    return [recipient_row(delivery), *by_sender] if delivery.to else by_sender


def address_places(delivery: Delivery) -> list[tuple[str, str]]:
    """Return the partition and the row key of each row that may find a delivery so, earlier versions' rows too."""
    row_key = position(delivery)
    written = [row["PartitionKey"] for row in address_rows(delivery)]
    former = recipient_partitions(delivery.to) if delivery.to and not delivery.is_refused else []
    return [(partition, row_key) for partition in dict.fromkeys([*written, *former])]


def named_partition(delivery_id: str) -> str:
    """Return the partition that lists the rejected messages which named an id."""
    return f"named:{delivery_id}"


def _mentioned(delivery: Delivery) -> list[str]:
    return list(dict.fromkeys(filter(None, (delivery.to, *delivery.mentions))))


def _named(delivery: Delivery) -> list[str]:
    return [named_partition(delivery.named)] if delivery.named and is_id(delivery.named) else []


def _told_sender(delivery: Delivery) -> list[str]:
    """Return the sender of what Twilio told of and nobody asked this app for; an automatic reply is from ourselves."""
    is_told = (delivery.request is None and delivery.answers is None) or delivery.direction == "inbound"
    return [delivery.from_] if delivery.from_ and is_told else []


def recipient_row(delivery: Delivery) -> dict[str, Any]:
    """Return the row that finds a delivery by its recipient; what waits from the start says until when."""
    place = {"PartitionKey": recipient_partition(delivery.to or ""), "RowKey": position(delivery)}
    return {**place, "Due": delivery.next_attempt_at}


def reply_partition(person: str, day: date) -> str:
    """Return the partition that lists the automatic texts to a person on a day (UTC)."""
    return f"reply:{day:%Y%m%d}:{_hash(spellings.person(person))}"


def reply_row(person: str, text_id: str, at: datetime) -> dict[str, Any]:
    """Return the row that counts a text among those; `text_id` is of the answered text, or of a flow's text."""
    return {"PartitionKey": reply_partition(person, at.date()), "RowKey": f"{before(at)}~{text_id}"}


def position(delivery: Delivery) -> str:
    """Return where a delivery stands in every list: by the time of its creation, the newest first, then by id."""
    return f"{before(delivery.created_at)}~{delivery.id}"


def before(moment: datetime) -> str:
    """Return the row key before all deliveries created at `moment` or earlier, and after all that are newer."""
    return f"{_LAST - (moment - EPOCH) // timedelta(microseconds=1):018d}"


def after(moment: datetime) -> str:
    """Return the row key after all deliveries created at `moment` or later, and before all that are older."""
    return before(moment) + "~~"


def midnight(day: date) -> datetime:
    """Return when a day (UTC) begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def delivery_at(row_key: str) -> str:
    """Return the id of the delivery that a row key names."""
    return row_key.partition("~")[2]


def day_of(row_key: str) -> date:
    """Return the day (UTC) that a row key stands in."""
    return moment_of(row_key).date()


def moment_of(row_key: str) -> datetime:
    """Return when the delivery was created that a row key names."""
    return EPOCH + timedelta(microseconds=_LAST - int(row_key.partition("~")[0]))


def _second(moment: datetime) -> str:
    """Return the first whole second that is not before a moment: a reader up to `now` comes too early for none."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return f"{whole if whole == moment else whole + timedelta(seconds=1):%Y%m%d%H%M%S}"


def _hash(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def _spread(delivery_id: str) -> int:
    return zlib.crc32(delivery_id.encode()) % SPREAD
