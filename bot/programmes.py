"""Programmes and their sessions: what there is and when; it must not know who takes part."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.language import Text
from bot.storage import hot, tables, transaction

_PROGRAMME: Final = tables.programme
_SESSION: Final = tables.session


@dataclass(frozen=True, slots=True)
class Programme:
    """A series of sessions. `title`, `place`, `price`, `bring` are {language: words}; an empty one is not known."""

    id: str
    topic: str
    emoji: str
    title: Mapping[str, str]
    who: str  # everybody, adults, women, ages
    age_from: int | None
    age_to: int | None
    discreet: bool
    place: Mapping[str, str]
    venue: tuple[float, float] | None
    price: Mapping[str, str]
    bring: Mapping[str, str]
    spoken: str
    seats: int
    remind_week: bool
    remind_day: int  # hours before; 0: none
    remind_hours: int  # hours before; 0: none
    demo: bool

    @property
    def title_text(self) -> Text:
        """Its title, in the reader's language."""
        return Text(f"programme:{self.id}/title")

    def field_text(self, name: str) -> Text | None:
        """Its place, price or what to bring; None when it is not known."""
        return Text(f"programme:{self.id}/{name}") if getattr(self, name) else None


@dataclass(frozen=True, slots=True)
class Session:
    """One dated meeting. `starts_at` is aware UTC; `local_start` the wall time, "YYYY-MM-DDTHH:MM"."""

    id: int
    programme_id: str
    local_start: str
    starts_at: dt.datetime
    minutes: int
    seats: int
    taken: int
    state: str
    version: int

    @property
    def ends_at(self) -> dt.datetime:
        """When it is over."""
        return self.starts_at + dt.timedelta(minutes=self.minutes)

    @property
    def date(self) -> str:
        """The local day, ISO."""
        return self.local_start[:10]

    @property
    def time(self) -> str:
        """The local time, "HH:MM"."""
        return self.local_start[11:]


