"""No token reaches the log, whoever writes it, also at DEBUG."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs

TOKEN = "123456789:AAH_abcdefghijklmnopqrstuvwxyz12345"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.start("DEBUG")
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "name", ["aiogram", "aiohttp.client", "aiohttp.access", "sqlalchemy.engine", "asyncio", "httpx", ""]
)
def test_no_library_writes_a_token(written: io.StringIO, name: str) -> None:
    logging.getLogger(name).error("POST https://api.telegram.org/bot%s/getUpdates", TOKEN)
    assert "getUpdates" in written.getvalue()
    assert TOKEN not in written.getvalue()
    assert "abcdefghij" not in written.getvalue()


def test_our_own_events_hide_it_too_and_errors_tell_no_values(written: io.StringIO) -> None:
    log = structlog.get_logger("bot.test")
    log.info("started", url=f"https://x/bot{TOKEN}/y")
    try:
        raise ValueError("Amina lives at 12 Example Street")  # noqa: TRY301
    except ValueError:
        log.exception("turn_failed", update=3)
    text = written.getvalue()
    assert TOKEN not in text
    assert "Amina" not in text
    assert "ValueError" in text
    assert "test_logs.py" in text
