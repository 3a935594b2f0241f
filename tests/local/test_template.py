import json
from pathlib import Path

import pytest

from local import __main__ as console

SMS = """\
---
channel = "sms"
[values]
name = "text"
count = { type = "integer", default = 1 }
--- en ---
Hello {{ name }}: {{ count }}
--- de ---
Hallo {{ name }}: {{ count }}
"""
BOTH = """\
---
channel = ["sms", "call"]
[say]
de = { voice = "Polly.Vicki", language = "de-DE" }
--- de ---
Achtung
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "templates"
    made.mkdir()
    (made / "hello.txt").write_text(SMS, "utf-8")
    (made / "alarm.txt").write_text(BOTH, "utf-8")
    return made


def run(folder: Path, *arguments: str) -> int:
    return console.main(["template", *arguments, "--folder", str(folder)])


def test_render_prints_the_text_and_what_it_takes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "render", "hello", "--data", '{"name": "[Ada]"}') == 0
    assert capsys.readouterr().out == ("Hello [Ada]: 1\n\nsms, en: GSM-7, 14 characters, 16 units, 1 segment\n")


def test_render_reads_its_data_from_a_file_and_takes_a_locale(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder.parent / "data.json"
    file.write_text("\ufeff" + json.dumps({"name": "Zoë", "count": 2}, ensure_ascii=False), "utf-8")
    assert run(folder, "render", "hello", "--data", f"@{file}", "--locale", "de-AT") == 0
    assert capsys.readouterr().out.startswith("Hallo Zoë: 2\n\nsms, de: UCS-2, 12 characters, 12 units, 1 segment\n")


def test_render_says_what_forces_ucs_2_and_what_plain_would_save(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "render", "hello", "--data", json.dumps({"name": "“" + "x" * 80 + "\u200b"})) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "sms, en: UCS-2, 91 characters, 91 units, 2 segments",
        "UCS-2 because of “ U+201C LEFT DOUBLE QUOTATION MARK, U+200B ZERO WIDTH SPACE",
        "`plain = true` makes it GSM-7, 1 segment",
    ]


def test_render_promises_nothing_of_plain_where_it_does_not_help(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "render", "hello", "--data", '{"name": "“😀”"}') == 0
    out = capsys.readouterr().out
    assert "😀 U+1F600 GRINNING FACE" in out
    assert "plain" not in out


def test_render_shows_how_a_call_speaks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "render", "alarm", "--channel", "call") == 0
    assert capsys.readouterr().out == "Achtung\n\ncall, de: 7 characters, voice Polly.Vicki, language de-DE\n"
    assert run(folder, "render", "alarm") == 0
    assert "sms, de: GSM-7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (["render", "helo"], "template: expected one of alarm, hello, got 'helo'\n"),
        (
            ["render", "hello", "--channel", "call"],
            "data.name: is required: a text\ntemplate: hello is for sms, and this is call\n",
        ),
        (
            ["render", "hello", "--data", '{"name": 1, "x": 2}'],
            "data.x: is no value of this template, which takes name, count\ndata.name: expected a text, got a number\n",
        ),
        (
            ["render", "hello", "--data", "{"],
            "--data is no JSON: line 1, column 2: Expecting property name enclosed in double quotes.\n",
        ),
        (
            ["render", "hello", "--data", "[]"],
            '--data holds no values: expected a JSON object such as {"name": "Ada"}.\n',
        ),
        (["render", "hello", "--data", "@nowhere.json"], "nowhere.json cannot be read: No such file or directory.\n"),
    ],
)
def test_what_cannot_be_rendered_is_said_in_sentences(
    arguments: list[str], sentences: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, *arguments) == 1
    assert capsys.readouterr() == ("", sentences)


def test_list_names_the_templates_and_their_values(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "alarm: sms and call, in de",
        "hello: sms, in en, de",
        "  name: text",
        "  count: integer, may be left out",
    ]
    assert run(folder / "none", "list") == 0
    assert capsys.readouterr().out == f"There are no templates in {folder / 'none'}.\n"


def test_check_is_content_with_good_templates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "check") == 0
    assert capsys.readouterr().out == f"All is well in {folder}: 2 templates, 3 texts.\n"


def test_check_names_every_fault_with_its_file_and_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "hello.txt").write_text(SMS.replace("{{ count }}\n---", "{{ cuont }}\n---"), "utf-8")
    (folder / "Alarm.md").write_text("", "utf-8")
    assert run(folder, "check") == 1
    assert capsys.readouterr().err.splitlines() == [
        "Alarm.md:1: expected a file with a name such as order-shipped.txt: small letters, digits, - and _",
        "hello.txt:7: cuont is not among the values",
    ]
