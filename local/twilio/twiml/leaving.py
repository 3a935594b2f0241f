"""Hangup, Redirect, Reject and Leave: how a document is left."""

from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from local.twilio.leg import Leg
from local.twilio.twiml.attributes import method, text
from local.twilio.twiml.document import Source
from local.twilio.twiml.places import Exit


async def hang_up(_line: Leg, _element: ET.Element) -> Exit:
    """Hangup: nothing comes after it. https://www.twilio.com/docs/voice/twiml/hangup."""
    return Exit()


async def redirect(line: Leg, element: ET.Element) -> Exit:
    """Redirect: on to another document, relative to this one. https://www.twilio.com/docs/voice/twiml/redirect."""
    return Exit(to=Source(url=urljoin(line.url or "", text(element)), method=method(element)))


async def reject(line: Leg, element: ET.Element) -> Exit:
    """Reject: a call that came in and was not answered ends busy or no-answer, unbilled; any other is hung up.

    https://www.twilio.com/docs/voice/twiml/reject
    """
    if line.call.status != "ringing":
        return Exit()
    return Exit(status="busy" if element.get("reason") == "busy" else "no-answer")


async def leave(_line: Leg, _element: ET.Element) -> Exit:
    """Leave: out of the queue, on to what comes after Enqueue. https://www.twilio.com/docs/voice/twiml/leave."""
    return Exit(leaves=True)
