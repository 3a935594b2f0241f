"""What is to happen to a request on its way, or to its answer on the way back."""

from collections.abc import Callable
from dataclasses import dataclass

from local.twilio.stand_ins import StandIn


@dataclass(frozen=True, slots=True)
class Pass:
    """Nothing: it goes on."""


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection is closed."""


@dataclass(frozen=True, slots=True)
class Never:
    """Nothing is answered until the client gives up."""


@dataclass(frozen=True, slots=True)
class Answer:
    """This status is answered, in the shape of the service; `code` is the service's, where not its usual one."""

    status: int
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Do:
    """Something is done, and awaited if it can be, such as killing the client; then the connection is closed."""

    act: Callable[[], object]


Action = Pass | Drop | Never | Answer | Do | StandIn
"""a StandIn is answered by something else in the service's place, not in the service's shape"""
PASS, DROP, NEVER = Pass(), Drop(), Never()
