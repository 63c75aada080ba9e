"""How well texts are understood, per language, on questions that nothing was taught with.

`make eval`; `make eval CLINC=path` for the public benchmark. The questions stand in benchmarks/eval, one file per
language: they are written by other people than the examples, and never learnt from.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bot import teaching, topics
from bot.topics import INTENTS, Pack
from bot.understanding import Look, Understanding
from bot.understanding.matcher import Matcher

ROOT = Path(__file__).parent.parent
QUESTIONS = Path(__file__).parent / "eval"
SEED = 1


def interval(hits: int, count: int) -> str:
    """A share with its 95 % interval (Wilson, 1927)."""
    if not count:
        return "–"
    z, p = 1.96, hits / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    wide = z * math.sqrt(p * (1 - p) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return f"{100 * p:.1f} ({100 * (middle - wide):.0f}–{100 * (middle + wide):.0f})"


@dataclass
class Row:
    """What one language got: (hits, of) per figure."""

    figures: dict[str, tuple[int, int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def count(self, name: str, hits: Iterable[bool]) -> None:
        """Add a figure."""
        found = list(hits)
        self.figures[name] = (sum(found), len(found))


def judge(code: str, data: dict[str, Any], look: Callable[[str], Look]) -> Row:
    """Every figure of one language; questions are asked as by somebody who chose it."""
    row = Row()
    asked = [(label, text) for label, texts in data["questions"].items() for text in texts]
    decisions = [look(text).decide(code) for _, text in asked]
    first, three, sure, right = [], [], [], []
    for (label, text), decision in zip(asked, decisions, strict=True):
        best = [name for name, _ in decision.ranked[:3]]
        first.append(best[:1] == [label])
        three.append(label in best)
        if decision.action in {"answer", "intent"}:
            right.append(decision.label == label)
        sure.append(decision.action in {"answer", "intent"})
        if not first[-1]:
            row.wrong.append(f"{code} {label} ← {best[:1]} {decision.action} {decision.confidence:.2f}: {text}")
    row.count("top-1", first)
    row.count("top-3", three)
    row.count("answered", sure)
    row.count("right", right)
    row.count("out: answered", (look(text).decide(code).action == "answer" for text in data["out_of_scope"]))
    for name in ("crisis", "crisis_hard"):
        found = [(kind, text, look(text)) for kind, texts in data.get(name, {}).items() for text in texts]
        row.count(name, (bool(one.dangers) for _, _, one in found))
        row.count(f"{name}: kind", (kind in one.dangers for kind, _, one in found))
        row.wrong += [f"{code} {name} missed {kind}: {text}" for kind, text, one in found if not one.dangers]
    alarms = [text for text in data["lookalikes"] if look(text).dangers]
    row.count("look-alike", (text in alarms for text in data["lookalikes"]))
    row.wrong += [f"{code} false alarm {look(text).dangers}: {text}" for text in alarms]
    usual = [text for _, text in asked if look(text).dangers]
    row.count("false", (text in usual for _, text in asked))
    row.wrong += [f"{code} false alarm on a question {look(text).dangers}: {text}" for text in usual]
    for size in (3, 6):
        parts = [" ".join(text.split()[:size]) for _, text in asked if len(text.split()) >= size]
        row.count(f"{size} words", (look(part).languages[0][0] == code for part in parts))
    return row


def table(rows: dict[str, Row]) -> str:
    """The figures, with the mean and the worst language below."""
    names = list(next(iter(rows.values())).figures)
    lines = ["| |" + "|".join(names) + "|", "|---|" + "---|" * len(names)]
    for code, row in rows.items():
        lines.append(f"|{code}|" + "|".join(interval(*row.figures[name]) for name in names) + "|")
    shares = {
        name: [100 * hits / of for hits, of in (row.figures[name] for row in rows.values()) if of] for name in names
    }
    lines.append("|mean|" + "|".join(f"{np.mean(shares[name]):.1f}" for name in names) + "|")
    lines.append("|lowest|" + "|".join(f"{min(shares[name]):.1f}" for name in names) + "|")
    lines.append("|highest|" + "|".join(f"{max(shares[name]):.1f}" for name in names) + "|")
    return "\n".join(lines)


def speed(look: Callable[[str], Look], texts: Sequence[str]) -> str:
    """Milliseconds a decision takes."""
    taken = []
    for text in texts:
        begun = time.perf_counter()
        look(text).decide("nl")
        taken.append(1000 * (time.perf_counter() - begun))
    half, most = np.quantile(taken, [0.5, 0.99])
    return f"a decision: p50 {half:.2f} ms, p99 {most:.2f} ms ({len(texts)} texts)"


def ours(pack: Pack, *, wrong: bool) -> int:
    """The table of the pack's languages."""
    cache = ROOT / "var" / "cache"
    if not teaching.is_fresh(pack, cache):
        begun = time.monotonic()
        teaching.rebuild(pack.folder, cache)
        print(f"learnt in {time.monotonic() - begun:.1f} s")
    begun = time.monotonic()
    understanding: Understanding = teaching.understanding(pack, cache)[0]
    size = (cache / teaching.FILE).stat().st_size / 2**20
    print(f"loaded in {time.monotonic() - begun:.2f} s, {size:.1f} MiB")
    rows, texts = {}, []
    for code in pack.languages:
        path = QUESTIONS / f"{code}.yaml"
        if path.exists():
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
            known = {*pack.topics, *INTENTS}
            data["questions"] = {label: texts for label, texts in data["questions"].items() if label in known}
            rows[code] = judge(code, data, understanding.look)
            texts += [text for own in data["questions"].values() for text in own]
    if not rows:
        print(f"no questions in {QUESTIONS}")
        return 1
    print(table(rows))
    print(speed(understanding.look, texts))
    if wrong:
        print("\n".join(line for row in rows.values() for line in row.wrong))
    return 0


