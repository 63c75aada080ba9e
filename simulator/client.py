"""People and controls for tests: a phone that writes, taps and shows; it must wait on events, never sleep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from simulator.figures import Accept
from simulator.state import Json

_MARKS = {0x2066: None, 0x2067: None, 0x2068: None, 0x2069: None, 0x200E: None, 0x200F: None}


def plain(text: str) -> str:
    """Without isolates and direction marks."""
    return text.translate(_MARKS)


@dataclass
class Shown:
    """A message as it is shown: its words without direction marks, its buttons (label, data or address)."""

    id: int
    text: str
    own: bool
    buttons: list[tuple[str, str]] = field(default_factory=list)
    raw: Json = field(default_factory=dict)


class Client:
    """The control API of a running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def get(self, path: str, **query: Any) -> Json:
        """GET; raises AssertionError with what was wrong."""
        async with self._session.get(f"{self.url}/control/{path}", params=query) as answer:
            return await _json(answer)

    async def post(self, path: str, body: Any = None) -> Json:
        """POST; raises AssertionError with what was wrong."""
        async with self._session.post(f"{self.url}/control/{path}", json=body or {}) as answer:
            return await _json(answer)

    async def state(self) -> Json:
        """Everything."""
        return await self.get("state")

    async def newcomer(self, name: str, language: str = "") -> Phone:
        """A new person with a phone in this language."""
        made = await self.post("users", {"first_name": name, "language_code": language})
        return Phone(self, int(made["id"]), name)

    async def staff(self, name: str, *, status: str = "member", anonymous: bool = False) -> Phone:
        """A new member of the staff group."""
        phone = await self.newcomer(name, "nl")
        await self.post(f"staff/{phone.id}/join", {"status": status, "anonymous": anonymous})
        group = int((await self.state())["staff_chat"])
        return Phone(self, phone.id, name, group)

    async def forward(self, seconds: float) -> Json:
        """Move the clock on."""
        return await self.post("clock", {"forward": seconds})

    async def clock_to(self, instant: str) -> Json:
        """Move the clock to an instant (ISO, with zone)."""
        return await self.post("clock", {"to": instant})

    async def set_limits(self, on: bool) -> None:  # noqa: FBT001
        """Telegram's limits."""
        await self.post("limits", {"on": on})

    async def set_down(self, down: bool) -> None:  # noqa: FBT001
        """Telegram is away, or back."""
        await self.post("down", {"down": down})

    async def fault(self, fault: str, method: str = "*", times: int | None = None, chat: int = 0, **more: Any) -> None:
        """A fault still to come (see simulator/faults.py); `more`: share and seed, for ever unless times is given."""
        if times is not None:
            more["times"] = times
        await self.post("faults", {"fault": fault, "method": method, "chat": chat, **more})

    async def clear_faults(self) -> None:
        """No faults any more."""
        await self.post("faults", {"clear": True})

    async def accepts(self, after: int = 0, wait: float = 0) -> list[Accept]:
        """The accepted sends after a number, waiting some seconds until there is one."""
        return [Accept(**one) for one in (await self.get("accepts", after=after, wait=wait))["accepts"]]

    async def figures(self) -> Json:
        """Counts of sends, refusals, polls and faults (simulator/figures.py)."""
        return await self.get("figures")

    async def disorder(self, share: float = 0, window: int = 1, *, within_chat: bool = False, seed: int = 1) -> None:
        """Updates twice and out of order (simulator/disorder.py)."""
        await self.post("disorder", {"share": share, "window": window, "within_chat": within_chat, "seed": seed})

    async def spread(self, urls: list[str]) -> None:
        """The receivers of the webhook behind a load balancer."""
        await self.post("spread", {"webhook_spread": urls})

    async def restart(self, seconds: float) -> None:
        """Telegram refuses connections for so many seconds, from now on."""
        await self.post("restart", {"seconds": seconds})

    async def crowd(self, count: int, language: str = "nl") -> list[int]:
        """Many new people; their ids."""
        return list((await self.post("crowd", {"count": count, "language": language}))["ids"])

    async def flood(self, texts: list[tuple[int, str]], rate: float = 0) -> list[int]:
        """Many (person, text), at once or so many a second; the update ids, after the last was written."""
        return list((await self.post("flood", {"texts": texts, "rate": rate}))["update_ids"])

    async def times(self, after: int = 0) -> tuple[dict[int, float], dict[int, float]]:
        """When updates were written and when first handed to the bot (update id → monotonic seconds)."""
        both = await self.get("times", after=after)
        written, handed = ({int(one): at for one, at in both[name].items()} for name in ("written", "handed"))
        return written, handed

    async def log(self, method: str = "", after: int = 0) -> list[Json]:
        """The accept log."""
        return list((await self.get("log", after=after, method=method))["calls"])

    async def topics(self) -> dict[int, str]:
        """The topics of the staff group that exist: id → name."""
        state = await self.state()
        group = state["chats"][str(state["staff_chat"])]
        return {int(thread): topic["name"] for thread, topic in group["topics"].items() if not topic["deleted"]}


