import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import __main__ as console
from local import settings_file
from local.harness.ports import free_port
from local.parts import CoreToolsMissingError, Places, choose_host
from local.ways_in import ways_in

ROOT = Path(__file__).parents[2]


def free_ports() -> tuple[int, int, int]:
    """A port for the functions, one for the simulator, and the first of three in a row for the storage."""
    while True:
        first, second, storage, *neighbours = (free_port() for _ in range(5))
        if neighbours == [storage + 1, storage + 2]:
            return first, second, storage


@pytest.fixture
def places(tmp_path: Path) -> Places:
    port, twilio_port, storage_port = free_ports()
    return Places(port=port, twilio_port=twilio_port, storage_port=storage_port, home=tmp_path)


def options_of(places: Places) -> list[str]:
    ports = ["--port", str(places.port), "--twilio-port", str(places.twilio_port)]
    return [*ports, "--storage-port", str(places.storage_port), "--home", str(places.home), "--host", "embedded"]


@contextmanager
def running(places: Places, *more: str) -> Iterator[subprocess.Popen[str]]:
    # The settings that this machine's developer made do not matter here: set to nothing, they count as not set. Those
    # of the call flows stay: `run` starts the developer's own app, whose flows may need them.
    read = settings_file.read() if settings_file.SETTINGS.exists() else {}
    own = [name for name in read if not name.startswith("FLOW_")]
    with subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-m", "local", "run", *options_of(places), *more],
        cwd=ROOT,
        env={**os.environ, **dict.fromkeys(own, "")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def nobody_listens(places: Places) -> bool:
    try:
        places.require_free_ports()
    except Exception:  # noqa: BLE001 - whatever it is, it says that somebody does
        return False
    return True


def test_run_once_brings_a_text_and_a_call_to_their_final_status_and_leaves_nothing(places: Places) -> None:
    old = places.data / "old"
    places.data.mkdir(parents=True)
    old.touch()
    with running(places, "--once", "--reset") as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert not old.exists()
    assert [line.split()[1:3] for line in output.splitlines() if "delivered" in line] == [["text", "delivered"]]
    assert [line.split()[1:3] for line in output.splitlines() if "completed" in line] == [["call", "completed"]]
    assert nobody_listens(places)
    assert places.data.is_dir()


def test_run_shows_the_ways_in_and_stays_up_until_ctrl_c_which_leaves_nothing(places: Places) -> None:
    with running(places) as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line)
            if line.startswith("Ctrl-C"):
                break
        assert f"  health     {places.functions_url}/api/health\n" in shown
        assert not nobody_listens(places)
        process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert nobody_listens(places)


@pytest.mark.parametrize(
    ("option", "offset", "wanted_by"),
    [
        ("--port", 0, "the functions host"),
        ("--twilio-port", 0, "the Twilio simulator"),
        ("--storage-port", 0, "Azurite's blob service"),
        ("--storage-port", 2, "Azurite's table service"),
    ],
)
def test_a_busy_port_is_told_by_what_wanted_it_and_the_option_for_another(
    places: Places, capsys: pytest.CaptureFixture[str], option: str, offset: int, wanted_by: str
) -> None:
    arguments = options_of(places)
    port = int(arguments[arguments.index(option) + 1]) + offset
    with socket.create_server(("127.0.0.1", port)):
        code = console.main(["run", *arguments])
    assert code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Port {port} is busy, and {wanted_by} needs it: ")
    assert f"choose another port with {option}." in error
    assert error.count("\n") == 1


def test_what_is_started_is_stopped_when_another_part_does_not_start(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAX_CALL_SECONDS", "for ever")
    assert console.main(["run", *options_of(places)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("The functions host ended with code 1 before it was ready; its last lines:")
    assert "MAX_CALL_SECONDS" in error
    assert nobody_listens(places)


def test_core_tools_are_used_where_they_are_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_host(None) == "embedded"
    with pytest.raises(CoreToolsMissingError, match="`func` is not on PATH"):
        choose_host("func")
    func = tmp_path / ("func.bat" if sys.platform == "win32" else "func")
    func.touch(mode=0o755)
    assert choose_host(None) == "func"
    assert choose_host("embedded") == "embedded"


def test_the_ways_in_lead_to_a_set_on_other_ports(tmp_path: Path) -> None:
    usual = ways_in(Places(port=7071, twilio_port=7080, storage_port=10000, home=tmp_path))
    assert '--body "Hello" --follow\n' in usual
    other = ways_in(Places(port=7171, twilio_port=7180, storage_port=11000, home=tmp_path))
    assert "--follow --storage-port 11000 --url http://127.0.0.1:7171\n" in other
