"""What a template's file may hold, and how everything that is wrong with it is told."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.templates.files import FileInvalid, parse
from shared.text.templates.library import Templates, TemplatesInvalid
from shared.text.templates.template import Template

GOOD = """\
---
channel = "sms"
[values]
name = "text"
--- en ---
Hello {{ name }}
--- de ---
Guten Tag {{ name }}
"""


def template(text: str, *, values: str = "", channel: str = '"sms"', more: str = "") -> Template:
    return parse("made", f"---\nchannel = {channel}\n{more}\n[values]\n{values}\n--- en ---\n{text}\n")


def faults_of(content: str) -> list[tuple[int, str]]:
    with pytest.raises(FileInvalid) as caught:
        parse("made", content)
    return caught.value.faults


def test_a_file_is_read_with_its_texts_in_their_order() -> None:
    read = parse("made", GOOD)
    assert (read.name, read.channels, read.plain) == ("made", ("sms",), False)
    assert [variant.locale for variant in read.variants] == ["en", "de"]
    assert {name: value.kind for name, value in read.values.items()} == {"name": "text"}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_systems_line_ends_are_the_same(line_end: str) -> None:
    content = GOOD.replace("Hello {{ name }}", "Hello\n{{ name }}").replace("\n", line_end)
    assert parse("made", content).variants[0].text.render({"name": "Ada"}) == "Hello\nAda"


def test_a_template_may_serve_both_channels() -> None:
    assert template("Hello", channel='["call", "sms"]').channels == ("sms", "call")


def test_lines_that_only_resemble_a_mark_are_text() -> None:
    read = template("one\n---\ntwo\n------\n-- en --\n --- en ---")
    assert read.variants[0].text.render({}) == "one\n---\ntwo\n------\n-- en --\n --- en ---"


def test_defaults_are_read_as_what_they_are() -> None:
    values = 'a = { type = "date", default = 2026-01-31 }\nb = { type = "date", default = "2026-01-31" }\n'
    values += 'c = { type = "list of date", default = [2026-01-31] }\nd = { type = "integer", default = "" }'
    read = template("{{ a }}{{ b }}{{ c|join }}{{ d }}", values=values)
    day = date(2026, 1, 31)
    assert [value.default for value in read.values.values()] == [day, day, (day,), ""]


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("", [(1, "expected `---`, the settings, and a line such as `--- en ---` before each text")]),
        (
            GOOD.replace("---\n", "", 1),
            [(1, "expected `---`, the settings, and a line such as `--- en ---` before each text")],
        ),
        (
            "---\nchannel = 'sms'\n---\n--- en ---\nx",
            [(3, "expected the locale of the text below, as in `--- en ---`")],
        ),
        ("---\n--- en ---\nx", [(1, "channel is required")]),
        ("---\nchannel = 'fax'\n--- en ---\nx", [(2, 'channel expected "sms", "call" or both, ["sms", "call"]')]),
        ("---\nchannel = 'sms'\n\nchanel = 1\n--- en ---\nx", [(4, "chanel is no known field")]),
        ("---\nchannel = 'sms'\nplain = 1\n--- en ---\nx", [(3, "plain expected `bool`, got `int`")]),
        ("---\nchannel = 'call'\nplain = true\n--- en ---\nx", [(3, "plain is for sms only")]),
        ("---\nchannel = 'sms'\n--- en ---\n\n--- de ---\nx", [(3, "expected a text below this line, got nothing")]),
        (
            "---\nchannel = 'sms'\n--- en ---\nx\n--- en ---\ny",
            [(5, "expected one text for each locale, got another for en")],
        ),
        ("---\nchannel = 'sms'\n--- de_AT ---\nx", [(3, "expected a locale such as de or de-AT, got 'de_AT'")]),
        ("---\nchannel = 'sms'\n--- en ---\nx\n{{ nmae }}", [(5, "nmae is not among the values")]),
        ("---\nchannel = 'sms'\n[values]\na = 'text'\n--- en ---\nx", [(4, "a is not used in any text")]),
        ("---\nchannel = 'sms'\n--- en ---\nx\n{% endif %}", [(5, "Encountered unknown tag 'endif'.")]),
        ("---\nchannel = 'sms'\n--- en ---\n{{ 'x'|centre }}", [(4, "No filter named 'centre'.")]),
        ("---\nchannel = 'sms'\n[say]\nen = { voice = 'x' }\n--- en ---\nx", [(3, "say is for call only")]),
        (
            "---\nchannel = 'call'\n[say]\nfr = { voice = 'x' }\n--- en ---\nx",
            [(4, "say expected the locale of a text, got 'fr'")],
        ),
        ("---\nchannel = 'call'\n[say.en]\nvoise = 'x'\n--- en ---\nx", [(3, "en voise: is no known field")]),
        (
            "---\nchannel = 'call'\n[say]\nen = 'Polly'\n--- en ---\nx",
            [(4, 'say expected en = { voice = "…", language = "…" }')],
        ),
        (
            "---\nchannel = 'call'\n--- en ---\nx\n--- de-AT ---\ny",
            [(5, "expected a language for de-AT in say: an English voice would read it")],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(content: str, faults: list[tuple[int, str]]) -> None:
    assert faults_of(content) == faults


@pytest.mark.parametrize(("setting", "line"), [("channel = ", 2), ('channel = "sms"\n[values', 3), ('a = """\n\n', 4)])
def test_what_is_no_toml_is_told_with_its_line(setting: str, line: int) -> None:
    ((told, problem),) = faults_of(f"---\n{setting}\n--- en ---\nx")
    assert problem.startswith("expected TOML: ")
    assert told == line