def instant(local_start: str, zone: ZoneInfo) -> dt.datetime:
    """The UTC instant of a wall time: a missing hour is the first valid instant, a doubled one the first."""
    wall = dt.datetime.fromisoformat(local_start).replace(tzinfo=zone, fold=0)
    at = wall.astimezone(dt.UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return at
    # Missing: with fold=0 the offset before the change is used, so the change lies between the two readings.
    low, high = wall.replace(fold=1).astimezone(dt.UTC), at
    before = zone.utcoffset(low.astimezone(zone).replace(tzinfo=None))
    while high - low > dt.timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _session(row: Any) -> Session:
    return Session(
        row.id,
        row.programme_id,
        row.local_start,
        row.starts_at,
        row.minutes,
        row.seats,
        row.taken,
        row.state,
        row.version,
    )


_FIELDS: Final = tuple(column.name for column in _PROGRAMME.c if column.name in Programme.__dataclass_fields__)
_SELECT: Final = f"SELECT {', '.join(_FIELDS)}, latitude, longitude FROM programme"  # noqa: S608 (our own columns)
_OFFER: Final = "programmes"
_OFFERED: Final = hot.Sql(f"{_SELECT} WHERE withdrawn_at IS NULL ORDER BY id")
_ONE: Final = hot.Sql(f"{_SELECT} WHERE id = :id")
_TOLD: Final = frozenset({"title", "place", "price", "bring"})  # SQLite gives JSON as text
_SWITCHES: Final = frozenset({"discreet", "remind_week", "demo"})  # SQLite gives 0 and 1


def _programme(row: hot.Row) -> Programme:
    values: dict[str, Any] = dict(zip(_FIELDS, row, strict=False))
    for name in _TOLD:
        if isinstance(values[name], str):
            values[name] = json.loads(values[name])
    for name in _SWITCHES:
        values[name] = bool(values[name])
    latitude, longitude = row[-2:]
    return Programme(**values, venue=None if latitude is None else (latitude, longitude))


def visible(db: sa.Connection, *, demo: bool) -> list[Programme]:
    """Every programme that is offered; the examples only in a demo."""
    found = transaction.once(db, _OFFER, lambda db: [_programme(row) for row in _OFFERED.rows(db)])
    return [one for one in found if demo or not one.demo]


def get(db: sa.Connection, programme_id: str, *, demo: bool) -> Programme | None:
    """One programme that is offered."""
    return next((one for one in visible(db, demo=demo) if one.id == programme_id), None)


def of_session(db: sa.Connection, session: Session) -> Programme:
    """The programme of a session, also one that is no longer offered."""
    (row,) = _ONE.rows(db, id=session.programme_id)
    return _programme(row)


def session(db: sa.Connection, session_id: int, *, lock: bool = False) -> Session | None:
    """One session; `lock` holds its row until the transaction ends."""
    query = sa.select(_SESSION).where(_SESSION.c.id == session_id)
    row = db.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _session(row)


def upcoming(db: sa.Connection, programme_id: str, now: dt.datetime) -> list[Session]:
    """The planned sessions of a programme that have not started, in order."""
    rows = db.execute(
        sa.select(_SESSION)
        .where(_SESSION.c.programme_id == programme_id, _SESSION.c.state == "planned", _SESSION.c.starts_at > now)
        .order_by(_SESSION.c.starts_at, _SESSION.c.id)
    )
    return [_session(row) for row in rows]


def with_places(db: sa.Connection, programme_ids: list[str], now: dt.datetime, limit: int) -> list[Session]:
    """The next sessions of these programmes with free places."""
    rows = db.execute(
        sa.select(_SESSION)
        .where(
            _SESSION.c.programme_id.in_(programme_ids), _SESSION.c.state == "planned", _SESSION.c.starts_at > now,
            _SESSION.c.taken < _SESSION.c.seats,
        )
        .order_by(_SESSION.c.starts_at, _SESSION.c.id)
        .limit(limit)
    )  # fmt: skip
    return [_session(row) for row in rows]


def between(db: sa.Connection, start: dt.datetime, end: dt.datetime) -> list[Session]:
    """Planned sessions that start in [start, end), in order."""
    rows = db.execute(
        sa.select(_SESSION)
        .where(_SESSION.c.state == "planned", _SESSION.c.starts_at >= start, _SESSION.c.starts_at < end)
        .order_by(_SESSION.c.starts_at, _SESSION.c.id)
    )
    return [_session(row) for row in rows]


def add_session(
    db: sa.Connection, programme: Programme, local_start: str, zone: ZoneInfo, *, minutes: int = 120,
    seats: int | None = None, name: str | None = None,
) -> Session:  # fmt: skip
    """A new session at a local wall time ("YYYY-MM-DDTHH:MM")."""
    row = db.execute(
        sa.insert(_SESSION)
        .values(
            programme_id=programme.id, name=name, local_start=local_start, zone=zone.key,
            starts_at=instant(local_start, zone), minutes=minutes, seats=programme.seats if seats is None else seats,
            state="planned",
        )
        .returning(_SESSION)
    ).one()  # fmt: skip
    return _session(row)


def set_start(db: sa.Connection, session_id: int, local_start: str, zone: ZoneInfo) -> Session:
    """Write a new start; only `reminders.move_session` calls this."""
    row = db.execute(
        sa.update(_SESSION)
        .where(_SESSION.c.id == session_id)
        .values(
            local_start=local_start, zone=zone.key, starts_at=instant(local_start, zone),
            version=_SESSION.c.version + 1, roster_posted_at=None,
        )
        .returning(_SESSION)
    ).one()  # fmt: skip
    return _session(row)


def set_cancelled(db: sa.Connection, session_id: int) -> bool:
    """Write that a session does not take place; only `reminders.cancel_session` calls this. False: it was already."""
    changed = db.execute(
        sa.update(_SESSION).where(_SESSION.c.id == session_id, _SESSION.c.state == "planned").values(state="cancelled")
    )
    return bool(changed.rowcount)


def put(db: sa.Connection, programme_id: str, entry: Mapping[str, Any]) -> None:
    """Write a programme as `programmes.yaml` describes it; a new one or a changed one."""
    who = entry.get("for") or {}
    venue = entry.get("venue") or {}
    remind = entry.get("reminders") or {}
    values = {
        "topic": entry["topic"], "emoji": entry.get("emoji", "📅"), "title": dict(entry["title"]),
        "who": who.get("who", "everybody"), "age_from": who.get("from"), "age_to": who.get("to"),
        "discreet": bool(entry.get("discreet")), "place": dict(entry.get("place") or {}),
        "latitude": venue.get("latitude"), "longitude": venue.get("longitude"),
        "price": dict(entry.get("price") or {}), "bring": dict(entry.get("bring") or {}),
        "spoken": entry.get("language", "nl"), "seats": int(entry["seats"]), "remind_week": bool(remind.get("week")),
        "remind_day": int(remind.get("day", 24)), "remind_hours": int(remind.get("hours", 0)),
        "demo": bool(entry.get("demo")), "withdrawn_at": None,
    }  # fmt: skip
    if not db.execute(sa.update(_PROGRAMME).where(_PROGRAMME.c.id == programme_id).values(**values)).rowcount:
        db.execute(sa.insert(_PROGRAMME).values(id=programme_id, **values))
    transaction.forget(db, _OFFER)


def put_demo(db: sa.Connection, entries: Mapping[str, Mapping[str, Any]], zone: ZoneInfo, now: dt.datetime) -> None:
    """The example programmes with sessions dated from today; dated again when all are past."""
    for programme_id, entry in entries.items():
        if not entry.get("demo"):
            continue
        put(db, programme_id, entry)
        programme = get(db, programme_id, demo=True)
        if programme is None or upcoming(db, programme_id, now):
            continue
        for one in entry.get("demo_sessions", ()):
            day = now.astimezone(zone).date() + dt.timedelta(days=int(one["day"]))
            add_session(db, programme, f"{day.isoformat()}T{one['time']}", zone, minutes=int(one["minutes"]))


def words(db: sa.Connection) -> dict[str, Mapping[str, str]]:
    """What programmes are called and where they are, by content key: "programme:<id>/title" → {language: words}."""
    return {
        f"programme:{row.id}/{name}": getattr(row, name)
        for row in db.execute(sa.select(_PROGRAMME))
        for name in ("title", "place", "price", "bring")
        if getattr(row, name)
    }
