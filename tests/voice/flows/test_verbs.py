"""What each kind of step writes."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared.text.templates.values import Declared
from shared.voice.flows.kinds.choose import Choose
from shared.voice.flows.kinds.gather import Gather
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.message import Message
from shared.voice.flows.kinds.pause import Pause
from shared.voice.flows.kinds.play import Play
from shared.voice.flows.kinds.queue import Queue
from shared.voice.flows.kinds.record import Record
from shared.voice.flows.kinds.redirect import Redirect
from shared.voice.flows.kinds.reject import Reject
from shared.voice.flows.kinds.say import Say
from shared.voice.flows.model import Action, Hours, Span
from shared.voice.flows.turn import Turn
from tests.voice.flows.makers import APP, BASE, CALLED, CALLER, call, flow, speech, text, walked

BYE = Hangup(say=speech("Bye."))


def one(action: Action, **more: Any) -> dict[str, Action]:  # noqa: ANN401 - what the model takes
    return {"it": action, "bye": BYE, **more}


def test_a_say_speaks_with_its_voice_as_often_as_it_says() -> None:
    document = walked(flow(one(Say(speech=speech("Hi.", voice="Polly.Amy", language="en-GB", times=2), next=None))))
    assert document.verbs == ["Say", "Hangup"]
    assert document.one("Say").attrib == {"voice": "Polly.Amy", "language": "en-GB", "loop": "2"}


def test_a_file_is_played() -> None:
    document = walked(flow(one(Play(url="https://example.com/a.mp3?b=1&c=2", times=2, next="bye"))))
    assert document.verbs == ["Play", "Say", "Hangup"]
    assert document.one("Play").text == "https://example.com/a.mp3?b=1&c=2"
    assert document.one("Play").get("loop") == "2"


def test_a_pause_is_a_pause() -> None:
    document = walked(flow(one(Pause(seconds=3, next="bye"))))
    assert document.verbs == ["Pause", "Say", "Hangup"]
    assert document.one("Pause").get("length") == "3"


@pytest.mark.parametrize(("hour", "said"), [(12, "Open."), (20, "Closed.")])
def test_the_hours_choose(hour: int, said: str) -> None:
    hours = Hours(open=(Span(days=frozenset(range(7)), begin=time(9), end=time(17)),), zone=ZoneInfo("UTC"))
    made = flow(
        {
            "hours": Choose(branches={"open": "open", "closed": "closed"}),
            "open": Hangup(say=speech("Open.")),
            "closed": Hangup(say=speech("Closed.")),
        },
        hours=hours,
    )
    assert walked(made, now=datetime(2026, 1, 5, hour, tzinfo=UTC)).said == [said]


def test_a_gather_asks_within_and_goes_on_alike_without_input() -> None:
    gather = Gather(
        prompt=speech("Which one?", language="en-GB"),
        branches={"1": "bye"},
        digits=1,
        timeout=7,
        speech=True,
        hints=("sales", "support"),
        no_input="bye",
        wrong_input="bye",
    )
    document = walked(flow(one(gather)))
    assert document.verbs == ["Gather", "Redirect"]
    asked = document.one("Gather")
    assert [say.text for say in asked] == ["Which one?"]
    assert asked.attrib == {
        "input": "dtmf speech",
        "action": f"{BASE}/api/voice/flow/line/it?delivery=CA1&part=done&turn=1&v=2",
        "timeout": "7",
        "finishOnKey": "#",
        "numDigits": "1",
        "hints": "sales,support",
        "language": "en-GB",
    }
    assert document.next("Redirect") == document.next("Gather", "action")
    assert document.next("Redirect") == Turn(step="it", part="done", count=1)


def test_a_gather_of_keys_says_nothing_of_speech() -> None:
    gather = Gather(prompt=speech("?", language="de-DE"), branches={"1": "bye"}, no_input="bye", wrong_input="bye")
    asked = walked(flow(one(gather))).one("Gather")
    assert asked.get("input") == "dtmf"
    assert asked.get("hints") is None
    assert asked.get("language") is None
    assert asked[0].get("language") == "de-DE"


def test_a_recording_tells_of_itself_and_of_its_transcript() -> None:
    record = Record(prompt=speech("After the tone."), transcribe=True, empty="bye", next="bye")
    document = walked(flow(one(record)), by=call(delivery_id="on call&1"))
    assert document.verbs == ["Say", "Record", "Redirect"]
    back = "?delivery=on+call%261&v=2#rc=5&rp=all"
    assert document.one("Record").attrib == {
        "action": f"{BASE}/api/voice/flow/line/it?delivery=on+call%261&part=done&turn=1&v=2",
        "timeout": "5",
        "finishOnKey": "#",
        "maxLength": "120",
        "playBeep": "true",
        "transcribe": "true",
        "transcribeCallback": f"{BASE}/api/voice/transcription{back}",
        "recordingStatusCallback": f"{BASE}/api/voice/recording{back}",
    }
    assert document.next("Redirect") == Turn(step="it", part="done", count=1)


def test_a_recording_without_a_transcript_asks_for_none() -> None:
    written = walked(flow(one(Record(prompt=speech("Speak."), beep=False, empty="bye", next="bye")))).one("Record")
    assert written.get("playBeep") == "false"
    assert written.get("transcribe") is None
    assert written.get("transcribeCallback") is None


def test_a_queue_is_entered_with_twilios_own_music() -> None:
    enqueue = walked(flow(one(Queue(name="support", full="bye", max_size=7)))).one("Enqueue")
    assert enqueue.text == "support"
    assert enqueue.attrib == {
        "action": f"{BASE}/api/voice/flow/line/it?delivery=CA1&part=done&turn=1&v=2",
        "maxQueueSize": "7",
    }


@pytest.mark.parametrize(
    "more",
    [
        {"wait": speech("Soon.")},
        {"music": "https://example.com/a.mp3"},
        {"leave_key": "*"},
        {"max_wait_seconds": 60},
    ],
)
def test_a_queue_with_a_wait_of_its_own_says_where_that_is(more: dict[str, Any]) -> None:
    document = walked(flow(one(Queue(name="support", full="bye", **more))))
    assert document.next("Enqueue", "waitUrl") == Turn(step="it", part="wait", count=1)


def test_a_message_goes_to_the_caller_and_the_call_goes_on() -> None:
    made = flow(one(Message(body=text("For {{ caller }}: {{ link }}"), next="bye")))
    document = walked(made, by=call(data={"link": "https://example.com/?a=1&b=<2>"}))
    assert document.verbs == ["Say", "Hangup"]
    (sent,) = document.texts
    assert (sent.key, sent.to, sent.body) == (
        "0.1-it-text",
        CALLER,
        f"For {CALLER}: https://example.com/?a=1&b=<2>",
    )


def test_on_a_call_of_ours_a_message_goes_to_who_is_called() -> None:
    document = walked(flow(one(Message(body=text("Hi"), next=None))), by=call(caller=APP, outbound=True))
    assert [sent.to for sent in document.texts] == [CALLED]


@pytest.mark.parametrize(
    ("to", "is_outbound", "is_capped"),
    [
        (None, False, True),
        (None, True, False),
        ("{{ caller }}", False, True),
        ("{{ caller }}", True, False),
        ("+1{{ input.ask }}", False, True),
        ("+1{{ input.ask }}", True, True),
        ("+1{{ setting.staff }}", False, False),
        ("+1{{ staff }}", True, False),
        ("+14155550133", False, False),
    ],
)
def test_a_message_is_capped_where_a_caller_chose_its_recipient(
    to: str | None, *, is_outbound: bool, is_capped: bool
) -> None:
    made = flow(one(Message(body=text("Hi"), to=text(to) if to else None, next=None)))
    turn = Turn(step=made.start, inputs={"ask": "4155550133"})
    by = call(outbound=is_outbound, data={"staff": "4155550133"})
    (sent,) = walked(made, turn, by=by, settings={"staff": "4155550133"}).texts
    assert sent.is_capped == is_capped


def test_what_was_copied_along_with_the_number_of_a_message_is_dropped() -> None:
    message = Message(body=text("Hi"), to=text("{{ staff }}"), next="bye")
    (sent,) = walked(flow(one(message)), by=call(data={"staff": "\u202a+1 415\u202f5550133\u202c"})).texts
    assert sent.to == "+14155550133"


@pytest.mark.parametrize(
    ("message", "caller", "countries"),
    [
        (Message(body=text("Hi"), next="bye"), "anonymous", None),
        (Message(body=text("Hi"), next="bye"), CALLER, {"DE"}),
        (Message(body=text("Hi"), to=text("{{ caller }}5"), next="bye"), "client:anna", None),
        (Message(body=text("{{ missing }}"), next="bye"), CALLER, None),
        (Message(body=text("{% if caller == 'x' %}Hi{% endif %}"), next="bye"), CALLER, None),
        (Message(body=text("Hi"), to=text("+19005551234"), next="bye"), CALLER, {"US"}),
        (Message(body=text("Hi"), to=text("+4420{{ caller|last }}9460000"), next="bye"), CALLER, {"US"}),
    ],
)
def test_a_message_that_can_not_be_is_a_problem_and_the_call_goes_on(
    message: Message, caller: str, countries: set[str] | None
) -> None:
    document = walked(flow(one(message)), by=call(caller=caller), allowed_countries=countries)
    assert document.texts == ()
    assert document.said == ["Bye."]
    assert any("problem" in told for told in document.told)
    assert len({each.key for each in document.happened}) == len(document.happened)


def test_a_redirect_goes_to_its_url() -> None:
    document = walked(flow(one(Redirect(url="https://example.com/twiml?a=1&b=2"))))
    assert [(verb.tag, verb.text) for verb in document.root] == [("Redirect", "https://example.com/twiml?a=1&b=2")]


@pytest.mark.parametrize(
    ("redirect", "to"),
    [
        (Redirect(flow="other", step="ask"), "other/ask"),
        (Redirect(flow="other"), "other/first"),
    ],
)
def test_a_redirect_goes_to_another_flow_without_the_inputs_of_this_one(redirect: Redirect, to: str) -> None:
    turn = Turn(step="it", count=3, inputs={"menu": "secret"})
    document = walked(flow(one(redirect)), turn, starts={"other": "first"})
    assert document.one("Redirect").text == f"{BASE}/api/voice/flow/{to}?delivery=CA1&turn=4&v=2"


def test_a_redirect_within_the_flow_goes_on_in_the_document() -> None:
    assert walked(flow(one(Redirect(flow="line", step="bye")))).said == ["Bye."]


def test_a_redirect_to_a_flow_that_is_not_there_is_the_end_and_a_problem() -> None:
    document = walked(flow(one(Redirect(flow="other"))))
    assert document.verbs == ["Hangup"]
    assert "problem" in document.told[0]


def test_a_call_is_turned_down_before_it_is_answered() -> None:
    document = walked(flow({"hours": Choose(branches={"open": "no", "closed": "no"}), "no": Reject(reason="busy")}))
    assert [(verb.tag, verb.attrib) for verb in document.root] == [("Reject", {"reason": "busy"})]


@pytest.mark.parametrize(
    ("steps", "turn", "outbound"),
    [
        (["said", "no"], Turn(step="said"), False),
        (["no"], Turn(step="no", count=1), False),
        (["no"], Turn(step="no"), True),
    ],
)
def test_a_call_that_was_answered_can_only_be_hung_up(steps: list[str], turn: Turn, *, outbound: bool) -> None:
    actions: dict[str, Action] = {"said": Say(speech=speech("Hi."), next="no"), "no": Reject(reason="rejected")}
    document = walked(flow({name: actions[name] for name in steps}), turn, by=call(outbound=outbound))
    assert document.verbs[-1] == "Hangup"
    assert "Reject" not in document.verbs


def test_texts_know_the_call_its_data_the_defaults_and_the_settings() -> None:
    said = "{{ caller }} {{ called }} {{ n }} {{ who }} {{ input['ask-who'] }} {{ setting.COMPANY }}"
    made = flow(one(Hangup(say=speech(said))), values={"n": Declared("integer", 7), "who": Declared("text", "nobody")})
    document = walked(
        made,
        Turn(step="it", inputs={"ask-who": "items"}),
        by=call(data={"who": "me"}),
        settings={"COMPANY": "Example"},
    )
    assert document.said == [f"{CALLER} {CALLED} 7 me items Example"]


@pytest.mark.parametrize("said", ["{{ input.items }}", "{{ input.keys }}", "{{ missing }}", "{{ caller * 5 }}"])
def test_a_text_that_can_not_be_written_is_left_out_and_a_problem(said: str) -> None:
    document = walked(flow(one(Say(speech=speech(said), next="bye"))))
    assert document.said == ["Bye."]
    assert [told["step"] for told in document.told if "problem" in told] == ["it"]
    assert CALLER not in str(document.told)
