"""What a turn costs, against a bare aiogram echo bot in the same run. Prints a table.

`make bench`. Both bots run as processes of their own before the same simulator (limits off, PACE=off); eight people
write one message after the other and wait for the answer. CPU and memory are read from /proc.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from bot.env_file import made_keys
from simulator import server
from simulator.client import Client, Phone

TOKEN: Final = "123456:benchmark-token-that-opens-nothing-at-all"
PEOPLE: Final = 8
EACH: Final = 40
_TICK: Final = os.sysconf("SC_CLK_TCK")

ECHO: Final = """
import asyncio, sys
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
dispatcher = Dispatcher()
@dispatcher.message()
async def echo(message):
    await message.answer(message.text)
session = AiohttpSession(api=TelegramAPIServer.from_base(sys.argv[2]))
asyncio.run(dispatcher.start_polling(Bot(sys.argv[1], session=session), handle_signals=False))
"""


def cpu(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def memory(process: int) -> float:
    """Megabytes that a process holds."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def answered(running: server.Running, phone: Phone, text: str) -> float:
    """Seconds from a message to the first answer."""
    chat = running.world.state.chats[phone.id]
    started = time.perf_counter()
    sent = await phone.write(text)
    own = int(sent["message_id"])
    found = await running.world.bells.until(
        ("chat", phone.id), lambda: True if any(number > own for number in chat.messages) else None, 60
    )
    if found is None:
        raise TimeoutError("no answer in a minute")
    return time.perf_counter() - started


async def measure(
    running: server.Running, command: list[str], environment: dict[str, str], text: str
) -> dict[str, float]:
    """Start a bot, let people write, end it."""
    client = Client(running.url)
    phones = [await client.newcomer(f"P{number}", "nl") for number in range(PEOPLE)]
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL
    )
    try:
        await answered(running, phones[0], text)
        first = time.perf_counter() - started
        for phone in phones:
            await answered(running, phone, text)
        before = cpu(process.pid)

        async def person(phone: Phone) -> list[float]:
            return [await answered(running, phone, text) for _ in range(EACH)]

        times = sorted(itertools.chain.from_iterable(await asyncio.gather(*map(person, phones))))
        used = cpu(process.pid) - before
        return {
            "start to first answer (s)": first,
            "CPU per update (ms)": used / len(times) * 1000,
            "p50 (ms)": statistics.median(times) * 1000,
            "p99 (ms)": times[int(len(times) * 0.99)] * 1000,
            "memory (MB)": memory(process.pid),
        }
    finally:
        process.terminate()
        await process.wait()
        await client.close()


async def main() -> None:
    """Both bots, one after the other, and the table."""
    running = await server.start()
    running.world.limits.on = False
    with tempfile.TemporaryDirectory() as folder:
        keys = made_keys()
        environment = {
            "WEGWIJS_TELEGRAM_TOKEN": TOKEN,
            "WEGWIJS_TELEGRAM_API_URL": running.url,
            "WEGWIJS_DATABASE_URL": f"sqlite:///{folder}/bench.db",
            "WEGWIJS_ENCRYPTION_KEY": keys["encryption_key"],
            "WEGWIJS_INDEX_KEY": keys["index_key"],
            "WEGWIJS_PACE": "off",
            "WEGWIJS_HTTP_PORT": "0",
            "WEGWIJS_LOG_LEVEL": "ERROR",
        }
        migrating = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "migrate", env={**os.environ, **environment}, stdout=subprocess.DEVNULL
        )
        await migrating.wait()
        echo = await measure(running, [sys.executable, "-c", ECHO, TOKEN, running.url], {}, "hello")
        ours = await measure(
            running, [sys.executable, "-m", "bot", "run"], environment, "waar kan ik Nederlands oefenen"
        )
    await running.close()
    print(f"{'':28}{'echo bot':>10}{'Wegwijs':>10}{'ratio':>8}   ({PEOPLE} people, {PEOPLE * EACH} messages)")
    for name, value in ours.items():
        print(f"{name:28}{echo[name]:10.2f}{value:10.2f}{value / echo[name]:8.1f}")


if __name__ == "__main__":
    asyncio.run(main())
