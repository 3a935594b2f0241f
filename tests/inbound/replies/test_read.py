"""The file of rules: what it may say, and every fault with its line."""

from pathlib import Path

import pytest

from shared.errors import Fault
from shared.inbound.replies.library import Replies, RepliesInvalid
from shared.inbound.replies.rules import Reply
from shared.text.templates.library import Templates
from shared.text.templates.plain import Plain
from tests.web.app import CONTENT

AWAY = """\
---
channel = "sms"
[values]
back = "text"
day = { type = "date", default = 2026-12-24 }
--- en ---
We are back on {{ back }}, {{ day | date }}.
--- de ---
Wir sind {{ back }} zurück, {{ day | date }}.
"""


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    """A template for texts, and one for calls only."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "away.txt").write_text(AWAY, "utf-8")
    (folder / "alarm.txt").write_text('---\nchannel = "call"\n--- en ---\nWake up.\n', "utf-8")
    return Templates.load(folder)


def load(tmp_path: Path, content: str, templates: Templates | None = None) -> Replies:
    path = tmp_path / "replies.toml"
    path.write_text(content, "utf-8")
    return Replies.load(path, templates=templates or Templates(), taken=frozenset({"outbound", "outbound-poison"}))


def faults(tmp_path: Path, content: str, templates: Templates | None = None) -> list[tuple[int, str]]:
    with pytest.raises(RepliesInvalid) as caught:
        load(tmp_path, content, templates)
    return [(_line(fault), fault.problem) for fault in caught.value.faults]


def _line(fault: Fault) -> int:
    name, _, line = fault.field.partition(":")
    assert name == "replies.toml"
    return int(line)


def test_without_a_file_there_are_no_rules(tmp_path: Path) -> None:
    assert Replies.load(tmp_path / "replies.toml", templates=Templates()) == Replies()


def test_a_file_can_be_used_and_so_can_what_it_shows_in_comments(tmp_path: Path) -> None:
    shipped = (CONTENT / "replies.toml").read_text("utf-8")
    assert [rule.name for rule in load(tmp_path, shipped).rules] == ["ping"]
    shown = shipped.replace("# [", "[").replace('template = "out-of-office"', 'reply = "Away."')
    for key in ("numbers", "prefixes", "forward", "reply"):
        shown = shown.replace(f"# {key} = ", f"{key} = ")
    assert [rule.name for rule in load(tmp_path, shown).rules] == ["ping", "order", "other"]


def test_a_rule_has_words_prefixes_numbers_a_reply_media_and_a_queue(tmp_path: Path) -> None:
    [rule] = load(
        tmp_path,
        """
        [rules.order_1]
        words = ["Order?", "where is it"]
        prefixes = ["order"]
        numbers = ["+15005550006", "12345", "MG55555555555555555555555555555555"]
        reply = " Thanks. "
        media = ["https://example.com/map.png"]
        forward = "orders"
        """.replace('prefixes = ["order"]', 'prefixes = ["orders"]'),
    ).rules
    assert (rule.name, rule.words, rule.prefixes) == ("order_1", (("order",), ("where", "is", "it")), (("orders",),))
    assert rule.numbers == {"+15005550006", "12345", "MG" + "5" * 32}
    assert (rule.reply, rule.forward) == (Reply(Plain("Thanks."), ("https://example.com/map.png",)), "orders")


def test_a_template_is_written_once_with_the_values_of_the_file(tmp_path: Path, templates: Templates) -> None:
    rules = """
        [rules.en]
        words = ["en"]
        template = "away"
        data = { back = "Monday", day = 2027-01-04 }
        [rules.de]
        template = "away"
        data = { back = "Montag" }
        locale = "de-AT"
        """
    texts = [rule.reply.text for rule in load(tmp_path, rules, templates).rules]
    assert texts == [Plain("We are back on Monday, 2027-01-04."), Plain("Wir sind Montag zurück, 2026-12-24.")]


def test_a_reply_may_use_what_the_text_says(tmp_path: Path) -> None:
    [rule] = load(tmp_path, '[rules.a]\nreply = "{{ rest }} from {{ sender }} to {{ number }}"').rules
    assert rule.reply.text is not None
    assert rule.reply.text.render({"rest": "4711", "sender": "+1", "number": "+2"}) == "4711 from +1 to +2"


def test_a_rule_may_answer_nothing_on_purpose(tmp_path: Path) -> None:
    [rule] = load(tmp_path, '[rules.thanks]\nwords = ["thanks"]\nreply = ""').rules
    assert rule.does_nothing


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("[rules.a]\nreply = 1", 2, "reply expected `str | null`, got `int`"),
        ("[rules.a]\nreply = 'x'\nword = ['a']", 3, "word is no known field"),
        ("[rule.a]\nreply = 'x'", 1, "rule is no known field"),
        ("[rules.a]\nwords = ['a']", 1, "a expected reply, template, media or forward, got none of them"),
        ("[rules.'A b']\nreply = 'x'", 1, "expected a name of small letters, digits, - and _, got 'A b'"),
        ("[rules.a]\nreply = 'x'\nwords = [\n'b',\n' ',\n]", 5, "words expected a text, got nothing"),
        (
            "[rules.a]\nreply = 'x'\nwords = ['Stop']",
            3,
            "'Stop' is one of the words for STOP, START and HELP, which come first",
        ),
        (
            "[rules.a]\nreply = 'x'\nwords = ['b', 'Opt out!']",
            3,
            "'Opt out!' is one of the words for STOP, START and HELP, which come first",
        ),
        (
            "[rules.a]\nreply = 'x'\nnumbers = ['0800']\nwords = ['a']\n[rules.b]\nnumbers = ['x']\nreply = 'y'",
            6,
            "numbers expected a number in E.164, a short code, or a Messaging Service's SID",
        ),
        ("[rules.a]\nreply = 'x'\nwords = []", 3, "words expected `array` of length >= 1"),
        ("[rules.a]\nmedia = ['ftp://example.com/x']", 2, "media expected an http:// or https:// URL"),
        ("[rules.a]\nmedia = ['https://example.com/ x']", 2, "media expected an http:// or https:// URL"),
        (
            "[rules.a]\nforward = 'outbound-poison'",
            2,
            "forward expected another queue than those of the requests and of the events",
        ),
        ("[rules.a]\nreply = 'x'\ndata = {}", 3, "data expected only beside template"),
        ("[rules.a]\nreply = '''\nHello\n{{ name }}'''", 4, "name is not one of rest, sender, number"),
        ("[rules.a]\nreply = '{{ rest'", 2, "unexpected end of template, expected 'end of print statement'."),
        ("[rules.a]\nreply = '{{ rest + 1 }}'", 2, "tried with made-up values: it ends in TypeError"),
        ("[rules.a]\nreply = '" + "x" * 1601 + "'", 2, "reply expected at most 1600 characters, got 1601"),
        ("[rules.a]\nreply = '{{ rest }}" + "x" * 1600 + "'", 2, "reply expected at most 1600 characters, got 1605"),
        ("[rules.a]\nreply = 'x", 2, 'expected TOML: Expected "\'"'),
        (
            "[rules.a]\nwords = ['b c']\nreply = 'x'\n[rules.b]\nprefixes = ['d']\nwords = ['e', 'B, c!']\nreply = 'x'",
            6,
            "'b c' never comes here: the rule a takes it",
        ),
        (
            "[rules.a]\nprefixes = ['b']\nreply = 'x'\n[rules.b]\nprefixes = ['b c']\nreply = 'x'",
            5,
            "'b c' never comes here: the rule a takes it",
        ),
        (
            "[rules.a]\nreply = 'x'\n[rules.b]\nnumbers = ['12345']\nreply = 'x'",
            3,
            "nothing comes to b: the rule a takes every text",
        ),
        (
            "[rules.a]\nnumbers = ['12345', '23456']\nreply = 'x'\n[rules.b]\nnumbers = ['23456']\nreply = 'x'",
            4,
            "nothing comes to b: the rule a takes every text",
        ),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, content: str, line: int, problem: str) -> None:
    assert faults(tmp_path, content) == [(line, problem)]


def test_bytes_that_are_no_text_are_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "replies.toml"
    path.write_bytes(b"[rules.\xff]")
    with pytest.raises(RepliesInvalid, match="UTF-8"):
        Replies.load(path, templates=Templates())


def test_what_is_wrong_with_a_template_and_its_values_is_named(tmp_path: Path, templates: Templates) -> None:
    content = """\
