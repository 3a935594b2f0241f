"""One message: its request, its SID, and what Twilio tells of it until its final status. Pure, and free of any SDK."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

from bench.forms import ACCOUNT, NUMBER, PUBLIC, signed
from bench.stub.twilio import sid_of

Kind = Literal["text", "call"]
TO: Final = "+14155550100"
_GOES_WELL: Final[dict[Kind, tuple[str, ...]]] = {
    "text": ("sent", "delivered"),
    "call": ("initiated", "ringing", "in-progress", "completed"),
}


@dataclass(frozen=True, slots=True)
class Callback:
    """What Twilio posts: the URL, the fields, and the headers that sign both."""

    url: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def body(self) -> bytes:
        """The fields as a form."""
        return urlencode(self.fields).encode()


@dataclass(frozen=True, slots=True)
class Sample:
    """A text or a call; `number` tells it apart from all others."""

    kind: Kind
    number: str
    told: tuple[str, ...] | None = None
    """the words that Twilio tells of it; none: those of one that goes well"""

    @property
    def said(self) -> str:
        """What it says."""
        return f"Your order {self.number} is on its way."

    @property
    def document(self) -> str:
        """What a call plays."""
        return f'<?xml version="1.0" encoding="UTF-8"?><Response><Say>{self.said}</Say></Response>'

    @property
    def sid(self) -> str:
        """The SID that the stub gives it."""
        return sid_of("CA", self.document) if self.kind == "call" else sid_of("SM", self.said)

    @property
    def request(self) -> bytes:
        """The request as a producer enqueues it."""
        content = {"body": self.said} if self.kind == "text" else {"say": self.said}
        channel = "sms" if self.kind == "text" else "call"
        return json.dumps({"id": self.number, "channel": channel, "to": TO, **content}).encode()

    def callbacks(self, url: str | None = None) -> list[Callback]:
        """Return what Twilio tells, in order, at the URL that it was given; this app's own by default."""
        common = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", "From": NUMBER, "To": TO}
        words = _GOES_WELL[self.kind] if self.told is None else self.told
        if self.kind == "text":
            named = {"MessageSid": self.sid, "SmsSid": self.sid}
            told = [{**named, "MessageStatus": word, "SmsStatus": word} for word in words]
        else:
            told = [
                {
                    "CallSid": self.sid,
                    "CallStatus": word,
                    "SequenceNumber": str(place),
                    "Timestamp": f"Fri, 01 Jan 2027 00:00:0{place} +0000",
                    "CallbackSource": "call-progress-events",
                    "Direction": "outbound-api",
                }
                for place, word in enumerate(words)
            ]
        room = "sms" if self.kind == "text" else "voice"
        url = url or f"{PUBLIC}/api/{room}/status?delivery={self.number}&v=2"
        forms = [{**common, **fields} for fields in told]
        return [Callback(url, form, signed(url, form)) for form in forms]
