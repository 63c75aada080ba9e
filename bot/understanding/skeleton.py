"""The consonants of a text in any script, so that Arabizi and other Latin-letter spellings meet the real letters.

"bde sajjel wlede" and "بدي أسجل ولدي" have one skeleton: "BT SJL LT". Written vowels, doubled letters and the
difference between sounds that nobody spells the same way are left out. It knows no language.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from bot.understanding.normalise import plain_words

_LETTERS: Final = {
    letter: sound
    for sound, letters in {
        "": "اويعаеєиіїйоуьъыэюя", "B": "بپбп", "T": "تٹټثدډضطтд", "J": "جژږж", "C": "چشښчшщ", "H": "حخهх",
        "S": "سصزذظځсз", "TS": "څц", "R": "رړр", "K": "غقكگгк", "F": "فڤвф", "L": "لл", "M": "مм", "N": "نڼн",
    }.items()
    for letter in letters
}  # fmt: skip
"""Arabic script and Cyrillic (as `normalise` leaves them) to sounds; vowels, and what is spelled in ten ways: none."""
_DIGITS: Final = {"2": "", "3": "", "5": "kh", "6": "t", "7": "h", "8": "gh", "9": "q"}
"""Digits that stand for letters in Arabizi."""

_SOUNDS: Final = (
    ("shch", "C"), ("sch", "C"), ("tch", "C"), ("tsh", "C"), ("ch", "C"), ("sh", "C"), ("zh", "J"), ("kh", "H"),
    ("gh", "K"), ("qh", "K"), ("kx", "H"), ("th", "T"), ("dh", "D"), ("ph", "F"), ("ck", "K"), ("sz", "S"),
    ("tz", "TS"), ("hh", "H"), ("dj", "J"), ("ny", "N"),
)  # fmt: skip
_ONE: Final = str.maketrans("bpdtfvgkqcxjhszlmnr", "BBTTFFKKKKHJHSSLMNR", "aeiouwy")
_ARTICLE: Final = re.compile("^(?:ال|وال|لل)(?=..)|(?<=..)ه$")
_AGAIN: Final = re.compile(r"(.)\1+")


@lru_cache(maxsize=1024)
def _latin(char: str) -> str:
    if char in _LETTERS:
        return _LETTERS[char]
    name = unicodedata.name(char, "")
    if name.startswith("ETHIOPIC SYLLABLE "):
        return name.rpartition(" ")[2].lower()
    return char


@lru_cache(maxsize=8192)
def skeleton_of(word: str) -> str:
    """The consonants of a plain word, in capitals; "" when it has none. A number stays as it is."""
    if word.isdigit():
        return word
    letters = "".join([_latin(char) for char in _ARTICLE.sub("", word)])
    letters = "".join([_DIGITS.get(char, char) for char in letters])
    for spelled, sound in _SOUNDS:
        if spelled in letters:
            letters = letters.replace(spelled, sound)
    return _AGAIN.sub(r"\1", letters.translate(_ONE))


def skeleton_words(text: str) -> list[str]:
    """The skeletons of the words of a text; at most 400, none that is empty or an article."""
    found = (skeleton_of(word) for word in plain_words(text))
    return [word for word in found if word and word != "L"]
