"""All flows of a folder, and which of them is for whom."""

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from shared.errors import RequestInvalid
from shared.voice.flows.library import Flows, FlowsInvalid, check_data
from tests.web.app import CONTENT, ROOT

ZONE = ZoneInfo("Europe/Berlin")
BYE = "[steps.bye]\nhangup = true\n"
NAMED = '[values]\nname = "text"\ncount = { type = "integer", default = 1 }\n'
USED = BYE + 'say = "{{ name }} {{ count }}"\n'


def load(folder: Path, **files: str) -> Flows:
    for name, content in files.items():
        (folder / f"{name}.toml").write_text(content, "utf-8")
    return Flows.load(folder, default_zone=ZONE)


def test_no_folder_is_no_flows(tmp_path: Path) -> None:
    flows = Flows.load(tmp_path / "none", default_zone=ZONE)
    assert list(flows) == []
    assert flows.answering("+15005550006") is None


def test_a_number_is_answered_by_the_flow_that_names_it_else_by_the_one_for_any_other(tmp_path: Path) -> None:
    flows = load(tmp_path, line=f'answers = ["+15005550006"]\n{BYE}', rest=f'answers = ["*"]\n{BYE}', out=BYE)
    assert [flow and flow.name for flow in map(flows.answering, ("+15005550006", "+15005550007"))] == ["line", "rest"]


def test_a_number_that_no_flow_names_is_answered_by_none(tmp_path: Path) -> None:
    assert load(tmp_path, line=f'answers = ["+15005550006"]\n{BYE}', out=BYE).answering("+15005550007") is None


def test_a_flow_is_found_by_its_name(tmp_path: Path) -> None:
    flows = load(tmp_path, line=BYE, out=BYE)
    assert flows.named("out").name == "out"
    assert flows.find("nowhere") is None
    with pytest.raises(RequestInvalid) as caught:
        flows.named("nowhere")
    assert str(caught.value) == "it can't be sent: flow: expected one of line, out, got 'nowhere'"
    with pytest.raises(RequestInvalid) as caught:
        Flows().named("x" * 65)
    assert str(caught.value.faults[0]) == "flow: expected none, as there are no call flows, got a text of 65 characters"


def test_every_file_and_every_fault_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("not a flow")
    (tmp_path / ".hidden.toml").write_text("neither")
    (tmp_path / "notes.txt").write_text("a slip")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(FlowsInvalid) as caught:
        load(
            tmp_path,
            bad="[steps.bye]\nhangup = false\n\n[steps.x]\nsay = '{{ y }}'\nnext = 'z'\n",
            first=f'answers = ["*"]\n{BYE}',
            second=f'\nanswers = ["*"]\n{BYE}',
        )
    assert [fault.field for fault in caught.value.faults] == [
        *("bad.toml:2", "bad.toml:5", "bad.toml:6", "folder.toml:1", "notes.txt:1", "second.toml:2")
    ]
    assert "bad.toml:6: next expected the name of a step, there is no 'z'" in str(caught.value)


def test_faults_of_one_file_come_in_the_order_of_its_lines(tmp_path: Path) -> None:
    with pytest.raises(FlowsInvalid) as caught:
        load(tmp_path, bad=BYE + "".join(f"[steps.x{number}]\nhangup = false\n" for number in range(8)))
    assert [fault.field for fault in caught.value.faults] == [f"bad.toml:{line}" for line in range(4, 19, 2)]


def test_settings_that_texts_may_use_are_given(tmp_path: Path) -> None:
    (tmp_path / "line.toml").write_text(BYE + 'say = "{{ setting.PLACE }}"')
    assert list(Flows.load(tmp_path, default_zone=ZONE, settings=["PLACE"]))
    assert list(Flows.load(tmp_path, default_zone=ZONE))
    with pytest.raises(FlowsInvalid, match=r"line\.toml:3: setting\.PLACE: expected"):
        Flows.load(tmp_path, default_zone=ZONE, settings=[])


def test_what_a_request_brings_is_read_as_what_it_is(tmp_path: Path) -> None:
    flow = load(tmp_path, line=NAMED + USED).named("line")
    assert check_data(flow, {"name": "Ada"}) == {"name": "Ada", "count": 1}
    with pytest.raises(RequestInvalid) as caught:
        check_data(flow, {"count": "2", "other": "secret"})
    assert [fault.field for fault in caught.value.faults] == ["data.other", "data.name", "data.count"]
    assert "secret" not in str(caught.value)


def test_the_flows_of_the_documentation_are_in_order() -> None:
    flows = Flows.load(CONTENT / "flows", default_zone=ZoneInfo("UTC"), settings=())
    assert {flow.name for flow in flows} >= {"customer-line", "on-call"}
    alert = flows.named("on-call")
    assert alert.machine is not None
    assert set(alert.values) == {"service", "problem", "incident"}
    assert {step.event for step in alert.steps.values()} >= {"acknowledged", "passed-on"}


def test_who_has_no_flows_does_not_load_jinja2(tmp_path: Path) -> None:
    program = (
        "import sys, zoneinfo, pathlib; from shared.voice.flows.library import Flows; "
        f"assert not list(Flows.load(pathlib.Path({str(tmp_path)!r}), default_zone=zoneinfo.ZoneInfo('UTC'))); "
        "assert 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)  # noqa: S603 - this very Python
