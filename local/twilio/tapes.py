"""Recordings of what is said in a call: kept, told of, and put into writing.

https://www.twilio.com/docs/voice/twiml/record#attributes-recording-status-callback
"""

from datetime import datetime

from local.twilio.callbacks import Mail
from local.twilio.dates import now, rfc2822
from local.twilio.forms import new_sid
from local.twilio.leg import Leg
from local.twilio.recordings import Recording, RecordingOrder, recording_fields, recording_url
from local.twilio.twiml import Source
from local.twilio.webhooks import Hook

SHORTEST_TRANSCRIBED, LONGEST_TRANSCRIBED = 2, 120


def keep(leg: Leg, order: RecordingOrder, *, seconds: int, started: datetime | None = None) -> Recording:
    """Remember a recording of a call, complete."""
    call, moment = leg.call, now()
    return leg.network.recordings.add(
        Recording(
            sid=new_sid("RE"),
            to=call.to,
            account_sid=call.account_sid,
            call_sid=call.sid,
            channels=order.channels,
            seconds=seconds,
            started=started or moment,
            created=moment,
            source=order.source,
        )
    )


async def tell(leg: Leg, mail: Mail, order: RecordingOrder, recording: Recording) -> None:
    """Make the recording's status callback, where it was asked for."""
    if order.callback is not None and "completed" in order.events:
        await mail.post(_hook(order.callback, recording_fields(leg.network.account, recording)))


async def tell_status(leg: Leg, order: RecordingOrder, status: str) -> None:
    """Tell that a recording begins (in-progress), or that there is none (absent)."""
    if order.callback is None or status not in order.events:
        return
    fields = {
        "AccountSid": leg.call.account_sid,
        "CallSid": leg.sid,
        "RecordingSid": "",
        "RecordingUrl": "",
        "RecordingStatus": status,
        "RecordingChannels": str(order.channels),
        "RecordingStartTime": rfc2822(now()),
        "RecordingSource": order.source,
        "RecordingTrack": "both",
        "ErrorCode": "0",
    }
    await leg.network.mail().post(_hook(order.callback, fields))


async def transcribe(leg: Leg, recording: Recording, callback: Source, *, words: str | None) -> None:
    """Put a recording into writing, and tell; words that nobody understands fail.

    https://www.twilio.com/docs/voice/twiml/record#transcribe
    """
    if not SHORTEST_TRANSCRIBED < recording.seconds < LONGEST_TRANSCRIBED:
        leg.note(13617, f"a recording of {recording.seconds} seconds is too short or too long to be put into writing")
        return
    account, sid = leg.network.account, new_sid("TR")
    hook = leg.hook(
        callback,
        TranscriptionSid=sid,
        TranscriptionText=words or "",
        TranscriptionStatus="failed" if words is None else "completed",
        TranscriptionType="fast",
        TranscriptionUrl=account.url(f"/Recordings/{recording.sid}/Transcriptions/{sid}"),
        RecordingSid=recording.sid,
        RecordingUrl=recording_url(account, recording),
    )
    await leg.network.mail().post(hook)


def _hook(source: Source, fields: dict[str, str]) -> Hook:
    return Hook(url=source.url or "", fields=tuple(fields.items()), method=source.method, voice=True)
