"""Writes `.env` for a new installation and keeps `.env.example` true; it must never overwrite or print a secret."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.settings import PREFIX, Settings, SettingsError


def example(values: dict[str, str] | None = None) -> str:
    """The text of `.env.example`: every key with its description and default; `values` fill some in."""
    lines = ["# Every key of Wegwijs. What stands behind # is the default. `wegwijs check` says what is wrong.", ""]
    for name, field in Settings.model_fields.items():
        default = shown_default(field.default)
        lines.append(f"# {field.description}")
        given = (values or {}).get(name)
        if given is not None or default == "":
            lines.append(f"{PREFIX}{name.upper()}={given or ''}")
        else:
            lines.append(f"# {PREFIX}{name.upper()}={default}")
        lines.append("")
    return "\n".join(lines)


def shown_default(value: Any) -> str:
    """A default as one writes it in `.env`; "" for none."""
    if value is None or isinstance(value, SecretStr):
        return ""
    if hasattr(value, "total_seconds"):
        hours = value.total_seconds() / 3600
        return f"P{value.days}D" if value.days else f"PT{hours:g}H"
    return str(value)


def made_keys() -> dict[str, str]:
    """New keys, for the settings of these names."""
    return {
        "encryption_key": Fernet.generate_key().decode(),
        "index_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "webhook_secret": secrets.token_urlsafe(36),
    }


def write(path: Path) -> str:
    """Write a new file with fresh keys, readable by its owner alone. Raises SettingsError if it is there already."""
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise SettingsError(f"{path} is already there and is not changed; see .env.example for all keys") from None
    path.write_text(example(made_keys()), encoding="utf-8")
    return f"{path} is written, with new keys: keep them safe. Now put BotFather's token in {PREFIX}TELEGRAM_TOKEN."
