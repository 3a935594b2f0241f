"""Flows that can be read, and that nobody should walk."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from shared.voice.flows.check import Found, check
from shared.voice.flows.environment import Environment
from shared.voice.flows.read import parse

ENVIRONMENT = Environment(ZoneInfo("UTC"))
HOURS = '[hours]\nopen = ["daily 09:00-17:00"]\n'
CALLED = 'answers = ["*"]\n'
BYE = "[steps.bye]\nhangup = true\n"


def found(*contents: str) -> Sequence[Found]:
    """Check flows of which the first is called a, the second b …; only `?` is one that can't be read."""
    sources = [parse(name, content, ENVIRONMENT) for name, content in zip("abc", contents, strict=False)]
    assert [source.name for source in sources if source.flow is None] == [
        name for name, content in zip("abc", contents, strict=False) if content == "?"
    ], [source.faults for source in sources]
    return check(sources)


def say(step: str, then: str) -> str:
    return f'[steps.{step}]\nsay = "Hello"\nnext = "{then}"\n'


def ask(step: str, **next_steps: str) -> str:
    asked = "\n".join(f'{key} = "{to}"' for key, to in next_steps.items())
    return f'[steps.{step}]\ngather = "Hello?"\n{asked}\n'


def dial(step: str, unanswered: str) -> str:
    return f'[steps.{step}]\ndial = "+15005550177"\nunanswered = "{unanswered}"\n'


def choose(step: str, then: str, closed: str) -> str:
    return f'[steps.{step}]\nchoose = "hours"\nopen = "{then}"\nclosed = "{closed}"\n'


def test_a_flow_in_order_has_no_faults() -> None:
    assert found(say("x", "menu") + ask("menu", other="call", no_input="bye") + dial("call", "menu") + BYE) == []


def test_a_step_that_nobody_reaches_is_told() -> None:
    assert found(BYE + say("x", "y") + say("y", "bye")) == [
        Found("a", 3, "x is never reached"),
        Found("a", 6, "y is never reached"),
    ]


@pytest.mark.parametrize(
    "table",
    [
        'say = "Hello"\nnext = "y"',
        'play = "https://example.com/a.mp3"\nnext = "y"',
        'pause = 1\nnext = "y"',
        'message = "Hello"\nnext = "y"',
        'gather = "?"\non.1 = "y"\nno_input = "bye"',
        'gather = "?"\nother = "y"\nno_input = "bye"',
        'gather = "?"\non.1 = "bye"\nno_input = "y"\nwrong_input = "bye"',
        'gather = "?"\non.1 = "bye"\nno_input = "bye"\nwrong_input = "y"',
        'dial = "client:anna"\nanswered = "y"\nunanswered = "bye"',
        'dial = "client:anna"\nunanswered = "y"',
        'dial = "client:anna"\nbusy = "y"\nunanswered = "bye"',
        'queue = "a"\nfull = "y"',
        'queue = "a"\nfull = "bye"\nnext = "y"',
        'queue = "a"\nfull = "bye"\nleave_key = "1"\nleave = "y"',
        'take = "a"\nempty = "y"',
        'take = "a"\nempty = "bye"\nnext = "y"',
        'record = "?"\nnext = "y"',
        'record = "?"\nempty = "y"\nnext = "bye"',
        'redirect = { flow = "a", step = "y" }',
    ],
)
def test_every_way_of_a_step_leads_somewhere(table: str) -> None:
    first = f"[steps.x]\n{table}\n"
    assert "y is never reached" not in [each.problem for each in found(first + say("y", "bye") + BYE)]


def test_a_wrong_input_is_no_way_where_any_input_will_do() -> None:
    asked = ask("x", other="bye", no_input="bye", wrong_input="y")
    assert [each.problem for each in found(asked + say("y", "bye") + BYE)] == ["y is never reached"]


def test_a_machine_reaches_its_step() -> None:
    assert found('machine = "x"\n' + BYE + say("x", "bye")) == []


def test_another_flow_may_reach_a_step() -> None:
    jump = '[steps.jump]\nredirect = { flow = "b", step = "x" }\n'
    assert found(jump, BYE + say("x", "bye")) == []
    assert found(jump.replace(', step = "x"', ""), BYE + say("x", "bye")) == [Found("b", 3, "x is never reached")]


def test_steps_may_be_reached_from_flows_that_can_not_be_read() -> None:
    assert found(BYE + say("x", "bye"), "?") == []


@pytest.mark.parametrize(
    "steps",
    [
        say("x", "x"),
        say("x", "y") + say("y", "z") + say("z", "x"),
        say("x", "y") + '[steps.y]\npause = 1\nnext = "x"\n',
        say("x", "y") + '[steps.y]\nmessage = "Hello"\nnext = "x"\n',
        HOURS + choose("x", "y", "y") + say("y", "x"),
        say("x", "y") + '[steps.y]\nredirect = { flow = "a" }\n',
    ],
)
def test_a_loop_that_asks_nobody_is_told_once_by_its_first_step(steps: str) -> None:
    (told,) = found(steps)
    assert told.problem == "x comes back to itself: nobody is asked, and it never ends"
    assert told.line == (3 if steps.startswith(HOURS) else 1)


