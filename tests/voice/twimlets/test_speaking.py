import pytest

from shared.voice.twimlets.reading import SORRY
from shared.voice.twimlets.speaking import MENU_RETRIES
from tests.voice.flows.makers import BASE, CALLER, call
from tests.voice.twimlets.makers import asked, at, problems, url

SPELLED = "+, 1, 4, 1, 5, 5, 5, 5, 0, 1, 0, 0"
SCREENED = f"You are receiving a call from {SPELLED}. Press any key to accept."


def test_messages_are_said_and_played_in_their_order() -> None:
    sound = "http://example.com/a b.mp3"
    document = asked(
        url("message", ("Message[0]", "Hello"), ("Message[1]", sound), ("Message[2]", "HTTP is a protocol"))
    )
    assert document.verbs == ["Say", "Play", "Say", "Hangup"]
    assert document.said == ["Hello", "HTTP is a protocol"]
    assert document.one("Play").text == "http://example.com/a%20b.mp3"


def test_a_message_is_no_template_and_no_markup() -> None:
    words = "{{ setting.secret }} {% if %} <Hangup/> & \x01"
    assert asked(url("message", Message=words)).said == [words.replace("\x01", "")[:-1]]


def test_a_voice_and_a_language_speak_every_word() -> None:
    document = asked(url("voicemail", Voice=" Polly.Vicki ", Language="de-DE" * 100, Message="Hallo"))
    assert document.one("Say").attrib == {"voice": "Polly.Vicki", "language": "de-DE" * 20}


@pytest.mark.parametrize("name", ["message", "message?Message=+", "message?Messages[0]=Hello", "menu?Message=Hi"])
def test_what_is_missing_is_told_kindly_and_on_record(name: str) -> None:
    document = asked(name)
    assert (document.verbs, document.said) == (["Say", "Hangup"], [SORRY])
    assert [problem.startswith("expected ") for problem in problems(document)] == [True]


@pytest.mark.parametrize("name", ["echo?Twiml=<Response/>", "holdmusic?Bucket=a.b", "Message", "", "../x"])
def test_an_unknown_twimlet_is_told_kindly_and_on_record(name: str) -> None:
    document = asked(name)
    assert (document.verbs, document.said) == (["Say", "Hangup"], [SORRY])
    [problem] = problems(document)
    assert "message, menu, forward" in problem


def test_more_messages_than_a_document_takes_go_on_in_the_next_one() -> None:
    words = [f"This is number {number}." for number in range(45)]
    document = asked(url("message", *(("Message[]", each) for each in words)))
    said = document.said
    while document.verbs[-1] == "Redirect":
        document = asked(at(document, "Redirect"))
        said += document.said
    assert said == words


MENU = url(
    "menu",
    ("Message", "Press 1, 22 or the star."),
    ("Options[1]", "http://example.com/one?a=1&b=2"),
    ("Options[22]", f"{BASE}/api/twimlets/message?Message=Two"),
    ("Options[*]", "https://example.com/star"),
)


def test_a_menu_asks_for_as_many_digits_as_its_longest_key() -> None:
    document = asked(MENU)
    assert document.verbs == ["Gather", "Redirect"]
    gather = document.one("Gather")
    assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("2", "#")
    assert document.said == ["Press 1, 22 or the star."]


@pytest.mark.parametrize(
    ("digits", "there", "method"),
    [
        ("1", "http://example.com/one?a=1&b=2", "GET"),
        ("22", f"{BASE}/api/twimlets/message?Message=Two", None),
        ("*", "https://example.com/star", "GET"),
    ],
)
def test_a_key_leads_to_its_url(digits: str, there: str, method: str | None) -> None:
    document = asked(at(asked(MENU), "Gather", "action"), Digits=digits)
    assert document.verbs == ["Redirect"]
    assert (document.one("Redirect").text, document.one("Redirect").get("method")) == (there, method)
    assert document.told[0]["digits"] == digits


def test_a_wrong_key_is_told_and_the_menu_asks_again_but_not_for_ever() -> None:
    document = asked(MENU)
    for _ in range(MENU_RETRIES):
        document = asked(at(document, "Gather", "action"), Digits="9")
        assert document.said == ["I'm sorry, that wasn't a valid option.", "Press 1, 22 or the star."]
    document = asked(at(document, "Gather", "action"), Digits="9")
    assert (document.verbs, document.said) == (["Say", "Hangup"], ["Good bye."])


