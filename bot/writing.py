"""Writes one delivery for its reader when it leaves: checks the world again, finds chat, language and words.

It must not send and not decide what follows; what is no longer useful or must wait is stored as such here.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import sqlalchemy as sa

from bot import departures, outbox, people, quiet
from bot.case_topics import thread_of
from bot.channel import Key, Outgoing
from bot.conversation import City
from bot.departures import Delivery
from bot.language import LookUp, Sayable, Text, plain, render
from bot.message import FROM_STAFF, Button, Late, Message, say
from bot.outbox import Outcome
from bot.storage import notes

_GROUP_CLOSED_WAIT: Final = dt.timedelta(minutes=1)
_LATE_TEXT: Final = Text("Sorry, my answer comes late. Please write your question again.")
_LANE_MOST: Final = 1000
_JOINED_MOST: Final = 3500
_JOINED_KINDS: Final = frozenset({"copy", "alert"})

Ending = Callable[[sa.Connection, Delivery, Outcome, dt.datetime], None]
"""Stores how a delivery ended, and what follows from it (`outcomes.end`)."""


class Renderer(Protocol):
    """Finds the words when a message leaves; None: no longer useful."""

    def __call__(self, db: sa.Connection, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
        """See the module that defines it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Writer:
    """All that is needed to write; made once."""

    city: City
    look_up: LookUp
    renderers: Mapping[str, Renderer]
    staff_chat: int | None
    end: Ending

    def prepare(self, db: sa.Connection, delivery: Delivery, now: dt.datetime) -> Outgoing | None:
        """What to send; None when it must wait or has ended another way (which is then stored)."""
        if delivery.expires_at is not None and delivery.expires_at <= now:
            self.end(db, delivery, Outcome("expired"), now)
            if delivery.kind == "answer" and delivery.person_id is not None:
                _say_late(db, delivery.person_id, now)
            return None
        if outbox.KINDS[delivery.kind].held:
            until = quiet.held_until(now, self.city.pack.zone, delivery.expires_at)
            if until is not None:
                departures.put_off(db, delivery.id, until, now=now, fault="held")
                return None
        target = self._target(db, delivery, now)
        if target is None:
            return None
        chat, thread, language = target
        message = delivery.content
        if isinstance(message, Late):
            found = self.renderers[message.name](db, message.data, city=self.city, now=now)
            if found is None:
                self.end(db, delivery, Outcome("cancelled"), now)
                return None
            message = found
        if message.action == "topic_create":
            thread = None
        from_chat = self._from_chat(db, message.from_person)
        written = self._write(message, chat, thread, message.language or language, from_chat)
        return dataclasses.replace(written, mentions=_mentions(db, message.mentions)) if message.mentions else written

    def join(
        self, db: sa.Connection, first: Delivery, outgoing: Outgoing, now: dt.datetime
    ) -> tuple[list[Delivery], Outgoing]:
        """Texts that wait behind `first` for the same topic of the staff group go in one message with it."""
        if first.kind not in _JOINED_KINDS or not first.lane.startswith("case:") or not _is_plain(first.content):
            return [first], outgoing
        joined, text = [first], outgoing.text
        for following in departures.next_of_lane(db, first, now):
            if following.kind != first.kind or not _is_plain(following.content):
                break
            more = self.prepare(db, following, now)
            if more is None or len(text) + len(more.text) > _JOINED_MOST:
                break
            joined.append(following)
            text = f"{text}\n\n{more.text}"
        return joined, dataclasses.replace(outgoing, text=text)

    @staticmethod
    def has_no_topic(db: sa.Connection, delivery: Delivery) -> bool:
        """Whether this waits for a topic that is not made yet."""
        if not delivery.lane.startswith("case:"):
            return False
        return not _makes_topic(delivery) and thread_of(db, delivery.case_id or 0) is None

    @staticmethod
    def topic_maker(db: sa.Connection, waits: Delivery, now: dt.datetime) -> Delivery | None:
        """What makes the topic that `waits` waits for, when it stands behind it and is due."""
        following = departures.next_of_lane(db, waits, now, limit=_LANE_MOST)
        return next((one for one in following if _makes_topic(one)), None)

    def _from_chat(self, db: sa.Connection, from_person: str) -> int:
        if from_person == FROM_STAFF:
            return notes.staff_chat(db, self.staff_chat) or 0
        return (people.telegram_id(db, from_person) or 0) if from_person else 0

    def _target(self, db: sa.Connection, delivery: Delivery, now: dt.datetime) -> tuple[int, int | None, str] | None:
        """Chat, topic and language of the reader; None when there is nobody (stored) or it must wait."""
        if delivery.lane.startswith("chat:"):
            return int(delivery.lane.removeprefix("chat:")), None, people.STAFF_LANGUAGE
        if delivery.person_id is None or not delivery.lane.startswith("person:"):
            chat = notes.staff_chat(db, self.staff_chat)
            if chat is None:
                departures.put_off(db, delivery.id, now + _GROUP_CLOSED_WAIT, now=now, fault="no staff group")
                return None
            if not delivery.lane.startswith("case:"):
                return chat, None, people.STAFF_LANGUAGE
            return chat, thread_of(db, delivery.case_id or 0), people.STAFF_LANGUAGE
        reader = people.reader(db, delivery.person_id)
        if reader is None or reader.unreachable:
            self.end(db, delivery, Outcome("refused"), now)
            return None
        return reader.chat, None, people.choose(reader.language, reader.phone_language, self.city.pack.languages)

    def _write(self, message: Message, chat: int, thread: int | None, language: str, from_chat: int) -> Outgoing:
        def words(value: Sayable) -> str:
            return render(value, language, self.look_up)

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


_PLAIN: Final = Message()


def _makes_topic(delivery: Delivery) -> bool:
    return isinstance(delivery.content, Message) and delivery.content.action == "topic_create"


def _is_plain(content: Message | Late) -> bool:
    """A message of paragraphs and nothing else."""
    return isinstance(content, Message) and dataclasses.replace(content, parts=()) == _PLAIN


def _mentions(db: sa.Connection, person_ids: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    found = []
    for person_id in person_ids:
        member, chat = people.staff_member(db, person_id), people.telegram_id(db, person_id)
        if member is not None and chat is not None:
            found.append((chat, member.name))
    return tuple(found)


def _say_late(db: sa.Connection, person_id: str, now: dt.datetime) -> None:
    message = say(_LATE_TEXT, buttons=[Button(Text("☰ Menu"), "menu")])
    key = f"late:{person_id}:{now:%Y-%m-%dT%H}"
    outbox.plan(db, "answer", message, now=now, to=outbox.person_lane(person_id), key=key)
