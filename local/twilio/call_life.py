"""The life of a call: it rings, is answered, plays its TwiML and ends; status callbacks tell of it.

https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
"""

import math
from itertools import count
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from local.twilio.calls import DEFAULT_RING_LIMIT, DEFAULT_TIME_LIMIT, ENDED, Call, Detection
from local.twilio.dates import now, rfc2822
from local.twilio.leg import MAX_DOCUMENTS, Leg
from local.twilio.network import Network
from local.twilio.people import ANSWERED, UNANSWERED, Outcome, Person
from local.twilio.presence import COMPRESSION, LONGEST_WAIT, Interrupted
from local.twilio.recordings import Recording, RecordingOrder, about_recording
from local.twilio.tapes import keep, tell
from local.twilio.twiml import Source, TwimlError, parse
from local.twilio.webhooks import Hook, HookError

INITIATED_AFTER = 0.1
RINGING_AFTER = 0.3
ANSWERED_AFTER = 1.0
DETECTED_AFTER_MS = 3500
APOLOGY = "<Response><Say>We are sorry, an application error has occurred. Goodbye.</Say></Response>"
CANCELED = Outcome("canceled", 487)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a call was created with, and who is at its end."""

    source: Source | None = None
    fallback: Source | None = None
    status_callback: Source | None = None
    events: frozenset[str] = frozenset({"completed"})
    time_limit: int = DEFAULT_TIME_LIMIT
    ring_limit: int = DEFAULT_RING_LIMIT
    detection: Detection | None = None
    recording: RecordingOrder | None = None
    person: Person = Person()


class CallLife(Leg):
    """One call while it lives."""

    def __init__(self, network: Network, sid: str, plan: Plan, **more: Any) -> None:  # noqa: ANN401 - those of a Leg
        super().__init__(network, sid, person=plan.person, time_limit=plan.time_limit, **more)
        self._plan = plan
        self._fallback = plan.fallback
        self._mail = network.mail()
        self._sequence = count()
        self._documents = 0
        self._rejected: str | None = None

    async def live(self) -> None:
        """Live to the end."""
        outcome = ANSWERED
        try:
            if self.call.direction != "inbound":
                outcome = await self._ring()
            if outcome.status == "completed":
                await self._talk(self._plan.source)
        except Interrupted:
            outcome = CANCELED
        if self._rejected is not None:
            outcome = Outcome(self._rejected, 486 if self._rejected == "busy" else 603)
        await self._end(outcome)
        await self._mail.end()

    def redirect(self, source: Source, *, fallback: Source | None) -> Call:
        """Leave what is being played for another document."""
        self._fallback = fallback or self._fallback
        self.interrupt(Interrupted(source))
        return self.change(updated=now())

    async def _ring(self) -> Outcome:
        """Dial and ring, as far as this call comes; Interrupted where it is canceled meanwhile."""
        await self.rest(INITIATED_AFTER)
        self.change(started=now())
        await self._tell("initiated", CallStatus="initiated")
        await self.rest(RINGING_AFTER)
        if self.person.answers == "failed":
            return self.person.outcome
        self.become("ringing")
        await self._tell("ringing")
        outcome = await self._pick_up()
        if outcome.status == "completed":
            await self._answered()
        return outcome

    async def _pick_up(self) -> Outcome:
        """What the person does when the telephone rings."""
        if self.person.answers == "live":
            return await self._decide(self._plan.ring_limit)
        rings = self.person.after
        await self.rest(ANSWERED_AFTER if rings is None else min(rings * COMPRESSION, LONGEST_WAIT))
        return UNANSWERED if self.person.rings > self._plan.ring_limit else self.person.outcome

    async def _decide(self, ring_limit: int) -> Outcome:
        limit = ring_limit if self.person.real_time else None
        while await self.wait_for(self.peek, seconds=limit, scaled=False):
            act = self.take()
            if act.answer:
                return ANSWERED
            if act.decline or act.silence:
                return Person(answers="declined" if act.decline else "no-answer").outcome
        return UNANSWERED

    async def _answered(self) -> None:
        detection = self._plan.detection
        found = detection.finds(self.person.answered_by) if detection and detection.waits else None
        self.become("in-progress", answered_by=found)
        await self._tell("answered")

    async def _detect(self) -> None:
        """Tell who answered, where the call does not wait for that."""
        detection = self._plan.detection
        if detection is None or detection.waits or self.call.answered_by is not None:
            return
        call = self.change(answered_by=detection.finds(self.person.answered_by))
        if detection.callback is None:
            self.note(21262, "machine detection has no AsyncAmdStatusCallback to tell of what it finds")
            return
        fields = {
            "AccountSid": call.account_sid,
            "CallSid": call.sid,
            "AnsweredBy": call.answered_by or "",
            "MachineDetectionDuration": str(DETECTED_AFTER_MS),
        }
        callback = detection.callback
        await self._mail.post(
            Hook(url=callback.url or "", fields=tuple(fields.items()), method=callback.method, voice=True)
        )

    async def _talk(self, source: Source | None) -> None:
        """Play document after document until the call ends."""
        while source is not None:
            try:
                root = await self._document(source)
                self.check()
                await self._detect()
                left = await self.walk(root)
                self._rejected = left.status if left is not None else None
                if self._rejected is None:
                    self.answer()
                source = left.to if left is not None else None
            except Interrupted as interrupted:
                if interrupted.to is None and self.call.status != "in-progress":
                    raise
                source = interrupted.to

    async def _end(self, outcome: Outcome) -> None:
        if self.call.status not in ENDED:
            self.become(outcome.status)
        if outcome.status == "completed":
            self.change(ended=now())
        if self.call.started is None:
            return  # Twilio tells nobody of a call that was canceled while it was queued
        seconds, recording = self.call.duration, self._record()
        await self._tell(
            "completed",
            CallDuration=str(seconds),
            Duration=str(math.ceil(seconds / 60)),
            SipResponseCode=str(outcome.sip_code),
            **({} if recording is None else about_recording(self.network.account, recording)),
        )
        if recording is not None and self._plan.recording is not None:
            await tell(self, self._mail, self._plan.recording, recording)

    def _record(self) -> Recording | None:
        """Keep what was said, where that was asked for and somebody answered."""
        order, call = self._plan.recording, self.call
        if order is None or call.status != "completed":
            return None
        return keep(self, order, seconds=call.duration, started=call.answered)

    async def _document(self, source: Source) -> ET.Element:
        """Fetch a document, or the fallback's, or what a caller hears when there is none."""
        try:
            return await self._counted(source)
        except (HookError, TwimlError) as exc:
            self.note(exc.code, str(exc), source.url)
            error = {"ErrorCode": str(exc.code), "ErrorUrl": source.url or ""}
        if self._fallback is not None:
            try:
                return await self._counted(self._fallback, **error)
            except (HookError, TwimlError) as exc:
                self.note(exc.code, str(exc), self._fallback.url)
        return parse(APOLOGY)

    async def _counted(self, source: Source, **more: str) -> ET.Element:
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            raise TwimlError(11200, f"more than {MAX_DOCUMENTS} documents in one call: do they redirect in a loop?")
        return await self.fetch(source, **more)

    async def _tell(self, event: str, **more: str) -> None:
        """Make the status callback of an event, where it was asked for; what comes of it is in the log."""
        callback = self._plan.status_callback
        if callback is None or event not in self._plan.events:
            return
        progress = {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(next(self._sequence)),
            "Timestamp": rfc2822(now()),
        }
        await self._mail.post(self.hook(callback, **progress | more))
