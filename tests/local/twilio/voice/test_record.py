import pytest
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.people import Act, hang_up, press, say, silence, speak
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import Receiver
from tests.local.twilio.voice.calling import called, codes, heard

NOTHING = "<Say>Nothing</Say>"


@pytest.mark.parametrize(
    ("attributes", "acts", "seconds", "digits"),
    [
        ("", [speak(8)], "8", None),
        ("", [speak(8), press("5")], "8", "5"),
        ("finishOnKey='#'", [speak(8), press("5"), speak(2), press("#")], "10", "#"),
        ("finishOnKey='#'", [speak(8), press("5")], "8", None),
        ("maxLength='4'", [speak(8)], "4", None),
        ("", [speak(8), hang_up()], "8", "hangup"),
        ("", [speak(8), silence(), press("5")], "8", None),
    ],
)
async def test_what_is_said_goes_to_the_action_and_nothing_comes_after(
    simulator: Simulator, receiver: Receiver, *, attributes: str, acts: list[Act], seconds: str, digits: str | None
) -> None:
    call = await called(
        simulator, receiver, *acts, start=f"<Record action='got' {attributes}/>{NOTHING}", got="<Say>Thanks</Say>"
    )
    (form,), (recording,) = receiver.forms("/got"), simulator.recordings

    assert (form["RecordingDuration"], form.get("Digits")) == (seconds, digits)
    assert (form["RecordingSid"], form["RecordingUrl"].endswith(f"/Recordings/{recording.sid}")) == (
        recording.sid,
        True,
    )
    hung_up = digits == "hangup"
    assert heard(call, "said") == ([] if hung_up else ["Thanks"])
    assert form["CallStatus"] == ("completed" if hung_up else "in-progress")


@pytest.mark.parametrize("acts", [[], [silence()], [press("1")], [hang_up()]])
async def test_where_nothing_was_said_the_next_verb_comes(
    simulator: Simulator, receiver: Receiver, acts: list[Act]
) -> None:
    call = await called(simulator, receiver, *acts, start=f"<Record action='got'/>{NOTHING}", got="")

    assert (receiver.forms("/got"), simulator.recordings) == ([], [])
    assert heard(call, "said") == ([] if acts == [hang_up()] else ["Nothing"])


async def test_a_recording_is_in_the_rest_api(client: Client, simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, speak(8), start="<Record action='got'/>", got="")
    (recording,) = await client.calls(call.sid).recordings.list_async()

    assert (recording.duration, recording.source, recording.channels) == ("8", "RecordVerb", 1)


@pytest.mark.parametrize(
    ("events", "acts", "told"),
    [
        ("", [speak(3)], ["completed"]),
        ("in-progress completed", [speak(3)], ["in-progress", "completed"]),
        ("completed absent", [], ["absent"]),
        ("completed", [], []),
    ],
)
async def test_the_recordings_callback_is_told_what_it_asked_for(
    simulator: Simulator, receiver: Receiver, *, events: str, acts: list[Act], told: list[str]
) -> None:
    attributes = f"recordingStatusCallback='/tape' recordingStatusCallbackEvent='{events}'"
    await called(simulator, receiver, *acts, start=f"<Record action='got' {attributes}/>", got="")

    assert [form["RecordingStatus"] for form in receiver.forms("/tape")] == told
    assert {form["RecordingSource"] for form in receiver.forms("/tape")} <= {"RecordVerb"}


@pytest.mark.parametrize(
    ("act", "status", "words"),
    [(say("Call me back", seconds=4), "completed", "Call me back"), (speak(4), "failed", "")],
)
async def test_a_transcription_is_told(
    simulator: Simulator, receiver: Receiver, *, act: Act, status: str, words: str
) -> None:
    verbs = "<Record action='got' transcribe='true' transcribeCallback='/text'/>"
    call = await called(simulator, receiver, act, start=verbs, got="")
    (form,), (recording,) = receiver.forms("/text"), simulator.recordings

    assert (form["TranscriptionStatus"], form["TranscriptionText"]) == (status, words)
    assert form["TranscriptionSid"].startswith("TR")
    assert form["TranscriptionUrl"].endswith(f"/Transcriptions/{form['TranscriptionSid']}")
    assert (form["RecordingSid"], form["CallSid"]) == (recording.sid, call.sid)
    assert (form["AccountSid"], form["From"]) == (ACCOUNT_SID, call.from_)


@pytest.mark.parametrize(("seconds", "noted"), [(1, [13617]), (3, [])])
async def test_too_short_a_recording_is_not_put_into_writing(
    simulator: Simulator, receiver: Receiver, *, seconds: int, noted: list[int]
) -> None:
    verbs = "<Record action='got' transcribe='true' transcribeCallback='/text'/>"
    call = await called(simulator, receiver, say("Hi", seconds=seconds), start=verbs, got="<Hangup/>")

    assert codes(call) == noted
    assert len(receiver.forms("/text")) == (0 if noted else 1)


async def test_a_callback_alone_does_not_ask_for_a_transcription(simulator: Simulator, receiver: Receiver) -> None:
    await called(simulator, receiver, speak(9), start="<Record action='got' transcribeCallback='/text'/>", got="")

    assert receiver.forms("/text") == []
