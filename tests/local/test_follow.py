import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from local.enqueue import Sent
from local.follow import Delivery, FollowError, find_delivery, follow, read_delivery

QUEUED: dict[str, Any] = {
    "status": "queued",
    "at": "2026-01-31T09:30:00.123Z",
    "sid": "SM1",
    "error_code": None,
    "raw": {},
}
FAILED = {
    "status": "failed",
    "at": "2026-01-31T09:30:02Z",
    "sid": "SM1",
    "error_code": "30005",
    "error_message": "gone",
}
DELIVERED = {"status": "delivered", "at": "2026-01-31T09:30:01+00:00", "sid": "SM1"}


def body(*events: dict[str, Any], request: str | None = None) -> bytes:
    whole = {
        "id": "a:1",
        "channel": "sms",
        "status": events[-1]["status"],
        "attempts": 1,
        "events": events,
        "request": request,
    }
    return json.dumps(whole).encode()


@contextmanager
def functions(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Functions that give one answer after the other, the last one again and again; and what they were asked."""
    left = list(answers)
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["x-functions-key"]))
            code, content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def followed(url: str, shown: list[str]) -> Delivery | None:
    return follow({"text": partial(read_delivery, "a:1", url=url)}, show=shown.append, timeout=20)["text"]


def test_each_event_is_shown_once_from_before_the_request_is_taken_until_its_final_status() -> None:
    shown: list[str] = []
    with functions((404, b""), (200, body(QUEUED)), (200, body(QUEUED)), (200, body(QUEUED, DELIVERED))) as (url, _):
        last = followed(url, shown)
    assert last is not None
    assert last.succeeded
    assert [line.split() for line in shown] == [
        ["09:30:00.123", "text", "queued", "SM1"],
        ["09:30:01", "text", "delivered", "SM1"],
    ]


def test_a_failure_is_final_and_shown_with_its_code() -> None:
    shown: list[str] = []
    with functions((200, body(QUEUED, FAILED))) as (url, _):
        last = followed(url, shown)
    assert last is not None
    assert last.is_final
    assert not last.succeeded
    assert shown[-1].endswith("error 30005  gone")


def test_several_deliveries_are_followed_until_all_are_final() -> None:
    deliveries = {"a": [body(QUEUED), body(QUEUED, DELIVERED)], "b": [body(QUEUED), body(QUEUED), body(QUEUED, FAILED)]}

    def read(delivery_id: str) -> Delivery:
        return msgspec.json.decode(deliveries[delivery_id].pop(0), type=Delivery)

    seen = follow({"one": partial(read, "a"), "two": partial(read, "b")}, show=lambda _: None, timeout=20)
    assert {label: last and last.status for label, last in seen.items()} == {"one": "delivered", "two": "failed"}
    assert deliveries == {"a": [], "b": []}


def test_following_ends_when_time_is_over() -> None:
    with functions((200, body(QUEUED))) as (url, _):
        last = follow({"text": partial(read_delivery, "a", url=url)}, show=lambda _: None, timeout=0)["text"]
    assert last is not None
    assert not last.is_final


def test_a_refused_message_is_found_under_the_id_that_the_queue_gave_it() -> None:
    sent = Sent(request_id="a:1", message_id="message-7", request={"id": "a:1"})
    with functions((404, b""), (404, b""), (404, b""), (200, body(QUEUED))) as (url, asked):
        assert find_delivery(sent, url=url) is None
        assert find_delivery(sent, url=url) is not None
    assert [path.rpartition("/")[2] for path, _ in asked] == ["message-7", "a%3A1"] * 2


def test_a_delivery_that_was_made_for_another_request_under_the_same_id_is_not_ours() -> None:
    sent = Sent(request_id="a:1", message_id="message-7", request={"id": "a:1", "body": "mine"})
    other = body(QUEUED, request='{"id": "a:1", "body": "theirs"}')
    ours = body(QUEUED, request='{"body": "mine", "id": "a:1"}')
    with functions((404, b""), (200, other), (404, b""), (200, ours)) as (url, _):
        assert find_delivery(sent, url=url) is None
        assert find_delivery(sent, url=url) is not None


def test_the_id_is_escaped_and_the_key_is_sent_as_a_header() -> None:
    with functions((404, b"")) as (url, asked):
        assert read_delivery("a/b:1", url=url + "/", key="a key") is None
    assert asked == [("/api/deliveries/a%2Fb%3A1", "a key")]


@pytest.mark.parametrize(
    ("code", "content", "sentence"),
    [
        (401, b"", r"answered 401 when asked for a delivery \(a function key\? --key\)"),
        (500, b"", r"answered 500 when asked for a delivery$"),
        (200, b"<html>", r"answered something that is no delivery"),
        (200, b"{}", r"answered something that is no delivery"),
    ],
)
def test_an_answer_that_is_no_delivery_is_told_in_one_sentence(code: int, content: bytes, sentence: str) -> None:
    with functions((code, content)) as (url, _), pytest.raises(FollowError, match=sentence):
        read_delivery("a", url=url)


def test_functions_that_do_not_run_are_told_in_one_sentence() -> None:
    with functions((200, b"")) as (url, _):
        pass
    with pytest.raises(FollowError, match=rf"No functions answer at {url}: are they running\?"):
        read_delivery("a", url=url)
