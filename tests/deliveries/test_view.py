import json

import msgspec
from hypothesis import given

from shared.deliveries import view
from shared.deliveries.record import Delivery
from shared.deliveries.search import Page
from tests.deliveries.samples import SID, a_delivery, an_event, deliveries


def test_a_delivery_is_shown_with_its_request_and_its_timeline() -> None:
    shown = json.loads(msgspec.json.encode(view.of_delivery(a_delivery(metadata={"a": "b"}), [an_event("sent")])))
    assert shown["id"] == "order-1"
    assert shown["from"] == "+14155550199"
    assert shown["metadata"] == {"a": "b"}
    assert shown["request"] == '{"id":"order-1"}'
    assert [(event["status"], event["sid"]) for event in shown["events"]] == [("sent", SID)]


def test_a_request_that_is_no_text_is_shown_all_the_same() -> None:
    assert view.of_delivery(a_delivery(request=b"\xff{"), [])["request"] == "\ufffd{"


def test_what_the_app_needs_for_itself_is_not_shown() -> None:
    shown = str(view.of_delivery(a_delivery(version="W/etag", account="AC1"), []))
    inners = ("token-1", "hash-1", "W/etag", "deadline", "sequence", "AC1", "looked_at", "unowned_since")
    assert not [inner for inner in inners if inner in shown]


@given(deliveries)
def test_every_delivery_can_be_shown(delivery: Delivery) -> None:
    page = json.loads(msgspec.json.encode(view.of_page(Page((delivery,), "next"))))
    assert (page["deliveries"][0]["status"], page["cursor"]) == (delivery.status, "next")
    assert "request" not in page["deliveries"][0]
    assert json.loads(msgspec.json.encode(view.of_delivery(delivery, [])))["id"] == delivery.id
