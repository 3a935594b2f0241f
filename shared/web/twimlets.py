"""The twimlets of old: a URL with parameters says what happens to a call."""

import dataclasses
import logging
from typing import Final

import azure.functions as func

from shared.calls.desk import Visit
from shared.errors import SignatureInvalid
from shared.inbound.form import Form
from shared.logs import about
from shared.voice import twiml
from shared.voice.browser import CLIENT
from shared.voice.twimlets.parameters import read_parameters
from shared.voice.twimlets.reading import SORRY, Twimlet
from shared.voice.twimlets.urls import is_turn, read_twimlet_turn
from shared.web import voice
from shared.web.twilio import Webhook, forbidden, twiml_answer, verify
from shared.wiring import Wiring

_logger: Final = logging.getLogger(__name__)
_REGION: Final = "US"
"""as it was for the originals, where DEFAULT_REGION says nothing else"""


async def answer(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Answer one turn of a call in a twimlet."""
    try:
        webhook = verify(req, wiring.settings)
    except SignatureInvalid as exc:
        return forbidden(exc)
    if req.method == "GET":
        # then Twilio tells in the query what it posts otherwise
        webhook = dataclasses.replace(webhook, form=Form.parse(webhook.query.encode()))
        if _is_of_a_browser(webhook.form):
            call = webhook.form.get("CallSid") or "-"
            about(_logger, call).error("a browser's call asks for a twimlet with GET: expected POST")
            return twiml_answer(twiml.say(SORRY))
    region = wiring.settings.default_region or _REGION
    visit = _visit(req.route_params["name"], webhook, region=region)
    return await voice.answer(webhook, wiring, visit, has_state=is_turn(webhook.query))


def _visit(name: str, webhook: Webhook, *, region: str) -> Visit:
    """Read what a webhook is about."""
    form = webhook.form
    twimlet = Twimlet(name=name, parameters=read_parameters(webhook.query), region=region)
    return Visit(
        flow=twimlet.flow,
        turn=read_twimlet_turn(name, webhook.query, form.first_values()),
        delivery_id=webhook.delivery_id or _call_of(form),
        form=form,
        twimlet=twimlet,
    )


def _is_of_a_browser(form: Form) -> bool:
    """Whoever calls from a browser adds fields to the query, where they can't be told from the URL's own; these, too.

    So one `client:` is enough. A leg that a call dialled, at which a whisper is heard, adds none.
    """
    callers = [caller for name in ("From", "Caller") if name in form for caller in form.getall(name)]
    is_leg = "Direction" in form and {*form.getall("Direction")} == {"outbound-dial"}
    return not is_leg and any(caller.startswith(CLIENT) for caller in callers)


def _call_of(form: Form) -> str:
    """Return the SID of the call: a leg that it dialled has one of its own."""
    parent = form.get("ParentCallSid") if form.get("Direction") == "outbound-dial" else None
    return parent or form.get("CallSid") or ""
