"""What is on its way out: messages as values, and the rows that hold them until the channel has them.

Everything a person sees is planned here, in the transaction that decided it, and leaves after the commit. This
module plans, supersedes and claims; it must not send, and it must not know what a message means.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import sqlalchemy as sa

from bot.language import Said, Sayable, Text, pack, unpack
from bot.storage import tables
from bot.storage.vault import seal, unseal

Unknown = Literal["again", "ask", "once", "never"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of delivery is treated (docs/decisions/0005-delivery.md)."""

    priority: int
    unknown: Unknown  # after an unknown outcome
    copies: int  # at most so many attempts with an unknown outcome (0: without end)
    lives: dt.timedelta | None = None  # after which it has expired; None: until its own expires_at, or never
    held: bool = False  # waits until 08:00 when it would arrive between 21:00 and 08:00


KINDS: Final[Mapping[str, Kind]] = {
    "card": Kind(1, "again", 3),
    "alert": Kind(1, "again", 0),
    "reply": Kind(2, "ask", 1),
    "copy": Kind(2, "once", 2),
    "answer": Kind(3, "once", 2, lives=dt.timedelta(hours=1)),
    "change": Kind(4, "once", 2, held=True),
    "reminder": Kind(5, "once", 2),
    "news": Kind(6, "never", 1, lives=dt.timedelta(hours=24), held=True),
}


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its label, and what tapping it says to the bot (`route` or `route:argument`, ≤ 64 bytes).

    `url` opens an address instead; `ask` = "location" or "contact" makes a keyboard key that shares it.
    """

    label: Sayable
    data: str = ""
    url: str = ""
    ask: Literal["", "location", "contact"] = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to somebody, as a value; rendered in the reader's language when it leaves.

    `parts` are paragraphs (a blank line between). `language` fixes the language of the words ("in the language of
    the question"). `action` other than "text" acts on `message_id` or carries `file_id`, `content`, `title`,
    `address` and `place`, as in `channel.Outgoing`. `footer_rows` puts buttons beside each other in one last row.
    """

    parts: tuple[Sayable, ...] = ()
    buttons: tuple[Button, ...] = ()
    language: str | None = None
    action: str = "text"
    message_id: int = 0
    reply_to: int | None = None
    from_person: str = ""  # copy: the person in whose chat the copied message stands, or FROM_STAFF
    file_id: str = ""
    media_kind: str = ""
    content: str = ""  # base64, for files we make
    name: str = ""
    title: Sayable = ""
    address: Sayable = ""
    place: tuple[float, float] | None = None
    protect: bool = False
    hide_keys: bool = False  # takes away the key that shares a place or a number (then no buttons)
    mentions: tuple[str, ...] = ()  # person ids of staff who are called by name


def say(*parts: Sayable, buttons: Sequence[Button] = (), language: str | None = None) -> Message:
    """A text message of these paragraphs."""
    return Message(parts=parts, buttons=tuple(buttons), language=language)


@dataclass(frozen=True, slots=True)
class Late:
    """Words that are found only when the message leaves: the name of a renderer (see `app.RENDERERS`) and its data.

    The renderer answers with a Message, or with None when it is no longer useful (the row is then `cancelled`).
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class After:
    """What to do with the outcome, in the commit that stores it: a name (see `app.AFTERS`) and its data."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended: state is sent, refused, uncertain, expired or cancelled; what the channel gave back."""

    state: str
    message_id: int = 0
    thread: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox, opened."""

    id: int
    kind: str
    priority: int
    lane: str
    person_id: str | None
    case_id: int | None
    content: Message | Late
    after: After | None
    state: str
    due_at: dt.datetime
    expires_at: dt.datetime | None
    attempts: int
    copies: int


def person_lane(person_id: str) -> str:
    """The lane of one newcomer's chat."""
    return f"person:{person_id}"


def case_lane(case_id: int) -> str:
    """The lane of one case's topic in the staff group."""
    return f"case:{case_id}"


FROM_STAFF: Final = "staff"
"""Message.from_person of a message that stands in the staff group."""

STAFF_LANE: Final = "staff"
"""The staff group's general topic."""