def test_a_menu_that_nobody_answers_ends() -> None:
    document, count = asked(MENU), 0
    while document.verbs == ["Gather", "Redirect"]:
        document, count = asked(at(document, "Redirect")), count + 1
    assert (count, document.said) == (MENU_RETRIES + 1, ["Good bye."])


@pytest.mark.parametrize("there", ["javascript:alert(1)", "ftp://example.com", "//example.com", "/relative", "http://"])
def test_an_option_that_is_no_http_url_is_not_gone(there: str) -> None:
    document = asked(url("menu", ("Options[1]", there), ("Options[2]", "https://example.com"), ("Message", "Hi")))
    assert [problem for problem in problems(document) if "Options" in problem]
    again = asked(at(document, "Gather", "action"), Digits="1")
    assert again.verbs == ["Say", "Gather", "Redirect"]


def test_the_pound_key_can_be_an_option() -> None:
    assert asked(url("menu", ("Options[#]", "https://example.com"))).one("Gather").get("finishOnKey") == ""


def test_a_voicemail_records_and_has_it_transcribed() -> None:
    document = asked(url("voicemail", Email="ann@example.com"))
    assert (document.verbs, document.said) == (
        ["Say", "Record", "Redirect"],
        ["Please leave a message after the beep."],
    )
    record = document.one("Record")
    assert (record.get("transcribe"), record.get("playBeep")) == ("true", "true")
    assert [record.get(each) for each in ("maxLength", "timeout", "finishOnKey")] == ["3600", "5", "1234567890*#"]
    for attribute, route in (
        ("transcribeCallback", "voice/transcription"),
        ("recordingStatusCallback", "voice/recording"),
    ):
        assert (record.get(attribute) or "").startswith(f"{BASE}/api/{route}?delivery=CA1&v=2#")


@pytest.mark.parametrize(("given", "transcribes"), [("true", True), ("TRUE", True), ("", True), ("false", False)])
def test_a_voicemail_is_transcribed_unless_it_says_otherwise(given: str, transcribes: object) -> None:
    record = asked(url("voicemail", Transcribe=given)).one("Record")
    assert (record.get("transcribe") == "true") is transcribes
    assert (record.get("transcribeCallback") is not None) is transcribes


def test_the_link_of_a_voicemail_is_on_record_with_the_address_it_is_for() -> None:
    first = asked(url("voicemail", Email="ann@example.com", Message="http://example.com/greeting.mp3"))
    assert first.verbs == ["Play", "Record", "Redirect"]
    told = {"RecordingUrl": "https://api.twilio.com/RE1", "RecordingSid": "RE1", "RecordingDuration": "7"}
    document = asked(at(first, "Record", "action"), told=told)
    assert (document.verbs, document.said) == (["Say", "Hangup"], ["Thanks. Good bye."])
    assert document.told == [
        {
            "step": "voicemail",
            "recording_url": "https://api.twilio.com/RE1",
            "recording_sid": "RE1",
            "seconds": "7",
            "email": "ann@example.com",
        }
    ]


def test_an_address_on_record_is_no_longer_than_one_can_be() -> None:
    first = asked(url("voicemail", Email=f" {'a' * 300} "))
    [told] = asked(at(first, "Record", "action"), told={"RecordingUrl": "https://api.twilio.com/RE1"}).told
    assert told["email"] == "a" * 254


def test_a_voicemail_of_silence_ends_the_call() -> None:
    first = asked(url("voicemail", Email="ann@example.com"))
    document = asked(at(first, "Redirect"))
    assert (document.verbs, document.told) == (["Hangup"], [{"step": "voicemail", "recording": "empty"}])


def test_a_whisper_asks_for_a_key_and_connects_without_one_too() -> None:
    document = asked("whisper")
    assert (document.verbs, document.said) == (["Gather"], [SCREENED])
    assert document.one("Gather").get("numDigits") == "1"
    assert asked(at(document, "Gather", "action"), Digits="1").verbs == []


@pytest.mark.parametrize("given", ["1", "", "false"])
def test_a_human_check_hangs_up_on_who_presses_no_key(given: str) -> None:
    document = asked(url("whisper", HumanCheck=given, Message="A call for sales."), by=call(caller=CALLER))
    assert (document.verbs, document.said) == (["Gather", "Hangup"], ["A call for sales."])
    assert asked(at(document, "Gather", "action"), Digits="5").verbs == []
    assert asked(at(document, "Gather", "action"), Digits="").verbs == ["Hangup"]
