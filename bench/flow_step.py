"""What a step of a call flow costs beside building the same TwiML with the bare twilio library.

`python -m bench.flow_step` prints a table: milliseconds of CPU of one turn, a menu's answer that leads to two more
steps of a call that is on record: walked only, answered by the desk with the storage left out, and with real storage;
and each as a multiple of the bare document built in the same round, with its spread.
"""

import asyncio
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from azure.storage.queue.aio import QueueClient
from twilio.twiml.voice_response import VoiceResponse

from bench.report import Report, Row, text
from bench.stored import azurite_running
from shared.calls.desk import Desk, Visit
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.inbound.arrivals import file_call
from shared.inbound.form import Form
from shared.inbound.replies.quota import Quota
from shared.outbound.checks import Rules
from shared.queues import Queue
from shared.settings import Settings
from shared.table_service.service import TableService
from shared.tables import Table
from shared.voice.flows.library import Flows
from shared.voice.flows.turn import Call, Turn, World
from shared.voice.flows.walk import walk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW: Final = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)
TURNS: Final = 200
"""of each kind in a round"""
ROUNDS: Final = 9
SID: Final = "CA" + "0" * 32
FLOW: Final = """
answers = ["*"]
voice = "Polly.Amy"

[steps.menu]
gather = "For our hours, press 1."
no_input = "bye"
[steps.menu.on]
1 = "hours"

[steps.hours]
say = "We are open from nine to five, {{ caller }}."
next = "more"

[steps.more]
gather = "For more, press 1."
no_input = "bye"
[steps.more.on]
1 = "hours"

[steps.bye]
hangup = true
"""
FORM: Final = {"CallSid": SID, "CallStatus": "in-progress", "From": "+14155550100", "To": "+15005550006", "Digits": "1"}
STORED: Final = "desk, storage"
Way = Callable[[str], Awaitable[str]]
"""answers the turn of the call with this SID"""


class Forgetful(DeliveryLog):
    """A log that keeps nothing, and knows the call all the same."""

    def __init__(self) -> None:
        """Do without tables."""

    async def get(self, delivery_id: str) -> Delivery:
        """Return the call."""
        return Delivery(
            id=delivery_id,
            channel="call",
            direction="inbound",
            status="in-progress",
            created_at=NOW,
            updated_at=NOW,
            sid=delivery_id,
        )

    async def record(self, delivery: Delivery, _event: Event) -> Delivery:
        """Return it as it was."""
        return delivery


def _form(sid: str) -> dict[str, str]:
    return {**FORM, "CallSid": sid}


def _turn(sid: str) -> Turn:
    return Turn(step="menu", part="done", count=1, form=_form(sid))


def _rules() -> Rules:
    settings = Settings.from_env(
        {
            "AzureWebJobsStorage": "UseDevelopmentStorage=true",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "a made-up token",
            "TWILIO_FROM_NUMBER": "+15005550006",
            "PUBLIC_BASE_URL": "https://switchboard.example",
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bench.toml").write_text(FLOW, encoding="utf-8")
        return Rules(settings, flows=Flows.load(Path(folder), default_zone=ZoneInfo("UTC")))


async def bare(sid: str) -> str:
    """Build the same document with the library alone."""
    response = VoiceResponse()
    response.say(f"We are open from nine to five, {FORM['From']}.", voice="Polly.Amy")
    url = f"https://switchboard.example/api/voice/flow/bench/more?delivery={sid}&part=done&turn=4&v=2"
    asked = response.gather(input="dtmf", action=url, timeout=5, finish_on_key="#", num_digits=1)
    asked.say("For more, press 1.", voice="Polly.Amy")
    response.redirect(url)
    return str(response)


def _walked(rules: Rules) -> Way:
    [flow] = rules.flows
    world = World(
        now=NOW,
        base_url="https://switchboard.example",
        default_from=None,
        max_call_seconds=3600,
    )
    call = Call(sid=SID, delivery_id=SID, caller=FORM["From"], called=FORM["To"], outbound=False)

    async def way(sid: str) -> str:
        return walk(flow, replace(call, sid=sid, delivery_id=sid), _turn(sid), world).twiml

    return way


def _answered(rules: Rules, log: DeliveryLog, queue: Queue, quota: Quota) -> Way:
    desk = Desk(rules=rules, log=log, queue=queue, quota=quota, clock=lambda: NOW)

    async def way(sid: str) -> str:
        form = Form(list(_form(sid).items()))
        return await desk.answer(Visit(flow="bench", turn=_turn(sid), delivery_id=sid, form=form))

    return way


@asynccontextmanager
async def ways(storage: str) -> "AsyncIterator[tuple[dict[str, Way], DeliveryLog]]":
    """Open the storage; return the ways to a document, first what the others stand beside, and the log of the last."""
    rules, name = _rules(), "t" + uuid.uuid4().hex
    async with (
        TableService.open(storage) as tables,
        QueueClient.from_connection_string(storage, name) as client,
    ):
        lookups = Table(tables.table(f"{name}l"))
        log, quota = DeliveryLog(Table(tables.table(name)), lookups), Quota(lookups)
        yield (
            {
                "bare twilio": bare,
                "walk": _walked(rules),
                "desk": _answered(rules, Forgetful(), Queue(lambda: client), quota),
                STORED: _answered(rules, log, Queue(lambda: client), quota),
            },
            log,
        )


async def _costs(storage: str, *, rounds: int) -> dict[str, list[float]]:
    """Measure each way by turns, so that whatever else the machine does meets all; in seconds of CPU for one turn."""
    async with ways(storage) as (found, log):
        costs: dict[str, list[float]] = {name: [] for name in found}
        for _ in range(rounds + 1):
            for name, way in found.items():
                sids = ["CA" + uuid.uuid4().hex for _ in range(TURNS)]
                if name == STORED:
                    for sid in sids:
                        await file_call(log, Form(list(_form(sid).items())), now=NOW)
                begun = time.process_time()
                documents = [await way(sid) for sid in sids]
                costs[name].append((time.process_time() - begun) / TURNS)
                if not all(document.count("<Gather") == 1 for document in documents):
                    raise SystemExit(f"expected the menu's document of {name}, got another")
        # the first round makes tables and warms up
        return {name: values[1:] for name, values in costs.items()}


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure each way to a document."""
    with azurite_running() as storage:
        costs = asyncio.run(_costs(storage, rounds=1 if quick else ROUNDS))
    first = [1000 * value for value in next(iter(costs.values()))]
    rows = [Row.of(name, [1000 * value for value in values], "ms of CPU", base=first) for name, values in costs.items()]
    return (Report(title="One turn of a call in a flow, beside the bare twilio library", rows=tuple(rows)),)


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report))


if __name__ == "__main__":
    main()
