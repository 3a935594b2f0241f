"""The chore that looks after open deliveries, over a bench."""

from datetime import timedelta
from typing import Final

from shared.deliveries.log import DeliveryLog
from shared.deliveries.open import OpenDeliveries
from shared.housekeeping.stuck import Stuck
from shared.tables import Table
from tests.outbound.bench import Bench

SETTLE: Final = timedelta(minutes=1)


def stuck(bench: Bench, log: DeliveryLog | None = None, lookups: Table | None = None) -> Stuck:
    return Stuck(
        log=log or bench.storage.log,
        entries=OpenDeliveries(lookups or bench.storage.lookups),
        queue=bench.queue,
        provider=lambda: bench.provider,
        settle=SETTLE,
        account=bench.settings.account_sid,
        clock=bench.clock,
    )
