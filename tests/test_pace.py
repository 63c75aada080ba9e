"""Telegram's limits as the pacer keeps them, with a clock of the test's own: nothing waits here."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given

from bot.pace import Pacer

GROUP = "case:1"


def leave(pacer: Pacer, lane: str, priority: int, now: float) -> float:
    """Send one as soon as it may; when that was."""
    while wait := max(pacer.wait(now), pacer.chat_wait(lane, priority, now)):
        now += wait
    pacer.took(lane, priority, now)
    return now


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.floats(0, 0.5)), max_size=150))
def test_no_limit_of_telegram_is_ever_crossed(sends: list[tuple[int, int, float]]) -> None:
    pacer, now = Pacer(), 1000.0
    all_at: list[float] = []
    at: dict[str, list[float]] = {}
    for chat, priority, idle in sends:
        lane = GROUP if chat == 0 else f"person:{chat}"
        now = leave(pacer, lane, priority, now + idle)
        all_at.append(now)
        at.setdefault(lane, []).append(now)
    for first, last in zip(all_at, all_at[33:], strict=False):  # 30 in a second, and the three it may catch up with
        assert last - first > 0.999, "more than 33 in one second"
    for lane, times in at.items():
        if lane == GROUP:
            assert all(last - first >= 59.999 for first, last in zip(times, times[20:], strict=False))
        else:
            assert all(last - first >= 0.999 for first, last in pairwise(times)), "two in a chat within a second"


def test_thirty_a_second_is_reached() -> None:
    pacer, now = Pacer(), 1000.0
    for chat in range(300):
        now = leave(pacer, f"person:{chat}", 3, now)
    assert 9.7 < now - 1000 < 10.0, "300 messages at 30 a second"


def test_a_late_send_is_caught_up_with_but_never_in_a_burst() -> None:
    pacer = Pacer()
    leave(pacer, "person:1", 3, 1000.0)
    at = [leave(pacer, f"person:{chat}", 3, 1010.0) for chat in range(2, 12)]
    assert sum(one == 1010.0 for one in at) <= 4


def test_an_alert_leaves_when_the_group_is_full_of_copies() -> None:
    pacer, now = Pacer(), 1000.0
    pacer.took(GROUP, 1, now)
    for _ in range(14):
        now = leave(pacer, GROUP, 2, now)
    assert pacer.chat_wait(GROUP, 2, now) > 0, "the last five are kept"
    for _ in range(5):
        assert pacer.chat_wait(GROUP, 1, now) == 0.0
        pacer.took(GROUP, 1, now)


def test_copies_are_three_seconds_apart() -> None:
    pacer = Pacer()
    assert leave(pacer, GROUP, 2, leave(pacer, GROUP, 2, 1000.0)) == 1003.0


def test_what_telegram_asks_for_stops_everything_even_without_pace() -> None:
    for pacer in (Pacer(), Pacer(off=True)):
        pacer.pause(7, 1000.0)
        assert pacer.wait(1003.0) == 4.0
        pacer.pause(1, 1003.0)
        assert pacer.wait(1003.0) == 4.0, "a shorter pause does not end a longer one"
        assert pacer.wait(1007.0) == 0.0


def test_it_is_slower_after_a_429_and_recovers() -> None:
    pacer = Pacer()
    pacer.pause(1, 1000.0)

    def ten(now: float) -> float:
        begun = now
        for chat in range(10):
            now = leave(pacer, f"person:{chat}", 3, now)
        return now - begun

    assert ten(1001.0) > 2 * ten(1100.0) > 0.3


def test_an_edit_takes_no_place_in_a_chat_but_counts_overall() -> None:
    pacer = Pacer()
    for _ in range(5):
        pacer.took("person:1", 3, 1000.0, message=False)
    assert pacer.chat_wait("person:1", 3, 1000.0) == 0.0
    assert pacer.wait(1000.0) > 0.0


def test_blocked_names_chats_only_as_long_as_they_are() -> None:
    pacer = Pacer()
    pacer.took("person:1", 3, 1000.0)
    assert pacer.blocked(1000.5) == {"person:1": 1001.0}
    assert pacer.blocked(1001.0) == {}
