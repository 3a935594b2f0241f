from pathlib import Path

import pytest

from local.host.errors import HostError
from local.host.settings import read_local_settings, resolve


def read(folder: Path, text: str) -> dict[str, str]:
    (folder / "local.settings.json").write_text(text, encoding="utf-8")
    return read_local_settings(folder)


def test_the_values_are_read(tmp_path: Path) -> None:
    assert read(tmp_path, '\ufeff{"IsEncrypted": false, "Values": {"A": "1"}, "Host": {}}') == {"A": "1"}


@pytest.mark.parametrize("text", ["{}", '{"Values": {}}'])
def test_a_file_may_hold_no_values(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {}


def test_a_folder_may_hold_no_file(tmp_path: Path) -> None:
    assert read_local_settings(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{,}", "is not valid JSON: .+ in line 1"),
        ('{"Values": {}}\n}', "is not valid JSON: .+ in line 2"),
        ("[]", "must hold an object, not an array"),
        ('{"IsEncrypted": true, "Values": {"A": "secret"}}', "IsEncrypted must be false"),
        ('{"Values": ["secret"]}', "Values must be an object, not an array"),
        ('{"Values": {"A": {"b": "secret"}}}', "the value of A must be a string, not an object"),
        ('{"Values": {"A": 1}}', "the value of A must be a string, not a number"),
        ('{"Values": {"A": null}}', "the value of A must be a string, not null"),
        ('{"Values": {"A": true}}', "the value of A must be a string, not a boolean"),
    ],
)
def test_a_broken_file_is_one_sentence_without_its_values(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(HostError, match=f"^local.settings.json:? {sentence}") as caught:
        read(tmp_path, text)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_between_percent_signs_are_replaced() -> None:
    assert resolve("a-%B%-%C%", settings={"B": "1", "C": "2"}, where="x") == "a-1-2"


@pytest.mark.parametrize("settings", [{}, {"B": ""}])
def test_a_name_that_is_not_set_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(HostError, match=r"^the queue needs the setting B, which is not set$"):
        resolve("%B%", settings=settings, where="the queue")
