"""Makes what reads texts from a pack: loads what was built, and has it built when the pack has changed.

Learning runs in a process of its own (`wegwijs content build`): the bot imports no scikit-learn and does not wait for
it when there is something it was taught before.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import structlog
import yaml

from bot import topics
from bot.topics import Pack
from bot.understanding import COURTESY, NOTHING, Understanding, normalise
from bot.understanding.danger import RULES, Danger

log = structlog.get_logger(__name__)

FILE: Final = "understanding.npz"
CRISIS: Final = Path(__file__).parent / "understanding" / "crisis"
"""Sentences of danger, such as only sound like it, and chatter that nothing answers; one file per language."""

SHIPPED: Final = Path(__file__).parent.parent / "var" / "cache"
"""What the image was built with: read as long as the bot's own folder holds nothing."""

_LOOK_ALIKE: Final = ""

Taught = Sequence[tuple[str, str, str]]
"""What staff taught besides the pack: text, label, language."""


class TeachingError(Exception):
    """Nothing that reads texts could be built; the message says why."""


def crisis_examples(languages: Sequence[str], folder: Path = CRISIS) -> dict[str, dict[str, list[str]]]:
    """Language → kind of danger ("" for what is none; `NOTHING` for chatter) → sentences. A language may have none."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, dict[str, list[str]]] = {}
    for code in languages:
        path = folder / f"{code}.yaml"
        if path.exists():
            data: Mapping[str, Any] = yaml.load(path.read_bytes(), loader)  # noqa: S506
            kinds = {kind: [str(text) for text in data["kinds"].get(kind, ())] for kind in topics.DANGERS}
            found[code] = {
                **kinds,
                _LOOK_ALIKE: [str(text) for text in data.get("look_alikes", ())],
                NOTHING: [str(text) for text in data.get("chatter", ())],
            }
    return found


def digest(pack: Pack, taught: Taught = ()) -> str:
    """Of all that is learnt from, and of the code that learns."""
    made = hashlib.sha256(pack.digest.encode())
    made.update(repr([tuple(row) for row in taught]).encode())
    for path in [*sorted(CRISIS.glob("*.yaml")), *sorted(RULES.glob("*.yaml"))]:
        made.update(path.name.encode() + path.read_bytes())
    for path in [*sorted(CRISIS.parent.glob("*.py")), Path(__file__)]:
        made.update(path.read_bytes())
    return made.hexdigest()


def is_fresh(pack: Pack, folder: Path, taught: Taught = ()) -> bool:
    """Whether what lies in `folder` was made from this very pack and from what staff taught."""
    from bot.understanding.knowledge import NoKnowledgeError

    path = folder / FILE
    try:
        return read(path, path.stat().st_mtime_ns)[1] == digest(pack, taught)
    except (NoKnowledgeError, OSError):
        return False


def build(pack: Pack, folder: Path, taught: Taught = ()) -> Path:
    """Learn everything from the pack and from what staff taught, here and now: about two minutes, and 1.5 GB.

    Raises OSError.
    """
    from bot.understanding.knowledge import save
    from bot.understanding.training import learn

    rows = [
        (text, label, code)
        for code, own in pack.examples.items()
        for label, texts in own.items()
        for text in dict.fromkeys(texts)
    ]
    rows += [(text, label, code) for text, label, code in taught if code in pack.languages]
    prose: dict[str, list[str]] = {code: [] for code in pack.languages}
    for key, words in pack.words.items():
        if key.endswith(("/answer", "/title")):
            for code, text in words.items():
                prose[code].append(text)
    crisis = crisis_examples(pack.languages)
    rows += [(text, NOTHING, code) for code, own in crisis.items() for text in own.pop(NOTHING)]
    rules = Danger.read(known={word for text, _, _ in rows for word in normalise(text).split()})
    knowledge = learn(rows, crisis, prose, courtesy=COURTESY, rules=lambda text: bool(rules.look(text)))
    path = folder / FILE
    save(knowledge, path, digest=digest(pack, taught))
    read.cache_clear()
    _reader.cache_clear()
    return path


@lru_cache(maxsize=1)
def _reader(path: Path, changed: int) -> Understanding:
    """What reads texts, made of what was built; only read, so that whoever asks again may have the same."""
    return Understanding(read(path, changed)[0], intents=topics.INTENTS)


@lru_cache(maxsize=1)
def read(path: Path, _changed: int) -> tuple[Any, str]:
    """What was built, and from what; see `knowledge.load`."""
    from bot.understanding.knowledge import load

    return load(path)


def understanding(pack: Pack, folder: Path, taught: Taught = ()) -> tuple[Understanding, bool]:
    """What reads texts, and whether it was taught with this very pack. Raises TeachingError, OSError.

    When nothing was built yet it is built now, in another process; when the pack has changed since, the last one is
    given, and somebody should `rebuild`.
    """
    from bot.understanding.knowledge import NoKnowledgeError

    path = folder / FILE
    for there in (path, SHIPPED / FILE):
        with suppress(NoKnowledgeError, OSError):
            changed = there.stat().st_mtime_ns
            knowledge, made_from = read(there, changed)
            if set(pack.languages) <= set(knowledge.limits):
                return _reader(there, changed), made_from == digest(pack, taught)
    rebuild(pack.folder, folder, taught)
    try:
        changed = path.stat().st_mtime_ns
        made_from = read(path, changed)[1]
        return _reader(path, changed), made_from == digest(pack, taught)
    except (NoKnowledgeError, OSError) as error:
        raise TeachingError(str(error)) from None


def rebuild(content: Path, folder: Path, taught: Taught = ()) -> None:
    """Build in another process and wait for it. Raises TeachingError with its last line."""
    log.info("understanding_builds")
    command = [sys.executable, "-m", "bot.teaching", str(content), str(folder)]
    done = subprocess.run(  # noqa: S603 (our own program, with two paths)
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        input=json.dumps([list(row) for row in taught]),
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        msg = f"What reads texts could not be built: {lines[-1][:300]}"
        raise TeachingError(msg)


def main() -> int:
    """`python -m bot.teaching CONTENT FOLDER`; what staff taught comes in as JSON."""
    content, folder = map(Path, sys.argv[1:3])
    build(topics.load(content), folder, [(text, label, code) for text, label, code in json.load(sys.stdin)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
