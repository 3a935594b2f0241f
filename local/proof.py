"""The proof that a running set works: one text and one call go in as any other system would send them."""

from collections.abc import Callable
from functools import partial

from azure.storage.queue import QueueClient

from local import enqueue
from local.follow import Delivery, find_delivery, follow

# Numbers for fiction: https://en.wikipedia.org/wiki/555_(telephone_number)
TEXT_TO, CALL_TO = "+14155550100", "+14155550101"
LONGEST_SECONDS = 60


def prove(queue: QueueClient, *, functions_url: str, show: Callable[[str], None], check: Callable[[], None]) -> bool:
    """Enqueue a text and a call, show what becomes of them; returns whether both reached their recipient."""
    requests = {
        "text": {"channel": "sms", "to": TEXT_TO, "body": "Switchboard works.", "urgent": True},
        "call": {"channel": "call", "to": CALL_TO, "say": "Switchboard works.", "urgent": True},
    }
    finders = {}
    for label, request in requests.items():
        sent = enqueue.put(queue, {"id": enqueue.mint_id(f"proof-{label}"), **request})
        show(f"Enqueued {sent.request_id}")
        finders[label] = partial(find_delivery, sent, url=functions_url)
    seen = follow(finders, show=show, timeout=LONGEST_SECONDS, check=check)
    for label, last in seen.items():
        if last is None or not last.succeeded:
            show(f"The {label} did not arrive: {_what_became(last)}")
    return all(last is not None and last.succeeded for last in seen.values())


def _what_became(last: Delivery | None) -> str:
    if last is None:
        return f"nobody took it from the queue within {LONGEST_SECONDS} s"
    if not last.is_final:
        return f"it is still {last.status} after {LONGEST_SECONDS} s"
    return f"it ended as {last.status}, {last.error_code or 'no code'}: {last.error_message or 'no reason given'}"
