"""Azure fires a timer some milliseconds early: what is due leaves with that run, and not before its time."""

import random
from datetime import UTC, datetime, timedelta

from shared.outbound.internal import occurrence_id
from tests.end_to_end.stage import new_id, stage

TO = "+14155552099"
READY_WITHIN = timedelta(seconds=8)


async def test_a_schedule_is_sent_by_the_run_that_comes_milliseconds_before_its_time(azurite: str) -> None:
    """There is no later run that could make up for it: the next one comes tomorrow."""
    rng = random.Random(23)  # noqa: S311 - no secret, and it repeats
    due = datetime.now(UTC).replace(microsecond=0) + READY_WITHIN
    cron = f"{due.second} {due.minute} {due.hour} * * *"

    def earliness() -> timedelta:
        return timedelta(milliseconds=rng.uniform(1, 20))

    async with stage(azurite, None, earliness, SCHEDULE_CRON=cron) as running:
        schedule_id = new_id()
        request = {"channel": "sms", "to": TO, "body": "Good morning."}
        document = {"id": schedule_id, "at": due.isoformat(), "request": request}
        made = await running.request("POST", "/api/schedules", document)
        assert made.status == 201, made
        await running.ended(occurrence_id(schedule_id, due), "delivered")
        [message] = [message for message in running.twilio.messages if message.to == TO]
    assert message.created >= due
