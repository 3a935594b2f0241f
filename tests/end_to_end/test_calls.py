"""A queued request becomes a call, and all that happens to it is on record."""

from typing import Any

import pytest
from aiohttp import web

from tests.end_to_end.stage import Stage, new_id, stage

EVENTS = ["initiated", "ringing", "in-progress", "completed"]


def _of(everything: Stage, to: str) -> Any:  # noqa: ANN401 - the simulator's own record
    [call] = [call for call in everything.twilio.calls if call.to == to]
    return call


async def test_a_queued_call_says_its_words_and_ends_with_all_four_events_in_order(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155552001"
    words = 'Doors & windows <Hangup/> "closed", 5 > 3, é'
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "say": words, "language": "en-GB"})
    delivery = await everything.told(delivery_id, "queued", *EVENTS)
    call = _of(everything, to)
    assert [(heard.kind, heard.what, heard.language) for heard in call.transcript] == [("said", words, "en-GB")]
    assert call.notes == ()
    assert [event["sequence"] for event in delivery["events"]] == [None, 0, 1, 2, 3]
    assert {event["sid"] for event in delivery["events"]} == {call.sid} == {delivery["sid"]}
    raw = delivery["events"][-1]["raw"]
    assert (raw["CallbackSource"], raw["SipResponseCode"]) == ("call-progress-events", "200")
    assert int(raw["CallDuration"]) >= 1


async def test_every_callback_of_a_call_was_signed_and_accepted_at_once(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155552002"
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "say": "Hello"})
    await everything.ended(delivery_id, "completed")
    await everything.twilio.settled()
    hooks = [hook for hook in everything.twilio.webhooks if ("To", to) in hook.fields]
    assert [dict(hook.fields)["CallStatus"] for hook in hooks] == EVENTS
    base = everything.settings["PUBLIC_BASE_URL"]
    for hook in hooks:
        assert (hook.status, hook.attempts) == (204, 1)
        assert hook.url == f"{base}/api/voice/status?delivery={delivery_id}&v=2#rc=5&rp=all"


async def test_a_posted_call_ends_completed(everything: Stage) -> None:
    answer = await everything.request("POST", "/api/send", {"channel": "call", "to": "+14155552003", "say": "Hello"})
    assert answer.status == 202
    await everything.ended(answer.json()["id"], "completed")


async def test_a_call_plays_the_twiml_that_it_was_given(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155552004"
    twiml = '<Response><Say voice="alice">One</Say><Pause length="1"/><Play>https://example.com/a.mp3</Play></Response>'
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "twiml": twiml})
    await everything.ended(delivery_id, "completed")
    heard = [(heard.kind, heard.what) for heard in _of(everything, to).transcript]
    assert heard == [("said", "One"), ("paused", "1"), ("played", "https://example.com/a.mp3")]


async def test_a_call_fetches_its_twiml_where_it_was_told_to(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155552005"

    async def script(request: web.Request) -> web.Response:
        assert request.query["order"] == "7 & 8"
        return web.Response(text="<Response><Say>Fetched</Say></Response>", content_type="text/xml")

    site = web.Application()
    site.router.add_post("/script", script)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/script?order=7%20%26%208"
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "url": url})
    await everything.ended(delivery_id, "completed")
    await runner.cleanup()
    assert [heard.what for heard in _of(everything, to).transcript] == ["Fetched"]


async def test_a_machine_that_answers_is_on_record(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue(
        {"id": delivery_id, "channel": "call", "to": "+15005550104", "say": "Hello", "machine_detection": "Enable"}
    )
    delivery = await everything.ended(delivery_id, "completed")
    [end] = [event for event in delivery["events"] if event["status"] == "completed"]
    assert end["raw"]["AnsweredBy"] == "machine_start"


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("+15005550101", ["initiated", "ringing", "busy"]),
        ("+15005550102", ["initiated", "ringing", "no-answer"]),
        ("+15005550103", ["initiated", "failed"]),
    ],
)
async def test_a_call_that_nobody_takes_ends_as_twilio_says(everything: Stage, to: str, told: list[str]) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "say": "Hello"})
    await everything.told(delivery_id, "queued", *told)


@pytest.mark.parametrize(
    ("to", "from_", "code"),
    [
        ("+15005550001", None, 21217),
        ("+15005550003", None, 21215),
        ("+15005550004", None, 21216),
        ("+15008216109", None, 21610),
        ("+14155552006", "+15005550007", 21210),
    ],
)
async def test_a_call_that_twilio_refuses_fails_with_its_code(
    everything: Stage, to: str, from_: str | None, code: int
) -> None:
    delivery_id = new_id()
    sender = {"from": from_} if from_ else {}
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": to, "say": "Hello", **sender})
    delivery = await everything.ended(delivery_id, "failed", "suppressed")
    assert delivery["error_code"] == code
    assert (delivery["sid"], delivery["status"]) == (None, "failed"), "opting out of texts is not about calls"


async def test_a_call_to_a_client_needs_no_number(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "call", "to": "client:jane.doe", "say": "Hello"})
    delivery = await everything.ended(delivery_id, "completed")
    assert delivery["to"] == "client:jane.doe"


async def test_a_call_that_comes_in_is_greeted_and_on_record_to_its_end(azurite: str) -> None:
    async with stage(azurite, VOICE_GREETING="We are closed & asleep.") as everything:
        callback = f"{everything.settings['PUBLIC_BASE_URL']}/api/voice/status#rc=5&rp=all"
        caller = {"from": "+14155552007", "to": "+15005550010"}
        sid = (await everything.simulate("inbound/call", **caller, status_callback=callback))["sid"]
        delivery = await everything.ended(sid, "completed")
        [call] = everything.twilio.calls
    assert [heard.what for heard in call.transcript] == ["We are closed & asleep."]
    assert call.notes == ()
    assert (delivery["direction"], delivery["from"]) == ("inbound", "+14155552007")
    assert [event["status"] for event in delivery["events"]] == ["ringing", "completed"]
