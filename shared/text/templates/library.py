"""All templates of a folder: read and checked once, then only rendered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shared.errors import Fault, FaultyError, RequestInvalid, quoted
from shared.text.templates.rendered import Channel, Rendered

if TYPE_CHECKING:
    from shared.text.templates.template import Template

_PASSED_OVER: Final = "README.md"


class TemplatesInvalid(FaultyError):
    """The templates can't be used as they are; each fault's field is a file and a line, `reminder.txt:7`."""


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates by their names, which are those of their files."""

    _by_name: Mapping[str, "Template"] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> "Templates":
        """Read and check every template of a folder; there are none where there is no folder.

        `README.md` and files that begin with a dot are passed over.

        Raises:
            TemplatesInvalid: something is wrong with one or more files; every fault is named.
        """
        if not folder.is_dir():
            return cls()
        paths = sorted(path for path in folder.iterdir() if not _is_passed_over(path))
        return cls._read(paths) if paths else cls()

    @classmethod
    def _read(cls, paths: list[Path]) -> "Templates":
        from shared.text.templates import files  # noqa: PLC0415 - jinja2 is for those who have templates

        faults: list[Fault] = []
        by_name: dict[str, Template] = {}
        for path in paths:
            try:
                by_name[path.stem] = files.read(path)
            except files.FileInvalid as exc:
                faults += [Fault(f"{path.name}:{line}", problem) for line, problem in exc.faults]
        if faults:
            raise TemplatesInvalid("the templates can't be used", faults)
        return cls(by_name)

    def __iter__(self) -> Iterator["Template"]:
        return iter(self._by_name.values())

    def named(self, name: str) -> "Template":
        """Return a template.

        Raises:
            RequestInvalid: there is none of this name.
        """
        if name not in self._by_name:
            known = f"one of {', '.join(self._by_name)}" if self._by_name else "none, as there are no templates"
            raise RequestInvalid("it can't be sent", [Fault("template", f"expected {known}, got {quoted(name)}")])
        return self._by_name[name]

    def render(self, name: str, *, channel: Channel, data: Mapping[str, object], locale: str | None) -> Rendered:
        """Write the text of a request that names a template; `data` are its values as JSON has them.

        Raises:
            RequestInvalid: there is no such template, or the values, the channel or the locale don't fit it; every
                fault is named, with `template`, `locale` or `data.NAME` as its field, and shows no value.
        """
        return self.named(name).render(channel=channel, data=data, locale=locale)


def _is_passed_over(path: Path) -> bool:
    return path.name == _PASSED_OVER or path.name.startswith(".")
