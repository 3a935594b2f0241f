# ruff: noqa: RUF001 - typographic marks are what this is about
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.segments import count, plain

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"
)
FANCY = "“”„‘’‚«»‹›–—−‑…•´`\t\u00a0\u2009\u202f\u3000\u200b\u200d\u2060\ufeff\u00ad\u2028"
texts = st.text(st.sampled_from("aé€{č中😀👍🏽’…") | st.characters(exclude_categories=["Cs"]), max_size=400)
gsm_texts = st.text(GSM, max_size=400)
fancy_texts = st.text(GSM + FANCY, max_size=200)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 459, 3),
        ("a" * 460, 4),
    ],
)
def test_gsm_7_has_160_characters_alone_and_153_in_each_of_several(text: str, segments: int) -> None:
    counted = count(text)
    assert (counted.encoding, counted.segments, counted.units) == ("GSM-7", segments, len(text))


@pytest.mark.parametrize(
    ("characters", "segments"), [(70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)], ids=str
)
def test_ucs_2_has_70_characters_alone_and_67_in_each_of_several(characters: int, segments: int) -> None:
    counted = count("č" * characters)
    assert (counted.encoding, counted.segments, counted.units) == ("UCS-2", segments, characters)


@pytest.mark.parametrize("character", "\f^{}\\[~]|€")
def test_a_character_of_the_extension_table_costs_two(character: str) -> None:
    counted = count(character * 80)
    assert (counted.encoding, counted.characters, counted.units, counted.segments) == ("GSM-7", 80, 160, 1)
    assert count(character * 81).segments == 2


def test_a_character_of_the_extension_table_is_not_split() -> None:
    assert count("a" * 153 + "€" + "a" * 151).segments == 2
    assert count("a" * 152 + "€" + "a" * 151).segments == 2, "305 units in 153 + 153, the euro whole in the second"
    assert count("a" * 152 + "€" + "a" * 152).segments == 3, "306 units would fit, were the euro split"


def test_a_surrogate_pair_costs_two_and_is_not_split() -> None:
    counted = count("😀" * 35)
    assert (counted.encoding, counted.characters, counted.units, counted.segments) == ("UCS-2", 35, 70, 1)
    assert count("😀" * 36).segments == 2
    assert count("😀" * 66).segments == 2, "33 in each, and one unit of each is left empty"
    assert count("😀" * 67).segments == 3, "134 units would fit, were a pair split"


def test_in_ucs_2_a_character_of_the_extension_table_costs_one() -> None:
    assert count("]" * 69 + "č").units == 70


@pytest.mark.parametrize("text", ["ç", "`", "\t", "ÿ", "’"])
def test_what_gsm_7_does_not_have_is_named_once_in_the_order_it_comes(text: str) -> None:
    assert count(f"a{text}b{text}č").outside == (text, "č")


def test_capital_c_with_cedilla_is_in_gsm_7() -> None:
    assert count("Ç").encoding == "GSM-7"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\n\n\r\n"])
@pytest.mark.parametrize("text", ["a" * 160, "中" * 70, "", "one\ntwo"])
def test_line_breaks_at_the_end_do_not_count_as_twilio_trims_them(text: str, ends: str) -> None:
    assert count(text + ends) == count(text)


def test_line_breaks_within_a_text_and_other_white_space_at_its_end_count() -> None:
    assert count("a" * 80 + "\n" + "a" * 80).segments == 2
    assert count("a" * 160 + " ").segments == 2
    assert count("\n" + "a" * 160).segments == 2


def test_a_lone_surrogate_is_counted_and_breaks_nothing() -> None:
    assert count("\ud800").units == 1


@given(texts)
def test_units_fill_the_segments_and_no_segment_is_empty(text: str) -> None:
    counted = count(text)
    joined = {"GSM-7": 153, "UCS-2": 67}[counted.encoding]
    if counted.segments > 1:
        assert (counted.segments - 1) * (joined - 1) < counted.units <= counted.segments * joined


@given(texts)
def test_units_of_ucs_2_are_those_of_utf_16(text: str) -> None:
    counted = count(text + "č")
    assert counted.units * 2 == len((text + "č").encode("utf-16-le", "surrogatepass"))


@given(texts, texts)
def test_more_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert count(text + more).segments >= count(text).segments


@pytest.mark.parametrize(
    ("fancy", "simple"),
    [
        ("“Hello” – it’s me…", '"Hello" - it\'s me...'),
        ("„Guten Tag“, ‚sagte‘ er", "\"Guten Tag\", 'sagte' er"),
        ("«Bonjour» ‹toi›", "\"Bonjour\" 'toi'"),
        ("10\u00a0000\u202f€ — 5\u22113", None),
        ("10\u00a0000\u202f€ − 3", "10 000 € - 3"),
        ("a\u200bb\ufeffc\u2060d\u00ade", "abcde"),
        ("• one\u2028• two\tx", "- one\n- two x"),
        ("Gru\u0308\u00dfe, Jose\u0301", "Grüße, José"),
        ("Grüße für 5 €", "Grüße für 5 €"),
        ("it’s fine 😀", None),
        ("Łukasz’s", None),
        ("", ""),
    ],
)
def test_plain_writes_simple_punctuation_where_that_is_enough(fancy: str, simple: str | None) -> None:
    assert plain(fancy) == (fancy if simple is None else simple)


@pytest.mark.parametrize("mark", [*FANCY, *"\u2010\u2012\u2015\u2212\u2011\u2032\u2033\u02bc\u200e\u200f\u0085"])
def test_one_typographic_mark_costs_nothing_once_it_is_plain(mark: str) -> None:
    text = "a" * 150 + mark
    assert count(text).segments == 3
    assert count(plain(text)).segments == 1


@given(gsm_texts)
def test_plain_leaves_gsm_7_alone(text: str) -> None:
    assert plain(text) == text


@given(fancy_texts)
def test_plain_brings_typography_to_gsm_7_and_is_done_then(text: str) -> None:
    simple = plain(text)
    assert count(simple).encoding == "GSM-7"
    assert plain(simple) == simple


@given(texts)
def test_plain_ends_in_gsm_7_or_changes_nothing(text: str) -> None:
    assert plain(text) == text or count(plain(text)).encoding == "GSM-7"


@given(fancy_texts)
def test_plain_keeps_every_letter_and_digit_in_its_place(text: str) -> None:
    def letters(of: str) -> list[str]:
        return [character for character in of if character.isalnum()]

    assert letters(plain(text)) == letters(unicodedata.normalize("NFC", text))
