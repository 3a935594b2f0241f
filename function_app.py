"""Switchboard: every trigger, its binding, and what it does. docs/reference/http.md says what each of them promises."""

import os
from datetime import timedelta
from pathlib import Path

import azure.functions as func

from shared import content, route_prefix
from shared.housekeeping.run import run
from shared.inbound import callbacks, status
from shared.inbound.replies.documents import SILENCE
from shared.inbound.replies.library import Replies
from shared.logs import quieten
from shared.outbound.checks import Rules
from shared.settings import Settings
from shared.startup import faults_told
from shared.text.templates.library import Templates
from shared.voice.flows.apologies import CALL_FALLBACK
from shared.voice.flows.library import Flows
from shared.web import consents, erasures, people, replays, schedules, tokens, twilio, twimlets, voice
from shared.wiring import Wiring, clock

here = Path(__file__).parent
with faults_told():
    settings = Settings.from_env(os.environ)
    route_prefix.check(here, os.environ)
    templates = Templates.load(here / "templates")
    rules = Rules(
        settings=settings,
        templates=templates,
        flows=Flows.load(here / "flows", default_zone=settings.default_time_zone, settings=settings.flow_settings),
    )
    replies = Replies.load(here / "replies.toml", templates=templates, taken=settings.own_queues)
found = content.found(here, {"templates": templates, "flows": rules.flows, "replies.toml": replies.rules})
wiring = Wiring(rules, replies, content=found)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
quieten()


@app.queue_trigger("message", settings.outbound_queue, "AzureWebJobsStorage", data_type=func.DataType.BINARY)
async def outbound(message: func.QueueMessage) -> None:
    """Send what a message of the outbound queue asks for, once."""
    await wiring.sender.take(message.id or "", message.get_body(), enqueued_at=message.insertion_time)


