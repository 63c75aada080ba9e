"""The names of our languages as staff read them; it must hold nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.language import Sayable, for_staff

LANGUAGES: Final[Mapping[str, Sayable]] = {
    "nl": for_staff("Dutch"), "en": for_staff("English"), "fr": for_staff("French"), "de": for_staff("German"),
    "es": for_staff("Spanish"), "pt": for_staff("Portuguese"), "sq": for_staff("Albanian"),
    "tr": for_staff("Turkish"), "so": for_staff("Somali"), "ku": for_staff("Kurdish (Kurmanji)"),
    "uk": for_staff("Ukrainian"), "ru": for_staff("Russian"), "ar": for_staff("Arabic"),
    "fa_AF": for_staff("Dari / Farsi"), "ps": for_staff("Pashto"), "ti": for_staff("Tigrinya"),
}  # fmt: skip
