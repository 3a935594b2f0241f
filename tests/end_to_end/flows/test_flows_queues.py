"""A caller waits in a queue, and somebody takes the next one."""

from typing import Any

from local.twilio.people import Act, hang_up, press, say, wait
from tests.end_to_end.flows.calling import called, details, heard, over
from tests.end_to_end.stage import Stage

WAITING, SERVING = "+14155550204", "+14155550206"
FIRST, SECOND, MUSIC = "You are number 1.", "You are number 2.", "https://example.com/music.mp3"


async def waiting(everything: Stage, *acts: Act, from_: str, words: str = FIRST) -> str:
    """Somebody calls, and waits; returns the call's SID."""
    sid = everything.twilio.call(*acts, from_=from_, to=WAITING)
    await everything.twilio.heard(sid, words)
    return sid


async def test_callers_hear_their_place_and_music_until_an_agent_takes_them_in_order(flowing: Stage) -> None:
    first = await waiting(flowing, say("It is urgent", at="Dial"), from_="+14155550131")
    second = await waiting(flowing, say("I can wait", at="Dial"), from_="+14155550132", words=SECOND)
    acts = (say("How can I help?"), press("1"), say("And you?"), wait(5), hang_up())
    agent = await called(flowing, *acts, from_="+14155550133", to=SERVING)
    one, two = await over(flowing, first), await over(flowing, second)
    delivery: Any = await flowing.ended(agent.sid, "completed")

    assert (heard(one)[:2], heard(two)[:2]) == ([FIRST, MUSIC], [SECOND, MUSIC])
    assert FIRST in heard(two)
    assert heard(one)[-1] == "Anna is here for you."
    assert heard(two)[-2:] == ["Anna is here for you.", "That was your talk."]
    assert heard(agent, "bridged", "said") == ["+14155550131", "Another one?", "+14155550132"]
    assert (heard(one, "heard"), heard(two, "heard")) == (["How can I help?"], ["And you?"])
    assert heard(agent, "heard") == ["It is urgent", "I can wait"]
    assert details(delivery, "queue", "dial") == [{"queue": "e2e-line", "dial": "completed"}] * 2


async def test_who_waits_leaves_the_queue_with_the_key(flowing: Stage) -> None:
    call = await called(flowing, press("1"), press("*"), from_="+14155550134", to=WAITING)
    delivery: Any = await flowing.ended(call.sid, "completed")

    assert heard(call) == [FIRST, MUSIC, FIRST, MUSIC, "You have left the queue."]
    [told] = details(delivery, "queue", "result")
    assert told == {"queue": "e2e-line", "result": "leave"}


async def test_who_waits_too_long_leaves_the_queue(flowing: Stage) -> None:
    call = await called(flowing, wait(120, at="Enqueue"), from_="+14155550135", to=WAITING)
    delivery: Any = await flowing.ended(call.sid, "completed")

    assert (heard(call)[:2], heard(call)[-1]) == ([FIRST, MUSIC], "You have left the queue.")
    assert 60 <= int(details(delivery, "seconds")[0]["seconds"]) < 75


async def test_a_full_queue_lets_nobody_in(flowing: Stage) -> None:
    first = await waiting(flowing, from_="+14155550136")
    second = await waiting(flowing, from_="+14155550137", words=SECOND)
    third = await called(flowing, from_="+14155550138", to=WAITING)
    for sid in (first, second):
        flowing.twilio.act(sid, hang_up())
        await over(flowing, sid)

    assert heard(third) == ["The queue is full."]


async def test_who_hangs_up_while_waiting_is_on_record(flowing: Stage) -> None:
    call = await called(flowing, wait(10), hang_up(), from_="+14155550139", to=WAITING)
    delivery: Any = await flowing.ended(call.sid, "completed")

    assert details(delivery, "result") == [{"result": "hangup"}]
    assert heard(call)[-1] == MUSIC


async def test_an_agent_whom_nobody_waits_for_is_told_so(flowing: Stage) -> None:
    flowing.twilio.make_queue("e2e-line")
    agent = await called(flowing, from_="+14155550140", to=SERVING)

    assert heard(agent) == ["Nobody waits."]
