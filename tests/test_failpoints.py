"""The named places where a test stops the process: each one stands in the code, and a wrong name says what is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import failpoints

BOT = Path(failpoints.__file__).parent


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.disarm()


def test_every_name_stands_in_the_code_and_no_other() -> None:
    found = {
        name
        for path in BOT.rglob("*.py")
        if path.name != "failpoints.py"
        for name in re.findall(r"failpoints\.at\(\s*\"([a-z.]+)\"", path.read_text(encoding="utf-8"))
    }
    assert found == set(failpoints.NAMES)


def test_it_acts_the_third_time() -> None:
    seen: list[str] = []
    failpoints.arm("turn.handled", lambda: seen.append("here"), pass_by=2)
    for _ in range(2):
        failpoints.at("turn.handled")
        failpoints.at("send.before")
    assert seen == []
    failpoints.at("turn.handled")
    assert seen == ["here"]


@pytest.mark.parametrize("wrong", ["turn.handled", "turn.handled:stop", "turn.handled:kill:x", "nowhere:kill"])
def test_a_wrong_setting_says_what_was_expected(wrong: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        failpoints.arm_from(wrong)
