"""The texts of a flow: which values they may use, and whether they can be written. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from jinja2 import nodes
from jinja2.sandbox import SandboxedEnvironment

from shared.text.templates import engine
from shared.text.templates.values import Declared
from shared.toml.lines import Path
from shared.toml.sheet import Sheet

CALLER: Final = "caller"
CALLED: Final = "called"
INPUT: Final = "input"
SETTING: Final = "setting"
POSITION: Final = "position"
ALWAYS: Final = (CALLER, CALLED, INPUT, SETTING)
"""what every text may use beside the declared values"""
KEPT: Final = (*ALWAYS, POSITION)
"""names that no declared value may have"""
NOTHING: Final = engine.read("")
"""stands for a text that is faulty"""
_NUMBERS: Final = {CALLER: "+14155550100", CALLED: "+14155550101"}
_MADE_UP: Final = "1"
_MADE_UP_POSITION: Final = 2


@dataclass(frozen=True, slots=True)
class _Written:
    path: Path
    source: str
    text: engine.Text
    longest: int
    names: frozenset[str]


@dataclass(slots=True)
class Texts:
    """Reads the texts of one flow; `check`, after the last of them, tells what is wrong with their values."""

    sheet: Sheet
    settings: Collection[str] | None
    """which of them may be used; None is any"""
    _written: list[_Written] = field(default_factory=list)

    def read(self, path: Path, source: str, *, longest: int, position: bool = False) -> engine.Text:
        """Read a text that gives at most `longest` characters; only where callers wait may it use `position`."""
        if not source.strip():
            self.sheet.fault(path, "expected a text, got nothing")
            return NOTHING
        try:
            text = engine.read(source)
        except engine.TextInvalid as exc:
            for line, problem in exc.faults:
                self._fault(path, line, problem)
            return NOTHING
        names = frozenset((*ALWAYS, POSITION) if position else ALWAYS)
        self._written.append(_Written(path, source, text, longest, names))
        return text

    def check(self, values: Mapping[str, Declared], gathers: frozenset[str]) -> frozenset[str]:
        """Note what is wrong with the names and by trying the texts out; returns the gathers whose inputs are used."""
        used: set[str] = set()
        inputs: set[str] = set()
        for written in self._written:
            strangers = [name for name in written.text.names if name not in {*values, *written.names}]
            for name in strangers:
                self._fault(written.path, written.text.names[name], _stranger(name))
            used |= written.text.names.keys()
            asked = self._used(written, INPUT, gathers, "a step that gathers")
            known = self._used(written, SETTING, self.settings, "an app setting FLOW_NAME that is set")
            inputs |= asked or frozenset()
            if not strangers and asked is not None and known is not None:
                self._try_out(written, values, {INPUT: asked, SETTING: known})
        if not self.sheet.faults:  # else it may be a text with faults that uses it
            for name in values.keys() - used:
                self.sheet.fault(("values", name), "is not used in any text")
        return frozenset(inputs)

    def _used(self, written: _Written, name: str, known: Collection[str] | None, what: str) -> frozenset[str] | None:
        """Return the attributes of a value that a text uses; None where it uses an unknown one, which is a fault."""
        used = list(_attributes(written.source, name)) if name in written.text.names else []
        wrong = [(key, line) for key, line in used if key is None or (known is not None and key not in known)]
        for key, line in wrong:
            self._fault(written.path, line, f"{name if key is None else f'{name}.{key}'}: expected {name}. and {what}")
        return None if wrong else frozenset(key for key, _ in used if key is not None)

    def _try_out(
        self, written: _Written, values: Mapping[str, Declared], attributes: Mapping[str, frozenset[str]]
    ) -> None:
        """Write it, once with all values and yes, once with the defaults and no."""
        always: dict[str, object] = {**_NUMBERS, POSITION: _MADE_UP_POSITION}
        always |= {name: dict.fromkeys(known, _MADE_UP) for name, known in attributes.items()}
        full = {name: value.sample(yes=True) for name, value in values.items()}
        scant = {name: _default(value) for name, value in values.items()}
        for made_up in (full, scant):
            try:
                length = len(written.text.render({**made_up, **always}))
            except engine.RenderingFailed as exc:
                self._fault(written.path, exc.line or 1, f"tried with made-up values: {exc}")
                return
            if length > written.longest:
                self._fault(written.path, 1, f"expected at most {written.longest} characters, got {length}")
                return

    def _fault(self, path: Path, line: int, problem: str) -> None:
        self.sheet.faults.append((self.sheet.lines.within(*path, line=line), problem))


def _stranger(name: str) -> str:
    if name == POSITION:
        return f"{POSITION} is known to who waits only: in the `wait` of a queue"
    return f"{name} is not among the values, nor one of {', '.join(ALWAYS)}"


def _attributes(source: str, of: str) -> Iterator[tuple[str | None, int]]:
    """Find the attributes of a value that a text uses, as `of.NAME`, with their lines; None for any other use."""
    tree = SandboxedEnvironment().parse(source)
    named: set[int] = set()
    uses: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    for node in uses:
        if isinstance(node.node, nodes.Name) and node.node.name == of:
            named.add(id(node.node))
            yield _attribute(node), node.lineno
    for name in tree.find_all(nodes.Name):
        if name.name == of and id(name) not in named:
            yield None, name.lineno


def _attribute(node: nodes.Getattr | nodes.Getitem) -> str | None:
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def _default(value: Declared) -> object:
    return value.sample(yes=False) if value.default is None else value.default
