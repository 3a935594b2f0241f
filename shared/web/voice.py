"""What Twilio asks about calls: whoever calls, or is called, hears something valid in time, whatever breaks inside."""

import asyncio
import logging
from http import HTTPStatus
from typing import Final

import azure.functions as func
from azure.core.exceptions import AzureError

from shared.calls import callbacks
from shared.calls.desk import Visit
from shared.errors import Changed, FormInvalid, SignatureInvalid
from shared.inbound import arrivals
from shared.voice.flows.apologies import SORRY, trouble
from shared.voice.flows.turn import Turn
from shared.voice.flows.urls import once_more, read_turn
from shared.voice.twiml import say
from shared.web.twilio import Webhook, forbidden, verify
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_DEADLINE: Final = 8.0
"""seconds, well inside the 15 after which Twilio gives up"""
_NOT_RECORDED: Final = (AzureError, Changed, TimeoutError)


async def inbound(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Put a call on record and answer it: by the flow of the number that was called, else with VOICE_GREETING."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    flow = wiring.flows.answering(webhook.form.get("To") or "")
    if flow is None:
        await _try_to_file(webhook, wiring)
        return _twiml(arrivals.voice_greeting(wiring.settings, webhook.form))
    turn = read_turn(flow.start, webhook.query, _fields(webhook))
    return await _answer(webhook, wiring, flow=flow.name, turn=turn, arrives=True)


async def flow_turn(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Answer one turn of a call in a flow."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    turn = read_turn(req.route_params["step"], webhook.query, _fields(webhook))
    return await _answer(webhook, wiring, flow=req.route_params["flow"], turn=turn, arrives=False)


async def _answer(webhook: Webhook, wiring: Wiring, *, flow: str, turn: Turn, arrives: bool) -> func.HttpResponse:
    visit = Visit(
        flow=flow,
        turn=turn,
        delivery_id=webhook.delivery_id or webhook.form.get("CallSid") or "",
        form=webhook.form,
    )
    try:
        async with asyncio.timeout(_DEADLINE):
            if arrives and turn.again == 0:
                await arrivals.record_call(wiring.log, webhook.form, now=clock())
            return _twiml(await wiring.desk.answer(visit))
    except Exception as exc:  # noqa: BLE001 - a caller must never hear "an application error has occurred"
        _logger.error("a turn of a call met trouble: %s", type(exc).__name__, exc_info=not isinstance(exc, _NOT_RECORDED))
        return _twiml(trouble(once_more(webhook.url, _fields(webhook)), part=turn.part))


async def _try_to_file(webhook: Webhook, wiring: Wiring) -> None:
    try:
        async with asyncio.timeout(_DEADLINE):
            await arrivals.record_call(wiring.log, webhook.form, now=clock())
    except FormInvalid as exc:
        _logger.error("a call that can't be read: %s", exc)  # noqa: TRY400 - the trace says no more
    except _NOT_RECORDED as exc:
        _logger.error("a call could not be recorded: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs


async def recording(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Keep what became of a recording."""
    return await _keep(req, wiring, callbacks.record_recording)


async def transcription(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Keep what was understood of a recording."""
    return await _keep(req, wiring, callbacks.record_transcription)


async def fallback(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Answer a caller whose own TwiML failed, and keep why."""
    await _note_failure(req, wiring)
    return _twiml(say(SORRY))


async def _keep(req: func.HttpRequest, wiring: Wiring, record: callbacks.Record) -> func.HttpResponse:
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
