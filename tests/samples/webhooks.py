"""Whole bodies as Twilio posts them, and the signature that Twilio would send along.

The files beside this one are bodies, one field a line to be read, joined by `&` to be sent; `{sid}` stands for the SID
of the message or call.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from tests.web.app import FORM, PUBLIC_BASE_URL, TOKEN

_FOLDER = Path(__file__).parent


def body(name: str, *, sid: str) -> bytes:
    """Read a sample."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="ascii").split()
    return "&".join(lines).replace("{sid}", sid).encode()


def encode(*fields: tuple[str, str]) -> bytes:
    """Encode fields as Twilio does."""
    return urlencode(fields).encode()


def signature(url: str, fields: Iterable[tuple[str, str]], *, token: str = TOKEN) -> str:
    """Sign as Twilio's documentation says, written out here rather than asked of the library that checks it.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security#how-twilio-signs-requests
    """
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def headers(target: str, content: bytes, *, token: str = TOKEN, base: str = PUBLIC_BASE_URL) -> dict[str, str]:
    """The headers of a webhook to `target` (raw path and query) with this body."""
    fields = parse_qsl(content.decode(), keep_blank_values=True)
    return {**FORM, "X-Twilio-Signature": signature(base + target, fields, token=token)}


def new_sid(prefix: str) -> str:
    """Make up a SID."""
    return prefix + os.urandom(16).hex()


def new_number() -> str:
    """Make up the number of somebody whom no other test has."""
    return f"+1415{int.from_bytes(os.urandom(3)) % 9_000_000 + 1_000_000}"
