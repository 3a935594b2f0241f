"""Erasing what is over: here and at Twilio, and nothing that is still to be sent or belongs to somebody else."""

from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import keys
from shared.deliveries.erasure import NotErasable, erase
from shared.deliveries.record import Delivery
from shared.errors import Changed, TwilioUnclear
from tests.deliveries.samples import NOW, OTHER_SID, SID, a_delivery, an_event
from tests.fakes import FakeProvider, a_sid
from tests.storage import Storage

DAY = timedelta(days=1)


async def claimed(storage: Storage, **changes: object) -> Delivery:
    delivery = await storage.log.claim(a_delivery(**changes))
    assert delivery is not None
    return delivery


async def state(storage: Storage) -> Delivery:
    delivery = await storage.log.get("order-1")
    assert delivery is not None
    return delivery


@pytest.mark.parametrize("word", ["queued", "sent"])
async def test_what_twilio_has_is_erased_once_it_has_been_silent_for_a_day(storage: Storage, word: str) -> None:
    provider = FakeProvider()
    delivery = await claimed(storage, status=word, sid=SID)
    with pytest.raises(NotErasable, match=word):
        await erase(delivery, log=storage.log, provider=provider, now=NOW + DAY - timedelta(seconds=1))
    assert provider.erased == []
    await erase(delivery, log=storage.log, provider=provider, now=NOW + DAY)
    assert provider.erased == [("message", SID)]
    assert ((await state(storage)).erased, (await state(storage)).status) == (True, word)


@pytest.mark.parametrize("to", ["+525512345678", "+5215512345678"])
async def test_no_list_names_what_was_erased_in_any_spelling(storage: Storage, to: str) -> None:
    delivery = await claimed(storage, status="delivered", sid=SID, to=to)
    for partition in keys.recipient_partitions(to):
        await storage.lookups.put({**keys.recipient_row(delivery), "PartitionKey": partition})
    await erase(delivery, log=storage.log, provider=FakeProvider(), now=NOW)
    for partition in keys.recipient_partitions(to):
        assert [row async for row in storage.lookups.query("PartitionKey eq @at", at=partition)] == []


@pytest.mark.parametrize("key", ["a/b:trouble:11200:0", "x" * 600], ids=["no key", "too long"])
async def test_no_event_stays_of_what_was_erased_meanwhile_whatever_its_key(storage: Storage, key: str) -> None:
    stale = await claimed(storage, status="delivered", sid=SID)
    await erase(stale, log=storage.log, provider=FakeProvider(), now=NOW)
    event = msgspec.structs.replace(an_event("delivered"), key=key, kind="trouble")
    await storage.log.record(stale, event)
    assert await storage.log.note(stale, event) is False
    assert await storage.log.timeline("order-1") == []


async def test_what_comes_in_again_at_the_same_time_as_before_is_listed_by_nobody_once_it_was_erased(
    storage: Storage,
) -> None:
    """Twilio tells a call's times in whole seconds: the entry by recipient has the very key of the erased one."""
    text = a_delivery(direction="inbound", status="received", sid=SID)
    filed = await storage.log.file(text, an_event("received"))
    await erase(filed, log=storage.log, provider=FakeProvider(), now=NOW)
    await storage.log.file(text, an_event("received"))
    for partition in keys.recipient_partitions(text.to or ""):
        assert [row async for row in storage.lookups.query("PartitionKey eq @at", at=partition)] == []
    assert await storage.log.timeline("order-1") == []


@pytest.mark.parametrize("word", ["submitting", "uncertain", "retrying", "scheduled"])
async def test_what_is_still_to_be_sent_is_not_erased_however_long_it_waits(storage: Storage, word: str) -> None:
    delivery = await claimed(storage, status=word)
    with pytest.raises(NotErasable, match=word):
        await erase(delivery, log=storage.log, provider=FakeProvider(), now=NOW + 400 * DAY)
    assert await state(storage) == delivery


async def test_what_was_left_for_a_person_is_canceled_with_it_and_what_it_may_be_at_twilio_stays(
    storage: Storage,
) -> None:
    provider = FakeProvider()
    delivery = await claimed(storage, status="uncertain", candidates=(OTHER_SID,))
    await erase(delivery, log=storage.log, provider=provider, now=NOW)
    left = await state(storage)
    assert (left.erased, left.status, left.is_final, left.candidates) == (True, "canceled", True, ())
    assert provider.erased == []
    assert await storage.log.claim(a_delivery(attempt="token-2")) is None


async def test_what_earlier_attempts_were_is_erased_and_what_belongs_to_others_is_not(storage: Storage) -> None:
    """A person said of a candidate that it is not this one; and a callback of another SID was kept."""
    provider, earlier, stranger = FakeProvider(), a_sid(), a_sid()
    delivery = await claimed(storage, status="delivered", sid=SID, past_sids=(earlier, stranger, OTHER_SID))
    await storage.log.own_sid(earlier, "order-1")
    await storage.log.own_sid(OTHER_SID, "order-2")
    await erase(delivery, log=storage.log, provider=provider, now=NOW)
    assert provider.erased == [("message", earlier), ("message", SID)]


async def test_where_twilio_does_not_do_its_part_nothing_is_erased_here(storage: Storage) -> None:
    delivery = await storage.log.record(await claimed(storage), an_event("delivered"))
    with pytest.raises(TwilioUnclear):
        await erase(delivery, log=storage.log, provider=FakeProvider(failures=[TwilioUnclear("")]), now=NOW)
    assert (await state(storage), len(await storage.log.timeline("order-1"))) == (delivery, 1)


async def test_an_erasure_that_loses_its_race_removes_nothing_here(storage: Storage) -> None:
    stale = await storage.log.record(await claimed(storage), an_event("delivered"))
    read = await storage.log.record(stale, an_event("read", seconds=1))
    with pytest.raises(Changed):
        await erase(stale, log=storage.log, provider=FakeProvider(), now=NOW)
    assert await state(storage) == read
    assert len(await storage.log.timeline("order-1")) == 2