def plan(
    db: sa.Connection,
    kind: str,
    content: Message | Late,
    *,
    now: dt.datetime,
    to: str,
    case_id: int | None = None,
    key: str | None = None,
    due_at: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,
    after: After | None = None,
) -> int | None:
    """Plan one delivery to a lane: `person_lane(id)`, `case_lane(id)` or STAFF_LANE.

    `key` makes it unique: planned a second time it adds nothing and None is returned; otherwise the row's id.
    """
    rule = KINDS[kind]
    due = due_at or now
    if expires_at is None and rule.lives is not None:
        expires_at = due + rule.lives
    if key is not None and db.scalar(sa.select(tables.outbox.c.id).where(tables.outbox.c.key == key)) is not None:
        return None
    row = db.execute(
        sa.insert(tables.outbox)
        .values(
            kind=kind,
            priority=rule.priority,
            lane=to,
            person_id=to.removeprefix("person:") if to.startswith("person:") else None,
            case_id=int(to.removeprefix("case:")) if to.startswith("case:") else case_id,
            key=key,
            body_sealed=seal(db, _dump(content, after)),
            state="planned",
            due_at=due,
            expires_at=expires_at,
            planned_at=now,
        )
        .returning(tables.outbox.c.id)
    )
    return int(row.scalar_one())


def supersede(db: sa.Connection, *, keys: Collection[str], state: str = "superseded") -> int:
    """Planned rows with these keys will not leave; their keys stay taken. Returns how many."""
    if not keys:
        return 0
    rows = db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.key.in_(list(keys)), tables.outbox.c.state == "planned")
        .values(state=state, body_sealed=None)
    )
    return rows.rowcount


def cancel(db: sa.Connection, delivery_ids: Collection[int]) -> int:
    """Planned rows that will not leave after all. Returns how many were still here."""
    if not delivery_ids:
        return 0
    rows = db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.id.in_(list(delivery_ids)), tables.outbox.c.state == "planned")
        .values(state="cancelled", body_sealed=None)
    )
    return rows.rowcount


def planned_keys(db: sa.Connection, person_id: str, kind: str) -> dict[str, dt.datetime]:
    """The keys of a person's planned deliveries of a kind, and when they are due."""
    rows = db.execute(
        sa.select(tables.outbox.c.key, tables.outbox.c.due_at).where(
            tables.outbox.c.person_id == person_id,
            tables.outbox.c.kind == kind,
            tables.outbox.c.state == "planned",
            tables.outbox.c.key.is_not(None),
        )
    )
    return {row.key: row.due_at for row in rows}


def known_keys(db: sa.Connection, keys: Collection[str]) -> set[str]:
    """Which of these keys are taken, whatever became of their rows."""
    if not keys:
        return set()
    return set(db.scalars(sa.select(tables.outbox.c.key).where(tables.outbox.c.key.in_(list(keys)))))


def due(
    db: sa.Connection, now: dt.datetime, *, without: Collection[str] = (), limit: int = 40
) -> list[Delivery]:
    """What may leave now, most urgent first, leaving out the lanes `without`.

    A row that waits a moment after a failure holds its lane and priority.
    """
    box, before = tables.outbox, tables.outbox.alias("before")
    held = (
        sa.select(before.c.id)
        .where(
            before.c.lane == box.c.lane,
            before.c.priority == box.c.priority,
            before.c.state == "planned",
            before.c.attempts > 0,
            before.c.put_off.is_(False),
            before.c.due_at > now,
            before.c.id < box.c.id,
        )
        .exists()
    )
    rows = db.execute(
        sa.select(box)
        .where(box.c.state == "planned", box.c.due_at <= now, ~held, box.c.lane.not_in(list(without)))
        .order_by(box.c.priority, box.c.due_at, box.c.id)
        .limit(limit)
    )
    return [_open(db, row) for row in rows]


def unfinished(db: sa.Connection) -> list[Delivery]:
    """Rows that were on their way when the process stopped: their outcome is not known."""
    rows = db.execute(sa.select(tables.outbox).where(tables.outbox.c.state == "sending").order_by(tables.outbox.c.id))
    return [_open(db, row) for row in rows]


def next_due(db: sa.Connection) -> dt.datetime | None:
    """When the next planned row is due."""
    at: dt.datetime | None = db.scalar(
        sa.select(sa.func.min(tables.outbox.c.due_at)).where(tables.outbox.c.state == "planned")
    )
    return at


