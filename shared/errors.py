"""One base, and a class for each decision that a caller makes. No message holds a secret, a body or a whole number."""

import re
from dataclasses import dataclass
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,39}")
_NUMBER: Final = re.compile(r"[0-9]{7}")
_BETWEEN_DIGITS: Final = re.compile(r"[._-]")


class SwitchboardError(Exception):
    """Whatever this app raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with what somebody gave us: the field, and what was expected there and what came."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


def looks_like_name(text: str) -> bool:
    """Tell whether a text from outside may be shown: a short name, such as `order_id`, and not a phone number."""
    return _NAME.fullmatch(text) is not None and not _NUMBER.search(_BETWEEN_DIGITS.sub("", text))


def quoted(text: str) -> str:
    """Return a text from outside as a fault may tell it: in quotes if it looks like a name, else only its length."""
    return repr(text) if looks_like_name(text) else f"a text of {len(text)} characters"


def shown_field(name: str) -> str:
    """Return the name of a field from outside as a fault may tell it; as `quoted`."""
    return name if looks_like_name(name) else f"a name of {len(name)} characters"


class FaultyError(SwitchboardError):
    """Something was given that can't be used; `faults` names everything that is wrong with it, not just the first."""

    def __init__(self, what: str, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{what}: " + "; ".join(map(str, faults)))


class SettingsInvalid(FaultyError):
    """The app can't start with these settings."""


class RequestInvalid(FaultyError):
    """A send request, or a search, can't be used as it is: no retry will help."""


class NotConfigured(SwitchboardError):
    """What was asked for needs settings that this app does not have; `names` are theirs."""

    def __init__(self, what: str, names: list[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"{what} needs settings that are not there: {', '.join(names)}")


class SignatureInvalid(SwitchboardError):
    """The request isn't Twilio's, or was altered on its way: answer 403 and do nothing."""


class FormInvalid(SwitchboardError):
    """A request that Twilio signed lacks what its kind must carry."""


class TwilioUnavailable(SwitchboardError):
    """The request didn't reach Twilio, or Twilio said that it didn't process it: safe to send again."""

    def __init__(self, message: str, *, code: int | None = None, retry_after: float | None = None) -> None:
        self.code = code
        self.retry_after = retry_after
        super().__init__(message)


class TwilioUnclear(SwitchboardError):
    """The request left and no answer of Twilio's could be read: Twilio may have it. Never send again before a look.

    `retry_after` are the seconds that the answer asked for, whoever gave it.
    """

    def __init__(self, message: str, *, code: int | None = None, retry_after: float | None = None) -> None:
        self.code = code
        self.retry_after = retry_after
        super().__init__(message)


class TwilioRefused(SwitchboardError):
    """Twilio answered that it won't do it. `code` is always Twilio's own, never a status.

    `explanation` is Twilio's own text: for the record, not for a log.
    """

    def __init__(self, *, status: int, code: int, explanation: str) -> None:
        self.status = status
        self.code = code
        self.explanation = explanation
        super().__init__(f"Twilio refused with HTTP {status}, code {code}")


class RightMissing(SwitchboardError):
    """Twilio's credentials may not do something that this app needs; the text names the right."""


class TooLate(SwitchboardError):
    """The attempt's deadline left no time for a bounded send: nothing left this process."""


class MessageTooLarge(SwitchboardError):
    """A queue can't carry this message, however often it is tried: nothing was enqueued."""


class Changed(SwitchboardError):
    """A row isn't any more what it was when it was read: read it again and decide again."""
