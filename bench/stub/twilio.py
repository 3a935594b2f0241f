"""Twilio's create calls, and its word for a message or call that was made.

The SID follows from what was asked for, so that a callback can be written beforehand.

https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/voice/api/call-resource
"""

import hashlib
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec

from bench.stub.answer import Answer


def sid_of(kind: str, said: str) -> str:
    """Return the SID of the message or call that says this: `kind` is SM or CA."""
    return kind + hashlib.sha256(said.encode()).hexdigest()[:32]


def answer(method: str, path: str, body: bytes) -> Answer:
    """Answer a create call; or a question about one message or call, of which there never is any news."""
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    is_call = path.endswith("Calls.json")
    if method == "GET":
        return _answered(path, HTTPStatus.OK, path.rpartition("/")[2].removesuffix(".json"), "sent", form)
    sid = sid_of("CA", form.get("Twiml", "")) if is_call else sid_of("SM", form.get("Body", ""))
    return _answered(path, HTTPStatus.CREATED, sid, "queued", form)


def _answered(path: str, code: HTTPStatus, sid: str, status: str, form: dict[str, str]) -> Answer:
    kind = "Calls" if sid.startswith("CA") else "Messages"
    resource: dict[str, Any] = {
        "sid": sid,
        "account_sid": path.split("/")[2],
        "status": status,
        "to": form.get("To"),
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "body": form.get("Body"),
        "direction": "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "date_created": formatdate(usegmt=True),
        "date_sent": None,
        "date_updated": formatdate(usegmt=True),
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{path.split('/')[2]}/{kind}/{sid}.json",
        "subresource_uris": {},
    }
    return Answer(code, msgspec.json.encode(resource), {"Content-Type": "application/json"})
