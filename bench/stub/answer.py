"""What the stub answers."""

from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Answer:
    """A response without what every one has."""

    status: HTTPStatus
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