@app.timer_trigger("timer", settings.schedule_cron, run_on_startup=False, use_monitor=True)
async def scheduled(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs it
    """Send what is due."""
    async with wiring.timers.run("scheduled"):
        await run(wiring.due, clock=clock, timer="schedules", whole=timedelta(minutes=4))


@app.timer_trigger("timer", settings.housekeeping_cron, run_on_startup=False, use_monitor=True)
async def housekeeping(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs it
    """Look after stuck deliveries, the poison queue, and what is kept no longer."""
    async with wiring.timers.run("housekeeping"):
        await run(wiring.chores, clock=clock)


@app.route("sms/status", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def sms_status(req: func.HttpRequest) -> func.HttpResponse:
    """Keep what Twilio says became of a message."""
    return await twilio.callback(req, wiring, status.record_message_status)


@app.route("voice/status", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_status(req: func.HttpRequest) -> func.HttpResponse:
    """Keep what Twilio says became of a call."""
    return await twilio.callback(req, wiring, status.record_call_status)


@app.route("sms/inbound", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def sms_inbound(req: func.HttpRequest) -> func.HttpResponse:
    """Keep and answer a text. One that could not be kept is refused, so that Twilio brings it again."""
    return await twilio.inbound_text(req, wiring)


@app.route("voice/inbound", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_inbound(req: func.HttpRequest) -> func.HttpResponse:
    """Keep and answer a call. Whoever calls is answered, come what may."""
    return await voice.inbound(req, wiring)


@app.route("voice/flow/{flow}/{step}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_flow(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one turn of a call in a flow."""
    return await voice.flow_turn(req, wiring)


@app.route("voice/client", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_client(req: func.HttpRequest) -> func.HttpResponse:
    """Connect a call that a browser starts with whom it may reach."""
    return await voice.client(req, wiring)


@app.route("voice/token", methods=["GET"])
async def voice_token(req: func.HttpRequest) -> func.HttpResponse:
    """Make an access token for a browser."""
    return await tokens.token(req, wiring)


@app.route("voice/recording", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_recording(req: func.HttpRequest) -> func.HttpResponse:
    """Keep what became of a recording."""
    return await twilio.callback(req, wiring, callbacks.record_recording)


@app.route("voice/transcription", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_transcription(req: func.HttpRequest) -> func.HttpResponse:
    """Keep what was understood of a recording."""
    return await twilio.callback(req, wiring, callbacks.record_transcription)


@app.route("twimlets/{name}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def twimlet(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a call as the twimlets of old did."""
    return await twimlets.answer(req, wiring)


@app.route("fallback/sms", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def fallback_sms(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a text whose own webhook failed, and keep why."""
    return await twilio.fallback(req, wiring, SILENCE)


@app.route("fallback/voice", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def fallback_voice(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a call whose own webhook failed, and keep why."""
    return await twilio.fallback(req, wiring, CALL_FALLBACK)


@app.route("send", methods=["POST"])
async def send(req: func.HttpRequest) -> func.HttpResponse:
    """Check a send request and enqueue it."""
    return await people.send(req, wiring)


@app.route("deliveries/{id}", methods=["GET"])
async def delivery(req: func.HttpRequest) -> func.HttpResponse:
    """Show one delivery with its timeline."""
    return await people.delivery(req, wiring)


@app.route("deliveries/search", methods=["POST"])
async def search_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """Show a page of deliveries by recipient, status and time."""
    return await people.search(req, wiring)


@app.route("deliveries/{id}", methods=["DELETE"])
async def erase_delivery(req: func.HttpRequest) -> func.HttpResponse:
    """Erase what a delivery said and to whom."""
    return await people.erase(req, wiring)


@app.route("deliveries/{id}/cancel", methods=["POST"])
async def cancel_delivery(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a delivery that waits, without erasing it."""
    return await people.cancel(req, wiring)


@app.route("deliveries/{id}/replay", methods=["POST"])
async def replay_delivery(req: func.HttpRequest) -> func.HttpResponse:
    """Send a rejected or failed delivery again."""
    return await replays.one(req, wiring)


@app.route("deliveries/replay", methods=["POST"])
async def replay_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """Send a page of rejected or failed deliveries again."""
    return await replays.page(req, wiring)


@app.route("schedules", methods=["POST"])
async def create_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Put a scheduled notification on record."""
    return await schedules.create(req, wiring)


@app.route("schedules", methods=["GET"])
async def list_schedules(req: func.HttpRequest) -> func.HttpResponse:
    """List scheduled notifications."""
    return await schedules.page(req, wiring)


@app.route("schedules/{id}", methods=["GET"])
async def show_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Show a scheduled notification with its next times."""
    return await schedules.show(req, wiring)


@app.route("schedules/{id}", methods=["DELETE"])
async def cancel_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a scheduled notification."""
    return await schedules.delete(req, wiring)


@app.route("schedules/{id}/cancel", methods=["POST"])
async def cancel_schedule_and_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel a scheduled notification, and what it made and still waits."""
    return await schedules.cancel(req, wiring)


@app.route("schedules/{id}/pause", methods=["POST"])
async def pause_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Let a scheduled notification rest."""
    return await schedules.pause(req, wiring)


@app.route("schedules/{id}/resume", methods=["POST"])
async def resume_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Let a scheduled notification go on."""
    return await schedules.resume(req, wiring)


@app.route("consents", methods=["POST"])
async def record_consent(req: func.HttpRequest) -> func.HttpResponse:
    """Put on record who takes texts, or wants none."""
    return await consents.record(req, wiring)


@app.route("consents/search", methods=["POST"])
async def search_consents(req: func.HttpRequest) -> func.HttpResponse:
    """Show what a recipient agreed to."""
    return await consents.search(req, wiring)


@app.route("erasures", methods=["POST"])
async def erase_person(req: func.HttpRequest) -> func.HttpResponse:
    """Erase everything that holds a person's address, or count it."""
    return await erasures.ask(req, wiring)


@app.route("erasures/{id}", methods=["GET"])
async def show_erasure(req: func.HttpRequest) -> func.HttpResponse:
    """Show how far an erasure is."""
    return await erasures.show(req, wiring)


@app.route("health", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say whether the app can do its work."""
    return await people.health(req, wiring)


@app.route("health/details", methods=["GET", "HEAD"])
async def health_details(req: func.HttpRequest) -> func.HttpResponse:
    """Say what is wrong."""
    return await people.health_details(req, wiring)
