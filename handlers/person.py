"""Talking to a person of the city: one question, then a case; files; the way back; it must promise only what is so."""

from __future__ import annotations

from typing import Final

from bot import cases, handoff, kept_files, topics
from bot.cases import Case
from bot.conversation import Reply, State, Turn, reply
from bot.handoff import BACK_BUTTON
from bot.language import Text
from bot.message import Button, Message, say
from handlers.common import HELP_BUTTON, MENU_BUTTON, PERSON_BUTTON, language_of

ASKING: Final = "person-ask"
_LAST: Final = "last"
_FILE_KINDS: Final = ("voice", "photo", "document", "video", "audio", "video_note")


def nobody(turn: Turn) -> Message:
    """Without a staff group: how to reach the city, honestly."""
    website = topics.local_values(turn.db, turn.city.pack).get("website", "")
    return say(
        Text("Nobody of the city reads this chat. I am only a machine."),
        Text("To reach the city: {website}", website=website),
        buttons=(MENU_BUTTON, HELP_BUTTON),
    )


def person(turn: Turn) -> Reply:
    """Tap or words: wants a person."""
    if not turn.city.staff:
        return reply(nobody(turn))
    case = cases.open_of(turn.db, turn.person.id)
    if case is not None:
        words = Text("You are already writing with a person of the city. Just write here.")
        return reply(
            say(words, handoff.promise_words(case, turn.city), buttons=(BACK_BUTTON, MENU_BUTTON, HELP_BUTTON))
        )
    buttons = [MENU_BUTTON, HELP_BUTTON]
    last = _last_question(turn)
    if last:
        buttons.insert(0, Button(Text("📨 Send my last question"), "sendlast"))
    words = Text("What is it about? Write it in your own language, in one message.")
    return reply(say(words, buttons=buttons), state=State(ASKING, dict(turn.state.data) if last else {}))


def _last_question(turn: Turn) -> str:
    return str(turn.state.data.get("text") or "") if turn.state.name in {_LAST, ASKING} else ""


def _before(turn: Turn) -> str:
    """The last exchange with the bot, for staff: what was asked, and the Dutch title of the answer."""
    topic = turn.state.data.get("topic")
    asked = _last_question(turn)
    if not asked:
        return ""
    title = turn.city.pack.look_up(f"topic:{topic}/title", turn.city.pack.source_language) if topic else None
    return f"{asked} → {title}" if title else asked


def about(turn: Turn) -> Reply:
    """The answer to "what is it about?"."""
    topic = _recognised(turn)
    return _opened(turn, turn.said, "question", topic, _before(turn))


def send_last(turn: Turn) -> Reply:
    """Tap: hand the last question over as it was written."""
    words = _last_question(turn)
    if not words:
        return person(turn)
    return _opened(turn, words, "question", turn.state.data.get("topic"), "")


def _recognised(turn: Turn) -> str | None:
    if turn.look is None:
        return None
    decision = turn.look.decide(turn.person.language)
    return decision.label if decision.label in turn.city.pack.topics else None


def _opened(turn: Turn, words: str, kind: str, topic: str | None, before: str) -> Reply:
    case = handoff.open_case(
        turn.db, turn.person, words=words, kind=kind, topic=topic, city=turn.city, now=turn.now,
        language=language_of(turn), before=before,
        message_id=turn.incoming.message_id if turn.incoming.kind == "text" else 0,
    )  # fmt: skip
    return reply(nobody(turn)) if case is None else reply(opened_message(turn, case))


def opened_message(turn: Turn, case: Case) -> Message:
    """What the newcomer hears when a case is open."""
    return say(
        Text("I have given your question to the staff of the city."),
        handoff.promise_words(case, turn.city),
        Text("What you write now goes to a person. Until then you can go back to the bot."),
        buttons=(BACK_BUTTON, MENU_BUTTON, HELP_BUTTON),
    )


def complaint(turn: Turn) -> Reply:
    """Angry, or something is wrong: sorry, and a person."""
    words = Text("I am sorry. I am a machine and I make mistakes. A person of the city can look at it.")
    state = State(_LAST, {"text": turn.said, "topic": None})
    return reply(say(words, buttons=(PERSON_BUTTON, MENU_BUTTON, HELP_BUTTON)), state=state)


