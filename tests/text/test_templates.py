"""What a template gives with the values of a request."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from local import __main__ as console
from shared.errors import Fault, RequestInvalid
from shared.outbound.request import LONGEST_BODY, Request
from shared.text.segments import count
from shared.text.templates import engine
from shared.text.templates.files import parse
from shared.text.templates.library import Templates
from shared.text.templates.rendered import LONGEST, Channel, Rendered
from shared.text.templates.template import Template
from shared.voice import twiml
from tests.web.app import CONTENT, ROOT

SAMPLES = Templates.load(CONTENT / "templates")
LIMITS = {"name": "list of text", "n": "integer", "x": "number", "when": "datetime", "day": "date", "at": "time"}
GREETING = parse("greeting", '---\nchannel = ["sms", "call"]\n[values]\nname = "text"\n--- en ---\n[{{ name }}]')

xml_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def template(text: str, *, values: str = "", channel: str = "sms", more: str = "") -> Template:
    return parse("made", f"---\nchannel = '{channel}'\n{more}\n[values]\n{values}\n--- en ---\n{text}\n")


def text_of(made: Template, *, channel: Channel = "sms", **data: object) -> str:
    return made.render(channel=channel, data=data, locale=None).text


def faults_of(
    made: Template, data: Mapping[str, object], *, channel: Channel = "sms", locale: str | None = None
) -> object:
    with pytest.raises(RequestInvalid) as caught:
        made.render(channel=channel, data=data, locale=locale)
    return caught.value.faults


def test_the_samples_are_those_that_are_tested_here() -> None:
    assert [sample.name for sample in SAMPLES] == ["appointment-reminder", "on-call-alert", "one-time-code"]


@pytest.mark.parametrize(
    ("locale", "data", "text"),
    [
        (
            "en",
            {},
            (
                "Hello Ada, we expect you on Saturday, 31 January at 09:30. "
                "If you can't come, please reply to this message."
            ),
        ),
        (
            "de",
            {"place": "2. Stock"},
            (
                "Guten Tag Ada, wir erwarten Sie am 31.01.2026 um 09:30 Uhr, 2. Stock. "
                "Falls Sie verhindert sind, antworten Sie bitte auf diese Nachricht."
            ),
        ),
    ],
)
def test_the_appointment_reminder(locale: str, data: dict[str, str], text: str) -> None:
    data = {"name": "Ada", "when": "2026-01-31T09:30+01:00", **data}
    rendered = SAMPLES.render("appointment-reminder", channel="sms", data=data, locale=locale)
    assert rendered == Rendered(text=text, locale=locale)
    assert (count(text).encoding, count(text).segments) == ("GSM-7", 1)


@pytest.mark.parametrize(
    ("locale", "text", "voice", "language"),
    [
        (
            "en",
            (
                "This is an alert. Mail: 4 servers down, since 9:05 PM.\nThe incident is A, 1, 7.\n"
                "Once more: Mail: 4 servers down. The incident is A, 1, 7."
            ),
            "Polly.Joanna",
            "en-US",
        ),
        (
            "de",
            (
                "Dies ist ein Alarm. Mail: 4 servers down, seit 21 Uhr 05.\nDie Störung hat die Nummer A, 1, 7.\n"
                "Noch einmal: Mail: 4 servers down. Die Störung hat die Nummer A, 1, 7."
            ),
            "Polly.Vicki",
            "de-DE",
        ),
    ],
)
def test_the_on_call_alert(locale: str, text: str, voice: str, language: str) -> None:
    data = {"service": "Mail", "problem": "4 servers down", "incident": "A17", "since": "2026-01-31T21:05Z"}
    rendered = SAMPLES.render("on-call-alert", channel="call", data=data, locale=locale)
    assert rendered == Rendered(text=text, locale=locale, voice=voice, language=language)
    once = SAMPLES.render("on-call-alert", channel="call", data={**data, "repeat": False}, locale=locale)
    assert once.text == "\n".join(text.splitlines()[:2])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "042137 is your code. It is valid for 10 minutes. Nobody from us will ever ask you for it."),
        ({"minutes": 1}, "042137 is your code. It is valid for 1 minute. Nobody from us will ever ask you for it."),
    ],
)
def test_the_one_time_code(data: dict[str, object], text: str) -> None:
    rendered = SAMPLES.render("one-time-code", channel="sms", data={"code": "042137", **data}, locale="en")
    assert rendered == Rendered(text=text, locale="en")
    german = SAMPLES.render("one-time-code", channel="sms", data={"code": "042137", "minutes": 1}, locale="de")
    assert german.text.startswith("042137 ist Ihr Code. Er gilt 1 Minute.")


def test_an_unknown_template_is_a_fault_that_names_those_that_are_there() -> None:
    with pytest.raises(RequestInvalid) as caught:
        SAMPLES.render("reminder", channel="sms", data={}, locale=None)
    expected = "expected one of appointment-reminder, on-call-alert, one-time-code, got 'reminder'"
    assert caught.value.faults == (Fault("template", expected),)
    with pytest.raises(RequestInvalid, match="expected none, as there are no templates, got 'x'"):
        Templates().render("x", channel="sms", data={}, locale=None)


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    made = template("{{ when|date }}", values="when = 'date'")
    assert faults_of(made, {"when": 3, "who": ""}, channel="call", locale="German") == (
        Fault("data.who", "is no value of this template, which takes when"),
        Fault("data.when", "expected a date such as 2026-01-31, got a number"),
        Fault("template", "made is for sms, and this is call"),
        Fault("locale", "expected a locale such as de or de-AT"),
    )


LOCALES = parse(
    "made", "---\nchannel = 'sms'\n--- en ---\nen\n--- de ---\nde\n--- de-AT ---\nde-AT\n--- zh-Hant ---\nzh-Hant\n"
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (None, "en"),
        ("de", "de"),
        ("de-AT", "de-AT"),
        ("de_at", "de-AT"),
        ("DE-CH", "de"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh", "en"),
        ("fr-FR", "en"),
    ],
)
def test_a_locale_is_found_as_itself_or_as_its_language_or_is_the_default(asked: str | None, found: str) -> None:
    assert LOCALES.render(channel="sms", data={}, locale=asked) == Rendered(text=found, locale=found)


@given(st.text())
def test_a_value_is_text_and_never_a_template(value: str) -> None:
    for tricky in (value, "{{ 7 * 7 }}" + value, "{% for x in y %}" + value, "{#" + value + "<b>&amp;"):
        assert text_of(GREETING, name=tricky) == f"[{tricky}]"


@pytest.mark.parametrize("value", ['<Hangup/> & "x"', "</Say><Dial>+1900</Dial><Say>", "]]>", "&lt;", "'\"&"])
def test_in_a_call_a_value_stays_text_whatever_it_holds(value: str) -> None:
    document = twiml.say(text_of(GREETING, channel="call", name=value))
    twiml.check(document)
    (say,) = ET.fromstring(document)  # noqa: S314 - our own
    assert (say.tag, len(say), say.text) == ("Say", 0, f"[{value}]")


@given(xml_texts)
def test_in_a_call_every_text_is_spoken_as_it_is(value: str) -> None:
    (say,) = ET.fromstring(twiml.say(text_of(GREETING, channel="call", name=value)))  # noqa: S314 - our own
    assert say.text == twiml.writable(f"[{value}]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ day }} {{ at }} {{ when }}", "2026-02-03 09:05 2026-02-03 21:05"),
        ("{{ day|date }} {{ when|date }} {{ at|time }} {{ when|time }}", "2026-02-03 2026-02-03 09:05 21:05"),
        ("{{ day|date('%-d.%-m.%y, %A %a %B %b %u %%') }}", "3.2.26, Tuesday Tue February Feb 2 %"),
        ("{{ when|time('%-I:%M %p %I %H %-H %S') }}", "9:05 PM 09 21 21 00"),
        ("{{ at|time('%-H.%M') }}", "9.05"),
        ("{{ when|in_zone('Asia/Tokyo')|date('%d %H:%M') }}", "04 05:05"),
        ("{{ n }} {{ x }}", "1234567 0.000001"),
        ("{{ {'1': 'Mo', '2': 'Di', '3': 'Mi', '4': 'Do', '5': 'Fr', '6': 'Sa', '7': 'So'}[day|date('%u')] }}", "Di"),
        ("{{ n|number }} {{ n|number(0) }} {{ n|number(2, ',', '.') }}", "1234567.00 1234567 1.234.567,00"),
        (
            "{{ 0.5|number(0) }} {{ 1.005|number }} {{ (0.1 + 0.2)|number(1) }} {{ -3|number(1, ',') }}",
            "0 1.00 0.3 -3,0",
        ),
        ("{{ names|join }} {{ names|join('; ', ' and ') }}", "Ada, Bob, Cy Ada; Bob and Cy"),
        ("{{ names[:1]|join(', ', ' and ') }}{{ names[:0]|join(', ', ' and ') }}{{ [1, 2]|join('+') }}", "Ada1+2"),
        ("{{ 'A1 b'|spell }} {{ 120|spell }}", "A, 1, b 1, 2, 0"),
        ("{{ names|length }} {{ names|first|upper }} {{ names|last|lower }} {{ 'x y'|title }}", "3 ADA cy X Y"),
        ("{{ 'aaa bbb ccc'|truncate(8, true, '..', 0) }}", "aaa bb.."),
        (
            "{% for name in names %}\n- {{ name }}{% if not loop.last %},{% endif %}\n\n{% endfor %}\nend",
            "- Ada,\n- Bob,\n- Cy\nend",
        ),
        ("{% set y = n * 2 %}{{ y }} {{ n % 10 }} {{ n // 1000 }}", "2469134 7 1234"),
        ("{{ 'late' if at.hour > 8 else 'early' }}, {{ day.year }}", "late, 2026"),
    ],
)
def test_values_are_shown_as_the_filters_say(text: str, shown: str) -> None:
    values = "names = 'list of text'\nn = 'integer'\nx = 'number'\nwhen = 'datetime'\nday = 'date'\nat = 'time'"
    uses = "{% if false %}{{ names }}{{ n }}{{ x }}{{ when }}{{ day }}{{ at }}{% endif %}"
    data: dict[str, object] = {"names": ["Ada", "Bob", "Cy"], "n": 1234567, "x": 1e-6}
    data |= {"when": "2026-02-03T21:05+01:00", "day": "2026-02-03", "at": "09:05"}
    assert template(uses + text, values=values).render(channel="sms", data=data, locale=None).text == shown


def test_what_was_left_out_without_a_default_of_its_own_is_empty_and_no() -> None:
    values = "\n".join(f"{name} = {{ type = '{kind}', default = '' }}" for name, kind in LIMITS.items())
    uses = "{{ name|join }}{{ n|number }}{{ x }}{{ when|in_zone('UTC')|date }}{{ day|date }}{{ at|time }}"
    assert text_of(template(uses + "{% if not day %}none{% endif %}", values=values)) == "none"


def test_a_time_without_an_offset_is_not_brought_to_a_zone() -> None:
    made = template("{{ when|in_zone('UTC') }}", values="when = 'datetime'")
    problem = "made in en: `in_zone` expected a datetime with an offset, such as 2026-01-31T09:30+01:00"
    assert faults_of(made, {"when": "2026-01-31T09:30"}) == (Fault("template", problem),)


def test_what_fails_with_these_values_is_a_fault_that_does_not_show_them() -> None:
    made = template("{{ 1 / n }}", values="n = 'integer'")
    assert faults_of(made, {"n": 0}) == (Fault("template", "made in en: it ends in ZeroDivisionError"),)
    made = template("{{ names[2] }}", values="names = 'list of text'")
    assert faults_of(made, {"names": ["secret"]}) == (
        Fault("template", "made in en: it uses something that isn't there"),
    )


def test_a_text_of_the_greatest_length_is_rendered_and_a_longer_one_is_refused() -> None:
    assert len(text_of(GREETING, name="x" * 1598)) == 1600
    problem = "greeting in en: expected 1 to 1600 characters, got 1601"
    assert faults_of(GREETING, {"name": "x" * 1599}) == (Fault("template", problem),)
    assert len(text_of(GREETING, channel="call", name="x" * 3998)) == 4000
    problem = "greeting in en: expected 1 to 4000 characters, got 4001"
    assert faults_of(GREETING, {"name": "x" * 3999}, channel="call") == (Fault("template", problem),)


def test_the_lengths_are_those_of_a_request() -> None:
    (say,) = (field.type for field in msgspec.structs.fields(Request) if field.name == "say")
    assert {"sms": LONGEST_BODY, "call": say.__args__[0].__metadata__[0].max_length} == LONGEST


def test_a_text_of_nothing_is_refused() -> None:
    made = template("{% if name %} {{ name }} {% endif %}", values="name = 'text'")
    problem = "made in en: expected 1 to 1600 characters, got 0"
    assert faults_of(made, {"name": " \n"}) == (Fault("template", problem),)


def test_plain_makes_the_typography_of_text_and_values_simple_in_a_message_and_not_in_a_call() -> None:
    made = parse(
        "made",
        "---\nchannel = ['sms', 'call']\nplain = true\n[values]\na = 'text'\n--- en ---\nIt’s “{{ a }}”…\n",  # noqa: RUF001
    )
    assert text_of(made, a="so – so") == 'It\'s "so - so"...'  # noqa: RUF001 - typography again
    assert text_of(made, channel="call", a="so") == "It’s “so”…"  # noqa: RUF001 - typography again


def test_a_text_that_plain_would_make_too_long_stays_as_it_is() -> None:
    made = template("{{ a }}", values="a = 'text'", more="plain = true")
    assert text_of(made, a="x" * 1597 + "…") == "x" * 1597 + "..."
    assert text_of(made, a="x" * 1598 + "…") == "x" * 1598 + "…"


def test_rendering_stops_where_the_text_grows_beyond_all_measure() -> None:
    made = template(
        "{% for a in names %}{% for b in names %}{{ a }}{% endfor %}{% endfor %}", values="names = 'list of text'"
    )
    problem = f"made in en: it grows beyond {engine.LONGEST} characters"
    assert faults_of(made, {"names": ["x" * 200] * 100}) == (Fault("template", problem),)


def test_a_number_of_the_data_does_not_say_how_long_a_text_is() -> None:
    made = template("{% if n > 99 %}{{ '*' * n }}{% endif %}{{ n }}", values="n = 'integer'")
    problem = "made in en: `*` expected numbers on both sides"
    assert faults_of(made, {"n": 10**12}) == (Fault("template", problem),)


def test_for_stands_in_for_once() -> None:
    inner = "{% for c in a %}{% endfor %}"
    for depth, fine in ((1, True), (2, False)):
        nested = "{% for b in a %}" * depth + inner + "{% endfor %}" * depth
        if fine:
            engine.read(nested)
        else:
            with pytest.raises(engine.TextInvalid):
                engine.read(nested)


@given(
    st.dictionaries(
        st.sampled_from(["name", "when", "place", "other"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2026-01-31T09:30Z"),
    )
)
def test_whatever_the_data_the_request_is_rendered_or_has_faults(data: dict[str, object]) -> None:
    text = ""
    faults: tuple[Fault, ...] = ()
    try:
        text = SAMPLES.render("appointment-reminder", channel="sms", data=data, locale="de").text
    except RequestInvalid as exc:
        faults = exc.faults
    assert {fault.field.partition(".")[0] for fault in faults} <= {"data", "template"}
    assert (0 < len(text) <= LONGEST_BODY) != bool(faults)


def test_the_example_of_the_documentation_gives_what_is_said_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documentation = (ROOT / "docs" / "how-to" / "templates.md").read_text("utf-8")
    blocks = re.findall(r"^```(jinja|console|json)\n(.*?)^```$", documentation, re.DOTALL | re.MULTILINE)
    (template_file,) = (block for kind, block in blocks if kind == "jinja")
    (tmp_path / "order-shipped.txt").write_text(template_file, "utf-8")
    dialogues = [block for kind, block in blocks if kind == "console" and "template" in block]
    assert dialogues
    for dialogue in "".join(dialogues).split("$ python3 dev.py ")[1:]:
        command, _, answer = dialogue.partition("\n")
        assert console.main([*shlex.split(command), "--folder", str(tmp_path)]) == 0
        assert capsys.readouterr().out == answer
    requests = [json.loads(block) for kind, block in blocks if kind == "json" and '"template"' in block]
    for request in requests:
        wanted = {name: request[name] for name in ("channel", "data", "locale")}
        assert Templates.load(tmp_path).render(request["template"], **wanted).text in documentation
    assert requests


@pytest.mark.parametrize(("folder", "imported"), [("none", False), ("templates", True)])
def test_jinja2_is_imported_only_where_there_are_templates(folder: str, imported: bool) -> None:  # noqa: FBT001
    path = str(CONTENT / folder)
    code = (
        "import json, sys; from pathlib import Path; from shared.text.templates.library import Templates; "
        f"Templates.load(Path({path!r})); print(json.dumps('jinja2' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)  # noqa: S603
    assert json.loads(done.stdout) is imported