def auroc(confidence: Any, inside: Any) -> float:
    """How well confidence tells questions inside from those outside."""
    order = np.argsort(confidence, kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(1, len(order) + 1)
    ones = int(inside.sum())
    return float((rank[inside].sum() - ones * (ones + 1) / 2) / (ones * (len(order) - ones)))


def clinc(path: Path) -> int:
    """CLINC150 (Larson et al. 2019): taught with `train`, and `oos_train` as a label of its own.

    What is read as that label or below a threshold is outside; the threshold is chosen on the validation questions.
    """
    file = path if path.is_file() else path / "data_full.json"
    data = json.loads(file.read_text(encoding="utf-8"))

    def ask(matcher: Matcher, rows: Sequence[Sequence[str]]) -> tuple[Any, Any, Any]:
        said = [matcher.predict(text, "en") for text, _ in rows]
        right = np.array([label == intent for (label, _), (_, intent) in zip(said, rows, strict=True)])
        sure = np.array([-chance if label == "oos" else chance for label, chance in said])
        return right, sure, np.array([intent != "oos" for _, intent in rows])

    def learn(rows: Sequence[Sequence[str]]) -> Matcher:
        return Matcher().fit([text for text, _ in rows], [intent for _, intent in rows], ["en"] * len(rows))

    begun = time.monotonic()
    matcher = learn(data["train"] + data["oos_train"])
    took = time.monotonic() - begun
    right, chance, inside = ask(matcher, data["val"] + data["oos_val"])
    best = max(
        np.unique(chance),
        key=lambda limit: (right & inside & (chance >= limit)).sum() + (~inside & (chance < limit)).sum(),
    )
    right, chance, inside = ask(matcher, data["test"] + data["oos_test"])
    print(f"learnt in {took:.1f} s")
    print(f"in-scope accuracy {100 * right[inside].mean():.2f} %, AUROC {auroc(chance, inside):.3f}")
    print(f"with the threshold of the validation questions ({best:.2f}): in-scope accuracy"
          f" {100 * (right & (chance >= best))[inside].mean():.1f} %, out-of-scope recall"
          f" {100 * (chance < best)[~inside].mean():.1f} %")  # fmt: skip
    dice = np.random.default_rng(SEED)
    found = []
    for _ in range(3):
        few = [
            row
            for intent in sorted({label for _, label in data["train"]})
            for row in dice.permutation([row for row in data["train"] if row[1] == intent])[:15].tolist()
        ]
        right, _, inside = ask(learn(few), data["test"])
        found.append(100 * right.mean())
    print(f"15 random examples per intent: {np.mean(found):.2f} % ({', '.join(f'{one:.1f}' for one in found)})")
    return 0


def main() -> int:
    """Print the figures; exit code 1 when there is nothing to judge by."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=__doc__)
    words.add_argument("--clinc", type=Path, default=None, help="folder or file of CLINC150 (data_full.json)")
    words.add_argument("--wrong", action="store_true", help="print what went wrong, line by line")
    asked = words.parse_args()
    if asked.clinc is not None:
        return clinc(asked.clinc)
    return ours(topics.load(ROOT / "content" / "lokeren"), wrong=asked.wrong)


if __name__ == "__main__":
    sys.exit(main())
