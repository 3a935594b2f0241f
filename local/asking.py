"""Asks the functions for something over HTTP, as other systems do, with what comes with Python."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from local.errors import LocalError

_Kind = TypeVar("_Kind")
ANSWER_SECONDS = 300  # as long as the functions host lets one invocation take


class AskingError(LocalError):
    """The functions do not answer."""


class RefusedError(AskingError):
    """The functions answered that they don't do it, or not all of it."""

    def __init__(self, message: str, *, replayed: tuple[str, ...] = (), rejections: tuple[str, ...] = ()) -> None:
        self.replayed = replayed
        self.rejections = rejections
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Functions:
    """Where the functions are, and a function key."""

    url: str
    key: str | None


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""
    replayed: tuple[str, ...] = ()
    """what was sent again all the same"""
    rejections: tuple[str, ...] = ()
    """the rejected messages that named an id which no delivery has"""


def ask(functions: Functions, path: str, document: Mapping[str, Any] | None = None) -> bytes:
    """POST a document to a route, or GET the route without one, and return the body of the answer.

    Raises:
        RefusedError: they answered with an error.
        AskingError: they did not answer.
    """
    request = urllib.request.Request(  # noqa: S310 - the console takes http URLs only
        f"{functions.url.rstrip('/')}/api/{path}",
        data=None if document is None else json.dumps(document).encode(),
        headers={"Content-Type": "application/json", **({"x-functions-key": functions.key} if functions.key else {})},
        method="GET" if document is None else "POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - the same
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as refusal:
        with refusal:
            why, problem = _read(refusal)
            raise RefusedError(
                f"{functions.url} answered {refusal.code}{why}",
                replayed=problem.replayed,
                rejections=problem.rejections,
            ) from refusal
    except (OSError, http.client.HTTPException) as fault:
        raise AskingError(f"No functions answer at {functions.url}: are they running?") from fault


def read_answer(functions: Functions, answer: bytes, kind: type[_Kind], *, what: str) -> _Kind:
    """Return an answer as a value of a kind; raises AskingError, with `what` was expected, if it is none."""
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as fault:
        raise AskingError(f"{functions.url} answered something that is no {what}: {fault}") from fault


def _read(refusal: urllib.error.HTTPError) -> tuple[str, _Problem]:
    """Return the reason in words, and the problem document; an empty one if there is none."""
    if refusal.code == http.HTTPStatus.UNAUTHORIZED:
        return " (a function key? --key)", _Problem()
    try:
        problem = msgspec.json.decode(refusal.read(), type=_Problem)
    except (msgspec.MsgspecError, OSError, http.client.HTTPException):
        return "", _Problem()
    return f": {problem.detail}" if problem.detail else "", problem
