"""What a message costs in storage transactions: each has its reason in docs/performance.md."""

import pytest

from bench.transactions import counted
from bench.ways.sample import Kind

ONCE = {
    "table upsert Lookups": 3,
    "table insert Lookups": 1,
    "table delete Lookups": 1,
}
"""whatever it is: findable by time, by recipient, and while it is open; whose the SID is"""


@pytest.mark.parametrize(
    ("kind", "callbacks", "more"), [("text", 2, {"table get Consents": 1}), ("call", 4, {})], ids=["text", "call"]
)
def test_a_message_makes_the_storage_transactions_that_it_must_and_no_others(
    kind: Kind, callbacks: int, more: dict[str, int]
) -> None:
    states_and_events = {
        "table get Deliveries": callbacks,
        # the claim and Twilio's answer, then each callback's event
        "table insert Deliveries": 2 + callbacks,
        "table merge Deliveries": 1 + callbacks,
    }
    assert counted(kind) == {**ONCE, **more, **states_and_events}
