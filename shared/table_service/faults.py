"""What went wrong, in azure.core's classes, which callers catch. No URL, body or key is in it."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import aiohttp
import msgspec
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

_WORD: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_NO_CODE: Final = "without a code"
_KINDS: Final[Mapping[tuple[int, str], type[HttpResponseError]]] = MappingProxyType(
    {
        (HTTPStatus.NOT_FOUND, "ResourceNotFound"): ResourceNotFoundError,
        (HTTPStatus.NOT_FOUND, "EntityNotFound"): ResourceNotFoundError,
        (HTTPStatus.NOT_FOUND, "TableNotFound"): ResourceNotFoundError,
        (HTTPStatus.CONFLICT, "EntityAlreadyExists"): ResourceExistsError,
        (HTTPStatus.CONFLICT, "TableAlreadyExists"): ResourceExistsError,
        (HTTPStatus.FORBIDDEN, "AuthenticationFailed"): ClientAuthenticationError,
    }
)
"""who answers something else is not there, or is in the way: a gateway's 404 is no row that isn't there, and the 409 of
a table that is being deleted no row that is.
https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes"""
_BY_STATUS: Final[Mapping[int, type[HttpResponseError]]] = MappingProxyType(
    {HTTPStatus.UNAUTHORIZED: ClientAuthenticationError, HTTPStatus.PRECONDITION_FAILED: ResourceModifiedError}
)


class _Error(msgspec.Struct, frozen=True):
    code: str = ""


class _Body(msgspec.Struct, frozen=True):
    error: _Error = msgspec.field(name="odata.error", default=_Error())


def refusal(status: int, headers: Mapping[str, str], content: bytes) -> HttpResponseError:
    """Return the error that an answer is."""
    code = _code(headers, content)
    kind = _KINDS.get((status, code)) or _BY_STATUS.get(status, HttpResponseError)
    request_id = headers.get("x-ms-request-id", "")
    traced = f", request {request_id}" if _WORD.fullmatch(request_id) else ""
    error = kind(f"the table service answered HTTP {status}, {code}{traced}")
    error.status_code = status
    return error


def unreadable(what: str) -> HttpResponseError:
    """Return the error that an answer is which should have held something else."""
    return HttpResponseError(f"expected {what} in the answer of the table service, got something else")


def silence(error: Exception) -> AzureError:
    """Return the error that an answer which did not come is: of the request, where that has not left."""
    what = type(error).__name__
    match error:
        case aiohttp.ConnectionTimeoutError():
            return ServiceRequestTimeoutError(f"no connection to the table service ({what})")
        case aiohttp.ClientConnectorError():
            return ServiceRequestError(f"no connection to the table service ({what})")
        case TimeoutError():
            return ServiceResponseTimeoutError(f"no answer from the table service ({what})")
    return ServiceResponseError(f"no answer from the table service ({what})")


def _code(headers: Mapping[str, str], content: bytes) -> str:
    code = headers.get("x-ms-error-code", "")
    if not code:
        try:
            code = msgspec.json.decode(content, type=_Body).error.code
        except msgspec.DecodeError:
            return _NO_CODE
    return code if _WORD.fullmatch(code) else _NO_CODE
