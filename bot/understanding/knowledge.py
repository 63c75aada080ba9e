"""All that was learnt, in memory and in one file; it must not learn and not read texts."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.model import Model
from bot.understanding.values import Thresholds

Array = NDArray[Any]

VERSION: Final = 8
"""Of what the file means: raise it with every change of pieces or training."""

DANGER: Final = "!"
"""Before the label of a kind of danger."""

ANY: Final = "!*"
"""The column of danger of any kind, the last one."""


class NoKnowledgeError(Exception):
    """The file is missing, broken or of another version; it is to be built."""


@dataclass(frozen=True, slots=True)
class LanguageTable:
    """How likely each group of letters is in each language, see languages.

    `keys` (n, uint32, rising), `chances` (n × languages, float16: log), `floor` (languages: log of a strange group),
    `scripts` of each language, `usual`: letters that are usual in one of them.
    """

    codes: tuple[str, ...]
    keys: Array
    chances: Array
    floor: Array
    scripts: tuple[str, ...]
    usual: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`labels`: the columns of every model, those of danger last and marked with `DANGER`. `weights` of the signs,
    `alarm`: of the signs of danger; see model.

    `models` per script: languages that share letters share loanwords, and are taught together. `limits` per language.
    `words`: the numbers of all ordinary words.
    `courtesies`: short greetings and thanks, as they are compared.
    """

    labels: tuple[str, ...]
    models: Mapping[str, Model]
    weights: Array
    alarm: Array
    limits: Mapping[str, Thresholds]
    languages: LanguageTable
    words: Array
    courtesies: tuple[str, ...] = ()


def save(knowledge: Knowledge, path: Path, *, digest: str) -> None:
    """Write the file beside its place and move it there. Raises OSError."""
    table = knowledge.languages
    head = {
        "version": VERSION,
        "digest": digest,
        "labels": knowledge.labels,
        "limits": {code: [one.sure, one.unsure] for code, one in knowledge.limits.items()},
        "codes": table.codes,
        "scripts": table.scripts,
        "usual": table.usual,
        "courtesies": knowledge.courtesies,
    }
    arrays = {f"{script}.{one.name}": getattr(model, one.name) for script, model in knowledge.models.items()
              for one in fields(Model)}  # fmt: skip
    arrays |= {
        "weights": knowledge.weights, "alarm": knowledge.alarm,
        "keys": table.keys, "chances": table.chances, "floor": table.floor,
        "words": knowledge.words,
    }  # fmt: skip
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("wb") as file:
        np.savez_compressed(file, head=np.array(json.dumps(head)), **arrays)
    beside.replace(path)


def load(path: Path) -> tuple[Knowledge, str]:
    """What was learnt, and the digest of what it was learnt from. Raises NoKnowledgeError that says what to do."""
    try:
        with np.load(path) as kept:
            head = json.loads(str(kept["head"]))
            if head["version"] != VERSION:
                msg = f"{path}: was built by another version; build it with `wegwijs content build`"
                raise NoKnowledgeError(msg)
            models = {
                script: Model(**{one.name: kept[f"{script}.{one.name}"] for one in fields(Model)})
                for script in dict.fromkeys(head["scripts"])
            }
            table = LanguageTable(
                tuple(head["codes"]), kept["keys"], kept["chances"], kept["floor"], tuple(head["scripts"]),
                head["usual"],
            )  # fmt: skip
            knowledge = Knowledge(
                labels=tuple(head["labels"]),
                models=models,
                weights=kept["weights"],
                alarm=kept["alarm"],
                limits={code: Thresholds(*pair) for code, pair in head["limits"].items()},
                languages=table,
                words=kept["words"],
                courtesies=tuple(head["courtesies"]),
            )
            return knowledge, str(head["digest"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        msg = f"{path}: {type(error).__name__}; build it with `wegwijs content build`"
        raise NoKnowledgeError(msg) from None
