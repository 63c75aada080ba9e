"""What staff do with cases: see, claim, answer, ready sentences, undo, close; only the claimer's text goes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from bot import cases, handoff, language, people, topics
from bot.cases import Case
from bot.conversation import City, Reply, State, Turn, reply
from bot.language import Day, Hour, Joined, Said, Sayable, Text, for_staff
from bot.message import FROM_STAFF, Button, Message, say
from bot.outbox import case_lane, plan
from bot.topics import READY
from handlers.common import number
from handlers.staff_languages import LANGUAGES
from handlers.staff_sessions import parse_start

FILLING: Final = "staff-ready"
_WORDS_MOST: Final = 200
_ASKS: Final[Mapping[str, Sayable]] = {
    "place": for_staff("Which place?"),
    "date": for_staff("Which date? For example 5/7"),
    "time": for_staff("What time? For example 9:00"),
    "paper": for_staff("Which paper?"),
    "organisation": for_staff("Which organisation?"),
}
_KINDS: Final[Mapping[str, Sayable]] = {
    "question": for_staff("Question"),
    "complaint": for_staff("Complaint"),
    "homeless": for_staff("Must leave the house or has no roof"),
    "emergency": for_staff("LIFE IN DANGER"),
    "suicide": for_staff("DANGER: does not want to live"),
    "violence": for_staff("DANGER: violence"),
    "child": for_staff("DANGER: a child"),
    "threat": for_staff("DANGER: threatens somebody"),
}


# --- renderers ----------------------------------------------------------------------------------------------------


def case_card(db: Any, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """The card of a case as it is now; with "edit" it changes the one that stands."""
    del now
    case = cases.get(db, int(data["case"]))
    if case is None or (data.get("edit") and not case.card_message_id):
        return None
    message = _card(db, case, city)
    if data.get("edit"):
        return Message(
            action="edit", message_id=case.card_message_id or 0, parts=message.parts, buttons=message.buttons
        )
    return message


def _card(db: Any, case: Case, city: City) -> Message:
    zone = city.pack.zone
    head = Joined(
        (Said(f"{'🔴 ' if case.urgent else ''}#{case.id}"), _KINDS.get(case.kind, Said(case.kind)),
         LANGUAGES.get(case.language, Said(case.language))), " · ",
    )  # fmt: skip
    parts: list[Sayable] = [head]
    said = cases.entries(db, case.id)
    parts += [for_staff("Before, with the bot: {words}", words=Said(one.words)) for one in said if one.who == "before"]
    first = next((one for one in said if one.who == "newcomer"), None)
    if first is not None:
        parts.append(Said(f"“{first.words}”"))
    if case.topic:
        title = city.pack.look_up(f"topic:{case.topic}/title", city.pack.source_language) or case.topic
        parts.append(for_staff("Topic: {title}", title=Said(title)))
    if case.promised_at is not None:
        local = case.promised_at.astimezone(zone)
        day, time = Day(local.date().isoformat()), Hour(f"{local:%H:%M}")
        parts.append(for_staff("Promised: an answer before {day}, {time}", day=day, time=time))
    if case.not_meant:
        parts.append(for_staff("🙅 The newcomer says: this was not meant."))
    if case.urgent:
        parts += _protocol(case, city)
    parts.append(_state(db, case))
    return say(*parts, buttons=_card_buttons(case, taken=_claimer(db, case) is not None))


def _protocol(case: Case, city: City) -> list[Sayable]:
    entry = city.pack.protocol.get(case.kind)
    if not entry:
        return []
    lines = tuple(Said(f"☐ {line}") for line in entry.get("checklist", ()))
    return [Joined((for_staff("What to do (a draft of the city):"), *lines), "\n")]


def _state(db: Any, case: Case) -> Sayable:
    if case.state == "closed":
        by = {"person": for_staff("the newcomer"), "erased": for_staff("erased by the person")}
        return for_staff("✅ Closed by: {who}", who=by.get(case.closed_by or "", for_staff("staff")))
    member = _claimer(db, case)
    if member is not None:
        return for_staff("✋ {name} answers. Only their text goes to the newcomer.", name=Said(member.name))
    return for_staff("Nobody has this yet. What you write here is a note and is not sent.")


def _claimer(db: Any, case: Case) -> people.StaffMember | None:
    """Who has the case; nobody when they are no longer in the group."""
    return people.staff_member(db, case.claimed_by) if case.claimed_by else None


def _card_buttons(case: Case, *, taken: bool) -> list[Button]:
    if case.state == "closed":
        return []
    buttons = []
    if case.urgent and case.acknowledged_at is None:
        buttons.append(Button(for_staff("👁 I see this now"), f"seen:{case.id}"))
    if not taken:
        buttons.append(Button(for_staff("✋ I answer"), f"claim:{case.id}"))
    else:
        buttons.append(Button(for_staff("💬 Ready sentences"), f"ready:{case.id}"))
        buttons.append(Button(for_staff("↩️ Hand back"), f"handback:{case.id}"))
    return [*buttons, Button(for_staff("✅ Close"), f"close:{case.id}")]


def alert(db: Any, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """An urgent case, said to the whole group; from the second time with the admins by name. Not once it is seen."""
    del city, now
    case = cases.get(db, int(data["case"]))
    if case is None or case.acknowledged_at is not None or case.state == "closed":
        return None
    words: list[Sayable] = [
        Joined((Said(f"🔴 #{case.id}"), _KINDS.get(case.kind, Said(case.kind))), " · "),
        for_staff("Open the topic “{title}” now.", title=Said(case.title)),
    ]
    called: tuple[str, ...] = ()
    if case.alerts > 1:
        words.append(for_staff("Nobody has seen this yet."))
        called = tuple(member.person_id for member in people.admins(db))
    return Message(
        parts=tuple(words), buttons=(Button(for_staff("👁 I see this now"), f"seen:{case.id}"),), mentions=called
    )


RENDERERS = {"case-card": case_card, "alert": alert}


# --- taps ---------------------------------------------------------------------------------------------------------


def _case(turn: Turn, text: str) -> Case | None:
    return cases.get(turn.db, number(text), lock=True)


def _no_case() -> Reply:
    return reply(say(for_staff("This case is not here any more.")), state=None)


def claim(turn: Turn) -> Reply:
    """Tap: I answer. One wins; the other hears who."""
    case = _case(turn, turn.argument)
    if case is None or case.state == "closed":
        return _no_case()
    member = _claimer(turn.db, case)
    if case.claimed_by is not None and member is None:  # who had it has left the group
        cases.hand_back(turn.db, case.id, case.claimed_by)
    if not cases.claim(turn.db, case.id, turn.person.id, turn.now):
        if case.claimed_by == turn.person.id:
            handoff.acknowledge(turn.db, case, turn.now)
            handoff.refresh_card(turn.db, case.id, turn.now)
            return reply(say(for_staff("You have this case. Write your answer here, in Dutch.")), state=None)
        name = Said(member.name) if member else for_staff("somebody else")
        return reply(say(for_staff("{name} has this case already.", name=name)), state=None)
    handoff.acknowledge(turn.db, case, turn.now)
    handoff.refresh_card(turn.db, case.id, turn.now)
    first = turn.city.pack.protocol.get(case.kind, {}).get("first_sentence") if case.urgent else None
    words: list[Sayable] = [for_staff("You have this case. Write your answer here, in Dutch.")]
    buttons = [Button(for_staff("💬 Ready sentences"), f"ready:{case.id}")]
    if first in READY:
        words.append(for_staff("Send this first:"))
        buttons.insert(0, Button(Text(f"ready:{first}"), f"say:{case.id}:{first}"))
    return reply(say(*words, buttons=buttons), state=None)


def seen(turn: Turn) -> Reply:
    """Tap: I see this now."""
    case = _case(turn, turn.argument)
    if case is None:
        return _no_case()
    handoff.acknowledge(turn.db, case, turn.now)
    handoff.refresh_card(turn.db, case.id, turn.now)
    member = people.staff_member(turn.db, turn.person.id)
    name = Said(member.name if member else "")
    return reply(say(for_staff("👁 {name} has seen #{id}. The newcomer is told.", name=name, id=case.id)), state=None)


def hand_back(turn: Turn) -> Reply:
    """Tap: somebody else may answer."""
    case = _case(turn, turn.argument)
    if case is None or case.state == "closed":
        return _no_case()
    if not cases.hand_back(turn.db, case.id, turn.person.id):
        return reply(say(for_staff("Only who has the case can hand it back.")), state=None)
    handoff.refresh_card(turn.db, case.id, turn.now)
    return reply(
        say(for_staff("Handed back: who answers?"), buttons=(Button(for_staff("✋ I answer"), f"claim:{case.id}"),)),
        state=None,
    )


def close(turn: Turn) -> Reply:
    """Tap: closed. The newcomer hears it with a ready sentence."""
    case = _case(turn, turn.argument)
    if case is None or not handoff.close(turn.db, case, "staff", turn.now):
        return _no_case()
    if case.person_id is not None:
        words = say(Text("ready:we_close"), buttons=_newcomer_ways())
        plan(
            turn.db,
            "reply",
            words,
            now=turn.now,
            to=f"person:{case.person_id}",
            case_id=case.id,
            key=f"closed:{case.id}:{turn.now:%Y%m%d%H%M%S}",
        )
    return reply(state=None)


def _newcomer_ways() -> tuple[Button, ...]:
    return (
        Button(Text("☰ Menu"), "menu"),
        Button(Text("💬 Talk to a person"), "person"),
        Button(Text("🆘 112"), "sos"),
    )


def ready(turn: Turn) -> Reply:
    """Tap: the 14 ready sentences, in Dutch."""
    case = _mine(turn)
    if isinstance(case, Reply):
        return case
    buttons = [Button(Text(f"ready:{key}"), f"say:{case.id}:{key}") for key in READY]
    return reply(say(for_staff("Which sentence? It arrives in the newcomer's language."), buttons=buttons), state=None)


def _mine(turn: Turn) -> Case | Reply:
    """The case, if this member of staff has it."""
    case = _case(turn, turn.argument.partition(":")[0])
    if case is None or case.state == "closed":
        return _no_case()
    if case.claimed_by != turn.person.id:
        return reply(
            say(for_staff("First take the case."), buttons=(Button(for_staff("✋ I answer"), f"claim:{case.id}"),)),
            state=None,
        )
    return case


def say_ready(turn: Turn) -> Reply:
    """Tap on a ready sentence; what it needs is asked first."""
    case = _mine(turn)
    key = turn.argument.partition(":")[2]
    if isinstance(case, Reply):
        return case
    if key not in READY:
        return _no_case()
    return _fill(turn, case, key, {})


def _fill(turn: Turn, case: Case, key: str, values: dict[str, str]) -> Reply:
    template = turn.city.pack.look_up(f"ready:{key}", turn.city.pack.source_language) or ""
    missing = [name for name in _ASKS if name in language.placeholders(template) and name not in values]
    if missing:
        known = {"case": case.id, "key": key, "values": values, "asks": missing[0], "thread": turn.thread}
        state = State(FILLING, known)
        return reply(say(_ASKS[missing[0]]), state=state)
    shown = Text(f"ready:{key}", **{name: _said(name, value) for name, value in values.items()})
    words = template
    for name, value in values.items():
        words = words.replace(f"{{{name}}}", value)
    # a typed value is no answer by itself: changing it later must not replace the sentence
    shown_at = turn.incoming.message_id if turn.incoming.kind == "tap" else None
    entry = cases.add_entry(
        turn.db, case.id, "staff", words, turn.now, state="planned", topic_message_id=shown_at
    )  # fmt: skip
    handoff.acknowledge(turn.db, case, turn.now)
    handoff.send_reply(turn.db, case, say(shown, buttons=(handoff.BACK_BUTTON,)), entry, turn.now)
    return reply(say(Joined((Said("➡️"), shown), " ")))


def _said(name: str, value: str) -> Sayable:
    match name:
        case "date":
            return Day(value)
        case "time":
            return Hour(value)
        case _:
            return Said(value)


def fill_ready(turn: Turn) -> Reply:
    """What staff write for a ready sentence."""
    data = turn.state.data
    case = cases.get(turn.db, int(data["case"]), lock=True)
    if case is None or case.state == "closed" or case.claimed_by != turn.person.id:
        return reply(say(for_staff("This case is not yours any more. Nothing was sent.")))
    name, written = str(data["asks"]), " ".join(turn.said.split())
    today = turn.now.astimezone(turn.city.pack.zone).date()
    if name in {"date", "time"}:
        start = (
            parse_start(written, "9:00", today) if name == "date" else parse_start(today.isoformat(), written, today)
        )
        if start is None:
            return reply(say(for_staff("I do not understand this."), _ASKS[name]), state=None)
        written = start[:10] if name == "date" else start[11:]
    if not written or len(written) > _WORDS_MOST:
        return reply(say(for_staff("Please write it in a few words."), _ASKS[name]), state=None)
    return _fill(turn, case, str(data["key"]), {**data["values"], name: written})


def undo(turn: Turn) -> Reply:
    """Tap: take an answer back."""
    entry = cases.entry(turn.db, number(turn.argument))
    case = cases.get(turn.db, entry.case_id, lock=True) if entry else None
    if entry is None or case is None:
        return _no_case()
    if handoff.undo(turn.db, case, entry, city=turn.city, now=turn.now):
        handoff.refresh_card(turn.db, case.id, turn.now)
        return reply(
            say(for_staff("Taken back: it is deleted in the newcomer's chat. They may have read it.")), state=None
        )
    return reply(say(for_staff("This cannot be taken back any more.")), state=None)


def resend(turn: Turn) -> Reply:
    """Tap: send again what may not have arrived."""
    entry = cases.entry(turn.db, number(turn.argument))
    case = cases.get(turn.db, entry.case_id, lock=True) if entry else None
    if entry is None or case is None or entry.state != "uncertain":
        return _no_case()
    return reply(state=None) if handoff.resend(turn.db, case, entry, turn.now) else _no_case()


def send_file(turn: Turn) -> Reply:
    """Tap: yes, this photo or document goes to the newcomer."""
    case = _mine(turn)
    if isinstance(case, Reply):
        return case
    message_id = number(turn.argument.partition(":")[2])
    if not message_id:
        return _no_case()
    if cases.entry_of_message(turn.db, case.id, message_id) is not None:  # tapped twice
        return reply(state=None)
    entry = cases.add_entry(turn.db, case.id, "staff", "[file]", turn.now, topic_message_id=message_id, state="planned")
    above = say(Text("Answer from the city (in Dutch):"))
    plan(turn.db, "reply", above, now=turn.now, to=f"person:{case.person_id}", case_id=case.id)
    copy = Message(action="copy", from_person=FROM_STAFF, message_id=message_id, buttons=(handoff.BACK_BUTTON,))
    handoff.send_reply(turn.db, case, copy, entry, turn.now)
    return reply(state=None)


def keep_file(turn: Turn) -> Reply:
    """Tap: no, it stays here."""
    del turn
    return reply(say(for_staff("It stays here and is not sent.")), state=None)


# --- texts and commands -------------------------------------------------------------------------------------------


def in_topic(turn: Turn) -> Reply:
    """Something is written in the group: from the claimer, in the case's topic, it goes out; all else is a note."""
    case = cases.by_thread(turn.db, turn.thread) if turn.thread is not None else None
    if case is None or case.state == "closed":
        return reply(state=None)
    if case.claimed_by != turn.person.id:
        return _note(turn, case)
    if turn.incoming.kind == "edit":
        entry = cases.entry_of_message(turn.db, case.id, turn.incoming.message_id)
        if entry is not None and entry.who == "staff":
            handoff.staff_edits(turn.db, case, entry, turn.said, turn.now)
        return reply(state=None)
    if turn.incoming.media is not None:
        yes = Button(for_staff("✅ Yes, send it"), f"file:{case.id}:{turn.incoming.message_id}")
        asked = say(for_staff("Send this to the newcomer?"), buttons=(yes, Button(for_staff("❌ No"), "nofile")))
        return reply(asked, state=None)
    if turn.said:
        handoff.staff_writes(turn.db, case, turn.incoming, turn.said, turn.now)
    return reply(state=None)


