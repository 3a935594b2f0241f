"""What `template` and `flow` tell in the same words: faults, counts, and the values that somebody has to bring."""

from collections.abc import Mapping

from shared.errors import FaultyError
from shared.text.templates.values import Declared


def lines(fault: FaultyError) -> str:
    """Every fault on a line of its own."""
    return "\n".join(map(str, fault.faults))


def several(count: int, what: str) -> str:
    """A count with its noun: `1 text`, `2 texts`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def print_values(values: Mapping[str, Declared]) -> None:
    """Print each value with its type, and whether it may be left out."""
    for name, value in values.items():
        print(f"  {name}: {value.kind}" + ("" if value.default is None else ", may be left out"))
