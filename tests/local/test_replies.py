from pathlib import Path

import pytest

from local import __main__ as console

RULES = """\
[rules.order]
prefixes = ["order"]
numbers = ["+15005550006"]
forward = "orders"
reply = "We look for {{ rest }}."
[rules.price]
words = ["price", "how much"]
media = ["https://example.com/prices.pdf"]
[rules.count]
prefixes = ["count"]
reply = "{% if rest == 'Hello' %}0{% else %}{{ rest | number }}{% endif %}"
[rules.all]
reply = ""
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "replies.toml"
    made.write_text(RULES, "utf-8")
    return made


def run(file: Path, *arguments: str) -> int:
    return console.main(["replies", *arguments, "--file", str(file), "--templates", str(file.parent / "none")])


def test_try_shows_the_rule_and_what_it_says(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "try", "Order: 4711", "--to", "+15005550006") == 0
    assert capsys.readouterr().out == "order: passes on to orders, answers\nWe look for 4711.\n"
    assert run(file, "try", "Order: 4711", "--to", "+15005550010") == 0
    assert capsys.readouterr().out == "all: answers nothing\n"
    assert run(file, "try", "How much?") == 0
    assert capsys.readouterr().out == "price: answers\nhttps://example.com/prices.pdf\n"


def test_try_takes_a_number_as_whatsapp_writes_it_and_no_other_way(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, "try", "Order 1", "--to", "whatsapp:+15005550006") == 0
    assert capsys.readouterr().out.startswith("order: ")
    assert run(file, "try", "Order 1", "--to", "\u202a+1 500\u202f555 0006\u202c") == 0
    assert capsys.readouterr().out.startswith("order: "), "what was copied along is dropped"
    assert run(file, "try", "Order 1", "--to", "+1-500-555-0006") == 1
    assert capsys.readouterr().err.startswith("--to expected a number in E.164")


def test_try_tells_of_a_reply_that_grows_too_long(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[rules.echo]\nreply = "{{ rest }}{{ rest }}"', "utf-8")
    assert run(file, "try", "x" * 800) == 0
    assert run(file, "try", "x" * 801) == 1
    assert capsys.readouterr().err == "The reply of echo is not sent: it grows beyond 1600 characters.\n"


def test_try_knows_the_words_that_come_before_all_rules(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "try", "Info") == 0
    assert "words for HELP: OPT_OUT_REPLIES says who" in capsys.readouterr().out
    assert run(file, "try", "Opt out.") == 0
    assert "words for STOP: the app answers it" in capsys.readouterr().out


def test_try_says_where_no_rule_is_for_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("", "utf-8")
    assert run(file, "try", "Hello") == 0
    assert capsys.readouterr().out.startswith("No rule is for this text")


def test_try_tells_of_a_reply_that_cannot_be_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "try", "count sheep") == 1
    assert capsys.readouterr().err.startswith("The reply of count can't be written: ")


def test_list_names_the_rules_and_whom_they_are_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "list") == 0
    assert capsys.readouterr().out.splitlines() == [
        'order: "order …" at +15005550006; passes on to orders, answers',
        'price: "price", "how much"; answers',
        'count: "count …"; answers',
        "all: every text; answers nothing",
    ]
    file.unlink()
    assert run(file, "list") == 0
    assert capsys.readouterr().out == f"There are no rules in {file}.\n"


def test_check_names_every_fault_with_its_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "check") == 0
    assert capsys.readouterr().out == f"All is well in {file}: 4 rules.\n"
    file.write_text("[rules.a]\n[rules.b]\nreply = 1\n", "utf-8")
    assert run(file, "check") == 1
    assert capsys.readouterr().err.splitlines() == [
        "replies.toml:1: a expected reply, template, media or forward, got none of them",
        "replies.toml:3: reply expected `str | null`, got `int`",
    ]


@pytest.mark.parametrize("queue", ["requests", "requests-poison", "events"])
def test_check_knows_the_queues_of_the_app(
    file: Path, queue: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTBOUND_QUEUE", "requests")
    monkeypatch.setenv("EVENTS_QUEUE", "events")
    file.write_text(f'[rules.a]\nforward = "{queue}"', "utf-8")
    assert run(file, "check") == 1
    assert capsys.readouterr().err == (
        "replies.toml:2: forward expected another queue than those of the requests and of the events\n"
    )


def test_a_file_that_cannot_be_read_is_one_sentence(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.unlink()
    file.mkdir()
    assert run(file, "check") == 1
    assert capsys.readouterr().err == f"{file} cannot be read: Is a directory.\n"
