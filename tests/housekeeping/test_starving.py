"""However many deliveries are open, a lost message is found in one run, and no delivery waits for all others."""

import asyncio
import logging
import re
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from shared.deliveries import keys
from shared.deliveries.open import OpenDeliveries
from shared.housekeeping import stuck as stuck_module
from shared.outbound.provider import Resource
from tests.deliveries.samples import a_delivery
from tests.fakes import FakeProvider, a_sid, an_answer
from tests.housekeeping.chores import stuck as chore
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class SlowTwilio(FakeProvider):
    """Each question takes a second of the clock that is told; no message ever has news."""

    def __init__(self, advance: Callable[[timedelta], None]) -> None:
        super().__init__()
        self.advance = advance

    async def message(self, sid: str) -> Resource | None:
        await asyncio.sleep(0)
        self.advance(SECOND)
        self.fetched.append(sid)
        return an_answer(sid, "sent")


def in_partition(partition: int, count: int) -> list[str]:
    """Ids whose entries stand in one of the partitions of a second."""
    names = (f"order-{number}" for number in range(100 * count))
    found = [name for name in names if zlib.crc32(name.encode()) % keys.SPREAD == partition]
    return found[:count]


async def without_receipts(bench: Bench, names: list[str], *, action: keys.Action, since: datetime) -> dict[str, str]:
    """Put texts on record that Twilio sent, and that nothing was heard of since then; return their SIDs.

    The first was sent first. They are listed as a first look left them, or as they were at the beginning.
    """
    sids = {name: a_sid() for name in names}

    async def one(number: int, name: str) -> None:
        sent_at = since + number * timedelta(milliseconds=100)
        delivery = a_delivery(id=name, status="sent", sid=sids[name], created_at=sent_at, updated_at=sent_at)
        assert await bench.storage.log.claim(delivery) is not None
        if action == "ask":
            [entry] = [found async for found in entries.due("wake", sent_at + HOUR) if found.delivery_id == name]
            await entries.move(entry, "ask", delivery, until=sent_at + 30 * MINUTE)

    entries = OpenDeliveries(bench.storage.lookups)
    if action == "wake":
        await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
    else:
        for number, name in enumerate(names):
            await one(number, name)
    return sids


async def run(bench: Bench) -> None:
    """One run, with a minute for each of the two."""
    stuck = chore(bench)
    await stuck.wake(until=bench.clock.now + MINUTE)
    await stuck.ask(until=bench.clock.now + MINUTE)


async def test_a_lost_message_in_the_last_partition_is_found_in_one_run_though_many_without_receipts_are_older(
    bench: Bench,
) -> None:
    bench.provider = SlowTwilio(bench.clock.advance)
    begun = bench.clock.now
    await without_receipts(bench, in_partition(0, 300), action="wake", since=begun - HOUR)
    [lost] = in_partition(keys.SPREAD - 1, 1)
    await bench.die_sending(a_message(id=lost))
    bench.clock.advance(15 * MINUTE)
    bench.queue.puts.clear()
    await run(bench)
    assert bench.queue.puts == [(a_message(id=lost), timedelta(0))]
    assert 60 <= len(bench.provider.fetched) < 120, "there was time to ask about a few only"


async def test_a_message_is_given_back_before_anything_is_asked(bench: Bench) -> None:
    given_before: list[int] = []

    class Watching(SlowTwilio):
        async def message(self, sid: str) -> Resource | None:
            given_before.append(len(bench.queue.puts))
            return await super().message(sid)

    bench.provider = Watching(bench.clock.advance)
    await without_receipts(bench, in_partition(0, 5), action="wake", since=bench.clock.now - HOUR)
    await bench.die_sending(a_message())
    bench.clock.advance(15 * MINUTE)
    bench.queue.puts.clear()
    await run(bench)
    assert given_before == [1] * 5


async def test_twilio_is_asked_about_the_oldest_first_over_all_partitions(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stuck_module, "_AT_ONCE", 1)
    bench.provider = SlowTwilio(bench.clock.advance)
    names = [name for group in zip(*(in_partition(p, 8) for p in range(keys.SPREAD)), strict=True) for name in group]
    sids = await without_receipts(bench, names, action="ask", since=bench.clock.now - HOUR)
    by_second = {sid: -(-number // 10) for number, sid in enumerate(sids.values())}
    await chore(bench).ask(until=bench.clock.now + HOUR)
    asked = [by_second[sid] for sid in bench.provider.fetched]
    assert asked == sorted(asked)
    assert len(asked) == len(names)


async def test_no_more_than_sixteen_questions_are_under_way_and_so_many_are(bench: Bench) -> None:
    full = asyncio.Event()

    class Crowded(FakeProvider):
        inside = most = 0

        async def message(self, sid: str) -> Resource | None:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == 16:
                full.set()
            await full.wait()
            self.inside -= 1
            return an_answer(sid, "sent")

    provider = bench.provider = Crowded()
    await without_receipts(bench, in_partition(0, 40), action="ask", since=bench.clock.now - HOUR)
    assert await chore(bench).ask(until=bench.clock.now + MINUTE) == 40
    assert provider.most == 16


async def test_what_is_left_for_the_next_run_is_told_and_is_begun_with_then(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.provider = SlowTwilio(bench.clock.advance)
    begun = bench.clock.now
    await without_receipts(bench, in_partition(0, 120), action="ask", since=begun - HOUR)
    with caplog.at_level(logging.WARNING, "shared"):
        count = await chore(bench).ask(until=begun + MINUTE)
    [told] = [record.getMessage() for record in caplog.records]
    left = f"{120 - count} open deliveries are left for the next run, to ask"
    # the entries are due 30 minutes after the last news; how far the clock went by then depends on which question ended
    assert re.fullmatch(rf"{left}: the first has been due for 3[01] minutes", told)
    assert await chore(bench).ask(until=bench.clock.now + HOUR) == 120 - count


async def test_entries_that_lead_nowhere_are_in_nobodys_way(bench: Bench) -> None:
    for name in in_partition(0, 100):
        await bench.storage.lookups.put(keys.open_row(a_delivery(id=name, created_at=bench.clock.now - HOUR)))
    [lost] = in_partition(keys.SPREAD - 1, 1)
    await bench.die_sending(a_message(id=lost))
    bench.clock.advance(15 * MINUTE)
    bench.queue.puts.clear()
    await run(bench)
    assert bench.queue.puts == [(a_message(id=lost), timedelta(0))]
