"""Updates twice and out of order, webhooks with lanes and several receivers, negative offsets."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from simulator.client import Client
from simulator.disorder import Disorder, lane_of
from simulator.server import Running
from tests.simulator.conftest import Api

PATIENCE = 10
Hook = Callable[[dict[str, Any]], Awaitable[int]]
Serve = Callable[[Hook], Awaitable[tuple[str, web.AppRunner]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serves a receiver of webhooks that answers what a function says; its address."""
    runners: list[web.AppRunner] = []

    async def serving(hook: Hook) -> tuple[str, web.AppRunner]:
        async def taking(request: web.Request) -> web.Response:
            return web.Response(status=await hook(await request.json()))

        app = web.Application()
        app.router.add_post("/hook", taking)
        runner = web.AppRunner(app, shutdown_timeout=0)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/hook", runner

    yield serving
    for runner in runners:
        await runner.cleanup()


async def taken(running: Running) -> None:
    """Until the bot has everything."""
    async with asyncio.timeout(PATIENCE):
        while running.world.undelivered:
            await running.world.bells.until("taken", lambda: None if running.world.undelivered else True, 0.2)


def texts_of(updates: list[dict[str, Any]]) -> dict[int, list[str]]:
    found = defaultdict(list)
    for update in updates:
        found[lane_of(update)].append(update["message"]["text"])
    return dict(found)


async def everything(api: Api) -> list[dict[str, Any]]:
    """All updates in the order of a poller that acknowledges the highest it saw."""
    seen: list[dict[str, Any]] = []
    offset = 0
    while found := await api.ok("getUpdates", offset=offset, limit=7):
        seen += found
        offset = max(offset, *(update["update_id"] + 1 for update in found))
    return seen


@pytest.mark.parametrize("within", [False, True])
async def test_a_poll_gets_them_shuffled_and_some_twice(
    running: Running, client: Client, api: Api, *, within: bool
) -> None:
    people = running.register(3)
    await client.disorder(share=0.3, window=7, within_chat=within, seed=3)
    ids = running.flood([(people[number % 3], str(number)) for number in range(60)])
    seen = await everything(api)
    counts = Counter(update["update_id"] for update in seen)
    assert set(counts) == set(ids)
    assert 5 <= sum(counts.values()) - 60 <= 35, counts
    assert (await client.figures())["repeated"] == sum(counts.values()) - 60
    firsts = {update["update_id"]: update for update in reversed(seen)}
    order = [update["update_id"] for update in seen if update is firsts[update["update_id"]]]
    assert order != sorted(order)
    kept = all(texts == sorted(texts, key=int) for texts in texts_of([firsts[one] for one in order]).values())
    assert kept is not within


def test_the_same_seed_gives_the_same_order() -> None:
    updates = [{"update_id": n, "message": {"chat": {"id": n % 4}}} for n in range(40)]
    first, second = (Disorder(window=8, seed=5).shuffled(list(updates)) for _ in range(2))
    assert first == second != updates
    assert sorted(one["update_id"] for one in first) == list(range(40))
    assert lane_of({"update_id": 1, "message": None, "poll": []}) == 0


async def test_a_negative_offset_leaves_the_last_ones(running: Running, api: Api) -> None:
    (amina,) = running.register(1)
    ids = running.flood([(amina, str(number)) for number in range(5)])
    assert [update["update_id"] for update in await api.ok("getUpdates", offset=-2)] == ids[-2:]
    assert [update["update_id"] for update in await api.ok("getUpdates")] == ids[-2:]
    assert len(await api.ok("getUpdates", offset=-10)) == 2


async def test_a_webhook_is_parallel_but_each_chat_in_order(running: Running, api: Api, serve: Serve) -> None:
    seen: list[dict[str, Any]] = []
    busy: Counter[int] = Counter()
    most = 0
    full = asyncio.Event()

    async def hook(update: dict[str, Any]) -> int:
        nonlocal most
        chat = lane_of(update)
        busy[chat] += 1
        assert busy[chat] == 1
        most = max(most, busy.total())
        if most == 3:
            full.set()
        await full.wait()  # nobody is answered before three came at once
        seen.append(update)
        busy[chat] -= 1
        return 200

    url, _ = await serve(hook)
    await api.ok("setWebhook", url=url, max_connections=3)
    people = running.register(6)
    running.flood([(people[number % 6], str(number)) for number in range(60)])
    await taken(running)
    assert (most, len(seen)) == (3, 60)
    assert all(texts == sorted(texts, key=int) for texts in texts_of(seen).values())