[rules.a]
words = ["a"]
template = "alarm"
[rules.b]
words = ["b"]
template = "away"
data = { back = 3 }
[rules.c]
words = ["c"]
template = "gone"
[rules.d]
template = "away"
reply = "x"
data = { back = "Monday" }
"""
    found = faults(tmp_path, content, templates)
    assert [line for line, _ in found] == [3, 7, 10, 12]
    assert "alarm is for call, and this is sms" in found[0][1]
    assert "data.back" in found[1][1]
    assert "expected one of alarm, away, got 'gone'" in found[2][1]
    assert "expected reply or template, got both" in found[3][1]


def test_what_was_copied_along_with_a_number_is_dropped(tmp_path: Path) -> None:
    content = '[rules.a]\nreply = "x"\nwords = ["a"]\nnumbers = [" +1\u202f5005550006\u200b"]'
    (rule,) = load(tmp_path, content).rules
    assert rule.numbers == {"+15005550006"}


def test_a_rule_for_other_numbers_takes_nothing_from_the_next(tmp_path: Path) -> None:
    content = """
        [rules.here]
        numbers = ["+15005550006"]
        reply = "Here."
        [rules.both]
        numbers = ["+15005550006", "+15005550010"]
        words = ["a"]
        reply = "There."
        [rules.all]
        reply = "Anywhere."
        """
    replies = load(tmp_path, content)
    assert replies.numbers == {"+15005550006", "+15005550010"}
    assert [rule.name for rule in replies.rules] == ["here", "both", "all"]


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    assert [line for line, _ in faults(tmp_path, "[rules.a]\n[rules.b]\nreply = 1\n[rules.c]\nforward = 'X'")] == [
        1,
        3,
        5,
    ]


def test_a_rule_may_be_for_yes_which_is_start_only_from_who_opted_out(tmp_path: Path) -> None:
    [rule] = load(tmp_path, '[rules.a]\nwords = ["yes"]\nreply = "Good."').rules
    assert rule.words == (("yes",),)
