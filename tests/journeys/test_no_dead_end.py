"""Whoever taps anything and writes anything always gets an answer with a way on."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from bot import cases
from simulator.client import Phone, Shown
from tests.town import Town, town

SECONDS = 9.0
STEPS_LEAST = 12
WORDS = (
    "hallo", "waar kan ik sporten", "Wo ist hier ein Arzt?", "أين المدرسة؟", "Де лікар?", "13", "Sara", "ja", "?", "😀",
    "/menu", "/sessions", "/person", "/mydata", "/stop", "/language", "/start t_library", "/start p_nowhere",
    "/help", "/xyz", "ik wil met een mens praten", "I cannot come", "merci", "mijn man slaat mij", "x" * 4096,
    "http://example.org", "ሰላም", "je ne comprends pas", "I will be late", "٩", "-1", "999999999999999999999",
)  # fmt: skip
ODD = (
    "",
    "topic:",
    "topic:none",
    "mine:1e3",
    "no:99999999999999999999",
    "book",
    "who:-1",
    "days:x",
    "language:q",
    "💥",
)


async def _in_case(place: Town, phone: Phone) -> bool:
    """Whether a case is open: what is written then goes to a person and gets no answer of the bot."""
    topics = await place.client.topics()
    return bool(topics) and bool(await place.app.database.read(cases.all_open))


def _theirs(messages: list[Shown]) -> list[Shown]:
    return [one for one in messages if not one.own]


def _has_way_on(message: Shown) -> bool:
    return bool((message.raw.get("reply_markup") or {}).get("inline_keyboard"))


async def _walk(folder: Path, seed: int) -> int:
    chance = random.Random(seed)
    steps = 0
    async with town(folder, staff=seed % 3 != 0) as place:
        phone = await place.client.newcomer("Walker", chance.choice(["nl", "ar", "uk", "fr", "en", "ka", ""]))
        await phone.write("/start")
        await place.settle()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until or steps < STEPS_LEAST:
            before = await phone.messages()
            open_before = await _in_case(place, phone)
            keys = [(one.id, key) for one in before for key in one.buttons if not key[1].startswith("http")]
            dice = chance.random()
            newest = keys[-12:] if chance.random() < 0.6 else keys
            if dice < 0.65 and newest:
                number, (_, data) = chance.choice(newest)
                step = f"tap {data}"
                await phone.tap_data(data, number)
            elif dice < 0.7:
                step = f"tap {(odd := chance.choice(ODD))!r}"
                await phone.tap_data(odd or "-", before[-1].id)
            elif dice < 0.78:
                step = chance.choice(["voice", "photo", "sticker", "location", "contact", "document"])
                await phone.do(step)
            else:
                step = chance.choice(WORDS)
                await phone.write(step)
            await place.settle()
            now = await phone.messages()
            old = {one.id: (one.text, one.buttons) for one in before}
            new = [one for one in _theirs(now) if old.get(one.id) != (one.text, one.buttons)]
            silent = open_before and not step.startswith(("tap", "/"))
            assert new or silent, f"seed {seed}, step {steps}: silent after {step[:60]!r}"
            keyboard = place.world.state.keyboards.get(phone.id)
            assert not new or keyboard or _has_way_on(new[-1]), (
                f"seed {seed}, after {step[:60]!r}: no way on in {new[-1].text!r}"
            )
            steps += 1
    return steps


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_walk_of_taps_and_texts_always_ends_in_a_reply(seed: int, tmp_path: Path) -> None:
    assert await _walk(tmp_path, seed) >= STEPS_LEAST
