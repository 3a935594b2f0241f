import pytest
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.people import Act, Person, hang_up, press, say, silence, wait
from tests.local.twilio.receiver import Receiver
from tests.local.twilio.voice.calling import APP, CALLER, called, codes, heard

NOTHING = "<Say>Nothing</Say>"


@pytest.mark.parametrize(
    ("attributes", "acts", "digits"),
    [
        ("numDigits='1'", [press("5")], "5"),
        ("numDigits='2'", [press("567")], "56"),
        ("", [press("12#3")], "12"),
        ("", [press("12")], "12"),
        ("finishOnKey='*'", [press("1#2*")], "1#2"),
        ("finishOnKey=''", [press("1#")], "1#"),
        ("", [press("#")], None),
        ("", [silence(), press("1")], None),
        ("", [wait(4), press("1")], "1"),
        ("", [wait(5), press("1")], None),
        ("timeout='7'", [wait(6), press("1")], "1"),
        ("", [say("one")], None),
        ("", [], None),
    ],
)
async def test_keys_go_to_the_action_and_silence_to_the_next_verb(
    simulator: Simulator, receiver: Receiver, *, attributes: str, acts: list[Act], digits: str | None
) -> None:
    call = await called(
        simulator, receiver, *acts, start=f"<Gather action='got' {attributes}/>{NOTHING}", got="<Say>Got it</Say>"
    )

    assert [form["Digits"] for form in receiver.forms("/got")] == ([] if digits is None else [digits])
    assert heard(call, "said") == (["Nothing"] if digits is None else ["Got it"])


@pytest.mark.parametrize(
    ("inputs", "acts", "fields"),
    [
        ("speech", [say("two please", confidence=0.5)], {"SpeechResult": "two please", "Confidence": "0.5"}),
        ("dtmf speech", [say("two")], {"SpeechResult": "two", "Confidence": "0.9"}),
        ("dtmf speech", [press("2")], {"Digits": "2"}),
        ("speech", [press("2")], None),
    ],
)
async def test_words_go_to_the_action_where_speech_is_asked_for(
    simulator: Simulator, receiver: Receiver, *, inputs: str, acts: list[Act], fields: dict[str, str] | None
) -> None:
    await called(
        simulator, receiver, *acts, start=f"<Gather action='got' input='{inputs}'>{NOTHING}</Gather>", got=NOTHING
    )

    names = {"Digits", "SpeechResult", "Confidence"}
    got = [{name: value for name, value in form.items() if name in names} for form in receiver.forms("/got")]
    assert got == ([] if fields is None else [fields])


async def test_the_action_is_the_current_document_where_none_is_named(simulator: Simulator, receiver: Receiver) -> None:
    await called(simulator, receiver, press("1#"), press("2#"), start="<Gather method='GET'/>")

    assert [request.method for request in receiver.at("/start")] == ["POST", "GET", "GET"]
    assert "Digits=2" in receiver.at("/start")[-1].raw_path


async def test_an_empty_result_goes_to_the_action_where_that_is_asked_for(
    simulator: Simulator, receiver: Receiver
) -> None:
    call = await called(
        simulator, receiver, start="<Gather action='got' actionOnEmptyResult='true'/>", got="<Say>Well?</Say>"
    )

    assert [form["Digits"] for form in receiver.forms("/got")] == [""]
    assert heard(call, "said") == ["Well?"]


@pytest.mark.parametrize(("interrupts", "prompts"), [(False, ["One", "Two"]), (True, ["One"])])
async def test_keys_break_off_what_is_said_meanwhile(
    simulator: Simulator, receiver: Receiver, *, interrupts: bool, prompts: list[str]
) -> None:
    gather = "<Gather action='got' numDigits='1'><Say>One</Say><Pause/><Say>Two</Say></Gather>"
    call = await called(simulator, receiver, press("1", interrupts=interrupts), start=gather, got="")

    assert heard(call, "said") == prompts
    assert len(receiver.forms("/got")) == 1


async def test_words_do_not_break_off_a_prompt_without_barge_in(simulator: Simulator, receiver: Receiver) -> None:
    gather = "<Gather action='got' input='speech' bargeIn='false'><Say>One</Say><Say>Two</Say></Gather>"
    call = await called(simulator, receiver, say("Hi", interrupts=True), start=gather, got="")

    assert heard(call, "said") == ["One", "Two"]


async def test_who_hangs_up_at_a_gather_ends_the_call(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, hang_up(), start=f"<Gather action='got'/>{NOTHING}", got="")

    assert (call.status, heard(call, "said"), receiver.at("/got")) == ("completed", [], [])


async def test_keys_that_nothing_ends_are_waited_for(simulator: Simulator, receiver: Receiver) -> None:
    gather = "<Gather action='got' timeout='20'/>"
    call = await called(simulator, receiver, wait(9), press("12"), start=gather, got="")

    assert call.duration == 29


async def test_a_whole_menu_is_walked(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(
        simulator,
        receiver,
        press("9"),
        press("2"),
        say("my bill", seconds=2),
        start="<Gather action='menu' numDigits='1'><Say>Press 1 or 2</Say></Gather>",
        menu="<Gather action='topic' numDigits='1'><Say>Once more</Say></Gather>",
        topic="<Gather action='end' input='speech'><Say>What is it?</Say></Gather>",
        end="<Say>Thank you</Say>",
    )

    assert heard(call) == [
        "Press 1 or 2",
        "9",
        "Once more",
        "2",
        "What is it?",
        "my bill",
        "Thank you",
    ]
    assert [form["Digits"] for form in (*receiver.forms("/menu"), *receiver.forms("/topic"))] == ["9", "2"]


@pytest.mark.parametrize("attributes", ["action='got'", ""])
async def test_in_a_document_without_a_url_the_action_has_to_be_absolute(
    client: Client, simulator: Simulator, attributes: str
) -> None:
    simulator.people.put(CALLER, Person(acts=(press("1#"),)))
    twiml = f"<Response><Gather {attributes}/></Response>"
    await client.calls.create_async(to=CALLER, from_=APP, twiml=twiml)
    await simulator.settled()

    assert codes(simulator.calls[0]) == [11100]
