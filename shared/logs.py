"""Logging. The text of a line says everything: the worker of Azure Functions sends the text and the level of a record.

It drops the fields of `extra=` and the logger's name: https://github.com/Azure/azure-functions-python-worker/issues/1327.
"""

import logging
import re
import traceback
from collections.abc import MutableMapping
from typing import Any, Final

from azure.core.exceptions import AzureError

from shared.errors import SwitchboardError

_IS_NUMBER: Final = re.compile(r"((?:[A-Za-z]+:)?)([0-9]{7,})((?:~.*)?)")
"""an id, perhaps a derived one: the first part of a derived id is the id of its origin"""

# the SDKs write whole URLs at INFO: noise, and Twilio's would hold numbers
_NOISY = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity", "twilio")
_NO_FAULT_OF_THE_CODE: Final = (AzureError, SwitchboardError, OSError)
"""an OSError is also a timeout, and a connection that broke"""


class DeliveryLogger(logging.LoggerAdapter[logging.Logger]):
    """Says of every line which delivery it is about."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:  # noqa: ANN401 - logging's own signature
        """Add the delivery's id to a line; and to its record, for handlers within the process."""
        extra = self.extra or {}
        return f"{msg} [delivery {extra.get('delivery')}]", {**kwargs, "extra": extra}


def about(logger: logging.Logger, delivery_id: str) -> DeliveryLogger:
    """Return a logger whose lines name the delivery."""
    return DeliveryLogger(logger, {"delivery": shown_id(delivery_id)})


def shown_id(delivery_id: str) -> str:
    """Return an id as log lines show it: whole, but for one that is nothing but a phone number, `141…23`."""
    found = _IS_NUMBER.fullmatch(delivery_id)
    return f"{found[1]}{found[2][:3]}…{found[2][-2:]}{found[3]}" if found else delivery_id


def traced(error: BaseException) -> str:
    """Name an error for a line of the log; a fault of the code with its traceback.

    The error's own text is left out, as it may hold a URL, a number or a body. An error of storage, of Twilio or of the
    network has no traceback here: it says nothing of the cause.
    """
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        return f"{name}: {', '.join(map(traced, error.exceptions))}"
    if isinstance(error, _NO_FAULT_OF_THE_CODE):
        return name
    return f"{name}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()


def quieten() -> None:
    """Keep the SDKs' own request logs out of ours."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