def test_a_loop_through_two_flows_is_told() -> None:
    other = '[steps.x]\nredirect = { flow = "a" }\n'
    first = say("x", "y") + '[steps.y]\nredirect = { flow = "b" }\n'
    assert found(first, other) == [Found("a", 1, "x comes back to itself: nobody is asked, and it never ends")]


def test_a_way_out_of_a_loop_that_asks_nobody_is_a_choice_of_hours_at_most() -> None:
    (told,) = found(HOURS + choose("x", "bye", "y") + say("y", "x") + BYE)
    assert told.problem.startswith("x comes back to itself: nobody is asked")


@pytest.mark.parametrize(
    "steps",
    [
        say("x", "y") + ask("y", other="x", no_input="x"),
        say("x", "y") + dial("y", "x"),
        say("x", "y") + '[steps.y]\nrecord = "Speak"\nnext = "x"\n',
        say("x", "y") + '[steps.y]\ntake = "support"\nempty = "x"\nnext = "x"\n',
        '[steps.x]\ntake = "support"\nempty = "x"\nnext = "x"\n',
    ],
)
def test_a_loop_with_somebody_in_it_is_fine(steps: str) -> None:
    assert found(steps) == []


@pytest.mark.parametrize(
    "steps",
    [
        dial("x", "x"),
        dial("x", "y") + dial("y", "x"),
        '[steps.x]\nqueue = "support"\nfull = "x"\n',
        HOURS + dial("x", "y") + choose("y", "x", "bye") + BYE,
    ],
)
def test_a_loop_that_may_go_round_at_once_is_told(steps: str) -> None:
    (told,) = found(steps)
    assert told.problem == "x comes back to itself: nothing is heard in between, and no time goes by"


def test_two_loops_are_two_faults() -> None:
    told = found(ask("x", other="y", no_input="z") + say("y", "y") + say("z", "z"))
    assert [(each.line, each.problem.split()[0]) for each in told] == [(5, "y"), (8, "z")]


REJECT = '[steps.no]\nreject = "busy"\n'


@pytest.mark.parametrize(
    "steps",
    [
        CALLED + REJECT,
        CALLED + HOURS + choose("x", "bye", "no") + BYE + REJECT,
        CALLED + '[steps.x]\nmessage = "Not now"\nnext = "no"\n' + REJECT,
    ],
)
def test_a_call_that_comes_in_may_be_rejected_before_anything_is_heard(steps: str) -> None:
    assert found(steps) == []


@pytest.mark.parametrize(
    "steps",
    [
        REJECT,
        CALLED + say("x", "no") + REJECT,
        CALLED + HOURS + choose("x", "y", "no") + say("y", "no") + REJECT,
        CALLED + HOURS + say("y", "x") + choose("x", "bye", "no") + BYE + REJECT,
        CALLED + 'machine = "no"\n' + HOURS + choose("x", "bye", "no") + BYE + REJECT,
        CALLED + '[steps.x]\nredirect = { flow = "a", step = "no" }\n' + REJECT,
    ],
)
def test_a_call_that_was_answered_can_not_be_rejected(steps: str) -> None:
    (told,) = found(steps)
    assert told.problem.startswith("reject: only a call that comes in")
    assert told.line == steps[: steps.index("reject = ")].count("\n") + 1


def test_two_flows_can_not_answer_the_same_number() -> None:
    first = 'answers = ["+15005550006", "*"]\n' + BYE
    second = 'answers = [\n"+15005550007",\n"+15005550006",\n"*"]\n' + BYE
    assert found(first, second) == [
        Found("b", 3, "answers: a.toml has this one already"),
        Found("b", 4, "answers: a.toml has this one already"),
    ]


def test_a_flow_or_a_step_elsewhere_has_to_be_there() -> None:
    jump = '[steps.x]\nredirect = {{ flow = "{flow}"{step} }}\n'
    assert found(jump.format(flow="nowhere", step="")) == [Found("a", 2, "flow: there is no flow 'nowhere'")]
    told = found(jump.format(flow="b", step=', step = "y"'), BYE)
    assert told == [Found("a", 2, "step: there is no step 'y' in b.toml")]
    assert found(jump.format(flow="b", step=', step = "y"'), "?") == []


def test_a_flow_elsewhere_gets_the_values_that_it_takes() -> None:
    jump = '[steps.x]\nredirect = { flow = "b" }\n'
    taking = '[values]\nname = "text"\n[steps.bye]\nhangup = true\nsay = "{{ name }}"\n'
    assert found(jump, taking) == [Found("a", 2, "flow: b.toml takes name, and this flow has no such value")]
    assert found(jump, taking.replace('"text"', '{ type = "text", default = "" }')) == []
    named = say("y", "x").replace("Hello", "{{ name }}") + jump
    assert found('[values]\nname = "text"\n' + named, taking) == []
    assert found('[values]\nname = "integer"\n' + named, taking) == [
        Found("a", 7, "flow: b.toml takes name as text, and here it is integer")
    ]