@pytest.mark.parametrize("channel", ['"fax"', '["sms", "fax"]', "[]"])
def test_a_channel_is_sms_or_call_or_both(channel: str) -> None:
    with pytest.raises(FileInvalid) as caught:
        template("x", channel=channel)
    assert caught.value.faults == [(2, 'channel expected "sms", "call" or both, ["sms", "call"]')]


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        ("a = 'string'", "a expected one of text, integer, "),
        ("a = 7", "a expected a type such as "),
        ("a = { default = 7 }", "a type: is required"),
        ("a = { type = 'text', optional = true }", "a optional: is no known field"),
        ("a = { type = 'integer', default = 'x' }", "a's default: expected a whole number, got a text"),
        ("a = { type = 'list of text', default = 'x' }", "a's default: expected a list of at most 100, got a text"),
        ("A = 'text'", "expected a name of small letters, digits and _, got 'A'"),
        ("loop = 'text'", "expected a name of small letters, digits and _, got 'loop'"),
        ('"a-b" = "text"', "expected a name of small letters, digits and _, got 'a-b'"),
    ],
)
def test_a_declaration_that_says_nothing_useful_is_a_fault(declaration: str, problem: str) -> None:
    faults = faults_of(f"---\nchannel = 'sms'\n[values]\n{declaration}\n--- en ---\n{{{{ a }}}}")
    assert any(line == 4 and told.startswith(problem) for line, told in faults), faults


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ a.upper() }}", "a call"),
        ("{{ range(9) }}", "a call"),
        ("{% macro m() %}{% endmacro %}", "Macro"),
        ("{% include 'x' %}", "Include"),
        ("{% extends 'x' %}", "Extends"),
        ("{% import 'x' as x %}", "Import"),
        ("{% block x %}{% endblock %}", "Block"),
        ("{% filter upper %}{% endfilter %}", "FilterBlock"),
        ("{{ 9 ** 9 }}", "Pow"),
        ("{{ a ~ a }}", "Concat"),
    ],
)
def test_what_templates_do_not_have_is_refused_by_name(text: str, what: str) -> None:
    faults = faults_of(f"---\nchannel = 'sms'\n[values]\na = 'text'\n--- en ---\n{{{{ a }}}}\n{text}")
    assert (7, f"expected text, values, if, for, set and filters, got {what}") in faults


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ flag }}", "a boolean is for `if`"),
        ("{% if not flag %}{{ flag }}{% endif %}", "a boolean is for `if`"),
        ("{{ items }}", "a list is for `for` or `|join`"),
        ("{{ day|time }}", "`time` expected a time or a datetime, got a date"),
        ("{{ day|date('%Q') }}", "expected codes such as %d"),
        ("{{ name|date }}", "`date` expected a date or a datetime, got a text"),
        ("{{ name|number }}", "`number` expected a number, got a text"),
        ("{{ name|join }}", "`join` expected a list, got a text"),
        ("{{ name * 3 }}", "`*` expected numbers on both sides"),
        ("{{ name % 3 }}", "`%` expected numbers on both sides"),
        ("{{ name.length }}", "it uses something that isn't there"),
        ("{{ name.__class__ }}", "it ends in SecurityError"),
        ("{{ name.upper }}", "a builtin_function_or_method is nothing to write"),
        ("{{ name + 1 }}", "it ends in TypeError"),
        ("{{ day - day }}", "a timedelta is nothing to write"),
        ("{{ moment|in_zone('Europe/Atlantis') }}", "`in_zone` expected an IANA time zone"),
        ("{{ self }}", "a TemplateReference is nothing to write"),
    ],
)
def test_a_value_used_against_its_type_is_found_before_any_request(text: str, problem: str) -> None:
    values = "flag = 'boolean'\nitems = 'list of text'\nday = 'date'\nname = 'text'\nmoment = 'datetime'"
    uses = "{% if flag %}{{ items|join }}{{ day }}{{ name }}{{ moment }}{% endif %}"
    with pytest.raises(FileInvalid) as caught:
        template(f"{uses}\n{text}", values=values)
    ((line, told),) = caught.value.faults
    assert told.startswith(f"tried with made-up values: {problem}")
    assert line == 12


