"""One update and what the bot makes of it, inside its transaction; it must not open one and not know what is said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
import structlog

from bot import inbox, outbox, people
from bot.case_topics import case_of_thread
from bot.channel import Incoming, Membership
from bot.clock import Clock
from bot.conversation import NOWHERE, City, Reply, State, Turn
from bot.inbox import Row
from bot.language import Text, for_staff
from bot.message import Button, Message, say
from bot.people import Person
from bot.storage import notes
from bot.understanding import Look

log = structlog.get_logger(__name__)

_TEXT_MOST: Final = 4096
_STAFF_STATE: Final = "staff-"
_WAYS_ON: Final = [
    Button(Text("☰ Menu"), "menu"),
    Button(Text("💬 Talk to a person"), "person"),
    Button(Text("🆘 112"), "sos"),
]

_TROUBLE: Final = say(
    Text("Something went wrong with your message. Please write it again, or talk to a person."), buttons=_WAYS_ON
)
_SLOWLY: Final = say(
    Text("You write very fast. I cannot answer all your messages now. Please wait a minute, then write again."),
    buttons=_WAYS_ON,
)
_ELSEWHERE: Final = say(
    Text("I only work in private chats and in the group of the city's staff. I leave this group now.")
)
_ANONYMOUS: Final = say(
    for_staff("Please switch off “remain anonymous” for yourself in the group: I cannot see who writes."),
)


@dataclass(frozen=True, slots=True)
class Turns:
    """What a turn needs; made once. `handle` is the map of what the bot says."""

    clock: Clock
    city: City
    handle: Callable[[Turn], Reply]
    staff_chat: int | None
    after: Callable[[sa.Connection], None]  # something may have been planned

    def do(self, db: sa.Connection, incoming: Incoming, look: Look | None, member: Membership | None) -> None:
        """Make the turn: read, decide, plan what is said."""
        now = self.clock.now()
        if incoming.private:
            self._private(db, incoming, look, now)
        elif incoming.chat == notes.staff_chat(db, self.staff_chat):
            self._staff(db, incoming, member, now)
        elif incoming.new_chat is None and not (incoming.member and incoming.member.status in {"left", "kicked"}):
            lane = f"chat:{incoming.chat}"
            outbox.plan(db, "answer", _ELSEWHERE, now=now, to=lane, key=f"elsewhere:{incoming.update_id}")
            leave = Message(action="leave")
            outbox.plan(db, "answer", leave, now=now, to=lane, key=f"leave:{incoming.update_id}")
        self.after(db)

    def park(self, db: sa.Connection, row: Row, incoming: Incoming | None, fault: str) -> None:
        """Set aside; the person gets a neutral text, staff are told without content."""
        if not inbox.park(db, row.id, fault):
            return
        now = self.clock.now()
        if self.city.staff:
            told = say(for_staff("A message of a newcomer could not be handled (number {id}).", id=row.id))
            outbox.plan(db, "copy", told, now=now, to=outbox.STAFF_LANE, key=f"parked:{row.id}")
        if incoming is not None and incoming.private and incoming.sender == incoming.chat:
            person = people.meet(db, incoming.chat, incoming.phone_language or None, now)
            lane = outbox.person_lane(person.id)
            outbox.plan(db, "answer", _TROUBLE, now=now, to=lane, key=f"trouble:{row.id}")

    def say_slowly(self, db: sa.Connection, incoming: Incoming) -> None:
        """One neutral line a minute to who writes faster than we answer."""
        now = self.clock.now()
        person = people.meet(db, incoming.chat, incoming.phone_language or None, now)
        key = f"slowly:{person.id}:{now:%Y-%m-%dT%H:%M}"
        outbox.plan(db, "answer", _SLOWLY, now=now, to=outbox.person_lane(person.id), key=key)

    def _private(self, db: sa.Connection, incoming: Incoming, look: Look | None, now: dt.datetime) -> None:
        if incoming.sender is None or incoming.sender != incoming.chat:
            return
        person = people.meet(db, incoming.sender, incoming.phone_language or None, now)
        if incoming.kind == "reach":
            gone = incoming.member is not None and incoming.member.status in {"left", "kicked"}
            people.mark_unreachable(db, person.id, now if gone else None)
            return
        if incoming.kind in {"service", "other", "member", "reaction"} and incoming.media is None:
            return
        self._answer(db, incoming, person, look, now, staff=False, lane=outbox.person_lane(person.id))

    def _staff(self, db: sa.Connection, incoming: Incoming, member: Membership | None, now: dt.datetime) -> None:
        if incoming.new_chat is not None and self.staff_chat is not None:
            notes.move_staff_chat(db, self.staff_chat, incoming.new_chat)
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
        if incoming.kind in {"service", "other", "reaction"} or incoming.sender is None:
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
        name, data = people.state_of(db, person)
        state = State(name, data) if name and name.startswith(_STAFF_STATE) == staff else NOWHERE
        route, argument = route_of(incoming)
        turn = Turn(
            db=db, now=now, person=person, state=state, incoming=incoming, city=self.city,
            said=incoming.text[:_TEXT_MOST], route=route, argument=argument, look=look, staff=staff,
            thread=incoming.thread,
        )  # fmt: skip
        reply = self.handle(turn)
        for message in reply.messages:
            outbox.plan(db, reply.kind, message, now=now, to=lane)
        after = reply.state
        if after is not None and (after.name, dict(after.data)) != (state.name, dict(state.data)):
            people.store_state(db, person.id, after.name, after.data)


def route_of(incoming: Incoming) -> tuple[str, str]:
    """What a tap or a command says: "cannot:12" → ("cannot", "12"); "/start@Bot abc" → ("start", "abc")."""
    if incoming.kind == "tap":
        route, _, argument = incoming.data.partition(":")
        return route, argument
    if incoming.kind == "text" and incoming.text.startswith("/"):
        command, _, argument = incoming.text[1:].partition(" ")
        return command.partition("@")[0].lower(), argument.strip()
    return "", ""
