"""Rules: which texts they are for, what they answer, and where they pass a text on. Pure."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.text.numbers import WHATSAPP
from shared.text.words import Words, after, words_of

if TYPE_CHECKING:
    from shared.text.templates.engine import Text
    from shared.text.templates.plain import Plain

VALUES: Final = {"rest": "Hello", "sender": "+14155550100", "number": "+14155550101"}
"""what the text of a reply may use, with values that are made up"""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a text, media, or both; neither is no answer."""

    text: "Text | Plain | None" = None
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule without words and prefixes is for every text; one without numbers is for every number."""

    name: str
    numbers: frozenset[str] = frozenset()
    words: tuple[Words, ...] = ()
    prefixes: tuple[Words, ...] = ()
    reply: Reply = Reply()
    forward: str | None = None
    """the queue that a text is passed on to"""
    is_keyword: bool = False
    """whether it is for STOP, START or HELP, and of no file"""

    @property
    def does_nothing(self) -> bool:
        """Whether it neither answers nor passes on."""
        return self.forward is None and self.reply == Reply()

    @property
    def is_for_every_text(self) -> bool:
        """Whether it is for a text whatever that says."""
        return not (self.words or self.prefixes)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rule for a text, and what follows the prefix by which it was found; all of the text where there is none."""

    rule: Rule
    rest: str


def choose(rules: Iterable[Rule], text: str, *, at: AbstractSet[str]) -> Chosen | None:
    """Return the first rule for a text that came in at these: a `bare` number, and perhaps a Messaging Service."""
    said = words_of(text)
    for rule in rules:
        if rule.numbers and rule.numbers.isdisjoint(at):
            continue
        if said in rule.words or rule.is_for_every_text:
            return Chosen(rule, text.strip())
        for prefix in rule.prefixes:
            if said[: len(prefix)] == prefix:
                return Chosen(rule, after(text, len(prefix)))
    return None


def bare(address: str) -> str:
    """Return an address without `whatsapp:`: rules are for a number, whichever way it is written to."""
    return address.removeprefix(WHATSAPP)
