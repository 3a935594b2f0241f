"""Stand-ins for what lies outside: a Twilio that answers as told, a clock in hand, settings made from names."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import SwitchboardError
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


@dataclass(frozen=True)
class Answer:
    """What Twilio says of something that it accepted."""

    sid: str
    status: str = "queued"
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Created:
    """One create call, as it came."""

    kind: str
    parameters: dict[str, Any]
    not_after: float


@dataclass
class FakeProvider:
    """A Twilio that keeps each create call, and answers or fails as `outcomes` say; after them, it accepts."""

    outcomes: list[SwitchboardError | Answer] = field(default_factory=list)
    created: list[Created] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def create_message(self, parameters: dict[str, Any], *, not_after: float) -> Answer:
        return self._create("message", parameters, not_after)

    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Answer:
        return self._create("call", parameters, not_after)

    def _create(self, kind: str, parameters: dict[str, Any], not_after: float) -> Answer:
        self.created.append(Created(kind, parameters, not_after))
        self.meanwhile()
        sid = a_sid("SM" if kind == "message" else "CA")
        outcome = self.outcomes.pop(0) if self.outcomes else Answer(sid, answer={"sid": sid, "status": "queued"})
        if isinstance(outcome, SwitchboardError):
            raise outcome
        return outcome
