"""Status callbacks on their way to the app: in order and once each, or in the disorder that is asked for.

Twilio promises neither order nor once: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from random import Random
from typing import Annotated, Any

import msgspec

from local.twilio.webhooks import Hook, HookError, Webhooks

Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Disorder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong with status callbacks, at random with a seed.

    `duplicate` and `lose` are the rates of callbacks that come twice or not at all. `shuffle` and `reverse` hold
    those of a message or a call back until it has ended, and then change their order. `delayed` is the share of
    messages and calls (all, if left out) whose callbacks come `delay` seconds late each; `pace` does not scale them.
    `before_answer` is the rate of creates that are answered only after all callbacks have been; true is 1.0.
    Callbacks with a delay are not waited for.
    """

    seed: int = 0
    duplicate: Rate = 0.0
    lose: Rate = 0.0
    shuffle: bool = False
    reverse: bool = False
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    delayed: Rate = 1.0
    before_answer: bool | Rate = 0.0


class Disordered:
    """A disorder at work: its row of random decisions."""

    def __init__(self, disorder: Disorder) -> None:
        self._disorder = disorder
        self._draws = Random(disorder.seed)  # noqa: S311 - no secret, and it has to repeat

    def delay(self) -> float:
        """How many seconds late the callbacks of the next message or call come."""
        disorder = self._disorder
        return disorder.delay if disorder.delay and self._draws.random() < disorder.delayed else 0.0

    @property
    def holds(self) -> bool:
        """Whether callbacks are held back until their message or call has ended."""
        return self._disorder.shuffle or self._disorder.reverse

    def copies(self) -> int:
        """How often the next callback comes."""
        if self._draws.random() < self._disorder.lose:
            return 0
        return 2 if self._draws.random() < self._disorder.duplicate else 1

    def order(self, held: list[Hook]) -> list[Hook]:
        """In which order those come that were held back."""
        if self._disorder.shuffle:
            return self._draws.sample(held, len(held))
        return held[::-1] if self._disorder.reverse else held

    def answer_waits(self) -> bool:
        """Whether the next create is answered only after its callbacks."""
        return self._draws.random() < self._disorder.before_answer


class Mail:
    """The callbacks of one message or call; what comes of them is in the log of webhooks."""

    def __init__(
        self,
        webhooks: Webhooks,
        disordered: Disordered,
        *,
        begin: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._webhooks = webhooks
        self._disordered = disordered
        self._begin = begin
        self._held: list[Hook] = []
        self._delay = disordered.delay()

    async def post(self, hook: Hook) -> None:
        """Make a callback, and wait until it is answered, or given up."""
        if self._disordered.holds:
            self._held.append(hook)
        else:
            await self._deliver(hook)

    async def end(self) -> None:
        """Make the callbacks that were held back."""
        for hook in self._disordered.order(self._held):
            await self._deliver(hook)

    async def _deliver(self, hook: Hook) -> None:
        for _ in range(self._disordered.copies()):
            if self._delay:
                self._begin(self._late(hook))
            else:
                await self._send(hook)

    async def _late(self, hook: Hook) -> None:
        await asyncio.sleep(self._delay)
        await self._send(hook)

    async def _send(self, hook: Hook) -> None:
        with contextlib.suppress(HookError):
            await self._webhooks.send(hook)
