"""Guards of the app, each broken on purpose in a host of the harness: a run with one of them must send twice or lose.

A function here changes the app in its own process, before the app loads (`Order.breaks`). It changes functions
by name, and fails where there is no such name, so that no guard counts as broken that is not.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from shared import twilio_answers
from shared.deliveries import rows
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import TwilioRefused
from shared.outbound.find_out import Finder
from shared.outbound.provider import Resource
from shared.twilio_api import TwilioApi

A_MINUTE = timedelta(minutes=1)
"""longer ago than the attempt of any run here"""

Look = Callable[..., Awaitable[list[Resource]]]


def look_that_stops_at_the_first_older_one() -> None:
    """End a look at the first listed resource that is older than the claim, as if lists were sorted by creation."""
    whole = _there(TwilioApi, "_pages")

    async def pages(api: TwilioApi, *asked: Any, **query: Any) -> AsyncIterator[list[dict[str, Any]]]:  # noqa: ANN401 - as it comes
        begins = datetime.now(UTC) - A_MINUTE
        async for page in whole(api, *asked, **query):
            newer = [one for one in page if parsedate_to_datetime(one["date_created"]) >= begins]
            yield page[: next((place for place, one in enumerate(page) if one not in newer), len(page))]
            if len(newer) < len(page):
                return

    TwilioApi._pages = pages  # type: ignore[method-assign, assignment]


def one_look_only() -> None:
    """Let the second look see what the first one saw: nothing more is learnt from it."""
    for name in ("messages_to", "calls_to"):
        setattr(TwilioApi, name, _remembered(_there(TwilioApi, name)))


def _remembered(look: Look) -> Look:
    seen: dict[str, list[Resource]] = {}

    async def again(api: TwilioApi, to: str, **asked: Any) -> list[Resource]:  # noqa: ANN401 - as it comes
        if to not in seen:
            seen[to] = await look(api, to, **asked)
        return seen[to]

    return again


def no_look_before_resending() -> None:
    """Send again what has no answer, without a look."""

    async def is_free(_finder: Finder, _delivery: Delivery, _request: object) -> bool:
        return True

    _there(Finder, "is_free")
    Finder.is_free = is_free  # type: ignore[method-assign, assignment]


def proxys_page_taken_for_a_refusal() -> None:
    """Believe any answer with a status from 300 to 499, as if Twilio had said it."""
    careful = _there(twilio_answers, "raise_for_status")

    def credulous(status: int, *answer: Any, **options: Any) -> None:  # noqa: ANN401 - as it comes
        if 300 <= status < 500:
            raise TwilioRefused(status=status, code=status, explanation="")
        careful(status, *answer, **options)

    twilio_answers.raise_for_status = credulous


def claim_that_replaces_another() -> None:
    """Claim by writing over whatever is there."""

    async def claim(log: DeliveryLog, delivery: Delivery) -> Delivery | None:
        await log._deliveries.put(rows.delivery_row(delivery))
        written = await log.get(delivery.id)
        return None if written is None else msgspec.structs.replace(delivery, version=written.version)

    _there(DeliveryLog, "claim")
    DeliveryLog.claim = claim  # type: ignore[method-assign, assignment]


def _there(owner: object, name: str) -> Any:  # noqa: ANN401 - whatever it is
    found = getattr(owner, name, None)
    if found is None:
        raise AttributeError(f"expected the app to have {name}, which this breaks; name what does its work now")
    return found
