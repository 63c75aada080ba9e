"""What staff see of a case when it leaves: its card and its alert; it must not change a case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from bot import cases, people
from bot.cases import Case
from bot.conversation import City
from bot.language import Day, Hour, Joined, Said, Sayable, for_staff
from bot.message import Button, Message, say
from handlers.staff_languages import LANGUAGES

KINDS: Final[Mapping[str, Sayable]] = {
    "question": for_staff("Question"),
    "complaint": for_staff("Complaint"),
    "homeless": for_staff("Must leave the house or has no roof"),
    "emergency": for_staff("LIFE IN DANGER"),
    "suicide": for_staff("DANGER: does not want to live"),
    "violence": for_staff("DANGER: violence"),
    "child": for_staff("DANGER: a child"),
    "threat": for_staff("DANGER: threatens somebody"),
}


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
        (Said(f"{'🔴 ' if case.urgent else ''}#{case.id}"), KINDS.get(case.kind, Said(case.kind)),
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
    parts.append(who_answers(db, case))
    return say(*parts, buttons=_card_buttons(case, taken=claimer(db, case) is not None))


def _protocol(case: Case, city: City) -> list[Sayable]:
    entry = city.pack.protocol.get(case.kind)
    if not entry:
        return []
    lines = tuple(Said(f"☐ {line}") for line in entry.get("checklist", ()))
    return [Joined((for_staff("What to do (a draft of the city):"), *lines), "\n")]


def who_answers(db: Any, case: Case) -> Sayable:
    """Who answers, or who closed it, in one line for staff."""
    if case.state == "closed":
        by = {"person": for_staff("the newcomer"), "erased": for_staff("erased by the person")}
        return for_staff("✅ Closed by: {who}", who=by.get(case.closed_by or "", for_staff("staff")))
    member = claimer(db, case)
    if member is not None:
        return for_staff("✋ {name} answers. Only their text goes to the newcomer.", name=Said(member.name))
    return for_staff("Nobody has this yet. What you write here is a note and is not sent.")


def claimer(db: Any, case: Case) -> people.StaffMember | None:
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
        Joined((Said(f"🔴 #{case.id}"), KINDS.get(case.kind, Said(case.kind))), " · "),
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
