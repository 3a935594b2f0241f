"""A queue before the outbound one: Twilio's Lookup is asked first, and a landline costs no text.

https://www.twilio.com/docs/lookup/v2-api/line-type-intelligence
"""

import base64
import logging
from typing import Final

import aiohttp
import azure.functions as func
import msgspec

from shared.errors import RequestInvalid, TwilioUnavailable
from shared.outbound.decode import decode
from shared.settings import Settings
from shared.wiring import Wiring

_logger: Final = logging.getLogger(__name__)
_LOOKUPS: Final = "https://lookups.twilio.com"
_TAKES_NO_TEXTS: Final = frozenset({"landline"})
_BOUND: Final = aiohttp.ClientTimeout(total=10)
_LAST_TRY: Final = 5
"""maxDequeueCount of host.json"""


class _Line(msgspec.Struct, frozen=True):
    type: str | None = None


class _Found(msgspec.Struct, frozen=True):
    line_type_intelligence: _Line | None = None


def blueprint(wiring: Wiring, *, queue: str = "checked", lookups: str = _LOOKUPS) -> func.Blueprint:
    """Return what this file adds to the app."""
    functions = func.Blueprint()  # type: ignore[no-untyped-call]

    @functions.queue_trigger("message", queue, "AzureWebJobsStorage", data_type=func.DataType.BINARY)
    async def checked(message: func.QueueMessage) -> None:
        """Hand a request on to the outbound queue, unless it is a text to a telephone that takes none."""
        body = message.get_body()
        number = _number_of_text(body, wiring)
        line = None
        if number is not None:
            try:
                line = await _line_type(number, wiring.settings, lookups)
            except TwilioUnavailable as exc:
                if (message.dequeue_count or 0) < _LAST_TRY:
                    raise
                _logger.error("handed on unchecked: %s", exc)  # noqa: TRY400 - the trace says no more
        if line in _TAKES_NO_TEXTS:
            reason = f"expected a telephone that takes texts, Lookup says {line}"
            await wiring.sender.give_up(message.id or "", body, reason=reason, readable=False)
        else:
            await wiring.outbound.put(body)

    return functions


def _number_of_text(body: bytes, wiring: Wiring) -> str | None:
    """Return the number that is to be texted; what can't be used is the outbound queue's to refuse."""
    try:
        request = decode(body, wiring.rules).request
    except RequestInvalid:
        return None
    return request.to if request.channel == "sms" and request.to.startswith("+") else None


async def _line_type(number: str, settings: Settings, lookups: str) -> str | None:
    """Ask Twilio; None where it does not know. No error holds the URL, which holds the number."""
    url = f"{lookups}/v2/PhoneNumbers/{number}"
    login = base64.b64encode(f"{settings.account_sid}:{settings.auth_token.reveal()}".encode()).decode()
    try:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Basic {login}"}, timeout=_BOUND) as session,
            session.get(url, params={"Fields": "line_type_intelligence"}) as answer,
        ):
            status, content = answer.status, await answer.read()
    except (aiohttp.ClientError, TimeoutError) as exc:
        raise TwilioUnavailable(f"no answer from Lookup ({type(exc).__name__})") from None
    if status == 404:  # noqa: PLR2004 - no such number: the send will say so
        return None
    try:
        found = msgspec.json.decode(content, type=_Found) if status == 200 else None  # noqa: PLR2004
    except msgspec.DecodeError:
        found = None
    if found is None:
        raise TwilioUnavailable(f"expected what Lookup found, got HTTP {status}")
    return found.line_type_intelligence.type if found.line_type_intelligence else None