async def _json(answer: aiohttp.ClientResponse) -> Json:
    body: Json = await answer.json()
    if answer.status != 200:
        raise AssertionError(f"{answer.status}: {body}")
    return body


@dataclass
class Phone:
    """Somebody's phone; `group` is where a member of staff writes."""

    client: Client
    id: int
    name: str
    group: int = 0

    async def do(self, deed: str, **body: Any) -> Json:
        """Any deed of simulator/people.py."""
        if self.group and "chat" not in body:
            body["chat"] = self.group
        return await self.client.post(f"users/{self.id}/{deed}", body)

    async def write(self, text: str, **body: Any) -> Json:
        """Write a text."""
        return await self.do("write", text=text, **body)

    async def messages(self, thread: int = 0) -> list[Shown]:
        """What this chat shows, oldest first; in the group one topic (0: General)."""
        state = await self.client.state()
        chat = state["chats"][str(self.group or self.id)]
        return [
            _shown(message, self.id)
            for message in chat["messages"]
            if not self.group or (message.get("message_thread_id") or 0) == thread
        ]

    async def last(self, thread: int = 0) -> Shown:
        """The last message that is not one's own."""
        return [message for message in await self.messages(thread) if not message.own][-1]

    async def tap(self, label: str, thread: int = 0) -> Json:
        """Tap the newest button whose label holds these words, or whose data is exactly this."""
        for message in reversed(await self.messages(thread)):
            for shown, data in message.buttons:
                if label in shown or label == data:
                    return await self.do("tap", message_id=message.id, data=data)
        offered = [label for message in await self.messages(thread) for label, _ in message.buttons]
        raise AssertionError(f"{self.name} has no button {label!r}; there are {offered}")

    async def tap_data(self, data: str, message_id: int = 1) -> Json:
        """Send any callback data, as an old or tampered button would."""
        return await self.do("tap", message_id=message_id, data=data)

    async def says(self, found: Callable[[str], bool] | str, thread: int = 0) -> bool:
        """Whether some message of the other side holds this."""
        check = found if callable(found) else lambda text: found in text
        return any(check(message.text) for message in await self.messages(thread) if not message.own)


def _shown(message: Json, me: int) -> Shown:
    media = next(
        (kind for kind in ("venue", "location", "document", "photo", "voice", "sticker", "contact") if kind in message),
        "",
    )
    words = plain(message.get("text") or message.get("caption") or "")
    if media == "venue":
        words = f"[venue: {plain(message['venue']['title'])}, {plain(message['venue']['address'])}]"
    elif media:
        words = f"[{media}] {words}".strip()
    buttons = [
        (plain(key["text"]), key.get("callback_data") or key.get("url", ""))
        for row in (message.get("reply_markup") or {}).get("inline_keyboard", [])
        for key in row
    ]
    return Shown(message["message_id"], words, message["from"]["id"] == me, buttons, message)
