"""The control API of proofs: the accept log, figures, disorder, load balancer, restart, crowds; it judges nothing."""

from __future__ import annotations

from aiohttp import web

from simulator import crowd
from simulator.control import body_of, safe, wrong
from simulator.disorder import Disorder
from simulator.figures import Accept
from simulator.state import Json
from simulator.world import World

_WAIT_MOST = 60.0


class Judge:
    """The routes of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def accepts(self, request: web.Request) -> web.Response:
        """The accepted sends after a number; with `wait` seconds until there is one."""
        after, wait = int(request.query.get("after", "0")), min(_WAIT_MOST, float(request.query.get("wait", "0")))
        figures = self.world.figures

        def look() -> list[Accept] | None:
            return figures.since(after) or None

        found = await self.world.bells.until("accepts", look, wait) or []
        return web.json_response({"accepts": [one.shown() for one in found], "last": len(figures.accepts)})

    async def figures(self, _request: web.Request) -> web.Response:
        """Counts: accepted, 429 given, polls, the busiest second, what the bot has still to take."""
        return web.json_response(shown(self.world))

    async def disorder(self, request: web.Request) -> web.Response:
        """{"share", "window", "within_chat", "seed"}; {} is order again."""
        self.world.disorder = Disorder(**await body_of(request))
        return web.json_response({})

    async def spread(self, request: web.Request) -> web.Response:
        """{"webhook_spread": [addresses]}; an empty list gives the webhook's own address again.

        {"wait": [first, most]} are the seconds before a failed POST is tried again.
        """
        body = await body_of(request)
        urls = body["webhook_spread"]
        if not isinstance(urls, list) or not all(str(url).startswith(("http://", "https://")) for url in urls):
            raise wrong("webhook_spread: expected a list of addresses")
        first, most = body.get("wait", self.world.webhook_wait)
        self.world.webhook_wait = (float(first), float(most))
        self.world.spread = [str(url) for url in urls]
        return web.json_response({})

    async def restart(self, request: web.Request) -> web.Response:
        """{"seconds": S}: the answer comes, then every connection is cut and new ones are refused for S seconds."""
        seconds = float((await body_of(request)).get("seconds", 1))
        if not 0 <= seconds <= 3600:
            raise wrong("seconds: expected 0 to 3600")
        self.world.restarts.append(seconds)
        self.world.bells.ring("restart")
        return web.json_response({})

    async def crowd(self, request: web.Request) -> web.Response:
        """{"count", "language", "started"}: many new people at once."""
        body = await body_of(request)
        made = crowd.register(
            self.world, int(body["count"]), language=str(body.get("language", "nl")),
            started=bool(body.get("started", True)),
        )  # fmt: skip
        return web.json_response({"ids": made})

    async def flood(self, request: web.Request) -> web.Response:
        """{"texts": [[person, text], …]}: many texts at once, or `rate` a second; the answer comes after the last."""
        body = await body_of(request)
        texts = body["texts"]
        unknown = [user for user, _ in texts if user not in self.world.state.users]
        if unknown:
            raise wrong(f"no such person: {unknown[0]}")
        written = ((user, str(text)) for user, text in texts)
        if body.get("rate"):
            given = await crowd.stream(self.world, written, rate=float(body["rate"]))
        else:
            given = crowd.flood(self.world, written)
        return web.json_response({"update_ids": given})

    async def times(self, request: web.Request) -> web.Response:
        """When updates after an id were written and first handed to the bot, in monotonic seconds."""
        after = int(request.query.get("after", "0"))
        figures = self.world.figures
        return web.json_response(
            {
                name: {str(one): at for one, at in kept.items() if one > after}
                for name, kept in (("written", figures.written), ("handed", figures.handed))
            }
        )


def shown(world: World) -> Json:
    """The figures as JSON."""
    given = [{"method": name, "fault": kind, "count": count} for (name, kind), count in world.faults.given.items()]
    return {
        **world.figures.shown(),
        "undelivered": world.undelivered,
        "repeated": world.disorder.repeated,
        "faults": given,
    }


def add_routes(app: web.Application, world: World) -> None:
    """Put these on an application."""
    judge = Judge(world)
    for method, path, call in (
        ("GET", "/control/accepts", judge.accepts),
        ("GET", "/control/figures", judge.figures),
        ("GET", "/control/times", judge.times),
        ("POST", "/control/disorder", judge.disorder),
        ("POST", "/control/spread", judge.spread),
        ("POST", "/control/restart", judge.restart),
        ("POST", "/control/crowd", judge.crowd),
        ("POST", "/control/flood", judge.flood),
    ):
        app.router.add_route(method, path, safe(call))
