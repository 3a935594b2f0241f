"""Lists as the REST API pages them.

https://www.twilio.com/docs/usage/twilios-response#pagination
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar
from urllib.parse import urlencode

from local.twilio.errors import RestError
from local.twilio.store import Record, Store

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
PAGING = ("PageSize", "Page", "PageToken")
R = TypeVar("R", bound=Record)


def page_of(
    store: Store[R],
    query: Mapping[str, str],
    *,
    uri: str,
    tests: Iterable[Callable[[R], bool]],
    show: Callable[[R], dict[str, object]],
    name: str,
) -> dict[str, object]:
    """One page of the newest records that pass every test, with the URIs of the pages around it.

    A page token names the last record of the page before, so that what is created meanwhile shifts nothing.
    """
    size = min(_number(query, "PageSize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE) or DEFAULT_PAGE_SIZE
    page = _number(query, "Page", 0)
    token = query.get("PageToken", "")
    found = store.newest(to=query.get("To"), before=token.removeprefix("PA") or None)
    passing = (record for record in found if all(test(record) for test in tests))
    skipped = 0 if token else page * size
    records = list(islice(passing, skipped, skipped + size + 1))
    shown, more = records[:size], len(records) > size
    filters = {key: value for key, value in query.items() if key not in PAGING}

    def link(number: int, last: Record | None = None) -> str:
        place = {"PageSize": size, "Page": number} | ({"PageToken": f"PA{last.sid}"} if last else {})
        return f"{uri}?{urlencode(filters | place)}"

    return {
        "first_page_uri": link(0),
        "next_page_uri": link(page + 1, shown[-1]) if more else None,
        "previous_page_uri": link(page - 1) if page else None,
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(shown) - 1, 0),
        "uri": f"{uri}?{urlencode(query)}" if query else uri,
        name: [show(record) for record in shown],
    }


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal():
        raise RestError(20001, f"The '{name}' parameter must be a whole number.")
    return int(text)