def status(turn: Turn) -> Reply:
    """Said in words: nobody answered. What was promised."""
    case = cases.open_of(turn.db, turn.person.id)
    if case is None:
        words = Text("No question of yours is with the staff now.")
        return reply(say(words, buttons=(PERSON_BUTTON, MENU_BUTTON, HELP_BUTTON)))
    return reply(say(handoff.promise_words(case, turn.city), buttons=(BACK_BUTTON, MENU_BUTTON, HELP_BUTTON)))


def in_case(turn: Turn, case: Case) -> Reply:
    """Something is sent while a case is open: it goes to the topic and gets no answer of ours."""
    handoff.newcomer_writes(turn.db, case, turn.incoming, turn.said, turn.now)
    if turn.incoming.kind in {"location", "contact"}:
        seen = Message(parts=(Text("The staff of the city can see this now. In danger: call 112."),), hide_keys=True)
        words = Text("What you write now goes to a person. Until then you can go back to the bot.")
        return reply(seen, say(words, buttons=(BACK_BUTTON, HELP_BUTTON)), state=None)
    return reply(state=None)


def again(turn: Turn, case: Case) -> Reply:
    """A text within seven days after staff closed a case: it is open again."""
    opened = handoff.reopen(turn.db, case, city=turn.city, now=turn.now)
    handoff.newcomer_writes(turn.db, opened, turn.incoming, turn.said, turn.now)
    return reply(opened_message(turn, opened))


def back(turn: Turn) -> Reply:
    """Tap: back to the bot; the case is closed by the newcomer."""
    case = cases.open_of(turn.db, turn.person.id)
    if case is not None:
        handoff.back_to_bot(turn.db, case, turn.now)
    words = Text("You are writing with the bot again. You can ask for a person at any time.")
    return reply(say(words, buttons=(MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON)))


# --- files --------------------------------------------------------------------------------------------------------


def media(turn: Turn) -> Reply:
    """A voice note, photo or document without a case: one reply, one big button."""
    sent = turn.incoming.media
    if sent is None or sent.kind not in _FILE_KINDS:
        words = Text("I can only read text. Write your question, or choose from the menu.")
        return reply(say(words, buttons=(MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON)), state=None)
    if not turn.city.staff:
        words = Text("I cannot listen to voice messages or look at pictures. Please write your question.")
        return reply(say(words, buttons=(MENU_BUTTON, HELP_BUTTON)), state=None)
    first = kept_files.keep_file(
        turn.db, turn.person.id, sent.kind, sent.file_id, turn.said, album=sent.album, now=turn.now
    )
    if not first:  # the rest of an album goes with its first picture
        return reply(state=None)
    return reply(
        say(
            Text("I cannot listen to voice messages or look at pictures. A person of the city can."),
            buttons=(Button(Text("📨 Send to a person of the city"), "sendfile"), MENU_BUTTON, HELP_BUTTON),
        ),
        state=None,
    )


def send_file(turn: Turn) -> Reply:
    """Tap: the files of the last 24 hours go to a person."""
    files = kept_files.kept_files(turn.db, turn.person.id)
    if not files:
        words = Text("The file is no longer here. Please send it again.")
        return reply(say(words, buttons=(MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON)))
    words_ = " ".join(one.words for one in files if one.words)
    case = handoff.open_case(
        turn.db, turn.person, words=words_, kind="question", city=turn.city, now=turn.now, language=language_of(turn)
    )
    if case is None:
        return reply(nobody(turn))
    for one in files:
        handoff.send_file(turn.db, case, one.kind, one.file_id, turn.now)
    kept_files.drop_files(turn.db, turn.person.id)
    return reply(opened_message(turn, case))


def stray(turn: Turn) -> Reply:
    """A place or a number without a case: nothing is kept."""
    words = Text("I do not keep this. If you need help from a person, tap the button.")
    return reply(say(words, buttons=(PERSON_BUTTON, MENU_BUTTON, HELP_BUTTON)), state=None)
