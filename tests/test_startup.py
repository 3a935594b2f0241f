"""What is said when the app can't be loaded."""

import logging
import os
import re

import pytest

from shared.errors import Fault, SettingsInvalid
from shared.startup import faults_told


def test_every_line_of_a_fault_is_one_line(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Azure's host makes one record of each line on stderr."""
    with pytest.raises(SettingsInvalid), faults_told():
        raise SettingsInvalid("the settings can't be used", [Fault("A", "expected one\ntwo")])
    [record] = caplog.records
    assert record.levelno == logging.CRITICAL
    assert record.getMessage() == "the app can't be loaded: the settings can't be used: A: expected one two"
    assert capsys.readouterr().err == f"{record.getMessage()}\n"


def test_an_error_that_nobody_foresaw_is_told_by_its_place_and_not_by_its_words(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyError), faults_told():
        os.environ["A_SECRET"]
    err = capsys.readouterr().err
    assert re.search(r"KeyError at startup\.py:\d+ > test_startup\.py:\d+ > ", err)
    assert caplog.records[0].getMessage() == err.strip()
    assert "A_SECRET" not in caplog.text + err


def test_a_file_that_cannot_be_opened_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileNotFoundError), faults_told():
        open("no-such-file", encoding="utf-8")  # noqa: PTH123, SIM115 - the file is not there
    assert capsys.readouterr().err.endswith(": no-such-file\n")


def test_nothing_is_said_where_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with faults_told():
        pass
    assert capsys.readouterr().err == ""
