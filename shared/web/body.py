"""The body of a request, and whether it arrived.

The Functions host passes a body on only with a Content-Length. Of a request with `Transfer-Encoding: chunked`, which is
what PostAsJsonAsync of .NET sends, it passes on the headers alone (`request.ContentLength > 0`):
https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script.Grpc/MessageExtensions/GrpcMessageConversionExtensions.cs
"""

from http import HTTPStatus
from typing import Final

import azure.functions as func

from shared.errors import Fault, RequestInvalid, SwitchboardError

_LENGTH: Final = "Content-Length"
_CODING: Final = "Transfer-Encoding"
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})
"""methods whose body means nothing, https://www.rfc-editor.org/rfc/rfc9110#section-9.3.1"""


class BodyLost(SwitchboardError):
    """A body did not arrive, because it was sent without a Content-Length."""

    status: Final = HTTPStatus.LENGTH_REQUIRED


def is_lost(req: func.HttpRequest) -> bool:
    """Tell whether a request had a body that did not arrive."""
    return req.method not in _WITHOUT_BODY and _CODING in req.headers and not req.get_body()


def check_arrived(req: func.HttpRequest) -> None:
    """Make sure that a body that was sent did arrive, also where the route needs none.

    Raises:
        BodyLost: it did not.
    """
    if is_lost(req):
        raise BodyLost(f"expected a body with a {_LENGTH}, got one with {_CODING}, which does not arrive on Azure")


def read_body(req: func.HttpRequest) -> bytes:
    """Return the body of a request that needs one.

    Raises:
        BodyLost: none arrived, and no Content-Length says that it was empty.
        RequestInvalid: it is empty.
    """
    body = req.get_body()
    if body:
        return body
    check_arrived(req)
    if _LENGTH not in req.headers:
        raise BodyLost(f"expected a body with a {_LENGTH}, got neither")
    raise RequestInvalid("it can't be used", [Fault("request", "expected a JSON object, got an empty body")])
