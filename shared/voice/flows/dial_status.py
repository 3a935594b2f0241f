"""The result of a Dial, as Twilio's request to its `action` URL tells it. Pure.

https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values
"""

from collections.abc import Mapping
from typing import Final

ANSWERED: Final = ("completed", "answered")
UNANSWERED: Final = ("busy", "no-answer", "failed", "canceled")
FORM_FIELDS: Final = ("DialCallStatus", "DialCallSid", "DialCallDuration", "RecordingUrl", "RecordingSid")


def dial_status(form: Mapping[str, str]) -> str:
    """Return DialCallStatus; a request without one means that Twilio could not dial."""
    return form.get("DialCallStatus", "failed")


def dial_facts(form: Mapping[str, str]) -> dict[str, str | None]:
    """Return the other facts of the dialled call, for its event."""
    return {
        "dial_sid": form.get("DialCallSid"),
        "seconds": form.get("DialCallDuration"),
        "recording_url": form.get("RecordingUrl"),
        "recording_sid": form.get("RecordingSid"),
    }
