"""Logging: constant sentences, and the delivery's id both in the line and as a field of the record."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any, Final

_IS_NUMBER: Final = re.compile(r"((?:[A-Za-z]+:)?)([0-9]{7,})((?:~.*)?)")
"""an id, perhaps a derived one: the first part of a derived id is the id of its origin"""

# the SDKs write whole URLs at INFO: noise, and Twilio's would hold numbers
_NOISY = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity", "twilio")


class DeliveryLogger(logging.LoggerAdapter[logging.Logger]):
    """Says of every line which delivery it is about."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:  # noqa: ANN401 - logging's own signature
        """Add the delivery to a line and its record."""
        extra = self.extra or {}
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return f"{msg} [delivery {extra.get('delivery')}]", kwargs


def about(logger: logging.Logger, delivery_id: str) -> DeliveryLogger:
    """Return a logger whose records carry `delivery`."""
    return DeliveryLogger(logger, {"delivery": shown_id(delivery_id)})


def shown_id(delivery_id: str) -> str:
    """Return an id as log lines show it: whole, but for one that is nothing but a phone number, `141…23`."""
    found = _IS_NUMBER.fullmatch(delivery_id)
    return f"{found[1]}{found[2][:3]}…{found[2][-2:]}{found[3]}" if found else delivery_id


def quieten() -> None:
    """Keep the SDKs' own request logs out of ours."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
