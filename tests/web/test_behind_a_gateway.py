"""An app behind a gateway, such as API Management, that takes a path of its own off and passes the rest on."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree as ET

import pytest

from tests.samples import webhooks
from tests.samples.calls import FLOWS, INBOUND, LINE, PERSON
from tests.web.app import Answer, App, settings_of

ORIGIN, PATH = "https://gateway.example", "/switchboard"


@pytest.fixture(scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    async with App.load(settings_of(azurite, PUBLIC_BASE_URL=f"{ORIGIN}{PATH}/"), flows=FLOWS) as app:
        yield app


async def posted(app: App, url: str, sid: str, *, signed: str | None = None, **told: str) -> Answer:
    """Post to a URL as Twilio does; the gateway passes it on."""
    assert url.startswith(f"{ORIGIN}{PATH}/api/"), url
    body = webhooks.encode(("CallSid", sid), ("From", PERSON), ("To", LINE), *told.items())
    headers = webhooks.headers("", body, base=signed or url)
    return await app.request("POST", url.removeprefix(f"{ORIGIN}{PATH}"), body, headers)


async def test_a_call_goes_from_step_to_step_through_the_gateway(app: App) -> None:
    sid = webhooks.new_sid("CA")
    answer = await posted(app, f"{ORIGIN}{PATH}{INBOUND}", sid, CallStatus="ringing", Direction="inbound")
    assert answer.status == 200
    [gather] = ET.fromstring(answer.body).iter("Gather")  # noqa: S314 - what our own app wrote
    following = await posted(app, gather.attrib["action"], sid, CallStatus="in-progress", Digits="9")
    assert (following.status, b"You said 9." in following.body) == (200, True)


async def test_a_signature_over_the_url_behind_the_gateway_is_refused(app: App) -> None:
    """Twilio signs the URL that it was given."""
    behind = f"{ORIGIN}{INBOUND}"
    answer = await posted(app, f"{ORIGIN}{PATH}{INBOUND}", webhooks.new_sid("CA"), signed=behind)
    assert answer.status == 403
