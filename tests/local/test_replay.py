import io
import sys

import pytest

from local import __main__ as console
from tests.local.stand_in import functions


def problem(detail: str) -> dict[str, object]:
    return {"type": "about:blank", "title": "Conflict", "status": 409, "detail": detail}


def test_each_id_is_replayed_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((202, {"id": "a:1"}), (202, {"id": "b"})) as told:
        assert console.main(["replay", "a:1", "b", "--url", told.url + "/", "--key", "a key"]) == 0
    assert told.asked == [("POST", "/api/deliveries/a%3A1/replay", {}), ("POST", "/api/deliveries/b/replay", {})]
    assert told.keys == ["a key", "a key"]
    assert capsys.readouterr().out == "a:1\nb\n"


AT = "2026-02-02T12:00:00Z"


class Terminal(io.StringIO):
    """Somebody at a terminal, who has typed this."""

    def isatty(self) -> bool:
        return True


def seen(*ids: str, cursor: str | None = None, code: int | None = 30008, **left_out: list[str]) -> tuple[int, object]:
    counts = [{"status": "failed", "error_code": code, "count": len(ids)}] if ids else []
    told = {"would_replay": ids, "counts": counts, "at": AT, "left_out": left_out, "cursor": cursor}
    return 200, told


def sent(*ids: str, cursor: str | None = None, **left_out: list[str]) -> tuple[int, object]:
    return 202, {"replayed": ids, "left_out": left_out, "cursor": cursor}


def test_what_a_search_finds_is_shown_and_then_replayed_page_by_page(capsys: pytest.CaptureFixture[str]) -> None:
    search = ["--status", "failed", "--since", "2026-01-31T09:30", "--until", "2026-02-01T00:00+01:00", "--to", "+1"]
    pages = [seen("a", "b", cursor="c1"), seen("c", code=None, invalid=["x", "y"])]
    pages += [sent("a", "b", cursor="c1"), sent(cursor="c2"), sent("c", invalid=["x", "y"], replayed=["z"])]
    with functions(*pages) as told:
        assert console.main(["replay", *search, "--yes", "--by", "Ada", "--url", told.url]) == 0
    wanted = {
        "status": "failed",
        "to": "+1",
        "since": "2026-01-31T09:30:00+00:00",
        "until": "2026-02-01T00:00:00+01:00",
        "by": "Ada",
        "limit": 100,
    }
    assert [path for _, path, _ in told.asked] == ["/api/deliveries/replay"] * 5
    dry = {**wanted, "dry_run": True}
    assert [asked for _, _, asked in told.asked] == [
        dry,
        {**dry, "cursor": "c1"},
        wanted,
        {**wanted, "cursor": "c1"},
        {**wanted, "cursor": "c2"},
    ]
    shown = capsys.readouterr()
    assert shown.out.split() == ["a", "b", "c"]
    assert shown.err.splitlines() == [
        "      2  failed, 30008",
        "      1  failed",
        "3 would be sent again. Left out: 2 invalid.",
        "2 of 3 sent again …",
        "2 of 3 sent again …",
        "3 of 3 sent again …",
        "3 sent again. Left out: 2 invalid, 1 replayed.",
    ]


def test_every_filter_is_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    search = ["--from", "+2", "--error-code", "30008", "--origin", "news", "--channel", "sms", "--until", "2026-01-31"]
    with functions(seen()) as told:
        assert (
            console.main(["replay", *search, "--include", "invalid", "--include", "opted-out", "--url", told.url]) == 1
        )
    [(_, _, asked)] = told.asked
    assert asked == {
        "from": "+2",
        "error_code": 30008,
        "origin": "news",
        "channel": "sms",
        "until": "2026-01-31T23:59:59.999999+00:00",
        "include": ["invalid", "opted-out"],
        "dry_run": True,
        "limit": 100,
    }
    assert "0 would be sent again" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--dry-run", "--again"])
