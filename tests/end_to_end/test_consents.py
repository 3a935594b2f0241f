"""Somebody stops texts, is called all the same, and takes texts again as somebody at the desk writes down."""

import json
from typing import Any

from tests.end_to_end.stage import Stage, new_id, stage
from tests.web.app import NUMBER


async def _sent(everything: Stage, to: str, *, ends: str, **content: str) -> Any:  # noqa: ANN401 - a JSON document
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, **content})
    return await everything.ended(delivery_id, ends)


async def _ask(everything: Stage, target: str, **document: str) -> Any:  # noqa: ANN401 - JSON documents
    answer = await everything.request("POST", f"/api/{target}", document)
    assert answer.status == 200, answer
    return answer.json()["consents"]


async def test_stop_holds_texts_back_and_no_calls_until_it_is_lifted_over_http(everything: Stage) -> None:
    person = "+14155556001"
    stop = await everything.simulate("inbound/message", **{"from": person, "to": NUMBER, "body": "Stop"})
    assert (stop["replies"], stop["notes"]) == ([], [])
    [consent] = await _ask(everything, "consents/search", to=person)
    assert (consent["sender"], consent["state"]) == (NUMBER, "opted-out")
    assert (consent["how"], consent["by"], consent["reason"]) == ("keyword", stop["sid"], None)

    suppressed = await _sent(everything, person, ends="suppressed", body="Hello")
    assert suppressed["sid"] is None
    await _sent(everything, person, ends="completed", channel="call", say="Hello")
    assert [message.direction for message in everything.twilio.messages if person in {message.to, message.from_}] == [
        "inbound"
    ]

    await _ask(everything, "consents", to=person, state="opted-in", reason="Said so on the phone")
    await _sent(everything, person, ends="delivered", body="Hello again")
    [consent] = await _ask(everything, "consents/search", to=person, sender=NUMBER)
    assert (consent["state"], consent["how"], consent["by"]) == ("opted-in", "api", None)
    assert consent["reason"] == "Said so on the phone"


async def test_a_refusal_of_twilios_is_on_record_with_its_code_and_the_delivery(everything: Stage) -> None:
    to, sender = "+15005550004", "+15005550012"
    suppressed = await _sent(everything, to, ends="suppressed", body="Hello", **{"from": sender})
    assert suppressed["error_code"] == 21610
    [consent] = await _ask(everything, "consents/search", to=to, sender=sender)
    assert (consent["state"], consent["how"]) == ("opted-out", "error-21610")
    assert consent["by"] == f"delivery {suppressed['id']}"


async def test_where_the_app_answers_help_and_stop_they_go_out_as_texts(azurite: str) -> None:
    person = "+14155556002"
    async with stage(azurite, OPT_OUT_REPLIES="app", HELP_REPLY="Call 555", STOP_REPLY="Bye") as everything:
        for body in ("help", "STOP"):
            await everything.simulate("inbound/message", **{"from": person, "to": NUMBER, "body": body})
        replies = [message.body for message in everything.twilio.messages if message.direction == "outbound-reply"]
        held = await everything.app.request("POST", "/api/consents/search", json.dumps({"to": person}).encode())
    assert sorted(replies) == ["Bye", "Call 555"]
    assert [consent["state"] for consent in held.json()["consents"]] == ["opted-out"]
