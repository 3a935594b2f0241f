"""Not now, but then: send_at and quiet hours put a request off, and say why and until when."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.agenda import DeliveryDue
from shared.errors import TwilioUnavailable
from shared.outbound import internal
from shared.outbound.cancel import cancel
from shared.text.templates.library import Templates
from tests.fakes import make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import TEXT, a_message
from tests.web.app import CONTENT

NIGHT = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
BERLIN = {**TEXT, "time_zone": "Europe/Berlin"}
IN_AN_HOUR = timedelta(hours=1)


def later(bench: Bench, delay: timedelta) -> str:
    return (bench.clock.now + delay).isoformat()


async def wake(bench: Bench, delivery_id: str = "order-1") -> None:
    await bench.take(internal.write(internal.Wake(delivery_id)))


async def test_what_is_not_to_be_sent_yet_waits_and_says_why_and_until_when(bench: Bench) -> None:
    await bench.take(a_message(send_at=later(bench, IN_AN_HOUR)))
    delivery = await bench.delivery()
    assert (delivery.status, delivery.waits_for, delivery.attempts) == ("scheduled", "send_at", 0)
    assert delivery.next_attempt_at == bench.clock.now + IN_AN_HOUR
    assert delivery.expires_at == bench.clock.now + IN_AN_HOUR + timedelta(hours=24)
    assert bench.provider.created == []
    [event] = await bench.timeline()
    assert (event.status, event.raw["reason"]) == ("scheduled", "send_at")


async def test_an_occurrence_that_comes_before_its_time_is_put_back_until_then(bench: Bench) -> None:
    """The schedule timer looks ahead, and its clock may be ahead of the sender's."""
    due, early = bench.clock.now + timedelta(milliseconds=5), timedelta(milliseconds=5)
    request = {name: value for name, value in TEXT.items() if name != "id"}
    name = internal.occurrence_id("news", due)
    message = internal.write(internal.Derived(id=name, origin="news", request=request, due=due, valid_seconds=3600))
    await bench.take(message)
    assert bench.queue.puts == [(message, early)]
    assert await bench.storage.log.get(name) is None
    bench.clock.advance(early)
    for _ in range(2):
        await bench.take(message)
    assert len(bench.provider.created) == 1
    assert (await bench.delivery(name)).created_at == due


async def test_its_row_in_the_agenda_is_written_before_the_state(bench: Bench) -> None:
    await bench.take(a_message(send_at=later(bench, IN_AN_HOUR)))
    assert bench.journal.index("due") < bench.journal.index("delivery scheduled")
    bench.clock.advance(IN_AN_HOUR)
    [entry] = [entry async for entry in bench.agenda.due(bench.clock.now, limit=10)]
    assert entry.what == DeliveryDue("order-1")


async def test_what_comes_soon_keeps_its_second(bench: Bench) -> None:
    await bench.take(a_message(send_at=later(bench, timedelta(seconds=90))))
    [(message, delay)] = bench.queue.puts
    assert internal.read(message) == internal.Wake("order-1")
    assert timedelta(seconds=90) <= delay <= timedelta(seconds=92)


async def test_woken_in_time_it_is_sent_once(bench: Bench) -> None:
    await bench.take(a_message(send_at=later(bench, IN_AN_HOUR)))
    await wake(bench)
    assert bench.provider.created == []
    bench.clock.advance(IN_AN_HOUR)
    await wake(bench)
    await wake(bench)
    await bench.take(a_message(send_at=later(bench, timedelta(0))), message_id="message-2")
    delivery = await bench.delivery()
    assert (delivery.status, delivery.waits_for, delivery.next_attempt_at) == ("queued", None, None)
    assert len(bench.provider.created) == 1


async def test_a_wake_up_for_nothing_does_nothing(bench: Bench) -> None:
    await wake(bench, "nobody")
    assert bench.provider.created == []


async def test_what_is_canceled_while_it_waits_is_not_sent(bench: Bench) -> None:
    await bench.take(a_message(send_at=later(bench, IN_AN_HOUR)))
    await cancel(await bench.delivery(), log=bench.storage.log, now=bench.clock.now)
    bench.clock.advance(IN_AN_HOUR)
    await wake(bench)
    assert (await bench.delivery()).status == "canceled"
    assert bench.provider.created == []


