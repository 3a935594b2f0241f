"""What Twilio posts: a request becomes a verified form, a use-case acts, and what goes wrong becomes a status code."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol

import azure.functions as func

from shared.calls.desk import NOT_RECORDED
from shared.deliveries.keys import is_id
from shared.deliveries.log import DeliveryLog
from shared.errors import FormInvalid, SignatureInvalid
from shared.inbound.callbacks import record_trouble
from shared.inbound.form import Form
from shared.inbound.refusal import Came, likely_cause, tokens_of
from shared.inbound.replies.documents import SILENCE
from shared.inbound.signature import SETTINGS_HEADER, verify_signature
from shared.logs import about
from shared.seal import is_sealed, named
from shared.settings import Settings
from shared.web.body import is_lost
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_DEADLINE: Final = 10.0
"""seconds, well inside the 15 after which Twilio gives up"""
_FALLBACK_DEADLINE: Final = 6.0
"""seconds for all that is put on record there"""
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_LARGEST_BODY: Final = 192 * 1024
"""Anybody may post: a form far beyond Twilio's is refused before it costs seconds of work. Twilio documents no bound. A
WhatsApp text of 4096 emoji takes 48 KiB as a form field, and answers of add-ons and buttons come beside it. A row has
room for the whole of such a form (`shared.deliveries.rows`): three bytes of an escape make six UTF-16 units at most."""
_MOST_FIELDS: Final = 1_000


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

    @property
    def is_sealed(self) -> bool:
        """Whether the URL is whole: see `shared.seal`."""
        return is_sealed(self.query)

    def tells_of(self, sid: str | None) -> bool:
        """Whether the form tells of this message or call, or of a leg that the call dialled."""
        return sid is not None and sid in {self.form.get(name) for name in ("MessageSid", "CallSid", "ParentCallSid")}

    @property
    def subject(self) -> str:
        """The delivery, for a line of the log: the one that the URL names, else the SID."""
        return self.delivery_id if self.delivery_id and is_id(self.delivery_id) else _sid(self.form)


class RecordStatus(Protocol):
    """A use-case that puts a status callback on record."""

    def __call__(
        self, log: DeliveryLog, form: Form, /, *, delivery_id: str | None, account: str | None, now: datetime
    ) -> Awaitable[None]:
        """Raise FormInvalid where it can't be read, Changed or azure.core's errors where it is not on record."""


def verify(req: func.HttpRequest, settings: Settings) -> Webhook:
    """Return what Twilio posted.

    Raises:
        SignatureInvalid: it was not Twilio, or it was altered; the text is for the log, and names the likely cause.
    """
    try:
        return _verified(req, settings)
    except SignatureInvalid as exc:
        came = Came(url=req.url, headers=req.headers, body=req.get_body())
        raise SignatureInvalid(f"{exc}; {likely_cause(came, settings)}") from exc


def _verified(req: func.HttpRequest, settings: Settings) -> Webhook:
    # the host's own name for itself may differ behind a proxy: what Twilio signed begins with PUBLIC_BASE_URL
    host, _, path = req.url.partition("://")[2].partition("/")
    target = "/" + path
    body = req.get_body()
    if len(body) > _LARGEST_BODY or body.count(b"&") >= _MOST_FIELDS:
        problem = f"expected a form of at most {_LARGEST_BODY} bytes and {_MOST_FIELDS} fields, got {len(body)} bytes"
        raise SignatureInvalid(problem)
    if is_lost(req):
        raise SignatureInvalid(
            "expected a form with a Content-Length, got one with Transfer-Encoding, which does not arrive on Azure"
        )
    form = Form.parse(body)
    signature = req.headers.get("X-Twilio-Signature")
    url = settings.public_base_url + target
    has_settings = SETTINGS_HEADER in req.headers
    tokens = tokens_of(settings)
    verify_signature(url=url, host=host, form=form, signature=signature, tokens=tokens, has_settings=has_settings)
    return Webhook(form=form, url=url, delivery_id=named(target.partition("?")[2]))


async def admit(webhook: Webhook, log: DeliveryLog, *, delivery_id: str | None, is_turn: bool = False) -> None:
    """Refuse a URL without the fixed end that is about a delivery whose URLs all have it: somebody cut the URL.

    A URL of the first form is good for deliveries and calls that an earlier version began, and for a callback about the
    delivery's own SID, which needs no name. A turn of a call that is not on record must name that call: its steps act
    without a record, too.

    Raises:
        SignatureInvalid: Twilio was never given this URL.
        azure.core's errors: it is not known.
    """
    if webhook.is_sealed or delivery_id is None or not is_id(delivery_id):
        return
    found = await log.get(delivery_id) or await log.get(await log.owner_of(delivery_id) or delivery_id)
    if found is None:
        is_cut = is_turn and not webhook.tells_of(delivery_id)
    else:
        is_cut = found.callback_form is not None and (is_turn or not webhook.tells_of(found.sid))
    if is_cut:
        raise SignatureInvalid("expected the URL that Twilio was given, got one without its fixed end")


async def callback(req: func.HttpRequest, wiring: Wiring, record: RecordStatus) -> func.HttpResponse:
    """Answer a callback: 204 once it is on record, 503 where it can't be now, so that Twilio says it again."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    account = wiring.settings.account_sid
    try:
        async with asyncio.timeout(_DEADLINE):
            await admit(webhook, wiring.log, delivery_id=webhook.delivery_id)
            await record(wiring.log, webhook.form, delivery_id=webhook.delivery_id, account=account, now=clock())
    except SignatureInvalid as exc:
        return forbidden(exc)
    except FormInvalid as exc:
        about(_logger, webhook.subject).error("a callback that can't be read, %s: %s", _said(webhook.form), exc)
        return func.HttpResponse(status_code=HTTPStatus.BAD_REQUEST)
    except NOT_RECORDED as exc:
        # the text of an SDK's error holds URLs
        what = (_said(webhook.form), type(exc).__name__)
        about(_logger, webhook.subject).error("a callback could not be recorded, %s: %s", *what)
        return func.HttpResponse(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


async def inbound_text(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Put a text on record and answer it with TwiML; 503 where that fails, so that it comes again."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    try:
        async with asyncio.timeout(_DEADLINE):
            return twiml_answer(await wiring.texts.answer(webhook.form))
    except FormInvalid as exc:
        about(_logger, _sid(webhook.form)).error("an arrival that can't be read: %s", exc)
        return twiml_answer(SILENCE)
    except Exception as exc:  # noqa: BLE001 - Twilio gets its TwiML, and brings the text again
        tell(_logger, "a text could not be taken", exc, _sid(webhook.form))
        return twiml_answer(SILENCE, HTTPStatus.SERVICE_UNAVAILABLE)


async def fallback(req: func.HttpRequest, wiring: Wiring, document: str) -> func.HttpResponse:
    """Answer with a document that cannot fail, and put on record why Twilio came here."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    form = webhook.form
    deadline = asyncio.get_running_loop().time() + _FALLBACK_DEADLINE
    code = _shown(form, "ErrorCode") or "-"
    about(_logger, _sid(form)).error("Twilio could not use an answer of ours, code %s", code)
    if not form.get("CallSid"):
        await _attempt(lambda: wiring.texts.take(form), form, "a text could not be taken", deadline=deadline)
    lost = "what Twilio could not use is not on record"
    await _attempt(lambda: _record_trouble(webhook, wiring), form, lost, deadline=deadline)
    return twiml_answer(document)


async def _record_trouble(webhook: Webhook, wiring: Wiring) -> None:
    try:
        await admit(webhook, wiring.log, delivery_id=webhook.delivery_id)
    except SignatureInvalid as exc:
        _logger.warning("refused: %s", exc)
    else:
        account = wiring.settings.account_sid
        await record_trouble(wiring.log, webhook.form, delivery_id=webhook.delivery_id, account=account, now=clock())


async def _attempt(work: Callable[[], Awaitable[object]], form: Form, lost: str, *, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await work()
    except Exception as exc:  # noqa: BLE001 - this is the net below: it answers, come what may
        tell(_logger, lost, exc, _sid(form))


def tell(logger: logging.Logger, what: str, error: Exception, delivery_id: str) -> None:
    """Log what a webhook could not do."""
    # the text of an SDK's error holds URLs; only a fault in the code has a trace that says more
    trace = error if not isinstance(error, NOT_RECORDED) else None
    about(logger, delivery_id).error("%s: %s", what, type(error).__name__, exc_info=trace)


def _sid(form: Form) -> str:
    return _shown(form, "CallSid") or _shown(form, "MessageSid") or "-"


def _said(form: Form) -> str:
    """Name what a callback is about, for a line of the log."""
    word = _shown(form, "MessageStatus") or _shown(form, "CallStatus") or "-"
    return f"{_sid(form)} {word}, code {_shown(form, 'ErrorCode') or '-'}"


def _shown(form: Form, name: str) -> str | None:
    """Return a value that is a word of Twilio's: a SID, a status or a code. Whatever else came is `…`."""
    value = form.get(name)
    return value if value is None or _WORD.fullmatch(value) else "…"


def twiml_answer(document: str, status: HTTPStatus = HTTPStatus.OK) -> func.HttpResponse:
    """Answer with TwiML."""
    return func.HttpResponse(document, status_code=status, mimetype="text/xml", charset="utf-8")


def forbidden(error: SignatureInvalid) -> func.HttpResponse:
    """Answer what Twilio did not sign."""
    _logger.warning("refused: %s", error)
    return func.HttpResponse(status_code=HTTPStatus.FORBIDDEN)
