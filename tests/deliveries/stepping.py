"""Two actors over one storage, stepped through every order of their storage calls: a small scheduler and its tables."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

from shared.deliveries.log import DeliveryLog
from shared.errors import Changed
from shared.table_service.client import TableClient
from shared.table_service.rows import Row
from shared.tables import Entity, Table

Rows = dict[tuple[str, str], Row]


@dataclass(frozen=True)
class Call:
    """A storage call that waits for its turn: whose it is, and the row that it reads or writes (all of a partition)."""

    actor: str
    partition: str
    row: str | None
    writes: bool

    def commutes_with(self, other: "Call") -> bool:
        """Whether it makes no difference which of the two comes first."""
        if not (self.writes or other.writes) or self.partition != other.partition:
            return True
        return None not in {self.row, other.row} and self.row != other.row


class RedundantError(Exception):
    """This order differs from another one only in calls that commute."""


_UNTIL_ALL_WAIT = 5
"""turns of the event loop after which every actor waits for its next step: nothing else is awaited here"""


@dataclass
class Steps:
    """Lets one storage call happen at a time, in the order that `choices` says, and keeps how many there were."""

    choices: list[int] = field(default_factory=list)
    options: list[int] = field(default_factory=list)
    taken: list[Call] = field(default_factory=list)
    waiting: list[tuple[Call, asyncio.Future[None]]] = field(default_factory=list)
    dies: tuple[str, int] | None = None
    """an actor that makes so many calls and no more"""

    async def turn(self, call: Call) -> None:
        """Wait until it is this call's turn."""
        step: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((call, step))
        await step

    async def run(self, **actors: Coroutine[Any, Any, Any]) -> dict[str, Any]:
        """Run the actors to their ends, and return what each returned or raised; who died returned nothing."""
        tasks = {name: asyncio.ensure_future(actor) for name, actor in actors.items()}
        try:
            await self._step_through()
        finally:
            for task in tasks.values():
                task.cancel()
            results = await asyncio.gather(*tasks.values(), return_exceptions=True)
        return {
            name: None if isinstance(result, asyncio.CancelledError) else result
            for name, result in zip(tasks, results, strict=True)
        }

    async def _step_through(self) -> None:
        while True:
            for _ in range(_UNTIL_ALL_WAIT):
                await asyncio.sleep(0)
            alive = [place for place, (call, _) in enumerate(self.waiting) if not self._is_dead(call.actor)]
            if not alive:
                return
            alive = [place for place in alive if self._is_in_order(self.waiting[place][0])]
            if not alive:
                raise RedundantError
            at = len(self.options)
            chosen = self.choices[at] if at < len(self.choices) else 0
            self.options.append(len(alive))
            call, step = self.waiting.pop(alive[chosen])
            self.taken.append(call)
            step.set_result(None)

    def next_choices(self) -> list[int] | None:
        """Return the next order to try, after this one; None after the last one."""
        chosen = [*self.choices, *itertools.repeat(0, len(self.options) - len(self.choices))]
        for at in reversed(range(len(self.options))):
            if chosen[at] + 1 < self.options[at]:
                return [*chosen[:at], chosen[at] + 1]
        return None

    def _is_dead(self, actor: str) -> bool:
        made = sum(call.actor == actor for call in self.taken)
        return self.dies is not None and self.dies[0] == actor and made >= self.dies[1]

    def _is_in_order(self, call: Call) -> bool:
        """Of two calls of two actors that commute, the one of the first actor comes first: the other order is alike."""
        last = self.taken[-1] if self.taken else call
        return not (call.actor < last.actor and call.commutes_with(last))


