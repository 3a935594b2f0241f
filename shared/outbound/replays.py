"""Which of the deliveries that a search finds are replayed, and why the others are left out. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from shared.by import By
from shared.consents import OPTED_OUT
from shared.deliveries import status
from shared.deliveries.record import Delivery
from shared.deliveries.search import Search
from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound.outcome import MEANINGS

Included = Literal["opted-out", "invalid"]
Reason = Literal["opted-out", "invalid", "replayed", "not replayable", "not usable", "changed"]
_OPTED_OUT: Final[Included] = "opted-out"
_INVALID: Final[Included] = "invalid"
_NARROW: Final = ("status", "to", "error_code", "origin", "from", "address")
"""the fields of a search of which one must be there"""
_EVERYTHING: Final = (
    "expected status or to, or one of error_code, origin, from, address: everything at once is never replayed"
)
_LONGEST: Final = 10_000
_INVALID_GROUP: Final = "permanent, recipient"

Moment = Annotated[datetime, Meta(tz=True)]


class _Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dry_run: bool = False
    """say which would be sent again, and send none"""
    include: tuple[Included, ...] = ()
    """send also to recipients who opted out, or whom Twilio called invalid"""
    replayed_before: Moment | None = None
    """send also those that were replayed before this moment, and not since"""
    by: By | None = None


class Replays(_Asked, frozen=True, kw_only=True):
    """A search, and what to do with the deliveries that it finds."""

    search: Search = Search()

    @property
    def opted_out(self) -> bool:
        """Recipients who opted out are asked for."""
        return _OPTED_OUT in self.include


def read_replays(content: bytes, *, read_search: Callable[[bytes], Search]) -> Replays:
    """Read what somebody wants to be replayed; `read_search` reads the fields of the search alone.

    Raises:
        RequestInvalid: it can't be used, or it names none of the fields of which a replay must have one. Every fault
            is named.
    """
    document = parse_object(content, longest=_LONGEST)
    narrow = [name for name in _NARROW if document.get(name) is not None]
    faults = [] if narrow else [Fault("request", _EVERYTHING)]
    own = {name: document.pop(name) for name in _Asked.__struct_fields__ if name in document}
    fields, wrong = check_fields(own, _Asked)
    faults += wrong
    try:
        search = read_search(msgspec.json.encode(document))
    except RequestInvalid as exc:
        faults += exc.faults
    if faults:
        raise RequestInvalid("it can't be replayed", faults)
    return Replays(search=search, **msgspec.structs.asdict(msgspec.convert(fields, _Asked)))


def left_out(delivery: Delivery, wanted: Replays, *, is_opted_out: bool) -> Reason | None:
    """Return why a delivery that could be replayed is not, unless somebody asks for it; None where it is.

    `is_opted_out`: its recipient wants no texts from its sender now. Codes of a recipient who opted out count for
    texts only, as an opt-out does. What was replayed is left out even if it failed again: so a second run of the same
    search, or a page that is asked for twice, sends nothing a second time.
    """
    told = delivery.channel == "sms" and delivery.error_code in OPTED_OUT
    if (told or is_opted_out or delivery.status == status.SUPPRESSED) and _OPTED_OUT not in wanted.include:
        return _OPTED_OUT
    if _is_invalid(delivery) and _INVALID not in wanted.include:
        return _INVALID
    if delivery.replayed_at is None:
        return None
    before = wanted.replayed_before
    return None if before is not None and delivery.replayed_at < before else "replayed"


def counts(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Return how many of them there are of each status and error code, the most frequent first."""
    found = Counter((delivery.status, delivery.error_code) for delivery in deliveries)
    return [{"status": word, "error_code": code, "count": count} for (word, code), count in found.most_common()]


def _is_invalid(delivery: Delivery) -> bool:
    meaning = MEANINGS.get(delivery.error_code or 0)
    return meaning is not None and meaning.group == _INVALID_GROUP
