"""The whole journey in a real browser: Arabic on the phone, Dutch in the staff group, the real bot in between.

With WEGWIJS_SCREENSHOTS=docs/images its pictures are written there (they stand in README).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.town import Town, town

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
PICTURES = os.environ.get("WEGWIJS_SCREENSHOTS", "")
PATIENCE = 20_000

pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="needs Debian's chromium and fonts-noto-core: apt-get install chromium fonts-noto-core"
)


@pytest.fixture
async def lokeren(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = await browser.new_page(viewport={"width": 1600, "height": 950}, reduced_motion="reduce")
        opened.set_default_timeout(PATIENCE)
        faults: list[str] = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        yield opened
        await browser.close()
        assert not faults


class Phone:
    """One phone on the page."""

    def __init__(self, page: Page, name: str) -> None:
        self.box = page.locator(f"[data-testid=phone][data-name={name}]")

    async def say(self, text: str) -> None:
        await self.box.get_by_test_id("composer").fill(text)
        await self.box.get_by_test_id("send").click()

    async def tap(self, data: str) -> None:
        await self.box.locator(f"[data-testid=button][data-data^='{data}']").last.click()

    def message(self, text: str) -> Locator:
        return self.box.get_by_test_id("message").filter(has_text=text)


async def picture(page: Page, name: str) -> None:
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/{name}.png")


async def test_a_mother_asks_signs_up_is_reminded_and_reaches_a_person(lokeren: Town, page: Page) -> None:
    await page.goto(lokeren.client.url)
    amina = Phone(page, "Amina")
    await expect(amina.box).to_be_visible()
    await expect(Phone(page, "Olena").box).to_be_visible()

    # A question first: it is answered first, in Arabic, from right to left.
    await amina.say("أريد أن أسجل أولادي في صفوف OKAN الصيفية")
    await amina.tap("language:ar")
    await amina.tap("role:new")
    await lokeren.settle()
    answer = amina.message("صفوف OKAN الصيفية").first
    await expect(answer).to_be_visible()
    assert await answer.locator("p").first.evaluate("p => getComputedStyle(p).direction") == "rtl"
    await picture(page, "1-question")

    # Two children are signed up.
    await amina.tap("programme:okan-summer")
    await amina.tap("signup:okan-summer")
    for name, age in (("سارة", "13"), ("عمر", "15")):
        await amina.tap("who:child")
        await lokeren.settle()
        await amina.say(name)
        await lokeren.settle()
        await amina.say(age)
        await lokeren.settle()
    await amina.tap("book")
    await expect(amina.message("تم التسجيل")).to_be_visible()
    await picture(page, "2-signed-up")

    # The clock moves on: one reminder for both, not two.
    await page.get_by_test_id("forward-day").click()
    await lokeren.follow_clock()
    for _ in range(12):
        await page.get_by_test_id("forward-hour").click()
        await lokeren.follow_clock()
    reminders = amina.message("🔔").filter(has_text="سارة").filter(has_text="عمر")
    await expect(reminders).to_have_count(1)
    await picture(page, "3-reminder")

    # A person: the case is a topic of the staff group; Els answers in Dutch, then with a ready sentence.
    await amina.say("أريد التحدث مع شخص")
    await lokeren.settle()
    await amina.say("عندي سؤال عن مدرسة ابني")
    await page.locator("[data-testid=topic][data-name*='#1']").click()
    topic = page.get_by_test_id("topic-view")
    await topic.locator("[data-data^='claim']").last.click()
    await lokeren.settle()
    await topic.get_by_test_id("composer").fill("Dag Amina, we bellen morgen naar de school.")
    await topic.get_by_test_id("send").click()
    await expect(amina.message("we bellen morgen naar de school")).to_be_visible()
    await lokeren.settle()
    await topic.locator("[data-data^='ready']").last.click()
    await topic.locator("[data-data$=':which_day']").last.click()
    await expect(amina.message("أي يوم يناسبك")).to_be_visible()
    await lokeren.settle()
    await picture(page, "4-person")

    # 🆘
    await amina.tap("sos")
    await expect(amina.message("112").last).to_be_visible()
    await lokeren.settle()
    await picture(page, "5-help")
