"""From a queue message's text to what a function gets."""

import base64
import binascii

from azure.functions.queue import QueueMessage
from azure.storage.queue import QueueMessage as StoredMessage

_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


class UndecodableMessageError(ValueError):
    """The text is not base64; Azure moves such a message to the poison queue at once."""


class NotTextError(ValueError):
    """The bytes are no UTF-8, and the trigger asks for text; Azure counts that as a failed run."""


def decode(text: str, *, is_base64: bool) -> bytes:
    """Return a message's bytes; raises UndecodableMessageError. White space is skipped, as .NET does."""
    if not is_base64:
        return text.encode()
    try:
        return base64.b64decode(text.translate(_WHITE_SPACE), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise UndecodableMessageError(f"expected base64 text ({exc})") from exc


def for_function(message: StoredMessage, body: bytes, *, binary: bool) -> QueueMessage:
    """Return the message as a function gets it; raises NotTextError."""
    if not binary:
        try:
            body.decode()
        except UnicodeDecodeError as exc:
            raise NotTextError(
                f"expected UTF-8 ({exc.reason} at byte {exc.start}): is the trigger's data_type BINARY?"
            ) from exc
    return QueueMessage(  # type: ignore[no-untyped-call]  # azure-functions leaves its arguments untyped
        id=message.id,
        body=body,
        dequeue_count=message.dequeue_count,
        expiration_time=message.expires_on,
        insertion_time=message.inserted_on,
        time_next_visible=message.next_visible_on,
        pop_receipt=message.pop_receipt,
    )
