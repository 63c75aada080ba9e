"""Bare echo bots, the measure of what a library alone costs: `python -m benchmarks.bare NAME WAY URL PORT`.

NAME is aiogram, ptb, ptb-aiohttp or aiohttp; WAY polling or webhook. Each echoes every text with three buttons and
does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

TOKEN: Final = "123456:benchmark-token-that-opens-nothing-at-all"
PATH: Final = "/telegram"
BUTTONS: Final = {"☰ Menu": "menu", "💬 Talk to a person": "person", "🆘 112": "sos"}


async def with_aiogram(way: str, url: str, port: int) -> None:
    """As aiogram's own examples do it."""
    from aiogram import Bot, Dispatcher
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message
    from aiogram.webhook.aiohttp_server import SimpleRequestHandler
    from aiohttp import web

    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        rows = [[InlineKeyboardButton(text=label, callback_data=data)] for label, data in BUTTONS.items()]
        await message.answer(message.text or "", reply_markup=InlineKeyboardMarkup(inline_keyboard=rows))

    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    if way == "polling":
        await dispatcher.start_polling(bot, handle_signals=False)
        return
    application = web.Application()
    SimpleRequestHandler(dispatcher, bot).register(application, path=PATH)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await bot.set_webhook("https://bot.example/telegram")
    await asyncio.Event().wait()


async def with_ptb(url: str, *, own_transport: bool) -> None:
    """As python-telegram-bot's own examples do it; with `own_transport` over aiohttp instead of httpx."""
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
    from telegram.ext import Application, ApplicationBuilder, ContextTypes, MessageHandler, filters

    async def echo(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        if update.message:
            rows = [[InlineKeyboardButton(label, callback_data=data)] for label, data in BUTTONS.items()]
            await update.message.reply_text(update.message.text or "", reply_markup=InlineKeyboardMarkup(rows))

    builder = ApplicationBuilder().token(TOKEN).base_url(f"{url}/bot").base_file_url(f"{url}/file/bot")
    if own_transport:
        from benchmarks.over_aiohttp import OverAiohttp

        builder = builder.request(OverAiohttp()).get_updates_request(OverAiohttp())
    application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    await application.initialize()
    await application.start()
    assert application.updater is not None  # noqa: S101 (the builder makes one)
    await application.updater.start_polling(timeout=20)
    await asyncio.Event().wait()


async def with_aiohttp(way: str, url: str, port: int) -> None:
    """No library of Telegram at all."""
    import aiohttp
    from aiohttp import web

    async with aiohttp.ClientSession() as session:

        async def ask(method: str, **parameters: object) -> Any:
            async with session.post(f"{url}/bot{TOKEN}/{method}", json=parameters) as answer:
                return json.loads(await answer.read())["result"]

        async def echo(update: dict[str, Any]) -> None:
            message = update.get("message") or {}
            if "text" in message:
                rows = [[{"text": label, "callback_data": data}] for label, data in BUTTONS.items()]
                keyboard = {"inline_keyboard": rows}
                await ask(
                    "sendMessage", chat_id=message["chat"]["id"], text=message["text"], reply_markup=keyboard
                )

        async def hook(request: web.Request) -> web.Response:
            await echo(await request.json())
            return web.Response()

        if way == "webhook":
            application = web.Application()
            application.router.add_post(PATH, hook)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            await ask("setWebhook", url="https://bot.example/telegram")
            await asyncio.Event().wait()
        offset = 0
        async with asyncio.TaskGroup() as group:
            while True:
                found = await ask("getUpdates", offset=offset, timeout=20)
                for update in found:
                    offset = update["update_id"] + 1
                    group.create_task(echo(update))


def main() -> None:
    """Start the one that is asked for."""
    name, way, url, port = sys.argv[1:]
    if name == "aiogram":
        asyncio.run(with_aiogram(way, url, int(port)))
    elif name == "aiohttp":
        asyncio.run(with_aiohttp(way, url, int(port)))
    else:
        asyncio.run(with_ptb(url, own_transport=name == "ptb-aiohttp"))


if __name__ == "__main__":
    main()
