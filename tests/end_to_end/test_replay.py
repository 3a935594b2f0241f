"""Sending again what was rejected or failed: one by its id, or many by a search; as a new attempt, on record."""

import asyncio
import json
from datetime import datetime
from http import HTTPStatus
from typing import Any

import pytest

from local import __main__ as console
from tests.end_to_end.stage import Stage, new_id, stage
from tests.samples import webhooks
from tests.web import problems
from tests.web.app import NUMBER, Answer, App

UNREACHABLE = "+15005550101"
"""a text to it ends as undelivered, with 30003"""


async def _replay(everything: Stage, delivery_id: str) -> Answer:
    return await everything.app.request("POST", f"/api/deliveries/{delivery_id}/replay")


async def _tell(everything: Stage, delivery_id: str, sid: str, status: str) -> None:
    target = f"/api/sms/status?delivery={delivery_id}&v=2"
    body = webhooks.encode(("MessageSid", sid), ("MessageStatus", status), ("To", UNREACHABLE))
    headers = webhooks.headers(target, body, base=everything.settings["PUBLIC_BASE_URL"])
    assert (await everything.app.request("POST", target, body, headers)).status == 204


def _to(everything: Stage, to: str) -> list[Any]:
    return [message for message in everything.twilio.messages if message.to == to]


async def _failed_at_send(everything: Stage, to: str, **more: str) -> str:
    """Have a request fail because Twilio refuses it, once."""
    delivery_id = new_id()
    everything.twilio.faults.clear()
    request = {"id": delivery_id, "channel": "sms", "to": to, "from": "+15005550007", "body": "Hello", **more}
    await everything.enqueue(request)
    await everything.ended(delivery_id, "failed")
    return delivery_id


async def test_a_failed_text_is_sent_again_on_its_own_record(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": UNREACHABLE, "body": delivery_id})
    before = await everything.told(delivery_id, "queued", "sent", "undelivered")
    answer = await _replay(everything, delivery_id)
    assert (answer.status, answer.json()) == (202, {"id": delivery_id})
    after = await everything.told(
        delivery_id, "queued", "sent", "undelivered", "retrying", "queued", "sent", "undelivered"
    )
    assert (after["attempts"], after["past_sids"]) == (2, [before["sid"]])
    assert after["sid"] not in {None, before["sid"]}
    assert len([message for message in everything.twilio.messages if message.body == delivery_id]) == 2
    assert after["events"][3]["raw"] == {"reason": "replayed"}
    times = [datetime.fromisoformat(shown["expires_at"]) for shown in (before, after)]
    assert times[0] < times[1], "it gets its time anew"


async def test_news_of_the_earlier_attempt_are_kept_and_change_nothing(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": UNREACHABLE, "body": "Hello"})
    before = await everything.told(delivery_id, "queued", "sent", "undelivered")
    await _replay(everything, delivery_id)
    await _tell(everything, delivery_id, before["sid"], "delivered")
    after = await everything.ended(delivery_id, "undelivered")
    while len(after["events"]) < 8:
        after = await everything.ended(delivery_id, "undelivered")
    await _tell(everything, delivery_id, before["sid"], "read")
    told = await everything.get(delivery_id)
    assert {**told, "events": ()} == {**after, "events": ()}
    earlier = [event["status"] for event in told["events"] if event["sid"] == before["sid"]]
    assert sorted(earlier) == ["delivered", "queued", "read", "sent", "undelivered"]
    assert (told["status"], told["sid"] != before["sid"]) == ("undelivered", True)


async def test_what_twilio_refused_is_replayed_and_may_be_refused_again(everything: Stage) -> None:
    delivery_id = await _failed_at_send(everything, "+14155554201")
    await _replay(everything, delivery_id)
    delivery = await everything.told(delivery_id, "failed", "retrying", "failed")
    assert (delivery["error_code"], delivery["attempts"], delivery["past_sids"]) == (21606, 2, [])


@pytest.mark.parametrize("to", ["+15005550102", "+15005550101"], ids=["no-answer", "busy"])
async def test_a_call_that_nobody_took_is_made_again(everything: Stage, to: str) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "say": "Hello"})
    before = await everything.ended(delivery_id, "busy", "no-answer")
    await everything.twilio.settled()
    assert (await _replay(everything, delivery_id)).status == 202
    again = before
    while again["sid"] in {None, before["sid"]}:
        again = await everything.ended(delivery_id, "busy", "no-answer", "retrying", "submitting", "ringing", "queued")
    await everything.ended(delivery_id, before["status"])


