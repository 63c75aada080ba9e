"""The compiled interface texts (gettext catalogs under locales/), read once; it must not know the pack."""

from __future__ import annotations

import gettext
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent.parent / "locales"
STAFF_LANGUAGE: Final = "nl"


class CatalogError(Exception):
    """A catalog is not compiled: run `make catalogs`."""


Catalogs = Mapping[str, gettext.NullTranslations]
"""Language → its messages; "staff" → what staff read."""


def load(languages: Sequence[str], folder: Path = FOLDER) -> Catalogs:
    """The catalogs of these languages and the staff's. Raises CatalogError that names the missing file."""
    wanted = {language: (language, "messages") for language in (*languages, "en")} | {
        "staff": (STAFF_LANGUAGE, "staff")
    }
    return {name: _read(folder / code / "LC_MESSAGES" / f"{domain}.mo") for name, (code, domain) in wanted.items()}


def _read(path: Path) -> gettext.GNUTranslations:
    try:
        with path.open("rb") as file:
            return gettext.GNUTranslations(file)
    except OSError:
        raise CatalogError(f"{path}: is missing; `make catalogs` compiles it") from None
