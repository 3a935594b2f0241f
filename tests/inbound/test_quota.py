"""How often one sender is answered: so often in an hour, counted over all of our numbers, and past midnight."""

import asyncio
import hashlib
from datetime import datetime, timedelta

import pytest

from shared.deliveries import keys
from shared.deliveries.record import Delivery
from shared.inbound.replies.quota import Quota
from tests.deliveries.samples import NOW, a_delivery
from tests.fakes import a_sid
from tests.storage import Storage

MIDNIGHT = datetime(2026, 3, 3, tzinfo=NOW.tzinfo)
SENDER = "+14155550177"


def a_text(at: datetime, *, sender: str = SENDER, to: str = "+15005550006") -> Delivery:
    return a_delivery(id=a_sid(), direction="inbound", from_=sender, to=to, created_at=at)


async def take(quota: Quota, text: Delivery, *, most: int) -> bool:
    return await quota.take(text.from_ or "", text_id=text.id, at=text.created_at, most=most)


async def taken(quota: Quota, *texts: Delivery, most: int = 3) -> list[bool]:
    return [await take(quota, text, most=most) for text in texts]


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
    assert await take(quota, a_text(NOW), most=1)
    assert not await take(quota, a_text(NOW, to="+15005550010"), most=1)
    assert await take(quota, a_text(NOW, sender="+14155550178"), most=1)


async def test_a_text_that_is_asked_about_again_later_counts_once(storage: Storage) -> None:
    """The turn of a call comes again some seconds later, and past midnight in another partition."""
    quota = Quota(storage.lookups)
    for text_id, seconds in (("CA1~0.1-text", 0), ("CA1~0.1-text", 9), ("CA1~4.1-text", 10), ("CA1~0.1-text", 61)):
        at = MIDNIGHT + timedelta(seconds=seconds - 60)
        assert await quota.take(SENDER, text_id=text_id, at=at, most=2), (text_id, seconds)
    assert not await quota.take(SENDER, text_id="CA1~6.1-text", at=MIDNIGHT + timedelta(seconds=2), most=2)


@pytest.mark.parametrize(
    ("one", "other"),
    [("+525512345678", "+5215512345678"), ("+553188887777", "+5531988887777"), ("+14155550177", "rcs:+14155550177")],
)
async def test_every_spelling_of_a_phone_counts_as_one_person(storage: Storage, one: str, other: str) -> None:
    quota = Quota(storage.lookups)
    assert await take(quota, a_text(NOW, sender=one), most=1)
    assert not await take(quota, a_text(NOW, sender=other), most=1)


async def test_rows_of_an_earlier_version_count(storage: Storage) -> None:
    old = a_text(NOW - timedelta(minutes=10))
    partition = f"reply:{old.created_at:%Y%m%d}:{hashlib.sha256(SENDER.encode()).hexdigest()[:32]}"
    await storage.lookups.put({"PartitionKey": partition, "RowKey": keys.position(old)})
    assert not await take(Quota(storage.lookups), a_text(NOW), most=1)
    assert await take(Quota(storage.lookups), old, most=1), "it is the same text"


async def test_with_a_cap_of_none_nobody_is_answered(storage: Storage) -> None:
    assert not await take(Quota(storage.lookups), a_text(NOW), most=0)
    assert await storage.rows(storage.lookups, since="reply:", before="reply;") == []


async def test_many_at_once_are_never_answered_more_often(storage: Storage) -> None:
    quota = Quota(storage.lookups)
    texts = [a_text(NOW + timedelta(milliseconds=n)) for n in range(12)]
    answers = await asyncio.gather(*(take(quota, text, most=3) for text in texts))
    assert sum(answers) <= 3


async def test_no_number_stands_in_a_key(storage: Storage) -> None:
    text = a_text(NOW)
    await take(Quota(storage.lookups), text, most=1)
    [row] = await storage.rows(storage.lookups, since="reply:", before="reply;")
    assert "5550177" not in repr(row)
