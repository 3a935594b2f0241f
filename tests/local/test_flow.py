from pathlib import Path

import pytest

from local import __main__ as console

LINE = """\
answers = ["+15005550006", "*"]
[steps.hello]
say = "Hello"
next = "bye"
[steps.bye]
hangup = true
"""
ALERT = """\
[values]
service = "text"
count = { type = "integer", default = 1 }
[steps.bye]
hangup = true
say = "{{ service }} {{ count }}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "flows"
    made.mkdir()
    (made / "line.toml").write_text(LINE, "utf-8")
    (made / "alert.toml").write_text(ALERT, "utf-8")
    return made


def run(folder: Path, *arguments: str) -> int:
    return console.main(["flow", *arguments, "--folder", str(folder)])


def test_show_prints_a_diagram(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "show", "line") == 0
    out = capsys.readouterr().out
    assert out.startswith("flowchart TD\n")
    assert '    s0 -->|"next"| s1\n' in out


def test_show_says_which_flows_there_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "show", "lien") == 1
    assert capsys.readouterr() == ("", "flow: expected one of alert, line, got 'lien'\n")


def test_list_names_the_flows_and_who_meets_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "alert: 1 step, for calls that a request makes",
        "  service: text",
        "  count: integer, may be left out",
        "line: 2 steps, answers +15005550006, any other number",
    ]
    assert run(folder / "none", "list") == 0
    assert capsys.readouterr().out == f"There are no call flows in {folder / 'none'}.\n"


def test_check_is_content_with_good_flows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "check") == 0
    assert capsys.readouterr().out == f"All is well in {folder}: 2 call flows, 3 steps.\n"


def test_check_names_every_fault_with_its_file_and_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "line.toml").write_text(LINE.replace('"bye"', '"by"'), "utf-8")
    (folder / "other.toml").write_text('answers = ["*"]\n\n[steps.x]\nsay = "x"\nnext = "x"\n', "utf-8")
    assert run(folder, "check") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "line.toml:4: next expected the name of a step, there is no 'by'",
        "other.toml:3: x comes back to itself: nobody is asked, and it never ends",
    ]
