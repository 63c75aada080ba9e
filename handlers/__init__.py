"""What the bot says: the map of its behaviour. Read ROUTES first; it must hold no text and no rule of the domain."""

from __future__ import annotations

from typing import Final

from handlers import (
    ask,
    browse,
    case_cards,
    danger,
    notices,
    person,
    privacy,
    ready_sentences,
    sessions,
    signup,
    staff_cases,
    staff_group,
    staff_questions,
    staff_sessions,
    start,
)
from handlers.dispatch import handle
from handlers.present import descriptions
from handlers.routes import Routes

ROUTES: Final = Routes(
    commands={
        "start": start.start,
        "menu": start.menu,
        "help": start.capabilities,
        "language": start.language,
        "sessions": sessions.mine,
        "person": person.person,
        "mydata": privacy.my_data,
        "forget": privacy.forget,
        "stop": privacy.stop,
        "sos": danger.sos,
    },
    taps={
        # first contact and menu
        "menu": start.menu,
        "language": start.language,
        "role": start.role,
        # questions
        "ask": ask.invite,
        "services": browse.services,
        "group": browse.group,
        "topic": ask.topic,
        "more": ask.more,
        "dutch": ask.dutch,
        "none": ask.none_of_these,
        "helped": ask.helped,
        "nothelped": ask.not_helped,
        # sessions
        "programmes": sessions.all_programmes,
        "programme": sessions.programme,
        "interest": sessions.interest,
        "sessions": sessions.mine,
        "mine": sessions.mine_one,
        "coming": sessions.coming,
        "late": sessions.late,
        "where": sessions.where,
        "cannot": sessions.cannot,
        "no": sessions.no,
        "noday": sessions.no_day,
        "noprog": sessions.no_programme,
        "take": sessions.take,
        "leave": sessions.leave,
        # signing up
        "signup": signup.begin,
        "who": signup.who,
        "days": signup.days,
        "ready": signup.ready,
        "book": signup.book,
        # a person
        "person": person.person,
        "sendlast": person.send_last,
        "sendfile": person.send_file,
        "bot": person.back,
        # danger
        "sos": danger.sos,
        "soskind": danger.sos_kind,
        "morehelp": danger.more_help,
        "place": danger.place,
        "number": danger.number,
        "notmeant": danger.not_meant,
        "wipe": danger.wipe,
        # one's own data
        "data": privacy.data,
        "mydata": privacy.show,
        "forget": privacy.forget,
        "stop": privacy.stop,
        "listen": privacy.listen,
    },
    states={
        signup.CHOOSING: signup.another,
        signup.NAME: signup.name,
        signup.AGE: signup.age,
        person.ASKING: person.about,
        ready_sentences.FILLING: ready_sentences.fill_ready,
    },
    intents={
        "human": person.person,
        "case-status": person.status,
        "complaint": person.complaint,
        "capabilities": start.capabilities,
        "change-language": start.language,
        "privacy": privacy.explain,
        "erase": privacy.forget,
        "stop-messages": privacy.stop,
        "sign-up": signup.in_words,
        "my-sessions": sessions.mine,
        "cancel-session": sessions.cancel_in_words,
        "late": sessions.late_in_words,
        "smalltalk": start.greeting,
    },
    staff_commands={
        "case": staff_group.show_case,
        "pause": staff_group.pause,
        "set": staff_group.set_value,
        "questions": staff_questions.show,
        "teach": staff_questions.teach,
        "sessions": staff_sessions.all_sessions,
        "session": staff_sessions.one_session,
        "new": staff_sessions.new,
        "move": staff_sessions.move,
        "cancel": staff_sessions.cancel,
        "add": staff_sessions.add,
        "link": staff_sessions.link,
    },
    staff_taps={
        "claim": staff_cases.claim,
        "seen": staff_cases.seen,
        "handback": staff_cases.hand_back,
        "close": staff_cases.close,
        "ready": ready_sentences.ready,
        "say": ready_sentences.say_ready,
        "undo": staff_cases.undo,
        "resend": staff_cases.resend,
        "file": staff_cases.send_file,
        "nofile": staff_cases.keep_file,
        "move": staff_sessions.move_sure,
        "cancel": staff_sessions.cancel_sure,
        "keep": staff_sessions.keep,
    },
)

RENDERERS: Final = {
    **notices.RENDERERS, **case_cards.RENDERERS, "roster": staff_sessions.roster_renderer,
    "questions": staff_questions.overview_renderer,
}  # fmt: skip
"""Who finds the words of a delivery when it leaves, by the name that was planned."""

__all__ = ["RENDERERS", "ROUTES", "Routes", "descriptions", "handle"]
