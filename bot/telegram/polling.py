"""Reads updates for ever, raw: each batch is taken in before Telegram hears that we have it; it parses none of them.

Both libraries fail a whole batch on one update they cannot parse, and then never move on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import structlog

from bot.channel import ChannelError, StopPollingError, ThrottledError, UnknownOutcomeError
from bot.inbox import RawUpdate
from bot.telegram.bodies import Call
from bot.telegram.calls import Post, unknown_token
from bot.telegram.updates import ALLOWED_UPDATES, number, raw_updates

Accept = Callable[[Sequence[RawUpdate]], Awaitable[None]]
Fetch = Callable[[bytes, float], Awaitable[tuple[int, bytes]]]
"""Posts a body to getUpdates within so many seconds; status and body of the answer, or a ChannelError."""

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 25
_ANSWER_SECONDS: Final = 15.0
_RETRY_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
_SECOND_POLLER: Final = (1.0, 2.0, 3.0, 4.0)
"""Waits before another poller is believed in: the long poll of a process that was killed hangs on for a moment."""
_RIVAL_FORGOTTEN: Final = 60.0
"""Seconds without another poller after which it is forgotten: two that both get updates disturb each other sooner."""

_OK, _UNAUTHORIZED, _NOT_FOUND, _CONFLICT, _SERVER = 200, 401, 404, 409, 500


async def poll(fetch: Fetch, post: Post, accept: Accept) -> None:
    """Until cancelled. Raises StopPollingError when another process polls or the token is wrong; outlives the rest."""
    offset, failures, rivals, disturbed = 0, 0, 0, 0.0
    now, hooked = asyncio.get_running_loop().time, True
    while True:
        try:
            if hooked:
                await post(Call("deleteWebhook", {"drop_pending_updates": False}))
                hooked = False
            batch = await _get_updates(fetch, offset)
            await accept(raw_updates(batch))
        except _RivalError as rival:
            hooked = rival.webhook
            if now() - disturbed > _RIVAL_FORGOTTEN:
                rivals = 0
            if rivals == len(_SECOND_POLLER):
                msg = "another process reads this bot's updates (409); stop it, or use one token per process"
                raise StopPollingError(msg) from None
            log.warning("second_poller", wait=_SECOND_POLLER[rivals])
            await asyncio.sleep(_SECOND_POLLER[rivals])
            rivals, disturbed = rivals + 1, now()
        except StopPollingError:
            raise
        except (ChannelError, OSError) as error:
            wait = _RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)]
            wait = error.retry_after if isinstance(error, ThrottledError) else wait
            failures += 1
            log.warning("poll_failed", error=type(error).__name__, failures=failures, wait=wait)
            await asyncio.sleep(wait)
        else:
            failures = 0
            ids = [found for update in batch if (found := number(update)) is not None]
            if batch and not ids:  # nothing to acknowledge with: it comes again at once
                log.warning("updates_without_number", count=len(batch))
                await asyncio.sleep(_RETRY_SECONDS[-1])
            # Ids may begin anew after a quiet week: what was confirmed says nothing about what comes.
            offset = max(ids) + 1 if ids else 0 if not batch else offset


class _RivalError(Exception):
    """A 409: another poller, or a webhook that is set."""

    def __init__(self, *, webhook: bool) -> None:
        super().__init__()
        self.webhook = webhook


async def _get_updates(fetch: Fetch, offset: int) -> list[Any]:
    wish = {"offset": offset, "timeout": POLL_SECONDS, "limit": 100, "allowed_updates": ALLOWED_UPDATES}
    status, body = await fetch(json.dumps(wish).encode(), POLL_SECONDS + _ANSWER_SECONDS)
    if status in {_UNAUTHORIZED, _NOT_FOUND}:
        raise unknown_token(status)
    try:
        answer = json.loads(body) if status < _SERVER else None
    except (ValueError, RecursionError):
        answer = None
    if status == _CONFLICT:
        said = str(answer.get("description", "")) if isinstance(answer, dict) else ""
        raise _RivalError(webhook="webhook" in said.lower())
    if isinstance(answer, dict) and answer.get("ok") and isinstance(answer.get("result"), list):
        found: list[Any] = answer["result"]
        return found
    wait = (answer.get("parameters") or {}).get("retry_after") if isinstance(answer, dict) else None
    if wait:
        raise ThrottledError(float(wait))
    raise UnknownOutcomeError(f"getUpdates answered {status}")
