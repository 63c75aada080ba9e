"""Spells words of other scripts in Latin letters as people do on a phone: so such a text is known for its language.

It is only used to learn which letters stand beside which in each language; nothing is ever shown that it makes.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from bot.understanding.scripts import script

_ARABIC: Final = {
    "ا": "a a", "أ": "a 2a", "إ": "e i", "آ": "aa a", "ى": "a a", "ی": "i i", "ې": "e e", "ۍ": "ai ai", "ئ": "2 y",
    "و": "w o", "ؤ": "2o o", "ي": "y i", "ه": "h h", "ة": "e a", "ء": "2 ", "ع": "3 a", "ب": "b b", "پ": "p p",
    "ت": "t t", "ټ": "t t", "ث": "th s", "ج": "j j", "چ": "ch ch", "ح": "7 h", "خ": "5 kh", "څ": "ts ts", "ځ": "z dz",
    "د": "d d", "ډ": "d d", "ذ": "z z", "ر": "r r", "ړ": "r r", "ز": "z z", "ژ": "zh j", "ږ": "g zh", "س": "s s",
    "ش": "sh ch", "ښ": "sh kh", "ص": "s s", "ض": "d d", "ط": "t t", "ظ": "z z", "غ": "gh gh", "ف": "f f",
    "ق": "2 q", "ك": "k k", "ک": "k k", "گ": "g g", "ګ": "g g", "ل": "l l", "م": "m m", "ن": "n n", "ڼ": "n n",
}  # fmt: skip
_CYRILLIC: Final = {
    "а": "a a", "б": "b b", "в": "v v", "г": "h g", "ґ": "g g", "д": "d d", "е": "e e", "є": "ye ie", "ж": "zh j",
    "з": "z z", "и": "y i", "і": "i i", "ї": "yi i", "й": "y i", "к": "k k", "л": "l l", "м": "m m", "н": "n n",
    "о": "o o", "п": "p p", "р": "r r", "с": "s s", "т": "t t", "у": "u u", "ф": "f f", "х": "kh h", "ц": "ts c",
    "ч": "ch ch", "ш": "sh sh", "щ": "shch sh", "ь": " ", "ъ": " ", "ы": "y i", "э": "e e", "ю": "yu iu", "я": "ya ia",
    "ё": "yo e",
}  # fmt: skip
_VOWELS: Final = ("a", "e")
_GEEZ: Final = {"aa": "a", "ee": "ie", "e": "i", "a": "e", "u": "u", "i": "i", "o": "o"}


def romanised(word: str) -> tuple[str, ...]:
    """Two plausible spellings of a word in Arabic, Cyrillic or Ethiopic letters; none for any other."""
    main = script(word[0]) if word else ""
    if main == "ARABIC":
        return tuple(_with_vowels([_ARABIC.get(char, "").split(" ") for char in word], way) for way in (0, 1))
    if main == "CYRILLIC":
        return tuple("".join((_CYRILLIC.get(char, "").split(" ") * 2)[way] for char in word) for way in (0, 1))
    if main == "ETHIOPIC":
        spelled = "".join(map(_syllable, word))
        return (spelled, spelled.replace("ie", "e"))
    return ()


def _with_vowels(letters: list[list[str]], way: int) -> str:
    """Arabic script writes few vowels: one is set between two consonants."""
    made = ""
    for number, own in enumerate(letters):
        letter = own[min(way, len(own) - 1)]
        if made and letter and made[-1] not in "aeiouwy" and letter[0] not in "aeiouwy" and number % 2 == 1:
            made += _VOWELS[way]
        made += letter
    return made


def _syllable(char: str) -> str:
    name = unicodedata.name(char, "")
    if not name.startswith("ETHIOPIC SYLLABLE "):
        return ""
    sound = name.rpartition(" ")[2].lower()
    consonant = sound.rstrip("aeiou")
    vowel = _GEEZ.get(sound[len(consonant) :], "")
    return {"sz": "s", "hh": "h", "kx": "kh", "qh": "q", "tz": "ts"}.get(consonant, consonant) + vowel
