"""One message: its request, its SID, and what Twilio tells of it until its final status. Pure, and free of any SDK."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlencode

from bench.stub.twilio import sid_of

Kind = Literal["text", "call"]
ACCOUNT: Final = "AC" + "0" * 32
TOKEN: Final = "a made-up token"  # noqa: S105 - the stub asks for none
FROM: Final = "+15005550006"
TO: Final = "+14155550100"
PUBLIC: Final = "https://switchboard.example"
_GOES_WELL: Final[dict[Kind, tuple[str, ...]]] = {
    "text": ("sent", "delivered"),
    "call": ("initiated", "ringing", "in-progress", "completed"),
}


@dataclass(frozen=True, slots=True)
class Callback:
    """What Twilio posts: the URL, the fields, and the signature of both."""

    url: str
    fields: tuple[tuple[str, str], ...]
    signature: str

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
        common = (("AccountSid", ACCOUNT), ("ApiVersion", "2010-04-01"), ("From", FROM), ("To", TO))
        words = _GOES_WELL[self.kind] if self.told is None else self.told
        if self.kind == "text":
            named = (("MessageSid", self.sid), ("SmsSid", self.sid))
            told = [[*named, ("MessageStatus", word), ("SmsStatus", word)] for word in words]
        else:
            told = [
                [
                    ("CallSid", self.sid),
                    ("CallStatus", word),
                    ("SequenceNumber", str(place)),
                    ("Timestamp", f"Fri, 01 Jan 2027 00:00:0{place} +0000"),
                    ("CallbackSource", "call-progress-events"),
                    ("Direction", "outbound-api"),
                ]
                for place, word in enumerate(words)
            ]
        room = "sms" if self.kind == "text" else "voice"
        url = url or f"{PUBLIC}/api/{room}/status?delivery={self.number}"
        return [Callback(url, (*common, *fields), _signature(url, (*common, *fields))) for fields in told]


def _signature(url: str, fields: tuple[tuple[str, str], ...]) -> str:
    """Sign as https://www.twilio.com/docs/usage/webhooks/webhooks-security has it."""
    text = url + "".join(name + value for name, value in sorted(fields))
    return base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
