import base64
import json

import msgspec
import pytest

from shared.errors import RequestInvalid
from shared.outbound.enqueue import enqueue
from shared.queues import LARGEST
from tests.fakes import make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

SETTINGS = make_settings()


async def test_a_request_is_enqueued_byte_for_byte(bench: Bench) -> None:
    message = a_message() + b"\n"
    assert await enqueue(message, settings=SETTINGS, queue=bench.queue) == "order-1"
    (received,) = [received async for received in bench.queue.client.receive_messages()]
    assert base64.b64decode(received.content) == message


async def test_an_id_is_minted_where_none_is_given(bench: Bench) -> None:
    ids = [await enqueue(a_message(id=...), settings=SETTINGS, queue=bench.queue) for _ in range(2)]
    assert len(set(ids)) == 2
    assert [msgspec.json.decode(message)["id"] for message, _ in bench.queue.puts] == ids
    await bench.take(bench.queue.puts[0][0])
    assert (await bench.delivery(ids[0])).status == "queued"


@pytest.mark.parametrize("message", [a_message(to="123"), a_message(id=None), a_message(id=""), b"", b"[]", b"\xff"])
async def test_a_faulty_request_is_not_enqueued(bench: Bench, message: bytes) -> None:
    with pytest.raises(RequestInvalid):
        await enqueue(message, settings=SETTINGS, queue=bench.queue)
    assert bench.queue.puts == []


async def test_a_request_that_no_queue_can_carry_is_refused(bench: Bench) -> None:
    # within 30,000 characters, and more bytes than 64 KiB of base64 hold
    document = {"content_sid": "HX" + "0" * 32, "content_variables": {"1": "✓" * 20_000}}
    message = json.dumps({**json.loads(a_message(body=...)), **document}, ensure_ascii=False).encode()
    assert len(message) > LARGEST
    with pytest.raises(RequestInvalid, match=f"at most {LARGEST} bytes"):
        await enqueue(message, settings=SETTINGS, queue=bench.queue)
    assert bench.queue.puts == []
