"""The record of a call that lives: what is remembered of it, and what every request about it says."""

from typing import Any

from local.twilio.account import API_VERSION
from local.twilio.calls import ENDED, Call, Note
from local.twilio.dates import now
from local.twilio.network import Network
from local.twilio.numbers import country
from local.twilio.twiml import Heard


class RecordOfCall:
    """A call as the network remembers it; `url` is that of the document that is being played."""

    def __init__(self, network: Network, sid: str) -> None:
        self.network = network
        self.url: str | None = None
        self._sid = sid

    @property
    def sid(self) -> str:
        """The call's SID."""
        return self._sid

    @property
    def clock(self) -> float:
        """How many simulated seconds the call has lasted."""
        return self.call.seconds

    @property
    def over(self) -> bool:
        """Whether the call has ended."""
        return self.call.status in ENDED

    @property
    def call(self) -> Call:
        """The call as it is now."""
        return self.network.calls[self._sid]

    def change(self, **changes: Any) -> Call:  # noqa: ANN401 - the fields of a call are of any type
        """Change the call as it is remembered, and let everybody know who watches."""
        call = self.network.calls.change(self._sid, **changes)
        self.network.touch()
        return call

    def become(self, status: str, **changes: object) -> Call:
        """Change its status."""
        moment = now()
        return self.change(status=status, history=(*self.call.history, (status, moment)), updated=moment, **changes)

    def answer(self) -> None:
        """Pick up a call that came in; nothing happens where that was done."""
        if self.call.status == "ringing":
            self.become("in-progress")

    def finish(self) -> None:
        """Complete a call that the person hung up, before its last verb is reported."""
        if self.call.status == "in-progress":
            self.become("completed")

    def note(self, code: int, detail: str, url: str | None = None) -> None:
        """Keep what Twilio's debugger would show."""
        self.change(notes=(*self.call.notes, Note(code=code, message=detail, url=url or self.url)))

    def did(self, kind: str, what: str, seconds: float = 0.0) -> None:
        """Add to the transcript."""
        self.change(transcript=(*self.call.transcript, Heard(kind=kind, what=what, seconds=seconds)))


def call_fields(call: Call) -> dict[str, str]:
    """What every request about a call says: https://www.twilio.com/docs/voice/twiml#request-parameters."""
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
    known = {
        "AnsweredBy": call.answered_by,
        "CallerName": call.caller_name,
        "ForwardedFrom": call.forwarded_from,
        "ParentCallSid": call.parent_sid,
    }
    return fields | {name: value for name, value in known.items() if value}
