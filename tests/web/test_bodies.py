"""A body that did not arrive is refused, and never taken for a request without one.

The Functions host drops a body that comes without a Content-Length; the embedded host drops it, too.
"""

import asyncio
import json
from http import HTTPStatus
from urllib.parse import urlsplit

import azure.functions as func
import pytest

from tests.samples import webhooks
from tests.web import problems
from tests.web.app import App, Door, Served, load, settings_of
from tests.web.storage import nobody

NEED_ONE = ("send", "deliveries/search", "deliveries/replay", "schedules", "consents", "consents/search")
NEED_NONE = ("deliveries/some-id/replay", "schedules/some-id/pause", "schedules/some-id/resume")
CHUNKED = {"Transfer-Encoding": "chunked"}


def _posted(level: func.AuthLevel) -> list[str]:
    """Return the path of each route that takes POST and has this level."""
    triggers = [function.get_trigger() for function in load(settings_of(nobody())).app.get_functions()]
    return [
        trigger.route.replace("{id}", "some-id").replace("{name}", "message")
        for trigger in triggers
        if trigger.get_binding_name() == "httpTrigger"
        and trigger.auth_level == level
        and "POST" in {str(getattr(method, "value", method)) for method in trigger.methods or ()}
    ]


PEOPLES, TWILIOS = _posted(func.AuthLevel.FUNCTION), _posted(func.AuthLevel.ANONYMOUS)


async def _lose(door: Door, route: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    """Post a body in chunks, of which the app gets nothing."""
    arrives = body if isinstance(door, Served) else b""
    answer = await door.request("POST", f"/api/{route}", arrives, {**CHUNKED, **(headers or {})})
    return answer.status, answer.body


def test_the_routes_are_these() -> None:
    assert {*NEED_ONE, *NEED_NONE} <= set(PEOPLES)
    assert "sms/inbound" in TWILIOS


@pytest.mark.parametrize("route", PEOPLES)
async def test_a_chunked_body_is_refused_on_every_route(door: Door, route: str) -> None:
    status, body = await _lose(door, route, b"{}")
    assert status == HTTPStatus.LENGTH_REQUIRED
    assert json.loads(body)["detail"] == (
        "expected a body with a Content-Length, got one with Transfer-Encoding, which does not arrive on Azure"
    )


@pytest.mark.parametrize("route", NEED_ONE)
async def test_an_empty_body_is_refused_where_one_is_needed(door: Door, route: str) -> None:
    faults = problems.check(await door.request("POST", f"/api/{route}"), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert faults == {"request": "expected a JSON object, got an empty body"}


@pytest.mark.parametrize("route", NEED_ONE)
async def test_a_request_that_announces_no_body_at_all_is_refused_where_one_is_needed(
    served: Served, route: str
) -> None:
    """As `curl -X POST` without data: no Content-Length, and no Transfer-Encoding."""
    head, body = await _post_nothing(served, route)
    assert head.split()[1] == b"411"
    assert json.loads(body)["detail"] == "expected a body with a Content-Length, got neither"


@pytest.mark.parametrize("route", NEED_NONE)
async def test_a_route_that_needs_no_body_takes_a_request_without_one(served: Served, route: str) -> None:
    head, body = await _post_nothing(served, route)
    assert head.split()[1] == b"404", "there is no such delivery or schedule"
    assert json.loads(body)["detail"].startswith("there is no ")


async def test_a_lost_search_replays_nothing(app: App, door: Door) -> None:
    """It named one recipient: without its body it would be a search for all of them."""
    message_id = await app.take(b'{"id": "unusable", "channel": "sms", "to": "12", "body": "Hello"}')
    status, _ = await _lose(door, "deliveries/replay", b'{"to": "+14155550199", "status": "rejected"}')
    assert status == HTTPStatus.LENGTH_REQUIRED
    assert (await app.delivery(message_id))["status"] == "rejected"


@pytest.mark.parametrize("route", TWILIOS)
async def test_a_webhook_whose_form_did_not_arrive_is_refused_and_the_log_says_why(
    door: Door, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Even with a signature that fits what did arrive. Twilio sends a Content-Length; a proxy may take it off."""
    form = webhooks.encode(("MessageSid", webhooks.new_sid("SM")), ("From", webhooks.new_number()))
    headers = webhooks.headers(f"/api/{route}", b"")
    assert await _lose(door, route, form, headers) == (HTTPStatus.FORBIDDEN, b"")
    assert "expected a form with a Content-Length, got one with Transfer-Encoding" in caplog.text


async def _post_nothing(served: Served, route: str) -> tuple[bytes, bytes]:
    """Post without a body and without a word about its length; return the head and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(served.url).port)
    writer.write(f"POST /api/{route} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body
