"""The texts that a call's steps send: enqueued once each, and within the cap of their recipient."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from shared.inbound.replies.quota import Quota
from shared.outbound import internal
from shared.outbound.request import LONGEST_ADDRESS, LONGEST_BODY
from shared.queues import Queue
from shared.voice.flows.turn import Happened, TextToSend

_TOLD_APART: Final = 8
"""characters of a SID"""


class CallTexts:
    """Enqueues the texts of calls. Errors of the storage pass through as azure.core's."""

    def __init__(self, *, queue: Queue, quota: Quota, most: int, clock: Callable[[], datetime]) -> None:
        """`most` is REPLIES_PER_HOUR."""
        self._queue = queue
        self._quota = quota
        self._most = most
        self._clock = clock

    async def send(self, text: TextToSend, *, origin: str, sid: str, is_awake: bool) -> Happened | None:
        """Enqueue a text; return what happened if its recipient's cap holds it back.

        A turn that Twilio repeats sends the same text again, under the same id: it is counted once and sent once.

        Args:
            text: of a step.
            origin: the delivery of the call.
            sid: of the call.
            is_awake: whether the recipient is on the phone, so that quiet hours don't hold the text back.
        """
        # a delivery may be called more than once: each of its calls has texts of its own
        call = "" if sid == origin else f"{sid[-_TOLD_APART:]}."
        text_id = f"{origin}~{call}{text.key}"
        if text.is_capped and not await self._quota.take(text.to, text_id=text_id, at=self._clock(), most=self._most):
            problem = f"nobody was texted: the recipient had {self._most} replies and texts of calls within the hour"
            return Happened(key=f"{text.key}-cap", what={**text.told, "problem": problem})
        request = _request(text, is_awake=is_awake)
        await self._queue.put(internal.write(internal.Derived(id=text_id, origin=origin, request=request)))
        return None


def _request(text: TextToSend, *, is_awake: bool) -> dict[str, Any]:
    # one character more than fits: it is refused with that reason, on record, and every queue takes it
    request: dict[str, Any] = {
        "channel": "sms",
        "to": text.to[: LONGEST_ADDRESS + 1],
        "body": text.body[: LONGEST_BODY + 1],
    }
    # who is on the phone is awake: quiet hours would keep the text until it is of no use
    return {**request, "urgent": True} if is_awake else request
