"""What staff tap on a case: claim, seen, hand back, close, undo, send again, send a file; it must not read texts."""

from __future__ import annotations

from bot import alerts, case_topics, cases, handoff, people, staff_answers
from bot.cases import Case
from bot.conversation import Reply, Turn, reply
from bot.language import Said, Sayable, Text, for_staff
from bot.message import FROM_STAFF, Button, Message, say
from bot.outbox import plan
from bot.topics import READY
from handlers.case_cards import claimer
from handlers.common import number


def _case(turn: Turn, text: str) -> Case | None:
    return cases.get(turn.db, number(text), lock=True)


def no_case() -> Reply:
    """What a button says whose case is closed or erased."""
    return reply(say(for_staff("This case is not here any more.")), state=None)


def own_case(turn: Turn) -> Case | Reply:
    """The case, if this member of staff has it."""
    case = _case(turn, turn.argument.partition(":")[0])
    if case is None or case.state == "closed":
        return no_case()
    if case.claimed_by != turn.person.id:
        return reply(
            say(for_staff("First take the case."), buttons=(Button(for_staff("✋ I answer"), f"claim:{case.id}"),)),
            state=None,
        )
    return case


def claim(turn: Turn) -> Reply:
    """Tap: I answer. One wins; the other hears who."""
    case = _case(turn, turn.argument)
    if case is None or case.state == "closed":
        return no_case()
    member = claimer(turn.db, case)
    if case.claimed_by is not None and member is None:  # who had it has left the group
        cases.hand_back(turn.db, case.id, case.claimed_by)
    if not cases.claim(turn.db, case.id, turn.person.id, turn.now):
        if case.claimed_by == turn.person.id:
            alerts.acknowledge(turn.db, case, turn.now)
            case_topics.refresh_card(turn.db, case.id, turn.now)
            return reply(say(for_staff("You have this case. Write your answer here, in Dutch.")), state=None)
        name = Said(member.name) if member else for_staff("somebody else")
        return reply(say(for_staff("{name} has this case already.", name=name)), state=None)
    alerts.acknowledge(turn.db, case, turn.now)
    case_topics.refresh_card(turn.db, case.id, turn.now)
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
        return no_case()
    alerts.acknowledge(turn.db, case, turn.now)
    case_topics.refresh_card(turn.db, case.id, turn.now)
    member = people.staff_member(turn.db, turn.person.id)
    name = Said(member.name if member else "")
    return reply(say(for_staff("👁 {name} has seen #{id}. The newcomer is told.", name=name, id=case.id)), state=None)


def hand_back(turn: Turn) -> Reply:
    """Tap: somebody else may answer."""
    case = _case(turn, turn.argument)
    if case is None or case.state == "closed":
        return no_case()
    if not cases.hand_back(turn.db, case.id, turn.person.id):
        return reply(say(for_staff("Only who has the case can hand it back.")), state=None)
    case_topics.refresh_card(turn.db, case.id, turn.now)
    return reply(
        say(for_staff("Handed back: who answers?"), buttons=(Button(for_staff("✋ I answer"), f"claim:{case.id}"),)),
        state=None,
    )


def close(turn: Turn) -> Reply:
    """Tap: closed. The newcomer hears it with a ready sentence."""
    case = _case(turn, turn.argument)
    if case is None or not handoff.close(turn.db, case, "staff", turn.now):
        return no_case()
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


def undo(turn: Turn) -> Reply:
    """Tap: take an answer back."""
    entry = cases.entry(turn.db, number(turn.argument))
    case = cases.get(turn.db, entry.case_id, lock=True) if entry else None
    if entry is None or case is None:
        return no_case()
    if staff_answers.undo(turn.db, case, entry, city=turn.city, now=turn.now):
        case_topics.refresh_card(turn.db, case.id, turn.now)
        return reply(
            say(for_staff("Taken back: it is deleted in the newcomer's chat. They may have read it.")), state=None
        )
    return reply(say(for_staff("This cannot be taken back any more.")), state=None)


def resend(turn: Turn) -> Reply:
    """Tap: send again what may not have arrived."""
    entry = cases.entry(turn.db, number(turn.argument))
    case = cases.get(turn.db, entry.case_id, lock=True) if entry else None
    if entry is None or case is None or entry.state != "uncertain":
        return no_case()
    return reply(state=None) if staff_answers.resend(turn.db, case, entry, turn.now) else no_case()


def send_file(turn: Turn) -> Reply:
    """Tap: yes, this photo or document goes to the newcomer."""
    case = own_case(turn)
    if isinstance(case, Reply):
        return case
    message_id = number(turn.argument.partition(":")[2])
    if not message_id:
        return no_case()
    if cases.entry_of_message(turn.db, case.id, message_id) is not None:  # tapped twice
        return reply(state=None)
    entry = cases.add_entry(turn.db, case.id, "staff", "[file]", turn.now, topic_message_id=message_id, state="planned")
    above = say(Text("Answer from the city (in Dutch):"))
    plan(turn.db, "reply", above, now=turn.now, to=f"person:{case.person_id}", case_id=case.id)
    copy = Message(action="copy", from_person=FROM_STAFF, message_id=message_id, buttons=(handoff.BACK_BUTTON,))
    staff_answers.send_reply(turn.db, case, copy, entry, turn.now)
    return reply(state=None)


def keep_file(turn: Turn) -> Reply:
    """Tap: no, it stays here."""
    del turn
    return reply(say(for_staff("It stays here and is not sent.")), state=None)
