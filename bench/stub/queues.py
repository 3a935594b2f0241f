"""Queues that take everything in and count it; nothing comes out, as the measured functions are called directly.

https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

import uuid
from http import HTTPStatus
from typing import Final

from bench.stub.answer import Answer

_XML: Final = {"Content-Type": "application/xml"}
_TIME: Final = "Fri, 01 Jan 2100 00:00:00 GMT"


def answer(method: str, path: str) -> Answer:
    """Answer a request; `path` is what follows the account."""
    if method == "POST":
        content = (
            "<?xml version='1.0' encoding='utf-8'?><QueueMessagesList><QueueMessage>"
            f"<MessageId>{uuid.uuid4()}</MessageId>"
            f"<InsertionTime>{_TIME}</InsertionTime><ExpirationTime>{_TIME}</ExpirationTime><PopReceipt>none</PopReceipt>"
            f"<TimeNextVisible>{_TIME}</TimeNextVisible></QueueMessage></QueueMessagesList>"
        )
        return Answer(HTTPStatus.CREATED, content.encode(), _XML)
    if path.endswith("/messages") and method == "GET":
        return Answer(HTTPStatus.OK, b"<?xml version='1.0' encoding='utf-8'?><QueueMessagesList/>", _XML)
    return Answer(HTTPStatus.NO_CONTENT)
