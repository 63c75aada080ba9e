"""Posts updates at a steady rate, as Telegram does, whether or not answers have come; it must not try again.

`python -m benchmarks.posts`, a process of its own: one JSON object on standard input, one on standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any, Final

from simulator.clock import real_now
from simulator.figures import part_of
from simulator.post import Poster

FIRST_UPDATE: Final = 900_000_001
PARTS: Final = (0.5, 0.99, 1.0)


def update(number: int, chat: int, text: str) -> bytes:
    """A private text."""
    who = {"id": chat, "is_bot": False, "first_name": "P", "language_code": "nl"}
    message = {
        "message_id": number + 1, "date": int(real_now().timestamp()), "text": text, "from": who,
        "chat": {"id": chat, "type": "private", "first_name": "P"},
    }  # fmt: skip
    return json.dumps({"update_id": FIRST_UPDATE + number, "message": message}, separators=(",", ":")).encode()


async def post_all(
    *, url: str, secret: str, chats: list[int], texts: list[str], rate: float, seconds: float, connections: int
) -> dict[str, Any]:
    """What the answers were, and how long they took, in seconds: from the POST, and from when it was due.

    At most `connections` are open, as the bot asked for with setWebhook: what is due waits for a free one.
    """
    poster, free = Poster(), asyncio.Semaphore(connections)
    ended: Counter[str] = Counter()
    from_post: list[float] = []
    from_due: list[float] = []

    async def one(number: int, due: float) -> None:
        body = update(number, chats[number % len(chats)], texts[number % len(texts)])
        async with free:
            begun = time.monotonic()
            try:
                status, _ = await poster.post(url, body, secret)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                ended[type(error).__name__] += 1
                return
            now = time.monotonic()
        ended[str(status)] += 1
        from_post.append(now - begun)
        from_due.append(now - due)

    start = time.monotonic() + 0.2
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = start + number / rate
            early = due - time.monotonic()
            await asyncio.sleep(max(0.0, early))
            group.create_task(one(number, due))
    await poster.close()
    return {
        "ended": dict(ended),
        "from_post": [part_of(from_post, part) for part in PARTS],
        "from_due": [part_of(from_due, part) for part in PARTS],
        "seconds": time.monotonic() - start,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(post_all(**json.load(sys.stdin)))))
