"""A key that may create and not list: the breaker stays open, the delivery and health say what is missing."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError

from shared.errors import RightMissing, SwitchboardError, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.rights import Rights
from shared.tables import Row, Table
from tests.fakes import a_sid, an_answer
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message

FORBIDDEN = TwilioRefused(status=403, code=20003, explanation="")
LOST = TwilioUnclear("no answer")
SETTLED = timedelta(seconds=80)


async def look_and_be_refused(bench: Bench, message: bytes, error: SwitchboardError = FORBIDDEN) -> None:
    bench.provider.outcomes = [LOST]
    await bench.take(message)
    bench.clock.advance(SETTLED)
    bench.provider.failures = [error]
    await bench.take(message)


async def problem(bench: Bench) -> str | None:
    """What another process says of the rights in its health check."""
    try:
        await Rights(bench.storage.lookups).check(bench.clock.now)
    except RightMissing as exc:
        return str(exc)
    return None


@pytest.mark.parametrize(
    ("message", "listed"), [(a_message(), "messages"), (a_message(CALL, id="order-1"), "calls")], ids=["text", "call"]
)
async def test_health_and_the_delivery_say_which_right_is_missing(bench: Bench, message: bytes, listed: str) -> None:
    assert await problem(bench) is None
    await look_and_be_refused(bench, message)
    missing = f"the API key may not list {listed} (HTTP 403, code 20003)"
    assert missing in (await problem(bench) or "")
    assert missing in ((await bench.delivery()).error_message or "")
    bench.clock.advance(timedelta(minutes=10))
    await bench.take(message)
    assert await problem(bench) is None, "a list that is read takes the notice down"


async def test_requests_go_on_being_sent_while_a_right_is_missing(bench: Bench) -> None:
    await look_and_be_refused(bench, a_message(), TwilioRefused(status=401, code=70051, explanation=""))
    sent = an_answer(a_sid())
    bench.provider.outcomes = [sent]
    await bench.take(a_message(id="order-9"))
    assert (await bench.delivery("order-9")).sid == sent.sid
    await bench.gate.check(bench.clock.now)
    assert await problem(bench) is not None


async def test_a_key_that_never_may_list_leaves_its_request_for_a_person_and_never_sends_it_again(
    bench: Bench,
) -> None:
    message = a_message(expires_at=(bench.clock.now + timedelta(hours=2)).isoformat())
    await look_and_be_refused(bench, message)
    for _ in range(40):
        bench.provider.failures = [FORBIDDEN]
        bench.clock.advance(timedelta(minutes=15))
        await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.is_left_for_a_person, delivery.candidates) == ("uncertain", True, ())
    assert (delivery.error_message or "").startswith("left for a person: it expired and no look at Twilio succeeded")
    assert "may not list messages" in (delivery.error_message or "")
    assert len(bench.provider.created) == 1
    bench.provider.failures = []
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.is_left_for_a_person) == ("uncertain", False), "the second look decides"
    bench.clock.advance(bench.queue.puts[-1][1])
    await bench.take(message)
    assert (await bench.delivery()).status == "expired", "once it could be looked for"


@pytest.mark.parametrize(
    "error",
    [
        TwilioRefused(status=403, code=30002, explanation=""),
        TwilioRefused(status=400, code=20404, explanation=""),
        TwilioUnavailable("busy", code=20429),
        LOST,
    ],
    ids=str,
)
async def test_other_errors_of_a_look_say_nothing_of_rights(bench: Bench, error: SwitchboardError) -> None:
    await look_and_be_refused(bench, a_message(), error)
    assert await problem(bench) is None


async def test_an_old_notice_counts_no_more(bench: Bench) -> None:
    await look_and_be_refused(bench, a_message())
    bench.clock.advance(timedelta(minutes=59))
    assert await problem(bench) is not None
    bench.clock.advance(timedelta(minutes=1))
    assert await problem(bench) is None


async def test_where_storage_is_away_nothing_is_said_and_no_look_fails(bench: Bench) -> None:
    class Away(Table):
        def query(
            self, text: str, *, limit: int | None = None, select: str | None = None, **parameters: object
        ) -> AsyncIterator[Row]:
            raise HttpResponseError(f"{text} {limit} {select} {parameters}")

        async def put(self, entity: object) -> None:
            raise HttpResponseError(str(entity))

        async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
            raise HttpResponseError(f"{partition} {row} {version}")

    away = Rights(Away(bench.storage.lookups._client))
    await away.check(bench.clock.now)
    await away.granted("messages")
    assert await away.refused("messages", FORBIDDEN, bench.clock.now) is not None