async def test_one_that_expires_while_it_waits_ends_then(bench: Bench) -> None:
    bench.settings = make_settings(QUIET_HOURS="21:00-08:00")
    bench.clock.now = NIGHT
    await bench.take(a_message(BERLIN, expires_at=later(bench, IN_AN_HOUR)))
    assert (await bench.delivery()).next_attempt_at == NIGHT + IN_AN_HOUR
    bench.clock.advance(IN_AN_HOUR)
    await wake(bench)
    assert (await bench.delivery()).status == "expired"


async def test_quiet_hours_hold_a_request_back_to_their_end_in_the_recipients_zone(bench: Bench) -> None:
    bench.settings = make_settings(QUIET_HOURS="21:00-08:00")
    bench.clock.now = NIGHT
    await bench.take(a_message(BERLIN))
    delivery = await bench.delivery()
    morning = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    assert (delivery.status, delivery.waits_for) == ("scheduled", "quiet hours")
    assert delivery.next_attempt_at is not None
    assert morning <= delivery.next_attempt_at < morning + timedelta(minutes=15)
    bench.clock.now = delivery.next_attempt_at
    await wake(bench)
    assert (await bench.delivery()).status == "queued"


async def test_what_is_urgent_is_not_held_back(bench: Bench) -> None:
    bench.settings = make_settings(QUIET_HOURS="21:00-08:00")
    bench.clock.now = NIGHT
    await bench.take(a_message(BERLIN, urgent=True))
    assert (await bench.delivery()).status == "queued"


@pytest.mark.parametrize(
    ("to", "sent"),
    [
        ("+493012345678", False),
        ("+14155550100", True),
        ("whatsapp:+493012345678", False),
        ("whatsapp:DE.1234", False),
        ("whatsapp:US.1234", True),
    ],
)
async def test_the_zone_is_the_numbers_where_the_request_names_none(bench: Bench, to: str, sent: bool) -> None:  # noqa: FBT001 - of the table
    bench.settings = make_settings(QUIET_HOURS="21:00-08:00")
    bench.clock.now = NIGHT
    await bench.take(a_message(to=to))
    assert (await bench.delivery()).status == ("queued" if sent else "scheduled")


@pytest.mark.parametrize(
    ("to", "hour"),
    [
        ("+18762101234", 13),  # Jamaica
        ("whatsapp:+18762101234", 13),
        ("+18682911234", 12),  # Trinidad
        ("+553188887777", 11),  # Brazil, without the ninth digit
        ("+18612345678", 18),  # an area code of the States that libphonenumber does not know: Honolulu is the last
    ],
)
async def test_the_night_is_that_of_the_numbers_own_country(bench: Bench, to: str, hour: int) -> None:
    bench.settings = make_settings(QUIET_HOURS="21:00-08:00", DEFAULT_TIME_ZONE="Asia/Tokyo")
    bench.clock.now = datetime(2026, 12, 1, 6, 53, tzinfo=UTC)
    await bench.take(a_message(to=to))
    until = (await bench.delivery()).next_attempt_at
    assert until is not None
    morning = datetime(2026, 12, 1, hour, tzinfo=UTC)
    assert morning <= until < morning + timedelta(minutes=15)


async def test_a_retry_that_would_come_at_night_waits_for_the_morning(bench: Bench) -> None:
    bench.settings = make_settings(QUIET_HOURS="21:00-08:00")
    bench.clock.now = NIGHT - timedelta(hours=2, minutes=31)
    bench.provider.outcomes = [TwilioUnavailable("too many", retry_after=120)]
    await bench.take(a_message(BERLIN))
    assert (await bench.delivery()).status == "retrying"
    bench.clock.advance(timedelta(minutes=5))
    await bench.take(a_message(BERLIN))
    delivery = await bench.delivery()
    assert (delivery.status, delivery.waits_for) == ("scheduled", "quiet hours")


async def test_what_a_template_said_is_sent_even_if_the_template_is_gone_by_then(bench: Bench) -> None:
    bench.templates = Templates.load(CONTENT / "templates")
    data = {"code": "123456"}
    message = a_message(body=..., template="one-time-code", data=data, send_at=later(bench, IN_AN_HOUR))
    await bench.take(message)
    said = (await bench.delivery()).text
    bench.templates = Templates()
    bench.clock.advance(IN_AN_HOUR)
    await wake(bench)
    assert (await bench.delivery()).status == "queued"
    [created] = bench.provider.created
    assert created.parameters["body"] == said
