"""Brings planned messages to the channel: claim, check the world again, write, pace, send, store the outcome.

It must not decide what is said. At most one extra copy, only after a crash or a lost reply: Telegram has no
idempotency key (docs/decisions/0005-delivery.md).
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import sqlalchemy as sa
import structlog

from bot import outbox, people, quiet
from bot.channel import (
    ChannelError,
    ChatMovedError,
    Key,
    NotSentError,
    Outgoing,
    RejectedError,
    Sent,
    ThrottledError,
    TopicGoneError,
    UnknownOutcomeError,
    UnreachableError,
)
from bot.clock import Clock, monotonic
from bot.conversation import City
from bot.handoff import thread_of, topic_gone
from bot.language import LookUp, Sayable, Text, plain, render
from bot.outbox import Delivery, Late, Message, Outcome
from bot.pace import Pacer
from bot.storage import notes
from bot.storage.database import Database, DatabaseBusyError

log = structlog.get_logger(__name__)

IN_FLIGHT_MOST: Final = 4
_LOOK_AGAIN: Final = 5.0
_BUSY_WAIT: Final = 0.5
_BACKOFF_MOST: Final = 60.0
_GROUP_CLOSED_WAIT: Final = dt.timedelta(minutes=1)
_LATE_TEXT: Final = Text("Sorry, my answer comes late. Please write your question again.")


class Renderer(Protocol):
    """Finds the words when a message leaves; None: no longer useful."""

    def __call__(self, db: sa.Connection, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
        """See the module that defines it."""


class Effect(Protocol):
    """What follows from an outcome, in the commit that stores it."""

    def __call__(
        self, db: sa.Connection, data: Mapping[str, Any], outcome: Outcome, *, city: City, now: dt.datetime
    ) -> None:
        """See the module that defines it."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The maps from names in the outbox to functions (filled in `app`)."""

    renderers: Mapping[str, Renderer]
    afters: Mapping[str, Effect]


@dataclass(frozen=True, slots=True)
class _Claimed:
    delivery: Delivery
    outgoing: Outgoing


