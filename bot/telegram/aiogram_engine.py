"""Talks to Telegram through aiogram; it must not know what is said or why.

aiogram's Bot builds the requests and names the errors. No Dispatcher: updates are read raw, stored by `accept`,
and only then does the offset move on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp
import structlog
from aiogram import Bot, exceptions, methods, types
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.channel import (
    ChannelError,
    ChatMovedError,
    Description,
    Fault,
    Key,
    Membership,
    NotSentError,
    Outgoing,
    RejectedError,
    Sent,
    StopPollingError,
    ThrottledError,
    TopicGoneError,
    UnknownOutcomeError,
    UnreachableError,
)
from bot.inbox import RawUpdate
from bot.telegram.split import length, split
from bot.telegram.updates import ALLOWED_UPDATES, raw_updates

Accept = Callable[[Sequence[RawUpdate]], Awaitable[None]]

log = structlog.get_logger(__name__)

_POLL_SECONDS: Final = 25
_SEND_SECONDS: Final = 20
_RETRY_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
_TOPIC_GONE: Final = ("thread not found", "topic_deleted", "topic deleted", "topic_id_invalid")
_HARMLESS: Final = ("message is not modified", "message to delete not found", "topic_not_modified", "query is too old")


class Engine:
    """One bot at one Bot API server. Opened by `app`; every method may raise a ChannelError."""

    def __init__(self, token: str, api_url: str) -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(api_url), timeout=_SEND_SECONDS)
        self._bot = Bot(token, session=session)
        self._session = session
        self._url = session.api.api_url(token, "getUpdates")
        self.username = ""

    async def open(self) -> None:
        """Ask who we are (the username is needed for deep links)."""
        me = await self._call(methods.GetMe())
        self.username = me.username or ""

    async def close(self) -> None:
        """Close the connections."""
        await self._bot.session.close()

    async def poll(self, accept: Accept) -> None:
        """Read updates for ever: each batch is stored by `accept` before Telegram hears that we have it.

        Raises StopPollingError when another process polls or the token is wrong; outlives everything else.
        """
        offset, failures = 0, 0
        await self._call(methods.DeleteWebhook(drop_pending_updates=False))
        while True:
            try:
                batch = await self._get_updates(offset)
                await accept(raw_updates(batch))
            except StopPollingError:
                raise
            except (ChannelError, aiohttp.ClientError, TimeoutError, OSError) as error:
                wait = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
                wait = error.retry_after if isinstance(error, ThrottledError) else wait
                failures += 1
                log.warning("poll_failed", error=type(error).__name__, failures=failures, wait=wait)
                await asyncio.sleep(wait)
                continue
            failures = 0
            ids = [update["update_id"] for update in batch if isinstance(update.get("update_id"), int)]
            offset = max([*ids, offset - 1]) + 1

    async def _get_updates(self, offset: int) -> list[dict[str, Any]]:
        session = await self._session.create_session()
        body = {"offset": offset, "timeout": _POLL_SECONDS, "allowed_updates": list(ALLOWED_UPDATES)}
        timeout = aiohttp.ClientTimeout(total=_POLL_SECONDS + 15, connect=10)
        async with session.post(self._url, json=body, timeout=timeout) as answer:
            data: Any = await answer.json(content_type=None) if answer.status < 500 else None  # noqa: PLR2004
            if answer.status == 409:  # noqa: PLR2004
                msg = "another process reads this bot's updates (409); stop it, or use one token per process"
                raise StopPollingError(msg)
            if answer.status in {401, 404}:
                msg = f"Telegram does not know this token ({answer.status}); check WEGWIJS_TELEGRAM_TOKEN"
                raise StopPollingError(msg)
            if not isinstance(data, dict) or not data.get("ok"):
                wait = (data or {}).get("parameters", {}).get("retry_after")
                if wait:
                    raise ThrottledError(float(wait))
                msg = f"getUpdates answered {answer.status}"
                raise UnknownOutcomeError(msg)
            return [update for update in data["result"] if isinstance(update, dict)]

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send one message (a long text in parts) or do one action. Raises a ChannelError named by what to do."""
        if outgoing.action == "text":
            return await self._send_text(outgoing)
        method = _method(outgoing)
        result = await self._call(method)
        if isinstance(result, types.ForumTopic):
            return Sent(thread=result.message_thread_id)
        message_id = getattr(result, "message_id", 0)
        return Sent(message_id=message_id)

    async def _send_text(self, outgoing: Outgoing) -> Sent:
        sent = Sent()
        text, entities = _with_mentions(outgoing)
        parts = split(text)
        for number, part in enumerate(parts, 1):
            last = number == len(parts)
            message = await self._call(
                methods.SendMessage(
                    chat_id=outgoing.chat,
                    message_thread_id=outgoing.thread,
                    text=part,
                    entities=entities if len(parts) == 1 else None,
                    reply_markup=_shown_keys(outgoing) if last else None,
                    reply_parameters=_reply(outgoing) if number == 1 else None,
                    link_preview_options=types.LinkPreviewOptions(is_disabled=True),
                    protect_content=outgoing.protect or None,
                )
            )
            sent = Sent(message_id=message.message_id)
        return sent

    async def presence(self, chat: int, thread: int | None, tap_id: str) -> None:
        """Stop a button's spinner, or show "typing": may be lost."""
        try:
            if tap_id:
                await self._call(methods.AnswerCallbackQuery(callback_query_id=tap_id))
            else:
                await self._call(methods.SendChatAction(chat_id=chat, message_thread_id=thread, action="typing"))
        except ChannelError:
            log.debug("presence_lost")

    async def member(self, chat: int, user: int) -> Membership | None:
        """Somebody's place in a chat; None if the channel does not know them there."""
        try:
            found = await self._call(methods.GetChatMember(chat_id=chat, user_id=user))
        except RejectedError:
            return None
        status = found.status
        if status == "restricted":
            status = "member" if getattr(found, "is_member", False) else "left"
        return Membership(user, found.user.full_name, status, bot=False)

    async def admins(self, chat: int) -> list[Membership]:
        """The admins of a group, without bots."""
        found = await self._call(methods.GetChatAdministrators(chat_id=chat))
        return [Membership(m.user.id, m.user.full_name, m.status, bot=False) for m in found if not m.user.is_bot]

    async def describe(self, descriptions: Sequence[Description], *, staff_chat: int | None) -> None:
        """Set the commands and the description per language ("" for everybody else)."""
        for entry in descriptions:
            code = entry.language or None
            commands = [types.BotCommand(command=name, description=text) for name, text in entry.commands]
            scope = types.BotCommandScopeAllPrivateChats()
            await self._call(methods.SetMyCommands(commands=commands, scope=scope, language_code=code))
            await self._call(methods.SetMyDescription(description=entry.description, language_code=code))
            await self._call(methods.SetMyShortDescription(short_description=entry.short, language_code=code))
            staff = entry.extra.get("staff_commands", ())
            if staff_chat is not None and staff:
                commands = [types.BotCommand(command=name, description=text) for name, text in staff]
                await self._call(
                    methods.SetMyCommands(commands=commands, scope=types.BotCommandScopeChat(chat_id=staff_chat))
                )

    async def inspect(self, staff_chat: int | None) -> list[Fault]:
        """What is wrong with the token and the staff group, for `wegwijs check`."""
        try:
            me = await self._call(methods.GetMe())
        except ChannelError as error:
            return [Fault(f"WEGWIJS_TELEGRAM_TOKEN: Telegram does not answer for this token ({error})")]
        if staff_chat is None:
            return [Fault("WEGWIJS_STAFF_CHAT_ID: is not set; nobody of the city can answer", "warning")]
        try:
            chat = await self._call(methods.GetChat(chat_id=staff_chat))
            own = await self._call(methods.GetChatMember(chat_id=staff_chat, user_id=me.id))
        except ChannelError as error:
            return [Fault(f"WEGWIJS_STAFF_CHAT_ID: the bot cannot see this group ({error}); add it as an admin")]
        faults = []
        if not chat.is_forum:
            faults.append(Fault("WEGWIJS_STAFF_CHAT_ID: the group has no topics; switch topics on in its settings"))
        for right, what in (("can_manage_topics", "manage topics"), ("can_delete_messages", "delete messages")):
            if not getattr(own, right, False):
                faults.append(Fault(f"WEGWIJS_STAFF_CHAT_ID: the bot may not {what}; make it an admin who may"))
        return faults

    async def _call(self, method: methods.TelegramMethod[Any]) -> Any:
        try:
            return await self._bot(method)
        except exceptions.TelegramRetryAfter as error:
            raise ThrottledError(float(error.retry_after)) from None
        except exceptions.TelegramMigrateToChat as error:
            raise ChatMovedError(error.migrate_to_chat_id) from None
        except exceptions.TelegramForbiddenError:
            raise UnreachableError from None
        except exceptions.TelegramUnauthorizedError:
            msg = "Telegram does not know this token (401); check WEGWIJS_TELEGRAM_TOKEN"
            raise StopPollingError(msg) from None
        except (exceptions.TelegramBadRequest, exceptions.TelegramEntityTooLarge, exceptions.TelegramNotFound) as error:
            return _refused(error.message)
        except exceptions.TelegramServerError as error:
            raise UnknownOutcomeError(type(error).__name__) from None
        except exceptions.TelegramNetworkError as error:
            if isinstance(error.__cause__, aiohttp.ClientConnectorError):
                raise NotSentError(type(error.__cause__).__name__) from None
            raise UnknownOutcomeError(type(error.__cause__ or error).__name__) from None
        except exceptions.ClientDecodeError:  # an HTML 502: not a TelegramAPIError
            raise UnknownOutcomeError("unreadable answer") from None
        except exceptions.TelegramAPIError as error:
            raise RejectedError(type(error).__name__) from None