async def test_a_rejected_message_goes_to_the_queue_as_it_came(azurite: str) -> None:
    async with stage(azurite) as everything:
        delivery_id = new_id()
        request = {"id": delivery_id, "channel": "sms", "to": "+14155554202", "body": "Hello"}
        strict = {**everything.settings, "ALLOWED_COUNTRIES": "DE"}
        async with App.load(strict) as before:
            message_id = await before.take(json.dumps(request).encode())
        assert (await everything.get(message_id))["status"] == "rejected"
        assert (await _replay(everything, message_id)).status == 202
        await everything.told(delivery_id, "queued", "sent", "delivered")
        rejected = await everything.get(message_id)
        assert [event["raw"].get("reason") for event in rejected["events"]] == [None, "replayed"]
        problems.check(await _replay(everything, message_id), HTTPStatus.CONFLICT)
        await everything.queue_is_empty()
        assert len(everything.twilio.messages) == 1


async def test_a_rejected_message_whose_reason_stands_is_not_replayed_and_the_answer_says_why(
    everything: Stage,
) -> None:
    message = {"id": new_id(), "channel": "sms", "to": "12", "body": "Hello"}
    message_id = await everything.enqueue(message)
    await everything.ended(message_id, "rejected")
    answer = await _replay(everything, message_id)
    problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert [error["field"] for error in answer.json()["errors"]] == ["to"]
    await everything.queue_is_empty()
    assert await everything.get(message["id"]) is None


@pytest.mark.parametrize(
    ("to", "word"), [("+14155554203", "delivered"), ("+15005550105", "sent"), ("+15008216109", "suppressed")]
)
async def test_what_went_well_or_goes_on_or_is_not_wanted_is_not_replayed(
    everything: Stage, to: str, word: str
) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, "body": "Hello"})
    before = await everything.ended(delivery_id, word)
    if word != "suppressed":
        await everything.twilio.settled()
        before = await everything.get(delivery_id)
    problems.check(await _replay(everything, delivery_id), HTTPStatus.CONFLICT)
    assert await everything.get(delivery_id) == before


async def test_what_was_erased_is_not_replayed(everything: Stage) -> None:
    delivery_id = await _failed_at_send(everything, "+14155554204")
    assert (await everything.app.request("DELETE", f"/api/deliveries/{delivery_id}")).status == 204
    problems.check(await _replay(everything, delivery_id), HTTPStatus.CONFLICT)


@pytest.mark.parametrize("delivery_id", ["nobody-has-it", "a%2Fb"])
async def test_what_is_not_there_is_not_found(everything: Stage, delivery_id: str) -> None:
    problems.check(await _replay(everything, delivery_id), HTTPStatus.NOT_FOUND)


async def test_all_that_a_search_finds_is_replayed_and_what_cannot_be_is_passed_over(everything: Stage) -> None:
    to = "+14155554205"
    failed = [await _failed_at_send(everything, to) for _ in range(3)]
    fine = new_id()
    await everything.enqueue({"id": fine, "channel": "sms", "to": to, "from": NUMBER, "body": "Hello"})
    await everything.told(fine, "queued", "sent", "delivered")
    answer = await everything.request("POST", "/api/deliveries/replay", {"to": to})
    assert answer.status == 202
    assert set(answer.json()["replayed"]) == set(failed)
    assert answer.json()["left_out"] == {"not replayable": [fine]}
    for delivery_id in failed:
        await everything.told(delivery_id, "failed", "retrying", "failed")
    assert len(_to(everything, to)) == 1


async def test_a_search_goes_on_from_its_cursor(everything: Stage) -> None:
    to = "+14155554206"
    failed = [await _failed_at_send(everything, to) for _ in range(3)]
    replayed: list[str] = []
    cursor: str | None = None
    for _ in range(5):
        wanted = {"to": to, "status": "failed", "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await everything.request("POST", "/api/deliveries/replay", wanted)).json()
        replayed += page["replayed"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(replayed) == sorted(failed), "each once, though they fail again meanwhile"


async def test_the_console_replays_one_or_all_that_it_finds(
    everything: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    to = "+14155554207"
    failed = [await _failed_at_send(everything, to) for _ in range(2)]
    at = ["--url", everything.app.url]
    assert await asyncio.to_thread(console.main, ["replay", failed[0], *at]) == 0
    assert capsys.readouterr().out == f"{failed[0]}\n"
    await everything.told(failed[0], "failed", "retrying", "failed")
    search = ["replay", "--status", "failed", "--to", to, "--since", "2020-01-01", "--yes"]
    assert await asyncio.to_thread(console.main, [*search, *at]) == 0
    shown = capsys.readouterr()
    assert shown.out.split() == [failed[1]], "the other one was replayed before"
    assert shown.err.endswith("1 sent again. Left out: 1 replayed.\n")
    await everything.told(failed[1], "failed", "retrying", "failed")
    assert await asyncio.to_thread(console.main, [*search, "--again", *at]) == 0
    assert set(capsys.readouterr().out.split()) == set(failed)
    assert await asyncio.to_thread(console.main, ["replay", "nobody-has-it", *at]) == 1
    assert "answered 404: there is no delivery with this id" in capsys.readouterr().err


async def test_a_search_that_makes_no_sense_replays_nothing(everything: Stage) -> None:
    answer = await everything.request("POST", "/api/deliveries/replay", {"status": "teleported"})
    assert problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY).keys() == {"status"}
