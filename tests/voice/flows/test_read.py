"""What a flow's file may hold, and how everything that is wrong with it is told, with its line."""

import tomllib
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.toml.lines import locate
from shared.voice.flows import model
from shared.voice.flows.environment import Environment
from shared.voice.flows.kinds.dial import Conference
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.pause import Pause
from shared.voice.flows.kinds.play import Play
from shared.voice.flows.kinds.redirect import Redirect
from shared.voice.flows.kinds.reject import Reject
from shared.voice.flows.read import Source, parse, read

ENVIRONMENT = Environment(ZoneInfo("Europe/Berlin"), ("PLACE",))
END = "[steps.end]\nhangup = true\n"


def source(content: str) -> Source:
    return parse("made", content, ENVIRONMENT)


def flow(content: str) -> model.Flow:
    read = source(content)
    assert read.flow is not None, read.faults
    return read.flow


def faults_of(content: str) -> list[tuple[int, str]]:
    return list(source(content).faults)


def step(table: str, *, top: str = "", more: str = "") -> Any:  # noqa: ANN401 - the action that the test is about
    return flow(f"{top}\n[steps.x]\n{table}\n{END}{more}").steps["x"].action


def text_of(text: Any) -> str:  # noqa: ANN401 - whatever should be a text
    return str(text.render({}))


# --- what is read ---------------------------------------------------------------------------------------------------


def test_the_first_step_of_the_file_is_the_start_unless_another_is_named() -> None:
    two = '[steps.x]\nsay = "Hello"\nnext = "end"\n' + END
    assert flow(two).start == "x"
    assert flow('start = "end"\n' + two).start == "end"


def test_who_meets_a_flow_stands_at_its_top() -> None:
    met = flow('answers = ["\u202a+15005550006\u202c", "*"]\nmachine = "end"\n' + END)
    assert (met.name, met.answers, met.machine) == ("made", ("+15005550006", "*"), "end")


def test_a_text_is_said_in_the_voice_of_the_flow_or_in_its_own() -> None:
    top = 'voice = "Polly.Amy"\nlanguage = "en-GB"'
    said = step('say = "Hello"\ntimes = 2\nnext = "end"', top=top)
    assert (said.speech.voice, said.speech.language, said.speech.times) == ("Polly.Amy", "en-GB", 2)
    assert text_of(said.speech.text) == "Hello"
    assert said.next == "end"
    own = step('say = "Hallo"\nvoice = "Polly.Vicki"\nlanguage = "de-DE"\nnext = "end"', top=top)
    assert (own.speech.voice, own.speech.language) == ("Polly.Vicki", "de-DE")
    inner = step('record = { say = "Hallo", language = "de-DE" }\nnext = "end"', top=top)
    assert (inner.prompt.voice, inner.prompt.language) == ("Polly.Amy", "de-DE")


def test_a_sound_file_is_played() -> None:
    played = step('play = "https://example.com/a.mp3"\nnext = "end"')
    assert played == Play(url="https://example.com/a.mp3", next="end")


def test_a_pause_goes_on() -> None:
    assert step('pause = 3\nnext = "end"') == Pause(seconds=3, next="end")


def test_hours_choose_and_a_holiday_is_closed_unless_it_has_a_way() -> None:
    hours = "[hours]\nopen = []"
    chosen = step('choose = "hours"\nopen = "end"\nclosed = "x2"', top=hours, more='[steps.x2]\nreject = "busy"')
    assert chosen.branches == {"open": "end", "closed": "x2", "holiday": "x2"}
    chosen = step('choose = "hours"\nopen = "end"\nclosed = "end"\nholiday = "x"', top=hours)
    assert chosen.branches["holiday"] == "x"


