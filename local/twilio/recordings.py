"""Recordings: what a call's create asks for, what is remembered, what the REST API and the callback show.

https://www.twilio.com/docs/voice/api/recording
"""

from datetime import datetime

import msgspec

from local.twilio.account import API_VERSION, Account
from local.twilio.dates import rfc2822
from local.twilio.errors import RestError
from local.twilio.forms import Form, first, is_url, method_of
from local.twilio.store import Record
from local.twilio.twiml import Source

TRACK = "both"
SUBRESOURCES = {"add_on_results": "AddOnResults", "transcriptions": "Transcriptions"}


class RecordingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """That something is to be recorded, and who wants to know of which events: in-progress, completed, absent."""

    channels: int
    callback: Source | None
    events: frozenset[str] = frozenset({"completed"})
    source: str = "OutboundAPI"


class Recording(Record, frozen=True, kw_only=True):
    """A recording, complete; `to` is the callee."""

    account_sid: str
    call_sid: str
    channels: int
    seconds: int
    started: datetime
    status: str = "completed"
    source: str = "OutboundAPI"


def read_recording(form: Form) -> RecordingOrder | None:
    """What a create asks for; RestError 21609 where the callback's URL is none."""
    if (first(form, "Record") or "").lower() != "true":
        return None
    url = first(form, "RecordingStatusCallback")
    if url is not None and not is_url(url):
        raise RestError(21609)
    events = " ".join(form.get("RecordingStatusCallbackEvent", [])).split() or ["completed"]
    return RecordingOrder(
        channels=2 if first(form, "RecordingChannels") == "dual" else 1,
        callback=Source(url=url, method=method_of(form, "RecordingStatusCallbackMethod")) if url else None,
        events=frozenset(events),
    )


def recording_json(account: Account, recording: Recording) -> dict[str, object]:
    """A recording as the REST API shows it, field by field as Twilio's OpenAPI document has it."""
    path = f"/Recordings/{recording.sid}"
    return {
        **_shared_json(recording),
        "uri": account.uri(path),
        "media_url": recording_url(account, recording),
        "subresource_uris": {key: account.uri(f"{path}/{name}") for key, name in SUBRESOURCES.items()},
    }


def call_recording_json(account: Account, recording: Recording) -> dict[str, object]:
    """The same, as it is shown below its call: schema api.v2010.account.call.call_recording."""
    return {
        **_shared_json(recording),
        "uri": account.uri(f"/Calls/{recording.call_sid}/Recordings/{recording.sid}"),
        "track": TRACK,
    }


def recording_url(account: Account, recording: Recording) -> str:
    """Where the recording would be heard."""
    return account.url(f"/Recordings/{recording.sid}")


def about_recording(account: Account, recording: Recording) -> dict[str, str]:
    """What a request about a call says of its recording."""
    return {
        "RecordingSid": recording.sid,
        "RecordingUrl": recording_url(account, recording),
        "RecordingDuration": str(recording.seconds),
    }


def recording_fields(account: Account, recording: Recording) -> dict[str, str]:
    """The fields of a recording's own status callback."""
    return about_recording(account, recording) | {
        "AccountSid": recording.account_sid,
        "CallSid": recording.call_sid,
        "RecordingStatus": recording.status,
        "RecordingChannels": str(recording.channels),
        "RecordingStartTime": rfc2822(recording.started),
        "RecordingSource": recording.source,
        "RecordingTrack": TRACK,
        "ErrorCode": "0",
    }


def _shared_json(recording: Recording) -> dict[str, object]:
    return {
        "account_sid": recording.account_sid,
        "api_version": API_VERSION,
        "call_sid": recording.call_sid,
        "conference_sid": None,
        "date_created": rfc2822(recording.created),
        "date_updated": rfc2822(recording.created),
        "start_time": rfc2822(recording.started),
        "duration": str(recording.seconds),
        "sid": recording.sid,
        "price": None,
        "price_unit": "USD",
        "status": recording.status,
        "channels": recording.channels,
        "source": recording.source,
        "error_code": None,
        "encryption_details": None,
    }
