"""Values become words: isolates, directions, days, hours; packing and unpacking lose nothing."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.language import Day, Hour, Joined, Said, Text, day_of, hour_of, pack, plain, render, unpack

WORDS = {
    "hello": "Hello {name}",
    "way": "Line one\n{empty}\n{full}",
    "{weekday} {day} {month} ({digits})": "{weekday} {day} {month} ({digits})",
    "{time} {part}": "{time} {part}",
}


def look_up(key: str, language: str) -> str:
    if language == "ar" and key == "hello":
        return "مرحبا {name}"
    return WORDS.get(key, key)


def test_a_value_is_isolated() -> None:
    assert render(Text("hello", name="Amina"), "en", look_up) == "Hello \u2068Amina\u2069"


def test_a_line_without_its_value_falls_away() -> None:
    assert plain(render(Text("way", empty="", full="there"), "en", look_up)) == "Line one\nthere"


def test_a_right_to_left_paragraph_starts_right_to_left() -> None:
    assert render(Text("hello", name="Amina"), "ar", look_up).startswith("م")
    assert render(Text("OKAN في الصيف"), "ar", look_up).startswith("\u200f")
    assert render(Text("one\n\nTwo"), "ar", look_up) == "\u200fone\n\n\u200fTwo"


def test_somebodys_own_words_keep_their_direction() -> None:
    assert render(Said("Kom morgen."), "ar", look_up) == "Kom morgen."
    both = render(Joined((Text("hello", name="Amina"), Said("Help.")), "\n"), "ar", look_up)
    assert both.split("\n")[1] == "Help."


def test_days_and_hours_are_said_in_full() -> None:
    assert plain(render(Day("2030-01-07"), "en", look_up)) == "Monday 7 January (07/01)"
    assert plain(render(Hour("09:00"), "en", look_up)) == "09:00 in the morning"
    assert plain(render(Hour("19:30"), "en", look_up)) == "19:30 in the evening"
    zone = ZoneInfo("Europe/Brussels")
    at = dt.datetime(2030, 7, 1, 22, 30, tzinfo=dt.UTC)
    assert day_of(at, zone) == Day("2030-07-02")
    assert hour_of(at, zone) == Hour("00:30")


simple = st.one_of(
    st.text().map(Said), st.integers(), st.dates().map(lambda d: Day(d.isoformat())), st.just(Hour("09:05"))
)
sayable = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.tuples(st.text(), st.dictionaries(st.sampled_from(["name", "day"]), inner)).map(
            lambda t: Text(t[0], **t[1])
        ),
        st.lists(inner).map(lambda parts: Joined(tuple(parts), " · ")),
    ),
    max_leaves=8,
)


@given(value=sayable)
def test_packing_loses_nothing(value: object) -> None:
    assert unpack(pack(value)) == value


@given(name=st.text())
def test_no_name_can_break_a_text(name: str) -> None:
    assert name.translate({0x2068: None}) in render(Text("hello", name=Said(name)), "en", look_up).translate(
        {0x2068: None}
    )