def _with_mentions(outgoing: Outgoing) -> tuple[str, list[types.MessageEntity] | None]:
    """The text with a last line that calls people by name (offsets in UTF-16 units)."""
    if not outgoing.mentions:
        return outgoing.text, None
    text, entities = outgoing.text + "\n\n", []
    for number, (user, name) in enumerate(outgoing.mentions):
        text += " " if number else ""
        who = types.User(id=user, is_bot=False, first_name=name)
        entities.append(types.MessageEntity(type="text_mention", offset=length(text), length=length(name), user=who))
        text += name
    return text, entities


def _refused(description: str) -> Sent:
    """A 400: harmless when what we wanted is so already; the words of Telegram name no content."""
    lowered = description.lower()
    if any(part in lowered for part in _HARMLESS):
        return Sent()
    if any(part in lowered for part in _TOPIC_GONE):
        raise TopicGoneError(description)
    if "chat not found" in lowered:
        raise UnreachableError
    raise RejectedError(description)


def _markup(keys: Sequence[Key]) -> types.InlineKeyboardMarkup | types.ReplyKeyboardMarkup | None:
    if not keys:
        return None
    if any(key.ask for key in keys):
        rows = [
            [
                types.KeyboardButton(
                    text=key.label,
                    request_location=key.ask == "location" or None,
                    request_contact=key.ask == "contact" or None,
                )
            ]
            for key in keys
        ]
        return types.ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, one_time_keyboard=True)
    return types.InlineKeyboardMarkup(
        inline_keyboard=[
            [types.InlineKeyboardButton(text=k.label, callback_data=k.data or None, url=k.url or None)] for k in keys
        ]
    )


