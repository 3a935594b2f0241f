"""Shows, lists and checks the call flows: what a caller will meet, before anybody calls."""

from pathlib import Path
from zoneinfo import ZoneInfo

from local.errors import LocalError
from local.listing import lines, print_values, several
from shared.errors import RequestInvalid
from shared.voice.flows.diagram import mermaid
from shared.voice.flows.library import Flows, FlowsInvalid
from shared.voice.flows.model import Flow


class FlowError(LocalError):
    """The call flows can't be used, or there is none of a name: the message says what was expected."""


def show(folder: Path, name: str) -> int:
    """Print a flow as a Mermaid diagram; returns the exit code. Raises FlowError."""
    try:
        flow = _load(folder).named(name)
    except RequestInvalid as fault:
        raise FlowError(lines(fault)) from fault
    print(mermaid(flow), end="")
    return 0


def show_all(folder: Path) -> int:
    """Print every flow with who meets it and the values that it takes; returns the exit code. Raises FlowError."""
    flows = list(_load(folder))
    if not flows:
        print(f"There are no call flows in {folder}.")
    for flow in flows:
        print(f"{flow.name}: {several(len(flow.steps), 'step')}, {_met_by(flow)}")
        print_values(flow.values)
    return 0


def check(folder: Path) -> int:
    """Print how many flows are fine; returns the exit code. Raises FlowError, which names every fault."""
    flows = list(_load(folder))
    steps = sum(len(flow.steps) for flow in flows)
    print(f"All is well in {folder}: {several(len(flows), 'call flow')}, {several(steps, 'step')}.")
    return 0


def _load(folder: Path) -> Flows:
    try:
        return Flows.load(folder, default_zone=ZoneInfo("UTC"))
    except FlowsInvalid as fault:
        raise FlowError(lines(fault)) from fault
    except OSError as fault:
        raise FlowError(f"{folder} cannot be read: {fault.strerror}.") from fault


def _met_by(flow: Flow) -> str:
    if not flow.answers:
        return "for calls that a request makes"
    numbers = ["any other number" if number == "*" else number for number in flow.answers]
    return f"answers {', '.join(numbers)}"
