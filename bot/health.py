"""Says whether this process does its work, and how much waits; it must tell nothing about anybody."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from bot import departures, inbox, metrics
from bot.clock import Clock, monotonic
from bot.storage import migrate
from bot.storage.database import Database

_SILENT_MOST: Final = 120.0
_PATIENCE: Final = 5.0


@dataclass
class Health:
    """What the running bot notes about itself, and what `/healthz`, `/readyz` and `/metrics` tell of it."""

    database: Database
    clock: Clock
    stopping: Callable[[], bool]
    polls: bool
    staff: bool = False
    leads: bool = False
    reads: bool = False
    heard_at: float = 0.0

    def heard(self) -> None:
        """Telegram answered, or posted something."""
        self.heard_at = monotonic()

    async def tell(self) -> dict[str, Any]:
        """`ok`: this process is alive and its database answers (and, if it polls, Telegram does)."""
        silent = monotonic() - self.heard_at
        now = self.clock.now()

        def look(db: sa.Connection) -> tuple[dict[str, int], dt.datetime | None, bool]:
            return inbox.counts(db), departures.next_due(db), migrate.is_current(db)

        try:
            updates, due, current = await asyncio.wait_for(self.database.read(look), _PATIENCE)
        except Exception as error:  # noqa: BLE001 (whatever it is, this is what healthz is there to tell)
            return {"ok": False, "ready": False, "database": type(error).__name__}
        late = max(0.0, (now - due).total_seconds()) if due else 0.0
        metrics.waiting.set(updates["waiting"])
        metrics.parked.set(updates["parked"])
        metrics.late.set(late)
        metrics.leading.set(self.leads)
        well = not (self.polls and self.leads) or silent < _SILENT_MOST
        return {
            "ok": well,
            "ready": well and current and self.reads and not self.stopping(),
            "database": "ok",
            "tables": "current" if current else "old",
            "leads": self.leads,
            "seconds_since_update": round(silent),
            "updates_waiting": updates["waiting"],
            "updates_parked": updates["parked"],
            "seconds_late": round(late),
            "staff_group": self.staff,
        }