def _shown_keys(
    outgoing: Outgoing,
) -> types.InlineKeyboardMarkup | types.ReplyKeyboardMarkup | types.ReplyKeyboardRemove | None:
    return types.ReplyKeyboardRemove(remove_keyboard=True) if outgoing.hide_keys else _markup(outgoing.keys)


def _reply(outgoing: Outgoing) -> types.ReplyParameters | None:
    if outgoing.reply_to is None:
        return None
    return types.ReplyParameters(message_id=outgoing.reply_to, allow_sending_without_reply=True)


def _file(outgoing: Outgoing) -> str | types.BufferedInputFile:
    return outgoing.file_id or types.BufferedInputFile(outgoing.content, outgoing.name)


def _method(outgoing: Outgoing) -> methods.TelegramMethod[Any]:  # noqa: C901, PLR0911, PLR0912 (one table of actions)
    chat, thread, topic = outgoing.chat, outgoing.thread, outgoing.thread or 0
    common: dict[str, Any] = {"chat_id": chat, "message_thread_id": thread}
    shown: dict[str, Any] = {
        **common,
        "reply_markup": _markup(outgoing.keys),
        "protect_content": outgoing.protect or None,
        "reply_parameters": _reply(outgoing),
    }
    latitude, longitude = outgoing.place or (0.0, 0.0)
    match outgoing.action:
        case "edit":
            return methods.EditMessageText(
                chat_id=chat, message_id=outgoing.message_id, text=outgoing.text,
                reply_markup=_inline(outgoing.keys),
            )  # fmt: skip
        case "buttons":
            return methods.EditMessageReplyMarkup(
                chat_id=chat, message_id=outgoing.message_id, reply_markup=_inline(outgoing.keys)
            )
        case "delete":
            return methods.DeleteMessage(chat_id=chat, message_id=outgoing.message_id)
        case "photo":
            return methods.SendPhoto(photo=_file(outgoing), caption=outgoing.text or None, **shown)
        case "document":
            return methods.SendDocument(document=_file(outgoing), caption=outgoing.text or None, **shown)
        case "voice":
            return methods.SendVoice(voice=_file(outgoing), caption=outgoing.text or None, **shown)
        case "venue":
            return methods.SendVenue(
                latitude=latitude, longitude=longitude, title=outgoing.title, address=outgoing.address, **shown
            )
        case "location":
            return methods.SendLocation(latitude=latitude, longitude=longitude, **shown)
        case "copy":
            return methods.CopyMessage(
                **common, from_chat_id=outgoing.from_chat, message_id=outgoing.message_id,
                reply_markup=_inline(outgoing.keys),
            )  # fmt: skip
        case "topic_create":
            return methods.CreateForumTopic(chat_id=chat, name=outgoing.title[:128])
        case "topic_edit":
            return methods.EditForumTopic(chat_id=chat, message_thread_id=topic, name=outgoing.title[:128])
        case "topic_close":
            return methods.CloseForumTopic(chat_id=chat, message_thread_id=topic)
        case "topic_reopen":
            return methods.ReopenForumTopic(chat_id=chat, message_thread_id=topic)
        case "topic_delete":
            return methods.DeleteForumTopic(chat_id=chat, message_thread_id=topic)
        case "leave":
            return methods.LeaveChat(chat_id=chat)
        case "text":
            msg = "texts are sent by Engine.send"
            raise AssertionError(msg)


def _inline(keys: Sequence[Key]) -> types.InlineKeyboardMarkup | None:
    markup = _markup(keys)
    return markup if isinstance(markup, types.InlineKeyboardMarkup) else None
