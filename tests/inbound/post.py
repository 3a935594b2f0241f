"""Texts of one person, brought to an app that has rules of its own, and a look at what became of them."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from local.twilio import Simulator
from tests.samples import webhooks
from tests.web.app import NUMBER, TOKEN, App, settings_of

OTHER = "+15005550010"
SERVICE = "MG" + "5" * 32
RULES = """
[rules.hours]
words = ["hours", "opening hours"]
reply = "Nine to five & <later>."

[rules.map]
words = ["where"]
reply = "Here."
media = ["https://example.com/map.png?a=1&b=2", "https://example.com/way.pdf"]

[rules.order]
prefixes = ["order"]
forward = "QUEUE"
reply = "We look for {{ rest }}."

[rules.claim]
prefixes = ["claim"]
forward = "QUEUE"

[rules.broken]
prefixes = ["repeat"]
reply = "{% if rest == 'Hello' %}fine{% else %}{{ rest | number }}{% endif %}"

[rules.echo]
prefixes = ["echo"]
reply = "{{ rest }}{{ rest }}"

[rules.shop]
numbers = ["+15005550010"]
words = ["hello"]
reply = "The shop."

[rules.service]
numbers = ["MG55555555555555555555555555555555"]
words = ["hello"]
reply = "The service."

[rules.yes]
words = ["yes"]
forward = "QUEUE"
reply = "Good."

[rules.thanks]
words = ["thanks"]
reply = ""
"""


class Post:
    """Posts texts of one person to an app, and looks at what became of them."""

    def __init__(self, app: App, queue: QueueClient) -> None:
        self.app, self.queue = app, queue
        self.person = webhooks.new_number()

    async def bring(
        self,
        text: str,
        *more: tuple[str, str],
        to: str = NUMBER,
        sid: str | None = None,
        sender: str | None = None,
        route: str = "sms/inbound",
        status: int = 200,
    ) -> ET.Element:
        """Bring a text as Twilio does, and return the document that answers it."""
        target = f"/api/{route}"
        sid = sid or webhooks.new_sid("SM")
        body = webhooks.encode(("MessageSid", sid), ("From", sender or self.person), ("To", to), ("Body", text), *more)
        headers = webhooks.headers(target, body, base=self.app.settings["PUBLIC_BASE_URL"])
        answer = await self.app.request("POST", target, body, headers)
        assert (answer.status, answer.content_type) == (status, "text/xml")
        return ET.fromstring(answer.body)  # noqa: S314 - what our own app wrote

    async def reply(self, text: str, *more: tuple[str, str], **how: Any) -> str | None:  # noqa: ANN401 - as `bring`
        """Return what a text is answered with."""
        return (await self.bring(text, *more, **how)).findtext("Message")

    async def noted(self, sid: str, kind: str = "reply") -> list[Any]:
        """Return what events of a kind hold."""
        events = (await self.app.delivery(sid))["events"]
        return [event["raw"] for event in events if event["kind"] == kind]

    async def passed_on(self) -> list[Any]:
        """Return what is in the queue of the other system."""
        try:
            return [json.loads(base64.b64decode(m.content)) for m in await self.queue.peek_messages(32)]
        except ResourceNotFoundError:
            return []

    @classmethod
    @asynccontextmanager
    async def open(cls, azurite: str, folder: Path) -> AsyncIterator["Post"]:
        """Load an app with these rules, and a Twilio that tells nothing of what becomes of its messages."""
        name = f"other-{uuid.uuid4().hex}"
        (folder / "replies.toml").write_text(RULES.replace("QUEUE", name), "utf-8")
        async with (
            Simulator.start(account_sid="AC" + "0" * 32, auth_token=TOKEN, pace=0) as simulator,
            App.load(
                settings_of(azurite, TWILIO_API_BASE_URL=simulator.url, PUBLIC_BASE_URL="http://127.0.0.1:1"),
                replies=folder / "replies.toml",
            ) as app,
            QueueClient.from_connection_string(azurite, name) as queue,
        ):
            yield cls(app, queue)
