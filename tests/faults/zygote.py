"""Starts bots quickly, by forking a process that has loaded everything: a thousand kills in minutes.

`python -m tests.faults.zygote aiogram`: each line of standard input is {"env": …, "webhook": …, "log": path}; the
answer is {"pid": …}. What runs in a child is the bot as `wegwijs run` runs it; only loading libraries and content is
done once.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
from typing import Any

from bot import app, logs, parts
from bot.channel import StopPollingError
from bot.settings import SettingsError, load
from bot.storage import lease

ENGINES = {"aiogram": "bot.telegram.aiogram_engine", "ptb": "bot.telegram.ptb_engine"}


def main() -> None:
    engine = sys.argv[1]
    importlib.import_module(ENGINES[engine])
    importlib.import_module("apscheduler.schedulers.asyncio")
    importlib.import_module("psycopg")
    importlib.import_module("holidays")
    base = load(_env_file=None)
    content = parts.read_content(base)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need no farewell
    print(json.dumps({"ready": engine}), flush=True)
    for line in sys.stdin:
        wish = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(wish, content)
        print(json.dumps({"pid": pid}), flush=True)


def _child(wish: dict[str, Any], content: app.Content) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(wish["env"])
    if "lease" in wish:
        lease.LASTS, lease.RENEW_EVERY = wish["lease"]  # type: ignore[misc]
    app.read_content = lambda _settings: content  # type: ignore[attr-defined, assignment]
    status = 0
    try:
        settings = load(_env_file=None)
        logs.start(settings.log_level)
        asyncio.run(app.App(settings, webhook=wish["webhook"]).serve())
    except (SettingsError, StopPollingError) as error:
        print(error, file=sys.stderr, flush=True)
        status = 1
    except BaseException as error:  # noqa: BLE001 (whatever it was, the child must not go on as its parent)
        print(type(error).__name__, error, file=sys.stderr, flush=True)
        status = 2
    os._exit(status)


if __name__ == "__main__":
    main()
