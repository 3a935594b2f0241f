"""People who act while a call lives, over the control endpoints as a telephone in a browser has them."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from local.twilio import Simulator
from local.twilio.people import Act, Person, hang_up
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import AUTH_TOKEN, Receiver
from tests.local.twilio.voice.calling import APP, CALLER, OTHER, answers, heard


async def incoming(http: aiohttp.ClientSession, url: str, **more: object) -> str:
    call = {"from": CALLER, "to": APP, "url": url} | more
    async with http.post("/simulator/inbound/call", json=call) as response:
        assert response.status == 201
        return str((await response.json())["sid"])


async def acts(http: aiohttp.ClientSession, sid: str, *what: Mapping[str, object]) -> None:
    async with http.post(f"/simulator/calls/{sid}/acts", json=list(what)) as response:
        assert response.status == 200, await response.text()


async def when(http: aiohttp.ClientSession, sid: str, until: str, **more: str) -> Any:  # noqa: ANN401 - JSON
    async with http.get(f"/simulator/calls/{sid}", params={"until": until} | more) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def test_a_conversation_is_led_step_by_step(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    url = answers(
        receiver,
        start="<Gather action='menu'><Say>Your number?</Say></Gather>",
        menu="<Say>Speak</Say><Record action='end'/>",
        end="<Say>Bye</Say>",
    )
    sid = await incoming(http, url, live=True)
    call = await when(http, sid, "listening")
    assert (call["listening"], [entry["what"] for entry in call["transcript"]]) == (
        {"verb": "Gather", "seconds": 5.0},
        ["Your number?"],
    )
    for key in "42#":
        await acts(http, sid, {"press": key})
    await when(http, sid, "heard", text="Speak")
    await acts(http, sid, {"say": "Hello", "seconds": 4}, {"silence": True})
    call = await when(http, sid, "ended")

    assert receiver.forms("/menu")[0]["Digits"] == "42"
    assert receiver.forms("/end")[0]["RecordingDuration"] == "4"
    assert call["status"] == "completed"
    assert [entry["what"] for entry in call["transcript"] if entry["kind"] == "said"] == [
        "Your number?",
        "Speak",
        "Bye",
    ]


async def test_a_live_persons_keys_break_off_a_prompt(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    hold = asyncio.Event()
    verbs = "<Response><Gather numDigits='1' action='/end'><Say>One</Say><Say>Two</Say></Gather></Response>"
    sid = await incoming(http, receiver.holds("/start", until=hold, text=verbs), live=True)
    await acts(http, sid, {"press": "1"})
    hold.set()
    answers(receiver, end="")
    await when(http, sid, "ended")

    assert heard(simulator.call_of(sid), "said") == ["One"]


async def test_a_telephone_rings_until_somebody_picks_it_up(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    await http.put("/simulator/numbers/client:jo", json={"answers": "live", "live": True})
    url = answers(receiver, start="<Dial action='done'><Client>jo</Client></Dial>", done="<Say>Bye</Say>")
    for act, status in (({"answer": True}, "completed"), ({"decline": True}, "busy"), ({"silence": True}, "no-answer")):
        sid = await incoming(http, url)
        await simulator.until(lambda: simulator.calls[-1].to == "client:jo" and simulator.calls[-1].status == "ringing")
        child = simulator.calls[-1].sid
        await acts(http, child, act)
        if status == "completed":
            await simulator.until(lambda sid=sid: heard(simulator.call_of(sid), "bridged"))  # type: ignore[misc]
            await acts(http, child, {"say": "Jo here"}, {"hang_up": True})
        await simulator.settled()
        assert receiver.forms("/done")[-1]["DialCallStatus"] == status
        assert simulator.call_of(child).status == status
        assert heard(simulator.call_of(sid), "heard") == (["Jo here"] if status == "completed" else [])


async def test_a_live_person_hangs_up_at_once(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    sid = await incoming(http, answers(receiver, start="<Gather/><Say>No</Say>"), live=True)
    await when(http, sid, "listening")
    await acts(http, sid, {"hang_up": True})

    assert (await when(http, sid, "ended"))["status"] == "completed"
    assert heard(simulator.call_of(sid)) == []


async def test_a_live_person_hangs_up_in_the_middle_of_a_sentence(receiver: Receiver) -> None:
    url = answers(receiver, start="<Say>On and on</Say><Say>No</Say>")
    async with Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=600) as slow:
        sid = slow.call(from_=CALLER, to=APP, url=url, live=True)
        await slow.heard(sid, "On and on")
        slow.act(sid, hang_up())
        call = await slow.ended(sid)

    assert (call.status, heard(call, "said")) == ("completed", ["On and on"])


async def test_in_real_time_a_live_person_can_be_silent_too(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    url = answers(receiver, start="<Gather timeout='1'/><Say>Nobody there?</Say>")
    sid = await incoming(http, url, live=True, real_time=True)
    await when(http, sid, "ended")

    assert heard(simulator.call_of(sid)) == ["Nobody there?"]


async def test_who_is_put_at_a_number_calls_as_they_are(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    await http.put(f"/simulator/numbers/{CALLER}", json={"acts": [{"press": "7"}]})
    sid = await incoming(http, answers(receiver, start="<Gather numDigits='1' action='got'/>", got=""))
    await when(http, sid, "ended")

    assert receiver.forms("/got")[0]["Digits"] == "7"


async def test_several_people_at_a_number_take_one_call_each(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    await http.put(f"/simulator/numbers/{OTHER}", json=[{"answers": "busy"}, {"answers": False}, {}])
    dial = f"<Dial action='done'>{OTHER}</Dial>"
    url = answers(receiver, start=dial, done="")
    for _ in range(4):
        await incoming(http, url)
        await simulator.settled()

    assert [form["DialCallStatus"] for form in receiver.forms("/done")] == [
        "busy",
        "no-answer",
        "completed",
        "completed",
    ]


async def test_people_are_shown_and_forgotten(http: aiohttp.ClientSession) -> None:
    await http.put(f"/simulator/numbers/{OTHER}", json={"answers": "busy", "acts": [{"say": "Hi", "seconds": 2}]})
    async with http.get("/simulator/numbers") as response:
        shown = await response.json()
    await http.delete(f"/simulator/numbers/{OTHER}")
    async with http.get("/simulator/numbers") as response:
        left = await response.json()

    assert shown == {"numbers": {OTHER: [{"answers": "busy", "acts": [{"say": "Hi", "seconds": 2.0}]}]}}
    assert left == {"numbers": {}}


async def test_queues_and_conferences_are_shown(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    await http.put("/simulator/queues/support", json={"max_size": 7})
    url = answers(receiver, start="<Enqueue>support</Enqueue>")
    sid = await incoming(http, url)
    other = await incoming(http, answers(receiver, second="<Dial><Conference>room</Conference></Dial>"))
    await simulator.until(lambda: simulator.queues[0].callers and simulator.conferences)
    async with http.get("/simulator/queues") as response:
        (queue,) = (await response.json())["queues"]
    async with http.get("/simulator/conferences") as response:
        (conference,) = (await response.json())["conferences"]

    assert (queue["name"], queue["max_size"], queue["callers"]) == ("support", 7, [sid])
    assert (conference["name"], conference["started"], conference["participants"]) == ("room", False, [other])


@pytest.mark.parametrize(
    "act", [{}, {"press": "x"}, {"press": "1", "say": "Hi"}, {"silence": False}, {"shout": "Hi"}, {"press": 1}]
)
async def test_what_nobody_can_do_is_refused(http: aiohttp.ClientSession, act: dict[str, object]) -> None:
    async with http.put(f"/simulator/numbers/{OTHER}", json={"acts": [act]}) as response:
        assert response.status == 400
        assert (await response.json())["error"]


async def test_who_is_not_in_a_call_cannot_act(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    sid = await incoming(http, answers(receiver, start="<Say>Hi</Say>"))
    await simulator.settled()
    for name in (sid, "CA1"):
        async with http.post(f"/simulator/calls/{name}/acts", json={"press": "1"}) as response:
            assert response.status == 400
    with pytest.raises(ValueError, match="has ended"):
        simulator.act(sid, Act(press="1"))


async def test_what_does_not_come_is_waited_for_so_long(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    sid = await incoming(http, answers(receiver, start="<Gather/>"), live=True)
    params = {"until": "heard", "text": "nothing", "seconds": "0"}
    async with http.get(f"/simulator/calls/{sid}", params=params) as response:
        assert response.status == 408
    async with http.get(f"/simulator/calls/{sid}", params={"until": "noon"}) as response:
        assert response.status == 400


async def test_everybody_can_be_somebody(simulator: Simulator) -> None:
    simulator.people.put("*", Person(answers="busy"))
    simulator.people.put(OTHER, Person())

    assert simulator.people.at(CALLER).answers == "busy"
    assert simulator.people.at(OTHER).answers is True
    assert simulator.people.at("+15005550102").answers == "no-answer"
