"""A person with something of every kind on record, and another one with the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from shared.deliveries.address_index import AddressIndex
from shared.deliveries.derived import Derivations
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.erasures.erasing import Erasures
from shared.erasures.holdings import Holdings
from shared.erasures.person import addresses
from shared.erasures.receipt import Receipt
from shared.erasures.receipts import Receipts
from shared.outbound import internal
from shared.scheduling.schedules import Schedules
from shared.table_service.rows import Entity
from shared.tables import Table
from tests.deliveries.samples import an_event
from tests.fakes import FROM_NUMBER, DiedError, a_sid, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message
from tests.scheduling.test_due import a_schedule

ALICE, BOB = "+14155550100", "+14155550101"
KEEP = timedelta(days=7)
PAUSE = timedelta(minutes=31)


class MortalTable(Table):
    """A real table in a process that ends when it has made so many writes."""

    def __init__(self, table: Table, lives: list[int]) -> None:
        super().__init__(table._client)
        self._lives = lives

    async def _write(self, operation: Callable[[Entity], Awaitable[str]], entity: Entity) -> str:
        self._spend()
        return await super()._write(operation, entity)

    async def _update(self, operation: Callable[..., Awaitable[str]], entity: Entity, version: str) -> str:
        self._spend()
        return await super()._update(operation, entity, version)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        self._spend()
        await super().delete(partition, row, version=version)

    def _spend(self) -> None:
        if self._lives[0] == 0:
            raise DiedError
        self._lives[0] -= 1


@dataclass
class Office:
    """Erasures over a bench; one that is given so many `lives` dies when it has made so many writes."""

    bench: Bench
    region: str | None = "US"
    lives: list[int] = field(default_factory=lambda: [-1])
    keep: timedelta = KEEP

    @property
    def schedules(self) -> Schedules:
        table = MortalTable(self.bench.agenda._schedules, self.lives)
        return Schedules(schedules=table, agenda=self.bench.agenda, clock=self.bench.clock)

    @property
    def erasures(self) -> Erasures:
        deliveries = MortalTable(self.bench.storage.deliveries, self.lives)
        lookups = MortalTable(self.bench.storage.lookups, self.lives)
        log = DeliveryLog(deliveries, lookups)
        index = AddressIndex(lookups, own=[FROM_NUMBER])
        return Erasures(
            receipts=Receipts(lookups),
            holdings=Holdings(
                lookups=lookups, log=log, index=index, schedules=self.schedules, region=self.region, keep=self.keep
            ),
            derivations=Derivations(deliveries, lookups, log=log),
            log=log,
            provider=lambda: self.bench.provider,
            consents=self.bench.consents,
            clock=self.bench.clock,
        )

    async def ask(self, to: str = ALICE) -> str:
        return (await self.erasures.ask(addresses(to, region=self.region), by="ops")).id

    async def counts(self, to: str = ALICE) -> dict[str, int]:
        preview = await self.erasures.preview(addresses(to, region=self.region), cursor=None)
        assert preview.cursor is None
        return preview.counts

    async def run(self, minutes: float = 1) -> int:
        return await self.erasures.run(until=self.bench.clock.now + timedelta(minutes=minutes))

    async def receipt(self, erasure_id: str) -> Receipt:
        found = await self.erasures.get(erasure_id)
        assert found is not None
        return found

    async def run_to_the_end(self, erasure_id: str, *, every: timedelta = PAUSE) -> Receipt:
        """Let housekeeping run again and again, until the receipt is not `running` any more."""
        for _ in range(50):
            await self.run()
            receipt = await self.receipt(erasure_id)
            if receipt.status != "running":
                return receipt
            self.bench.clock.advance(every)
        raise AssertionError(f"still running: {await self.receipt(erasure_id)}")

    async def everything(self) -> str:
        tables = (self.bench.storage.deliveries, self.bench.storage.lookups, self.bench.agenda._schedules)
        return repr([await self.bench.storage.rows(table) for table in tables])


async def delivered(bench: Bench, delivery_id: str, *, word: str = "delivered", **request: Any) -> Delivery:  # noqa: ANN401 - of a request
    """Have a request sent, and Twilio say what became of it."""
    await bench.take(a_message(id=delivery_id, **request))
    sent = await bench.delivery(delivery_id)
    return await bench.storage.log.record(sent, an_event(word, sid=sent.sid))


async def came_in(bench: Bench, number: str, *, channel: str = "sms", word: str = "received", **more: Any) -> Delivery:  # noqa: ANN401 - of a delivery
    """Put a text or a call that came in on record."""
    sid, at = a_sid("SM" if channel == "sms" else "CA"), bench.clock.now
    told: dict[str, Any] = {"direction": "inbound", "from_": number, "to": FROM_NUMBER, **more}
    plain = Delivery(id=sid, sid=sid, channel=channel, status=word, created_at=at, updated_at=at, **told)  # type: ignore[arg-type]
    event = msgspec.structs.replace(an_event(word, sid=sid), raw={"From": plain.from_, "To": plain.to})
    return await bench.storage.log.file(plain, event)


async def put_on_record(office: Office, number: str, name: str) -> None:
    """Have something of each kind hold a number: eleven deliveries and a schedule, and one derived delivery."""
    bench, digits = office.bench, number.removeprefix("+1")
    bench.settings = make_settings(DEFAULT_REGION="US")
    await delivered(bench, f"{name}-text", to=number)
    await delivered(bench, f"{name}-whatsapp", to=f"whatsapp:{number}")
    await delivered(bench, f"{name}-call", to=number, channel="call", body=..., say="Hello", word="completed")
    told = {"channel": "sms", "to": "+14155550177", "body": f"{name} was called"}
    text_id = f"{name}-call~3.0-tell-text"
    await bench.take(internal.write(internal.Derived(id=text_id, origin=f"{name}-call", request=told)))
    told_text = await bench.delivery(text_id)
    await bench.storage.log.record(told_text, an_event("delivered", sid=told_text.sid))
    text = await came_in(bench, number)
    await came_in(bench, f"whatsapp:{number}")
    await came_in(bench, number, channel="call", word="completed")
    reply = {"direction": "outbound", "from_": FROM_NUMBER, "to": number, "answers": text.id}
    await came_in(bench, number, word="delivered", **reply)
    for n, message in enumerate(
        (
            a_message(id=f"{name}-x", to=number, colour="red"),
            a_message(id=f"{name}-x", to=digits, body=...),
            b'{"id": "x", "to": "%s"' % number.encode(),
            a_message(id=f"{name}-text", to=number, body="Other content"),
        )
    ):
        await bench.take(message, message_id=f"{name}-message-{n}")
    request = {"channel": "sms", "to": f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", "body": "News"}
    schedule = a_schedule(bench.clock.now, id=f"{name}-news", cron="0 9 * * *")
    await office.schedules.create(msgspec.structs.replace(schedule, request=request), now=bench.clock.now)


COUNTS = {
    "outbound_texts": 2,
    "outbound_calls": 1,
    "inbound_texts": 2,
    "inbound_calls": 1,
    "replies": 1,
    "rejected": 4,
    "derived": 1,
    "schedules": 1,
}
