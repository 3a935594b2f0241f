"""The TwiML interpreter of texts: which replies a document asks for, and where it goes on.

https://www.twilio.com/docs/messaging/twiml
"""

from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import msgspec

from local.twilio.forms import is_url
from local.twilio.messages import MAX_BODY, MAX_MEDIA
from local.twilio.twiml import Source


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One Message verb; `to` and `from_` are None where it does not name them."""

    body: str
    media: tuple[str, ...] = ()
    to: str | None = None
    from_: str | None = None
    status_callback: str | None = None


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What a document says: its replies, where it redirects to, what is wrong in it (code and detail)."""

    replies: list[Reply]
    redirect: Source | None
    faults: list[tuple[int, str]]


def read(root: ET.Element, *, url: str) -> Script:
    """Read a document that came from `url`; nothing after a Redirect is reached."""
    replies: list[Reply] = []
    faults: list[tuple[int, str]] = []
    for element in root:
        if element.tag == "Redirect":
            method = "GET" if element.get("method", "").upper() == "GET" else "POST"
            target = Source(url=urljoin(url, (element.text or "").strip()), method=method)
            return Script(replies=replies, redirect=target, faults=faults)
        if element.tag in {"Message", "Say"}:  # text/plain is read as something to say
            reply = _reply(element, url=url)
            fault = _fault(reply)
            faults.extend([fault] if fault else [])
            replies.extend([] if fault else [reply])
        else:
            faults.append((12200, f"<{element.tag}> is no verb that a message knows"))
    return Script(replies=replies, redirect=None, faults=faults)


def _reply(element: ET.Element, *, url: str) -> Reply:
    bodies = [child.text or "" for child in element if child.tag == "Body"] or [element.text or ""]
    media = [urljoin(url, (child.text or "").strip()) for child in element if child.tag == "Media"]
    # `action` is the older name of what `statusCallback` is now.
    callback = element.get("statusCallback") or element.get("action")
    return Reply(
        body="".join(bodies).strip(),
        media=tuple(media),
        to=element.get("to"),
        from_=element.get("from"),
        status_callback=urljoin(url, callback) if callback else None,
    )


def _fault(reply: Reply) -> tuple[int, str] | None:
    if not (reply.body or reply.media):
        return 14103, "a <Message> has neither a body nor media"
    if len(reply.body) > MAX_BODY:
        return 21617, f"a <Message> has {len(reply.body)} characters, more than {MAX_BODY}"
    if len(reply.media) > MAX_MEDIA or not all(is_url(medium) for medium in reply.media):
        return 21620, f"a <Message> has more than {MAX_MEDIA} media, or one that is no URL"
    return None
