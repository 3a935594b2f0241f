"""What holds for every flow, whatever a caller, a request or Twilio brings."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.voice.flows.dial_status import UNANSWERED
from shared.voice.flows.kinds.choose import Choose
from shared.voice.flows.kinds.dial import Conference, Dial
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
from shared.voice.flows.kinds.take import Take
from shared.voice.flows.model import Flow, Speech
from shared.voice.flows.targets import Target
from shared.voice.flows.turn import Call, Part, Turn
from shared.voice.twiml import LONGEST, writable
from tests.voice.flows.makers import Document, call, flow, speech, text, turn_at, walked

anything = st.text(st.characters(), max_size=60)
markup = st.text("<>/&;\"' ]!-[{}%aé😀\r\n\t\x00\ud800", max_size=60)
brought = anything | markup
PARTS: tuple[Part, ...] = ("enter", "done", "wait", "whisper", "screen")
ENDS = {"Hangup", "Reject", "Leave"}
WAYS_ON = {"Redirect", "Dial", "Enqueue"}


def as_read(given_text: str) -> str:
    """A text as a reader of XML has it: https://www.w3.org/TR/xml/#sec-line-ends."""
    written = writable(given_text.strip())[:LONGEST].strip()
    return written.replace("\r\n", "\n").replace("\r", "\n")


@given(brought, brought, brought)
def test_every_text_comes_back_as_text(who: str, caller: str, given_input: str) -> None:
    made = flow(
        {
            "a": Say(speech=speech("{{ who }}"), next="b"),
            "b": Say(speech=speech("{{ caller }}"), next="c"),
            "c": Hangup(say=speech("{{ input.ask }}")),
        }
    )
    turn = Turn(step="a", inputs={"ask": given_input}, count=1)
    document = walked(made, turn, by=call(data={"who": who}, caller=caller))
    expected = [as_read(each) for each in (who, caller, given_input)]
    assert document.said == [each for each in expected if each]
    assert set(document.verbs) <= {"Say", "Hangup"}


@given(st.text(max_size=150))
def test_an_input_comes_back_as_text_at_a_later_turn(said: str) -> None:
    """Twilio's forms are UTF-8, so that there is no lone surrogate in them."""
    echo = speech("{{ input.ask }}")
    more: dict[str, Any] = {"branches": {}, "no_input": "end", "wrong_input": "end", "retries": 0}
    made = flow(
        {
            "ask": Gather(prompt=speech("?"), other="more", **more),
            "more": Gather(prompt=echo, other="end", **more),
            "end": Hangup(say=echo),
        },
        inputs=frozenset({"ask"}),
    )
    expected = [kept] if (kept := as_read(said[:100])) else []
    document = walked(made, Turn(step="ask", part="done", count=1, form={"SpeechResult": said or "x"}))
    if said:
        assert document.said == expected
        assert walked(made, document.next("Gather", "action", Digits="1")).said == expected


