"""What the app tells itself, and what only looks like it."""

import json

import pytest

from shared.errors import RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.enqueue import prepare
from tests.fakes import make_settings

REQUEST = {"channel": "sms", "to": "+14155550100", "body": "Hello"}


@pytest.mark.parametrize(
    "written",
    [
        internal.Wake("order-1"),
        internal.FollowUp("order-1~2", tries=3),
        internal.Derived(id="news~20260303T0900Z", origin="news", request=REQUEST),
    ],
)
def test_what_is_written_is_read_back(written: internal.Internal) -> None:
    assert internal.read(internal.write(written)) == written


@pytest.mark.parametrize(
    "document",
    [
        {"switchboard": "wake", "id": "a/b"},
        {"switchboard": "wake", "id": ""},
        {"switchboard": "wake", "id": "x" * 3000},
        {"switchboard": "wake", "id": "order-1", "typo": 1},
        {"switchboard": "derived", "id": "order-1", "origin": "news", "request": REQUEST},
        {"switchboard": "derived", "id": "news", "origin": "news", "request": REQUEST},
        {"switchboard": "derived", "id": "news~a/b", "origin": "news", "request": REQUEST},
        {"switchboard": "something else", "id": "order-1"},
        {**REQUEST, "id": "order-1", "metadata": {"switchboard": "wake"}},
        ["switchboard"],
    ],
)
def test_what_the_app_would_not_write_is_no_message_of_its_own(document: object) -> None:
    assert internal.read(json.dumps(document).encode()) is None


def test_over_http_nobody_speaks_as_the_app_itself() -> None:
    forged = internal.write(internal.Derived(id="news~20260303T0900Z", origin="news", request=REQUEST))
    with pytest.raises(RequestInvalid) as caught:
        prepare(forged, rules=Rules(make_settings()))
    assert [fault.field for fault in caught.value.faults] == ["switchboard"]