def claim(db: sa.Connection, delivery_id: int, now: dt.datetime) -> bool:
    """Mark the attempt, before the bytes leave. False if somebody else has it."""
    row = db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.id == delivery_id, tables.outbox.c.state == "planned")
        .values(state="sending", attempts=tables.outbox.c.attempts + 1, attempted_at=now)
        .returning(tables.outbox.c.id)
    ).first()
    return row is not None


def finish(
    db: sa.Connection, delivery_id: int, state: str, *, now: dt.datetime, message_id: int = 0, fault: str = ""
) -> None:
    """Store how it ended (sent, refused, uncertain, expired, cancelled); what was said is emptied."""
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.id == delivery_id)
        .values(
            state=state,
            sent_at=now if state == "sent" else None,
            message_id=message_id or None,
            fault=fault or None,
            body_sealed=None if state != "uncertain" else tables.outbox.c.body_sealed,
        )
    )


def put_off(
    db: sa.Connection, delivery_id: int, until: dt.datetime, *, now: dt.datetime, fault: str, unknown: bool = False
) -> None:
    """Planned again, not before `until`. More than 5 s away it no longer holds what waits behind it."""
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.id == delivery_id)
        .values(
            state="planned",
            due_at=until,
            put_off=until - now > dt.timedelta(seconds=5),
            fault=fault,
            copies=tables.outbox.c.copies + (1 if unknown else 0),
        )
    )


def _dump(content: Message | Late, after: After | None) -> str:
    body: dict[str, Any] = (
        {"late": content.name, "data": dict(content.data)}
        if isinstance(content, Late)
        else {"m": pack_message(content)}
    )
    if after is not None:
        body["after"] = {"name": after.name, "data": dict(after.data)}
    return json.dumps(body, ensure_ascii=False)


def _open(db: sa.Connection, row: Any) -> Delivery:
    body = json.loads(unseal(db, row.body_sealed) or '{"m": {}}')
    content = Late(body["late"], body["data"]) if "late" in body else unpack_message(body["m"])
    after = body.get("after")
    return Delivery(
        id=row.id, kind=row.kind, priority=row.priority, lane=row.lane, person_id=row.person_id, case_id=row.case_id,
        content=content, after=After(after["name"], after["data"]) if after else None, state=row.state,
        due_at=row.due_at, expires_at=row.expires_at, attempts=row.attempts, copies=row.copies,
    )  # fmt: skip


_PLAIN_FIELDS: Final = (
    "language", "action", "message_id", "reply_to", "from_person", "file_id", "media_kind", "content", "name", "place",
    "protect", "hide_keys", "mentions",
)  # fmt: skip


def pack_message(message: Message) -> dict[str, Any]:
    """A message as JSON-ready data; `unpack_message` is its inverse."""
    empty = Message()
    body = {name: value for name in _PLAIN_FIELDS if (value := getattr(message, name)) != getattr(empty, name)}
    body["parts"] = [pack(part) for part in message.parts]
    if message.buttons:
        body["buttons"] = [
            {"label": pack(b.label), "data": b.data, "url": b.url, "ask": b.ask} for b in message.buttons
        ]
    for name in ("title", "address"):
        if getattr(message, name):
            body[name] = pack(getattr(message, name))
    return body


def unpack_message(body: Mapping[str, Any]) -> Message:
    """The inverse of `pack_message`."""
    values = {name: body[name] for name in _PLAIN_FIELDS if name in body}
    for name in ("place", "mentions"):
        if name in values:
            values[name] = tuple(values[name])
    return Message(
        parts=tuple(unpack(part) for part in body.get("parts", ())),
        buttons=tuple(Button(unpack(b["label"]), b["data"], b["url"], b["ask"]) for b in body.get("buttons", ())),
        title=unpack(body.get("title", "")),
        address=unpack(body.get("address", "")),
        **values,
    )


__all__ = [
    "FROM_STAFF", "KINDS", "STAFF_LANE", "After", "Button", "Delivery", "Late", "Message", "Outcome", "Said", "Text",
    "cancel", "case_lane", "claim", "due", "finish", "known_keys", "next_due", "pack_message", "person_lane", "plan",
    "planned_keys", "put_off", "say", "supersede", "unfinished", "unpack_message",
]  # fmt: skip