class Deliver:
    """The one place from which messages leave. `bell` is rung by every commit that may have planned something."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        city: City,
        *,
        send: Callable[[Outgoing], Awaitable[Sent]],
        look_up: LookUp,
        tables: Tables,
        staff_chat: int | None,
        pacer: Pacer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._city = city
        self._send_out = send
        self._look_up = look_up
        self._tables = tables
        self._staff_chat = staff_chat
        self._pacer = pacer
        self._busy: set[str] = set()
        self.bell = asyncio.Event()
        self.stopping = False
        self.on_rest: Callable[[], None] = lambda: None  # nothing is due now

    async def run(self) -> None:
        """Deliver until `stop`; returns when nothing is in flight any more."""
        await self._store(lambda db: recover(db, self._clock.now(), self._after))
        async with asyncio.TaskGroup() as flight:
            while not self.stopping:
                self.bell.clear()
                claimed, wait = await self._claim_some()
                for one in claimed:
                    flight.create_task(self._send(one))
                if not claimed:
                    await self._wait(wait)

    def stop(self) -> None:
        """Claim nothing more."""
        self.stopping = True
        self.bell.set()

    async def _wait(self, seconds: float) -> None:
        self.on_rest()
        try:
            await asyncio.wait_for(self.bell.wait(), seconds)
        except TimeoutError:
            return

    async def _claim_some(self) -> tuple[list[_Claimed], float]:
        free = IN_FLIGHT_MOST - len(self._busy)
        if free <= 0:
            return [], _LOOK_AGAIN
        wait = self._pacer.wait(monotonic())
        if wait > 0:
            await asyncio.sleep(wait)
        try:
            if not await self._database.read(self._any_due):
                return [], await self._database.read(self._until_next)
            claimed, wait = await self._database.run(lambda db: self._claim(db, free))
        except DatabaseBusyError:
            log.warning("database_busy", at="claim")
            return [], _BUSY_WAIT
        for one in claimed:
            self._busy.add(one.delivery.lane)
            self._pacer.took(one.delivery.lane, monotonic())
        return claimed, wait

    def _any_due(self, db: sa.Connection) -> bool:
        due = outbox.next_due(db)
        return due is not None and due <= self._clock.now()

    def _until_next(self, db: sa.Connection) -> float:
        due = outbox.next_due(db)
        if due is None:
            return 60.0
        return min(60.0, max(0.0, (due - self._clock.now()).total_seconds()))

    def _claim(self, db: sa.Connection, free: int) -> tuple[list[_Claimed], float]:
        """In one transaction: check the world, find the words, mark the attempt.

        A lane that must wait (its topic is not made yet, its chat had a message just now) is left out, however many
        rows it has: it holds nobody else.
        """
        now, mono = self._clock.now(), monotonic()
        claimed: list[_Claimed] = []
        lanes, wait = set(self._busy), _LOOK_AGAIN
        while len(claimed) < free and (rows := outbox.due(db, now, without=lanes)):
            for delivery in rows:
                if delivery.lane in lanes or len(claimed) >= free:
                    continue
                lane_wait = self._pacer.chat_wait(delivery.lane, delivery.priority, mono)
                if lane_wait > 0 or self._has_no_topic(db, delivery):
                    lanes.add(delivery.lane)
                    wait = min(wait, lane_wait or wait)
                    continue
                outgoing = self._prepare(db, delivery, now)
                if outgoing is not None and outbox.claim(db, delivery.id, now):
                    lanes.add(delivery.lane)
                    claimed.append(_Claimed(delivery, outgoing))
        return claimed, wait

    @staticmethod
    def _has_no_topic(db: sa.Connection, delivery: Delivery) -> bool:
        """Whether this waits for a topic that is not made yet."""
        if not delivery.lane.startswith("case:"):
            return False
        creates = isinstance(delivery.content, Message) and delivery.content.action == "topic_create"
        return not creates and thread_of(db, delivery.case_id or 0) is None

    def _prepare(self, db: sa.Connection, delivery: Delivery, now: dt.datetime) -> Outgoing | None:
        """What to send; None when it must wait or has ended another way (which is then stored)."""
        if delivery.expires_at is not None and delivery.expires_at <= now:
            self._end(db, delivery, "expired", now)
            if delivery.kind == "answer" and delivery.person_id is not None:
                _say_late(db, delivery.person_id, now)
            return None
        if outbox.KINDS[delivery.kind].held:
            until = quiet.held_until(now, self._city.pack.zone, delivery.expires_at)
            if until is not None:
                outbox.put_off(db, delivery.id, until, now=now, fault="held")
                return None
        target = self._target(db, delivery, now)
        if target is None:
            return None
        chat, thread, language = target
        message = delivery.content
        if isinstance(message, Late):
            found = self._tables.renderers[message.name](db, message.data, city=self._city, now=now)
            if found is None:
                self._end(db, delivery, "cancelled", now)
                return None
            message = found
        if message.action == "topic_create":
            thread = None
        from_chat = self._from_chat(db, message.from_person)
        written = self._write(message, chat, thread, message.language or language, from_chat)
        return dataclasses.replace(written, mentions=_mentions(db, message.mentions)) if message.mentions else written

    def _from_chat(self, db: sa.Connection, from_person: str) -> int:
        if from_person == outbox.FROM_STAFF:
            return notes.staff_chat(db, self._staff_chat) or 0
        return (people.telegram_id(db, from_person) or 0) if from_person else 0

    def _target(self, db: sa.Connection, delivery: Delivery, now: dt.datetime) -> tuple[int, int | None, str] | None:
        """Chat, topic and language of the reader; None when there is nobody (stored) or it must wait."""
        if delivery.lane.startswith("chat:"):
            return int(delivery.lane.removeprefix("chat:")), None, people.STAFF_LANGUAGE
        if delivery.person_id is None or not delivery.lane.startswith("person:"):
            chat = notes.staff_chat(db, self._staff_chat)
            if chat is None:
                self._wait_for_group(db, delivery, now)
                return None
            if not delivery.lane.startswith("case:"):
                return chat, None, people.STAFF_LANGUAGE
            return chat, thread_of(db, delivery.case_id or 0), people.STAFF_LANGUAGE
        person = people.get(db, delivery.person_id)
        chat = people.telegram_id(db, delivery.person_id)
        if person is None or chat is None or person.unreachable:
            self._end(db, delivery, "refused", now)
            return None
        return chat, None, people.language_of(person, self._city.pack.languages)

    @staticmethod
    def _wait_for_group(db: sa.Connection, delivery: Delivery, now: dt.datetime) -> None:
        outbox.put_off(db, delivery.id, now + _GROUP_CLOSED_WAIT, now=now, fault="no staff group")

    def _write(self, message: Message, chat: int, thread: int | None, language: str, from_chat: int) -> Outgoing:
        def words(value: Sayable) -> str:
            return render(value, language, self._look_up)

        text = "\n\n".join(filter(None, (words(part).strip("\n") for part in message.parts)))
        return Outgoing(
            action=message.action,  # type: ignore[arg-type]  # stored as text; an unknown one is refused by the engine
            chat=chat, thread=thread, text=text,
            keys=tuple(Key(words(b.label), b.data, b.url, b.ask) for b in message.buttons),
            message_id=message.message_id, reply_to=message.reply_to, from_chat=from_chat, file_id=message.file_id,
            media_kind=message.media_kind, content=base64.b64decode(message.content), name=message.name,
            title=plain(words(message.title)), address=plain(words(message.address)), place=message.place,
            protect=message.protect, hide_keys=message.hide_keys,
        )  # fmt: skip

    async def _send(self, claimed: _Claimed) -> None:
        delivery = claimed.delivery
        try:
            sent: Sent | ChannelError
            try:
                sent = await self._send_out(claimed.outgoing)
            except ChannelError as error:
                sent = error
            except Exception as error:
                log.exception("send_failed", delivery=delivery.id, kind=delivery.kind, error=type(error).__name__)
                sent = UnknownOutcomeError(type(error).__name__)
            if isinstance(sent, ThrottledError):
                self._pacer.pause(sent.retry_after, monotonic())
            await self._store(lambda db: self._settle(db, delivery, sent))
        finally:
            self._busy.discard(delivery.lane)
            self.bell.set()

    async def _store(self, work: Callable[[sa.Connection], Any]) -> None:
        """Outcomes are stored, however long the database is away: otherwise a message would go twice."""
        while True:
            try:
                await self._database.run(work)
            except DatabaseBusyError:
                log.warning("database_busy", at="outcome")
                await asyncio.sleep(_BUSY_WAIT)
            else:
                return

    def _settle(self, db: sa.Connection, delivery: Delivery, sent: Sent | ChannelError) -> None:
        now = self._clock.now()
        fault = type(sent).__name__ if isinstance(sent, ChannelError) else ""
        match sent:
            case Sent():
                outbox.finish(db, delivery.id, "sent", now=now, message_id=sent.message_id)
                self._after(db, delivery, Outcome("sent", sent.message_id, sent.thread), now)
                return
            case ThrottledError():
                outbox.put_off(db, delivery.id, now + dt.timedelta(seconds=sent.retry_after), now=now, fault=fault)
            case NotSentError():
                wait = min(_BACKOFF_MOST, 0.5 * 2 ** min(delivery.attempts, 7))
                outbox.put_off(db, delivery.id, now + dt.timedelta(seconds=wait), now=now, fault=fault)
            case ChatMovedError() if self._staff_chat is not None:
                notes.move_staff_chat(db, self._staff_chat, sent.new_chat)
                outbox.put_off(db, delivery.id, now, now=now, fault=fault)
            case TopicGoneError() if delivery.case_id is not None:
                if topic_gone(db, delivery.case_id, city=self._city, now=now):
                    outbox.put_off(db, delivery.id, now + dt.timedelta(seconds=1), now=now, fault=fault)
                else:
                    self._end(db, delivery, "refused", now, fault)
            case UnreachableError() if delivery.person_id is not None and delivery.lane.startswith("person:"):
                people.mark_unreachable(db, delivery.person_id, now)
                self._end(db, delivery, "refused", now)
            case UnreachableError():
                outbox.put_off(db, delivery.id, now + _GROUP_CLOSED_WAIT, now=now, fault=fault)
            case RejectedError() | TopicGoneError() | ChatMovedError():
                self._end(db, delivery, "refused", now, fault)
            case _:
                unknown_outcome(db, delivery, now, self._after)
        log.info("not_sent", delivery=delivery.id, kind=delivery.kind, fault=fault, reason=str(sent)[:80])

    def _end(self, db: sa.Connection, delivery: Delivery, state: str, now: dt.datetime, fault: str = "") -> None:
        outbox.finish(db, delivery.id, state, now=now, fault=fault)
        self._after(db, delivery, Outcome(state), now)

    def _after(self, db: sa.Connection, delivery: Delivery, outcome: Outcome, now: dt.datetime) -> None:
        if delivery.after is not None:
            effect = self._tables.afters[delivery.after.name]
            effect(db, delivery.after.data, outcome, city=self._city, now=now)


Following = Callable[[sa.Connection, Delivery, Outcome, dt.datetime], None]


def unknown_outcome(db: sa.Connection, delivery: Delivery, now: dt.datetime, after: Following) -> None:
    """It may have arrived, or not: the table of kinds says what follows."""
    rule = outbox.KINDS[delivery.kind]
    copies = delivery.copies + 1
    again = rule.unknown in {"again", "once"} and (rule.copies == 0 or copies < rule.copies)
    if again:
        outbox.put_off(db, delivery.id, now + dt.timedelta(seconds=2), now=now, fault="unknown", unknown=True)
    else:
        outbox.finish(db, delivery.id, "uncertain", now=now, fault="unknown")
        after(db, delivery, Outcome("uncertain"), now)


def recover(db: sa.Connection, now: dt.datetime, after: Following) -> None:
    """After a crash: what was on its way has an unknown outcome."""
    for delivery in outbox.unfinished(db):
        unknown_outcome(db, delivery, now, after)


def _mentions(db: sa.Connection, person_ids: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    found = []
    for person_id in person_ids:
        member, chat = people.staff_member(db, person_id), people.telegram_id(db, person_id)
        if member is not None and chat is not None:
            found.append((chat, member.name))
    return tuple(found)


def _say_late(db: sa.Connection, person_id: str, now: dt.datetime) -> None:
    message = outbox.say(_LATE_TEXT, buttons=[outbox.Button(Text("☰ Menu"), "menu")])
    key = f"late:{person_id}:{now:%Y-%m-%dT%H}"
    outbox.plan(db, "answer", message, now=now, to=outbox.person_lane(person_id), key=key)