def test_every_file_and_every_fault_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text(GOOD, "utf-8")
    (tmp_path / "README.md").write_text("not a template", "utf-8")
    (tmp_path / ".hidden").write_text("neither", "utf-8")
    (tmp_path / "Order.txt").write_text(GOOD, "utf-8")
    (tmp_path / "notes.md").write_text("a slip", "utf-8")
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "latin.txt").write_bytes(GOOD.replace("Hello", "Grüße").encode("latin-1"))
    (tmp_path / "two.txt").write_text(GOOD.replace("sms", "fax").replace("Hello {{ name }}", "{{ x.y() }}"), "utf-8")
    with pytest.raises(TemplatesInvalid) as caught:
        Templates.load(tmp_path)
    assert [fault.field for fault in caught.value.faults] == [
        "Order.txt:1",
        "folder.txt:1",
        "latin.txt:1",
        "notes.md:1",
        "two.txt:2",
        "two.txt:6",
    ]
    assert "two.txt:6: expected text, values, if, for, set and filters, got a call" in str(caught.value)


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("\ufeff" + GOOD, "utf-8")
    assert [read.name for read in Templates.load(tmp_path)] == ["good"]


def test_no_folder_is_no_templates(tmp_path: Path) -> None:
    assert list(Templates.load(tmp_path / "none")) == []


@given(
    st.lists(
        st.sampled_from(["---", "--- en ---", "--- de ---", "channel = 'sms'", "[values]", "a = 'text'", "[say]"])
        | st.sampled_from(["{{ a }}", "{{", "{% for x in a %}", "{% endfor %}", "{{ a[9] }}", "{% if", "en = {}", '"'])
        | st.text(max_size=8),
        max_size=14,
    )
)
def test_any_file_is_a_template_or_has_faults_with_lines_of_its_own(lines: list[str]) -> None:
    content = "\n".join(lines)
    last = content.count("\n") + content.count("\r") + 2
    try:
        told = [len(parse("made", content).variants)]
    except FileInvalid as exc:
        told = [line for line, _ in exc.faults]
    assert told
    assert all(1 <= line <= last for line in told)
