"""A delivery and its events as the JSON that people and systems are shown. Pure."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared.deliveries.record import Delivery, Event
from shared.deliveries.search import Page

_INTERNAL: Final = frozenset(
    {
        "request",
        "text",
        "mentions",
        "request_hash",
        "attempt",
        "claimed_at",
        "deadline",
        "account",
        "looked_at",
        "unowned_since",
        "sequence",
        "reopened_at",
        "callback_form",
        "version",
    }
)


def of_delivery(delivery: Delivery, events: Sequence[Event], *, rejections: Sequence[str] = ()) -> dict[str, Any]:
    """Return a delivery with its timeline, with what was asked for as it came, and the rejected messages of its id."""
    request = delivery.request.decode("utf-8", "replace") if delivery.request is not None else None
    shown = {**_summary(delivery), "text": delivery.text, "request": request}
    return {**shown, "rejections": list(rejections), "events": [_event(event) for event in events]}


def of_state(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as a page of a search shows it."""
    return _summary(delivery)


def of_page(page: Page) -> dict[str, Any]:
    """Return a page of a search."""
    return {"deliveries": [_summary(delivery) for delivery in page.deliveries], "cursor": page.cursor}


def _summary(delivery: Delivery) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(delivery)
    return {name: value for name, value in shown.items() if name not in _INTERNAL}


def _event(event: Event) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(event)
    return {name: value for name, value in shown.items() if name != "key"}