def test_opening_hours_are_read() -> None:
    hours = flow(
        'time_zone = "Asia/Tokyo"\n[hours]\n'
        'open = ["mon-wed,fri 09:00-17:30", "sat-sun 22:00-06:00", "thu 00:00-24:00"]\n'
        'holidays = ["2026-12-25", 2026-12-26, "01-01"]\n'
        '[steps.x]\nchoose = "hours"\nopen = "x"\nclosed = "x"\n'
    ).hours
    assert hours is not None
    assert hours.zone == ZoneInfo("Asia/Tokyo")
    assert hours.holidays == {date(2026, 12, 25), date(2026, 12, 26)}
    assert hours.yearly == {(1, 1)}
    assert [(sorted(span.days), span.begin, span.end) for span in hours.open] == [
        ([0, 1, 2, 4], time(9), time(17, 30)),
        ([5, 6], time(22), time(6)),
        ([3], time(0), time(0)),
    ]


def test_opening_hours_that_name_no_zone_are_in_the_default_one() -> None:
    hours = flow('[hours]\nopen = []\n[steps.x]\nchoose = "hours"\nopen = "x"\nclosed = "x"').hours
    assert hours is not None
    assert hours.zone == ZoneInfo("Europe/Berlin")


def test_a_gather_has_its_defaults() -> None:
    asked = step('gather = "Press 1."\nno_input = "end"\n[steps.x.on]\n1 = "end"\n22 = "end"')
    assert text_of(asked.prompt.text) == "Press 1."
    assert asked.branches == {"1": "end", "22": "end"}
    assert (asked.no_input, asked.wrong_input, asked.other, asked.sorry) == ("end", "end", None, None)
    assert (asked.finish_on_key, asked.timeout, asked.speech, asked.retries) == ("#", 5, False, 2)


def test_a_gather_takes_as_many_digits_as_its_longest_way_unless_any_input_will_do() -> None:
    on = '[steps.x.on]\n1 = "end"\n22 = "end"'
    assert step(f'gather = "?"\nno_input = "end"\n{on}').digits == 2
    assert step(f'gather = "?"\nno_input = "end"\nother = "end"\n{on}').digits is None
    assert step(f'gather = "?"\nno_input = "end"\ndigits = 5\n{on}').digits == 5
    assert step('gather = "?"\nno_input = "end"\nspeech = true\non.sales = "end"').digits is None


def test_a_gather_says_all_that_it_can() -> None:
    asked = step(
        'gather = { play = "https://example.com/menu.mp3" }\nlanguage = "de-DE"\nspeech = true\nhints = ["Verkauf"]\n'
        'finish_on_key = ""\nretries = 0\ntimeout = 9\nsorry = "Once more."\nwrong_input = "end"\nno_input = "x"\n'
        '[steps.x.on]\n"#" = "end"\nverkauf = "end"\n"der kundendienst" = "end"'
    )
    assert asked.prompt == model.Speech(play="https://example.com/menu.mp3", language="de-DE")
    assert asked.branches == {"#": "end", "verkauf": "end", "der kundendienst": "end"}
    assert (asked.hints, asked.finish_on_key, asked.retries, asked.timeout) == (("Verkauf",), "", 0, 9)
    assert text_of(asked.sorry.text) == "Once more."
    assert (asked.no_input, asked.wrong_input) == ("x", "end")


@pytest.mark.parametrize(
    ("written", "kind", "name"),
    [
        ('"+15005550177"', "number", "+15005550177"),
        ('"client:anna"', "client", "anna"),
        ('"sip:anna@example.com"', "sip", "sip:anna@example.com"),
        ('{ queue = "support" }', "queue", "support"),
        ('{ conference = "room" }', "conference", "room"),
        ('["+15005550177"]', "number", "+15005550177"),
    ],
)
def test_whom_a_step_dials(written: str, kind: str, name: str) -> None:
    (target,) = step(f'dial = {written}\nunanswered = "end"').targets
    assert (target.kind, text_of(target.name)) == (kind, name)


def test_whom_a_step_dials_may_come_from_the_request() -> None:
    first, second = step(
        'dial = ["{{ number }}", "client:{{ agent }}"]\nunanswered = "end"',
        top='[values]\nnumber = "text"\nagent = "text"',
    ).targets
    assert (first.kind, first.name.render({"number": "+1"})) == ("number", "+1")
    assert (second.kind, second.name.render({"agent": "anna"})) == ("client", "anna")


