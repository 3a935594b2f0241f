"""How often one sender is answered: so often in an hour, counted over all of our numbers, and past midnight."""

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from shared.deliveries.record import Delivery
from shared.inbound.replies.quota import Quota
from tests.deliveries.samples import NOW, a_delivery
from tests.fakes import a_sid
from tests.storage import Storage

MIDNIGHT = datetime(2026, 3, 3, tzinfo=NOW.tzinfo)
SENDER = "+14155550177"


def a_text(at: datetime, *, sender: str = SENDER, to: str = "+15005550006") -> Delivery:
    return a_delivery(id=a_sid(), direction="inbound", from_=sender, to=to, created_at=at)


async def taken(quota: Quota, *texts: Delivery, most: int = 3) -> list[bool]:
    return [await quota.take(text, most=most) for text in texts]


@pytest.mark.parametrize("start", [NOW, MIDNIGHT - timedelta(minutes=2)], ids=["within a day", "past midnight"])
async def test_so_many_are_answered_in_an_hour_and_then_none_until_it_has_passed(
    storage: Storage, start: datetime
) -> None:
    quota = Quota(storage.lookups)
    texts = [a_text(start + timedelta(minutes=minute)) for minute in range(5)]
    assert await taken(quota, *texts) == [True, True, True, False, False]
    later = [a_text(start + timedelta(minutes=minute)) for minute in (59, 60.5, 60.6)]
    assert await taken(quota, *later) == [False, True, False], "the first is an hour ago, and its place is free"


async def test_a_text_that_is_brought_twice_counts_once_and_is_answered_alike(storage: Storage) -> None:
    quota = Quota(storage.lookups)
    text, other = a_text(NOW), a_text(NOW + timedelta(seconds=1))
    assert await taken(quota, text, text, text, most=1) == [True, True, True]
    assert await taken(quota, other, other, text, most=1) == [False, False, True]


async def test_all_of_our_numbers_count_together_and_other_senders_apart(storage: Storage) -> None:
    quota = Quota(storage.lookups)
    assert await quota.take(a_text(NOW), most=1)
    assert not await quota.take(a_text(NOW, to="+15005550010"), most=1)
    assert await quota.take(a_text(NOW, sender="+14155550178"), most=1)


async def test_with_a_cap_of_none_nobody_is_answered(storage: Storage) -> None:
    assert not await Quota(storage.lookups).take(a_text(NOW), most=0)
    assert await storage.rows(storage.lookups, since="reply:", before="reply;") == []


async def test_many_at_once_are_never_answered_more_often(storage: Storage) -> None:
    quota = Quota(storage.lookups)
    texts = [a_text(NOW + timedelta(milliseconds=n)) for n in range(12)]
    answers = await asyncio.gather(*(quota.take(text, most=3) for text in texts))
    assert sum(answers) <= 3


async def test_no_number_stands_in_a_key(storage: Storage) -> None:
    text = a_text(NOW)
    await Quota(storage.lookups).take(msgspec.structs.replace(text, from_="+14155550177"), most=1)
    [row] = await storage.rows(storage.lookups, since="reply:", before="reply;")
    assert "5550177" not in repr(row)
