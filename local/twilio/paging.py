"""Lists as the REST API pages them.

https://www.twilio.com/docs/usage/twilios-response#pagination
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Self, TypeVar
from urllib.parse import urlencode

import msgspec

from local.twilio.dates import now
from local.twilio.errors import RestError
from local.twilio.lists import Listing, Place
from local.twilio.store import Record, Store

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
PAGING = ("PageSize", "Page", "PageToken")
R = TypeVar("R", bound=Record)
Placed = list[tuple[Place, R]]


class Token(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a page begins or ends: behind one place of a look's order, or before one.

    As it names a place, a resource that is created or deleted between two pages shifts nothing.
    """

    look: int
    after: Place | None = None
    before: Place | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` wrote; RestError 20001 for anything else."""
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text.removeprefix("PA")), type=cls)
        except (msgspec.MsgspecError, binascii.Error, ValueError) as exc:
            raise RestError(20001, "The 'PageToken' parameter is not one that this API gave.") from exc

    def text(self) -> str:
        """Write it so that nobody reads it."""
        return f"PA{base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()}"


def page_of(
    store: Store[R],
    query: Mapping[str, str],
    *,
    uri: str,
    listing: Listing,
    tests: Iterable[Callable[[R], bool]],
    show: Callable[[R], dict[str, object]],
    name: str,
    sent: Callable[[R], datetime | None] = lambda _: None,
) -> dict[str, object]:
    """One page of the records that pass every test, with the URIs of the pages around it.

    `sent` is the date by which Twilio documents the list to be sorted; without it, there is no documented order.
    """
    asked = min(_number(query, "PageSize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE
    page = _number(query, "Page", 0)
    text = query.get("PageToken")
    token = Token(look=listing.new_look()) if text is None else Token.read(text)
    lists, moment, all_tests = listing.now_on, now(), tuple(tests)
    found: Placed[R] = sorted(
        (
            (lists.place(number, record, dated=sent(record), look=token.look), record)
            for number, record in store.numbered(to=query.get("To"))
            if all(test(record) for test in all_tests) and listing.shows(number, record, moment, look=token.look)
        ),
        key=itemgetter(0),
    )
    skipped = page * asked if text is None else 0
    shown, more = _cut(found[skipped:], token, lists.size(asked, look=token.look, page=page))
    filters = {key: value for key, value in query.items() if key not in PAGING}

    def link(number: int, place: Token | None = None) -> str:
        paging = {"PageSize": asked, "Page": number} | ({"PageToken": place.text()} if place else {})
        return f"{uri}?{urlencode(filters | paging)}"

    last = shown[-1][0] if shown else token.after
    first = shown[0][0] if shown else token.after
    return {
        "first_page_uri": link(0),
        "next_page_uri": link(page + 1, Token(look=token.look, after=last)) if more else None,
        "previous_page_uri": link(page - 1, Token(look=token.look, before=first)) if page else None,
        "page": page,
        "page_size": asked,
        "start": page * asked,
        "end": page * asked + max(len(shown) - 1, 0),
        "uri": f"{uri}?{urlencode(query)}" if query else uri,
        name: [show(record) for _, record in shown],
    }


def _cut(found: Placed[R], token: Token, size: int) -> tuple[Placed[R], bool]:
    """Return the page that a token asks for, and whether another follows."""
    if token.before is not None:
        earlier = [pair for pair in found if pair[0] < token.before]
        return earlier[len(earlier) - min(size, len(earlier)) :], len(found) > len(earlier)
    rest = found if token.after is None else [pair for pair in found if pair[0] > token.after]
    return rest[:size], len(rest) > size


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise RestError(20001, f"The '{name}' parameter must be a whole number.")
    return int(text)
