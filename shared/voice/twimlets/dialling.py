"""The twimlets that dial somebody: forward, simulring, findme and callme. Pure."""

from typing import Final

from shared.text.templates.plain import Plain
from shared.voice.flows.dial_status import UNANSWERED
from shared.voice.flows.kinds.dial import Dial
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.model import Action, Flow, Speech
from shared.voice.flows.targets import Target
from shared.voice.twimlets.reading import Reading
from shared.voice.twimlets.speaking import CALL

MOST_NUMBERS: Final = 10
"""https://www.twilio.com/docs/voice/twiml/number"""
RESTRICTED: Final = "Sorry, you are calling from a restricted number. Good bye."
NOT_REACHED: Final = "We are sorry. Nobody can be reached here at the moment. Please call again later."
_REACHED: Final = ("completed", "answered")
_RINGS: Final = 20
_RINGS_ONE_BY_ONE: Final = 60


def forward(reading: Reading) -> Flow:
    """Connect with one number, where the person at the other end is among the allowed ones.

    The originals took the URL, with Dial, as what comes after a Dial, too: then only FailUrl is left to do.
    """
    if reading.dialled is not None:
        fail = reading.fail_url()
        return reading.flow({"over": Hangup() if fail is None or reading.dialled in _REACHED else fail})
    if reading.parameters.texts("AllowedCallers") and reading.call.other_end not in reading.numbers("AllowedCallers"):
        return reading.flow({"restricted": Hangup(say=reading.said(RESTRICTED))})
    return _dialled(reading, reading.numbers("PhoneNumber")[:1], caller_id=_caller_id(reading))


def callme(reading: Reading) -> Flow:
    """Connect with one number, whose owner hears of it before."""
    return _dialled(reading, reading.numbers("PhoneNumber")[:1], whisper=reading.message(CALL))


def simulring(reading: Reading) -> Flow:
    """Ring several numbers at once."""
    return _dialled(reading, _several(reading), together=True, whisper=reading.message(CALL))


def findme(reading: Reading) -> Flow:
    """Ring several numbers one after the other, until somebody presses a key."""
    message = reading.message(CALL)
    return _dialled(reading, _several(reading), rings=_RINGS_ONE_BY_ONE, whisper=message, screen=True)


def _several(reading: Reading) -> tuple[str, ...]:
    numbers = reading.numbers("PhoneNumbers")
    if len(numbers) > MOST_NUMBERS:
        reading.problems.append(f"expected at most {MOST_NUMBERS} PhoneNumbers, got {len(numbers)}: the rest is left")
    return numbers[:MOST_NUMBERS]


def _caller_id(reading: Reading) -> str | None:
    return next(iter(reading.numbers("CallerId")), None)


def _dialled(
    reading: Reading,
    numbers: tuple[str, ...],
    *,
    together: bool = False,
    rings: int = _RINGS,
    whisper: Speech | None = None,
    screen: bool = False,
    caller_id: str | None = None,
) -> Flow:
    """Dial, and go to FailUrl where nobody answers; without one the call ends, with a word where nobody was dialled."""
    fail = reading.fail_url()
    after: dict[str, Action] = {"unanswered": Hangup(), "failed": Hangup(say=reading.said(NOT_REACHED))}
    if fail is not None:
        after = dict.fromkeys(after, fail)
    if not numbers:
        if fail is None:
            return reading.sorry("expected a phone number, got none that can be dialled")
        reading.problems.append("expected a phone number, got none that can be dialled: FailUrl answers")
        return reading.flow({"failed": fail})
    dialling = Dial(
        targets=tuple(Target(kind="number", name=Plain(number)) for number in numbers),
        together=together,
        timeout=reading.timeout(rings),
        caller_id=caller_id,
        whisper=whisper,
        screen=screen,
        may_press=whisper is not None and not screen,
        branches=dict.fromkeys(UNANSWERED, "unanswered") | {"failed": "failed"},
    )
    return reading.flow({"dial": dialling, **after})