async def test_a_failing_chat_holds_up_nobody_else(running: Running, api: Api, serve: Serve) -> None:
    sick, well = running.register(2)
    seen: list[str] = []
    broken = True

    async def hook(update: dict[str, Any]) -> int:
        if broken and lane_of(update) == sick:
            return 500
        seen.append(update["message"]["text"])
        return 200

    url, _ = await serve(hook)
    await api.ok("setWebhook", url=url)
    running.flood([(sick, "s1"), (sick, "s2"), (well, "w1"), (well, "w2")])
    async with asyncio.timeout(PATIENCE):
        while len(seen) < 2:
            await running.world.bells.until("taken", lambda: True if len(seen) == 2 else None, 0.2)
    assert seen == ["w1", "w2"]
    assert "500" in (await api.ok("getWebhookInfo"))["last_error_message"]
    broken = False
    await taken(running)
    assert seen == ["w1", "w2", "s1", "s2"]


async def test_a_webhook_gets_repeats_too(running: Running, client: Client, api: Api, serve: Serve) -> None:
    seen: Counter[int] = Counter()

    async def hook(update: dict[str, Any]) -> int:
        seen[update["update_id"]] += 1
        return 204

    url, _ = await serve(hook)
    await api.ok("setWebhook", url=url)
    people = running.register(4)
    await client.disorder(share=0.5, window=5, seed=2)
    ids = running.flood([(people[number % 4], str(number)) for number in range(40)])
    await taken(running)
    assert set(seen) == set(ids)
    assert seen.total() == 40 + running.figures()["repeated"] > 50
    await client.disorder()
    before = seen.copy()
    await client.post("replay", {"update_ids": ids[:2]})
    await taken(running)
    assert seen - before == Counter(ids[:2])


async def test_the_load_balancer_passes_over_who_is_gone(
    running: Running, client: Client, api: Api, serve: Serve
) -> None:
    seen: list[tuple[str, int]] = []

    def receiver(name: str) -> Hook:
        async def hook(update: dict[str, Any]) -> int:
            seen.append((name, update["update_id"]))
            return 200

        return hook

    urls, runners = zip(*[await serve(receiver(name)) for name in "abc"], strict=True)
    await api.ok("setWebhook", url="https://wegwijs.example.org/hook", secret_token="s" * 32)
    await client.spread(list(urls))
    people = running.register(30)
    ids = running.flood([(person, "one") for person in people])
    await taken(running)
    assert Counter(name for name, _ in seen) == {"a": 10, "b": 10, "c": 10}
    await runners[1].cleanup()
    ids += running.flood([(person, "two") for person in people])
    await taken(running)
    assert sorted(one for _, one in seen) == ids
    assert Counter(name for name, _ in seen)["b"] == 10


async def test_a_webhook_rests_while_telegram_is_away(running: Running, api: Api, serve: Serve) -> None:
    seen: list[int] = []

    async def hook(update: dict[str, Any]) -> int:
        assert not running.world.away
        seen.append(update["update_id"])
        return 200

    url, _ = await serve(hook)
    await api.ok("setWebhook", url=url)
    (amina,) = running.register(1)
    await running.refuse()
    ids = running.flood([(amina, "x")])
    await asyncio.sleep(0)
    await running.reopen()
    await taken(running)
    assert seen == ids


@pytest.mark.parametrize(("secret", "words"), [("é", "unallowed"), ("a b", "unallowed"), ("a" * 257, "too long")])
async def test_a_webhook_secret_is_checked(api: Api, secret: str, words: str) -> None:
    status, body = await api.raw("setWebhook", url="https://x.example.org/", secret_token=secret)
    assert (status, words in body["description"]) == (400, True)
