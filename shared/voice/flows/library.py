"""All call flows of a folder: read and checked once, then only walked."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from shared.errors import Fault, FaultyError, RequestInvalid, quoted
from shared.text.templates.values import Checked, read_data
from shared.voice.flows.environment import Environment

if TYPE_CHECKING:
    from shared.voice.flows.model import Flow

_PASSED_OVER: Final = "README.md"
_ANY_OTHER: Final = "*"


class FlowsInvalid(FaultyError):
    """The call flows can't be used as they are; each fault's field is a file and a line, `customer-line.toml:7`."""


@dataclass(frozen=True, slots=True)
class Flows:
    """The call flows by their names, which are those of their files."""

    _by_name: Mapping[str, "Flow"] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, *, default_zone: ZoneInfo, settings: Collection[str] | None = None) -> "Flows":
        """Read and check every flow of a folder; there are none where there is no folder.

        `README.md` and files that begin with a dot are passed over.

        Args:
            folder: where they are.
            default_zone: of opening hours that name none.
            settings: what texts may use as `setting.NAME`; without it, any name will do.

        Raises:
            FlowsInvalid: something is wrong with one or more files; every fault is named.
        """
        if not folder.is_dir():
            return cls()
        paths = sorted(path for path in folder.iterdir() if not _is_passed_over(path))
        return cls._read(paths, Environment(default_zone, settings)) if paths else cls()

    @classmethod
    def _read(cls, paths: list[Path], environment: Environment) -> "Flows":
        from shared.voice.flows import check, read  # noqa: PLC0415 - jinja2 is for those who have flows

        files = {path.name: read.read(path, environment) for path in paths}
        wrong = [(name, line, problem) for name, source in files.items() for line, problem in source.faults]
        wrong += [(f"{found.flow}.toml", found.line, found.problem) for found in check.check(files.values())]
        if wrong:
            raise FlowsInvalid(
                "the call flows can't be used",
                [Fault(f"{name}:{line}", problem) for name, line, problem in sorted(wrong)],
            )
        return cls({source.name: source.flow for source in files.values() if source.flow is not None})

    def __iter__(self) -> Iterator["Flow"]:
        return iter(self._by_name.values())

    def find(self, name: str) -> "Flow | None":
        """Return a flow; None where there is none of this name."""
        return self._by_name.get(name)

    def named(self, name: str) -> "Flow":
        """Return the flow that a request names.

        Raises:
            RequestInvalid: there is none of this name.
        """
        flow = self.find(name)
        if flow is None:
            known = f"one of {', '.join(self._by_name)}" if self._by_name else "none, as there are no call flows"
            raise RequestInvalid("it can't be sent", [Fault("flow", f"expected {known}, got {quoted(name)}")])
        return flow

    def answering(self, number: str) -> "Flow | None":
        """Return the flow for whoever calls this number: the one that names it, else the one for any other."""
        for wanted in (number, _ANY_OTHER):
            for flow in self:
                if wanted in flow.answers:
                    return flow
        return None


def check_data(flow: "Flow", data: Mapping[str, object]) -> dict[str, Checked]:
    """Read the values that a request brings for a flow, as JSON has them.

    Raises:
        RequestInvalid: they don't fit it; every fault is named, with `data.NAME` as its field, and shows no value.
    """
    values, faults = read_data(flow.values, data)
    if faults:
        raise RequestInvalid("it can't be sent", faults)
    return values


def _is_passed_over(path: Path) -> bool:
    return path.name == _PASSED_OVER or path.name.startswith(".")
