"""The command: what is wrong with it is told first, and what fails keeps nothing else from being measured."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import __main__ as command
from bench.report import Report, Row
from bench.talking import ChildFailedError
from bench.ways import team_worker

REPORT = Report(title="A table", rows=(Row(name="a row", value=1.0, unit="ms"),))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each part is its name and a table, but for `growth`, which fails."""
    names: list[str] = []

    def part(module: str) -> SimpleNamespace:
        def measure(*, quick: bool) -> tuple[Report, ...]:
            names.append(module)
            if module == "bench.growth":
                raise ChildFailedError("a measured process ended with code 1")
            return (REPORT,)

        return SimpleNamespace(measure=measure)

    monkeypatch.setattr("importlib.import_module", part)
    return names


def test_a_part_that_fails_is_told_of_and_the_others_are_measured_and_written(
    measured: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.json"
    assert command.main(["message", "growth", "webhooks", "--json", str(file)]) == 1
    assert measured == ["bench.message", "bench.growth", "bench.webhooks"]
    written = json.loads(file.read_text())
    assert [*written] == ["message", "webhooks"]
    assert written["message"][0]["rows"][0]["name"] == "a row"
    assert "growth failed: a measured process ended" in capsys.readouterr().err


def test_all_parts_are_measured_where_none_is_named(measured: list[str]) -> None:
    assert command.main([]) == 1
    assert measured == [f"bench.{name}" for name in command.PARTS]


def test_a_file_that_can_not_be_written_is_told_before_anything_is_measured(
    measured: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--json", str(tmp_path / "nowhere" / "all.json")]) == 1
    assert measured == []
    assert "cannot go on" in capsys.readouterr().err


def test_a_wrong_name_is_answered_with_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["grwth"])
    assert f"expected one of {', '.join(command.PARTS)}, got 'grwth'" in capsys.readouterr().err


def test_a_peer_whose_packages_can_not_be_imported_is_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", nothing)
    assert team_worker.missing() == "it can't be imported: celery, kombu.transport.redis, flask, sqlalchemy"


def test_a_peer_without_redis_is_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.import_module", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert (team_worker.missing() or "").startswith("there is no redis-server on PATH")