def _note(turn: Turn, case: Case) -> Reply:
    """Once per case it is said that this was only a note."""
    if case.claimed_by is None and turn.incoming.kind != "edit":
        hint = say(
            for_staff("This is a note: it was not sent. To answer, take the case."),
            buttons=(Button(for_staff("✋ I answer"), f"claim:{case.id}"),),
        )
        plan(turn.db, "copy", hint, now=turn.now, to=case_lane(case.id), key=f"note:{case.id}")
    return reply(state=None)


def show_case(turn: Turn) -> Reply:
    """/case: in a topic its card again, elsewhere all that is open."""
    case = cases.by_thread(turn.db, turn.thread) if turn.thread is not None else None
    if case is not None:
        handoff.plan_card(turn.db, case, turn.now)
        return reply(state=None)
    found = cases.all_open(turn.db)
    lines = [
        Joined((Said(one.title), _KINDS.get(one.kind, Said(one.kind)), _state(turn.db, one)), " · ") for one in found
    ]
    return reply(say(Joined(tuple(lines), "\n") if lines else for_staff("No open cases.")), state=None)


def pause(turn: Turn) -> Reply:
    """/pause: the bot stops answering (cards and cases go on); once more: it answers again."""
    paused = topics.set_paused(turn.db, not topics.is_paused(turn.db))
    words = for_staff("The bot is paused: newcomers only get crisis cards and people. /pause switches it on again.")
    return reply(say(words if paused else for_staff("The bot answers again.")), state=None)


def set_value(turn: Turn) -> Reply:
    """/set name value: a local value; the old one is kept."""
    name, _, value = turn.argument.partition(" ")
    known = turn.city.pack.values
    if name not in known:
        near = ", ".join(sorted(key for key in known if name and name[:4] in key)) or "wegwijs content missing"
        return reply(
            say(for_staff("There is no value “{name}”. Near: {near}", name=Said(name), near=Said(near))), state=None
        )
    if name.startswith("n") and known[name].value and not value.strip():
        return reply(say(for_staff("This number cannot be empty.")), state=None)
    old = topics.local_values(turn.db, turn.city.pack)[name]
    topics.set_value(turn.db, name, value.strip(), by=turn.person.id, now=turn.now)
    return reply(
        say(
            for_staff("{name} is now: {value}", name=Said(name), value=Said(value.strip() or "–")),
            for_staff("Before: {value}", value=Said(old or "–")),
        ),
        state=None,
    )


def help_(turn: Turn) -> Reply:
    """An unknown command in the group."""
    del turn
    return reply(
        say(
            for_staff("I know: /case · /sessions · /session · /new · /move · /cancel · /add · /link"),
            Said("/set · /questions · /teach · /pause"),
        ),
        state=None,
    )