def test_what_is_for_a_search_sends_no_id(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with functions() as told:
        assert console.main(["replay", "order-1", option, "--url", told.url]) == 1
    assert told.asked == []
    assert "go with a search" in capsys.readouterr().err


def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with functions(seen("a", "b")) as told:
        assert console.main(["replay", "--status", "failed", "--dry-run", "--yes", "--url", told.url]) == 0
    assert len(told.asked) == 1
    assert capsys.readouterr().out.split() == ["a", "b"]


@pytest.mark.parametrize("typed", ["y\n", "YES\n"])
def test_at_a_terminal_it_asks_and_sends_what_is_confirmed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    with functions(seen("a"), sent("a")) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 0
    shown = capsys.readouterr()
    assert "Send 1 again? [y/N] " in shown.err
    assert shown.out == "a\n"
    assert told.asked[1][2]["until"] == AT, "what was made since was not confirmed"


@pytest.mark.parametrize("typed", ["", "\n", "n\n", "yellow\n"])
def test_at_a_terminal_nothing_is_sent_that_is_not_confirmed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    with functions(seen("a")) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 1
    assert len(told.asked) == 1
    assert capsys.readouterr().err.endswith("Nothing was sent.\n")


def test_without_a_terminal_nothing_is_sent_unless_yes_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with functions(seen("a")) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 1
    assert len(told.asked) == 1
    assert "there is no terminal to ask at. Add --yes" in capsys.readouterr().err


def test_what_was_replayed_before_is_asked_for_with_the_moment_of_the_preview() -> None:
    with functions(seen("a"), sent("a")) as told:
        assert console.main(["replay", "--status", "failed", "--again", "--yes", "--url", told.url]) == 0
    assert told.asked[0][2]["replayed_before"] == "9999-12-31T00:00:00Z"
    assert told.asked[1][2]["replayed_before"] == AT


def test_an_id_is_replayed_for_whoever_asks_also_to_one_who_opted_out() -> None:
    with functions((202, {"id": "a"})) as told:
        command = ["replay", "a", "--by", "Ada", "--include", "opted-out", "--url", told.url]
        assert console.main(command) == 0
    assert told.asked == [("POST", "/api/deliveries/a/replay", {"by": "Ada", "include": ["opted-out"]})]


def test_where_nothing_is_found_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with functions(seen(replayed=["a"])) as told:
        assert console.main(["replay", "--status", "failed", "--url", told.url]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "0 would be sent again. Left out: 1 replayed.",
        "Nothing was found that could be sent again.",
    ]


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
    with functions(seen("a", "b", "c", "d"), sent("a", "b", cursor="c1"), (503, failed)) as told:
        assert console.main(["replay", "--status", "failed", "--yes", "--url", told.url]) == 1
    shown = capsys.readouterr()
    assert shown.out.split() == ["a", "b", "c", "d"]
    assert "4 sent again." in shown.err
    assert "answered 503: storage does not answer now" in shown.err


@pytest.mark.parametrize("answer", [b"<html>", {}, {"replayed": "a"}])
def test_an_answer_that_is_no_page_is_told(capsys: pytest.CaptureFixture[str], answer: object) -> None:
    for pages in ([(200, answer)], [seen("a"), (202, answer)]):
        with functions(*pages) as told:
            assert console.main(["replay", "--status", "failed", "--yes", "--url", told.url]) == 1
        assert "answered something that is no page of a replay" in capsys.readouterr().err


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
        (["--channel", "sms", "--yes"], "everything at once is never replayed"),
    ],
)
def test_what_to_replay_must_be_said(capsys: pytest.CaptureFixture[str], options: list[str], sentence: str) -> None:
    assert console.main(["replay", *options]) == 1
    assert sentence in capsys.readouterr().err


def test_a_time_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        console.main(["replay", "--status", "failed", "--since", "yesterday"])
    assert "expected a time such as 2026-01-31T09:30, got 'yesterday'" in capsys.readouterr().err
