"""Canceling what a schedule made, a page at a time; over HTTP it is in tests/web/test_schedules.py."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.deliveries.derived import Derivations
from shared.outbound import internal
from shared.scheduling import cancel as canceling
from shared.scheduling.cancel import Page, cancel_made
from shared.tables import Entity
from tests.deliveries.samples import a_delivery
from tests.storage import Storage, open_storage

DUE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def storage(azurite: str) -> AsyncIterator[Storage]:
    async with open_storage(azurite) as storage:
        yield storage


async def made(storage: Storage, name: str, status: str = "scheduled") -> str:
    assert await storage.log.claim(a_delivery(id=name, status=status, attempts=0)) is not None
    return name


async def occurrences(storage: Storage, count: int, *, schedule: str = "news") -> list[str]:
    return [await made(storage, internal.occurrence_id(schedule, DUE + day * DAY)) for day in range(count)]


async def cancel(storage: Storage, *, since: datetime = DUE, cursor: str | None = None) -> Page:
    derivations = Derivations(storage.deliveries, storage.lookups, log=storage.log)
    now = DUE + 9 * DAY
    return await cancel_made(
        "news", since=since, cursor=cursor, derivations=derivations, log=storage.log, now=now, by="Ada"
    )


async def status_of(storage: Storage, name: str) -> str:
    delivery = await storage.log.get(name)
    assert delivery is not None
    return delivery.status


async def test_all_that_waits_is_canceled_with_its_fallbacks_and_who_asked_is_on_each(storage: Storage) -> None:
    names = await occurrences(storage, 2)
    names.append(await made(storage, f"{names[1]}~2", "retrying"))
    assert await cancel(storage) == Page(canceled=tuple(names), too_late=(), examined=3, cursor=None)
    for name in names:
        delivery = await storage.log.get(name)
        assert delivery is not None
        assert (delivery.status, delivery.cancel_asked_by) == ("canceled", "Ada")
        assert [event.by for event in await storage.log.timeline(name)] == ["Ada"]


async def test_what_has_left_or_is_over_stays_as_it_is_and_what_may_have_left_is_told(storage: Storage) -> None:
    [first] = await occurrences(storage, 1)
    words = ("submitting", "uncertain", "queued", "delivered", "failed", "canceled")
    others = [await made(storage, f"{first}~{number}", word) for number, word in enumerate(words, start=2)]
    page = await cancel(storage)
    assert (page.canceled, page.too_late) == ((first,), tuple(others[:2]))
    assert [await status_of(storage, name) for name in others] == list(words)


async def test_other_deliveries_with_ids_of_the_same_beginning_go_on(storage: Storage) -> None:
    await occurrences(storage, 1)
    strangers = ["news", "news~2", "news~3.0-step-text", "news-2~20260303T0900Z", "newsletter", "new~20260303T0900Z"]
    for name in strangers:
        await made(storage, name)
    assert len((await cancel(storage)).canceled) == 1
    assert {await status_of(storage, name) for name in strangers} == {"scheduled"}


@pytest.mark.parametrize("canceled", [1, 2, 3])
@pytest.mark.parametrize("examined", [1, 2, 100])
async def test_page_after_page_each_is_canceled_once(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, canceled: int, examined: int
) -> None:
    monkeypatch.setattr(canceling, "_CANCELED", canceled)
    monkeypatch.setattr(canceling, "_EXAMINED", examined)
    names = await occurrences(storage, 5)
    await made(storage, f"{names[2]}~2", "delivered")
    await made(storage, "news~3")
    found: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        page = await cancel(storage, cursor=cursor)
        assert len(page.canceled) <= canceled
        assert page.examined <= examined
        found += page.canceled
        cursor = page.cursor
        if cursor is None:
            break
    assert cursor is None
    assert found == names


async def test_times_before_since_are_passed_over(storage: Storage) -> None:
    names = await occurrences(storage, 3)
    assert (await cancel(storage, since=DUE + DAY)).canceled == tuple(names[1:])
    assert (await cancel(storage, since=DUE)).canceled == tuple(names[:1])


async def test_one_that_is_sent_in_the_same_moment_is_told_as_too_late(storage: Storage) -> None:
    [name] = await occurrences(storage, 1)
    merge = storage.deliveries.merge

    async def sent_before(entity: Entity, *, version: str) -> str:
        storage.deliveries.merge = merge  # type: ignore[method-assign]
        await merge({"PartitionKey": name, "RowKey": "delivery", "Status": "submitting"}, version=version)
        return await merge(entity, version=version)

    storage.deliveries.merge = sent_before  # type: ignore[method-assign]
    page = await cancel(storage)
    assert (page.canceled, page.too_late) == ((), (name,))
    assert await status_of(storage, name) == "submitting"
