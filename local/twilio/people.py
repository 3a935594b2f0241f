"""People: what somebody will do who is called, or who calls.

A person has acts, one after the other. Gather takes one of them; Record takes acts until a key, silence or the end of
the call; a conversation (Dial, Conference) all that people do in one: they speak, wait and hang up, but keys stay for
a later verb; in a queue they only wait and hang up. With no more acts a person is silent. The acts of a live person
come while the call lives: whatever listens then waits for them, for ever, or as long as `real_time` says.
"""

import re
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from local.twilio.numbers import bare

Answer = Literal["busy", "no-answer", "failed", "declined", "live"]
AnsweredBy = Literal[
    "human", "machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax", "unknown"
]
KINDS = ("press", "say", "speak", "wait", "silence", "hang_up", "answer", "decline")
KEYS = re.compile(r"[0-9*#w]+")
SPOKEN_CHARACTERS_PER_SECOND = 15
SHORTEST_SPEECH_SECONDS = 3.0
DEFAULT_RING_SECONDS = 5.0
ANYBODY = "*"


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that a person does: exactly one of the first eight fields.

    | field | what happens |
    |---|---|
    | press | these keys are pressed |
    | say | these words are spoken: for `seconds`, or as long as they take; `confidence` is that of a Gather |
    | speak | something is spoken for so many seconds that no machine understands |
    | wait | so many seconds pass in silence |
    | silence | silence, until whoever listens gives up |
    | hang_up | the person hangs up |
    | answer, decline | what a live person does when the telephone rings |
    An act that `interrupts` comes during the first prompt of a Gather, or the next thing that is heard where it is
    hanging up; a live person's always do. One with `at` is kept for Gather, Record, Enqueue, Dial (which also leads the
    conversation of somebody from a queue, or whom it called) or Conference, and with it what comes after.
    """

    press: str | None = None
    say: str | None = None
    speak: float | None = None
    wait: float | None = None
    silence: bool = False
    hang_up: bool = False
    answer: bool = False
    decline: bool = False
    confidence: float = 0.9
    seconds: float | None = None
    interrupts: bool = False
    at: str | None = None

    def __post_init__(self) -> None:
        given = self._given()
        if len(given) != 1:
            raise ValueError(f"expected one of {', '.join(KINDS)} in an act, got {', '.join(given) or 'none of them'}")
        if self.press is not None and not KEYS.fullmatch(self.press):
            raise ValueError("expected `press` to be keys: 0 to 9, *, #, and w for a pause")

    @property
    def kind(self) -> str:
        """Which of the eight it is."""
        return self._given()[0]

    @property
    def lasts(self) -> float:
        """How many seconds it takes."""
        if self.say is not None:
            spoken = max(SHORTEST_SPEECH_SECONDS, len(self.say) / SPOKEN_CHARACTERS_PER_SECOND)
            return spoken if self.seconds is None else self.seconds
        return self.speak or self.wait or 0.0

    def _given(self) -> list[str]:
        return [name for name in KINDS if getattr(self, name) is not None and getattr(self, name) is not False]


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What somebody does in one call; times in simulated seconds.

    `answers` is true, false (no-answer), busy, no-answer, failed, declined, or live: then it rings until an act
    answers or declines, or the caller gives up. It rings for `after` seconds before.
    `hangs_up_after` counts from the answer and ends the call wherever it is. `answered_by` is what answering machine
    detection finds. With `real_time` a live person is silent where no act comes within the timeout of what listens,
    in real seconds.
    """

    answers: bool | Answer = True
    after: float | None = None
    acts: tuple[Act, ...] = ()
    hangs_up_after: float | None = None
    answered_by: AnsweredBy = "human"
    live: bool = False
    real_time: bool = False

    @property
    def outcome(self) -> "Outcome":
        """How a call to this person ends, if nobody ends it before."""
        return OUTCOMES[self.answers]

    @property
    def rings(self) -> float:
        """How many seconds it rings."""
        if self.after is not None:
            return self.after
        return 0.0 if self.answers == "busy" else DEFAULT_RING_SECONDS


class Outcome(msgspec.Struct, frozen=True):
    """The last status of a call, and the SIP code that goes with it."""

    status: str
    sip_code: int


ANSWERED = Outcome("completed", 200)
UNANSWERED = Outcome("no-answer", 487)
# Twilio takes SIP's 603 (declined) as busy: https://www.twilio.com/docs/voice/api/call-resource#call-status-values
OUTCOMES: Mapping[bool | str, Outcome] = MappingProxyType(
    {
        True: ANSWERED,
        "live": ANSWERED,
        False: UNANSWERED,
        "no-answer": UNANSWERED,
        "busy": Outcome("busy", 486),
        "declined": Outcome("busy", 603),
        "failed": Outcome("failed", 404),
    }
)
SPECIAL: Mapping[str, Person] = MappingProxyType(
    {
        "+15005550101": Person(answers="busy"),
        "+15005550102": Person(answers="no-answer"),
        "+15005550103": Person(answers="failed"),
        "+15005550104": Person(answered_by="machine_start"),
    }
)


class People:
    """Who is behind which address; `*` is behind all that nobody was put at."""

    def __init__(self) -> None:
        self._known: dict[str, deque[Person]] = {}

    def put(self, address: str, *people: Person) -> None:
        """Somebody is there from now on; of several, each takes one call, and the last all that come after."""
        if not people:
            raise ValueError("expected at least one person")
        self._known[address] = deque(people)

    def forget(self, address: str) -> None:
        """Nobody special is there any more."""
        self._known.pop(address, None)

    def known(self) -> dict[str, list[Person]]:
        """Everybody who was put somewhere."""
        return {address: list(people) for address, people in self._known.items()}

    def knows(self, address: str) -> bool:
        """Whether somebody was put at this very address."""
        return address in self._known

    def clear(self) -> None:
        """Forget everybody."""
        self._known.clear()

    def at(self, address: str) -> Person:
        """Who takes, or makes, the next call at an address."""
        if address in self._known:
            return self._next(address)
        if bare(address) in SPECIAL:
            return SPECIAL[bare(address)]
        return self._next(ANYBODY) if ANYBODY in self._known else Person()

    def _next(self, address: str) -> Person:
        people = self._known[address]
        return people.popleft() if len(people) > 1 else people[0]


def press(keys: str, *, interrupts: bool = False, at: str | None = None) -> Act:
    """Keys are pressed."""
    return Act(press=keys, interrupts=interrupts, at=at)


def say(
    words: str,
    *,
    seconds: float | None = None,
    confidence: float = 0.9,
    interrupts: bool = False,
    at: str | None = None,
) -> Act:
    """Words are spoken."""
    return Act(say=words, seconds=seconds, confidence=confidence, interrupts=interrupts, at=at)


def speak(seconds: float, *, at: str | None = None) -> Act:
    """Something is spoken that no machine understands."""
    return Act(speak=seconds, at=at)


def wait(seconds: float, *, at: str | None = None) -> Act:
    """Some seconds of silence."""
    return Act(wait=seconds, at=at)


def silence(*, at: str | None = None) -> Act:
    """Silence until whoever listens gives up."""
    return Act(silence=True, at=at)


def hang_up(*, interrupts: bool = False, at: str | None = None) -> Act:
    """The person hangs up."""
    return Act(hang_up=True, interrupts=interrupts, at=at)
