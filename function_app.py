"""Switchboard: every trigger, its binding, and what it does. The README says what each of them promises."""

import os
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import azure.functions as func

from shared.housekeeping.run import run
from shared.inbound import arrivals, status
from shared.logs import quieten
from shared.settings import Settings
from shared.text.templates.library import Templates
from shared.web import people, schedules, twilio
from shared.wiring import Wiring, clock

settings = Settings.from_env(os.environ)
wiring = Wiring(settings, Templates.load(Path(__file__).parent / "templates"))
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
quieten()


@app.queue_trigger("message", settings.outbound_queue, "AzureWebJobsStorage", data_type=func.DataType.BINARY)
async def outbound(message: func.QueueMessage) -> None:
    """Send what a message of the outbound queue asks for, once."""
    await wiring.sender.take(message.id or "", message.get_body(), enqueued_at=message.insertion_time)


@app.timer_trigger("timer", settings.schedule_cron, run_on_startup=False, use_monitor=True)
async def scheduled(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs it
    """Send what is due."""
    await run(wiring.due, clock=clock, timer="schedules", share=timedelta(minutes=4))


@app.timer_trigger("timer", settings.housekeeping_cron, run_on_startup=False, use_monitor=True)
async def housekeeping(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding needs it
    """Look after stuck deliveries, the poison queue, and what is kept no longer."""
    await run(wiring.chores, clock=clock)


@app.route("sms/status", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def sms_status(req: func.HttpRequest) -> func.HttpResponse:
    """Keep what Twilio says became of a message."""
    return await twilio.status_callback(req, wiring, status.record_message_status)


@app.route("voice/status", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_status(req: func.HttpRequest) -> func.HttpResponse:
    """Keep what Twilio says became of a call."""
    return await twilio.status_callback(req, wiring, status.record_call_status)


@app.route("sms/inbound", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def sms_inbound(req: func.HttpRequest) -> func.HttpResponse:
    """Keep and answer a text. One that could not be kept is refused, so that Twilio brings it again."""
    return await twilio.arrival(
        req, wiring, arrivals.record_message, arrivals.sms_reply, unrecorded=HTTPStatus.SERVICE_UNAVAILABLE
    )


@app.route("voice/inbound", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def voice_inbound(req: func.HttpRequest) -> func.HttpResponse:
    """Keep and answer a call. Whoever calls is answered, come what may."""
    return await twilio.arrival(req, wiring, arrivals.record_call, arrivals.voice_greeting, unrecorded=HTTPStatus.OK)


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


@app.route("deliveries/{id}/replay", methods=["POST"])
async def replay_delivery(req: func.HttpRequest) -> func.HttpResponse:
    """Send a rejected or failed delivery again."""
    return await people.replay_one(req, wiring)


@app.route("deliveries/replay", methods=["POST"])
async def replay_deliveries(req: func.HttpRequest) -> func.HttpResponse:
    """Send a page of rejected or failed deliveries again."""
    return await people.replay_found(req, wiring)


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


@app.route("schedules/{id}/pause", methods=["POST"])
async def pause_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Let a scheduled notification rest."""
    return await schedules.pause(req, wiring)


@app.route("schedules/{id}/resume", methods=["POST"])
async def resume_schedule(req: func.HttpRequest) -> func.HttpResponse:
    """Let a scheduled notification go on."""
    return await schedules.resume(req, wiring)


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say whether the app can do its work."""
    return await people.health(req, wiring)


@app.route("health/details", methods=["GET"])
async def health_details(req: func.HttpRequest) -> func.HttpResponse:
    """Say what is wrong."""
    return await people.health_details(req, wiring)
