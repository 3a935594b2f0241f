"""The only place that builds clients and hands them to use-cases. Built inside the event loop, once per process."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientSession
from azure.core.credentials_async import AsyncTokenCredential

from shared.agenda import Agenda
from shared.calendar.ncrontab import Ncrontab
from shared.calls.desk import Desk
from shared.connections import Bounds, open_session, sdk_transport
from shared.consents import Consents
from shared.deliveries import search
from shared.deliveries.address_index import AddressIndex
from shared.deliveries.derived import Derivations
from shared.deliveries.feed import Feed
from shared.deliveries.log import DeliveryLog
from shared.deliveries.open import OpenDeliveries
from shared.erasures.erasing import Erasures
from shared.erasures.holdings import Holdings
from shared.erasures.receipts import Receipts
from shared.health import Health
from shared.housekeeping.account import Account
from shared.housekeeping.poison import PoisonQueue
from shared.housekeeping.retention import Retention
from shared.housekeeping.run import Chore
from shared.housekeeping.stuck import Stuck
from shared.housekeeping.timers import Timers
from shared.inbound.desk import TextDesk
from shared.inbound.replies.library import Replies
from shared.inbound.replies.quota import Quota
from shared.outbound.checks import Rules
from shared.outbound.gate import Gate
from shared.outbound.rights import Rights
from shared.outbound.send import Sender
from shared.outbound.standstill import Waiting
from shared.outbound.wakes import Wakes
from shared.queues import Queue
from shared.scheduling.due import Due
from shared.scheduling.schedules import Schedules
from shared.settings_storage import ConnectionString, Identity
from shared.table_service.service import TableService
from shared.tables import Table

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient

    from shared.twilio_api import TwilioApi

_BOUNDS: Final = Bounds()
# The queue's client knows no backoff factor: by itself it waits 15 s before its first retry, and 18 before the next.
_QUEUE_BOUNDED: Final[dict[str, Any]] = {
    "retry_total": _BOUNDS.repetitions,
    "initial_backoff": 0,
    "increment_base": 1,
    "random_jitter_range": 1,
}


def clock() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


class Wiring:
    """Everything that the functions need, made when it is first asked for."""

    def __init__(
        self, rules: Rules, replies: Replies | None = None, *, content: Mapping[str, int | None] | None = None
    ) -> None:
        self.rules = rules
        self.replies = replies or Replies()
        self.content = content or {}
        self.settings = rules.settings
        self._open = AsyncExitStack()
        self._queues: dict[str, Queue] = {}

    async def close(self) -> None:
        """Close every connection; the functions host never asks for it, it ends the process."""
        await self._open.aclose()

    @cached_property
    def log(self) -> DeliveryLog:
        """The log of deliveries."""
        feed = Feed(self._events) if self._events else None
        return DeliveryLog(
            self._deliveries,
            self._lookups,
            feed=feed,
            heed=self.consents.heed,
            on_end=self.wakes.ended,
            index=self.address_index,
        )

    @cached_property
    def address_index(self) -> AddressIndex:
        """The index of deliveries by address."""
        service = self.settings.messaging_service_sid
        return AddressIndex(self._lookups, own=(*self.rules.own_numbers, *([service] if service else [])))

    @cached_property
    def erasures(self) -> Erasures:
        """Erasures of persons."""
        return Erasures(
            receipts=Receipts(self._lookups),
            holdings=Holdings(
                lookups=self._lookups,
                log=self.log,
                index=self.address_index,
                schedules=self.schedules,
                region=self.settings.default_region,
                keep=timedelta(days=self.settings.retention_days),
            ),
            derivations=self.derivations,
            log=self.log,
            provider=lambda: self.provider,
            consents=self.consents,
            clock=clock,
        )

    @cached_property
    def derivations(self) -> Derivations:
        """What was derived from a delivery."""
        return Derivations(self._deliveries, self._lookups, log=self.log)

    @cached_property
    def consents(self) -> Consents:
        """Who does not want texts."""
        return Consents(Table(self._tables.table("Consents")))

    @cached_property
    def outbound(self) -> Queue:
        """The queue of send requests."""
        return self._queue(self.settings.outbound_queue)

    @cached_property
    def provider(self) -> "TwilioApi":
        """Twilio's REST API."""
        # the largest import there is: a webhook must not pay for it
        from shared.twilio_api import TwilioApi  # noqa: PLC0415

        provider = TwilioApi(self.settings)
        self._open.push_async_callback(provider.close)
        return provider

    @cached_property
    def sender(self) -> Sender:
        """What takes the messages of that queue."""
        return Sender(
            rules=self.rules,
            log=self.log,
            queue=self.outbound,
            wakes=self.wakes,
            provider=self.provider,
            consents=self.consents,
            gate=self._gate,
            rights=self._rights,
            clock=clock,
        )

    @cached_property
    def wakes(self) -> Wakes:
        """What wakes deliveries when their time comes."""
        return Wakes(queue=self.outbound, agenda=self._agenda, clock=clock)

    @cached_property
    def desk(self) -> Desk:
        """What answers the calls of a flow."""
        quota = Quota(self._lookups)
        return Desk(rules=self.rules, log=self.log, queue=self.outbound, quota=quota, clock=clock)

    @cached_property
    def texts(self) -> TextDesk:
        """What takes and answers the texts that come in."""
        return TextDesk(
            settings=self.settings,
            replies=self.replies,
            own_numbers=self.rules.own_numbers,
            log=self.log,
            consents=self.consents,
            lookups=self._lookups,
            queue=self._told,
            clock=clock,
        )

    @cached_property
    def schedules(self) -> Schedules:
        """Scheduled notifications."""
        return Schedules(schedules=self._schedules, agenda=self._agenda, clock=clock)

    @cached_property
    def due(self) -> dict[str, Chore]:
        """What the schedule timer does."""
        due = Due(agenda=self._agenda, schedules=self.schedules, queue=self.outbound, clock=clock)
        return {"due": due.run}

    @cached_property
    def chores(self) -> dict[str, Chore]:
        """What the housekeeping timer does."""
        settings = self.settings
        stuck = Stuck(
            log=self.log,
            entries=OpenDeliveries(self._lookups),
            queue=self.outbound,
            provider=lambda: self.provider,
            settle=timedelta(seconds=settings.reconcile_after_seconds),
            account=settings.account_sid,
            clock=clock,
        )
        poison = PoisonQueue(
            queue=self._poison,
            sender=lambda: self.sender,
            clock=clock,
        )
        keep = timedelta(days=settings.retention_days)
        retention = Retention(log=self.log, lookups=self._lookups, keep=keep, clock=clock)
        account = Account(gate=self._gate, provider=lambda: self.provider, clock=clock)
        return {
            "account": account.ask,
            "stuck": stuck.wake,
            "poison": poison.drain,
            "retention": retention.purge,
            "erasures": self.erasures.run,
            # the last chore gets what is left of the run: this one waits for Twilio
            "asked": stuck.ask,
        }

    @cached_property
    def health(self) -> Health:
        """Whether the app can do its work."""
        waiting = Waiting(queue=self.outbound, poison=self._poison, clock=clock)
        checks = {
            "tables": self._deliveries.check,
            "queue": waiting.check,
            "twilio": lambda: self._gate.check(clock()),
            "rights": lambda: self._rights.check(clock()),
            "timers": self.timers.check,
        }
        if self._events:
            checks["events"] = self._events.check
        return Health(checks, facts=lambda: {**waiting.facts(), **self.timers.facts()})

    @cached_property
    def timers(self) -> Timers:
        """The runs of the timers, by the names of their functions."""
        crons = {"scheduled": self.settings.schedule_cron, "housekeeping": self.settings.housekeeping_cron}
        parsed = {name: Ncrontab.parse(cron) for name, cron in crons.items()}
        return Timers(self._lookups, crons=parsed, clock=clock)

    @cached_property
    def _events(self) -> Queue | None:
        name = self.settings.events_queue
        return self._told(name) if name else None

    @cached_property
    def _poison(self) -> Queue:
        return self._queue(f"{self.settings.outbound_queue}-poison")

    @cached_property
    def _gate(self) -> Gate:
        return Gate(self._lookups)

    @cached_property
    def _rights(self) -> Rights:
        return Rights(self._lookups)

    async def search(self, wanted: search.Search) -> search.Page:
        """Return one page of a search."""
        now = clock()
        oldest = now - timedelta(days=self.settings.retention_days)
        return await search.search(
            wanted,
            lookups=self._lookups,
            log=self.log,
            now=now,
            oldest=oldest,
            index=self.address_index,
            region=self.settings.default_region,
        )

    @cached_property
    def _deliveries(self) -> Table:
        return Table(self._tables.table("Deliveries"))

    @cached_property
    def _schedules(self) -> Table:
        return Table(self._tables.table("Schedules"))

    @cached_property
    def _agenda(self) -> Agenda:
        return Agenda(self._schedules)

    @cached_property
    def _lookups(self) -> Table:
        return Table(self._tables.table("Lookups"))

    @cached_property
    def _tables(self) -> TableService:
        match self.settings.storage:
            case ConnectionString(value):
                return TableService.from_connection_string(value.reveal(), session=self._session, bounds=_BOUNDS)
            case identity:
                return TableService.with_identity(
                    identity.table_url, self._credential, session=self._session, bounds=_BOUNDS
                )

    def _queue(self, name: str, *, keep: timedelta | None = None) -> Queue:
        if name not in self._queues:
            self._queues[name] = Queue(partial(self._queue_client, name), keep=keep)
        return self._queues[name]

    def _told(self, name: str) -> Queue:
        """Return a queue that other systems read: the feed, or one that texts are passed on to."""
        return self._queue(name, keep=timedelta(days=self.settings.events_ttl_days))

    def _queue_client(self, name: str) -> "QueueClient":
        from azure.storage.queue.aio import QueueClient  # noqa: PLC0415 - most webhooks need no queue

        match self.settings.storage:
            case ConnectionString(value):
                client = QueueClient.from_connection_string(
                    value.reveal(), name, transport=sdk_transport(self._session, _BOUNDS), **_QUEUE_BOUNDED
                )
            case identity:
                client = QueueClient(
                    identity.queue_url,
                    name,
                    credential=self._credential,
                    transport=sdk_transport(self._session, _BOUNDS),
                    **_QUEUE_BOUNDED,
                )
        self._open.push_async_callback(client.close)
        return client

    @cached_property
    def _session(self) -> ClientSession:
        session = open_session(_BOUNDS)
        self._open.push_async_callback(session.close)
        return session

    @cached_property
    def _credential(self) -> AsyncTokenCredential:
        from shared.credentials import open_credential  # noqa: PLC0415 - azure.identity costs 0.3 s

        storage = self.settings.storage
        credential = open_credential(storage.credential if isinstance(storage, Identity) else None)
        self._open.push_async_callback(credential.close)
        return credential
