"""Talks to Telegram through aiogram: its session, its Bot, its errors; it must not know what is said or why.

No Dispatcher: updates are read raw, stored by `accept`, and only then does the offset move on. What Telegram answers
to a send is not made an aiogram Message: one it cannot read would look like a lost reply, and be sent again.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp
from aiogram import Bot, exceptions, methods
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.channel import (
    ChatMovedError,
    Description,
    Fault,
    Membership,
    NotSentError,
    Outgoing,
    RejectedError,
    Sent,
    ThrottledError,
    UnknownOutcomeError,
    UnreachableError,
)
from bot.telegram import calls, polling
from bot.telegram.bodies import Call

_OK: Final = 200
_KEEP_ALIVE: Final = 10.0
"""Seconds that an idle connection is kept: less than the server's, or its end looks like a lost reply."""


class Engine:
    """One bot at one Bot API server. Opened by `app`; every method may raise a ChannelError."""

    def __init__(self, token: str, api_url: str, *, seconds: float = 20.0) -> None:
        self._session = AiohttpSession(api=TelegramAPIServer.from_base(api_url), timeout=seconds)
        self._session._connector_init["keepalive_timeout"] = _KEEP_ALIVE  # noqa: SLF001 (aiogram has no setting)
        self._bot = Bot(token, session=self._session)
        self._seconds = aiohttp.ClientTimeout(total=seconds, connect=10)
        self.username = ""

    async def open(self) -> None:
        """Ask who we are (the username is needed for deep links)."""
        self.username = await calls.me(self._post)

    async def close(self) -> None:
        """Close the connections."""
        await self._bot.session.close()

    async def poll(self, accept: polling.Accept) -> None:
        """Read updates for ever; see `polling.poll`."""
        await polling.poll(self._fetch, self._post, accept)

    async def listen(self, url: str, secret: str) -> None:
        """Have Telegram post the updates to an address."""
        await calls.listen(self._post, url, secret)

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send one message (a long text in parts) or do one action."""
        return await calls.send(self._post, outgoing)

    async def presence(self, chat: int, thread: int | None, tap_id: str) -> None:
        """Stop a button's spinner, or show "typing": may be lost."""
        await calls.presence(self._post, chat, thread, tap_id)

    async def member(self, chat: int, user: int) -> Membership | None:
        """Somebody's place in a chat; None if the channel does not know them there."""
        return await calls.member(self._post, chat, user)

    async def admins(self, chat: int) -> list[Membership]:
        """The admins of a group, without bots."""
        return await calls.admins(self._post, chat)

    async def describe(
        self, descriptions: Sequence[Description], *, staff_chat: int | None, its_turn: Callable[[], Awaitable[None]]
    ) -> None:
        """Set the commands and the description per language; each call waits for its turn."""
        await calls.describe(self._post, descriptions, staff_chat, its_turn)

    async def inspect(self, staff_chat: int | None) -> list[Fault]:
        """What is wrong with the token and the staff group."""
        return await calls.inspect(self._post, staff_chat)

    # --- aiogram --------------------------------------------------------------------------------------------------

    def _url(self, method: str) -> str:
        return self._session.api.api_url(self._bot.token, method)

    async def _fetch(self, body: bytes, seconds: float) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=seconds, connect=10)
        return await self._exchange("getUpdates", body, {"Content-Type": "application/json"}, timeout)

    async def _post(self, call: Call) -> Any:
        data: bytes | aiohttp.FormData
        if call.file is None:
            data, headers = json.dumps(call.body).encode(), {"Content-Type": "application/json"}
        else:
            data, headers = aiohttp.FormData(), {}
            for name, value in call.body.items():
                data.add_field(name, value if isinstance(value, str) else json.dumps(value))
            data.add_field(call.file.field, call.file.content, filename=call.file.name)
        status, body = await self._exchange(call.method, data, headers, self._seconds)
        if status == _OK:
            answer = _read(body)
            if answer.get("ok"):
                return answer["result"]
        return self._refused(status, body)

    async def _exchange(
        self, method: str, data: bytes | aiohttp.FormData, headers: dict[str, str], within: aiohttp.ClientTimeout
    ) -> tuple[int, bytes]:
        session = await self._session.create_session()
        try:
            async with session.post(self._url(method), data=data, headers=headers, timeout=within) as answer:
                return answer.status, await answer.read()
        except aiohttp.ClientConnectorError as error:
            raise NotSentError(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnknownOutcomeError(type(error).__name__) from None

    def _refused(self, status: int, body: bytes) -> Any:
        """What aiogram makes of a refusal, named by what to do about it."""
        try:
            self._session.check_response(self._bot, methods.GetMe(), status, body.decode("utf-8", "replace"))
        except exceptions.TelegramRetryAfter as error:
            raise ThrottledError(float(error.retry_after)) from None
        except exceptions.TelegramMigrateToChat as error:
            raise ChatMovedError(error.migrate_to_chat_id) from None
        except exceptions.TelegramForbiddenError:
            raise UnreachableError from None
        except exceptions.TelegramUnauthorizedError:
            raise calls.unknown_token(status) from None
        except exceptions.TelegramNotFound as error:
            if "method not found" in error.message.lower():
                raise RejectedError(error.message) from None
            raise calls.unknown_token(status) from None
        except exceptions.TelegramServerError as error:
            raise UnknownOutcomeError(type(error).__name__) from None
        except (exceptions.TelegramBadRequest, exceptions.TelegramEntityTooLarge) as error:
            return calls.refused(error.message)
        except exceptions.ClientDecodeError:  # an HTML 502: not a TelegramAPIError
            raise UnknownOutcomeError("unreadable answer") from None
        except exceptions.TelegramAPIError as error:
            raise RejectedError(type(error).__name__) from None
        raise UnknownOutcomeError("unreadable answer")


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        raise UnknownOutcomeError("unreadable answer") from None
    return answer if isinstance(answer, dict) else {}
