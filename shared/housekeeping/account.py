"""Asking Twilio whether it takes requests of this account again, where it turned them away and nobody else asks."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from shared.outbound.gate import Gate


class Asked(Protocol):
    """What asking needs of Twilio; `shared.twilio_api.TwilioApi` is the real one."""

    async def check_account(self) -> None:
        """Answer as for an account in order, or raise."""


class Account:
    """Asks while the notice stands, so that health does not wait for the next request."""

    def __init__(self, *, gate: Gate, provider: Callable[[], Asked], clock: Callable[[], datetime]) -> None:
        self._gate = gate
        self._provider = provider
        self._clock = clock

    async def ask(self, *, until: datetime) -> int:  # noqa: ARG002 - one bounded request, whatever the time
        """Ask where it is time; return how often that was."""
        return int(await self._gate.ask(lambda: self._provider().check_account(), self._clock()))
