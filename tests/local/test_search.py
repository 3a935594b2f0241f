import json
import subprocess
import sys
from typing import Any

import pytest

from local import __main__ as console
from tests.local.stand_in import functions


def found(delivery_id: str, **more: object) -> dict[str, Any]:
    whole = {"id": delivery_id, "status": "delivered", "direction": "outbound", "channel": "sms", "to": "+14155550100"}
    return {**whole, "from": "+15005550006", "created_at": "2026-01-31T09:30:00.5Z", "error_code": None, **more}


def page(*deliveries: dict[str, Any], cursor: str | None = None) -> tuple[int, object]:
    return 200, {"deliveries": deliveries, "cursor": cursor}


def test_deliveries_are_printed_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    failed = found("b", status="undelivered", error_code=30003)
    call = found("CA1", direction="inbound", channel="call", status="busy", to=None)
    with functions(page(found("order-1"), failed, call)) as told:
        assert console.main(["search", "--url", told.url, "--key", "a key"]) == 0
    assert told.keys == ["a key"]
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "CREATED (UTC)        STATUS       KIND     FROM          TO            ERROR  ID",
        "2026-01-31 09:30:00  delivered    sms      +15005550006  +14155550100         order-1",
        "2026-01-31 09:30:00  undelivered  sms      +15005550006  +14155550100  30003  b",
        "2026-01-31 09:30:00  busy         in call  +15005550006                       CA1",
    ]
    assert shown.err == ""


def test_every_filter_is_passed_on() -> None:
    options = ["--status", "failed", "--error-code", "30008", "--to", "+1", "--from", "+2", "--address", "+3"]
    options += ["--direction", "outbound", "--channel", "sms", "--origin", "news"]
    options += ["--since", "2026-01-31T09:30+01:00", "--until", "2026-01-31", "--limit", "7"]
    with functions(page()) as told:
        assert console.main(["search", *options, "--url", told.url]) == 0
    [(method, path, asked)] = told.asked
    assert (method, path) == ("POST", "/api/deliveries/search")
    assert asked == {
        "status": "failed",
        "error_code": 30008,
        "to": "+1",
        "from": "+2",
        "address": "+3",
        "direction": "outbound",
        "channel": "sms",
        "origin": "news",
        "since": "2026-01-31T09:30:00+01:00",
        "until": "2026-01-31T23:59:59.999999+00:00",
        "limit": 7,
    }


def test_pages_are_followed_through_empty_ones_until_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with functions(page(found("a"), cursor="c1"), page(cursor="c2"), page(found("b"))) as told:
        assert console.main(["search", "--status", "failed", "--json", "--url", told.url]) == 0
    assert [asked.get("cursor") for _, _, asked in told.asked] == [None, "c1", "c2"]
    assert {asked["status"] for _, _, asked in told.asked} == {"failed"}
    shown = capsys.readouterr()
    assert [json.loads(line)["id"] for line in shown.out.splitlines()] == ["a", "b"]
    assert shown.err == ""


def test_no_more_than_the_limit_is_asked_for_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    first = [found(f"a{number}") for number in range(100)]
    with functions(page(*first, cursor="c1"), page(found("b"), found("c"), cursor="c2")) as told:
        assert console.main(["search", "--limit", "102", "--json", "--url", told.url]) == 0
    assert [asked["limit"] for _, _, asked in told.asked] == [100, 2]
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 102
    assert shown.err == "These are the newest 102. There may be more: --limit 1020\n"


def test_a_program_gets_each_delivery_whole_as_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    delivery = found("a", metadata={"name": "Grüße\n"})
    with functions(page(delivery)) as told:
        assert console.main(["search", "--json", "--url", told.url]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [delivery]


def test_nothing_found_is_told_to_a_person_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with functions(page(), page()) as told:
        assert console.main(["search", "--url", told.url]) == 0
        assert capsys.readouterr().err == "Nothing was found.\n"
        assert console.main(["search", "--json", "--url", told.url]) == 0
        assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("answer", [b"<html>", {}, {"deliveries": "a", "cursor": None}])
def test_an_answer_that_is_no_page_is_told(capsys: pytest.CaptureFixture[str], answer: object) -> None:
    with functions((200, answer)) as told:
        assert console.main(["search", "--url", told.url]) == 1
    assert "answered something that is no page of a search" in capsys.readouterr().err


def test_a_search_that_is_refused_is_told_with_the_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((422, {"detail": "to: expected an address"})) as told:
        assert console.main(["search", "--to", "x", "--url", told.url]) == 1
    assert capsys.readouterr().err == f"{told.url} answered 422: to: expected an address\n"


def test_a_reader_who_has_enough_gets_no_traceback() -> None:
    with functions(page(*(found(f"a{number}", metadata={"text": "x" * 4000}) for number in range(100)))) as told:
        command = [sys.executable, "-m", "local", "search", "--json", "--url", told.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
    assert process.returncode == 1
