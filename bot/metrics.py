"""What is counted and shown at `/metrics`; it must hold nothing about anybody: labels are kinds and outcomes only."""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

from bot.channel import (
    ChannelError,
    NotSentError,
    RejectedError,
    Sent,
    ThrottledError,
    UnknownOutcomeError,
    UnreachableError,
)

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

updates: Final = Counter("wegwijs_updates", "Updates taken in", ["way"])  # polling, webhook
dropped: Final = Counter("wegwijs_updates_dropped", "Webhook posts that were no update", ["why"])
turns: Final = Counter("wegwijs_turns", "Turns by how they ended", ["outcome"])  # done, failed, parked, flood
turn_seconds: Final = Histogram(
    "wegwijs_turn_seconds", "From the update's arrival to the commit of its turn",
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)  # fmt: skip
deliveries: Final = Counter("wegwijs_deliveries", "Sends by kind of delivery and outcome", ["kind", "outcome"])
waiting: Final = Gauge("wegwijs_updates_waiting", "Updates that wait for their turn")
parked: Final = Gauge("wegwijs_updates_parked", "Updates that could not be handled")
late: Final = Gauge("wegwijs_oldest_due_seconds", "How long the oldest due delivery has waited")
leading: Final = Gauge("wegwijs_leads", "1 in the process that polls, ticks and delivers")

_OUTCOMES: Final[dict[type[object], str]] = {
    Sent: "sent", NotSentError: "not_sent", ThrottledError: "throttled", UnreachableError: "unreachable",
    RejectedError: "rejected", UnknownOutcomeError: "unknown",
}  # fmt: skip


def outcome(sent: Sent | ChannelError) -> str:
    """The label of what became of a send."""
    return _OUTCOMES.get(type(sent), "moved")


def text() -> bytes:
    """All of it, in Prometheus' text format."""
    return generate_latest(REGISTRY)
