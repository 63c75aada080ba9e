"""Crisis cards and what belongs to them; the words are fixed in the pack, the numbers in docs and pack, never here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from bot import alarms, cases, handoff, topics
from bot.cases import Case
from bot.conversation import Reply, Turn, reply
from bot.language import Day, Hour, Joined, Said, Sayable, Text
from bot.message import Button, Message, say
from bot.outbox import person_lane, plan
from handlers.common import HELP_BUTTON, MENU_BUTTON, PERSON_BUTTON, language_of, out_of_date

DISCREET: Final = frozenset({"violence", "child"})
KINDS: Final = ("emergency", "suicide", "child", "violence", "threat")
CARD_AGAIN: Final = dt.timedelta(minutes=30)
_WIPE_WITHIN: Final = dt.timedelta(hours=47)


def _card(turn: Turn, name: str) -> Text:
    values = topics.local_values(turn.db, turn.city.pack)
    numbers = {key: value for key, value in values.items() if key.startswith("n")}
    return Text(f"card:{name}", **numbers)


def card_parts(turn: Turn, kind: str) -> list[Sayable]:
    """A card: what to do now, how to call, what to say; for violence and children a neutral beginning."""
    parts: list[Sayable] = []
    if kind in DISCREET:
        parts.append(_card(turn, "neutral"))
    parts.append(_card(turn, f"{kind}/first"))
    if turn.city.pack.look_up(f"card:{kind}/then", turn.city.pack.source_language):
        parts.append(_card(turn, f"{kind}/then"))
    sentence = Said(turn.city.pack.help_sentence)
    parts += [_card(turn, "how_to_call"), Joined((_card(turn, "say_this"), sentence), "\n"), _card(turn, "machine")]
    return parts


def warn(turn: Turn, kinds: Sequence[str]) -> Case | None:
    """Danger in a text: the card (the same one at most once in 30 minutes), an urgent case, the alert always."""
    kind = kinds[0]
    case = handoff.open_case(
        turn.db, turn.person, words=turn.said, kind=kind, urgent=True, city=turn.city, now=turn.now,
        language=language_of(turn), message_id=turn.incoming.message_id,
    )  # fmt: skip
    if case is not None and turn.incoming.media is not None:
        handoff.copy_file(turn.db, case, turn.incoming.message_id, turn.now)
    language = turn.look.decide(turn.person.language).language if turn.look else None
    for one in kinds[:2]:
        if alarms.may_show(turn.db, turn.person.id, one, turn.now, CARD_AGAIN):
            shown = say(*card_parts(turn, one), honest(turn, case), buttons=_buttons(one, case), language=language)
            plan(turn.db, "card", shown, now=turn.now, to=person_lane(turn.person.id))
            break
    else:
        again = say(*_again(turn, kind, case), buttons=_again_buttons(kind), language=language)
        plan(turn.db, "card", again, now=turn.now, to=person_lane(turn.person.id))
    return case


def _again(turn: Turn, kind: str, case: Case | None) -> list[Sayable]:
    """Instead of the same card: as neutral at the beginning, and nothing about staff where there are none."""
    parts: list[Sayable] = [_card(turn, "neutral")] if kind in DISCREET else []
    if case is not None:
        parts.append(Text("I have told the staff of the city again. In danger: call 112."))
    return [*parts, honest(turn, case)]


def _again_buttons(kind: str) -> list[Button]:
    wipes = [Button(Text("🗑 Delete these messages here"), "wipe")] if kind in DISCREET else []
    return [HELP_BUTTON, *wipes, MENU_BUTTON]


def honest(turn: Turn, case: Case | None) -> Text:
    """Who reads this, and when: nothing that is not so."""
    if case is None:
        return Text("Nobody of the city reads this chat. In danger: call 112.")
    if turn.city.office.is_open(turn.now):
        return Text("I have told the staff of the city. I write to you when somebody has seen it.")
    opens = turn.city.office.next_open(turn.now)
    if opens is None:
        return Text(
            "I do not know when somebody of the city reads this. We are no rescue service. In danger: call 112."
        )
    local = opens.astimezone(turn.city.pack.zone)
    return Text(
        "Nobody of the city reads this before {day}, {time}. We are no rescue service. In danger: call 112.",
        day=Day(local.date().isoformat()), time=Hour(f"{local:%H:%M}"),
    )  # fmt: skip


def _buttons(kind: str, case: Case | None) -> list[Button]:
    buttons = []
    if case is not None:
        buttons += [
            Button(Text("📍 Send where I am"), "place"),
            Button(Text("📞 Send my number"), "number"),
        ]
    buttons.append(Button(Text("➕ More help"), f"morehelp:{kind}"))
    if kind in DISCREET:
        buttons.append(Button(Text("🗑 Delete these messages here"), "wipe"))
    if case is not None:
        buttons.append(Button(Text("🙅 This was not meant"), f"notmeant:{case.id}"))
    return [*buttons, MENU_BUTTON]


def sos(turn: Turn) -> Reply:
    """Tap 🆘: the card for life in danger; no case is opened by a tap."""
    buttons = [
        *([PERSON_BUTTON] if turn.city.staff else []),
        *(Button(label, f"soskind:{kind}") for kind, label in _SOS.items()),
        MENU_BUTTON,
    ]
    return reply(say(*card_parts(turn, "emergency"), buttons=buttons), state=None, kind="card")


_SOS: Final = {
    "suicide": Text("💬 I do not want to live any more"),
    "violence": Text("🚪 Somebody hurts me"),
    "child": Text("🧒 A child is in danger"),
}


def sos_kind(turn: Turn) -> Reply:
    """Tap: the card of another kind of danger, from a button."""
    if turn.argument not in KINDS:
        return out_of_date(turn)
    shown = say(*card_parts(turn, turn.argument), buttons=(*_shown_buttons(turn.argument), PERSON_BUTTON, MENU_BUTTON))
    return reply(shown, state=None, kind="card")


def _shown_buttons(kind: str) -> list[Button]:
    buttons = [Button(Text("➕ More help"), f"morehelp:{kind}")]
    return [*buttons, Button(Text("🗑 Delete these messages here"), "wipe")] if kind in DISCREET else buttons


def more_help(turn: Turn) -> Reply:
    """Tap: the other numbers."""
    if turn.argument not in KINDS:
        return out_of_date(turn)
    parts: list[Sayable] = [_card(turn, "neutral")] if turn.argument in DISCREET else []
    parts.append(_card(turn, "more_title"))
    if turn.city.pack.look_up(f"card:{turn.argument}/more", turn.city.pack.source_language):
        parts += [_card(turn, f"{turn.argument}/more"), _card(turn, "in_dutch")]
    return reply(say(*parts, buttons=(HELP_BUTTON, PERSON_BUTTON, MENU_BUTTON)), state=None, kind="card")


def place(turn: Turn) -> Reply:
    """Tap: a key that shares the place."""
    words = Text("Tap the key below to send your place. Only the staff of the city see it. In danger: call 112.")
    return reply(say(words, buttons=(Button(Text("📍 Send my place now"), ask="location"),)), state=None, kind="card")


def number(turn: Turn) -> Reply:
    """Tap: a key that shares the number."""
    del turn
    words = Text("Tap the key below to send your number. Only the staff of the city see it.")
    return reply(say(words, buttons=(Button(Text("📞 Send my number now"), ask="contact"),)), state=None, kind="card")


def not_meant(turn: Turn) -> Reply:
    """Tap: the case stays, marked."""
    case = cases.live_of(turn.db, turn.person.id)
    if case is None or str(case.id) != turn.argument:
        return out_of_date(turn)
    alarms.mark_not_meant(turn.db, case, turn.now)
    words = Text("Good. A person of the city may still ask how you are.")
    return reply(say(words, buttons=(handoff.BACK_BUTTON, MENU_BUTTON, HELP_BUTTON)), state=None)


def wipe(turn: Turn) -> Reply:
    """Tap: our messages of the last two days disappear from this chat."""
    alarms.wipe(turn.db, turn.person.id, turn.now - _WIPE_WITHIN, now=turn.now)
    words = Text("My messages of the last two days are deleted here. Please delete your own messages yourself.")
    away = Message(parts=(words,), hide_keys=True)
    return reply(away, say(Text("You can choose from the menu."), buttons=(MENU_BUTTON,)), state=None)
