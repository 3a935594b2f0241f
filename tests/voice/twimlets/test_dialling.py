from dataclasses import dataclass

import pytest

from shared.voice.twimlets.dialling import NOT_REACHED, RESTRICTED
from shared.voice.twimlets.reading import SORRY
from tests.voice.flows.makers import BASE, CALLED, CALLER, Document, call
from tests.voice.twimlets.makers import ANN, BOB, asked, at, problems, url

FAIL = "http://myapp.example/please-try-later.mp3"
UNREACHED = ["busy", "no-answer", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A twimlet that dials: its numbers' parameter, how long it rings, and what who answers has to do."""

    name: str
    parameter: str
    rings: str = "20"
    whispers: bool = True
    screens: bool = False


KINDS = [
    Kind("forward", "PhoneNumber", whispers=False),
    Kind("callme", "PhoneNumber"),
    Kind("simulring", "PhoneNumbers[0]"),
    Kind("findme", "PhoneNumbers[0]", rings="60", screens=True),
]
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def dialled(document: Document) -> list[str]:
    """Whom a document dials."""
    return [number.text or "" for number in document.root.iter("Number")]


@every
def test_a_number_is_dialled_for_as_long_as_of_old(kind: Kind) -> None:
    document = asked(url(kind.name, (kind.parameter, "415-555-1212")))
    assert (document.verbs, dialled(document), problems(document)) == (["Dial"], [ANN], [])
    dial = document.one("Dial")
    assert (dial.get("timeout"), dial.get("timeLimit")) == (kind.rings, "3600")
    assert asked(url(kind.name, (kind.parameter, ANN), Timeout="7")).one("Dial").get("timeout") == "7"


@every
def test_who_answers_hears_of_the_call_before(kind: Kind) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN), Message="A call for sales. <&>"))
    assert (document.one("Number").get("url") is not None) == kind.whispers
    if not kind.whispers:
        return
    whisper = asked(at(document, "Number", "url"))
    assert whisper.verbs == ["Gather", "Hangup"] if kind.screens else ["Gather"]
    assert whisper.said == ["A call for sales. <&>"]
    assert asked(at(whisper, "Gather", "action"), Digits="5").verbs == []


@every
@pytest.mark.parametrize("status", UNREACHED)
def test_a_call_that_nobody_takes_goes_to_the_fail_url(kind: Kind, status: str) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN), FailUrl=FAIL))
    failed = asked(at(document, "Dial", "action"), DialCallStatus=status)
    assert failed.verbs == ["Redirect"]
    assert (failed.one("Redirect").text, failed.one("Redirect").get("method")) == (FAIL, "GET")
    assert failed.told[0]["dial"] == status


@every
@pytest.mark.parametrize("status", ["completed", "answered", *UNREACHED])
def test_without_a_fail_url_the_call_ends(kind: Kind, status: str) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN)))
    ended = asked(at(document, "Dial", "action"), DialCallStatus=status)
    assert ended.verbs == (["Say", "Hangup"] if status == "failed" else ["Hangup"])


@every
def test_an_answered_call_ends_with_a_fail_url_too(kind: Kind) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN), FailUrl=FAIL))
    assert asked(at(document, "Dial", "action"), DialCallStatus="completed").verbs == ["Hangup"]


@every
@pytest.mark.parametrize("fail", ["javascript:alert(1)", "file:///etc/passwd", "/relative", "//example.com", "http://"])
def test_a_fail_url_that_is_no_http_url_is_not_gone(kind: Kind, fail: str) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN), FailUrl=fail))
    assert [problem for problem in problems(document) if "FailUrl" in problem]
    assert asked(at(document, "Dial", "action"), DialCallStatus="busy").verbs == ["Hangup"]


@every
@pytest.mark.parametrize(
    ("host", "method"), [(BASE, None), (f"{BASE}.evil.example", "GET"), (f"{BASE}@evil.example", "GET")]
)
def test_a_fail_url_of_this_app_is_posted_to_and_no_other(kind: Kind, host: str, method: str | None) -> None:
    fail = f"{host}/api/twimlets/voicemail?Email=ann%40example.com"
    document = asked(url(kind.name, (kind.parameter, ANN), FailUrl=fail))
    redirect = asked(at(document, "Dial", "action"), DialCallStatus="busy").one("Redirect")
    assert (redirect.text, redirect.get("method")) == (fail, method)


@every
@pytest.mark.parametrize("number", ["", "nobody", "911", "+1", "client:ann", "sip:ann@example.com", "4155551212 x7"])
def test_nobody_to_dial_is_told_kindly_and_on_record(kind: Kind, number: str) -> None:
    document = asked(url(kind.name, (kind.parameter, number)))
    assert (document.verbs, document.said) == (["Say", "Hangup"], [SORRY])
    assert problems(document)
    assert asked(url(kind.name, (kind.parameter, number), FailUrl=FAIL)).verbs == ["Redirect"]


@every
def test_a_country_that_is_not_allowed_is_not_dialled(kind: Kind) -> None:
    only_us = {"allowed_countries": frozenset({"US"})}
    document = asked(url(kind.name, (kind.parameter, "+4915112345678")), more=only_us)
    assert (document.verbs, document.said) == (["Say", "Hangup"], [NOT_REACHED])
    assert problems(document)


@every
def test_a_conversation_is_no_longer_than_a_call_may_be(kind: Kind) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN)), more={"max_call_seconds": 60})
    assert document.one("Dial").get("timeLimit") == "60"


