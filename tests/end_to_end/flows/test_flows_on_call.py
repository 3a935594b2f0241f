"""The on-call alert: a request calls somebody, and what they press becomes an event of the delivery."""

import base64
import json
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient

from local.twilio.people import Act, Answer, Person, press, say
from tests.end_to_end.flows.calling import all_is_well, calls_to, details, heard, shown
from tests.end_to_end.stage import Stage, eventually, new_id

DATA = {"service": "Payments & <Hangup/>", "problem": "no answer", "incident": "B 42"}
ALERT = "This is an alert. Payments & <Hangup/>: no answer. To acknowledge it, press 1. To pass it on, press 2."
TAKEN, PASSED = "Thank you. Incident B, 4, 2 is yours.", "It will be passed on. Goodbye."
LEFT = (
    "This is an alert. Payments & <Hangup/>: no answer. The incident is B, 4, 2. "
    "Please acknowledge it in the incident's chat."
)


async def alert(everything: Stage, to: str, **more: Any) -> Any:  # noqa: ANN401 - fields of a request, a JSON document
    """Alert somebody, and return the delivery when it is over."""
    request = {"id": new_id(), "channel": "call", "to": to, "flow": "on-call", "data": DATA, **more}
    await everything.enqueue(request)
    return await everything.ended(request["id"], "completed", "busy", "no-answer", "failed")


@pytest.mark.parametrize(
    ("to", "acts", "words", "event"),
    [
        ("+14155550161", [press("1")], [ALERT, TAKEN], "acknowledged"),
        ("+14155550162", [press("2")], [ALERT, PASSED], "passed-on"),
        ("+14155550163", [press("3"), press("1")], [ALERT, "Please press 1 or 2.", ALERT, TAKEN], "acknowledged"),
        ("+14155550164", [say("Hello?")], [ALERT] * 4, "no-answer"),
    ],
)
async def test_what_is_pressed_becomes_an_event_of_the_delivery(
    flowing: Stage, *, to: str, acts: list[Act], words: list[str], event: str
) -> None:
    flowing.twilio.people.put(to, Person(acts=tuple(acts)))
    delivery = await alert(flowing, to)
    [call] = calls_to(flowing, to)

    all_is_well(flowing.twilio, call)
    assert heard(call) == words
    assert {entry.voice for entry in call.transcript if entry.kind == "said"} == {"Polly.Joanna"}
    assert details(delivery, "event") == [{"event": event}]
    assert (delivery["status"], delivery["sid"]) == ("completed", call.sid)


async def test_whoever_asked_learns_from_the_events_queue_that_it_is_acknowledged(azurite: str, flowing: Stage) -> None:
    to, name = "+14155550165", flowing.settings["EVENTS_QUEUE"]
    flowing.twilio.people.put(to, Person(acts=(press("1"),)))
    delivery = await alert(flowing, to, metadata={"team": "payments"})

    async with QueueClient.from_connection_string(azurite, name) as events:

        async def listen() -> Any:  # noqa: ANN401 - a JSON document
            async for message in events.receive_messages():
                await events.delete_message(message)
                document = json.loads(base64.b64decode(message.content))
                is_it = document["id"] == delivery["id"] and document["kind"] == "flow"
                if is_it and document["detail"].get("event"):
                    return document
            return None

        told = await eventually(listen)
    assert told["detail"] == {"flow": "on-call", "step": "acknowledged", "event": "acknowledged"}
    assert (told["metadata"], told["channel"], told["direction"]) == ({"team": "payments"}, "call", "outbound")


@pytest.mark.parametrize(
    ("to", "mode", "found", "events"),
    [
        ("+14155550166", "DetectMessageEnd", "machine_end_beep", ["left-message"]),
        ("+14155550167", "Enable", "machine_start", ["left-message"]),
    ],
)
async def test_a_machine_is_left_a_message(
    flowing: Stage, *, to: str, mode: str, found: str, events: list[str]
) -> None:
    flowing.twilio.people.put(to, Person(answered_by="machine_start"))
    delivery = await alert(flowing, to, machine_detection=mode)
    [call] = calls_to(flowing, to)

    all_is_well(flowing.twilio, call)
    assert heard(call) == [LEFT]
    assert details(delivery, "event", "answered_by") == [{"answered_by": found}, *({"event": each} for each in events)]
    assert delivery["answered_by"] == found


async def test_a_fax_is_told_nothing(flowing: Stage) -> None:
    flowing.twilio.people.put("+14155550168", Person(answered_by="fax"))
    delivery = await alert(flowing, "+14155550168", machine_detection="Enable")

    assert [heard(call) for call in calls_to(flowing, "+14155550168")] == [[]]
    assert (delivery["answered_by"], details(delivery, "event")) == ("fax", [])


async def test_a_human_is_asked_although_machines_are_looked_for(flowing: Stage) -> None:
    flowing.twilio.people.put("+14155550169", Person(acts=(press("1"),)))
    delivery = await alert(flowing, "+14155550169", machine_detection="DetectMessageEnd")

    assert [heard(call) for call in calls_to(flowing, "+14155550169")] == [[ALERT, TAKEN]]
    assert delivery["answered_by"] == "human"


@pytest.mark.parametrize(
    ("to", "answers", "status"),
    [
        ("+14155550171", "busy", "busy"),
        ("+14155550172", "no-answer", "no-answer"),
        ("+14155550173", "failed", "failed"),
    ],
)
async def test_who_does_not_answer_is_reached_by_the_second_way(
    flowing: Stage, *, to: str, answers: Answer, status: str
) -> None:
    flowing.twilio.people.put(to, Person(answers=answers))
    delivery = await alert(flowing, to, fallback={"channel": "sms", "body": "Call the control room."})
    second = await shown(flowing, f"{delivery['id']}~2", lambda it: it["status"] == "delivered")

    assert delivery["status"] == status
    assert second["origin"] == delivery["id"]
    assert [message.body for message in flowing.twilio.messages if message.to == to] == ["Call the control room."]


async def test_the_second_way_may_be_a_call_that_walks_a_flow(flowing: Stage) -> None:
    to = "+14155550174"
    flowing.twilio.people.put(to, Person(answers="busy"), Person(acts=(press("1"),)))
    delivery = await alert(flowing, to, fallback={"channel": "call", "flow": "on-call", "data": DATA})
    second = await flowing.ended(f"{delivery['id']}~2", "completed")

    assert details(second, "event") == [{"event": "acknowledged"}]
    assert [heard(call) for call in calls_to(flowing, to)] == [[], [ALERT, TAKEN]]


@pytest.mark.parametrize(
    ("flow", "data", "faults"),
    [
        ("on-cal", DATA, ["flow"]),
        ("on-call", {**DATA, "colour": "red", "problem": 7}, ["data.colour", "data.problem"]),
        ("on-call", {}, ["data.incident", "data.problem", "data.service"]),
    ],
)
async def test_a_request_that_does_not_fit_its_flow_is_refused_at_once(
    flowing: Stage, *, flow: str, data: dict[str, object], faults: list[str]
) -> None:
    request = {"channel": "call", "to": "+14155550175", "flow": flow, "data": data}
    answer = await flowing.request("POST", "/api/send", request)

    assert answer.status == 422
    assert sorted(fault["field"] for fault in answer.json()["errors"]) == faults
