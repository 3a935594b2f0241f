import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local import __main__ as console
from local import asking
from local.tail import WATCHED, tail
from tests.local.stand_in import functions

QUEUED = {"status": "queued", "at": "2026-01-31T09:30:00.123Z", "sid": "SM1", "raw": {}}
SENT = {"status": "sent", "at": "2026-01-31T09:30:01Z", "sid": "SM1", "raw": {}}
DELIVERED = {"status": "delivered", "at": "2026-01-31T09:30:02Z", "sid": "SM1", "raw": {"MessageStatus": "delivered"}}


def page(**states: str) -> tuple[int, object]:
    """The newest deliveries first, each with its status."""
    return 200, {"deliveries": [{"id": name, "status": status} for name, status in states.items()], "cursor": None}


def timeline(name: str, *events: dict[str, Any]) -> tuple[int, object]:
    return 200, {"id": name, "status": events[-1]["status"], "events": events}


def looks(count: int) -> Callable[[], None]:
    """Pauses between this many looks, the first not counted; then somebody presses Ctrl-C."""
    left = [None] * count

    def pause() -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()

    return pause


def tailed(count: int, *answers: tuple[int, object], as_json: bool = False) -> list[tuple[str, str, Any]]:
    with functions(*answers) as told:
        with pytest.raises(KeyboardInterrupt):
            tail({}, functions=asking.Functions(told.url, None), as_json=as_json, pause=looks(count))
        assert told.answers == [], "all were asked for"
    return told.asked


def test_each_event_that_is_recorded_from_now_on_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    tailed(
        3,
        *(page(a="queued"), timeline("a", QUEUED)),
        *(page(b="queued", a="sent"), timeline("a", QUEUED, SENT), timeline("b", QUEUED)),
        page(b="queued", a="sent"),
        *(page(b="queued", a="delivered"), timeline("a", QUEUED, SENT, DELIVERED)),
    )
    shown = capsys.readouterr()
    assert [line.split() for line in shown.out.splitlines()] == [
        ["09:30:01", "a", "sent", "SM1"],
        ["09:30:00.123", "b", "queued", "SM1"],
        ["09:30:02", "a", "delivered", "SM1"],
    ]
    assert shown.err == "Watching: Ctrl-C stops.\n"


def test_an_event_that_came_late_and_stands_before_others_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    tailed(
        1,
        *(page(a="delivered"), timeline("a", QUEUED, DELIVERED)),
        *(page(a="read"), timeline("a", QUEUED, SENT, DELIVERED, {**DELIVERED, "status": "read"})),
    )
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["sent", "read"]


def test_a_program_gets_each_event_whole_as_a_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    tailed(1, page(), page(a="delivered"), timeline("a", DELIVERED), as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"id": "a", "event": DELIVERED}]


def test_what_is_no_longer_among_the_newest_is_forgotten() -> None:
    asked = tailed(2, page(a="queued"), timeline("a", QUEUED), page(), page(a="queued"), timeline("a", QUEUED))
    searches = [document for method, _, document in asked if method == "POST"]
    assert len(searches) == 3


def test_only_the_newest_deliveries_are_watched() -> None:
    full = 200, {"deliveries": [{"id": f"a{number}"} for number in range(100)], "cursor": "there is more"}
    with functions(*[full] * (WATCHED // 100), (503, {})) as told:
        assert console.main(["tail", "--url", told.url]) == 1, "the first timeline is not answered"
    assert [method for method, _, _ in told.asked] == [*["POST"] * (WATCHED // 100), "GET"]


def test_functions_that_restart_are_told_of_once_and_asked_again(capsys: pytest.CaptureFixture[str]) -> None:
    unavailable = (503, {"detail": "storage does not answer now"})
    tailed(4, page(), unavailable, unavailable, *(page(a="queued"), timeline("a", QUEUED)), unavailable)
    shown = capsys.readouterr()
    assert [line.split()[2] for line in shown.out.splitlines()] == ["queued"]
    assert [line.partition(" answered ")[2] for line in shown.err.splitlines()[1:]] == [
        "503: storage does not answer now Trying again."
    ] * 2


def test_what_was_printed_before_a_look_failed_half_way_is_not_printed_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tailed(
        2,
        page(),
        *(page(b="queued", a="queued"), timeline("a", QUEUED), (503, {})),
        *(page(b="queued", a="queued"), timeline("b", QUEUED)),
    )
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["a", "b"]


def test_functions_that_do_not_answer_at_first_are_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((401, b"")) as told:
        assert console.main(["tail", "--url", told.url]) == 1
    assert capsys.readouterr().err == f"{told.url} answered 401 (a function key? --key)\n"


def test_filters_are_passed_on_and_the_last_minutes_are_the_default() -> None:
    def asked_for(*options: str) -> Any:  # noqa: ANN401 - a JSON document
        with functions((401, b"")) as told:
            assert console.main(["tail", *options, "--url", told.url]) == 1
        [(_, path, document)] = told.asked
        assert path == "/api/deliveries/search"
        return document

    filters = ["--to", "+1", "--from", "+2", "--address", "+3", "--direction", "inbound", "--channel", "call"]
    assert asked_for(*filters, "--origin", "news", "--since", "2026-01-31") == {
        "to": "+1",
        "from": "+2",
        "address": "+3",
        "direction": "inbound",
        "channel": "call",
        "origin": "news",
        "since": "2026-01-31T00:00:00+00:00",
        "limit": 100,
    }
    since = datetime.fromisoformat(asked_for()["since"])
    assert timedelta(minutes=9) < datetime.now(UTC) - since < timedelta(hours=1)
