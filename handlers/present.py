"""How the bot presents itself in Telegram: commands and description per language; it must fit Telegram's lengths."""

from __future__ import annotations

from typing import Final

from bot.channel import Description
from bot.conversation import City
from bot.language import LookUp, Text, for_staff, plain, render

_COMMANDS: Final = {
    "menu": Text("Menu"),
    "sessions": Text("My sessions"),
    "person": Text("Talk to a person of the city"),
    "language": Text("Choose your language"),
    "mydata": Text("See my data"),
    "forget": Text("Erase everything about me"),
    "stop": Text("No more reminders and news"),
    "sos": Text("In danger: 112"),
}
_STAFF: Final = {
    "case": for_staff("Open cases, or this case's card"),
    "sessions": for_staff("All sessions"),
    "session": for_staff("The roster of a session: /session 12"),
    "new": for_staff("A new session: /new programme date time"),
    "move": for_staff("Move a session: /move 12 date time"),
    "cancel": for_staff("Cancel a session: /cancel 12"),
    "add": for_staff("A child enrolled on paper: /add programme name age"),
    "link": for_staff("A link and QR code: /link programme"),
    "set": for_staff("Fill in a value: /set name value"),
    "questions": for_staff("What was asked this week and not answered"),
    "teach": for_staff("Teach me a question: /teach language topic sentence"),
    "pause": for_staff("Stop the bot's answers, or go on"),
}


def descriptions(city: City, look_up: LookUp) -> list[Description]:
    """One per language, and English for everybody else."""
    found = []
    for language in ("", *city.pack.languages):
        spoken = language or "en"

        def words(text: Text, spoken: str = spoken) -> str:
            return plain(render(text, spoken, look_up))

        staff = tuple((name, words(text, "nl")) for name, text in _STAFF.items()) if not language else ()
        found.append(
            Description(
                language=language.split("_")[0],
                commands=tuple((name, words(text)) for name, text in _COMMANDS.items()),
                description=words(Text("Questions about living in {city}? Ask in your language.", city=city.pack.city)),
                short=words(Text("The city of {city} answers in your language.", city=city.pack.city)),
                extra={"staff_commands": staff} if staff else {},
            )
        )
    return found
