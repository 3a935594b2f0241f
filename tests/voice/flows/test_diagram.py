"""A flow as a Mermaid flowchart."""

import json
import re
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from shared.voice.flows.diagram import mermaid
from shared.voice.flows.environment import Environment
from shared.voice.flows.model import Flow
from shared.voice.flows.read import parse


def flow(content: str) -> Flow:
    read = parse("my-line", content, Environment(ZoneInfo("UTC")))
    assert read.flow is not None, read.faults
    return read.flow


LINE = """\
answers = ["+15005550006", "*"]
machine = "bye"
[steps.menu]
gather = "For sales, press 1."
no_input = "bye"
on = { 1 = "sales", 2 = "sales" }
[steps.sales]
dial = ["+15005550177", "client:anna"]
unanswered = "bye"
event = "rang"
[steps.bye]
hangup = true
"""


def test_every_step_and_every_way_is_drawn() -> None:
    assert mermaid(flow(LINE)) == (
        "flowchart TD\n"
        '    begin(["<b>my-line</b><br/>somebody calls +15005550006, any other number"]) --> s0\n'
        '    begin -->|"a machine answered"| s2\n'
        '    s0{"<b>menu</b><br/>gather “For sales, press 1#46;”"}\n'
        '    s1[["<b>sales</b><br/>dial “+15005550177, client#58;anna”<br/>event = rang"]]\n'
        '    s2(["<b>bye</b><br/>hangup"])\n'
        '    s0 -->|"1, 2"| s1\n'
        '    s0 -->|"wrong_input, no_input"| s2\n'
        '    s1 -->|"answered"| finish\n'
        '    s1 -->|"busy, no-answer, failed, canceled"| s2\n'
        '    finish(["the call ends"])\n'
    )


def test_a_call_that_a_request_makes_begins_so() -> None:
    drawn = mermaid(flow("[steps.bye]\nhangup = true\nsay = { play = 'https://example.com/a.mp3' }"))
    assert 'begin(["<b>my-line</b><br/>a request calls somebody"]) --> s0\n' in drawn
    assert "hangup “https#58;//example.com/a.mp3”" in drawn
    assert "finish" not in drawn


def test_a_long_text_is_cut() -> None:
    drawn = mermaid(flow(f'[steps.bye]\nhangup = true\nsay = "{"word " * 30}"'))
    assert f"“{('word ' * 30)[:59].rstrip()}…”" in drawn


LABEL = re.compile(r'"([^"]*)"')
# what stands in a label: letters, digits, a few signs, our own line breaks, and characters by their numbers
HARMLESS = re.compile(r"([\w ,.!?'/=…“”+-]|#[0-9]+;|<b>|</b>|<br/>)*")


@given(st.text(min_size=1, max_size=40) | st.text(alphabet='"#;&<>[](){}|`*_~%\\-=1. :\nax', min_size=1, max_size=40))
def test_no_text_can_break_the_diagram_and_each_is_shown_as_it_is(text: str) -> None:
    braces = text.replace("{", "(").replace("}", ")")  # so that it is no template
    words = " ".join(braces.split())
    if not words or not braces.isprintable():
        return
    drawn = mermaid(flow(f"[steps.bye]\nhangup = true\nsay = {json.dumps(braces, ensure_ascii=False)}"))
    lines = drawn.splitlines()
    assert len(lines) == 3
    label = LABEL.fullmatch(lines[2].removeprefix("    s0([").removesuffix("])"))
    assert label is not None
    assert HARMLESS.fullmatch(label[1])
    shown = re.sub(r"#([0-9]+);", lambda found: chr(int(found[1])), label[1])
    assert shown == f"<b>bye</b><br/>hangup “{words}”"
    assert not re.search(r"(^|[ “])([0-9]+\.|[-+*] )", label[1])