@every
@pytest.mark.parametrize("timeout", ["0", "-1", "601", "soon", "1e3"])
def test_a_timeout_that_is_none_is_as_if_it_was_not_there(kind: Kind, timeout: str) -> None:
    document = asked(url(kind.name, (kind.parameter, ANN), Timeout=timeout))
    assert document.one("Dial").get("timeout") == kind.rings
    assert [problem for problem in problems(document) if "Timeout" in problem]


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("415-555-1212", "US", ANN),
        ("(415) 555-1212", "US", ANN),
        ("1-415-555-1212", "US", ANN),
        (" 14155551212", "US", ANN),
        ("+44 20 7946 0018", "US", "+442079460018"),
        (" 442079460018", "US", "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("030 901820", "DE", "+4930901820"),
    ],
)
def test_numbers_are_read_as_people_write_them(written: str, region: str, number: str) -> None:
    assert dialled(asked(url("forward", PhoneNumber=written), region=region)) == [number]


ALLOWED = url("forward", ("AllowedCallers[0]", "415-555-0100"), ("AllowedCallers[1]", BOB), PhoneNumber=ANN)


@pytest.mark.parametrize("caller", [CALLER, BOB])
def test_an_allowed_caller_is_forwarded(caller: str) -> None:
    assert dialled(asked(ALLOWED, by=call(caller=caller))) == [ANN]


@pytest.mark.parametrize("caller", ["+14155550199", "anonymous", "", "4155550100"])
def test_another_caller_is_not(caller: str) -> None:
    document = asked(ALLOWED, by=call(caller=caller))
    assert (document.verbs, document.said) == (["Say", "Hangup"], [RESTRICTED])


def test_of_a_call_that_was_made_the_callee_is_the_one_who_is_allowed() -> None:
    assert dialled(asked(ALLOWED, by=call(caller=CALLED, called=CALLER, outbound=True))) == [ANN]
    assert not dialled(asked(ALLOWED, by=call(caller=CALLER, called=CALLED, outbound=True)))


def test_where_no_allowed_caller_can_be_read_nobody_is_one() -> None:
    document = asked(url("forward", ("AllowedCallers[]", "everybody"), PhoneNumber=ANN))
    assert document.said == [RESTRICTED]
    assert problems(document)


def test_who_is_not_allowed_gets_no_further_with_a_later_turn() -> None:
    action = at(asked(ALLOWED), "Dial", "action")
    assert not dialled(asked(action.replace("part=done", "part=enter"), by=call(caller="+14155550199")))


def test_forward_shows_the_caller_id_that_it_names() -> None:
    assert asked(url("forward", PhoneNumber=ANN, CallerId="510-555-1212")).one("Dial").get("callerId") == BOB
    unreadable = asked(url("forward", PhoneNumber=ANN, CallerId="me"))
    assert unreadable.one("Dial").get("callerId") is None
    assert problems(unreadable)


@pytest.mark.parametrize(("status", "goes"), [("completed", False), ("answered", False), ("busy", True)])
def test_forward_may_be_the_action_of_a_dial_from_elsewhere(status: str, goes: object) -> None:
    document = asked(url("forward", Dial="true", FailUrl=FAIL), DialCallStatus=status)
    assert (document.verbs, problems(document)) == (["Redirect"] if goes else ["Hangup"], [])
    assert asked(url("forward", Dial="true"), DialCallStatus=status).verbs == ["Hangup"]


def test_forward_dials_where_nobody_dialled_before() -> None:
    document = asked(url("forward", Dial="true", PhoneNumber=ANN))
    assert dialled(document) == [ANN]
    assert asked(at(document, "Dial", "action"), DialCallStatus="busy").verbs == ["Hangup"]
    assert dialled(asked(url("forward", PhoneNumber=ANN), DialCallStatus="completed")) == [ANN]


def test_simulring_rings_all_at_once_and_each_hears_of_it() -> None:
    document = asked(url("simulring", ("PhoneNumbers[0]", ANN), ("PhoneNumbers[1]", "x"), ("PhoneNumbers[2]", BOB)))
    assert dialled(document) == [ANN, BOB]
    assert len(problems(document)) == 1
    for number in document.root.iter("Number"):
        assert asked(number.get("url") or "").verbs == ["Gather"]


def test_simulring_takes_one_number_without_brackets() -> None:
    assert dialled(asked(url("simulring", PhoneNumbers=ANN))) == [ANN]


def test_findme_goes_from_number_to_number_until_somebody_takes_the_call() -> None:
    document = asked(url("findme", ("PhoneNumbers[]", ANN), ("PhoneNumbers[]", BOB), FailUrl=FAIL))
    assert dialled(document) == [ANN]
    # a machine answered, and pressed nothing
    second = asked(at(document, "Dial", "action"), DialCallStatus="completed", DialBridged="false")
    assert dialled(second) == [BOB]
    assert asked(at(second, "Dial", "action"), DialCallStatus="no-answer").one("Redirect").text == FAIL


@pytest.mark.parametrize("name", ["simulring", "findme"])
def test_more_numbers_than_twilio_dials_are_left(name: str) -> None:
    numbers = [("PhoneNumbers[]", f"+1415555{number:04}") for number in range(1000, 1012)]
    document = asked(url(name, *numbers))
    assert len(dialled(document)) == (10 if name == "simulring" else 1)
    assert [problem for problem in problems(document) if "at most 10" in problem]
