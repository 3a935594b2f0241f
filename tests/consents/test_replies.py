"""What answers STOP, START and HELP."""

import pytest

from shared.consents.replies import reply_to
from shared.consents.words import Word, word_of
from shared.text.segments import count
from tests.fakes import make_settings

TEXTS: list[tuple[Word, str]] = [("stop", "Bye."), ("start", "Hi."), ("help", "Ask.")]
OURS = {"OPT_OUT_REPLIES": "app", "STOP_REPLY": "Bye.", "START_REPLY": "Hi.", "HELP_REPLY": "Ask."}


@pytest.mark.parametrize(("word", "text"), TEXTS)
def test_the_app_answers_only_where_a_setting_says_so(word: Word, text: str) -> None:
    assert reply_to(word, opt_out_type=None, settings=make_settings(**OURS)) == text
    for who in ("", "twilio"):
        settings = make_settings(**{**OURS, "OPT_OUT_REPLIES": who})
        assert reply_to(word, opt_out_type=None, settings=settings) is None


@pytest.mark.parametrize("word", ["stop", "start", "help"])
@pytest.mark.parametrize("who", ["twilio", "app"])
def test_what_advanced_opt_out_has_answered_is_not_answered_again(word: Word, who: str) -> None:
    settings = make_settings(**{**OURS, "OPT_OUT_REPLIES": who})
    assert reply_to(word, opt_out_type=word.upper(), settings=settings) is None


@pytest.mark.parametrize("word", ["stop", "start", "help"])
def test_a_reply_by_default_is_one_cheap_segment_and_no_word_that_asks_for_another(word: Word) -> None:
    text = reply_to(word, opt_out_type=None, settings=make_settings(OPT_OUT_REPLIES="app"))
    assert text
    assert word_of(text, None) is None
    segments = count(text)
    assert (segments.encoding, segments.segments) == ("GSM-7", 1)
