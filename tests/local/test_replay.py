import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local import __main__ as console


@dataclass
class Functions:
    """Functions that give one answer after the other, and what they were asked."""

    answers: list[tuple[int, bytes]]
    url: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)


@contextmanager
def functions(*answers: tuple[int, object]) -> Iterator[Functions]:
    told = Functions([(code, what if isinstance(what, bytes) else json.dumps(what).encode()) for code, what in answers])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.asked.append((self.path, json.loads(body)))
            told.keys.append(self.headers["x-functions-key"])
            code, content = told.answers.pop(0)
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def problem(detail: str) -> dict[str, object]:
    return {"type": "about:blank", "title": "Conflict", "status": 409, "detail": detail}


def test_each_id_is_replayed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((202, {"id": "a:1"}), (202, {"id": "b"})) as told:
        assert console.main(["replay", "a:1", "b", "--url", told.url + "/", "--key", "a key"]) == 0
    assert told.asked == [("/api/deliveries/a%3A1/replay", {}), ("/api/deliveries/b/replay", {})]
    assert told.keys == ["a key", "a key"]
    assert capsys.readouterr().out == "a:1\nb\n"


def test_all_that_a_search_finds_is_replayed_page_by_page(capsys: pytest.CaptureFixture[str]) -> None:
    pages = [
        (202, {"replayed": ["a", "b"], "cursor": "c1"}),
        (202, {"replayed": [], "cursor": "c2"}),
        (202, {"replayed": ["c"], "cursor": None}),
    ]
    search = ["--status", "failed", "--since", "2026-01-31T09:30", "--until", "2026-02-01T00:00+01:00", "--to", "+1"]
    with functions(*pages) as told:
        assert console.main(["replay", *search, "--url", told.url]) == 0
    wanted = {
        "status": "failed",
        "to": "+1",
        "since": "2026-01-31T09:30:00+00:00",
        "until": "2026-02-01T00:00:00+01:00",
        "limit": 100,
    }
    assert [path for path, _ in told.asked] == ["/api/deliveries/replay"] * 3
    assert [asked for _, asked in told.asked] == [wanted, {**wanted, "cursor": "c1"}, {**wanted, "cursor": "c2"}]
    assert capsys.readouterr().out.split() == ["a", "b", "c"]


def test_where_nothing_is_found_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((202, {"replayed": [], "cursor": None})) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 1
    assert capsys.readouterr().out == "Nothing was found that could be sent again.\n"


@pytest.mark.parametrize(
    ("code", "answer", "sentence"),
    [
        (409, problem("expected one of failed, it is delivered"), " answered 409: expected one of failed, it is d"),
        (404, problem("there is no delivery with this id"), " answered 404: there is no delivery with this id"),
        (401, b"", " answered 401 (a function key? --key)"),
        (500, b"<html>", " answered 500\n"),
    ],
)
def test_what_can_not_be_replayed_is_told_in_one_sentence(
    capsys: pytest.CaptureFixture[str], code: int, answer: object, sentence: str
) -> None:
    with functions((202, {"id": "a"}), (code, answer), (202, {"id": "c"})) as told:
        assert console.main(["replay", "a", "b", "c", "--url", told.url]) == 1
    shown = capsys.readouterr()
    assert shown.out == "a\nc\n", "it goes on with the others"
    assert shown.err.startswith("b: ")
    assert sentence in shown.err
    assert shown.err.count("\n") == 1


def test_what_was_replayed_before_storage_failed_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {**problem("storage does not answer now"), "replayed": ["c", "d"]}
    with functions((202, {"replayed": ["a", "b"], "cursor": "c1"}), (503, failed)) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 1
    shown = capsys.readouterr()
    assert shown.out.split() == ["a", "b", "c", "d"]
    assert "answered 503: storage does not answer now" in shown.err


@pytest.mark.parametrize("answer", [b"<html>", {}, {"replayed": "a"}])
def test_an_answer_that_is_no_page_is_told(capsys: pytest.CaptureFixture[str], answer: object) -> None:
    with functions((202, answer)) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 1
    assert "answered something that is no page of a search" in capsys.readouterr().err


def test_functions_that_do_not_run_are_told_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with functions() as told:
        pass
    assert console.main(["replay", "a", "--url", told.url]) == 1
    assert capsys.readouterr().err == f"No functions answer at {told.url}: are they running?\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Expected ids, or --status or --to"),
        (["a", "--status", "failed"], "Expected ids, or --status or --to"),
        (["--since", "2026-01-31"], "everything at once is never replayed"),
    ],
)
def test_what_to_replay_must_be_said(capsys: pytest.CaptureFixture[str], options: list[str], sentence: str) -> None:
    assert console.main(["replay", *options]) == 1
    assert sentence in capsys.readouterr().err


def test_a_time_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        console.main(["replay", "--status", "failed", "--since", "yesterday"])
    assert "expected a time such as 2026-01-31T09:30, got 'yesterday'" in capsys.readouterr().err