class SteppedTable(Table):
    """A table in memory; with `steps`, each call that matters waits for its turn. A query reads row by row."""

    def __init__(
        self,
        rows: Rows,
        actor: str = "",
        steps: Steps | None = None,
        *,
        matters: Callable[[str, str | None], bool] | None = None,
    ) -> None:
        super().__init__(cast("TableClient", None))
        self._rows = rows
        self._actor = actor
        self._steps = steps
        self._matters = matters or (lambda *_: True)

    async def get(self, partition: str, row: str) -> Row | None:
        await self._turn(partition, row, writes=False)
        return self._rows.get((partition, row))

    async def insert(self, entity: Entity) -> str | None:
        await self._turn(*_key(entity))
        return None if _key(entity) in self._rows else self._store(entity)

    async def put(self, entity: Entity) -> None:
        await self._turn(*_key(entity))
        self._store(entity)

    async def merge(self, entity: Entity, *, version: str) -> str:
        await self._turn(*_key(entity))
        self._check(entity, version)
        return self._store({**self._rows[_key(entity)], **entity})

    async def replace(self, entity: Entity, *, version: str) -> str:
        await self._turn(*_key(entity))
        self._check(entity, version)
        return self._store(entity)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        await self._turn(partition, row)
        if version is not None and (partition, row) in self._rows:
            self._check({"PartitionKey": partition, "RowKey": row}, version)
        self._rows.pop((partition, row), None)

    async def query(
        self, text: str, *, limit: int | None = None, select: str | None = None, **parameters: object
    ) -> AsyncIterator[Row]:
        last = ("", "")
        for _ in range(limit or 1000):
            await self._turn(str(parameters.get("id", "")), None, writes=False)
            found = sorted(key for key in self._rows if key > last and _fits(key, text, parameters))
            if not found:
                return
            last = found[0]
            row = self._rows[last]
            names = set(select.split(",")) if select else row.keys()
            yield Row(
                {name: value for name, value in row.items() if name in names},
                etag=row.metadata["etag"],
                timestamp=None,
            )

    async def _turn(self, partition: str, row: str | None, *, writes: bool = True) -> None:
        if self._steps is not None and self._matters(partition, row):
            await self._steps.turn(Call(self._actor, partition, row, writes))

    def _store(self, entity: Entity) -> str:
        etag = f"{_ETAGS.__next__()}"
        self._rows[_key(entity)] = Row(dict(entity), etag=etag, timestamp=None)
        return etag

    def _check(self, entity: Entity, version: str) -> None:
        row = self._rows.get(_key(entity))
        if row is None or row.metadata["etag"] != version:
            raise Changed("the row was changed since it was read")


_ETAGS = itertools.count(1)


def _key(entity: Entity) -> tuple[str, str]:
    return entity["PartitionKey"], entity["RowKey"]


def _fits(key: tuple[str, str], text: str, parameters: dict[str, object]) -> bool:
    first, end = str(parameters.get("first", "")), str(parameters.get("end", "~"))
    if "id" in parameters:
        return key[0] == parameters["id"] and ("RowKey" not in text or first <= key[1] < end)
    return first <= key[0] < end


@dataclass
class World:
    """The rows of both tables, and logs for whoever works with them."""

    deliveries: Rows = field(default_factory=dict)
    lookups: Rows = field(default_factory=dict)

    def log(self, actor: str = "", steps: Steps | None = None) -> DeliveryLog:
        """A log. Its calls to entries other than by recipient and by SID are no steps: nobody else reads these."""
        recipients = SteppedTable(
            self.lookups, actor, steps, matters=lambda partition, _: partition.startswith(("to:", "sid:"))
        )
        return DeliveryLog(SteppedTable(self.deliveries, actor, steps), recipients)

    @property
    def table(self) -> Table:
        """The lookups, for whoever works alone."""
        return SteppedTable(self.lookups)


async def every_order(
    scene: Callable[[Steps], Awaitable[None]], *, dies: tuple[str, int] | None = None, at_most: int = 20_000
) -> int:
    """Play a scene in every order of its calls that makes a difference, and return how many there are."""
    choices: list[int] | None = []
    count = 0
    for _ in range(at_most):
        if choices is None:
            return count
        steps = Steps(choices=choices, dies=dies)
        with contextlib.suppress(RedundantError):
            await scene(steps)
            count += 1
        choices = steps.next_choices()
    raise AssertionError(f"expected at most {at_most} orders")
