import random
from datetime import UTC, datetime, timedelta

from local.harness import mix
from local.twilio import Simulator
from local.twilio.calls import Call
from local.twilio.messages import Message

ATTEMPT_SECONDS = 4


def test_a_seed_repeats_the_recipients_and_each_has_a_request_of_its_own() -> None:
    first, again, other = [
        [(one["channel"], one["to"]) for one in mix.requests_of(random.Random(seed), 2000)]  # noqa: S311 - no secret
        for seed in (1, 1, 2)
    ]

    assert first == again != other
    assert len({to for _, to in first}) == 2000
    assert {channel for channel, _ in first} == {"sms", "call"}


def test_what_is_listed_late_is_listed_within_what_the_app_assumes() -> None:
    assert max(mix.LATE_SECONDS) <= ATTEMPT_SECONDS + 2 * mix.RECONCILE_AFTER_SECONDS
    assert max(mix.LATE_SECONDS) > ATTEMPT_SECONDS, "a first look may find nothing"


async def test_a_past_is_of_the_same_recipients_and_older_than_any_claim() -> None:
    async with Simulator.start(account_sid="AC1", auth_token="12345") as simulator:
        mix.spoil(simulator, seed=3)
        requests = mix.requests_of(random.Random(3), 40)  # noqa: S311 - no secret
        earlier = mix.give_a_past(simulator, requests, random.Random(3))  # noqa: S311 - no secret
        had: list[Message | Call] = [*simulator.messages, *simulator.calls]
        assert {one.sid for one in had} == earlier
        assert {one.to for one in had} <= {request["to"] for request in requests}
        assert max(one.created for one in had) < datetime.now(UTC) - timedelta(minutes=59)
        assert simulator.lists.order == "adverse"
        assert simulator.accepted() == {}
