"""What became of every update and every delivery: the accept log of Telegram joined with the database."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import sqlalchemy as sa

from bot import outbox, people
from bot.storage import tables
from bot.storage.vault import unseal
from tests.faults.rig import Rig

FLAGGED = frozenset({"uncertain", "refused", "expired", "cancelled", "superseded"})
"""Ends that say of themselves that something may not have arrived."""


@dataclass
class Verdict:
    """One run, in numbers."""

    combination: str
    kills: int
    updates: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    deliveries: int = 0
    gone: list[str] = field(default_factory=list)  # deliveries that did not arrive and do not say so
    extra: int = 0
    extra_most: int = 0
    too_many: list[str] = field(default_factory=list)  # more copies of one delivery than its kind allows
    disorder: list[str] = field(default_factory=list)
    uncertain: int = 0
    fired: dict[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        """What breaks a promise."""
        found = [f"lost: {one}" for one in self.lost] + [f"twice: {one}" for one in self.twice]
        found += [f"not delivered: {one}" for one in self.gone] + [f"too many: {one}" for one in self.too_many]
        found += [f"out of order: {one}" for one in self.disorder]
        if self.extra > 4 * self.kills:
            found.append(f"{self.extra} extra copies after {self.kills} kills; at most 4 each")
        return found


def judge(rig: Rig) -> Verdict:
    """Everything is quiet: what happened?"""
    verdict = Verdict(str(rig.combination), rig.kills, fired=dict(rig.fired))
    rig.database.read_now(lambda db: _updates(db, rig, verdict))
    rig.database.read_now(lambda db: _deliveries(db, rig, verdict))
    return verdict


def _updates(db: sa.Connection, rig: Rig, verdict: Verdict) -> None:
    """Each text in its case once, each question answered once."""
    words = Counter(unseal(db, row.words_sealed) for row in db.execute(sa.select(tables.case_entry)))
    verdict.updates = rig.sent_in()
    verdict.lost += [f"text {text!r}" for _, text in rig.written if not words[text]]
    verdict.twice += [f"text {text!r} {words[text]} times" for _, text in rig.written if words[text] > 1]
    chats = _chats(db)
    answers: Counter[int] = Counter()
    for row in db.execute(sa.select(tables.outbox).where(tables.outbox.c.kind == "answer")):
        answers[chats.get(row.person_id, 0)] += 1
    for one, times in rig.asked.items():
        found = answers[one] - rig.answers_before.get(one, 0)
        if found < times:
            verdict.lost.append(f"{times - found} of {times} questions of one person")
        if found > times:
            verdict.twice.append(f"{found - times} questions of one person were answered twice")
    for row in db.execute(sa.select(tables.inbox).where(tables.inbox.c.state == "parked")):
        told = [line for line in rig.told("turn_failed") if f'"update": {row.id},' in line]
        verdict.lost.append(f"update {row.id} is parked: {row.fault} after {row.tries} tries {' '.join(told)[:1500]}")


def _chats(db: sa.Connection) -> dict[str, int]:
    return {
        row.person_id: people.telegram_id(db, row.person_id) or 0 for row in db.execute(sa.select(tables.address))
    }


def _deliveries(db: sa.Connection, rig: Rig, verdict: Verdict) -> None:
    """Each delivery that says it was sent was accepted; what was accepted besides are extra copies."""
    chats, staff = _chats(db), rig.running.world.state.staff_id
    accepted: dict[int, list[int]] = defaultdict(list)
    for accept in rig.running.world.figures.accepts:
        accepted[accept.chat].append(accept.message_id)
    sent: dict[int, set[int]] = defaultdict(set)
    copies: Counter[int] = Counter()
    last: dict[tuple[str, int], int] = {}
    for row in db.execute(sa.select(tables.outbox).order_by(tables.outbox.c.id)):
        verdict.deliveries += 1
        chat = chats.get(row.person_id, 0) if row.person_id else staff
        copies[chat] += row.copies + (row.state == "uncertain")  # the one that was meant may have arrived as well
        rule = outbox.KINDS[row.kind]
        if rule.copies and row.copies > rule.copies:
            verdict.too_many.append(f"delivery {row.id} ({row.kind}): {row.copies} copies")
        if row.state == "sent":
            if row.message_id:
                sent[chat].add(row.message_id)
                if row.message_id not in accepted[chat]:
                    verdict.gone.append(f"delivery {row.id} ({row.kind}) says it was sent")
                if row.copies == 0 and row.attempts == 1:
                    if row.message_id < last.get((row.lane, row.priority), 0):
                        verdict.disorder.append(f"delivery {row.id} in {row.lane}")
                    last[row.lane, row.priority] = row.message_id
        elif row.state in FLAGGED:
            verdict.uncertain += row.state == "uncertain"
        else:
            verdict.gone.append(f"delivery {row.id} ({row.kind}) is still {row.state}")
    for chat, numbers in accepted.items():
        extra = len(numbers) - len(sent[chat])
        verdict.extra += max(0, extra)
        if extra > copies[chat]:
            verdict.too_many.append(f"{extra} extra copies in one chat, {copies[chat]} are accounted for")


def table(verdicts: list[Verdict]) -> str:
    """As people read it."""
    columns = ("kills", "updates", "lost", "twice", "sends", "gone", "extra", "per kill", "uncertain")
    lines = [f"{'combination':32}" + "".join(f"{name:>10}" for name in columns)]
    for one in verdicts:
        per_kill = f"{one.extra / max(1, one.kills):.2f}"
        numbers = (
            one.kills, one.updates, len(one.lost), len(one.twice), one.deliveries, len(one.gone), one.extra,
            per_kill, one.uncertain,
        )  # fmt: skip
        lines.append(f"{one.combination:32}" + "".join(f"{number:>10}" for number in numbers))
    return "\n".join(lines)
