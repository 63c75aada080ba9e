"""A call's parameters, whatever body they came in; it must be as lenient as Telegram and no more."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.errors import bad
from simulator.state import Json


@dataclass(frozen=True)
class Upload:
    """A file that came with a multipart body."""

    name: str
    mime: str
    content: bytes


class Params:
    """Named values: numbers, booleans and objects may come as text (forms) or as themselves (JSON)."""

    def __init__(self, values: Json, files: dict[str, Upload] | None = None) -> None:
        self.values = values
        self.files = files or {}

    def has(self, name: str) -> bool:
        """Whether the call named this parameter and gave it a value."""
        return name in self.files or self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """A text; numbers are written out."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number; what is none is 0, as with Telegram."""
        try:
            return int(self.values.get(name) or default)
        except (TypeError, ValueError, OverflowError):
            return 0

    def real(self, name: str) -> float | None:
        """A decimal number, or None."""
        try:
            return float(self.values[name])
        except (KeyError, TypeError, ValueError):
            return None

    def flag(self, name: str) -> bool:
        """True for true, yes and 1."""
        return str(self.values.get(name, "")).lower() in {"true", "yes", "1"}

    def parsed(self, name: str, what: str, default: Any = None) -> Any:
        """An object or a list, given as itself or as JSON text; `what` is named in the error."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            msg = f"can't parse {what} JSON object"
            raise bad(msg) from None

    def logged(self) -> Json:
        """The parameters as the accept log keeps them: a file as its name and size."""
        files = {name: {"file": up.name, "size": len(up.content)} for name, up in self.files.items()}
        return {**self.values, **files}


async def read(request: web.Request) -> Params:
    """Parameters of a request: query string, JSON, form or multipart."""
    values: Json = dict(request.query) if request.query_string else {}
    files: dict[str, Upload] = {}
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            raw = await request.read()
            try:
                body = json.loads(raw or b"{}")
            except (ValueError, RecursionError):
                msg = "can't parse request body as JSON object"
                raise bad(msg) from None
            if not isinstance(body, dict):
                msg = "object expected as request body"
                raise bad(msg)
            values.update(body)
        elif request.content_type.startswith(("multipart/", "application/x-www-form-urlencoded")):
            for name, value in (await request.post()).items():
                if isinstance(value, web.FileField):
                    content = value.file.read()
                    value.file.close()
                    files[name] = Upload(value.filename, value.content_type, content)
                else:
                    values[name] = value if isinstance(value, str) else bytes(value).decode()
    return Params(values, files)
