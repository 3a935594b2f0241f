"""Which of the deliveries that a search finds are replayed, and why the others are left out. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from shared.by import By
from shared.consents import OPTED_OUT
from shared.deliveries import status
from shared.deliveries.record import Delivery
from shared.deliveries.search import Search
from shared.documents import convert
from shared.errors import Fault, RequestInvalid
from shared.outbound.outcome import MEANINGS

Included = Literal["opted-out", "invalid"]
Reason = Literal["opted-out", "invalid", "replayed", "not replayable", "not usable", "changed"]
_OPTED_OUT: Final[Included] = "opted-out"
_INVALID: Final[Included] = "invalid"
_NARROW: Final = ("status", "to", "error_code", "origin", "from", "address")
"""the fields of a search of which one must be there"""
_INVALID_GROUP: Final = "permanent, recipient"

Moment = Annotated[datetime, Meta(tz=True)]


class Replays(Search, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search, and what to do with the deliveries that it finds."""

    dry_run: bool = False
    """say which would be sent again, and send none"""
    include: tuple[Included, ...] = ()
    """send also to recipients who opted out, or whom Twilio called invalid"""
    replayed_before: Moment | None = None
    """send also those that were replayed before this moment, and not since"""
    by: By | None = None

    @property
    def opted_out(self) -> bool:
        """Recipients who opted out are asked for."""
        return _OPTED_OUT in self.include


def read_replays(document: dict[str, Any]) -> Replays:
    """Read what somebody wants to be replayed.

    Raises:
        RequestInvalid: it can't be used; or it names none of the fields that a replay must have one of.
    """
    wanted = convert(document, Replays)
    if all(document.get(name) is None for name in _NARROW):
        expected = "expected status or to, or one of error_code, origin, from, address"
        faults = [Fault("request", f"{expected}: everything at once is never replayed")]
        raise RequestInvalid("it can't be replayed", faults)
    return wanted


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
