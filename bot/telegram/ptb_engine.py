"""Talks to Telegram through python-telegram-bot: its request and its errors; it must not know what is said or why.

The light engine: no Application, no Bot, no httpx in use. Updates are read raw, stored by `accept`, and only then
does the offset move on.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp

os.environ.setdefault("PTB_TIMEDELTA", "1")  # or RetryAfter() warns in its constructor
from telegram import error as errors

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
from bot.telegram.ptb_transport import AiohttpRequest, Body, NotConnectedError

_UNAUTHORIZED: Final = 401


class Engine:
    """One bot at one Bot API server. Opened by `app`; every method may raise a ChannelError."""

    def __init__(self, token: str, api_url: str, *, seconds: float = 20.0) -> None:
        self._base = f"{api_url}/bot{token}/"
        self._request = AiohttpRequest(read=seconds)
        self.username = ""

    async def open(self) -> None:
        """Ask who we are (the username is needed for deep links)."""
        await self._request.initialize()
        self.username = await calls.me(self._post)

    async def close(self) -> None:
        """Close the connections."""
        await self._request.shutdown()

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

    # --- python-telegram-bot --------------------------------------------------------------------------------------

    async def _fetch(self, body: bytes, seconds: float) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=seconds, connect=10)
        try:
            return await self._request.exchange(
                f"{self._base}getUpdates", body, {"Content-Type": "application/json"}, timeout
            )
        except NotConnectedError as error:
            raise NotSentError(str(error)) from None
        except errors.NetworkError as error:
            raise UnknownOutcomeError(type(error).__name__) from None

    async def _post(self, call: Call) -> Any:
        """What PTB makes of a refusal, named by what to do about it. Its BadRequest is a NetworkError: first."""
        try:
            return await self._request.post(
                self._base + call.method,
                request_data=Body(call),  # type: ignore[arg-type]  # goes unchanged to `do_request`
            )
        except errors.RetryAfter as error:
            raise ThrottledError(_seconds(error.retry_after)) from None
        except errors.ChatMigrated as error:
            raise ChatMovedError(error.new_chat_id) from None
        except errors.Forbidden:
            raise UnreachableError from None
        except errors.InvalidToken as error:
            if "method not found" in str(error).lower():
                raise RejectedError(call.method) from None
            raise calls.unknown_token(_UNAUTHORIZED) from None
        except (errors.BadRequest, errors.EndPointNotFound) as error:
            return calls.refused(str(error))
        except errors.Conflict:
            raise RejectedError("conflict") from None
        except NotConnectedError as error:
            raise NotSentError(str(error)) from None
        except errors.TelegramError as error:  # time-outs, 5xx, what is no JSON
            raise UnknownOutcomeError(type(error).__name__) from None


def _seconds(wait: Any) -> float:
    return float(wait.total_seconds()) if hasattr(wait, "total_seconds") else float(wait)
