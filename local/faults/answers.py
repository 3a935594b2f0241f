"""Error answers as the services give them.

https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2
"""

from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from local.faults.actions import Answer
from local.faults.seen import Service
from local.twilio.errors import RestError

STORAGE_CODES: Mapping[int, str] = MappingProxyType(
    {404: "ResourceNotFound", 408: "OperationTimedOut", 429: "ServerBusy", 500: "InternalError", 503: "ServerBusy"}
)
TABLE_CODES: Mapping[int, str] = MappingProxyType(
    {**STORAGE_CODES, 409: "EntityAlreadyExists", 412: "UpdateConditionNotSatisfied"}
)
QUEUE_CODES: Mapping[int, str] = MappingProxyType(
    {**STORAGE_CODES, 404: "QueueNotFound", 409: "QueueAlreadyExists", 412: "ConditionNotMet"}
)
TWILIO_CODES: Mapping[int, int] = MappingProxyType({401: 20003, 404: 20404, 429: 20429, 500: 20500, 503: 20503})
MESSAGE = "This answer was made by a fault that somebody asked for."


def answer_of(service: Service, answer: Answer) -> web.Response:
    """The answer in the words and the shape of its service."""
    match service:
        case "table":
            return _table(answer.status, answer.code or TABLE_CODES.get(answer.status, "Unknown"))
        case "queue":
            return _queue(answer.status, answer.code or QUEUE_CODES.get(answer.status, "Unknown"))
        case "twilio":
            return _twilio(answer.status, int(answer.code or TWILIO_CODES.get(answer.status, 20001)))


def _table(status: int, code: str) -> web.Response:
    error = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": MESSAGE}}}
    return web.json_response(error, status=status, headers={"x-ms-error-code": code, "x-ms-version": "2019-02-02"})


def _queue(status: int, code: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{MESSAGE}</Message></Error>'
    return web.Response(status=status, text=text, content_type="application/xml", headers={"x-ms-error-code": code})


def _twilio(status: int, code: int) -> web.Response:
    return web.json_response({**RestError(code).body(), "status": status}, status=status)
