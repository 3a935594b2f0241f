"""Whatever a document says, and whatever people do: every call ends, and nothing is left waiting."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.twilio import Simulator
from local.twilio.calls import ENDED
from local.twilio.people import Act, Person, hang_up, press, say, silence, speak, wait
from tests.local.twilio.receiver import Receiver, Reply
from tests.local.twilio.voice.calling import APP, CALLER, OTHER

ACTS = st.lists(
    st.sampled_from(
        [
            press("1"),
            press("12#"),
            press("*"),
            press("1", interrupts=True),
            say("Hi"),
            say("Hi", at="Dial"),
            speak(5),
            wait(3),
            silence(),
            hang_up(),
            hang_up(interrupts=True),
        ]
    ),
    max_size=5,
)
VERBS = st.lists(
    st.sampled_from(
        [
            "<Say>Hi</Say>",
            "<Gather numDigits='1' action='/next'><Say>Key?</Say></Gather>",
            "<Gather input='dtmf speech' action='/next'/>",
            "<Record action='/next'/>",
            f"<Dial action='/next' hangupOnStar='true'><Number url='/whisper'>{OTHER}</Number></Dial>",
            f"<Dial timeLimit='7'>{OTHER}</Dial>",
            "<Dial><Queue>line</Queue></Dial>",
            "<Dial><Conference>room</Conference></Dial>",
            "<Enqueue waitUrl='/wait' action='/next'>line</Enqueue>",
            "<Leave/>",
            "<Reject/>",
            "<Redirect>/next</Redirect>",
            "<Hangup/>",
            "<Nonsense/>",
        ]
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=VERBS, following=VERBS, whisper=VERBS, music=VERBS, caller=ACTS, callee=ACTS)
async def test_every_call_ends(
    simulator: Simulator,
    receiver: Receiver,
    *,
    start: list[str],
    following: list[str],
    whisper: list[str],
    music: list[str],
    caller: list[Act],
    callee: list[Act],
) -> None:
    receiver.replies.clear()
    for path, verbs in (("start", start), ("next", following), ("whisper", whisper), ("wait", music)):
        receiver.answers(f"/{path}", Reply(text=f"<Response>{''.join(verbs)}</Response>"))
    simulator.people.put(OTHER, Person(acts=tuple(callee)))
    for _ in range(2):
        simulator.call(*caller, from_=CALLER, to=APP, url=f"{receiver.url}/start", hangs_up_after=120)
    async with asyncio.timeout(20):
        await simulator.settled()

    assert all(call.status in ENDED for call in simulator.calls)
    assert [queue.callers for queue in simulator.queues if queue.callers] == []
    assert simulator.conferences == []
    await simulator.reset()
