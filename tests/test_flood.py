"""Who writes more than 20 texts a minute is only searched for danger; taps and other people are never counted."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from bot import flood
from bot.channel import Incoming
from bot.flood import Flood

NUMBERS = itertools.count(1)
TEXT = Incoming(update_id=1, kind="text", chat=1, sender=1, text="salam")


def over(rule: Flood, times: int, now: float, incoming: Incoming = TEXT) -> list[bool]:
    return [rule.is_over(dataclasses.replace(incoming, update_id=next(NUMBERS)), now) for _ in range(times)]


def test_the_twenty_first_in_a_minute_is_over() -> None:
    rule = Flood()
    assert over(rule, 20, 1000.0) == [False] * 20
    assert over(rule, 3, 1059.9) == [True] * 3
    assert over(rule, 1, 1060.1) == [False], "what was not answered does not count"


def test_an_update_that_comes_again_is_no_further_text() -> None:
    rule = Flood()
    assert not any(rule.is_over(TEXT, 1000.0 + second) for second in range(50))
    assert over(rule, 19, 1050.0) == [False] * 19


def test_each_chat_is_counted_alone() -> None:
    rule = Flood()
    over(rule, 20, 1000.0)
    assert over(rule, 1, 1000.0, dataclasses.replace(TEXT, chat=2, sender=2)) == [False]


@pytest.mark.parametrize("change", [{"kind": "tap"}, {"private": False}])
def test_taps_and_the_staff_group_never_count(change: dict[str, object]) -> None:
    assert not any(over(Flood(), 50, 1000.0, dataclasses.replace(TEXT, **change)))  # type: ignore[arg-type]


def test_off_lifts_it() -> None:
    assert not any(over(Flood(off=True), 50, 1000.0))


def test_it_forgets_lanes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood, "_LANES_MOST", 3)
    rule = Flood()
    for number in range(3):
        over(rule, 20, 1000.0 + 30 * number, dataclasses.replace(TEXT, chat=number, sender=number))
    over(rule, 1, 1070.0, dataclasses.replace(TEXT, chat=9, sender=9))
    assert over(rule, 1, 1070.0, dataclasses.replace(TEXT, chat=2, sender=2)) == [True], "who floods is remembered"
