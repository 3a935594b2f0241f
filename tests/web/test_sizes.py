"""One caller's large or deep body is refused before it costs the others anything."""

import json
from http import HTTPStatus

import azure.functions as func
import pytest

from shared.web.answers import LARGEST_BODY
from tests.web import problems
from tests.web.app import App, Door, load, settings_of
from tests.web.storage import nobody

BODIES = ("send", "deliveries/search", "deliveries/replay", "schedules", "consents", "consents/search")
READ_NO_BODY = {"health", "health/details"}
TEXT = {"channel": "sms", "to": "+14155550100", "body": "Hello"}


def _routes() -> list[tuple[str, str]]:
    """Return method and path of each route that a function key opens."""
    functions = load(settings_of(nobody())).app.get_functions()
    triggers = [function.get_trigger() for function in functions]
    return [
        (method.value if hasattr(method, "value") else method, trigger.route)
        for trigger in triggers
        if trigger.get_binding_name() == "httpTrigger" and trigger.auth_level == func.AuthLevel.FUNCTION
        for method in trigger.methods or ()
    ]


ROUTES = [(method, route.replace("{id}", "some-id")) for method, route in _routes() if route not in READ_NO_BODY]


def test_the_routes_are_those_of_people() -> None:
    assert {("POST", route) for route in BODIES} < set(ROUTES)
    assert len(ROUTES) > len(BODIES)


@pytest.mark.parametrize(("method", "route"), ROUTES)
async def test_a_body_that_is_too_large_is_refused_with_the_limit_and_its_size(
    door: Door, method: str, route: str
) -> None:
    # no UTF-8 and no JSON: whoever decodes it answers something else
    answer = await door.request(method, f"/api/{route}", b"\xff" * (LARGEST_BODY + 1))
    problems.check(answer, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    assert answer.json()["detail"] == f"expected a body of at most {LARGEST_BODY} bytes, got {LARGEST_BODY + 1}"


async def test_a_body_within_the_limit_is_read_and_told_which_smaller_bound_it_passes(app: App) -> None:
    request = {**TEXT, "id": "order-1", "to": "+1415", "data": {"emoji": ""}}
    room = 30_000 - len(json.dumps(request))
    body = json.dumps({**request, "data": {"emoji": "\U0001f600" * room}}, ensure_ascii=False).encode()
    assert len(body) <= LARGEST_BODY
    errors = problems.check(await app.request("POST", "/api/send", body), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert errors["request"] == f"expected at most 49152 bytes, which is what a queue carries, got {len(body)}"
    body = body.replace(b'"data"', b' "data"')
    errors = problems.check(await app.request("POST", "/api/send", body), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert errors == {"request": "expected at most 30000 characters, got 30001"}


@pytest.mark.parametrize("depth", [99, 100, 300, 500, *range(800, 1100, 7), 5_000, 50_000])
@pytest.mark.parametrize("inner", ["[]", '{"a":}'])
async def test_a_body_that_is_nested_however_deep_is_a_fault_and_no_failure(app: App, depth: int, inner: str) -> None:
    opening, closing = inner[:-1], inner[-1]
    nested = opening * depth + "1" + closing * depth
    if len(nested) > LARGEST_BODY - 1_000:
        nested = opening * depth
    for route in BODIES:
        body = json.dumps({**TEXT, "data": ...}, default=str).replace('"Ellipsis"', nested).encode()
        answer = await app.request("POST", f"/api/{route}", body)
        assert answer.status in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}, answer
