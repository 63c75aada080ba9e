"""Loads programmes and sessions from a city's file: first a plan in words, then the same plan done.

A session has a name in the file, so that a changed date is a move (people are told) and not a new session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
import yaml

from bot import programmes, reminders
from bot.conversation import City
from bot.storage import tables

_NEEDED: Final = ("topic", "title", "seats")
_WHO: Final = ("everybody", "adults", "women", "ages")


class LoadError(Exception):
    """The file cannot be used; one line per fault, each naming the place and what was expected."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `what` is programme, new, move or cancel; `told` how many people will be told."""

    what: str
    programme_id: str
    words: str
    name: str = ""
    start: str = ""
    session_id: int = 0
    entry: Mapping[str, Any] | None = None
    told: int = 0


def read(path: Path) -> dict[str, Any]:
    """The programmes of a file. Raises LoadError that names every fault."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise LoadError(f"{path}: cannot be read") from None
    except yaml.YAMLError as error:
        raise LoadError(f"{path}: is not YAML: {str(error).splitlines()[0]}") from None
    entries = data.get("programmes") if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        raise LoadError(f"{path}: expected `programmes:` with one entry per programme")
    faults = [fault for key, entry in entries.items() for fault in _faults(str(key), entry)]
    if faults:
        raise LoadError("\n".join(f"{path}: {fault}" for fault in faults))
    return {str(key): entry for key, entry in entries.items()}


def _faults(key: str, entry: Any) -> list[str]:
    if not isinstance(entry, dict):
        return [f"{key}: expected topic, title, seats"]
    found = [f"{key}: {name} is missing" for name in _NEEDED if not entry.get(name)]
    if entry.get("seats") and not (isinstance(entry["seats"], int) and entry["seats"] > 0):
        found.append(f"{key}: seats must be a whole number from 1, not {entry['seats']!r}")
    if (entry.get("for") or {}).get("who", "everybody") not in _WHO:
        found.append(f"{key}: for.who must be one of {', '.join(_WHO)}")
    names: set[str] = set()
    for number, one in enumerate(entry.get("sessions") or (), 1):
        name = str((one or {}).get("name", ""))
        if not name or name in names:
            found.append(f"{key}, session {number}: needs a name of its own")
        names.add(name)
        try:
            _start(one)
        except (KeyError, TypeError, ValueError):
            found.append(f'{key}, session {name or number}: expected date: 2027-07-05 and time: "09:00"')
    return found


def _start(one: Mapping[str, Any]) -> str:
    date, time = one["date"], str(one["time"])
    day = date if isinstance(date, dt.date) else dt.date.fromisoformat(str(date))
    return f"{day.isoformat()}T{dt.time.fromisoformat(time):%H:%M}"


def steps(db: sa.Connection, entries: Mapping[str, Any], now: dt.datetime) -> list[Step]:
    """What loading would do, in order. Past sessions are left as they are."""
    found: list[Step] = []
    known = {one.id: one for one in programmes.visible(db, demo=True)}
    for key, entry in entries.items():
        found.append(Step("programme", key, f"{key}: {'change' if key in known else 'new'} programme", entry=entry))
        rows = db.execute(
            sa.select(tables.session).where(
                tables.session.c.programme_id == key, tables.session.c.name.is_not(None),
                tables.session.c.state == "planned",
            )
        ).all()  # fmt: skip
        here = {row.name: row for row in rows}
        for one in entry.get("sessions") or ():
            name, start = str(one["name"]), _start(one)
            row = here.get(name)
            if row is None:
                found.append(Step("new", key, f"{key}: new session {name} on {start}", name, start, entry=one))
            elif row.local_start != start and row.starts_at > now:
                told = len(reminders.who_knows(db, row.id))
                words = f"{key}: move {name} from {row.local_start} to {start}; {told} people will be told"
                found.append(Step("move", key, words, name, start, row.id, told=told))
    return found


def apply(db: sa.Connection, plan: list[Step], *, city: City, now: dt.datetime) -> None:
    """Do the steps, in one transaction."""
    for step in plan:
        if step.what == "programme" and step.entry is not None:
            programmes.put(db, step.programme_id, step.entry)
            continue
        programme = programmes.get(db, step.programme_id, demo=True)
        if step.what == "new" and programme is not None and step.entry is not None:
            reminders.new_session(
                db, programme, step.start, city=city, now=now, minutes=int(step.entry.get("minutes", 120)),
                seats=step.entry.get("seats"), name=step.name,
            )  # fmt: skip
        session = programmes.session(db, step.session_id, lock=True) if step.what == "move" else None
        if session is not None:
            reminders.move_session(db, session, step.start, city=city, now=now)
