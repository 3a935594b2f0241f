"""Stand-ins for what lies outside: a Twilio that answers as told, a clock in hand, settings made from names."""

import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import SwitchboardError
from shared.outbound.provider import Resource
from shared.settings import Settings

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "an-auth-token-that-nobody-may-read"
SERVICE_SID = "MG" + "0123456789abcdef" * 2
FROM_NUMBER = "+14155550199"
MINIMAL = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "TWILIO_FROM_NUMBER": FROM_NUMBER,
    "PUBLIC_BASE_URL": "https://switchboard.example",
}


def make_settings(**env: str) -> Settings:
    """Settings that can be used, with what the test names put in or, where it is blank, taken out."""
    return Settings.from_env({**MINIMAL, **env})


def a_sid(kind: str = "SM") -> str:
    """A SID that no other test has."""
    return kind + uuid.uuid4().hex


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: datetime = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, delta: timedelta) -> None:
        self.now += delta


def an_answer(sid: str | None = None, status: str = "queued", **more: Any) -> Resource:  # noqa: ANN401 - any field of it
    """A message or a call as Twilio shows it."""
    sid = sid or a_sid()
    return Resource(sid=sid, status=status, **{"answer": {"sid": sid, "status": status}, **more})


@dataclass(frozen=True)
class Created:
    """One create call, as it came."""

    kind: str
    parameters: dict[str, Any]
    not_after: float


class DiedError(BaseException):
    """The process ended here: nobody catches it."""


def die() -> None:
    """End the process, as far as a test can see."""
    raise DiedError


async def _nothing() -> None:
    """Do nothing."""


@dataclass
class FakeProvider:
    """A Twilio that keeps each create call, and answers or fails as `outcomes` say; after them, it accepts.

    It lists what it `has`, whoever it went to, in an order that Twilio documents nowhere: another one at each look.
    `late` says of a SID in how many looks it is not listed yet. `failures` meet whoever looks, fetches or erases.
    """

    outcomes: list[SwitchboardError | Resource] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    has: list[Resource] = field(default_factory=list)
    late: dict[str, int] = field(default_factory=dict)
    order: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret, and it repeats
    failures: list[SwitchboardError] = field(default_factory=list)
    looks: list[tuple[str, str, datetime]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    erased: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    during_a_look: Callable[[], Awaitable[None]] = _nothing

    async def create_message(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        return self._create("message", parameters, not_after)

    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        return self._create("call", parameters, not_after)

    async def messages_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        return await self._look("messages", to, since)

    async def calls_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        return await self._look("calls", to, since)

    async def message(self, sid: str) -> Resource | None:
        return self._fetch(sid)

    async def call(self, sid: str) -> Resource | None:
        return self._fetch(sid)

    async def erase_message(self, sid: str) -> None:
        self._fail()
        self.erased.append(("message", sid))

    async def erase_recordings(self, call_sid: str) -> None:
        self._fail()
        self.erased.append(("recordings", call_sid))

    def _create(self, kind: str, parameters: dict[str, Any], not_after: float) -> Resource:
        self.created.append(Created(kind, parameters, not_after))
        self.meanwhile()
        outcome = self.outcomes.pop(0) if self.outcomes else an_answer(a_sid("SM" if kind == "message" else "CA"))
        if isinstance(outcome, SwitchboardError):
            raise outcome
        return outcome

    async def _look(self, kind: str, to: str, since: datetime) -> list[Resource]:
        self.looks.append((kind, to, since))
        self._fail()
        await self.during_a_look()
        number = len(self.looks)
        listed = [resource for resource in self.has if number > self.late.get(resource.sid, 0)]
        return self.order.sample(listed, len(listed))

    def _fetch(self, sid: str) -> Resource | None:
        self.fetched.append(sid)
        self._fail()
        return next((resource for resource in self.has if resource.sid == sid), None)

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)
