"""Which script letters belong to, as Unicode names it; it knows no language."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

LATIN = "LATIN"


@lru_cache(maxsize=4096)
def script(char: str) -> str:
    """The script of a letter as Unicode names it ("LATIN", "ETHIOPIC", "CJK"); "" for what is no letter."""
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    return {"KATAKANA": "HIRAGANA", "FULLWIDTH": LATIN, "MODIFIER": "", "FEMININE": "", "MASCULINE": ""}.get(name, name)


@lru_cache(maxsize=64)  # each part of understanding asks for the same text
def main_script(text: str) -> str:
    """The script that most letters of `text` have; "" without letters."""
    counts = Counter(map(script, text))
    counts.pop("", None)
    return counts.most_common(1)[0][0] if counts else ""
