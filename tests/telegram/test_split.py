"""A long text arrives whole: in parts that Telegram takes, cut where people would cut."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.telegram.split import MOST, length, split

SMALL = 64
ISOLATES = dict.fromkeys((0x2066, 0x2067, 0x2068, 0x2069))
WORDS = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc", "M", "Cf")), min_size=1, max_size=20)
    | st.sampled_from(["https://www.lokeren.be/nl/a?b=c#d", "👩‍👩‍👧‍👦", "🇧🇪🇺🇦", "نعم.", "да!", "\u2067سلام\u2069"]),
    min_size=1, max_size=60,
)  # fmt: skip
GAPS = st.sampled_from([" ", " ", "\n", "\n\n", "  ", "\n \n"])


def words(parts: list[str]) -> list[str]:
    return " ".join(parts).translate(ISOLATES).split()


@given(WORDS, st.data())
@settings(max_examples=300, deadline=None)
def test_no_word_is_lost_or_cut(given_words, data):
    text = given_words[0] + "".join(data.draw(GAPS) + word for word in given_words[1:])
    parts = split(text, SMALL)
    assert all(length(part) <= SMALL for part in parts), [length(part) for part in parts]
    assert all(part.strip() for part in parts)
    assert words(parts) == words([text])
    for part in parts:
        assert part.count("\u2067") == part.count("\u2069"), part


@given(st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_is_kept(text):
    parts = split(text, SMALL)
    assert all(length(part) <= SMALL for part in parts)
    wanted = "".join("".join(text.translate(ISOLATES).split()))
    assert "".join("".join(parts).translate(ISOLATES).split()) == wanted


@given(st.text(st.sampled_from("👩‍🏽é🇧🇪e\u0301\ufe0f"), min_size=1, max_size=200))
@settings(max_examples=200, deadline=None)
def test_half_of_a_surrogate_pair_never_ends_a_part(text):
    parts = split(text, SMALL)
    assert "".join(parts) == text
    assert all(length(part) <= SMALL for part in parts)


def test_a_family_a_flag_and_a_letter_with_its_marks_stay_whole():
    for cluster in ("👩‍👩‍👧‍👦", "🇧🇪", "e\u0301", "👍🏽", "❤\ufe0f"):
        parts = split(cluster * 50, SMALL)
        assert len(parts) > 1
        assert all(part == cluster * (len(part) // len(cluster)) for part in parts), (cluster, parts)


def test_the_cut_is_at_a_paragraph_then_a_line_then_a_sentence_then_a_word():
    assert split("a" * 30 + "\n\n" + "b" * 10 + "\n" + "c" * 40, SMALL) == ["a" * 30, "b" * 10 + "\n" + "c" * 40]
    assert split("a" * 30 + "\n" + "b. " * 8 + "c" * 30, SMALL)[0] == "a" * 30
    assert split("a" * 30 + ". " + "b " * 12 + "c" * 30, SMALL)[0] == "a" * 30 + "."
    assert split("a" * 30 + " " + "b" * 60, SMALL) == ["a" * 30, "b" * 60]


def test_a_link_longer_than_the_rest_moves_to_the_next_part():
    link = "https://www.lokeren.be/" + "a" * 35
    assert split("Kijk hier: " + link, SMALL) == ["Kijk hier:", link]


def test_what_fits_is_not_touched():
    for text in ("", " ", "kort", "x" * MOST, "👍" * (MOST // 2)):
        assert split(text) == [text]
    assert [length(part) for part in split("👍" * (MOST // 2 + 1))] == [MOST, 2]


def test_an_isolate_that_is_open_at_a_cut_is_closed_and_opened_again():
    parts = split("\u2067" + "سلام " * 30 + "\u2069", SMALL)
    assert len(parts) > 2
    assert all(part.startswith("\u2067") and part.endswith("\u2069") for part in parts), parts


def test_a_letter_without_an_end_of_marks_ends_too():
    parts = split("e" + "\u0301" * 300, SMALL)
    assert "".join(parts) == "e" + "\u0301" * 300
    assert unicodedata.combining(parts[1][0])
