"""Serves the simulator until it is ended; prints its address in one line."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from simulator.server import start


async def _serve(port: int, data: Path | None, token: str, *, keep_messages: bool) -> None:
    running = await start(data, port=port, token=token, keep_messages=keep_messages)
    print(f"The simulator is at {running.url}", flush=True)  # noqa: T201 (a command prints)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    await ended.wait()
    await running.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A stand-in for Telegram, with a page.")
    parser.add_argument("--port", type=int, default=8484)
    parser.add_argument("--data", type=Path, default=None, help="a folder; without it nothing is kept")
    parser.add_argument("--token", default="", help="the only token that is accepted (default: any)")
    parser.add_argument("--bounded", action="store_true", help="keep only the last messages: for long runs")
    arguments = parser.parse_args()
    try:
        asyncio.run(_serve(arguments.port, arguments.data, arguments.token, keep_messages=not arguments.bounded))
    except OSError as error:
        print(f"port {arguments.port} cannot be used: {error.strerror}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


if __name__ == "__main__":
    main()
