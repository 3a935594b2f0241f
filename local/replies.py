"""Lists, checks and tries the rules that answer texts: what somebody will get, before anybody writes."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from local import environment, settings_file
from local.errors import LocalError
from local.listing import lines, several
from shared.consents.words import is_twilios, may_be_an_answer, word_of
from shared.inbound.replies.library import Replies, RepliesInvalid
from shared.inbound.replies.read import is_number
from shared.inbound.replies.rules import Rule, bare
from shared.settings import own_queues
from shared.text.numbers import cleaned
from shared.text.templates.engine import RenderingFailed
from shared.text.templates.library import Templates, TemplatesInvalid
from shared.text.templates.rendered import LONGEST

SENDER = "+14155550177"
"""who writes, where a reply says so"""


class RepliesError(LocalError):
    """The rules can't be used: the message says what was expected."""


def show_all(path: Path, templates: Path) -> int:
    """Print every rule with the texts that it is for; returns the exit code. Raises RepliesError."""
    rules = _load(path, templates).rules
    if not rules:
        print(f"There are no rules in {path}.")
    for rule in rules:
        print(f"{rule.name}: {_met_by(rule)}; {_does(rule)}")
    return 0


def check(path: Path, templates: Path) -> int:
    """Print how many rules are fine; returns the exit code. Raises RepliesError, which names every fault."""
    rules = _load(path, templates).rules
    print(f"All is well in {path}: {several(len(rules), 'rule')}.")
    return 0


def try_out(path: Path, templates: Path, *, text: str, to: str) -> int:
    """Print what a text to a number would get; returns the exit code. Raises RepliesError."""
    to = cleaned(to)
    if to and not is_number(bare(to)):
        raise RepliesError("--to expected a number in E.164, a short code, or a Messaging Service's SID.")
    chosen, word = _load(path, templates).choose(text, at={bare(to)}), word_of(text, None)
    if word is not None and not may_be_an_answer(text, None):
        ours = "the app answers it, as Twilio does not know it"
        who = "OPT_OUT_REPLIES says who answers it" if is_twilios(text) else ours
        print(f"This is one of the words for {word.upper()}: {who}.")
        return 0
    if chosen is None:
        print("No rule is for this text: SMS_REPLY answers it, where that is set.")
        return 0
    rule, said = chosen.rule, chosen.rule.reply.text
    print(f"{rule.name}: {_does(rule)}")
    if said is not None:
        print(_written(rule, said.render, {"rest": chosen.rest, "sender": SENDER, "number": to}))
    for url in rule.reply.media:
        print(url)
    return 0


def _written(rule: Rule, render: Callable[[Mapping[str, object]], str], values: Mapping[str, object]) -> str:
    try:
        said = render(values)
    except RenderingFailed as fault:
        raise RepliesError(f"The reply of {rule.name} can't be written: {fault}.") from fault
    if len(said) > LONGEST["sms"]:
        raise RepliesError(f"The reply of {rule.name} is not sent: it grows beyond {LONGEST['sms']} characters.")
    return said


def _load(path: Path, templates: Path) -> Replies:
    values = {**(settings_file.read() if settings_file.SETTINGS.exists() else {}), **os.environ}
    taken = own_queues(environment.outbound_queue(values), values.get("EVENTS_QUEUE"))
    try:
        return Replies.load(path, templates=Templates.load(templates), taken=taken)
    except (RepliesInvalid, TemplatesInvalid) as fault:
        raise RepliesError(lines(fault)) from fault
    except OSError as fault:
        raise RepliesError(f"{fault.filename} cannot be read: {fault.strerror}.") from fault


def _met_by(rule: Rule) -> str:
    words = [f'"{" ".join(words)}"' for words in rule.words] + [f'"{" ".join(words)} …"' for words in rule.prefixes]
    at = f" at {', '.join(sorted(rule.numbers))}" if rule.numbers else ""
    return (", ".join(words) or "every text") + at


def _does(rule: Rule) -> str:
    answers = "answers" if rule.reply.text is not None or rule.reply.media else "answers nothing"
    return answers if rule.forward is None else f"passes on to {rule.forward}, {answers}"
