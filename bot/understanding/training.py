"""Learns from examples, with scikit-learn, in a process of its own; the bot must not import it.

Linear support vector machines, one label against the rest, on weighted pieces (Fan et al., LIBLINEAR, 2008), then
weights as bytes; a model per script. How far they may be trusted is found in `calibration`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding import calibration
from bot.understanding.knowledge import ANY, DANGER, Knowledge
from bot.understanding.languages import learn_languages
from bot.understanding.lessons import NONE, Crisis, Lessons, Taken, lessons
from bot.understanding.model import Model
from bot.understanding.normalise import normalise, plain_words
from bot.understanding.pieces import SHARES, WORDS, word_number
from bot.understanding.scripts import main_script
from bot.understanding.values import COURTESY_WORDS

Array = NDArray[Any]

_C: Final = 3.0
_TOLERANCE: Final = 1.0  # finer takes longer and reads no question better …
_FINE: Final = 0.1  # … but of few texts the solver would stop before it has learnt from all
_FEW: Final = 20_000
_C_ANY: Final = 1.0
_LABELS_MOST: Final = 256  # a model numbers them in one byte
_HEAVY: Final = 3.0  # how much more a sentence of danger counts than any other, when danger at all is learnt
_LEAST: Final = 3  # of 127: what says less about a label is left out
_OFTEN: Final = 2  # a pair or a group of letters that only one example has is not learnt
_MANY: Final = 20_000  # … of so many texts none that only two have: a third less to keep, and nothing to be seen


def vocabulary(taken: Taken) -> tuple[Array, Array, Array]:
    """Keys, their rarity, and the rarity of a strange piece per part."""
    keys, first, where = np.unique(taken.numbers, return_index=True, return_inverse=True)
    once = np.sort(taken.texts * len(keys) + where)  # sorting is quicker here than NumPy's unique by hashes
    spread = np.bincount(once[np.diff(once, prepend=-1) != 0] % len(keys), minlength=len(keys))
    count = len(taken.ends)
    kept = (spread >= _OFTEN + (count >= _MANY)) | (taken.parts[first] == WORDS)
    rarity = np.log((1 + count) / (1 + spread[kept])) + 1
    strange = np.full(len(SHARES), np.log(1 + count) + 1)
    return keys[kept], rarity.astype(np.float16), strange.astype(np.float32)


def weighed(keys: Array, rarity: Array, strange: Array, taken: Taken) -> Any:
    """Texts × keys, sparse: the weight of each piece; see `Model.vector`."""
    from scipy.sparse import csr_matrix

    at = keys.searchsorted(taken.numbers)
    at[at == len(keys)] = 0
    known = keys[at] == taken.numbers
    weights = np.where(known, rarity[at], strange[taken.parts]).astype(np.float64)
    cells = taken.texts * len(SHARES) + taken.parts
    length = np.sqrt(np.bincount(cells, weights * weights, minlength=len(taken.ends) * len(SHARES)).clip(1e-12))
    weights *= SHARES[taken.parts] / length[cells]
    matrix = csr_matrix((weights[known], (taken.texts[known], at[known])), shape=(len(taken.ends), len(keys)))
    matrix.sum_duplicates()
    return matrix


def teach(taken: Taken, labels: Array, count: int, dangers: Array | None = None) -> Model:
    """The model of the languages of one script.

    `labels` (texts): numbers below `count`, or NONE for a text that teaches no label. `dangers` (texts): the column of
    a kind of danger, or NONE; learnt beside, from all texts. The last column is danger of any kind.
    """
    if count > _LABELS_MOST:
        msg = f"{count} labels and kinds of danger; at most {_LABELS_MOST}"
        raise ValueError(msg)
    keys, rarity, strange = vocabulary(taken)
    matrix = weighed(keys, rarity, strange, taken)
    table = np.zeros((len(keys), count), dtype=np.float32)
    bias = np.full(count, -1.0, dtype=np.float32)
    own = np.flatnonzero(labels != NONE)
    _separate(matrix[own], labels[own], table, bias)
    if dangers is not None and (dangers != NONE).any():
        _separate(matrix, dangers, table, bias)
        _separate(matrix, np.where(dangers != NONE, count - 1, NONE), table, bias, c=_C_ANY, heavy=_HEAVY)
    scale = np.maximum(np.abs(table).max(axis=1, initial=0) / 127, 1e-7)
    whole = np.rint(table / scale[:, None]).astype(np.int8)
    whole[np.abs(whole) < _LEAST] = 0
    rows, columns = whole.nonzero()
    starts = np.searchsorted(rows, np.arange(len(keys) + 1)).astype(np.uint32)
    return Model(
        keys, rarity, starts, columns.astype(np.uint8), whole[rows, columns], scale.astype(np.float32), bias, strange
    )


def _separate(matrix: Any, labels: Array, table: Array, bias: Array, *, c: float = _C, heavy: float = 1.0) -> None:
    """Fill the columns of `labels` (NONE has none), each against the rest; `heavy`: what a text with a label weighs."""
    from sklearn.svm import LinearSVC

    here = np.unique(labels)
    if len(here) < 2:  # noqa: PLR2004
        bias[here[here != NONE]] = 1.0
        return
    counts = None if heavy == 1 else np.where(labels != NONE, heavy, 1.0)
    tolerance = _TOLERANCE if len(labels) > _FEW else _FINE
    machine = LinearSVC(C=c, tol=tolerance, random_state=0).fit(matrix, labels, sample_weight=counts)
    weights, starts = machine.coef_, machine.intercept_
    if len(here) == 2:  # noqa: PLR2004 (two labels share one machine)
        weights, starts = np.vstack([-weights, weights]), np.concatenate([-starts, starts])
    for row, label in enumerate(here):
        if label != NONE:
            table[:, label], bias[label] = weights[row], starts[row]


def learn(
    rows: Sequence[tuple[str, str, str]],
    crisis: Crisis | None = None,
    prose: Mapping[str, Sequence[str]] | None = None,
    *,
    courtesy: str = "",
    rules: Callable[[str], bool] = lambda _: False,
) -> Knowledge:
    """Everything from examples.

    `rows`: text, label, language. `crisis`: sentences of danger and such as only sound like it. `prose`: language →
    other texts in it, from which only the language is learnt. `courtesy`: the label whose short examples may stand
    before or behind a question. `rules`: whether the word rules find danger in a text.
    """
    crisis, prose = crisis or {}, prose or {}
    codes = tuple(dict.fromkeys(code for _, _, code in rows))
    topics = tuple(dict.fromkeys(label for _, label, _ in rows))
    kinds = tuple(dict.fromkeys(kind for own in crisis.values() for kind in own if kind))
    names = (*topics, *(DANGER + kind for kind in kinds), *([ANY] if kinds else []))
    number = {name: at for at, name in enumerate(names)}
    own_texts = {code: [text for text, _, own in rows if own == code] for code in codes}
    for code, texts in own_texts.items():
        texts += [text for told in crisis.get(code, {}).values() for text in told]
    scripts = {code: main_script(" ".join(texts)) for code, texts in own_texts.items()}
    models: dict[str, Future[Model]] = {}
    kept: list[Future[dict[str, calibration.Seen]]] = []
    # One thread: it works beside this one, but the solver has one dice for all, and the same pack must give the same.
    with ThreadPoolExecutor(max_workers=1) as threads:
        for script in dict.fromkeys(scripts.values()):
            here = [code for code in codes if scripts[code] == script]
            given = lessons(here, rows, crisis, number, script)

            def some(chosen: Array, labels: Array, given: Lessons = given) -> Model:
                dangers = given.dangers[chosen] if kinds else None
                return teach(given.taken.only(chosen), labels, len(names), dangers)

            models[script] = threads.submit(some, np.arange(len(given.labels)), given.labels)
            kept.append(threads.submit(calibration.keep_back, given, here, some, rules))
        languages = learn_languages({code: [*texts, *prose.get(code, ())] for code, texts in own_texts.items()})
    seen = {code: one for future in kept for code, one in future.result().items()}
    weights = calibration.stack(list(seen.values()), len(topics))
    return Knowledge(
        labels=names,
        models={script: future.result() for script, future in models.items()},
        weights=weights,
        alarm=calibration.alarm(seen, len(topics)),
        limits={code: calibration.limits(one, weights, len(topics)) for code, one in seen.items()},
        languages=languages,
        words=np.unique([word_number(word) for text, _, _ in rows for word in normalise(text).split()]).astype(
            np.uint32
        ),
        courtesies=tuple(
            dict.fromkeys(
                " ".join(words)
                for text, label, _ in rows
                if label == courtesy and len(words := plain_words(text)) <= COURTESY_WORDS
            )
        ),
    )
