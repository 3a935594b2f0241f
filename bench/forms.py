"""What Twilio posts, signed, and the settings of an app that takes it for Twilio's."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

TOKEN: Final = "a made-up auth token"  # noqa: S105 - it says so
PUBLIC: Final = "https://switchboard.example"
NUMBER: Final = "+15005550006"
ACCOUNT: Final = "AC" + "0" * 32
_TYPE: Final = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
_PLACE: Final = {
    "FromCity": "SAN RAFAEL",
    "FromState": "CA",
    "FromZip": "94901",
    "FromCountry": "US",
    "ToCity": "",
    "ToState": "",
    "ToZip": "",
    "ToCountry": "US",
}
_ENDS: Final = {"From": "+14155550178", "To": NUMBER, "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"}


def settings(storage: str) -> dict[str, str]:
    """Return settings with which the app loads, beside those of the process."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return {
        **kept,
        "AzureWebJobsStorage": storage,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM_NUMBER": NUMBER,
        "PUBLIC_BASE_URL": PUBLIC,
        # once a year: no timer runs while something else is measured
        "SCHEDULE_CRON": "0 0 0 1 1 *",
        "HOUSEKEEPING_CRON": "0 0 0 1 1 *",
    }


@dataclass(frozen=True, slots=True)
class Posted:
    """One request of Twilio's."""

    function: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def _sms_inbound(sid: str) -> dict[str, str]:
    told = {"Body": "Schöne Grüße: when do you open?", "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received"}
    return {**_PLACE, **_ENDS, "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, **told}


def _sms_status(sid: str) -> dict[str, str]:
    return {**_ENDS, "MessageSid": sid, "SmsSid": sid, "MessageStatus": "delivered", "SmsStatus": "delivered"}


def _voice_inbound(sid: str) -> dict[str, str]:
    return {**_PLACE, **_ENDS, "CallSid": sid, "CallStatus": "ringing", "Direction": "inbound", "Caller": _ENDS["From"]}


FORMS: Final = {
    "sms_inbound": ("SM", "/api/sms/inbound", _sms_inbound),
    "voice_inbound": ("CA", "/api/voice/inbound", _voice_inbound),
    "sms_status": ("SM", "/api/sms/status", _sms_status),
}
"""by function: the beginning of the SID, where it is posted, and what"""


def post(function: str) -> Posted:
    """Make a request that never was, with a SID of its own."""
    prefix, target, fields = FORMS[function]
    form = fields(prefix + os.urandom(16).hex())
    return Posted(function, target, signed(PUBLIC + target, form), urlencode(form).encode())


def signed(url: str, form: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a form that Twilio posts.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    covered = url + "".join(name + value for name, value in sorted(form.items()))
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), covered.encode(), hashlib.sha1)).decode()
    return {**_TYPE, "X-Twilio-Signature": signature}
