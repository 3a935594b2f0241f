"""Answers to systems and people: JSON documents, and problem documents (RFC 9457) where something is wrong."""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
import msgspec
from azure.core.exceptions import AzureError

from shared.deliveries.erasure import NotErasable
from shared.documents import BYTES_OF_A_CHARACTER
from shared.errors import (
    Changed,
    RequestInvalid,
    SwitchboardError,
    TwilioRefused,
    TwilioUnavailable,
    TwilioUnclear,
)
from shared.outbound.cancel import NotCancelable
from shared.outbound.replay import NotReplayable
from shared.outbound.request import LONGEST
from shared.scheduling.schedules import ScheduleConflict
from shared.web.body import BodyLost, check_arrived
from shared.wiring import Wiring

_logger: Final = logging.getLogger(__name__)
LARGEST_BODY: Final = BYTES_OF_A_CHARACTER * LONGEST
"""bytes of the largest request that any route takes; a larger one is refused before anything of it is decoded"""
_MEANWHILE: Final = "something else happened to it in the same moment: see what it is now, and ask again"


class NotFound(SwitchboardError):
    """There is nothing under this name."""

    status: Final = HTTPStatus.NOT_FOUND


class TooLarge(SwitchboardError):
    """The body has more bytes than any request of ours."""

    status: Final = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


Handler = Callable[[func.HttpRequest, Wiring], Awaitable[func.HttpResponse]]


def with_problems(handler: Handler) -> Handler:
    """Turn an error of a handler into a problem document; refuse a body that is too large or did not arrive.

    Both are checked first: one large body costs the other callers of this process nothing, and no handler takes a lost
    body for none.
    """

    @wraps(handler)
    async def answer(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
        try:
            _check_size(req)
            check_arrived(req)
            return await handler(req, wiring)
        except RequestInvalid as exc:
            errors = [{"field": fault.field, "detail": fault.problem} for fault in exc.faults]
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc), errors=errors)
        except (NotFound, TooLarge, BodyLost) as exc:
            return problem(exc.status, str(exc))
        except (NotCancelable, NotErasable, NotReplayable, ScheduleConflict, Changed) as exc:
            return problem(HTTPStatus.CONFLICT, _MEANWHILE if isinstance(exc, Changed) else str(exc))
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear) as exc:
            return problem(HTTPStatus.BAD_GATEWAY, f"Twilio did not do its part: {exc}")
        except AzureError as exc:
            _logger.error("storage did not answer: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "storage does not answer now; try again")

    return answer


def _check_size(req: func.HttpRequest) -> None:
    size = len(req.get_body())
    if size > LARGEST_BODY:
        raise TooLarge(f"expected a body of at most {LARGEST_BODY} bytes, got {size}")


def json_answer(content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, **headers: str) -> func.HttpResponse:
    """Answer with a JSON document."""
    return func.HttpResponse(
        msgspec.json.encode(content), status_code=status, headers=headers, mimetype="application/json"
    )


def problem(status: HTTPStatus, detail: str, **members: object) -> func.HttpResponse:
    """Answer with a problem document: https://www.rfc-editor.org/rfc/rfc9457."""
    content = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **members}
    return func.HttpResponse(msgspec.json.encode(content), status_code=status, mimetype="application/problem+json")
