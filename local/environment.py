"""The settings that `run` gives to its parts: whatever the files say, they meet the simulated Twilio only.

The environment goes before local.settings.json, in Core Tools and in the embedded host alike.
"""

import os
from collections.abc import Mapping

from local import settings_file

STORAGE = "AzureWebJobsStorage"
FROM_NUMBER = "+15005550006"  # https://www.twilio.com/docs/iam/test-credentials: the sender that works
# Settings of a real account; an empty one counts as not set.
NOT_FOR_A_SIMULATOR = (
    "TWILIO_AUTH_TOKEN_SECONDARY",
    "TWILIO_MESSAGING_SERVICE_SID",
)
# Made up: the simulator takes the key, and there are tokens for browsers, which the real Twilio refuses.
MADE_UP = {
    "TWILIO_API_KEY_SID": "SK00000000000000000000000000000000",
    "TWILIO_API_KEY_SECRET": "the-simulator-takes-this-secret-as-well",
    "TWILIO_TWIML_APP_SID": "AP00000000000000000000000000000000",
}


def for_parts(*, storage: str, twilio_url: str, functions_url: str, values: Mapping[str, str]) -> dict[str, str]:
    """The environment of every part, over this process's own; `values` are those of local.settings.json."""
    simulated = settings_file.read(settings_file.EXAMPLE)
    other_storage = [name for name in {*os.environ, *values} if name.startswith(f"{STORAGE}__")]
    return {
        **os.environ,
        **dict.fromkeys((*NOT_FOR_A_SIMULATOR, *other_storage), ""),
        STORAGE: storage,
        "TWILIO_ACCOUNT_SID": simulated["TWILIO_ACCOUNT_SID"],
        "TWILIO_AUTH_TOKEN": simulated["TWILIO_AUTH_TOKEN"],
        **MADE_UP,
        "TWILIO_FROM_NUMBER": FROM_NUMBER,
        "TWILIO_API_BASE_URL": twilio_url,
        "PUBLIC_BASE_URL": functions_url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def outbound_queue(values: Mapping[str, str]) -> str:
    """The queue that send requests go into."""
    return {**values, **os.environ}.get("OUTBOUND_QUEUE") or "outbound"
