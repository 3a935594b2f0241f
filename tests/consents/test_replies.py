"""What answers STOP, START and HELP."""

import pytest

from shared.consents.replies import reply_to
from shared.consents.words import Word, word_of
from shared.text.segments import count
from tests.fakes import make_settings

TEXTS: list[tuple[Word, str]] = [("stop", "Bye."), ("start", "Hi."), ("help", "Ask.")]
OURS = {"STOP_REPLY": "Bye.", "START_REPLY": "Hi.", "HELP_REPLY": "Ask."}


def reply(
    word: Word, who: str, *, opt_out_type: str | None = None, is_answered: bool = True, is_repeated: bool = False
) -> str | None:
    """The reply to a word that Twilio knows and that is said for the first time, unless told otherwise."""
    return reply_to(
        word,
        opt_out_type=opt_out_type,
        is_answered=is_answered,
        is_repeated=is_repeated,
        settings=make_settings(**OURS, OPT_OUT_REPLIES=who),
    )


@pytest.mark.parametrize(("word", "text"), TEXTS)
def test_the_app_answers_a_word_that_twilio_knows_only_where_a_setting_says_so(word: Word, text: str) -> None:
    assert reply(word, "app") == text
    assert reply(word, "") is reply(word, "twilio") is None


@pytest.mark.parametrize("who", ["", "twilio", "app"])
@pytest.mark.parametrize(("word", "text"), TEXTS)
def test_the_app_answers_a_word_that_twilio_does_not_know_whatever_the_setting_says(
    word: Word, text: str, who: str
) -> None:
    assert reply(word, who, is_answered=False) == text


@pytest.mark.parametrize("who", ["twilio", "app"])
@pytest.mark.parametrize("is_answered", [True, False])
def test_an_opt_out_is_confirmed_once_and_other_words_are_answered_again(who: str, *, is_answered: bool) -> None:
    assert reply("stop", who, is_answered=is_answered, is_repeated=True) is None
    for word in ("start", "help"):
        again = reply(word, who, is_answered=is_answered, is_repeated=True)
        assert again == reply(word, who, is_answered=is_answered)


@pytest.mark.parametrize("word", ["stop", "start", "help"])
@pytest.mark.parametrize("who", ["twilio", "app"])
@pytest.mark.parametrize("is_answered", [True, False])
def test_what_advanced_opt_out_has_answered_is_not_answered_again(word: Word, who: str, *, is_answered: bool) -> None:
    assert reply(word, who, opt_out_type=word.upper(), is_answered=is_answered) is None


@pytest.mark.parametrize("word", ["stop", "start", "help"])
def test_a_reply_by_default_is_one_cheap_segment_and_no_word_that_asks_for_another(word: Word) -> None:
    text = reply_to(word, opt_out_type=None, is_answered=False, is_repeated=False, settings=make_settings())
    assert text
    assert word_of(text, None) is None
    segments = count(text)
    assert (segments.encoding, segments.segments) == ("GSM-7", 1)
