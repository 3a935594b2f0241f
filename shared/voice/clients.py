"""A client within Dial: a browser that rings. Pure.

https://www.twilio.com/docs/voice/twiml/client
"""

from typing import Any

from shared.voice.twiml import writable


def add_client(verb: Any, name: str, *, caller: str, delivery: str, url: str | None = None) -> None:  # noqa: ANN401 - untyped library
    """Ring a client, and tell it who calls, whatever the caller id shows, and which delivery the call is on record as.

    The Voice SDK has both as `call.customParameters`.
    """
    client = verb.client(url=url)
    client.identity(name)
    client.parameter(name="caller", value=writable(caller))
    client.parameter(name="delivery", value=writable(delivery))
