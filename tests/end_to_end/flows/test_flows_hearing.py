"""What is said, played, chosen by the hours, turned down and left: from a flow's file to the caller's ear."""

import pytest

from local.twilio.people import press
from shared.voice.flows.apologies import SORRY
from tests.end_to_end.flows.calling import again, called, details, heard, of_kind, shown, webhooks
from tests.end_to_end.flows.folder import CLOSED, HOLIDAY, OPEN
from tests.end_to_end.stage import Stage

SPEAKING, LEAVING, REJECTED, BUSY = "+14155550201", "+14155550209", "+14155550210", "+14155550211"


async def test_a_flow_says_plays_and_pauses_in_its_voices_and_languages(flowing: Stage) -> None:
    call = await called(flowing, from_="+14155550101", to=SPEAKING)

    spelled = "+, 1, 4, 1, 5, 5, 5, 5, 0, 1, 0, 1"
    assert [(entry.kind, entry.what, entry.voice, entry.language, entry.times) for entry in call.transcript] == [
        ("said", f"Doors & windows <Hangup/> for {spelled}.", "Polly.Amy", "en-GB", 2),
        ("played", "https://example.com/tune.mp3", None, None, 3),
        ("paused", "4", None, None, 1),
        ("said", "Grüß Gott.", "Polly.Vicki", "de-DE", 1),
        ("said", "Goodbye.", "alice", "en-US", 1),
    ]
    assert call.status == "completed"


@pytest.mark.parametrize(
    ("number", "words"), [(OPEN, "We are open."), (CLOSED, "We are closed."), (HOLIDAY, "We are on holiday.")]
)
async def test_the_hours_choose_what_a_caller_hears(flowing: Stage, *, number: str, words: str) -> None:
    call = await called(flowing, from_="+14155550102", to=number)

    assert heard(call) == [words]


@pytest.mark.parametrize(("number", "status"), [(REJECTED, "no-answer"), (BUSY, "busy")])
async def test_a_caller_who_is_rejected_hears_nothing_and_pays_nothing(
    flowing: Stage, *, number: str, status: str
) -> None:
    call = await called(flowing, from_="+14155550103", to=number)

    assert (call.transcript, call.status, call.duration) == ((), status, 0)
    await flowing.ended(call.sid, status)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("1", ["This is elsewhere.", "Order 7."]),
        ("2", ["Grüß Gott.", "Goodbye."]),
        ("3", ["Nothing was given."]),
    ],
)
async def test_a_call_leaves_for_another_flow_and_for_twiml_of_somebody_else(
    flowing: Stage, *, keys: str, words: list[str]
) -> None:
    call = await called(flowing, press(keys), from_="+14155550104", to=LEAVING)

    said = heard(call, "said")
    assert (said[0], said[-len(words) :]) == ("Where to?", words)
    assert call.status == "completed"


async def test_a_turn_that_comes_twice_is_answered_alike_and_on_record_once(flowing: Stage) -> None:
    call = await called(flowing, press("2"), from_="+14155550105", to=LEAVING)
    [turn] = [hook for hook in webhooks(flowing, call.sid) if ("Digits", "2") in hook.fields]
    answer = await again(flowing, turn)
    delivery = await flowing.ended(call.sid, "completed")

    assert (answer.status, answer.content_type) == (200, "text/xml")
    assert details(delivery, "step", "digits") == [{"step": "ask", "digits": "2"}]
    assert (delivery["direction"], delivery["from"], delivery["sid"]) == ("inbound", "+14155550105", call.sid)


async def test_who_meets_an_answer_that_twilio_can_not_use_hears_an_apology_and_why_is_on_record(
    flowing: Stage, site: str
) -> None:
    fallback = f"{flowing.settings['PUBLIC_BASE_URL']}/api/fallback/voice"
    sid = flowing.twilio.call(press("4"), from_="+14155550106", to=LEAVING, fallback_url=fallback)
    call = await flowing.twilio.ended(sid)
    delivery = await shown(flowing, sid, lambda it: of_kind(it, "trouble"))

    assert heard(call) == ["Where to?", SORRY]
    assert [note.code for note in call.notes] == [11200]
    [trouble] = of_kind(delivery, "trouble")
    assert (trouble["ErrorCode"], trouble["ErrorUrl"]) == ("11200", f"{site}/broken")
