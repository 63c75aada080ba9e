"""Named places where a test stops the process; it must do nothing and cost nothing otherwise.

`WEGWIJS_FAILPOINT=name:kill` kills the process (SIGKILL, as a power cut would) when it gets there; `name:kill:3` the
third time. A test in the same process arms one with `arm`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

NAMES: Final = (
    "inbox.storing",  # what came in is written, not committed
    "inbox.stored",  # committed, not acknowledged to the channel
    "inbox.taken",  # the try is counted and committed, the turn has not begun
    "turn.handled",  # the handler is done, the turn is not committed
    "turn.committed",  # nothing has left yet
    "outbox.claiming",  # the attempt is written, not committed
    "send.before",  # the attempt is committed, no byte has left
    "send.after",  # the channel has answered, the outcome is not stored
    "outcome.storing",  # the outcome is written, not committed
    "outcome.stored",
    "tick.storing",  # what time brought is written, not committed
    "lease.taken",  # this process leads, and has done nothing yet
)
"""Every boundary of a commit or a call, in the order of the way through."""


def _nothing(_name: str) -> None:
    """Go on."""


at: Callable[[str], None] = _nothing
"""Called at each place with its name, as `failpoints.at("turn.handled")`."""


def kill() -> None:
    """End this process at once; nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(name: str, action: Callable[[], None], *, pass_by: int = 0) -> None:
    """Do `action` at the place `name`, after it was passed `pass_by` times. Raises ValueError for an unknown name."""
    global at  # noqa: PLW0603 (one place per process: what is not armed costs a call of nothing)
    if name not in NAMES:
        raise ValueError(f"{name!r} is no failpoint; expected one of: {', '.join(NAMES)}")
    left = pass_by

    def armed(here: str) -> None:
        nonlocal left
        if here == name:
            left -= 1
            if left < 0:
                action()

    at = armed


def disarm() -> None:
    """Nothing happens anywhere any more."""
    global at  # noqa: PLW0603 (see `arm`)
    at = _nothing


def arm_from(text: str) -> None:
    """Arm what the setting says, "name:kill" or "name:kill:3". Raises ValueError that names what was expected."""
    name, _, rest = text.partition(":")
    action, _, times = rest.partition(":")
    if action != "kill" or (times and not times.isdecimal()):
        raise ValueError(f"{text!r} is no failpoint; expected name:kill or name:kill:3")
    arm(name, kill, pass_by=max(0, int(times or 1) - 1))
