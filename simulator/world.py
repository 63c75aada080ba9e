"""The running simulation: state, its event log, clock, limits and faults; it must not know HTTP."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from simulator.clock import SimClock, monotonic, real_now
from simulator.disorder import Disorder
from simulator.faults import Faults
from simulator.figures import Accept, Figures, accept_of
from simulator.journal import Journal
from simulator.limits import Limits
from simulator.state import BOT_ID, DEFAULT_TOKEN, STAFF_GROUP, Json, State

T = TypeVar("T")
DEFAULT_OUT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
EVENTS_KEPT = 5000
CALLS_KEPT = 20_000
MESSAGES_KEPT = 50
COUNTED = frozenset(
    {
        "sendmessage", "senddocument", "sendphoto", "sendvoice", "sendvenue", "sendlocation", "sendcontact",
        "copymessage", "forwardmessage",
    }
)  # fmt: skip
"""What puts a message in a chat: it counts for Telegram's limits and stands in the accept log."""


class Bells:
    """Wakes those who wait for something named by a key."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, set[asyncio.Future[None]]] = {}

    def ring(self, *keys: Hashable) -> None:
        """Wake everybody who waits at one of these keys."""
        for key in keys:
            for future in self._waiting.pop(key, ()):
                if not future.done():
                    future.set_result(None)

    async def until(self, key: Hashable, look: Callable[[], T | None], timeout: float) -> T | None:  # noqa: ASYNC109
        """What `look` gives as soon as it gives something, or None after `timeout` seconds."""
        deadline = monotonic() + timeout
        while (found := look()) is None:
            left = deadline - monotonic()
            if left <= 0:
                return None
            future = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(key, set()).add(future)
            try:
                async with asyncio.timeout(left):
                    await future
            except TimeoutError:
                return look()
            finally:
                self._waiting.get(key, set()).discard(future)
        return found


@dataclass
class World:
    """One simulation. `data` is where it keeps its log and files; None keeps them in memory.

    Without `keep_messages` the memory of a long run is bounded: the last messages of each chat, the last calls; the
    accept log stays whole. `spread` are the receivers of a webhook behind the simulator's load balancer.
    """

    data: Path | None = None
    token: str = ""
    keep_messages: bool = True
    state: State = field(default_factory=State)
    clock: SimClock = field(default_factory=SimClock)
    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    bells: Bells = field(default_factory=Bells)
    boot: str = field(default_factory=lambda: uuid4().hex)
    calls: list[Json] = field(default_factory=list)
    calls_gone: int = 0
    figures: Figures = field(default_factory=Figures)
    disorder: Disorder = field(default_factory=Disorder)
    spread: list[str] = field(default_factory=list)
    webhook_wait: tuple[float, float] = (0.2, 2.0)
    webhook_turn: int = 0
    outgoing: deque[tuple[Json, bool]] = field(default_factory=deque)
    down: bool = False
    closed: bool = False
    cuts: int = 0
    restarts: list[float] = field(default_factory=list)
    poller: int = 0
    _blobs: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.events: deque[Json] = deque(maxlen=EVENTS_KEPT)
        self.last_event = 0
        self._journal = Journal(self.data / "events.jsonl" if self.data else None)
        self._call_journal = Journal(self.data / "calls.jsonl" if self.data else None)
        self.state.keep = 0 if self.keep_messages else MESSAGES_KEPT
        for event in self._journal.replay():
            self.state.apply(event)
        for line in self._call_journal.replay():
            accept = line.pop("accept", None)
            self.calls.append(line)
            if accept:
                self.figures.add(Accept(**accept))
        self.clock.offset = self.state.offset
        if STAFF_GROUP not in self.state.chats:
            self._found()
        self.webhook_anew()

    def _found(self) -> None:
        """The world on its first day: the staff group with the bot as its administrator."""
        bot = int(self.token.split(":")[0]) if self.token else BOT_ID
        self.emit("bot", me={"id": bot})
        self.emit("chat", chat={"id": STAFF_GROUP, "type": "supergroup", "title": "Onthaal Lokeren", "is_forum": True})
        rights = ("can_manage_chat", "can_manage_topics", "can_delete_messages", "can_pin_messages", "can_invite_users")
        self.emit(
            "member", chat=STAFF_GROUP, user=bot, member={"status": "administrator"} | dict.fromkeys(rights, True)
        )

    @property
    def shown_token(self) -> str:
        """A token that is accepted."""
        return self.token or DEFAULT_TOKEN

    def emit(self, kind: str, /, **values: object) -> None:
        """Change the state by an event that is written to the log and shown to the page."""
        event: Json = {"type": kind, **values}
        if self.data is not None:
            self._journal.append(event)
        self.state.apply(event)
        self.signal(event)

    def signal(self, event: Json) -> None:
        """Show an event to the page without keeping it (typing, a call)."""
        self.last_event += 1
        self.events.append({"n": self.last_event, **event})
        self.bells.ring("events")

    def update(self, kind: str, body: Json) -> int:
        """Queue an update for the bot unless it did not ask for this kind; returns its id, or 0."""
        allowed = self.state.allowed
        if kind not in allowed if allowed else kind in DEFAULT_OUT:
            return 0
        update_id = self.state.last_update_id + 1
        self.queue({"update_id": update_id, kind: body})
        return update_id

    def queue(self, update: Json) -> None:
        """Queue an update as it is."""
        again = update["update_id"] in self.state.pending
        self.figures.written.setdefault(update["update_id"], monotonic())
        self.emit("update", update=update)
        if self.state.webhook:
            self.outgoing.append((update, again))
        self.bells.ring("updates", "outgoing")

    @property
    def away(self) -> bool:
        """Whether Telegram can be reached by nobody and sends nothing."""
        return self.down or self.closed

    def cut(self) -> None:
        """End the polls that wait."""
        self.cuts += 1
        self.bells.ring("updates")

    @property
    def undelivered(self) -> int:
        """Updates, repeated ones too, that the bot has still to take."""
        return len(self.state.pending) + len(self.state.again)

    def deliver_again(self, update_ids: Iterable[int]) -> None:
        """Deliver updates once more, by poll or webhook."""
        before = len(self.state.again)
        self.emit("replay", update_ids=list(update_ids))
        if self.state.webhook:
            self.outgoing.extend((update, True) for update in list(self.state.again)[before:])
        self.bells.ring("updates", "outgoing")

    def taken(self, update_ids: list[int]) -> None:
        """The bot took these updates for the first time: perhaps they come once more."""
        due = self.disorder.taken(update_ids, idle=not self.state.pending)
        if due:
            self.deliver_again(due)

    def webhook_anew(self) -> None:
        """The webhook is another (or none): what is pending goes to it."""
        self.webhook_turn += 1
        self.outgoing.clear()
        if self.state.webhook:
            self.outgoing.extend((update, False) for update in self.state.pending.values())
            self.outgoing.extend((update, True) for update in self.state.again)
        self.bells.ring("updates", "outgoing", "webhook")

    def record(self, call: Json, message: Json | None = None) -> None:
        """Write one line of the log of calls, and of the accept log when the call put a message in a chat."""
        mono, wall = monotonic(), real_now().timestamp()
        line = {"n": self.calls_gone + len(self.calls) + 1, "mono": mono, "wall": wall, **call}
        self.calls.append(line)
        accept = None
        if message is not None:
            accept = accept_of(len(self.figures.accepts) + 1, call["method"], mono, wall, message)
            self.figures.add(accept)
            self.bells.ring("accepts")
        if self.data is not None:
            self._call_journal.append({**line, "accept": accept.shown()} if accept else line)
        if not self.keep_messages and len(self.calls) > CALLS_KEPT:
            gone = CALLS_KEPT // 2
            del self.calls[:gone]
            self.calls_gone += gone
        self.bells.ring("log")
        self.signal({"type": "call", "call": line})

    def move_clock(self, offset: float) -> None:
        """Set the simulated clock to real time plus `offset` seconds."""
        self.clock.move(offset)
        self.emit("clock", offset=offset)
        self.bells.ring("clock")

    def keep_blob(self, name: str, content: bytes) -> None:
        """Keep a file's bytes."""
        if self.data is None:
            self._blobs[name] = content
            return
        path = self.data / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def blob(self, name: str) -> bytes | None:
        """A file's bytes, or None."""
        if self.data is None:
            return self._blobs.get(name)
        path = self.data / "files" / name
        return path.read_bytes() if path.is_file() else None

    def close(self) -> None:
        """Close the log."""
        self._journal.close()
        self._call_journal.close()
