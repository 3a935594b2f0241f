"""What callers leave, and what they are sent: voicemail, its transcription, and texts."""

from typing import Any

import pytest

from local.twilio.people import Act, hang_up, press, say, speak
from tests.end_to_end.flows.calling import again, called, details, heard, of_kind, shown, webhooks
from tests.end_to_end.stage import Stage, eventually

RECORDING, TEXTING = "+14155550207", "+14155550208"
BODY = "We have your message & call back."


def texts_to(everything: Stage, to: str) -> list[str]:
    """What was texted to a number, in order."""
    return [message.body for message in everything.twilio.messages if message.to == to]


async def texted(everything: Stage, to: str, *, count: int = 1) -> list[str]:
    """Wait until so many texts went to a number, and return them all."""

    async def look() -> bool:
        return len(texts_to(everything, to)) >= count

    await eventually(look)
    await everything.queue_is_empty()
    return texts_to(everything, to)


@pytest.mark.parametrize(
    ("from_", "end", "said"),
    [
        ("+14155550151", press("*"), ["Please speak.", "Thank you."]),
        ("+14155550152", hang_up(), ["Please speak."]),
    ],
)
async def test_a_voicemail_is_recorded_transcribed_and_answered_with_a_text(
    flowing: Stage, *, from_: str, end: Act, said: list[str]
) -> None:
    call = await called(flowing, say("Please call me back, it is about the bill"), end, from_=from_, to=RECORDING)
    delivery = await shown(flowing, call.sid, lambda it: it["recording_url"] and of_kind(it, "transcription"))
    [recording] = [each for each in flowing.twilio.recordings if each.call_sid == call.sid]
    [transcription] = of_kind(delivery, "transcription")

    assert heard(call) == said
    assert (delivery["recording_url"].rpartition("/")[2], delivery["recording_seconds"]) == (recording.sid, 3)
    assert transcription["TranscriptionText"] == "Please call me back, it is about the bill"
    assert transcription["RecordingSid"] == recording.sid
    assert details(delivery, "event", "seconds") == [{"event": "voicemail"}, {"seconds": "3"}]
    assert await texted(flowing, from_) == [BODY]


async def test_what_no_machine_understands_is_on_record_as_that(flowing: Stage) -> None:
    call = await called(flowing, speak(9), press("*"), from_="+14155550153", to=RECORDING)
    delivery = await shown(flowing, call.sid, lambda it: of_kind(it, "transcription"))

    [transcription] = of_kind(delivery, "transcription")
    assert (transcription["TranscriptionStatus"], transcription["TranscriptionText"]) == ("failed", "")


async def test_who_says_nothing_leaves_no_voicemail(flowing: Stage) -> None:
    call = await called(flowing, from_="+14155550154", to=RECORDING)
    delivery: Any = await flowing.ended(call.sid, "completed")

    assert heard(call) == ["Please speak.", "You said nothing."]
    assert details(delivery, "recording") == [{"recording": "empty"}]
    assert (delivery["recording_url"], texts_to(flowing, "+14155550154")) == (None, [])


async def test_a_recording_is_as_long_as_the_step_has_it_at_most(flowing: Stage) -> None:
    call = await called(flowing, speak(50), from_="+14155550155", to=RECORDING)
    delivery = await shown(flowing, call.sid, lambda it: it["recording_url"])

    assert (heard(call)[-1], delivery["recording_seconds"]) == ("Thank you.", 30)


async def test_a_caller_is_texted_once_however_often_twilio_asks_and_once_for_each_visit(flowing: Stage) -> None:
    caller = "+14155550156"
    words = f"{caller}, here is the link: https://example.com/?a=1&b=<2>"
    call = await called(flowing, press("1"), from_=caller, to=TEXTING)
    [turn] = [hook for hook in webhooks(flowing, call.sid) if ("Digits", "1") in hook.fields]
    assert (await again(flowing, turn)).status == 200
    assert await texted(flowing, caller) == [words]

    second = await called(flowing, press("1"), press("1"), from_=caller, to=TEXTING)
    assert await texted(flowing, caller, count=3) == [words] * 3
    texts = [each for each in await flowing.search(to=caller) if each["direction"] == "outbound"]
    assert sorted(each["origin"] for each in texts) == sorted([call.sid, second.sid, second.sid])
    assert all(each["id"].startswith(f"{each['origin']}~") for each in texts)


async def test_somebody_else_is_texted_where_the_step_names_them(flowing: Stage) -> None:
    call = await called(flowing, press("2"), from_="+14155550157", to=TEXTING)

    assert heard(call)[-1] == "Goodbye."
    assert await texted(flowing, "+14155550308") == ["Somebody sends you a link."]
    assert texts_to(flowing, "+14155550157") == []
