import pytest

from shared.voice.twimlets.conference import CODE_RETRIES, ENTER_CODE, MUSIC, WELCOME
from shared.voice.twimlets.reading import SORRY
from tests.voice.flows.makers import CALLED, CALLER, Document, call
from tests.voice.twimlets.makers import ANN, asked, at, problems, url


def room(document: Document) -> dict[str, str | None]:
    """The attributes of the conference that matter here, and its name."""
    conference = document.one("Conference")
    names = ("startConferenceOnEnter", "endConferenceOnExit", "waitUrl", "waitMethod")
    return {"name": conference.text} | {name: conference.get(name) for name in names}


def test_everybody_meets_in_the_room_of_a_name() -> None:
    document = asked(url("conference", Name=" foo "))
    assert (document.verbs, document.said, problems(document)) == (["Say", "Dial"], [WELCOME], [])
    assert room(document) == {
        "name": "foo",
        "startConferenceOnEnter": "true",
        "endConferenceOnExit": "false",
        "waitUrl": None,
        "waitMethod": None,
    }
    assert document.one("Dial").get("timeLimit") == "3600"


@pytest.mark.parametrize(
    ("by", "starts"),
    [
        (call(caller=CALLER), "true"),
        (call(caller=ANN), "true"),
        (call(caller="+14155550199"), "false"),
        (call(caller="anonymous"), "false"),
        (call(caller=CALLED, called=ANN, outbound=True), "true"),
    ],
)
def test_the_conference_begins_with_a_moderator(by: object, starts: str) -> None:
    asking = url("conference", ("Moderators[0]", "415-555-1212"), ("Moderators[1]", CALLER))
    assert isinstance(by, type(call()))
    assert room(asked(asking, by=by))["startConferenceOnEnter"] == starts


def test_without_a_name_those_meet_whose_message_and_moderators_are_the_same() -> None:
    names = {
        room(asked(asking))["name"]
        for asking in (
            "conference",
            url("conference", Music="rock"),
            url("conference", Message="Hi"),
            url("conference", Moderators=ANN),
        )
    }
    assert len(names) == 3


@pytest.mark.parametrize("genre", MUSIC)
def test_a_genre_is_music_of_twilios(genre: str) -> None:
    there = room(asked(url("conference", Music=genre)))
    assert (there["waitUrl"], there["waitMethod"]) == (MUSIC[genre], "GET")


def test_music_may_be_a_url_and_nothing_else() -> None:
    document = asked(url("conference", Music="https://example.com/wait.xml"))
    assert room(document)["waitUrl"] == "https://example.com/wait.xml"
    document = asked(url("conference", Music="jazz"))
    assert (room(document)["waitUrl"], len(problems(document))) == (None, 1)


@pytest.mark.parametrize("message", ["Hello <all>", "https://example.com/hello.mp3"])
def test_a_message_is_said_or_played_before(message: str) -> None:
    document = asked(url("conference", Message=message))
    assert document.verbs[1:] == ["Dial"]
    assert document.said == ([message] if " " in message else [])


def test_only_who_knows_the_pass_code_gets_in() -> None:
    document = asked(url("conference", Password="12345", Name="foo"))
    assert (document.verbs, document.said) == (["Gather", "Redirect"], [ENTER_CODE])
    assert document.one("Gather").get("numDigits") == "5"
    for _ in range(CODE_RETRIES):
        document = asked(at(document, "Gather", "action"), Digits="11111")
        assert document.verbs == ["Gather", "Redirect"]
    assert room(asked(at(document, "Gather", "action"), Digits="12345"))["name"] == "foo"
    assert asked(at(document, "Gather", "action"), Digits="11111").verbs == ["Say", "Hangup"]


def test_the_pound_key_may_be_in_a_pass_code() -> None:
    assert asked(url("conference", Password="12345")).one("Gather").get("finishOnKey") == "#"
    document = asked(url("conference", Password="1#3"))
    assert document.one("Gather").get("finishOnKey") == ""
    assert asked(at(document, "Gather", "action"), Digits="1#3").verbs == ["Say", "Dial"]


def test_a_short_pass_code_is_no_easier_to_guess() -> None:
    assert asked(url("conference", Password="7")).one("Gather").get("numDigits") == "3"


@pytest.mark.parametrize("code", ["secret", "1 2", "1" * 33])
def test_a_pass_code_that_nobody_can_press_lets_nobody_in(code: str) -> None:
    document = asked(url("conference", Password=code))
    assert (document.verbs, document.said, len(problems(document))) == (["Say", "Hangup"], [SORRY], 1)


def test_a_name_that_no_room_can_have_is_told_kindly() -> None:
    document = asked(url("conference", Name="a" * 65))
    assert (document.verbs[-1], document.said[-1], len(problems(document))) == ("Hangup", SORRY, 1)