names = st.sampled_from(["a", "b", "c", "d", "ä-5"])
maybe = st.none() | names
texts = st.sampled_from(["Hi.", "{{ who }}", "{{ caller }}", "{{ input.a }}", "{{ position }}", "&" * 4096, " "]).map(
    text
)
urls = st.sampled_from(["https://example.com/a.mp3?a=1&b=2", "https://example.com/ä\x00"])
speeches = st.builds(
    Speech,
    text=st.none() | texts,
    play=st.none() | urls,
    voice=st.none() | markup,
    language=st.none() | markup,
    times=st.integers(1, 3),
)
targets = st.builds(
    Target,
    kind=st.sampled_from(["number", "client", "sip", "queue", "conference"]),
    name=st.sampled_from(["+14155550177", "anna", "sip:a@example.com", "{{ who }}", "{{ missing }}", "<&>"]).map(text),
)
actions = st.one_of(
    st.builds(Say, speech=speeches, next=maybe),
    st.builds(Play, url=urls, times=st.integers(1, 3), next=maybe),
    st.builds(Pause, seconds=st.integers(1, 9), next=maybe),
    st.builds(Choose, branches=st.fixed_dictionaries({"open": names, "closed": names})),
    st.builds(
        Gather,
        prompt=speeches,
        branches=st.dictionaries(st.sampled_from(["1", "22", "yes", "no way"]), names, max_size=3),
        other=maybe,
        digits=st.none() | st.integers(1, 3),
        speech=st.booleans(),
        hints=st.lists(markup, max_size=2).map(tuple),
        retries=st.integers(0, 2),
        sorry=st.none() | speeches,
        no_input=names,
        wrong_input=names,
    ),
    st.builds(
        Dial,
        targets=st.lists(targets, min_size=1, max_size=3).map(tuple),
        together=st.booleans(),
        record=st.booleans(),
        caller_id=st.none() | markup,
        whisper=st.none() | speeches,
        screen=st.booleans(),
        conference=st.none() | st.builds(Conference, moderator=st.booleans(), music=st.none() | urls),
        answered=maybe,
        branches=st.fixed_dictionaries(dict.fromkeys(UNANSWERED, names)),
    ),
    st.builds(
        Queue,
        name=st.sampled_from(["support", "<&>"]),
        wait=st.none() | speeches,
        music=st.none() | urls,
        leave_key=st.none() | st.just("*"),
        leave=maybe,
        full=names,
        max_wait_seconds=st.none() | st.just(60),
        next=maybe,
    ),
    st.builds(Take, queue=st.just("support"), whisper=st.none() | speeches, empty=names, next=maybe),
    st.builds(Record, prompt=speeches, transcribe=st.booleans(), empty=names, next=maybe),
    st.builds(Message, body=texts, to=st.none() | texts, next=maybe),
    st.builds(Redirect, url=st.none() | urls, flow=st.none() | st.just("other"), step=st.none() | names),
    st.builds(Reject, reason=st.sampled_from(["busy", "rejected"])),
    st.builds(Hangup, say=st.none() | speeches),
)
flows = st.builds(
    flow,
    st.fixed_dictionaries(dict.fromkeys(["a", "b", "c", "d", "ä-5"], actions)),
    events=st.dictionaries(names, st.just("told"), max_size=2),
    machine=maybe,
    inputs=st.frozensets(names),
)
forms = st.fixed_dictionaries(
    {},
    optional={
        "Digits": st.sampled_from(["", "1", "22", "*", "9"]) | brought,
        "SpeechResult": st.sampled_from(["yes", "No way!"]) | brought,
        "DialCallStatus": st.sampled_from([*UNANSWERED, "completed"]) | brought,
        "DialBridged": st.sampled_from(["true", "false"]),
        "QueueResult": st.sampled_from(["bridged", "leave", "hangup", "queue-full"]) | brought,
        "QueueTime": st.sampled_from(["1", "99"]) | brought,
        "QueuePosition": st.just("2") | brought,
        "RecordingUrl": st.just("https://api/RE1") | brought,
        "AnsweredBy": st.sampled_from(["human", "fax", "machine_start"]) | brought,
    },
)


calls = st.builds(
    call,
    data=st.fixed_dictionaries({"who": brought}),
    caller=brought,
    delivery_id=brought,
    outbound=st.booleans(),
)


def has_a_way_on(document: Document, part: str) -> bool:
    """Whether Twilio knows what comes next; what is heard aside may simply end."""
    if part in {"whisper", "screen", "wait"}:
        return True
    last = document.root[-1]
    return last.tag in ENDS or (last.tag in WAYS_ON and (last.tag == "Redirect" or last.get("action") is not None))


def ways_on(document: Document) -> list[str]:
    """All the URLs of this flow that Twilio may ask for next."""
    found = [value for each in document.root.iter() for value in (*each.attrib.values(), each.text or "")]
    return [url for url in found if "/api/voice/flow/line/" in url]


@given(flows, st.sampled_from(PARTS), names | st.just("gone"), forms, calls)
def test_every_turn_of_every_flow_is_a_document_with_a_way_on(
    made: Flow, part: Part, step: str, form: dict[str, str], caller: Call
) -> None:
    turn = Turn(step=step, part=part, form=form, index=2, tries=1)
    document = walked(made, turn, by=caller)
    assert has_a_way_on(document, part)
    keys = [each.key for each in document.happened]
    assert len(set(keys)) == len(keys)
    assert walked(made, turn, by=caller).happened == document.happened


@given(flows, st.lists(st.tuples(st.integers(0, 20), forms), min_size=6, max_size=6))
def test_a_call_through_any_flow_goes_on_and_tells_everything_once(
    made: Flow, answers: list[tuple[int, dict[str, str]]]
) -> None:
    turn: Turn | None = Turn(step="a")
    told: list[str] = []
    for number, form in answers:
        assert turn is not None
        document = walked(made, turn, by=call(data={"who": "<&>"}))
        assert has_a_way_on(document, turn.part)
        if turn.part in {"enter", "done"}:
            told += [each.key for each in document.happened]
            told += [each.key for each in document.texts]
        urls_on = ways_on(document)
        if not urls_on:
            break
        from_url = turn_at(urls_on[number % len(urls_on)], **form)
        assert from_url.count == turn.count + 1
        turn = from_url
    assert len(set(told)) == len(told)
