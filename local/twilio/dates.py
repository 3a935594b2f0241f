"""Times as Twilio writes them, and the date filters of its lists."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from local.twilio.errors import RestError


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


def rfc2822(moment: datetime) -> str:
    """A time as the REST API and the voice callbacks write it: `Mon, 05 Jan 2026 09:00:00 +0000`."""
    return format_datetime(moment)


def rfc2822_or_none(moment: datetime | None) -> str | None:
    """The same, with null for what has not happened yet."""
    return None if moment is None else rfc2822(moment)


def time_filters(query: Mapping[str, str], name: str) -> Iterator[Callable[[datetime | None], bool]]:
    """The tests that a list's `name`, `name<` and `name>` ask for.

    `name` means that day in GMT; `name<` and `name>` include the moment itself, which is midnight where only a
    date is given. What has no such time yet matches none of them.
    https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
    """
    if query.get(name):
        midnight = _moment(query[name], name).replace(hour=0, minute=0, second=0, microsecond=0)
        yield _between(midnight, midnight + timedelta(days=1, microseconds=-1))
    if query.get(f"{name}<"):
        yield _between(datetime.min.replace(tzinfo=UTC), _moment(query[f"{name}<"], f"{name}<"))
    if query.get(f"{name}>"):
        yield _between(_moment(query[f"{name}>"], f"{name}>"), datetime.max.replace(tzinfo=UTC))


def _between(earliest: datetime, latest: datetime) -> Callable[[datetime | None], bool]:
    return lambda moment: moment is not None and earliest <= moment <= latest


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise RestError(20001, f"The '{name}' parameter is no date or time in ISO 8601.") from exc
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
