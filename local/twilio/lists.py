"""How the REST API's lists come: in which order, how many resources a page, and how late after a create.

Twilio documents one order, that of messages: by DateSent, the most recent first. Where a message without a DateSent
stands is not said, and for calls and recordings no order is. Nor is a time within which a created resource is listed,
nor that a page is full before the last one: only a null next_page_uri ends a list.
https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources
https://www.twilio.com/docs/usage/twilios-response#pagination
"""

import hashlib
from datetime import datetime, timedelta
from itertools import count
from typing import Annotated, Literal

import msgspec

from local.twilio.callbacks import Rate
from local.twilio.store import Record

Place = tuple[float, ...]
"""where a resource stands in a list: the least comes first"""
FEW = 3
"""resources that a page of an adverse list holds at most, however many were asked for"""
A_DAY = timedelta(days=1)
FIRST, AMONG_THE_DATED, LAST = 0.0, 1.0, 2.0
UNLIKE = 2**64


class Lists(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lists come, by a seed.

    `order` is
    - documented: messages by DateSent, the most recent first; equal seconds in any order. A message without a
      DateSent stands where `undated` says: first, last, or anywhere. Calls and recordings have no documented order:
      they come as if undated. Two looks show the same order. A message that is sent between two pages moves, so
      that a look may miss it or see it twice;
    - oldest-first: by the time of creation;
    - adverse: in any order, another one in each look, with pages of 0 to 3 resources.

    `late` is the share of resources that are listed only so many real seconds after their creation: each waits a time
    between the two `late_seconds`. With `late_looks`, it waits for looks instead: the first so many looks that would
    show it leave it out, however much time passes. A look is a request for a first page, with all pages that follow
    from it. A late resource can be fetched by its SID at once.
    """

    order: Literal["documented", "oldest-first", "adverse"] = "documented"
    seed: int = 0
    undated: Literal["anywhere", "first", "last"] = "anywhere"
    late: Rate = 0.0
    late_seconds: tuple[Annotated[float, msgspec.Meta(ge=0)], Annotated[float, msgspec.Meta(ge=0)]] = (1.0, 5.0)
    late_looks: Annotated[int, msgspec.Meta(ge=0)] = 0

    def place(self, number: int, record: Record, *, dated: datetime | None, look: int) -> Place:
        """Return where the record with this number of creation stands; `dated` is when it was sent, if it was."""
        any_place = self._draw("place", number)
        match self.order:
            case "oldest-first":
                return (float(number),)
            case "adverse":
                return (self._draw("place", look, number),)
            case "documented" if dated is not None:
                return AMONG_THE_DATED, -float(int(dated.timestamp())), any_place
            case "documented":
                return self._undated(number, record.created, any_place)

    def is_listed(self, number: int, record: Record, now: datetime, *, looks_without_it: int = 0) -> bool:
        """Tell whether a list shows the record already; `looks_without_it` is how many looks left it out so far."""
        if self._draw("late", number) >= self.late:
            return True
        if self.late_looks:
            return looks_without_it >= self.late_looks
        least, most = self.late_seconds
        wait = timedelta(seconds=least + (most - least) * self._draw("seconds", number))
        return now >= record.created + wait

    def size(self, asked: int, *, look: int, page: int) -> int:
        """Return how many resources a page of a look holds at most."""
        return min(asked, int((FEW + 1) * self._draw("size", look, page))) if self.order == "adverse" else asked

    def _undated(self, number: int, created: datetime, any_place: float) -> Place:
        where = {"first": 0, "last": 2, "anywhere": int(3 * self._draw("where", number))}[self.undated]
        if where != AMONG_THE_DATED:
            return (FIRST if where == FIRST else LAST), any_place
        as_if_sent = created - A_DAY * self._draw("as if sent", number)
        return AMONG_THE_DATED, -as_if_sent.timestamp(), any_place

    def _draw(self, *what: object) -> float:
        """Return a number from 0 up to 1 that follows from the seed and from what it is for."""
        text = repr((self.seed, *what)).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / UNLIKE


AS_DOCUMENTED = Lists()


class Listing:
    """The lists as they come at present, the numbers of their looks, and which looks left a late resource out."""

    def __init__(self, lists: Lists) -> None:
        self._at_first = lists
        self.follow(lists)

    def follow(self, lists: Lists) -> None:
        """Let lists come like this from now on; the next look is the first one by its seed."""
        self.now_on = lists
        self._looks = count()
        self._looks_without: dict[str, frozenset[int]] = {}

    def shows(self, number: int, record: Record, now: datetime, *, look: int) -> bool:
        """Tell whether a page of a look shows the record, if it fits; all pages of a look agree where looks count."""
        looks = self._looks_without.get(record.sid, frozenset())
        if look in looks:
            return False
        if self.now_on.is_listed(number, record, now, looks_without_it=len(looks)):
            return True
        if self.now_on.late_looks:
            self._looks_without[record.sid] = looks | {look}
        return False

    def new_look(self) -> int:
        """Return the number of a look that begins."""
        return next(self._looks)

    def reset(self) -> None:
        """Let lists come as they did at first."""
        self.follow(self._at_first)
