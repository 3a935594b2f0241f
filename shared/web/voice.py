"""What Twilio asks about calls: whoever calls, or is called, hears something valid in time, whatever breaks inside."""

import asyncio
import logging
from typing import Final

import azure.functions as func

from shared.calls import browsers
from shared.calls.desk import Visit
from shared.errors import SignatureInvalid
from shared.inbound import arrivals
from shared.logs import about
from shared.voice import browser
from shared.voice.flows.apologies import trouble
from shared.voice.flows.turn_urls import is_turn, once_more, read_turn
from shared.web.twilio import Webhook, admit, forbidden, tell, twiml_answer, verify
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_DEADLINE: Final = 8.0
"""seconds, well inside the 15 after which Twilio gives up"""


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
    call = webhook.form.get("CallSid") or ""
    return await answer(
        webhook, wiring, Visit(flow=flow.name, turn=turn, delivery_id=call, form=webhook.form, arrives=True)
    )


async def flow_turn(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Answer one turn of a call in a flow."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    turn = read_turn(req.route_params["step"], webhook.query, webhook.form.first_values())
    delivery_id = webhook.delivery_id or webhook.form.get("CallSid") or ""
    return await answer(
        webhook,
        wiring,
        Visit(flow=req.route_params["flow"], turn=turn, delivery_id=delivery_id, form=webhook.form),
        has_state=is_turn(webhook.query),
    )


async def client(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Connect a call that a browser starts with whom it may reach, and put on record what comes of it."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    form = webhook.form
    answer = browser.answer(webhook.query, form.first_values(), wiring.settings)
    call = form.get("CallSid") or "-"
    if "problem" in answer.happened:
        about(_logger, call).warning("a browser's call goes nowhere: %s", answer.happened["problem"])
    try:
        async with asyncio.timeout(_DEADLINE):
            await browsers.record(wiring.log, form, answer, now=clock())
    except Exception as exc:  # noqa: BLE001 - who calls is connected, or told, come what may
        tell(_logger, "a browser's call could not be recorded", exc, call)
    return twiml_answer(answer.twiml)


async def _greet(webhook: Webhook, wiring: Wiring) -> func.HttpResponse:
    try:
        async with asyncio.timeout(_DEADLINE):
            await arrivals.file_call(wiring.log, webhook.form, now=clock())
    except Exception as exc:  # noqa: BLE001 - whoever calls is greeted, come what may
        tell(_logger, "a call could not be recorded", exc, webhook.form.get("CallSid") or "-")
    return twiml_answer(arrivals.voice_greeting(wiring.settings, webhook.form))


async def answer(webhook: Webhook, wiring: Wiring, visit: Visit, *, has_state: bool = False) -> func.HttpResponse:
    """Answer a turn of a call with its document, or with one that tries it again.

    `has_state`: the URL is one that this app wrote, with the state of the call in its query.
    """
    try:
        async with asyncio.timeout(_DEADLINE):
            if has_state:
                await admit(webhook, wiring.log, delivery_id=visit.delivery_id, is_turn=True)
            return twiml_answer(await wiring.desk.answer(visit))
    except SignatureInvalid as exc:
        return forbidden(exc)
    except Exception as exc:  # noqa: BLE001 - whoever is on the line hears something, come what may
        tell(_logger, "a turn of its call met trouble", exc, visit.delivery_id)
        again = once_more(webhook.url, webhook.form.first_values())
        return twiml_answer(trouble(again, part=visit.turn.part))
