from pathlib import Path

import pytest

from local import environment, settings_file
from local.settings_file import SettingsFileError


def test_the_values_of_the_example_are_read() -> None:
    values = settings_file.read(settings_file.EXAMPLE)
    assert values["FUNCTIONS_WORKER_RUNTIME"] == "python"


def test_the_example_is_copied_where_there_is_no_file_and_never_over_one(tmp_path: Path) -> None:
    path = tmp_path / "local.settings.json"
    assert settings_file.ensure(path)
    path.write_text('{"Values": {"MINE": "kept"}}', "utf-8")
    assert not settings_file.ensure(path)
    assert settings_file.read(path) == {"MINE": "kept"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{\n  "Values": {"A" "secret"}\n}', r"broken: line 2, column 18: "),
        (b"", r"broken: line 1, column 1: "),
        (b"\xff\xfe", r"broken: it is not UTF-8"),
        (b"[]", r'broken: expected an object with an object "Values"'),
        (b'{"IsEncrypted": false}', r'broken: expected an object with an object "Values"'),
        (b'{"Values": ["secret"]}', r'broken: expected an object with an object "Values"'),
        (b'{"Values": {"A": 4711}}', r'broken: the value of "A" must be a string'),
        (b'{"IsEncrypted": true, "Values": {"A": "secret"}}', r"is encrypted: run `func settings decrypt`"),
    ],
)
def test_a_broken_file_is_told_by_name_and_place_without_its_values(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "local.settings.json"
    path.write_bytes(content)
    with pytest.raises(SettingsFileError, match=rf"^local\.settings\.json (is )?{sentence}") as caught:
        settings_file.read(path)
    assert "secret" not in str(caught.value)
    assert "4711" not in str(caught.value)


def test_the_parts_never_meet_the_real_twilio_whatever_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_API_BASE_URL", "https://api.twilio.com")
    monkeypatch.setenv("AzureWebJobsStorage__queueServiceUri", "https://real.queue.core.windows.net")
    values = {
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "a real token",
        "TWILIO_API_KEY_SID": "SK" + "1" * 32,
        "TWILIO_MESSAGING_SERVICE_SID": "MG" + "1" * 32,
        "AzureWebJobsStorage__accountName": "real",
    }
    env = environment.for_parts(
        storage="the emulator", twilio_url="http://127.0.0.1:1", functions_url="http://127.0.0.1:2", values=values
    )
    assert env["TWILIO_API_BASE_URL"] == "http://127.0.0.1:1"
    assert env["PUBLIC_BASE_URL"] == "http://127.0.0.1:2"
    assert env["AzureWebJobsStorage"] == "the emulator"
    assert env["TWILIO_ACCOUNT_SID"] == "AC" + "0" * 32
    assert env["TWILIO_AUTH_TOKEN"] == "the-simulator-takes-this-token"
    assert env["TWILIO_API_KEY_SID"] == "SK" + "0" * 32
    for name in ("TWILIO_MESSAGING_SERVICE_SID", "AzureWebJobsStorage__accountName"):
        assert env[name] == ""
    assert env["AzureWebJobsStorage__queueServiceUri"] == ""


def test_the_queue_of_the_environment_goes_before_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTBOUND_QUEUE", raising=False)
    assert environment.outbound_queue({}) == "outbound"
    assert environment.outbound_queue({"OUTBOUND_QUEUE": "mine"}) == "mine"
    monkeypatch.setenv("OUTBOUND_QUEUE", "theirs")
    assert environment.outbound_queue({"OUTBOUND_QUEUE": "mine"}) == "theirs"
