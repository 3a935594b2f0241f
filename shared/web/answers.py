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
from shared.errors import (
    Changed,
    RequestInvalid,
    SwitchboardError,
    TwilioRefused,
    TwilioUnavailable,
    TwilioUnclear,
)
from shared.outbound.replay import NotReplayable
from shared.scheduling.schedules import ScheduleConflict
from shared.wiring import Wiring

_logger: Final = logging.getLogger(__name__)
_MEANWHILE: Final = "something else happened to it in the same moment: see what it is now, and ask again"


class NotFound(SwitchboardError):
    """There is nothing under this name."""


Handler = Callable[[func.HttpRequest, Wiring], Awaitable[func.HttpResponse]]


def with_problems(handler: Handler) -> Handler:
    """Turn what goes wrong in a handler into a problem document."""

    @wraps(handler)
    async def answer(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
        try:
            return await handler(req, wiring)
        except RequestInvalid as exc:
            errors = [{"field": fault.field, "detail": fault.problem} for fault in exc.faults]
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc), errors=errors)
        except NotFound as exc:
            return problem(HTTPStatus.NOT_FOUND, str(exc))
        except (NotErasable, NotReplayable, ScheduleConflict, Changed) as exc:
            return problem(HTTPStatus.CONFLICT, _MEANWHILE if isinstance(exc, Changed) else str(exc))
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear) as exc:
            return problem(HTTPStatus.BAD_GATEWAY, f"Twilio did not do its part: {exc}")
        except AzureError as exc:
            _logger.error("storage did not answer: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "storage does not answer now; try again")

    return answer


def json_answer(content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, **headers: str) -> func.HttpResponse:
    """Answer with a JSON document."""
    return func.HttpResponse(
        msgspec.json.encode(content), status_code=status, headers=headers, mimetype="application/json"
    )


def problem(status: HTTPStatus, detail: str, **members: object) -> func.HttpResponse:
    """Answer with a problem document: https://www.rfc-editor.org/rfc/rfc9457."""
    content = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **members}
    return func.HttpResponse(msgspec.json.encode(content), status_code=status, mimetype="application/problem+json")
