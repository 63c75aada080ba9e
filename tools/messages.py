"""Brings new messages of the code into the templates and every language's catalog; it must not translate.

`make messages`. Messages are found in the syntax tree: the first argument of Text(…), msgid(…) and for_staff(…).
Babel's own extraction does not see calls inside calls.
"""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bot.language import OWN_NAMES

ROOT: Final = Path(__file__).parent.parent
LOCALES: Final = ROOT / "locales"
LANGUAGES: Final = tuple(code for code in OWN_NAMES if (LOCALES / code).is_dir())
DOMAINS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "messages": (("Text", "msgid"), LANGUAGES),
    "staff": (("for_staff",), ("nl",)),
}
_FIRST: Final = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)  # a date that moves would change every catalog each time
_STATUS: Final = ("Machine-drafted. Reviewer: none yet.", "Source.")
_CONTENT: Final = ("topic:", "card:", "ready:", "programme:", "staff:")


def found(functions: tuple[str, ...]) -> dict[str, list[tuple[str, int]]]:
    """Message → the places (file, line) where the code says it."""
    messages: dict[str, list[tuple[str, int]]] = {}
    for path in sorted([*ROOT.glob("bot/**/*.py"), *ROOT.glob("handlers/**/*.py")]):
        for message, line in _in_file(path, functions):
            messages.setdefault(message, []).append((path.relative_to(ROOT).as_posix(), line))
    return messages


def _in_file(path: Path, functions: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(message)), *_]) if (
                name in functions and not message.startswith(_CONTENT)
            ):
                yield message, node.lineno
            case _:
                pass


def template(domain: str) -> Catalog:
    """The template of a domain: every message of the code, without words."""
    catalog = Catalog(project="Wegwijs", charset="utf-8", creation_date=_FIRST, revision_date=_FIRST)
    for message, places in sorted(found(DOMAINS[domain][0]).items()):
        catalog.add(message, locations=sorted({(file, 0) for file, _ in places}))
    return catalog


def path_of(domain: str, language: str) -> Path:
    """Where a catalog lies."""
    return LOCALES / language / "LC_MESSAGES" / f"{domain}.po"


def read(domain: str, language: str) -> Catalog:
    """A catalog as it is; empty if there is none yet."""
    path = path_of(domain, language)
    if not path.exists():
        head = f"# {OWN_NAMES[language]}. {_STATUS[language == 'en']}"
        return Catalog(
            locale=language, project="Wegwijs", charset="utf-8", creation_date=_FIRST, revision_date=_FIRST,
            header_comment=head, fuzzy=False,
        )  # fmt: skip
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(path: Path, catalog: Catalog) -> None:
    """Write a catalog so that it differs only where the messages do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(
            file, catalog, width=0, omit_header=False, sort_output=True, include_lineno=False, ignore_obsolete=True
        )


def _say_as_written(catalog: Catalog) -> None:
    """English says the message itself, without the note in brackets that tells two meanings apart."""
    for message in catalog:
        if message.id and not message.string:
            message.string = str(message.id).removesuffix(" (month)")


def main() -> None:
    """Templates anew, catalogs updated; prints what is still to be translated."""
    for domain, (_, languages) in DOMAINS.items():
        fresh = template(domain)
        write(LOCALES / f"{domain}.pot", fresh)
        for language in languages:
            catalog = read(domain, language)
            catalog.update(template(domain), no_fuzzy_matching=True)
            if language == "en":
                _say_as_written(catalog)
            write(path_of(domain, language), catalog)
            left = [message.id for message in catalog if message.id and not message.string]
            print(f"{domain}.{language}: {len(catalog)} messages, {len(left)} to translate")  # noqa: T201


if __name__ == "__main__":
    main()
