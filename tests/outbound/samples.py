"""Requests as other systems write them."""

import json
from collections.abc import Mapping

from shared.outbound.checks import Rules
from shared.outbound.decode import Decoded, decode
from shared.settings import Settings
from tests.fakes import make_settings

TEXT = {"id": "order-1", "channel": "sms", "to": "+14155550100", "body": "Your parcel has arrived."}
CALL = {"id": "order-2", "channel": "call", "to": "+14155550100", "say": "Your parcel has arrived."}


def a_message(base: Mapping[str, object] = TEXT, /, **fields: object) -> bytes:
    """A request with some fields changed; a field that is `...` is left out."""
    document = {**base, **fields}
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode()


def decoded(base: Mapping[str, object] = TEXT, /, *, settings: Settings | None = None, **fields: object) -> Decoded:
    """That request, decoded."""
    return decode(a_message(base, **fields), Rules(settings or make_settings()))
