"""Danger: the right numbers for each kind and language, staff told always, nothing promised that is not so."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from bot import people
from bot.language import OWN_NAMES, plain, render
from bot.message import Message
from bot.office import Office
from bot.storage.database import Database
from bot.topics import Pack
from handlers import danger
from tests.test_handoff_scene import ANN, BEN, NEWCOMER, NOW, Scene, a_file, keys, make_scene, taps

NUMBERS = {
    "emergency": {"112"},
    "suicide": {"112", "1813", "102"},
    "violence": {"101", "112", "1712"},
    "child": {"101", "112", "116000", "102"},
    "threat": {"101", "112"},
}
NEVER = {
    "emergency": {"1813", "106", "1712", "102", "116000"},
    "suicide": {"101", "1712", "116000"},
    "violence": {"1813", "116000"},
    "child": {"1813"},
    "threat": {"1813", "106", "1712", "102", "116000"},
}
LANGUAGES = tuple(OWN_NAMES)
NIGHT = dt.datetime(2027, 3, 1, 23, 30, tzinfo=dt.UTC)


@pytest.fixture
def scene(database: Database, pack: Pack, office: Office) -> Scene:
    return make_scene(database, pack, office)


@pytest.fixture
def quick(sqlite: Database, pack: Pack, office: Office) -> Scene:
    return make_scene(sqlite, pack, office)


def numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<!\d)\d{3,6}(?!\d)", text))


def cards(scene: Scene) -> list[Message]:
    return [one.message for one in scene.left if any(key.endswith("/first") for key in keys(one.message))]


def own_words(scene: Scene, message: Message, kind: str, language: str) -> str:
    own = [part for part in message.parts if getattr(part, "key", "").startswith(f"card:{kind}/")]
    return plain("\n".join(render(part, language, scene.look_up) for part in own))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", danger.KINDS)
def test_each_kind_has_exactly_its_numbers_in_every_language(quick: Scene, kind: str, language: str) -> None:
    """What every card says ("112 and 101: call …") stands beside these and is the same for all."""
    quick.write("…", danger=kind)
    [card] = cards(quick)
    said = numbers(own_words(quick, card, kind, language))
    assert said == NUMBERS[kind]
    assert not said & NEVER[kind]
    whole = plain("\n\n".join(render(part, language, quick.look_up) for part in card.parts))
    assert numbers(whole) == NUMBERS[kind] | {"112", "101"}
    assert "Help. Ik spreek geen Nederlands. Ik ben in Lokeren, straat … nummer …" in whole


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(danger.DISCREET))
def test_the_first_sixty_characters_of_a_discreet_card_are_neutral(quick: Scene, kind: str, language: str) -> None:
    quick.write("…", danger=kind)
    quick.write("…", danger=kind)
    neutral = quick.city.pack.look_up("card:neutral", language)
    assert neutral is not None
    assert len(neutral) >= 60
    said = [one.message for one in quick.left if one.lane.startswith("person:")]
    assert len(said) == 2
    for message in said:
        assert plain(render(message.parts[0], language, quick.look_up)) == plain(
            render(neutral, language, quick.look_up)
        )
        assert "wipe" in taps(message)


@pytest.mark.parametrize("kind", danger.KINDS)
def test_a_danger_opens_an_urgent_case_with_the_checklist(scene: Scene, kind: str) -> None:
    scene.write("the words as written", danger=kind)
    case = scene.case
    assert (case.urgent, case.kind, case.state) == (True, kind, "open")
    [card] = cards(scene)
    assert {"place", "number", f"morehelp:{kind}", f"notmeant:{case.id}"} <= set(taps(card))
    shown = next(one.text for one in scene.topic() if "the words as written" in one.text)
    for line in scene.city.pack.protocol[kind]["checklist"]:
        assert line in shown
    assert len(scene.alerts()) == 1


def test_the_first_sentence_to_a_victim_asks_whether_it_is_safe(scene: Scene) -> None:
    scene.write("he hurts me", danger="violence")
    scene.staff_tap(f"claim:{scene.case.id}")
    first = scene.topic()[-1].message
    assert taps(first)[0] == f"say:{scene.case.id}:safe_to_write"
    scene.staff_tap(taps(first)[0])
    assert scene.heard()[-1] == "Is it safe to write to you here?"


def test_the_same_card_once_in_thirty_minutes_but_the_alert_always(scene: Scene) -> None:
    scene.write("one", danger="suicide")
    scene.now += dt.timedelta(minutes=29)
    scene.write("two", danger="suicide")
    assert (len(cards(scene)), len(scene.alerts())) == (1, 2)
    scene.write("other", danger="emergency")
    assert (len(cards(scene)), len(scene.alerts())) == (2, 3)
    scene.now += dt.timedelta(minutes=1)
    scene.write("three", danger="suicide")
    assert (len(cards(scene)), len(scene.alerts())) == (3, 4)


def test_nobody_has_seen_it_after_ten_minutes_then_every_thirty(scene: Scene) -> None:
    scene.write("help", danger="emergency")
    scene.later(minutes=9)
    assert len(scene.alerts()) == 1
    scene.later(minutes=1)
    assert len(scene.alerts()) == 2
    assert scene.alerts()[-1].message.mentions == (scene.person(ANN).id,)
    scene.later(minutes=29)
    assert len(scene.alerts()) == 2
    scene.later(minutes=1)
    assert len(scene.alerts()) == 3
    scene.staff_tap(f"seen:{scene.case.id}", BEN)
    scene.later(hours=3)
    assert len(scene.alerts()) == 3


def test_outside_duty_hours_it_is_not_repeated_every_thirty_minutes(scene: Scene) -> None:
    scene.now = NIGHT
    scene.write("help", danger="emergency")
    scene.later(minutes=10)
    for _ in range(6):
        scene.later(minutes=30)
    assert len(scene.alerts()) == 2
    scene.now = dt.datetime(2027, 3, 2, 7, 0, tzinfo=dt.UTC)  # 08:00 in Lokeren
    scene.later(minutes=1)
    assert len(scene.alerts()) == 3


@pytest.mark.parametrize("how", ["seen", "claim"])
def test_it_is_said_that_somebody_has_seen_it_only_when_so_and_each_time(scene: Scene, how: str) -> None:
    told = "A person of the city has seen your message now."
    scene.write("help", danger="emergency")
    assert told not in scene.heard()
    scene.staff_tap(f"{how}:{scene.case.id}")
    assert scene.heard().count(told) == 1
    scene.now += dt.timedelta(minutes=31)
    scene.write("worse now", danger="emergency")
    scene.staff_tap(f"{how}:{scene.case.id}")
    assert scene.heard().count(told) == 2


def test_who_answers_has_seen_it(scene: Scene) -> None:
    scene.write("help", danger="emergency")
    scene.staff_tap(f"claim:{scene.case.id}")
    scene.write("again", danger="emergency")
    scene.staff("Waar ben je?")
    before = len(scene.alerts())
    scene.later(minutes=10)
    assert len(scene.alerts()) == before


def test_at_night_it_says_when_somebody_reads_it(quick: Scene) -> None:
    quick.now = NIGHT
    quick.write("help", danger="emergency")
    assert "Nobody of the city reads this before Tuesday" in quick.heard()[-1]
    assert "staff of the city. I write to you" not in quick.heard()[-1]


def test_without_staff_it_never_says_that_staff_know(sqlite: Database, pack: Pack, office: Office) -> None:
    scene = make_scene(sqlite, pack, office, staff=False)
    for _ in range(2):
        scene.write("help", danger="emergency")
        assert "told the staff" not in scene.heard()[-1]
        assert "Nobody of the city reads this chat." in scene.heard()[-1]
        assert not any(tap.startswith(("place", "number", "notmeant")) for tap in taps(scene.left[-1].message))


def test_not_meant_keeps_the_case_marked_and_watched(scene: Scene) -> None:
    scene.write("I kill you", danger="threat")
    scene.tap(f"notmeant:{scene.case.id}")
    assert (scene.case.not_meant, scene.case.state) == (True, "open")
    assert any("this was not meant" in one.text for one in scene.topic())
    scene.later(minutes=10)
    assert len(scene.alerts()) == 2


def test_back_to_the_bot_does_not_end_an_urgent_case(scene: Scene) -> None:
    scene.write("he hurts me", danger="violence")
    scene.tap("bot")
    assert scene.case.state == "open"
    scene.later(minutes=10)
    assert len(scene.alerts()) == 2
    copied = len(scene.topic())
    scene.write("Where is the library?")
    assert len(scene.topic()) == copied, "what is asked of the bot is not copied"
    first = scene.case.id
    scene.staff_tap(f"claim:{first}")
    scene.staff("Ben je veilig?")
    scene.write("No")
    assert scene.topic()[-1].text == "💬 No", "an answer to staff reaches them again"
    scene.tap("bot")
    scene.write("again", danger="violence")
    assert scene.case.id == first


def test_the_place_and_the_number_are_only_for_staff(scene: Scene) -> None:
    scene.write("help", danger="emergency")
    scene.tap("place")
    assert scene.left[-1].message.buttons[0].ask == "location"
    scene.turn(NEWCOMER, kind="location", place=(51.1, 3.9))
    assert [one.message.place for one in scene.topic() if one.message.action == "location"] == [(51.1, 3.9)]
    scene.turn(NEWCOMER, kind="contact", phone="+32 470 00 00 00")
    assert any("+32 470 00 00 00" in one.text for one in scene.topic())


def test_a_photo_with_danger_in_its_caption_reaches_staff(scene: Scene) -> None:
    scene.write("look what he did", danger="violence", **a_file())
    assert [one.message.action for one in scene.topic()].count("copy") == 1


def test_messages_can_be_deleted_here(scene: Scene) -> None:
    scene.write("he hurts me", danger="violence", message_id=55)
    shown = [one.id for one in scene.left if one.lane.startswith("person:")]
    scene.tap("wipe")
    gone = {one.message.message_id for one in scene.left if one.message.action == "delete"}
    assert set(shown) <= gone
    assert 55 in gone, "their own words too: a bot may delete them in a private chat"


def test_sos_is_for_everybody_and_opens_no_case(scene: Scene) -> None:
    scene.tap("sos")
    assert "112" in scene.heard()[-1]
    assert not scene.database.run_now(scene.all_cases)


@pytest.mark.parametrize("kind", danger.KINDS)
def test_more_help_has_the_other_numbers(quick: Scene, kind: str) -> None:
    quick.tap(f"morehelp:{kind}")
    more = quick.city.pack.look_up(f"card:{kind}/more", "en")
    if more:
        assert numbers(quick.heard()[-1]) >= set(re.findall(r"\{n(\d+)\}", more))
    quick.tap("morehelp:nothing")
    assert "This button is too old" in quick.heard()[-1]


def test_a_danger_inside_a_case_makes_that_case_urgent(scene: Scene) -> None:
    case = scene.open()
    scene.write("I want to die", danger="suicide")
    assert scene.case.id == case.id
    assert (scene.case.urgent, scene.case.kind) == (True, "suicide")
    assert any(one.message.action == "topic_edit" for one in scene.topic())


def test_staff_of_the_group_are_known(scene: Scene) -> None:
    names = scene.database.run_now(lambda db: [one.name for one in people.admins(db)])
    assert names == ["Ann"]
    assert scene.now == NOW
