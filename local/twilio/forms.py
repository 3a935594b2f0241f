"""Reading what a client posted."""

import re
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

Form = Mapping[str, list[str]]
URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def first(form: Form, name: str) -> str | None:
    """The first value of a field; None where it is absent or blank."""
    return next(iter(form.get(name, [])), "") or None


def is_url(text: str) -> bool:
    """Whether Twilio could request this: an absolute http or https URL in plain ASCII, with a host."""
    if not URL.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def method_of(form: Form, name: str) -> str:
    """The HTTP method in a field: GET where it is asked for, else POST."""
    return "GET" if (first(form, name) or "").upper() == "GET" else "POST"


def new_sid(prefix: str) -> str:
    """A SID such as nobody had before: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)
