import asyncio
from email.utils import parsedate_to_datetime

from local.twilio import Simulator
from local.twilio.people import Act, hang_up, press, say, wait
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import Receiver
from tests.local.twilio.voice.calling import APP, CALLER, OTHER, THIRD, answers, called, codes, heard

GUEST = "startConferenceOnEnter='false' waitUrl='music'"
EVENTS = "statusCallback='events' statusCallbackEvent='start end join leave'"
MUSIC = "<Play>/music.mp3</Play>"


def room(attributes: str = "", dial: str = "action='left'") -> str:
    return f"<Dial {dial}><Conference {attributes}>room</Conference></Dial>"


def join(simulator: Simulator, receiver: Receiver, *acts: Act, from_: str, verbs: str, live: bool = False) -> str:
    """Somebody calls, and joins."""
    url = answers(receiver, **{from_.lstrip("+"): verbs, "left": "<Say>Bye</Say>", "music": MUSIC})
    return simulator.call(*acts, from_=from_, to=APP, url=url, live=live)


async def inside(simulator: Simulator, *sids: str) -> None:
    """Wait until these are in."""
    async with asyncio.timeout(10):
        await simulator.until(lambda: simulator.conferences and set(sids) <= set(simulator.conferences[0].participants))


async def test_a_guest_waits_for_the_moderator_with_whom_all_ends(simulator: Simulator, receiver: Receiver) -> None:
    guest = join(simulator, receiver, from_=CALLER, verbs=room(GUEST))
    await inside(simulator, guest)
    await simulator.heard(guest, "music.mp3")
    waited = simulator.conferences[0].started
    moderator = join(
        simulator, receiver, say("Welcome"), wait(5), hang_up(), from_=OTHER, verbs=room("endConferenceOnExit='true'")
    )
    await simulator.settled()
    caller, forms = simulator.call_of(guest), receiver.forms("/left")

    assert not waited
    assert (heard(caller, "heard"), heard(caller, "said")) == (["Welcome"], ["Bye"])
    assert {form["CallSid"] for form in forms} == {guest, moderator}
    assert {(form["DialCallStatus"], "DialCallSid" in form, form["DialBridged"]) for form in forms} == {
        ("answered", False, "true")
    }
    assert simulator.conferences == []


async def test_two_guests_alone_do_not_begin(simulator: Simulator, receiver: Receiver) -> None:
    guests = [join(simulator, receiver, from_=who, verbs=room(GUEST)) for who in (CALLER, OTHER)]
    await inside(simulator, *guests)
    begun = simulator.conferences[0].started
    for guest in guests:
        simulator.act(guest, hang_up())
    await simulator.settled()

    assert not begun


async def test_the_callback_is_told_who_comes_and_goes(simulator: Simulator, receiver: Receiver) -> None:
    guest = join(simulator, receiver, from_=CALLER, verbs=room(f"{GUEST} {EVENTS}"))
    await inside(simulator, guest)
    moderator = join(simulator, receiver, wait(5), hang_up(), from_=OTHER, verbs=room("endConferenceOnExit='true'"))
    await simulator.settled()
    forms = sorted(receiver.forms("/events"), key=lambda form: int(form["SequenceNumber"]))
    events = [(form["StatusCallbackEvent"], form.get("CallSid")) for form in forms]

    assert events[:2] == [("participant-join", guest), ("participant-join", moderator)]
    assert sorted(event for event, _ in events) == [
        "conference-end",
        "conference-start",
        "participant-join",
        "participant-join",
        "participant-leave",
        "participant-leave",
    ]
    assert events[-1] == ("conference-end", None)
    assert (forms[-1]["CallSidEndingConference"], forms[-1]["ReasonConferenceEnded"]) == (
        moderator,
        "participant-with-end-conference-on-exit-left",
    )
    assert {(form["FriendlyName"], form["AccountSid"]) for form in forms} == {("room", ACCOUNT_SID)}
    assert len({form["ConferenceSid"] for form in forms}) == 1
    assert [form["SequenceNumber"] for form in forms] == ["1", "2", "3", "4", "5", "6"]
    assert all(parsedate_to_datetime(form["Timestamp"]) for form in forms)
    assert (forms[0]["StartConferenceOnEnter"], forms[0]["EndConferenceOnExit"]) == ("false", "false")


async def test_only_the_events_that_were_asked_for_are_told(simulator: Simulator, receiver: Receiver) -> None:
    attributes = "statusCallback='events' statusCallbackEvent='leave'"
    await called(simulator, receiver, hang_up(), start=room(attributes), left="")

    assert [form["StatusCallbackEvent"] for form in receiver.forms("/events")] == ["participant-leave"]


async def test_who_is_muted_is_not_heard(simulator: Simulator, receiver: Receiver) -> None:
    listener = join(simulator, receiver, from_=CALLER, verbs=room(), live=True)
    await inside(simulator, listener)
    muted = join(simulator, receiver, say("Can you hear me?"), hang_up(), from_=OTHER, verbs=room("muted='true'"))
    await simulator.ended(muted)
    simulator.act(listener, hang_up())
    await simulator.settled()

    assert (heard(simulator.call_of(listener), "heard"), heard(simulator.call_of(muted), "spoke")) == (
        [],
        ["Can you hear me?"],
    )


async def test_the_star_leaves_a_conference(simulator: Simulator, receiver: Receiver) -> None:
    stays = join(simulator, receiver, from_=CALLER, verbs=room(), live=True)
    await inside(simulator, stays)
    dial = "action='left' hangupOnStar='true'"
    leaves = join(simulator, receiver, wait(2), press("*"), from_=OTHER, verbs=room(dial=dial))
    await simulator.ended(leaves)
    simulator.act(stays, hang_up())
    await simulator.settled()

    assert heard(simulator.call_of(leaves), "said") == ["Bye"]


async def test_three_talk_until_nobody_has_anything_to_say(simulator: Simulator, receiver: Receiver) -> None:
    first = join(simulator, receiver, say("One"), from_=CALLER, verbs=room(GUEST))
    second = join(simulator, receiver, say("Two"), from_=OTHER, verbs=room(GUEST))
    await inside(simulator, first, second)
    third = join(simulator, receiver, say("Three"), from_=THIRD, verbs=room())
    async with asyncio.timeout(10):
        await simulator.settled()

    assert {call.status for call in simulator.calls} == {"completed"}
    assert sorted(heard(simulator.call_of(first), "heard")) == ["Three", "Two"]
    assert sorted(heard(simulator.call_of(third), "spoke")) == ["Three"]


async def test_music_before_a_conference_cannot_gather(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, wait(3), hang_up(), start=room(GUEST), music="<Gather/>", left="")

    assert set(codes(call)) == {13238}


async def test_music_that_cannot_be_had_is_twilios_own(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, hang_up(), start=room(GUEST), music="<Say>", left="")

    assert (codes(call), len(heard(call, "played"))) == ([12100], 1)
