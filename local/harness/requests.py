"""Requests that nobody made before."""

import random
import uuid
from typing import Any


def new_id() -> str:
    """A request id that nobody used."""
    return f"h-{uuid.uuid4().hex}"


def a_number() -> str:
    """A number that nobody else is sent to, and that takes texts and calls."""
    return f"+1212{random.randrange(2_000_000, 9_999_999)}"  # noqa: S311 - no secret


def a_text(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A request for a text."""
    return {"id": new_id(), "channel": "sms", "to": a_number(), "body": "Only once"} | more


def a_call(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A request for a call."""
    return {"id": new_id(), "channel": "call", "to": a_number(), "say": "Only once"} | more
