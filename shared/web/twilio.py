"""What Twilio posts: a request becomes a verified form, a use-case acts, and what goes wrong becomes a status code."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import parse_qs

import azure.functions as func
from azure.core.exceptions import AzureError

from shared.deliveries.log import DeliveryLog
from shared.errors import Changed, FormInvalid, SignatureInvalid
from shared.inbound.callbacks import record_trouble
from shared.inbound.form import Form
from shared.inbound.replies.documents import SILENCE
from shared.inbound.signature import verify_signature
from shared.settings import Settings
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_DEADLINE: Final = 10.0
"""seconds, well inside the 15 after which Twilio gives up"""
_LARGEST_BODY: Final = 64 * 1024
_MOST_FIELDS: Final = 1_000
"""anybody may post: what is far from anything that Twilio posts is refused before it costs seconds of work"""
_NOT_RECORDED: Final = (AzureError, Changed, TimeoutError)


@dataclass(frozen=True, slots=True)
class Webhook:
    """What Twilio posted, and the delivery that the URL it was given names."""

    form: Form
    url: str
    """where, as Twilio sees it"""
    delivery_id: str | None

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return self.url.partition("?")[2]


class RecordStatus(Protocol):
    """A use-case that puts a status callback on record."""

    def __call__(self, log: DeliveryLog, form: Form, /, *, delivery_id: str | None, now: datetime) -> Awaitable[None]:
        """Raise FormInvalid where it can't be read, Changed or azure.core's errors where it is not on record."""


def verify(req: func.HttpRequest, settings: Settings) -> Webhook:
    """Return what Twilio posted.

    Raises:
        SignatureInvalid: it was not Twilio, or it was altered.
    """
    # the host's own name for itself may differ behind a proxy: what Twilio signed begins with PUBLIC_BASE_URL
    target = "/" + req.url.partition("://")[2].partition("/")[2]
    body = req.get_body()
    if len(body) > _LARGEST_BODY or body.count(b"&") >= _MOST_FIELDS:
        raise SignatureInvalid(f"expected a form as Twilio posts it, got {len(body)} bytes")
    form = Form.parse(body)
    tokens = [token for token in (settings.auth_token, settings.auth_token_secondary) if token is not None]
    signature = req.headers.get("X-Twilio-Signature")
    url = settings.public_base_url + target
    verify_signature(url=url, form=form, signature=signature, tokens=tokens)
    named = parse_qs(target.partition("?")[2]).get("delivery", [])
    return Webhook(form=form, url=url, delivery_id=named[0] if named else None)


async def callback(req: func.HttpRequest, wiring: Wiring, record: RecordStatus) -> func.HttpResponse:
    """Answer a callback: 204 once it is on record, 503 where it can't be now, so that Twilio says it again."""
    try:
        webhook = verify(req, wiring.settings)
        async with asyncio.timeout(_DEADLINE):
            await record(wiring.log, webhook.form, delivery_id=webhook.delivery_id, now=clock())
    except SignatureInvalid as exc:
        return forbidden(exc)
    except FormInvalid as exc:
        _logger.error("a callback that can't be read: %s", exc)  # noqa: TRY400 - the trace says no more
        return func.HttpResponse(status_code=HTTPStatus.BAD_REQUEST)
    except _NOT_RECORDED as exc:
        _logger.error("a callback could not be recorded: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
        return func.HttpResponse(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


async def inbound_text(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Put a text on record and answer it with TwiML; 503 where storage does not do its part, so that it comes again."""
    try:
        webhook = verify(req, wiring.settings)
        async with asyncio.timeout(_DEADLINE):
            return twiml_answer(await wiring.texts.answer(webhook.form))
    except SignatureInvalid as exc:
        return forbidden(exc)
    except FormInvalid as exc:
        _logger.error("an arrival that can't be read: %s", exc)  # noqa: TRY400 - the trace says no more
        return twiml_answer(SILENCE)
    except _NOT_RECORDED as exc:
        _logger.error("an arrival could not be recorded: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
        return twiml_answer(SILENCE, HTTPStatus.SERVICE_UNAVAILABLE)


async def fallback(req: func.HttpRequest, wiring: Wiring, document: str) -> func.HttpResponse:
    """Answer with a document that cannot fail, and put on record why Twilio came here."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    form = webhook.form
    told = {"code": form.integer("ErrorCode"), "sid": form.get("CallSid") or form.get("MessageSid")}
    _logger.error("Twilio could not use an answer of ours", extra=told)
    try:
        async with asyncio.timeout(_DEADLINE):
            try:
                if not form.get("CallSid"):
                    await wiring.texts.take(form)
            finally:
                await record_trouble(wiring.log, form, delivery_id=webhook.delivery_id, now=clock())
    except Exception as exc:  # noqa: BLE001 - this is the net below: it answers, come what may
        _logger.error("that could not be recorded: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
    return twiml_answer(document)


def twiml_answer(document: str, status: HTTPStatus = HTTPStatus.OK) -> func.HttpResponse:
    """Answer with TwiML."""
    return func.HttpResponse(document, status_code=status, mimetype="text/xml", charset="utf-8")


def forbidden(error: SignatureInvalid) -> func.HttpResponse:
    """Answer what Twilio did not sign."""
    _logger.warning("refused: %s", error)
    return func.HttpResponse(status_code=HTTPStatus.FORBIDDEN)
