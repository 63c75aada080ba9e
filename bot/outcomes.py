"""What follows from what became of a send, in the commit that stores it; it must not send.

The table of kinds in `outbox` says what an unknown outcome means (docs/decisions/0005-delivery.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import sqlalchemy as sa

from bot import departures, outbox, people
from bot.case_topics import topic_gone
from bot.channel import (
    ChannelError,
    ChatMovedError,
    NotSentError,
    RejectedError,
    Sent,
    ThrottledError,
    TopicGoneError,
    UnreachableError,
)
from bot.conversation import City
from bot.departures import Delivery
from bot.outbox import Outcome
from bot.storage import notes

_BACKOFF_MOST: Final = 60.0
_GROUP_CLOSED_WAIT: Final = dt.timedelta(minutes=1)
_AGAIN_AFTER: Final = dt.timedelta(seconds=2)


class Effect(Protocol):
    """What follows from an outcome, in the commit that stores it."""

    def __call__(
        self, db: sa.Connection, data: Mapping[str, Any], outcome: Outcome, *, city: City, now: dt.datetime
    ) -> None:
        """See the module that defines it."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Stores outcomes. `afters` maps the names in the outbox to what follows."""

    city: City
    staff_chat: int | None
    afters: Mapping[str, Effect]

    def settle(self, db: sa.Connection, delivery: Delivery, sent: Sent | ChannelError, now: dt.datetime) -> None:
        """Store what became of one send."""
        fault = type(sent).__name__ if isinstance(sent, ChannelError) else ""
        match sent:
            case Sent():
                self.end(db, delivery, Outcome("sent", sent.message_id, sent.thread), now)
            case ThrottledError():
                departures.put_off(db, delivery.id, now + dt.timedelta(seconds=sent.retry_after), now=now, fault=fault)
            case NotSentError():
                wait = min(_BACKOFF_MOST, 0.5 * 2 ** min(delivery.attempts, 7))
                departures.put_off(db, delivery.id, now + dt.timedelta(seconds=wait), now=now, fault=fault)
            case ChatMovedError() if self.staff_chat is not None:
                notes.move_staff_chat(db, self.staff_chat, sent.new_chat)
                departures.put_off(db, delivery.id, now, now=now, fault=fault)
            case TopicGoneError() if delivery.case_id is not None:
                if topic_gone(db, delivery.case_id, city=self.city, now=now):
                    again = now + dt.timedelta(microseconds=1)  # behind the new topic and its card
                    departures.put_off(db, delivery.id, again, now=now, fault=fault, aside=True)
                else:
                    self.end(db, delivery, Outcome("refused"), now, fault)
            case UnreachableError() if delivery.person_id is not None and delivery.lane.startswith("person:"):
                people.mark_unreachable(db, delivery.person_id, now)
                self.end(db, delivery, Outcome("refused"), now, fault)
            case UnreachableError():
                departures.put_off(db, delivery.id, now + _GROUP_CLOSED_WAIT, now=now, fault=fault)
            case RejectedError() | TopicGoneError() | ChatMovedError():
                self.end(db, delivery, Outcome("refused"), now, fault)
            case _:
                self.unknown(db, delivery, now)

    def end(
        self, db: sa.Connection, delivery: Delivery, outcome: Outcome, now: dt.datetime, fault: str = ""
    ) -> None:
        """Store how it ended, and do what follows."""
        departures.finish(db, delivery.id, outcome.state, now=now, message_id=outcome.message_id, fault=fault)
        if delivery.after is not None:
            effect = self.afters[delivery.after.name]
            effect(db, delivery.after.data, outcome, city=self.city, now=now)

    def unknown(self, db: sa.Connection, delivery: Delivery, now: dt.datetime) -> None:
        """It may have arrived, or not: the table of kinds says what follows."""
        rule = outbox.KINDS[delivery.kind]
        copies = delivery.copies + 1
        if rule.unknown in {"again", "once"} and (rule.copies == 0 or copies < rule.copies):
            departures.put_off(db, delivery.id, now + _AGAIN_AFTER, now=now, fault="unknown", unknown=True)
        else:
            self.end(db, delivery, Outcome("uncertain"), now, "unknown")

    def recover(self, db: sa.Connection, now: dt.datetime) -> int:
        """After a crash: what was on its way has an unknown outcome. Returns how many."""
        found = departures.unfinished(db)
        for delivery in found:
            self.unknown(db, delivery, now)
        return len(found)
