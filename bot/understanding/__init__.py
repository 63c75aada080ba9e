"""What a text is about, in which language, and whether it tells of danger; it knows no city, database or clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from zlib import crc32

from bot.understanding.clauses import clauses
from bot.understanding.danger import KINDS, Danger, Found, Kind
from bot.understanding.normalise import normalise, pictures_in, plain_words
from bot.understanding.scripts import main_script
from bot.understanding.values import COURTESY_WORDS, Foreign, Thresholds

if TYPE_CHECKING:
    from bot.understanding.knowledge import Knowledge
    from bot.understanding.matcher import Read

__all__ = ["COURTESY", "KINDS", "NOTHING", "Decision", "Foreign", "Found", "Kind", "Look", "Understanding", "normalise"]

Action = Literal["answer", "choose", "unknown", "foreign", "intent"]

COURTESY = "smalltalk"
"""The intent whose short examples ("hello", "thank you") may stand before or behind a question."""

NOTHING = "nothing"
"""The label of chatter: what neither the pack nor an intent answers."""

_HOME = 6.0  # how much likelier the chosen language is than the others, before the text is read
_CERTAIN = 0.85  # from here a text is in another language than the chosen one
_WITNESSES = 8  # fewer letters say little about the language of a text
_CHOICES = 3
_FEW = 5  # words of a message that leans on the one before
_SURE_OF_A_PART = 0.6
_OF_A_PART = 1.0  # a part that is read without the rest must be surer of danger
_OF_ITSELF = 0.7  # from here a few ordinary words are a question of their own


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a text.

    `answer`: the topic `label` · `intent`: the intent `label` · `choose`: one of `choices` (1–3 topics) ·
    `unknown`: nothing fits · `foreign`: a language we do not have (when it is near one of ours, `label` and
    `choices` may still hold what it is about). `language` is one of the pack's; `confidence` 0–1.
    """

    action: Action
    language: str
    label: str | None
    confidence: float
    choices: tuple[str, ...] = ()
    ranked: tuple[tuple[str, float], ...] = field(default=(), compare=False)  # the best labels of any kind


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the models said about a text: confidence per language and label, and the limits they were trained to."""

    confidences: Mapping[str, Any]  # script → array (labels)
    scripts: Mapping[str, str]  # of each language
    labels: tuple[str, ...]
    thresholds: Mapping[str, Thresholds]
    intents: frozenset[str]
    letters: int
    parts: tuple[Mapping[str, Any], ...] = ()  # the same confidences of each part of a message that may ask two things
    leans: bool = False  # a few ordinary words that say nothing of their own ("and how much?")
    script: str = ""  # of most letters

    def elsewhere(self, code: str) -> bool:
        """Whether the text is in letters that people of this language would not use; Latin ones everybody may."""
        return self.script not in {"", "LATIN", self.scripts[code]}


@dataclass(frozen=True, slots=True)
class Look:
    """All that a text says without knowing who sent it.

    `dangers`: kinds, the most urgent first; `likeliest` of them. `languages`: the pack's, with probability, the
    likeliest first.
    """

    text: str
    dangers: tuple[Kind, ...]
    likeliest: Kind | None
    foreign: Foreign | None
    languages: tuple[tuple[str, float], ...]
    _reading: _Reading = field(repr=False, compare=False)

    def decide(self, chosen: str | None, before: str | None = None) -> Decision:
        """What to do with the text of somebody who chose the language `chosen` (None: none yet, or not ours).

        `before`: the topic that was answered last. "How much?" is understood with it.
        """
        shares = self._shares(chosen)
        language = self._language(chosen, shares)
        if self._reading.letters == 0:
            return Decision("unknown", language, None, 0.0)
        decision = self._together(self._choose(language, shares), shares)
        if self.foreign is None:
            return self._leaning(decision, before)
        if self.foreign.near is None or decision.action not in ("answer", "choose"):
            return Decision("foreign", language, None, decision.confidence)
        return Decision("foreign", language, decision.label, decision.confidence, decision.choices, decision.ranked)

    def _shares(self, chosen: str | None) -> dict[str, float]:
        weights = {code: chance * (_HOME if code == chosen else 1.0) for code, chance in self.languages}
        total = sum(weights.values())
        return {code: weight / total for code, weight in weights.items()}

    def _language(self, chosen: str | None, shares: Mapping[str, float]) -> str:
        """The language of the text; the chosen one unless the text clearly is in another."""
        best = max(shares, key=lambda code: shares[code])
        if chosen not in shares or chosen is None:
            return self.foreign.near if self.foreign and self.foreign.near else best
        if self.foreign is not None or (self._reading.letters < _WITNESSES and not self._reading.elsewhere(chosen)):
            return chosen
        return best if shares[best] >= _CERTAIN else chosen

    def _choose(self, language: str, shares: Mapping[str, float]) -> Decision:
        ranked = tuple(self._ranked(shares))
        limits, intents = self._reading.thresholds[language], self._reading.intents
        if not ranked or ranked[0][0] == NOTHING or ranked[0][1] < limits.unsure:
            return Decision("unknown", language, None, ranked[0][1] if ranked else 0.0, ranked=ranked)
        ranked = tuple(one for one in ranked if one[0] != NOTHING)
        label, confidence = ranked[0]
        if confidence >= limits.sure:
            return Decision("intent" if label in intents else "answer", language, label, confidence, ranked=ranked)
        if label in intents and confidence >= (limits.sure + limits.unsure) / 2:
            return Decision("intent", language, label, confidence, ranked=ranked)
        choices = tuple(name for name, _ in ranked if name not in intents)[:_CHOICES]
        return Decision("choose", language, choices[0] if choices else None, confidence, choices, ranked)

    def _leaning(self, decision: Decision, before: str | None) -> Decision:
        chatter = dict(decision.ranked[:1]).get(NOTHING, 0.0) >= _OF_ITSELF
        if before is None or not self._reading.leans or chatter:
            return decision
        if decision.action == "unknown":
            return replace(decision, action="answer", label=before)
        weak = decision.action in ("answer", "intent") and decision.label != before and decision.confidence < _OF_ITSELF
        if decision.action == "choose" or weak:
            own = [name for name, _ in decision.ranked if name not in self._reading.intents]
            choices = tuple(dict.fromkeys((before, *own)))[:_CHOICES]
            return replace(decision, action="choose", label=before, choices=choices)
        return decision

    def _together(self, decision: Decision, shares: Mapping[str, float]) -> Decision:
        """Two things in one message: both are offered."""
        sure = max(self._reading.thresholds[decision.language].sure, _SURE_OF_A_PART)
        found: dict[str, float] = {}
        for part in self._reading.parts:
            label, confidence = self._ranked(shares, part)[0]
            if label not in self._reading.intents and label != NOTHING and confidence >= sure:
                found[label] = max(confidence, found.get(label, 0.0))
        if len(found) < 2:  # noqa: PLR2004
            return decision
        choices = tuple(sorted(found, key=lambda label: -found[label]))[:_CHOICES]
        return replace(decision, action="choose", label=choices[0], choices=choices)

    def _ranked(
        self, shares: Mapping[str, float], confidences: Mapping[str, Any] | None = None
    ) -> list[tuple[str, float]]:
        """The best labels with their confidence, best first; of the whole text or of a part."""
        from bot.understanding.matcher import mixed

        chance = mixed(self._reading.confidences if confidences is None else confidences, shares, self._reading.scripts)
        order = (-chance).argsort(kind="stable")[: _CHOICES + 2]
        return [(self._reading.labels[i], float(chance[i])) for i in order]


class Understanding:
    """Reads texts. Made of what was learnt; only read, so any number of threads may look."""

    def __init__(self, knowledge: Knowledge, *, intents: Collection[str]) -> None:
        """`intents`: the labels that are no topics."""
        from bot.understanding.languages import Languages  # NumPy: a tenth of a second, off the path of the first poll
        from bot.understanding.matcher import NEGLIGIBLE, Reader

        self.knowledge = knowledge
        self._intents = frozenset(intents)
        self._reader = Reader(knowledge)
        self._negligible = NEGLIGIBLE
        self.languages = Languages(knowledge.languages)
        self.danger = Danger.read(known=_Known(knowledge.words))
        self._courtesies = frozenset(tuple(words.split()) for words in knowledge.courtesies)

    def look(self, text: str) -> Look:
        """Read a text of any kind. Never raises; below a millisecond; to be called before a transaction is opened."""
        question = self._without_courtesy(text)
        languages = self.languages.guess(text)
        likely = [code for code, chance in languages if chance >= self._negligible]
        read, ruled = self._read(text, question, likely)
        parts = [self._read(part, part, likely) for part in clauses(text)]
        alarms = [(read, ruled)] if read.alarm >= 0 else []
        alarms += [(one, said) for one, said in parts if one.alarm >= _OF_A_PART]
        meant = {kind for one, said in alarms for kind in one.meant(said)}
        dangers = tuple(kind for kind in KINDS if kind in meant)
        return Look(
            text=text,
            dangers=dangers,
            likeliest=max(
                dangers, key=lambda kind: max(one.kinds.get(str(kind), -2.0) for one, _ in alarms), default=None
            ),
            foreign=self.languages.foreign(text),
            languages=languages,
            _reading=_Reading(
                confidences=read.found,
                scripts=self._reader.scripts,
                labels=self._reader.labels,
                thresholds=self.knowledge.limits,
                intents=self._intents,
                letters=sum(map(str.isalpha, question)),
                parts=tuple(part.found for part, _ in parts),
                leans=self._leans(question, likely),
                script=main_script(question),
            ),
        )

    def _read(self, text: str, question: str, codes: Sequence[str]) -> tuple[Read, set[Kind]]:
        """What the machines say of a question, and the kinds of danger that the word rules name in the text."""
        ruled = {one.kind for one in self.danger.look(text)}
        pictured = " ".join((question, *pictures_in(text)))
        return self._reader.read(pictured, codes, ruled=bool(ruled)), ruled

    def _leans(self, question: str, codes: Sequence[str]) -> bool:
        """Whether the text is a few words that are usual in one of these languages, and so says little by itself."""
        words = question.split()
        return 0 < len(words) <= _FEW and any(
            all(self.languages.how_often(word, code) > 1 for word in words) for code in codes
        )

    def foreign_lines(self, code: str) -> str:
        """The fixed lines for a `Foreign.code`, in that language; one placeholder, {n112}."""
        return self.languages.lines(code)

    def _without_courtesy(self, text: str) -> str:
        """The plain words of `text` without a greeting before or thanks behind it, if at least two words remain."""
        words = plain_words(text)
        for _ in range(3):
            before = len(words)
            for size in range(COURTESY_WORDS, 0, -1):
                if len(words) - size > 1:
                    if words[:size] in self._courtesies:
                        words = words[size:]
                    elif words[-size:] in self._courtesies:
                        words = words[:-size]
            if len(words) == before:
                break
        return " ".join(words)


class _Known:
    """Whether a plain word is an ordinary one; a rising array of numbers, without the words."""

    def __init__(self, numbers: Any) -> None:
        self._numbers = numbers

    def __contains__(self, word: object) -> bool:
        number = crc32(b"w" + str(word).encode())
        at = int(self._numbers.searchsorted(self._numbers.dtype.type(number)))
        return at < len(self._numbers) and int(self._numbers[at]) == number
