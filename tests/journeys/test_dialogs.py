"""Every dialog of tests/dialogs is played over HTTP and must go as it is written; UPDATE_DIALOGS=1 writes it anew."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.journeys.transcript import play

DIALOGS = Path(__file__).parent.parent / "dialogs"


@pytest.mark.parametrize("name", sorted(path.stem for path in DIALOGS.glob("*.txt")))
def test_dialog(name: str, tmp_path: Path) -> None:
    path = DIALOGS / f"{name}.txt"
    written = path.read_text(encoding="utf-8")
    went = asyncio.run(play(written, tmp_path))
    if os.environ.get("UPDATE_DIALOGS"):
        path.write_text(went, encoding="utf-8")
    else:
        assert went == written


def test_there_are_dialogs() -> None:
    assert len(list(DIALOGS.glob("*.txt"))) >= 20
