"""What goes wrong in a soak: a seed gives all of it."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from local.faults import DROP, PASS, Action, Answer, Seen
from local.harness.requests import a_call, a_text
from local.twilio import Simulator
from local.twilio.faults import FaultName
from local.twilio.lists import Lists

COPIED = 0.1
"""the share of requests that are enqueued twice"""
MOST_EARLIER = 3
"""texts and calls that a recipient got an hour before, so that its list holds more than what is looked for"""
RECONCILE_AFTER_SECONDS = 2
LATE, LATE_SECONDS = 0.3, (0.5, 6.0)
"""the share of what Twilio has that it lists late, and how late: within what the app assumes, which is the 4 s of an
attempt and twice RECONCILE_AFTER_SECONDS"""
AFTER_THE_LOOKS = 15.0
"""seconds that callbacks are late: those in time would end most doubts before a look"""
STORAGE_FAULTS: tuple[tuple[float, Action], ...] = ((0.005, Answer(500)), (0.005, Answer(503)), (0.005, DROP))
TWILIO_FAULTS: dict[FaultName, float] = {
    "drop-after": 0.04,
    "500-after": 0.02,
    "garbage": 0.02,
    "never-after": 0.01,
    "never-before": 0.01,
    "500-before": 0.03,
    "503-before": 0.02,
    "refuse": 0.02,
    "429": 0.05,
    "401": 0.001,
    "proxy-before": 0.05,
    "proxy-after": 0.03,
    "loop": 0.01,
}


def spoil(twilio: Simulator, *, seed: int) -> None:
    """Let Twilio fail, list adversely and late, and call back in disorder."""
    twilio.faults.randomly(seed=seed, rates=TWILIO_FAULTS, on="any", retry_after=1)
    twilio.faults.callbacks(
        seed=seed, duplicate=0.1, shuffle=True, before_answer=0.02, delay=AFTER_THE_LOOKS, delayed=0.5
    )
    twilio.lists = Lists(order="adverse", seed=seed, late=LATE, late_seconds=LATE_SECONDS)


def requests_of(draws: random.Random, number: int) -> list[dict[str, Any]]:
    """Return so many requests for texts and calls, each to a recipient of its own."""
    recipients = draws.sample(range(2_000_000, 10_000_000), number)
    return [draws.choice((a_text, a_call))(to=f"+1212{recipient}") for recipient in recipients]


def give_a_past(twilio: Simulator, requests: list[dict[str, Any]], draws: random.Random) -> frozenset[str]:
    """Let recipients have had texts and calls before; return the SIDs of these."""
    return frozenset(
        twilio.sent_before(request["channel"], to=request["to"])
        for request in requests
        for _ in range(draws.randint(0, MOST_EARLIER))
    )


@dataclass(slots=True)
class Trouble:
    """A hook that spoils calls to the storage at random until it is told to stop."""

    draws: random.Random
    made: Counter[str] = field(default_factory=Counter)
    over: bool = False

    async def before(self, request: Seen) -> Action:
        """Spoil a call before the service gets it."""
        return self._draw(request)

    async def after(self, request: Seen, status: int) -> Action:  # noqa: ARG002 - the proxy's interface
        """Spoil the answer of what took effect."""
        return self._draw(request)

    def _draw(self, request: Seen) -> Action:
        if self.over or request.service == "twilio":
            return PASS
        drawn = self.draws.random()
        for rate, action in STORAGE_FAULTS:
            drawn -= rate
            if drawn < 0:
                self.made[type(action).__name__] += 1
                return action
        return PASS
