"""What sending and finding out need of Twilio; `shared.twilio_api.TwilioApi` is the real one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A message or a call as Twilio knows it: `answer` is all that it said."""

    sid: str
    status: str
    answer: dict[str, Any]
    from_: str | None = None
    service: str | None = None
    """the Messaging Service that it goes through"""
    body: str | None = None
    direction: str | None = None
    created_at: datetime | None = None
    error_code: int | None = None
    error_message: str | None = None


class Provider(Protocol):
    """Creates and finds messages and calls; its methods raise as `TwilioApi`'s do."""

    async def create_message(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        """Create a message."""

    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        """Create a call."""

    async def messages_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        """List the messages to a recipient that were created between these moments: all of them, or raise."""

    async def calls_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        """List the calls to a recipient that were created between these moments: all of them, or raise."""

    async def message(self, sid: str) -> Resource | None:
        """Fetch a message."""

    async def call(self, sid: str) -> Resource | None:
        """Fetch a call."""

    async def erase_message(self, sid: str) -> None:
        """Remove a message and what it said."""

    async def erase_recordings(self, call_sid: str) -> None:
        """Remove the recordings of a call."""
