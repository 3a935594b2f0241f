"""Calls in the flows of tests: what Twilio posts in each turn, and the documents read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from shared.voice.twiml import check
from tests.samples import webhooks
from tests.web.app import NUMBER, PUBLIC_BASE_URL, Answer, Door

FLOWS = Path(__file__).parent / "flows"
LINE, FLOWLESS = "+15005550020", "+15005550010"
PERSON, AGENT = "+14155550177", "+15005550177"
INBOUND = "/api/voice/inbound"


@dataclass(frozen=True, slots=True)
class Document:
    """What a caller is given."""

    root: ET.Element

    @property
    def verbs(self) -> list[str]:
        """The names of the verbs, in order."""
        return [verb.tag for verb in self.root]

    @property
    def said(self) -> list[str]:
        """All that is said, within other verbs too."""
        return [say.text or "" for say in self.root.iter("Say")]

    def next(self, tag: str, attribute: str | None = None) -> str:
        """The raw path and query of a URL that the document has, and that is this app's."""
        [element] = self.root.iter(tag)
        return target_of((element.text if attribute is None else element.get(attribute)) or "")


def target_of(url: str) -> str:
    """The raw path and query of a URL of the app; Twilio keeps the fragment for itself."""
    assert url.startswith(f"{PUBLIC_BASE_URL}/api/"), url
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def read(answer: Answer) -> Document:
    """Make sure that an answer is one that Twilio can use, and read it."""
    assert (answer.status, answer.content_type) == (200, "text/xml"), answer
    check(answer.body.decode())
    return Document(ET.fromstring(answer.body))  # noqa: S314 - what our own app wrote


@dataclass(frozen=True, slots=True)
class Phone:
    """A call as Twilio tells of it, turn by turn."""

    door: Door
    sid: str = field(default_factory=lambda: webhooks.new_sid("CA"))
    ends: Mapping[str, str] = field(default_factory=lambda: {"From": PERSON, "To": LINE, "Direction": "inbound"})

    @classmethod
    def called_by(cls, door: Door) -> "Phone":
        """A call that this app made."""
        return cls(door, ends={"From": NUMBER, "To": PERSON, "Direction": "outbound-api"})

    async def post(self, target: str, **told: str) -> Answer:
        """Post what Twilio tells; what is blank isn't told."""
        fields = {"CallSid": self.sid, "CallStatus": "in-progress", **self.ends, **told}
        body = webhooks.encode(*((name, value) for name, value in fields.items() if value))
        return await self.door.request("POST", target, body, webhooks.headers(target, body))

    async def turn(self, target: str, **told: str) -> Document:
        """Post it, and read the document that comes back."""
        return read(await self.post(target, **told))

    async def delivery(self, delivery_id: str | None = None) -> Any:  # noqa: ANN401 - a JSON document
        """The call, or another delivery, as it is on record."""
        return (await self.door.request("GET", f"/api/deliveries/{delivery_id or self.sid}")).json()

    async def told(self, delivery_id: str | None = None) -> list[dict[str, Any]]:
        """What happened in flows, as it is on record, without the flow's name."""
        events = (await self.delivery(delivery_id))["events"]
        return [{k: v for k, v in each["raw"].items() if k != "flow"} for each in events if each["kind"] == "flow"]
