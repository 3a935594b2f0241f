"""What Twilio asks about calls: whoever calls, or is called, hears something valid in time, whatever breaks inside."""

import asyncio
import logging
from typing import Final

import azure.functions as func
from azure.core.exceptions import AzureError

from shared.calls.desk import LAST_TRY, Visit
from shared.errors import Changed, FormInvalid, SignatureInvalid
from shared.inbound import arrivals
from shared.voice.flows.apologies import trouble
from shared.voice.flows.turn import Turn
from shared.voice.flows.urls import MOST_AGAIN, once_more, read_turn
from shared.web.twilio import Webhook, forbidden, twiml_answer, verify
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_DEADLINE: Final = 8.0
"""seconds, well inside the 15 after which Twilio gives up"""
_EXPECTED: Final = (AzureError, Changed, FormInvalid, TimeoutError)


async def inbound(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Put a call on record and answer it: by the flow of the number that was called, else with VOICE_GREETING."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    flow = wiring.rules.flows.answering(webhook.form.get("To") or "")
    if flow is None:
        return await _greet(webhook, wiring)
    turn = read_turn(flow.start, webhook.query, webhook.form.first_values())
    return await _answer(webhook, wiring, flow=flow.name, turn=turn, arrives=True)


async def flow_turn(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Answer one turn of a call in a flow."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    turn = read_turn(req.route_params["step"], webhook.query, webhook.form.first_values())
    return await _answer(webhook, wiring, flow=req.route_params["flow"], turn=turn, arrives=False)


async def _greet(webhook: Webhook, wiring: Wiring) -> func.HttpResponse:
    try:
        async with asyncio.timeout(_DEADLINE):
            await arrivals.record_call(wiring.log, wiring.consents, webhook.form, now=clock())
    except _EXPECTED as exc:
        _tell(exc)
    return twiml_answer(arrivals.voice_greeting(wiring.settings, webhook.form))


async def _answer(webhook: Webhook, wiring: Wiring, *, flow: str, turn: Turn, arrives: bool) -> func.HttpResponse:
    call = webhook.form.get("CallSid") or ""
    visit = Visit(flow=flow, turn=turn, delivery_id=webhook.delivery_id or call, form=webhook.form)
    try:
        async with asyncio.timeout(_DEADLINE):
            if arrives:
                await _file(webhook, wiring, last=turn.again >= MOST_AGAIN)
            return twiml_answer(await wiring.desk.answer(visit))
    except Exception as exc:
        trace = not isinstance(exc, _EXPECTED)
        _logger.error("a turn of a call met trouble: %s", type(exc).__name__, exc_info=trace)  # noqa: TRY400 - it may be there
        again = once_more(webhook.url, webhook.form.first_values())
        return twiml_answer(trouble(again, part=turn.part))


async def _file(webhook: Webhook, wiring: Wiring, *, last: bool) -> None:
    try:
        async with asyncio.timeout(LAST_TRY if last else None):
            await arrivals.record_call(wiring.log, wiring.consents, webhook.form, now=clock())
    except (AzureError, TimeoutError) as exc:
        if not last:
            raise
        _tell(exc)


def _tell(error: Exception) -> None:
    # the text of an SDK's error holds URLs
    _logger.error("a call could not be recorded: %s", type(error).__name__)
