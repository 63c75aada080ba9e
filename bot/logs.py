"""How this process writes its log: one line per event, ids only; it must let no token through, whoever writes it."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_TOKEN: Final = re.compile(r"\b\d{6,}:[A-Za-z0-9_-]{30,}|(?<=/bot)\d+:[A-Za-z0-9_-]+")
HIDDEN: Final = "<token>"


def hide(text: str) -> str:
    """The text without anything that looks like a Telegram token."""
    return _TOKEN.sub(HIDDEN, text)


class _HidingFormatter(structlog.stdlib.ProcessorFormatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.name == "asyncio" and record.exc_info:  # below its first line it quotes the task, with its error
            record = logging.makeLogRecord({**record.__dict__, "msg": record.getMessage().split("\n")[0], "args": ()})
        return hide(super().format(record))


def _short_error(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback of ours names files and lines, but no values: the last line of an error may quote somebody."""
    error = event.pop("exc_info", None)
    found = sys.exc_info() if error is True else error
    kind = found[0] if isinstance(found, tuple) else type(found) if isinstance(found, BaseException) else None
    trace = found[2] if isinstance(found, tuple) else getattr(found, "__traceback__", None)
    if kind is not None:
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["exception"] = kind.__name__
        event["at"] = " > ".join(places[-6:])
    return event


def _last_words(error: BaseException | None, name: str) -> None:
    """Instead of Python's traceback, which quotes values: what ended a thread or the process, by kind and place."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    structlog.get_logger(__name__).critical(name, exc_info=error)


def start(level: str, *, pretty: bool = False) -> None:
    """Set up logging of this process and all its libraries; to standard error, JSON lines unless `pretty`."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _short_error,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False) if pretty else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _HidingFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("aiogram", "aiohttp.access", "apscheduler", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def guard_last_words() -> None:
    """For a process of its own: what ends it or one of its threads is logged, instead of a traceback with values."""
    sys.excepthook = lambda _kind, error, _trace: _last_words(error, "process_failed")
    threading.excepthook = lambda ended: _last_words(ended.exc_value, "thread_failed")
