import json

import msgspec
import pytest

from shared.errors import RequestInvalid
from shared.outbound.checks import Rules
from shared.outbound.enqueue import prepare
from shared.queues import LARGEST
from tests.fakes import make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

RULES = Rules(make_settings())


def test_a_request_is_enqueued_byte_for_byte() -> None:
    message = a_message() + b"\n"
    assert prepare(message, rules=RULES) == ("order-1", message)


async def test_an_id_is_minted_where_none_is_given(bench: Bench) -> None:
    minted = [prepare(a_message(id=...), rules=RULES) for _ in range(2)]
    assert len({delivery_id for delivery_id, _ in minted}) == 2
    for delivery_id, message in minted:
        assert msgspec.json.decode(message)["id"] == delivery_id
        await bench.take(message)
        assert (await bench.delivery(delivery_id)).status == "queued"


@pytest.mark.parametrize("message", [a_message(to="123"), a_message(id=None), a_message(id=""), b"", b"[]", b"\xff"])
def test_a_faulty_request_is_not_enqueued(message: bytes) -> None:
    with pytest.raises(RequestInvalid):
        prepare(message, rules=RULES)


def test_a_request_that_no_queue_can_carry_is_refused() -> None:
    # within 30,000 characters, and more bytes than 64 KiB of base64 hold
    document = {"content_sid": "HX" + "0" * 32, "content_variables": {"1": "✓" * 20_000}}
    message = json.dumps({**json.loads(a_message(body=...)), **document}, ensure_ascii=False).encode()
    assert len(message) > LARGEST
    with pytest.raises(RequestInvalid, match=f"at most {LARGEST} bytes"):
        prepare(message, rules=RULES)
