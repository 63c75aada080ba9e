"""Faults that a test asks for, taken once per matching call; it must not send anything itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.state import Json

KINDS = ("drop_reply", "502_html", "502_json", "slow:", "429:", "403", "400:", "migrate", "reset")


@dataclass
class Fault:
    """`method` (any case, `*` for all) fails `times` times in the way `kind`; `chat` 0 is every chat."""

    method: str
    kind: str
    times: int = 1
    chat: int = 0


@dataclass
class Faults:
    """The faults still to come, first come first taken."""

    waiting: list[Fault] = field(default_factory=list)

    def add(self, wanted: list[Json]) -> None:
        """Take over a list of {method, fault, times?, chat?}; ValueError for a kind nobody knows."""
        for one in wanted:
            kind = str(one["fault"])
            if not kind.startswith(KINDS):
                msg = f"unknown fault {kind!r}; known: {', '.join(KINDS)}"
                raise ValueError(msg)
            self.waiting.append(
                Fault(str(one.get("method", "*")).lower(), kind, int(one.get("times", 1)), int(one.get("chat", 0))),
            )

    def take(self, method: str, chat: int) -> str:
        """The kind of fault this call suffers, or "" for none."""
        for fault in self.waiting:
            if fault.method in {"*", method.lower()} and fault.chat in {0, chat}:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault.kind
        return ""
