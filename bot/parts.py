"""Makes the parts that commands and the running bot share, from the settings; it must not run anything."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot import catalogs, office, programmes, teaching, topics
from bot.channel import Description, Fault, Membership, Outgoing, Sent
from bot.conversation import City
from bot.inbox import RawUpdate
from bot.language import STAFF_PREFIX, LookUp
from bot.settings import Settings, SettingsError, missing
from bot.storage.database import Database
from bot.storage.vault import Vault
from bot.topics import Pack
from bot.understanding import Understanding


class Titles:
    """What programmes are called, read again when one is not known (they change rarely, from a command)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._words: dict[str, Mapping[str, str]] = {}

    def read(self) -> None:
        """Read them all."""
        self._words = self._database.read_now(programmes.words)

    def __call__(self, key: str, language: str) -> str | None:
        """The words of "programme:<id>/title" and the like: in the language, else Dutch, else any."""
        if key not in self._words:
            self.read()
        words = self._words.get(key, {})
        return words.get(language) or words.get("nl") or next(iter(words.values()), None)


class Engine(Protocol):
    """The library that talks to Telegram; every method may raise a ChannelError (bot/telegram)."""

    username: str

    async def open(self) -> None:
        """Ask who we are."""

    async def close(self) -> None:
        """Close the connections."""

    async def listen(self, url: str, secret: str) -> None:
        """Have Telegram post the updates to an address."""

    async def poll(self, accept: Callable[[Sequence[RawUpdate]], Awaitable[None]]) -> None:
        """Read updates for ever."""

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send one message or do one action."""

    async def presence(self, chat: int, thread: int | None, tap_id: str) -> None:
        """Stop a spinner, or show "typing"."""

    async def member(self, chat: int, user: int) -> Membership | None:
        """Somebody's place in a chat."""

    async def admins(self, chat: int) -> list[Membership]:
        """The admins of a group."""

    async def describe(
        self, descriptions: Sequence[Description], *, staff_chat: int | None, its_turn: Callable[[], Awaitable[None]]
    ) -> None:
        """Set commands and descriptions; each call waits for its turn."""

    async def inspect(self, staff_chat: int | None) -> list[Fault]:
        """What is wrong with the token and the staff group."""


def make_engine(settings: Settings) -> Engine:
    """The engine that the settings name."""
    match settings.engine:
        case "aiogram":
            from bot.telegram.aiogram_engine import Engine as Aiogram

            return Aiogram(settings.telegram_token.get_secret_value(), settings.telegram_api_url)
        case "ptb":
            from bot.telegram.ptb_engine import Engine as Light

            return Light(settings.telegram_token.get_secret_value(), settings.telegram_api_url)


def make_database(settings: Settings) -> Database:
    """The database with its keys. Raises SettingsError when a key is missing."""
    faults = missing(settings, token=False)
    if faults:
        raise SettingsError("\n".join(faults))
    return Database(settings.database_url, Vault(settings.encryption_keys, settings.index_key_bytes))


def make_office(settings: Settings) -> office.Office:
    """The city's hours. Raises SettingsError that names the key."""
    hours = {}
    for key, text in (("OFFICE_HOURS", settings.office_hours), ("DUTY_HOURS", settings.duty_hours)):
        try:
            hours[key] = office.parse_hours(text)
        except ValueError as error:
            raise SettingsError(f"WEGWIJS_{key}: {error}") from None
    return office.Office(settings.zone, hours["OFFICE_HOURS"], hours["DUTY_HOURS"], settings.answer_within)


def read_content(settings: Settings) -> tuple[Pack, Understanding, catalogs.Catalogs]:
    """The city's pack, what reads texts, and the interface texts. Raises PackError or CatalogError."""
    pack = topics.load(settings.content)
    return pack, make_understanding(pack, settings.cache), catalogs.load(pack.languages)


def make_understanding(pack: Pack, cache: Path) -> Understanding:
    """What reads texts, taught with the pack's examples, perhaps with yesterday's. Raises TeachingError."""
    return teaching.understanding(pack, cache)[0]


def make_look_up(pack: Pack, texts: catalogs.Catalogs, titles: Callable[[str, str], str | None]) -> LookUp:
    """The one look-up: staff's words in Dutch, content, titles of programmes, interface texts; at last the key."""

    def look_up(key: str, language: str) -> str:
        if key.startswith(STAFF_PREFIX):
            return texts["staff"].gettext(key.removeprefix(STAFF_PREFIX))
        if key.startswith("programme:"):
            return titles(key, language) or key
        content = pack.look_up(key, language)
        if content is not None:
            return content
        return texts[language if language in texts else "en"].gettext(key)

    return look_up


def quiet_city(settings: Settings, *, demo: bool = False) -> City:
    """The city for a command that talks to nobody: no staff group, no bot name."""
    return City(topics.load(settings.content), make_office(settings), staff=False, demo=demo, bot_name="")


@contextlib.contextmanager
def only_one(database_url: str) -> Iterator[None]:
    """On SQLite one process writes: a lock file beside the database. Raises SettingsError when it is held."""
    if not database_url.startswith("sqlite"):
        yield
        return
    path = Path(database_url.removeprefix("sqlite:///") + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"WEGWIJS_DATABASE_URL: another wegwijs works with this database ({path.name} is locked); stop it first"
            ) from None
        yield
