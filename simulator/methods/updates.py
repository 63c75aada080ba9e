"""Who the bot is and how it gets updates (but for the waiting of getUpdates); it must hold no HTTP."""

from __future__ import annotations

import re

from simulator.errors import bad
from simulator.params import Params
from simulator.state import Json
from simulator.world import World

_SECRET = re.compile(r"[A-Za-z0-9_-]*")
_SECRET_MOST = 256
_CONNECTIONS_MOST = 100


def get_me(world: World, params: Params) -> Json:
    """GetMe."""
    del params
    return world.state.me


def set_webhook(world: World, params: Params) -> bool:
    """SetWebhook; an empty address removes it."""
    url = params.text("url")
    if not url:
        return delete_webhook(world, params)
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.text("secret_token")
    if len(secret) > _SECRET_MOST:
        raise bad("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise bad("secret token contains unallowed characters")
    if params.flag("drop_pending_updates"):
        drop(world)
    connections = max(1, min(_CONNECTIONS_MOST, params.number("max_connections", 40)))
    hook = {"url": url, "secret": secret, "max_connections": connections}
    allow(world, params)
    before = {name: world.state.webhook.get(name) for name in hook}
    # Said again by every process of a bot that starts: what is on its way stays on its way.
    if hook != before:
        world.emit("webhook", webhook=hook)
        world.webhook_anew()
    return True


def delete_webhook(world: World, params: Params) -> bool:
    """DeleteWebhook."""
    if params.flag("drop_pending_updates"):
        drop(world)
    if world.state.webhook:
        world.emit("webhook", webhook={})
        world.webhook_anew()
    return True


def drop(world: World) -> None:
    """Forget what is pending."""
    if world.state.pending:
        world.emit("ack", upto=next(reversed(world.state.pending)))


def allow(world: World, params: Params) -> None:
    """Keep `allowed_updates` when the call names them."""
    types = params.parsed("allowed_updates", "allowed updates")
    if types is not None and not isinstance(types, list):
        raise bad("can't parse allowed updates: expected an array of strings")
    if types is not None and list(types) != world.state.allowed:
        world.emit("allowed", types=list(types))


def webhook_info(world: World, params: Params) -> Json:
    """GetWebhookInfo."""
    del params
    hook = world.state.webhook
    info: Json = {
        "url": hook.get("url", ""),
        "has_custom_certificate": False,
        "pending_update_count": len(world.state.pending),
    }
    for name in ("last_error_date", "last_error_message", "max_connections"):
        if name in hook:
            info[name] = hook[name]
    if world.state.allowed:
        info["allowed_updates"] = world.state.allowed
    return info


METHODS = {
    "getme": get_me,
    "setwebhook": set_webhook,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": webhook_info,
}