def test_a_dial_has_a_way_for_each_outcome() -> None:
    dialled = step('dial = "+15005550177"\nunanswered = "end"\nbusy = "x"\nno-answer = "x"')
    assert dialled.branches == {"busy": "x", "no-answer": "x", "failed": "end", "canceled": "end"}
    assert dialled.answered is None
    named = step('dial = "client:anna"\nbusy = "x"\nno-answer = "x"\nfailed = "end"\ncanceled = "end"')
    assert named.branches == dialled.branches


def test_a_dial_says_all_that_it_can() -> None:
    dialled = step(
        'dial = ["+15005550177", "+15005550178"]\ntogether = true\ntimeout = 30\ntime_limit = 60\nrecord = true\n'
        'caller_id = "+15005550006"\nwhisper = "Sales."\nscreen = true\nanswered = "end"\nunanswered = "end"'
    )
    assert (dialled.together, dialled.timeout, dialled.time_limit, dialled.record) == (True, 30, 60, True)
    assert (dialled.caller_id, dialled.screen, dialled.answered) == ("+15005550006", True, "end")
    assert text_of(dialled.whisper.text) == "Sales."


def test_a_conference_says_how_one_takes_part() -> None:
    dialled = step(
        'dial = { conference = "room", moderator = false, muted = true, music = "https://example.com/a.mp3" }\n'
        'unanswered = "end"'
    )
    assert dialled.conference == Conference(moderator=False, muted=True, music="https://example.com/a.mp3")


def test_a_queue_and_who_takes_from_it() -> None:
    waiting = step(
        'queue = "support"\nwait = "You are number {{ position }}."\n'
        'music = "https://example.com/a.mp3"\nfull = "end"\n'
        'leave_key = "*"\nleave = "end"\nmax_wait_seconds = 60\nmax_size = 7\nnext = "end"'
    )
    assert waiting.wait.text.render({"position": 3}) == "You are number 3."
    assert (waiting.name, waiting.music, waiting.full) == ("support", "https://example.com/a.mp3", "end")
    assert (waiting.leave_key, waiting.leave, waiting.max_wait_seconds, waiting.max_size) == ("*", "end", 60, 7)
    taken = step('take = "support"\nwhisper = "Hello."\nempty = "end"')
    assert (taken.queue, taken.empty, taken.next, text_of(taken.whisper.text)) == ("support", "end", None, "Hello.")


def test_a_recording_of_nothing_goes_on_as_any_other_unless_it_has_a_way() -> None:
    recorded = step('record = "Speak."\nmax_seconds = 60\nsilence = 3\ntranscribe = true\nbeep = false\nnext = "end"')
    assert (recorded.max_seconds, recorded.silence, recorded.transcribe, recorded.beep) == (60, 3, True, False)
    assert (recorded.next, recorded.empty) == ("end", "end")
    assert step('record = "Speak."\nempty = "x"\nnext = "end"').empty == "x"


def test_a_recording_may_be_as_long_as_twilio_records_where_nobody_has_to_transcribe_it() -> None:
    assert step('record = "Speak."\nmax_seconds = 14400\nnext = "end"').max_seconds == 14400


def test_a_message_goes_to_the_other_end_or_to_somebody() -> None:
    assert step('message = "Hello"\nnext = "end"').to is None
    assert text_of(step('message = "Hello"\nto = "+15005550177"\nnext = "end"').to) == "+15005550177"


def test_the_ends_of_a_walk() -> None:
    assert step('redirect = "https://example.com/x"') == Redirect(url="https://example.com/x")
    assert step('redirect = { flow = "other", step = "y" }') == Redirect(flow="other", step="y")
    assert step('reject = "busy"') == Reject(reason="busy")
    assert step("hangup = true") == Hangup()
    assert text_of(step('hangup = true\nsay = "Goodbye."').say.text) == "Goodbye."


def test_a_step_knows_its_line_its_event_and_what_to_show_of_it() -> None:
    made = flow('\n[steps.x]\nsay = "Hello {{ caller }}"\nevent = "said-hello"\nnext = "end"\n' + END).steps["x"]
    assert (made.name, made.line, made.event, made.shown) == ("x", 2, "said-hello", "Hello {{ caller }}")


