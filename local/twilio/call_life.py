"""The life of a call: it rings, is answered, plays its TwiML and ends; status callbacks tell of it.

https://www.twilio.com/docs/voice/api/call-resource#statuscallbackevent
"""

import asyncio
import contextlib
import math
from datetime import datetime
from itertools import count
from xml.etree import ElementTree as ET

import msgspec

from local.twilio.account import API_VERSION
from local.twilio.calls import DEFAULT_TIME_LIMIT, Call, Note
from local.twilio.dates import now, rfc2822
from local.twilio.forms import new_sid
from local.twilio.network import Network
from local.twilio.numbers import ANSWERED, CallEnding, country
from local.twilio.recordings import Recording, RecordingOrder, about_recording, recording_fields
from local.twilio.twiml import Heard, Source, TwimlError, parse, walk
from local.twilio.webhooks import Hook, HookError

INITIATED_AFTER = 0.1
RINGING_AFTER = 0.3
ANSWERED_AFTER = 1.0
# A second of what is heard takes a tenth of one, and nothing takes longer than half a second.
COMPRESSION = 0.1
LONGEST_WAIT = 0.5
MAX_DOCUMENTS = 50
APOLOGY = "<Response><Say>We are sorry, an application error has occurred. Goodbye.</Say></Response>"
CANCELED_SIP_CODE = 487


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a call was created with."""

    source: Source
    fallback: Source | None = None
    status_callback: Source | None = None
    events: frozenset[str] = frozenset({"completed"})
    time_limit: int = DEFAULT_TIME_LIMIT
    detect_machine: bool = False
    recording: RecordingOrder | None = None
    ending: CallEnding = ANSWERED


class Interrupted(Exception):
    """The call was hung up (to is None), or is to go on with another document."""

    def __init__(self, to: Source | None) -> None:
        self.to = to
        super().__init__()


class CallLife:
    """One call while it lives; it is the line that TwiML is played on."""

    def __init__(self, network: Network, sid: str, plan: Plan) -> None:
        self.url: str | None = None
        self._network = network
        self._sid = sid
        self._plan = plan
        self._fallback = plan.fallback
        self._mail = network.mail()
        self._sequence = count()
        self._documents = 0
        self._woken = asyncio.Event()
        self._hung_up = False
        self._next: Source | None = None

    @property
    def call(self) -> Call:
        """The call as it is now."""
        return self._network.calls[self._sid]

    async def live(self) -> None:
        """Live to the end."""
        ending = self._plan.ending
        status, sip_code = ending.status, ending.sip_code
        try:
            if self.call.direction != "inbound":
                await self._ring()
            if status == "completed":
                await self._talk()
        except Interrupted:
            status, sip_code = "canceled", CANCELED_SIP_CODE
        await self._end(status, sip_code)
        await self._mail.end()

    def hang_up(self) -> Call:
        """End the call wherever it is: completed where it was answered, canceled where it was not."""
        self._hung_up = True
        self._woken.set()
        return self._become("completed" if self.call.status == "in-progress" else "canceled")

    def redirect(self, source: Source, *, fallback: Source | None) -> Call:
        """Leave what is being played for another document."""
        self._next, self._fallback = source, fallback or self._fallback
        self._woken.set()
        return self._network.calls.change(self._sid, updated=now())

    async def hear(self, heard: Heard) -> None:
        """Add to the transcript and let the time for it pass; too long a call is hung up."""
        call = self._network.calls.change(
            self._sid,
            transcript=(*self.call.transcript, heard),
            seconds=min(self.call.seconds + heard.seconds, self._plan.time_limit),
        )
        await self._pass(min(heard.seconds * COMPRESSION, LONGEST_WAIT))
        if call.seconds >= self._plan.time_limit:
            raise Interrupted(None)

    def note(self, code: int, detail: str, url: str | None = None) -> None:
        """Keep what Twilio's debugger would show."""
        note = Note(code=code, message=detail, url=url or self.url)
        self._network.calls.change(self._sid, notes=(*self.call.notes, note))

    async def _ring(self) -> None:
        """Dial and ring, as far as this call comes; Interrupted where it is canceled meanwhile."""
        status = self._plan.ending.status
        await self._pass(INITIATED_AFTER)
        self._network.calls.change(self._sid, started=now())
        await self._tell("initiated", CallStatus="initiated")
        await self._pass(RINGING_AFTER)
        if status == "failed":
            return
        self._become("ringing")
        await self._tell("ringing")
        await self._pass(ANSWERED_AFTER)
        if status == "completed":
            by = self._plan.ending.answered_by if self._plan.detect_machine else None
            self._become("in-progress", answered_by=by)
            await self._tell("answered")

    async def _talk(self) -> None:
        """Play document after document until the call ends."""
        source: Source | None = self._plan.source
        while source is not None:
            try:
                root = await self._document(source)
                self._check()
                if self.call.status == "ringing":
                    self._become("in-progress")
                source = await walk(root, self)
            except Interrupted as interrupted:
                if self.call.status == "canceled":
                    raise
                source = interrupted.to

    async def _end(self, status: str, sip_code: int) -> None:
        if self.call.status != status:
            self._become(status)
        if status == "completed":
            self._network.calls.change(self._sid, ended=now())
        if self.call.started is None:
            return  # Twilio tells nobody of a call that was canceled while it was queued
        seconds, recording = self.call.duration, self._record()
        await self._tell(
            "completed",
            CallDuration=str(seconds),
            Duration=str(math.ceil(seconds / 60)),
            SipResponseCode=str(sip_code),
            **({} if recording is None else about_recording(self._network.account, recording)),
        )
        if recording is not None:
            await self._tell_of(recording)

    def _record(self) -> Recording | None:
        """Keep what was said, where that was asked for and somebody answered."""
        order, call = self._plan.recording, self.call
        if order is None or call.status != "completed":
            return None
        moment = now()
        return self._network.recordings.add(
            Recording(
                sid=new_sid("RE"),
                to=call.to,
                account_sid=call.account_sid,
                call_sid=call.sid,
                channels=order.channels,
                seconds=call.duration,
                started=call.answered or moment,
                created=moment,
            )
        )

    async def _tell_of(self, recording: Recording) -> None:
        callback = self._plan.recording and self._plan.recording.callback
        if callback:
            fields = recording_fields(self._network.account, recording)
            await self._mail.post(
                Hook(url=callback.url or "", fields=tuple(fields.items()), method=callback.method, voice=True)
            )

    async def _document(self, source: Source) -> ET.Element:
        """Fetch a document, or the fallback's, or what a caller hears when there is none."""
        try:
            return await self._fetch(source)
        except (HookError, TwimlError) as exc:
            self.note(exc.code, str(exc), source.url)
            error = {"ErrorCode": str(exc.code), "ErrorUrl": source.url or ""}
        if self._fallback is not None:
            try:
                return await self._fetch(self._fallback, **error)
            except (HookError, TwimlError) as exc:
                self.note(exc.code, str(exc), self._fallback.url)
        return parse(APOLOGY)

    async def _fetch(self, source: Source, **more: str) -> ET.Element:
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            raise TwimlError(11200, f"more than {MAX_DOCUMENTS} documents in one call: do they redirect in a loop?")
        if source.twiml is not None:
            root, self.url = parse(source.twiml), None
            return root
        fields = _fields(self.call) | more
        hook = Hook(url=source.url or "", fields=tuple(fields.items()), method=source.method, voice=True)
        answer = await self._network.webhooks.send(hook)
        root = parse(answer.body, content_type=answer.content_type)
        self.url = answer.url
        return root

    async def _tell(self, event: str, **more: str) -> None:
        """Make the status callback of an event, where it was asked for; what comes of it is in the log."""
        callback = self._plan.status_callback
        if callback is None or event not in self._plan.events:
            return
        fields = _fields(self.call) | {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(next(self._sequence)),
            "Timestamp": rfc2822(now()),
        }
        hook = Hook(url=callback.url or "", fields=tuple((fields | more).items()), method=callback.method, voice=True)
        await self._mail.post(hook)

    async def _pass(self, seconds: float) -> None:
        """Let time pass; Interrupted as soon as somebody changes the call."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds * self._network.pace):
                await self._woken.wait()
        self._check()

    def _check(self) -> None:
        if self._hung_up:
            raise Interrupted(None)
        if self._next is not None:
            source, self._next = self._next, None
            self._woken.clear()
            raise Interrupted(source)

    def _become(self, status: str, **changes: str | datetime | None) -> Call:
        moment = now()
        history = (*self.call.history, (status, moment))
        return self._network.calls.change(self._sid, status=status, history=history, updated=moment, **changes)


def _fields(call: Call) -> dict[str, str]:
    fields = {
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "Called": call.to,
        "Caller": call.from_,
        "Direction": call.direction,
        "From": call.from_,
        "To": call.to,
    }
    for side, address in (("Called", call.to), ("Caller", call.from_), ("From", call.from_), ("To", call.to)):
        # Twilio sends these blank where it does not know them, and its signature covers the blanks.
        fields |= {f"{side}City": "", f"{side}State": "", f"{side}Zip": "", f"{side}Country": country(address)}
    if call.answered_by:
        fields["AnsweredBy"] = call.answered_by
    return fields
