"""A text that is no template, beside those that are: it needs no engine. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """A text that stands as it is: nothing in it is a template."""

    written: str

    def render(self, _values: Mapping[str, object]) -> str:
        """Return it."""
        return self.written
