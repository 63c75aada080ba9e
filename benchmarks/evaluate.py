"""How well texts are understood, per language: topics by leaving one example out, danger by its sentences.

`make eval`. Leaving one out: every example is answered by a model that has not seen it. "sure right" is the share of
sure answers that are right, "sure" the share of all that get one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import yaml

from bot import topics
from bot.topics import INTENTS
from bot.understanding import Understanding

ROOT = Path(__file__).parent.parent
TARGET = 0.80


def main() -> int:
    """Print both tables; exit code 1 when a language is under the target."""
    pack = topics.load(ROOT / "content" / "lokeren")
    understanding = Understanding(pack.examples, intents=INTENTS, cache=ROOT / "var" / "cache")
    print(
        f"{'language':10}{'examples':>9}{'labels':>8}{'top-1':>8}{'top-3':>8}"
        f"{'sure':>8}{'sure right':>12}{'unknown':>9}"
    )
    under = []
    for language in pack.languages:
        report = understanding.matcher.report(language)
        limits = understanding.matcher.thresholds(language)
        order = np.argsort(-report.confidence, axis=1)
        first = order[:, 0] == report.right
        three = (order[:, :3] == report.right[:, None]).any(axis=1)
        best = report.confidence.max(axis=1)
        sure = best >= limits.sure
        print(
            f"{language:10}{len(first):9}{len(report.labels):8}{first.mean():8.1%}{three.mean():8.1%}"
            f"{sure.mean():8.1%}{first[sure].mean() if sure.any() else 0:12.1%}{(best < limits.unsure).mean():9.1%}"
        )
        if first.mean() < TARGET:
            under.append(language)
    print()
    print(f"{'danger':10}{'must':>9}{'found':>8}{'must not':>10}{'false':>8}")
    for path in sorted((ROOT / "tests" / "data" / "danger").glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        must = [(kind, text) for kind, texts in data["must"].items() for text in texts]
        found = sum(kind in understanding.look(text).dangers for kind, text in must)
        false = sum(bool(understanding.look(text).dangers) for text in data["must_not"])
        print(f"{path.stem:10}{len(must):9}{found:8}{len(data['must_not']):10}{false:8}")
    if under:
        print(f"\nUnder {TARGET:.0%}: {', '.join(under)}")
    return 1 if under else 0


if __name__ == "__main__":
    sys.exit(main())
