"""Whoever opted out gets no more texts from that sender or service, and calls as ever."""

import logging

import pytest

from shared.errors import TwilioRefused
from tests.consents.samples import a_consent
from tests.fakes import SERVICE_SID
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message

OPTED_OUT = [TwilioRefused(status=400, code=code, explanation="") for code in (21610, 63014)]
OTHER_NUMBER, OTHER_SERVICE = "+14155550198", "MG" + "f" * 32


@pytest.mark.parametrize("error", OPTED_OUT, ids=lambda error: str(error.code))
async def test_later_texts_from_that_sender_are_suppressed_without_asking(
    bench: Bench, error: TwilioRefused, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shared")
    bench.provider.outcomes = [error]
    await bench.take(a_message())
    await bench.take(a_message(id="order-2", body="Another."))
    delivery = await bench.delivery("order-2")
    assert (delivery.status, delivery.error_code, delivery.sid) == ("suppressed", None, None)
    assert len(bench.provider.created) == 1
    assert bench.queue.puts == []
    assert await bench.statuses("order-2") == ["suppressed"]
    assert delivery.error_message == "the recipient opted out of this sender"
    told = [record for record in caplog.records if record.__dict__.get("delivery") == "order-2"]
    assert [record.levelno for record in told] == [logging.INFO]


@pytest.mark.parametrize("sender", [OTHER_NUMBER, SERVICE_SID, "12345"])
async def test_texts_from_other_senders_are_sent(bench: Bench, sender: str) -> None:
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message())
    await bench.take(a_message(**{"id": "order-2", "from": sender}))
    assert (await bench.delivery("order-2")).status == "queued"


async def test_texts_to_others_are_sent(bench: Bench) -> None:
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message())
    await bench.take(a_message(id="order-2", to="+14155550101"))
    assert (await bench.delivery("order-2")).status == "queued"


@pytest.mark.parametrize(
    ("said_by", "asked_for"),
    [
        ("whatsapp:+5215512345678", "whatsapp:+525512345678"),
        ("whatsapp:+553188887777", "whatsapp:+5531988887777"),
        ("whatsapp:+5491123456789", "whatsapp:+541123456789"),
        ("rcs:+14155550100", "+14155550100"),
        ("whatsapp:US.1234", "whatsapp:US.1234"),
        ("messenger:1234", "messenger:1234"),
    ],
)
async def test_an_opt_out_holds_for_every_spelling_of_the_phone(bench: Bench, said_by: str, asked_for: str) -> None:
    await bench.consents.record(a_consent("opted-out", to=said_by, sender=SERVICE_SID))
    await bench.take(a_message(**{"to": asked_for, "from": SERVICE_SID}))
    assert (await bench.delivery()).status == "suppressed"
    assert (await bench.delivery()).to == asked_for
    assert bench.provider.created == []


@pytest.mark.parametrize("to", ["whatsapp:+5215512345678", "+553188887777", "whatsapp:US.1234", "rcs:+14155550100"])
async def test_an_address_is_sent_as_it_was_written(bench: Bench, to: str) -> None:
    await bench.take(a_message(**{"to": to, "from": SERVICE_SID}))
    assert [created.parameters["to"] for created in bench.provider.created] == [to]


async def test_a_service_is_a_sender_of_its_own(bench: Bench) -> None:
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message(**{"from": SERVICE_SID}))
    for name, sender, expected in (
        ("a", SERVICE_SID, "suppressed"),
        ("b", OTHER_SERVICE, "queued"),
        ("c", OTHER_NUMBER, "queued"),
    ):
        await bench.take(a_message(**{"id": name, "from": sender}))
        assert (await bench.delivery(name)).status == expected


async def test_calls_are_made_all_the_same(bench: Bench) -> None:
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message())
    await bench.take(a_message(CALL))
    assert (await bench.delivery("order-2")).status == "queued"


async def test_a_call_that_is_refused_like_this_failed_and_holds_no_text_back(bench: Bench) -> None:
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message(CALL))
    assert (await bench.delivery("order-2")).status == "failed"
    await bench.take(a_message())
    assert (await bench.delivery()).status == "queued"


async def test_it_is_held_back_before_it_is_on_record_as_suppressed(bench: Bench) -> None:
    """A crash in between asks Twilio once more; the other way around, a later text might go out."""
    seen: list[bool] = []
    merge = bench.storage.log.change

    async def change(*args: object) -> object:
        seen.append(await bench.consents.is_opted_out("+14155550100", "+14155550199"))
        return await merge(*args)  # type: ignore[arg-type]

    bench.storage.log.change = change  # type: ignore[method-assign,assignment]
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message())
    assert seen == [True]


async def test_a_retry_is_held_back_by_what_came_in_between(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioRefused(status=400, code=21611, explanation="")]
    await bench.take(a_message())
    await bench.consents.record(a_consent("opted-out", at=bench.clock.now))
    bench.clock.advance(bench.queue.puts[0][1])
    await bench.take(a_message())
    assert (await bench.delivery()).status == "suppressed"
    assert len(bench.provider.created) == 1


async def test_what_is_lifted_is_sent_again(bench: Bench) -> None:
    bench.provider.outcomes = [OPTED_OUT[0]]
    await bench.take(a_message())
    await bench.consents.record(a_consent("opted-in", at=bench.clock.now))
    await bench.take(a_message(id="order-2"))
    assert (await bench.delivery("order-2")).status == "queued"
