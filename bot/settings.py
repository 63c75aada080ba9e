"""What an installation decides, from the environment or `.env`; it must never print a secret.

Every key has the prefix WEGWIJS_. All mistakes are reported at once, each naming its key.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.fernet import Fernet
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "WEGWIJS_"


class SettingsError(Exception):
    """The settings cannot be used; one line per mistake, each naming its key and what was expected."""


def _database(text: str) -> str:
    if not re.match(r"(sqlite:///.+|postgresql://.+)", text):
        msg = "expected sqlite:///path/to/file or postgresql://user:password@host/name"
        raise ValueError(msg)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        msg = "expected the name of a time zone such as Europe/Brussels"
        raise ValueError(msg) from None
    return text


def _fernet_keys(secret: SecretStr) -> SecretStr:
    for key in filter(None, secret.get_secret_value().split(",")):
        try:
            Fernet(key.strip())
        except ValueError:
            msg = "expected Fernet keys (32 bytes in URL-safe base64) separated by commas; `wegwijs init` makes one"
            raise ValueError(msg) from None
    return secret


def _index_key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    try:
        size = len(base64.b64decode(text, validate=True)) if text else 32
    except binascii.Error:
        size = 0
    if size != 32:  # noqa: PLR2004 (named in the message)
        msg = "expected 32 bytes in base64; `wegwijs init` makes one"
        raise ValueError(msg)
    return secret


def _token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and not re.fullmatch(r"\d+:[A-Za-z0-9_-]{30,}", text):
        msg = "expected the token that BotFather gives, such as 123456789:AA… (35 letters after the colon)"
        raise ValueError(msg)
    return secret


def _hours(text: str) -> str:
    week = r"(mon|tue|wed|thu|fri|sat|sun)"
    block = rf"{week}(-{week})? \d\d:\d\d-\d\d:\d\d(,\s*\d\d:\d\d-\d\d:\d\d)*"
    if text.strip() and not re.fullmatch(rf"\s*{block}(\s*;\s*{block})*\s*", text.lower()):
        msg = 'expected days and spans such as "mon-fri 09:00-12:00,13:00-16:00; sat 10:00-12:00"'
        raise ValueError(msg)
    return text


def _api_url(text: str) -> str:
    if not re.match(r"https?://[^/]+", text):
        msg = "expected the address of a Bot API server such as https://api.telegram.org"
        raise ValueError(msg)
    return text.rstrip("/")


def _webhook_url(text: str) -> str:
    if text and not re.fullmatch(r"https://[^/?#@\s]+(/[^?#\s]*)?", text):
        msg = "expected an address such as https://bot.example.org/telegram"
        raise ValueError(msg)
    return text


def _webhook_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", text):
        msg = "expected 32 to 256 letters, digits, _ or -; `wegwijs init` makes one"
        raise ValueError(msg)
    return secret


def _failpoint(text: str) -> str:
    if text and not re.fullmatch(r"[a-z]+\.[a-z]+:kill(:\d+)?", text):
        msg = "expected name:kill or name:kill:3 (for tests only)"
        raise ValueError(msg)
    return text


class Settings(BaseSettings):
    """One field per key; the description is what README and `.env.example` say about it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", env_ignore_empty=True)

    telegram_token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        SecretStr(""), description="The token that BotFather gave. A secret."
    )
    telegram_api_url: Annotated[str, AfterValidator(_api_url)] = Field(
        "https://api.telegram.org", description="Any Bot API server, for example your own."
    )
    engine: Literal["aiogram", "ptb"] = Field(
        "aiogram", description="The library that talks to Telegram; `ptb` (python-telegram-bot) needs less memory."
    )
    webhook_url: Annotated[str, AfterValidator(_webhook_url)] = Field(
        "", description="Where Telegram posts updates when run with `--webhook`; its path is listened to. Https."
    )
    webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] = Field(
        SecretStr(""), description="What Telegram says with each post: 32 to 256 letters, digits, _ or -. A secret."
    )
    database_url: Annotated[str, AfterValidator(_database)] = Field(
        "sqlite:///var/wegwijs.db", description="`sqlite:///path` or `postgresql://user:password@host/name`."
    )
    staff_chat_id: int | None = Field(
        None,
        description="The staff group (a number below zero). Without it the bot says how to reach the city.",
    )
    content: Path = Field(Path("content/lokeren"), description="The folder of the city's pack.")
    encryption_key: Annotated[SecretStr, AfterValidator(_fernet_keys)] = Field(
        SecretStr(""), description="Fernet keys, separated by commas; the first encrypts, all decrypt. A secret."
    )
    index_key: Annotated[SecretStr, AfterValidator(_index_key)] = Field(
        SecretStr(""), description="32 bytes in base64, to find people again. Never changes. A secret."
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field("Europe/Brussels", description="The city's time zone.")
    office_hours: Annotated[str, AfterValidator(_hours)] = Field(
        "mon-fri 09:00-12:00,13:00-16:00", description="When staff answer; Belgian holidays are taken off."
    )
    duty_hours: Annotated[str, AfterValidator(_hours)] = Field(
        "mon-sun 08:00-22:00", description="When an alert that nobody has seen is posted again; holidays too."
    )
    answer_within: dt.timedelta = Field(
        dt.timedelta(hours=6), description="Office time within which a person answers, such as `PT6H` (six hours)."
    )
    pace: Literal["on", "off"] = Field("on", description="`off` lifts Telegram's limits, for benchmarks only.")
    failpoint: Annotated[str, AfterValidator(_failpoint)] = Field(
        "", description="Where a test stops the process, such as `turn.committed:kill`. Empty in production."
    )
    cache: Path = Field(Path("var/cache"), description="Where trained models are kept; may be emptied at any time.")
    http_host: str = Field("127.0.0.1", description="Where `/healthz`, `/metrics` and the webhook listen.")
    http_port: int = Field(8080, ge=0, le=65535, description="Their port.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged.")
    keep_parked: dt.timedelta = Field(dt.timedelta(days=7), description="Updates that could not be handled.")
    keep_questions: dt.timedelta = Field(dt.timedelta(days=30), description="Questions without an answer.")
    keep_case_texts: dt.timedelta = Field(dt.timedelta(days=90), description="Texts of closed cases.")
    keep_bookings: dt.timedelta = Field(dt.timedelta(days=90), description="Bookings, after the programme's last day.")
    keep_silent: dt.timedelta = Field(dt.timedelta(days=365), description="A person who does not write any more.")
    keep_files: dt.timedelta = Field(
        dt.timedelta(hours=24), description="The id of a file that was sent without a case."
    )

    @property
    def zone(self) -> ZoneInfo:
        """The city's zone."""
        return ZoneInfo(self.timezone)

    @property
    def encryption_keys(self) -> list[str]:
        """The Fernet keys, the one that encrypts first."""
        return [key.strip() for key in self.encryption_key.get_secret_value().split(",") if key.strip()]

    @property
    def index_key_bytes(self) -> bytes:
        """The key of the blind index."""
        return base64.b64decode(self.index_key.get_secret_value())


def load(**given: Any) -> Settings:
    """The settings of this installation. Raises SettingsError that names every mistake and no secret."""
    try:
        return Settings(**given)
    except ValidationError as error:
        lines = [
            f"{PREFIX}{'_'.join(str(part) for part in fault['loc']).upper()}: {_reason(fault)}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None


def _reason(fault: Any) -> str:
    return str(fault["msg"]).removeprefix("Value error, ")


def missing(settings: Settings, *, token: bool, webhook: bool = False) -> list[str]:
    """The keys that are needed to run and are empty, one line each."""
    needed = {
        "ENCRYPTION_KEY": bool(settings.encryption_keys),
        "INDEX_KEY": bool(settings.index_key.get_secret_value()),
    }
    if token:
        needed["TELEGRAM_TOKEN"] = bool(settings.telegram_token.get_secret_value())
    if webhook:
        needed["WEBHOOK_URL"] = bool(settings.webhook_url)
        needed["WEBHOOK_SECRET"] = bool(settings.webhook_secret.get_secret_value())
    return [
        f"{PREFIX}{key}: is not set; run `wegwijs init` or see .env.example" for key, set_ in needed.items() if not set_
    ]
