"""An app that imports what Switchboard uses, and no more: a webhook is checked, kept as one row, and answered."""

import os
from typing import Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo  # noqa: F401

import aiohttp  # noqa: F401 - what the storage clients speak through
import azure.functions as func
import cronsim  # noqa: F401
import jinja2.sandbox  # noqa: F401
import msgspec  # noqa: F401
import phonenumbers  # noqa: F401
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient  # noqa: F401
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse  # noqa: F401
from twilio.twiml.voice_response import VoiceResponse

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_URL: Final = "https://switchboard.example/api/"


async def _keep(req: func.HttpRequest, target: str, sid: str) -> None:
    form = dict(parse_qsl(req.get_body().decode(), keep_blank_values=True))
    validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])
    if not validator.validate(_URL + target, form, req.headers["X-Twilio-Signature"]):
        raise PermissionError
    async with TableClient.from_connection_string(os.environ["STORAGE"], "Kept") as table:
        await table.create_entity({"PartitionKey": form[sid], "RowKey": "", **form})


@app.route("sms/status", methods=["POST"])
async def sms_status(req: func.HttpRequest) -> func.HttpResponse:
    """Keep it."""
    await _keep(req, "sms/status", "MessageSid")
    return func.HttpResponse(status_code=204)


@app.route("voice/inbound", methods=["POST"])
async def voice_inbound(req: func.HttpRequest) -> func.HttpResponse:
    """Keep it, and say something."""
    await _keep(req, "voice/inbound", "CallSid")
    response = VoiceResponse()
    response.say("Good morning.")
    return func.HttpResponse(str(response), mimetype="text/xml")
