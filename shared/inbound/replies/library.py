"""The rules of a file: read and checked once, then only asked."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Fault, FaultyError
from shared.inbound.replies import read
from shared.inbound.replies.rules import Chosen, Rule, choose
from shared.text.templates.library import Templates


class RepliesInvalid(FaultyError):
    """The replies can't be used as they are; each fault's field is the file and a line, `replies.toml:7`."""


@dataclass(frozen=True, slots=True)
class Replies:
    """The rules, in the order in which they are asked."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def load(cls, path: Path, *, templates: Templates, taken: AbstractSet[str] = frozenset()) -> "Replies":
        """Read and check the rules of a file; there are none where there is no file.

        Args:
            path: of the file.
            templates: what a rule may name.
            taken: queues that no text may be passed on to.

        Raises:
            RepliesInvalid: something is wrong with it; every fault is named.
        """
        if not path.exists():
            return cls()
        try:
            return cls(read.read(path.read_bytes(), templates=templates, taken=taken))
        except read.FileInvalid as exc:
            faults = [Fault(f"{path.name}:{line}", problem) for line, problem in exc.faults]
            raise RepliesInvalid("the replies can't be used", faults) from exc

    @property
    def numbers(self) -> frozenset[str]:
        """Every number that a rule is for."""
        return frozenset[str]().union(*(rule.numbers for rule in self.rules))

    def choose(self, text: str, *, at: AbstractSet[str]) -> Chosen | None:
        """Return the first rule for a text that came in at these: a number and, where there is one, a service."""
        return choose(self.rules, text, at=at)
