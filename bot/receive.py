"""Takes updates in and makes each a turn: one update, one transaction, one handler; it must not know what is said.

Stored before it is acknowledged; done in the order of its lane; tried three times, then parked, and the lane goes on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import sqlalchemy as sa
import structlog

from bot import inbox, outbox, people
from bot.channel import ChannelError, Incoming, Membership
from bot.clock import Clock
from bot.conversation import NOWHERE, City, Reply, State, Turn
from bot.handoff import case_of_thread
from bot.inbox import RawUpdate
from bot.language import Text, for_staff
from bot.outbox import Button, say
from bot.people import Person
from bot.storage import notes
from bot.storage.database import Database, DatabaseBusyError
from bot.understanding import Look

log = structlog.get_logger(__name__)

AT_ONCE: Final = 16
_BUSY_WAIT: Final = 0.5
_TEXT_MOST: Final = 4096
_STAFF_STATE: Final = "staff-"

_TROUBLE = say(
    Text("Something went wrong with your message. Please write it again, or talk to a person."),
    buttons=[
        Button(Text("☰ Menu"), "menu"),
        Button(Text("💬 Talk to a person"), "person"),
        Button(Text("🆘 112"), "sos"),
    ],
)
_ELSEWHERE = say(Text("I only work in private chats and in the group of the city's staff. I leave this group now."))
_ANONYMOUS = say(
    for_staff("Please switch off “remain anonymous” for yourself in the group: I cannot see who writes."),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Edges:
    """What `receive` needs from others, as callables from `app`."""

    read: Callable[[str], Incoming]
    handle: Callable[[Turn], Reply]
    look: Callable[[str], Look]
    member: Callable[[int, int], Awaitable[Membership | None]]
    presence: Callable[[int, int | None, str], Awaitable[None]]
    ring: Callable[[], None]


class Receive:
    """The way in. `accept` stores, `run` makes turns."""

    def __init__(self, database: Database, clock: Clock, city: City, edges: Edges, *, staff_chat: int | None) -> None:
        self._database = database
        self._clock = clock
        self._city = city
        self._edges = edges
        self._staff_chat = staff_chat
        self._busy: set[bytes] = set()
        self._bell = asyncio.Event()
        self._stopping = False

    async def accept(self, updates: Sequence[RawUpdate]) -> None:
        """Store a batch; returns after the commit. Raises DatabaseBusyError when it is not stored."""
        while updates:
            try:
                new = await self._database.run(lambda db: inbox.store(db, updates, self._clock.now()))
            except DatabaseBusyError:
                log.warning("database_busy", at="inbox")
                await asyncio.sleep(_BUSY_WAIT)
                continue
            if new:
                self._bell.set()
            return

    def stop(self) -> None:
        """Start no more turns."""
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Make turns until `stop`; returns when the last has ended."""
        async with asyncio.TaskGroup() as turns:
            while not self._stopping:
                self._bell.clear()
                try:
                    rows = await self._database.run(
                        lambda db: inbox.take(db, busy=self._busy, limit=AT_ONCE - len(self._busy))
                    )
                except DatabaseBusyError:
                    log.warning("database_busy", at="take")
                    await asyncio.sleep(_BUSY_WAIT)
                    continue
                for row in rows:
                    self._busy.add(row.lane)
                    turns.create_task(self._one(row))
                if not rows:
                    await self._bell.wait()

    async def _one(self, row: inbox.Row) -> None:
        try:
            await self._turn(row)
        except DatabaseBusyError:
            raise AssertionError from None  # `_run` waits for the database
        except Exception as error:
            log.exception("turn_failed", update=row.id, tries=row.tries, error=type(error).__name__)
            fault = type(error).__name__
            if row.tries >= inbox.TRIES_MOST:
                await self._run(lambda db: self._park(db, row, fault))
        finally:
            self._busy.discard(row.lane)
            self._bell.set()
            self._edges.ring()

    async def _run(self, work: Callable[[sa.Connection], None]) -> None:
        """A busy database is not the update's fault: the same turn is simply run again."""
        while True:
            try:
                await self._database.run(work)
            except DatabaseBusyError:
                log.warning("database_busy", at="turn")
                await asyncio.sleep(_BUSY_WAIT)
            else:
                return

    async def _turn(self, row: inbox.Row) -> None:
        try:
            incoming = self._edges.read(row.raw)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is set aside)
            log.warning("update_unreadable", update=row.id, reason=str(error)[:120])
            await self._run(lambda db: inbox.park(db, row.id, "unreadable"))
            return
        if incoming.tap_id:
            await self._edges.presence(incoming.chat, incoming.thread, incoming.tap_id)
        member = await self._look_up(incoming)
        text = incoming.text[:_TEXT_MOST]
        look = await asyncio.to_thread(self._edges.look, text) if text and incoming.private else None

        def turn(db: sa.Connection) -> None:
            if inbox.is_waiting(db, row.id):
                self._do(db, incoming, look, member)
                inbox.done(db, row.id)

        await self._run(turn)

    async def _look_up(self, incoming: Incoming) -> Membership | None:
        """Whether the writer in the staff group is a member, asked before the transaction when it is not fresh."""
        sender = incoming.sender
        if incoming.private or sender is None or incoming.anonymous:
            return None
        chat, known = await self._database.read(
            lambda db: (notes.staff_chat(db, self._staff_chat), people.staff_check(db, sender, self._clock.now()))
        )
        if chat != incoming.chat or known is not None:
            return None
        try:
            return await self._edges.member(incoming.chat, sender)
        except ChannelError as error:
            log.warning("member_unknown", error=type(error).__name__)
            return None

    def _do(self, db: sa.Connection, incoming: Incoming, look: Look | None, member: Membership | None) -> None:
        now = self._clock.now()
        staff_chat = notes.staff_chat(db, self._staff_chat)
        if incoming.private:
            self._private(db, incoming, look, now)
        elif incoming.chat == staff_chat:
            self._staff(db, incoming, member, now)
        elif incoming.new_chat is None and not (incoming.member and incoming.member.status in {"left", "kicked"}):
            lane = f"chat:{incoming.chat}"
            outbox.plan(db, "answer", _ELSEWHERE, now=now, to=lane, key=f"elsewhere:{incoming.update_id}")
            leave = outbox.Message(action="leave")
            outbox.plan(db, "answer", leave, now=now, to=lane, key=f"leave:{incoming.update_id}")

    def _private(self, db: sa.Connection, incoming: Incoming, look: Look | None, now: dt.datetime) -> None:
        if incoming.sender is None or incoming.sender != incoming.chat:
            return
        person = people.meet(db, incoming.sender, incoming.phone_language or None, now)
        if incoming.kind == "reach":
            gone = incoming.member is not None and incoming.member.status in {"left", "kicked"}
            people.mark_unreachable(db, person.id, now if gone else None)
            return
        if incoming.kind in {"service", "other", "member"} and incoming.media is None:
            return
        self._answer(db, incoming, person, look, now, staff=False, lane=outbox.person_lane(person.id))

    def _staff(self, db: sa.Connection, incoming: Incoming, member: Membership | None, now: dt.datetime) -> None:
        if incoming.new_chat is not None and self._staff_chat is not None:
            notes.move_staff_chat(db, self._staff_chat, incoming.new_chat)
            return
        if incoming.member is not None:
            if not incoming.member.bot:
                people.note_member(db, incoming.member.user, incoming.member.name, incoming.member.status, now)
            return
        case_id = case_of_thread(db, incoming.thread) if incoming.thread is not None else None
        lane = outbox.case_lane(case_id) if case_id is not None else outbox.STAFF_LANE
        if incoming.anonymous:
            if incoming.kind in {"text", "media"}:
                outbox.plan(db, "answer", _ANONYMOUS, now=now, to=lane, key=f"anonymous:{case_id}:{now:%Y-%m-%d}")
            return
        if incoming.kind in {"service", "other"} or incoming.sender is None:
            return
        if member is not None:
            people.note_member(db, member.user, member.name, member.status, now)
        if people.staff_check(db, incoming.sender, now) is not True:
            log.info("staff_refused", known=member is not None)
            if incoming.kind == "tap" or incoming.text.startswith("/"):
                refusal = say(for_staff("I could not check that you are a member of this group. Please try again."))
                outbox.plan(db, "answer", refusal, now=now, to=lane)
            return
        person = people.meet(db, incoming.sender, incoming.phone_language or None, now)
        self._answer(db, incoming, person, None, now, staff=True, lane=lane)

    def _answer(
        self, db: sa.Connection, incoming: Incoming, person: Person, look: Look | None, now: dt.datetime,
        *, staff: bool, lane: str,
    ) -> None:  # fmt: skip
        name, data = people.load_state(db, person.id)
        state = State(name, data) if name and name.startswith(_STAFF_STATE) == staff else NOWHERE
        route, argument = route_of(incoming)
        turn = Turn(
            db=db, now=now, person=person, state=state, incoming=incoming, city=self._city,
            said=incoming.text[:_TEXT_MOST], route=route, argument=argument, look=look, staff=staff,
            thread=incoming.thread,
        )  # fmt: skip
        reply = self._edges.handle(turn)
        for message in reply.messages:
            outbox.plan(db, reply.kind, message, now=now, to=lane)
        if reply.state is not None and (reply.state.name or state.name):
            people.store_state(db, person.id, reply.state.name, reply.state.data)

    def _park(self, db: sa.Connection, row: inbox.Row, fault: str) -> None:
        """Set aside; the person gets a neutral text, staff are told without content."""
        inbox.park(db, row.id, fault)
        now = self._clock.now()
        if self._city.staff:
            told = say(for_staff("A message of a newcomer could not be handled (number {id}).", id=row.id))
            outbox.plan(db, "copy", told, now=now, to=outbox.STAFF_LANE, key=f"parked:{row.id}")
        incoming = self._edges.read(row.raw)
        if incoming.private and incoming.sender is not None and incoming.sender == incoming.chat:
            person = people.meet(db, incoming.sender, incoming.phone_language or None, now)
            lane = outbox.person_lane(person.id)
            outbox.plan(db, "answer", _TROUBLE, now=now, to=lane, key=f"trouble:{row.id}")


def route_of(incoming: Incoming) -> tuple[str, str]:
    """What a tap or a command says: "cannot:12" → ("cannot", "12"); "/start@Bot abc" → ("start", "abc")."""
    if incoming.kind == "tap":
        route, _, argument = incoming.data.partition(":")
        return route, argument
    if incoming.kind == "text" and incoming.text.startswith("/"):
        command, _, argument = incoming.text[1:].partition(" ")
        return command.partition("@")[0].lower(), argument.strip()
    return "", ""