def test_the_inputs_that_texts_use_are_known() -> None:
    asks = 'gather = "?"\nother = "end"\nno_input = "end"\n'
    made = flow(
        f"[steps.number]\n{asks}[steps.my-pin]\n{asks}[steps.menu]\n{asks}"
        '[steps.end]\nhangup = true\nsay = """{{ input.number|spell }} {{ input["my-pin"] }}"""'
    )
    assert made.inputs == {"number", "my-pin"}


def test_texts_may_use_what_every_call_has() -> None:
    assert step('say = "{{ caller }} {{ called }} {{ setting.PLACE }}"\nnext = "end"').speech.text is not None


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        ("", [(1, "steps is required")]),
        ("[steps]", [(1, "steps expected a step, got none")]),
        (f"\nanswer = 7\n{END}", [(2, "answer is no known field")]),
        (f'answers = "+1"\n{END}', [(1, "answers expected `array`, got `str`")]),
        (
            f'answers = [\n  "+15005550006",\n  "5005550006",\n  "+15005550006"]\n{END}',
            [(3, 'answers expected a number in E.164, or "*"'), (4, "answers expected each number once")],
        ),
        (f'start = "x"\nmachine = "y"\n{END}', [
            (1, "start expected the name of a step, there is no 'x'"),
            (2, "machine expected the name of a step, there is no 'y'"),
        ]),
        (f'time_zone = "Europe/Berlin"\n{END}', [(1, "time_zone is for [hours], and there are none")]),
        (f"[hours]\nopen = []\n{END}", [(1, 'hours expected a step with choose = "hours": nothing goes by them')]),
        (f'[values]\nname = "string"\n{END}', [(2, "name expected one of text, ")]),
        (f'[values]\ncaller = "text"\n{END}', [(2, "caller is a name that every text may use")]),
        (f'[values]\nunused = "text"\n{END}', [(2, "unused is not used in any text")]),
        (
            'answers = ["*"]\n[values]\nname = "text"\n[steps.end]\nhangup = true\nsay = "{{ name }}"',
            [(3, "name expected a default: who calls one of answers brings no data")],
        ),
        ("[hours]\n[hours]", [(2, "expected TOML: Cannot declare ('hours',) twice")]),
        ("steps.x = 7", [(1, "x expected a table: [steps.x]")]),
        ("steps.Big = {hangup = true}", [(1, "expected a step's name of small letters, digits, - and _, got 'Big'")]),
        ("[steps.x]\nhangup = ", [(2, "expected TOML: Invalid value")]),
        ("[steps.x]\nhangup = true\nhangup = true", [(3, "expected TOML: Cannot overwrite a value")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_flow_is_told_with_its_line(content: str, faults: list[tuple[int, str]]) -> None:
    told = faults_of(content)
    assert [line for line, _ in told] == [line for line, _ in faults], told
    for (_, problem), (_, expected) in zip(told, faults, strict=True):
        assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("table", "line", "problem"),
    [
        ('sing = "la"', 1, "x expected one of say, play, pause, choose, gather, dial, queue, take, record, "),
        ("", 1, "hangup, got nothing"),
        ('say = "a"\nplay = "https://example.com"\nnext = "end"', 1, "got say and play"),
        ('gather = "a"\nqueue = "b"', 1, "got gather and queue"),
        ('say = "a"', 1, "next is required"),
        ('say = "a"\nnext = ""', 3, "next expected the name of a step, there is no ''"),
        ('say = "a"\nnext = "nowhere"', 3, "next expected the name of a step, there is no 'nowhere'"),
        ('say = "a"\nnext = "end"\nfinish_on_key = "#"', 4, "finish_on_key is no known field"),
        ('say = 7\nnext = "end"', 2, "say expected `str`, got `int`"),
        ('say = " "\nnext = "end"', 2, "say expected a text, got nothing"),
        ('say = "a"\ntimes = 0\nnext = "end"', 3, "times expected `int` >= 1"),
        ('say = "a"\nevent = "press 1"\nnext = "end"', 3, "event expected a word"),
        ('play = "ftp://example.com/a.mp3"\nnext = "end"', 2, "play expected an http:// or https:// URL"),
        ('play = "https:///a.mp3"\nnext = "end"', 2, "play expected an http:// or https:// URL"),
        ('play = "https://[::1/a.mp3"\nnext = "end"', 2, "play expected an http:// or https:// URL"),
        ('play = "/a.mp3"\nnext = "end"', 2, "play expected an http:// or https:// URL"),
        ('pause = "3"\nnext = "end"', 2, "pause expected `int`, got `str`"),
        ('choose = "weather"\nopen = "end"\nclosed = "end"', 2, "choose expected one of hours, got another"),
        ('choose = "hours"\nopen = "end"\nclosed = "end"', 2, "choose expected [hours] as well"),
        ('gather = "a"\nno_input = "end"', 2, "on is required"),
        ('gather = "a"\nno_input = "end"\n[steps.x.on]\n1 = 7', 5, "1 expected the name of a step"),
        ('gather = "a"\nno_input = "end"\n[steps.x.on]\n1 = "end"\n2 = "no"', 6, "2 expected the name of a step"),
        ('gather = "a"\nother = "end"', 2, "no_input is required"),
        ('gather = "a"\nother = "end"\nwrong_input = "no"', 4, "wrong_input expected the name of a step"),
        ('gather = "a"\nother = "end"\nno_input = "end"\nfinish_on_key = "##"', 5, "finish_on_key expected one key of"),
        ('gather = "a"\nother = "end"\nno_input = "end"\nhints = ["b"]', 5, "hints expected at most 100, and speech"),
        ('gather = "a"\nother = "end"\nno_input = "end"\ndigits = 0', 5, "digits expected `int` >= 1"),
        ('gather = "a"\nno_input = "end"\ndigits = 1\non.12 = "end"', 5, "'12' is longer than digits = 1"),
        ('gather = "a"\nno_input = "end"\non."#" = "end"', 4, "'#' can not be pressed: # ends the input"),
        ('gather = "a"\nno_input = "end"\non.sales = "end"', 4, "'sales' can only be said: expected speech = true"),
        ('gather = "a"\nno_input = "end"\nspeech = true\non.Sales = "end"', 5, "'Sales' expected keys of 0-9"),
        ('gather = { says = "a" }\nother = "end"\nno_input = "end"', 2, "says is no known field"),
        ('gather = { voice = "a" }\nother = "end"\nno_input = "end"', 2, "gather expected say or play, one of them"),
        ('dial = "5005550177"\nunanswered = "end"', 2, "dial expected a number in E.164, client:NAME, sip:"),
        ('dial = "client:a b"\nunanswered = "end"', 2, "dial expected a number"),
        ('dial = [\n"+15005550177",\n"tel:1"]\nunanswered = "end"', 4, "dial expected a number"),
        ('dial = "+15005550177"\nbusy = "end"', 2, "unanswered is required: where it goes when nobody answers (no-ans"),
        ('dial = []\nunanswered = "end"', 2, "dial expected 1 to 10 to dial, got 0"),
        (f'dial = {["+15005550177"] * 11}\nunanswered = "end"', 2, "dial expected 1 to 10 to dial, got 11"),
        ('dial = ["+15005550177", { queue = "a" }]\nunanswered = "end"', 2, "dial expected a queue or a conference to"),
        ('dial = { conference = "a", mute = true }\nunanswered = "end"', 2, "mute is no known field"),
        ('dial = { queue = "" }\nunanswered = "end"', 2, "queue expected a text, got nothing"),
        ('dial = "+15005550177"\ntogether = true\nunanswered = "end"', 3, "together expected several to dial, got one"),
        ('dial = { queue = "a" }\nscreen = true\nunanswered = "end"', 3, "screen is for numbers, clients and SIP only"),
        ('dial = { conference = "a" }\nwhisper = "b"\nunanswered = "end"', 3, "whisper is not for a conference"),
        ('dial = "+15005550177"\ncaller_id = "Us"\nunanswered = "end"', 3, "caller_id expected a number in E.164"),
        ('dial = "+15005550177"\ntimeout = 601\nunanswered = "end"', 3, "timeout expected `int` <= 600"),
        ('dial = "+15005550177"\nunanswered = "no"', 3, "unanswered expected the name of a step, there is no 'no'"),
        ('dial = "+15005550177"\nno-answer = "no"\nunanswered = "end"', 3, "no-answer expected the name of a step"),
        (
            'dial = "+15005550177"\nunanswered = "end"\nbusy = "x"\nno-answer = "x"\nfailed = "x"\ncanceled = "x"',
            3,
            "unanswered is never gone",
        ),
        ('queue = "a b"\nfull = "end"', 2, "queue expected the name of a queue: at most 64 letters"),
        ('queue = "a"', 1, "full is required"),
        ('queue = "a"\nfull = "end"\nleave_key = "*"', 4, "leave_key expected leave as well"),
        ('queue = "a"\nfull = "end"\nmax_wait_seconds = 9', 4, "max_wait_seconds expected leave as well"),
        ('queue = "a"\nfull = "end"\nleave = "end"', 4, "leave expected leave_key or max_wait_seconds as well"),
        ('queue = "a"\nfull = "end"\nleave = "end"\nleave_key = "12"', 5, "leave_key expected one key of"),
        ('queue = "a"\nfull = "end"\nmusic = "a.mp3"', 4, "music expected an http:// or https:// URL"),
        ('take = "a"', 1, "empty is required"),
        ('record = "a"\ntranscribe = true\nmax_seconds = 121\nnext = "end"', 4, "max_seconds expected at most 120"),
        ('record = "a"\nfinish_on_key = "any"\nnext = "end"', 3, "finish_on_key expected keys of 0-9, * and #"),
        ('record = "a"\nnext = "no"', 3, "next expected the name of a step"),
        ('message = "a"\nto = "him"\nnext = "end"', 3, "to expected a number in E.164"),
        (f'message = "{"a" * 1601}"\nnext = "end"', 2, "expected at most 1600 characters, got 1601"),
        (f'say = "{"a" * 4097}"\nnext = "end"', 2, "expected at most 4096 characters, got 4097"),
        (f'voice = "Polly.Amy"\nsay = "{"a" * 3001}"\nnext = "end"', 3, "expected at most 3000 characters, got 3001"),
        ('redirect = "somewhere"', 2, "redirect expected an http:// or https:// URL"),
        ('redirect = { step = "a" }', 2, "flow is required"),
        ('reject = "rude"', 2, "reject expected one of rejected, busy, got another"),
        ("hangup = false", 2, "hangup expected true"),
    ],
)
def test_what_is_wrong_with_a_step_is_told_with_its_line(table: str, line: int, problem: str) -> None:
    ((told, got),) = faults_of(f"[steps.x]\n{table}\n{END}")
    assert problem in got
    assert told == line


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("{{ name", 1, "unexpected end of template"),
        ("{{ nobody }}", 1, "nobody is not among the values, nor one of caller, called, input, setting"),
        ("a\n{{ name }}\n{{ nobody }}", 3, "nobody is not among the values"),
        ("a\n{{ name.upper() }}", 2, "expected text, values, if, for, set and filters, got a call"),
        ("a\n\n{{ name|date }}", 3, "tried with made-up values: `date` expected a date or a datetime"),
        ("{{ position }}", 1, "position is known to who waits only"),
        ("{{ input }}", 1, "input: expected input. and a step that gathers"),
        ("a\n{{ input.x }}", 2, "input.x: expected input. and a step that gathers"),
        (
            "{{ setting.TWILIO_AUTH_TOKEN }}",
            1,
            "setting.TWILIO_AUTH_TOKEN: expected setting. and an app setting FLOW_NAME",
        ),
        ("{{ setting['A' if name else 'PLACE'] }}", 1, "setting: expected setting. and an app setting"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_with_its_own_line(text: str, line: int, problem: str) -> None:
    content = f'[values]\nname = "text"\n[steps.end]\nsay = """\n{text}"""\nhangup = true\n'
    content += '[steps.y]\nsay = "{{ name }}"\nnext = "end"\n'
    ((told, got),) = faults_of(content)
    assert got.startswith(problem)
    assert told == 4 + line


@pytest.mark.parametrize(
    ("hours", "line", "problem"),
    [
        ('open = ["mon 9-17"]', 2, "open expected days and hours such as mon-fri 09:00-17:00"),
        ('open = [\n"mon 09:00-17:00",\n"weekdays 09:00-17:00"]', 4, "open expected days and hours"),
        ('open = ["mon 09:00-09:00"]', 2, "open expected days and hours"),
        ('open = ["mon 09:00-25:00"]', 2, "open expected days and hours"),
        ('open = []\nholidays = ["2026-02-29"]', 3, "holidays expected a date such as 2026-12-25, or 12-25"),
        ('open = []\nholidays = ["13-01"]', 3, "holidays expected a date"),
        ("open = []\nholidays = [\n2026-12-25,\n2026-12-25T00:00:00]", 5, "holidays expected a date"),
        ("open = []\nholiday = []", 3, "holiday is no known field"),
        ("", 1, "open is required"),
    ],
)
def test_what_is_wrong_with_hours_is_told_with_its_line(hours: str, line: int, problem: str) -> None:
    content = f'[hours]\n{hours}\n[steps.x]\nchoose = "hours"\nopen = "x"\nclosed = "x"'
    ((told, got),) = faults_of(content)
    assert got.startswith(problem)
    assert told == line


def test_a_text_is_tried_with_yes_and_with_no() -> None:
    content = '[values]\nname = "text"\nflag = "boolean"\n[steps.end]\nhangup = true\nsay = """\n'
    content += '{% if flag %}\n{{ name }}\n{% else %}\n{{ name|date }}\n{% endif %}"""'
    ((line, problem),) = faults_of(content)
    assert (line, problem.startswith("tried with made-up values")) == (10, True)


def test_a_table_stands_where_its_own_header_does() -> None:
    content = '[steps.x.on]\n1 = "x"\n\n[steps.x]\ngather = "?"\n'
    assert faults_of(content) == [(5, "no_input is required: where it goes after the last try")]
    assert faults_of('[steps.x.on]\n1 = "x"\n\n[steps.x]\nqueue = "a"\n')[-1] == (4, "full is required")


def test_a_zone_that_is_not_there_is_told() -> None:
    content = 'time_zone = "Europe/Atlantis"\n[hours]\nopen = []\n[steps.x]\nchoose = "hours"\nopen = "x"\nclosed = "x"'
    assert faults_of(content) == [(1, "time_zone expected an IANA time zone such as Europe/Berlin")]


def test_everything_that_is_wrong_is_told_at_once() -> None:
    content = 'answers = ["x"]\n[values]\nA = "text"\n[steps.a]\nsay = "{{"\nnext = "b"\n[steps.c]\nhang = true'
    assert [line for line, _ in faults_of(content)] == [1, 3, 3, 5, 6, 7]


def test_a_file_has_a_name_that_fits_into_a_url_and_holds_utf_8(tmp_path: Path) -> None:
    for name in ("Line.toml", "my line.toml", "line.tml", "a" * 65 + ".toml"):
        (tmp_path / name).write_text(END)
        assert read(tmp_path / name, ENVIRONMENT).faults[0][1].startswith("expected a file with a name such as")
    (tmp_path / "latin.toml").write_bytes(f"# Grüße\n{END}".encode("latin-1"))
    assert read(tmp_path / "latin.toml", ENVIRONMENT).faults == ((1, "expected UTF-8 text, got bytes that are none"),)
    (tmp_path / "good.toml").write_text(f"\ufeff{END}", "utf-8")
    good = read(tmp_path / "good.toml", ENVIRONMENT)
    assert (good.name, good.faults) == ("good", ())


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_systems_line_ends_are_counted_alike(line_end: str) -> None:
    content = '[steps.end]\nhangup = true\nsay = """\na\n{{ b }}"""\n'.replace("\n", line_end)
    ((line, _),) = faults_of(content)
    assert line == 5


def test_a_document_that_is_nested_too_deep_is_a_fault() -> None:
    ((line, problem),) = faults_of(f"x = {'[' * 5000}{']' * 5000}")
    assert (line, problem.startswith("expected TOML")) == (1, True)


# --- lines ----------------------------------------------------------------------------------------------------------

HARD = '''\
# a = 1
a = 1 # b = 2
"b \\" c".d = """
say "there"
 x = 3 \\"""
"""
[steps.one] # [steps.two]
next = 'x = "]'
list = [ # y = 7
  "p", { q = "r", s = [1,
  2] },
]
z = 2026-01-01 10:00:00
[[arr]]
k = true
[ steps . "tw]o" ]
v = \'\'\'a
b = \'\'\'
e = ""
f = """"q""""
g=1
'''


def test_keys_are_found_where_they_stand_whatever_is_around_them() -> None:
    assert tomllib.loads(HARD)["steps"]["tw]o"]["g"] == 1
    lines = locate(HARD)
    places = {
        ("a",): 2,
        ('b " c', "d"): 3,
        ("steps", "one"): 7,
        ("steps", "one", "next"): 8,
        ("steps", "one", "list"): 9,
        ("steps", "one", "list", "0"): 10,
        ("steps", "one", "list", "1", "s", "1"): 11,
        ("steps", "one", "z"): 13,
        ("arr", "k"): 15,
        ("steps", "tw]o"): 16,
        ("steps", "tw]o", "v"): 17,
        ("steps", "tw]o", "e"): 19,
        ("steps", "tw]o", "f"): 20,
        ("steps", "tw]o", "g"): 21,
        ("steps", "one", "not there"): 7,
        ("nowhere",): 1,
    }
    assert {path: lines.of(*path) for path in places} == places
    assert [lines.within('b " c', "d", line=line) for line in (1, 2, 9)] == [4, 5, 6]
    assert lines.within("steps", "one", "next", line=2) == 8


WORDS = st.sampled_from(["a", "b-1", '"c d"', "'e\"]'", '"[x]"'])
TEXTS = st.sampled_from(['"a # b"', "'x = \"'", '"""\nx = 1\n[y]\n"""', "'''a\n]}'''", '"\\""', '""', '"""a\\\n  b"""'])
VALUES = st.recursive(
    st.sampled_from(["1", "true", "2026-01-01 10:00:00", "1.5"]) | TEXTS,
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[ # ]\n" + ",\n".join(items) + "\n]"),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=2), st.lists(st.tuples(WORDS, VALUES), max_size=3))))
def test_every_key_of_any_document_is_found_on_its_line(tables: list[tuple[list[str], list[tuple[str, str]]]]) -> None:
    content = ""
    expected = {}
    for number, (header, settings) in enumerate(tables):
        path = (f"t{number}", *map(plain, header))
        expected[path] = content.count("\n") + 1
        content += f"[t{number}.{'.'.join(header)}] # x = 1\n"
        for key, value in dict(settings).items():
            expected[*path, plain(key)] = content.count("\n") + 1
            content += f"{key} = {value} # y = 2\n"
    assert set(paths(tomllib.loads(content))) >= expected.keys()
    lines = locate(content)
    assert {path: lines.of(*path) for path in expected} == expected


def plain(key: str) -> str:
    return next(iter(tomllib.loads(f"{key} = 0")))


def paths(document: dict[str, Any], *around: str) -> Iterator[tuple[str, ...]]:
    for key, value in document.items():
        yield (*around, key)
        if isinstance(value, dict):
            yield from paths(value, *around, key)


SNIPPETS = st.sampled_from(
    [
        *("[steps.a]", "[steps.b]", "[steps.a.on]", "[hours]", "[values]", 'next = "a"', "hangup = true", '1 = "b"'),
        *('say = "{{ a }}"', 'gather = "?"', 'a = "text"', 'open = ["mon 09:00-10:00"]', 'choose = "hours"', '"""'),
        *("dial = { queue = 1 }", 'dial = ["+1", {}]', 'answers = ["*"]', "steps = 1", "on = {}", "redirect = {}"),
        *('say = """\n{{ x', "x"),
    ]
)


@given(st.lists(SNIPPETS | st.text(max_size=6), max_size=12))
def test_any_file_is_a_flow_or_has_faults_with_lines_of_its_own(lines: list[str]) -> None:
    content = "\n".join(lines)
    made = source(content)
    assert (made.flow is None) == bool(made.faults)
    assert all(1 <= line <= content.count("\n") + 1 for line, _ in made.faults)
