"""One file makes a new kind of step: it is found, read, checked, walked, repeated after an error and drawn."""

from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from shared.voice.flows import kinds, registry
from shared.voice.flows.check import Found, check
from shared.voice.flows.diagram import mermaid
from shared.voice.flows.environment import Environment
from shared.voice.flows.model import Flow
from shared.voice.flows.read import Source, parse
from shared.voice.flows.turn_urls import once_more, read_turn
from tests.voice.flows.makers import walked

FOLDER = Path(__file__).parent / "made_up"
LINE = """\
[steps.fee]
pay = "9.90"
paid = "thanks"
unpaid = "sorry"
event = "asked"
[steps.thanks]
hangup = true
say = "Thank you."
[steps.sorry]
hangup = true
say = "That did not work."
"""


def read(content: str) -> Source:
    return parse("line", content, Environment(ZoneInfo("UTC")))


def line() -> Flow:
    source = read(LINE)
    assert source.flow is not None, source.faults
    return source.flow


@pytest.fixture
def _pay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app as it is with this file among its kinds."""
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(FOLDER)])
    monkeypatch.setattr(registry, "_kinds", registry.find_kinds())


def test_without_its_file_there_is_no_such_kind() -> None:
    ((told, problem), *_) = read(LINE).faults
    assert told == 1
    assert problem.startswith("fee expected one of say, ")


@pytest.mark.usefixtures("_pay")
def test_it_is_found_beside_all_others() -> None:
    assert list(registry.all_kinds())[-2:] == ["hangup", "pay"]
    ((_, problem),) = read('[steps.x]\nsing = "la"').faults
    assert problem == f"x expected one of {', '.join(registry.all_kinds())}, got sing"


@pytest.mark.usefixtures("_pay")
def test_its_table_is_read_with_its_faults() -> None:
    assert read(LINE).faults == ()
    assert read(LINE.replace('"9.90"', '"much"')).faults == ((2, "pay expected an amount such as 9.90"),)
    assert read(LINE.replace('"sorry"', '"nowhere"')).faults == (
        (4, "unpaid expected the name of a step, there is no 'nowhere'"),
    )
    assert read(LINE.replace("unpaid", "unpayed")).faults == (
        (1, "unpaid is required"),
        (4, "unpayed is no known field"),
    )


@pytest.mark.usefixtures("_pay")
def test_its_next_steps_are_checked() -> None:
    assert check([read(LINE)]) == []
    assert check([read(LINE.replace('"sorry"', '"thanks"'))]) == [Found("line", 9, "sorry is never reached")]


@pytest.mark.usefixtures("_pay")
@pytest.mark.parametrize(("result", "said"), [("success", "Thank you."), ("payment-failed", "That did not work.")])
def test_a_call_walks_through_it(result: str, said: str) -> None:
    asked = walked(line())
    assert asked.verbs == ["Pay"]
    assert asked.one("Pay").get("chargeAmount") == "9.90"
    assert asked.told == [{"step": "fee", "event": "asked"}]
    answered = walked(line(), asked.next("Pay", "action", Result=result))
    assert answered.said == [said]
    assert answered.told == [{"step": "fee", "result": result}]


@pytest.mark.usefixtures("_pay")
def test_after_an_error_its_turn_is_repeated_with_what_twilio_told() -> None:
    url = walked(line()).one("Pay").get("action")
    assert url is not None
    again = once_more(url, {"Result": "success", "CallSid": "CA1"})
    assert again is not None
    assert read_turn("fee", urlsplit(again).query, {}).form == {"Result": "success"}


@pytest.mark.usefixtures("_pay")
def test_it_is_drawn() -> None:
    drawn = mermaid(line())
    assert '    s0{"<b>fee</b><br/>pay “9#46;90”<br/>event = asked"}\n' in drawn
    assert '    s0 -->|"paid"| s1\n    s0 -->|"unpaid"| s2\n' in drawn


def test_a_file_without_a_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nothing_at_all.py").write_text("", "utf-8")
    monkeypatch.setattr(kinds, "__path__", [str(tmp_path)])
    with pytest.raises(TypeError, match="nothing_at_all to have a KIND"):
        registry.find_kinds()


def test_two_kinds_of_one_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "say_again.py").write_text("from shared.voice.flows.kinds.say import KIND\n", "utf-8")
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match="got two alike"):
        registry.find_kinds()
