"""Cases: one who answers, nothing sent by mistake, promises that are kept or renewed."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bot import case_topics, cases, people, staff_answers
from bot.office import Office
from bot.storage import tables
from bot.storage.database import Database
from bot.topics import Pack
from tests.test_handoff_scene import ANN, BEN, NEWCOMER, NOW, Scene, a_file, make_scene, taps

OTHER = 1002


@pytest.fixture
def scene(database: Database, pack: Pack, office: Office) -> Scene:
    return make_scene(database, pack, office)


def test_a_case_opens_with_a_promise_a_topic_and_a_card(scene: Scene) -> None:
    case = scene.open("Where is my letter?")
    assert "Tuesday" in scene.heard()[-1]
    assert "A person of the city answers before" in scene.heard()[-1]
    assert [one.message.action for one in scene.topic()[:2]] == ["topic_create", "text"]
    card = scene.topic()[1]
    assert "“Where is my letter?”" in card.text
    assert f"claim:{case.id}" in taps(card.message)
    assert case.promised_at == scene.city.office.promise(NOW)
    assert case.title == f"#{case.id} en"


def test_only_the_claimer_is_heard(scene: Scene) -> None:
    case = scene.open()
    before = len(scene.heard())
    scene.staff("not yet mine")
    scene.staff_tap(f"claim:{case.id}", BEN)
    scene.staff("I am a colleague", ANN)
    assert len(scene.heard()) == before
    scene.staff("Kom morgen.", BEN)
    assert scene.heard()[before:] == ["Answer from the city (in Dutch):\n\nKom morgen."]
    assert scene.topic()[-1].text == "✓ sent"
    assert scene.case.state == "answered"


def test_two_claim_at_once_and_one_wins(scene: Scene) -> None:
    case = scene.open()
    ids = {scene.person(user).id: user for user in (ANN, BEN)}
    with ThreadPoolExecutor(2) as threads:
        won = list(
            threads.map(
                lambda one: scene.database.run_now(lambda db: cases.claim(db, case.id, one, NOW)), ids
            )
        )  # fmt: skip
    assert sorted(won) == [False, True]
    assert scene.case.claimed_by == list(ids)[won.index(True)]


def test_who_comes_second_hears_who_was_first(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}", BEN)
    scene.staff_tap(f"claim:{case.id}", ANN)
    assert scene.topic()[-1].text == "Ben has this case already."


def test_the_case_of_somebody_who_left_the_group_can_be_taken(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}", BEN)
    scene.database.run_now(lambda db: people.note_member(db, BEN, "Ben", "left", NOW))
    scene.staff_tap(f"claim:{case.id}", ANN)
    assert scene.case.claimed_by == scene.person(ANN).id


def test_handed_back_means_silent_again(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    scene.staff_tap(f"handback:{case.id}")
    before = len(scene.heard())
    scene.staff("still me?")
    assert len(scene.heard()) == before


def test_undo_deletes_the_answer_and_the_case_waits_again(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    scene.staff("Wrong chat.")
    answer = next(one for one in scene.left if "Wrong chat." in one.text and one.lane.startswith("person:"))
    [undo] = taps(scene.topic()[-1].message)
    scene.staff_tap(undo)
    gone = [one.message for one in scene.left if one.message.action == "delete"]
    assert [one.message_id for one in gone] == [answer.id]
    assert scene.case.state == "claimed"
    assert scene.case.promised_at is not None
    scene.staff_tap(undo)
    assert len([one for one in scene.left if one.message.action == "delete"]) == 1


def test_an_edit_follows(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    number = scene.staff("Kom om 9.")
    scene.staff("Kom om 10.", kind="edit", message_id=number)
    changed = scene.left[-1].message
    assert (changed.action, scene.heard()[-1]) == ("edit", "Answer from the city (in Dutch):\n\nKom om 10.")


def test_an_edit_before_the_answer_left_is_not_lost(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")

    def written_and_changed(db: sa.Connection) -> None:
        found = cases.get(db, case.id)
        assert found is not None
        entry = cases.add_entry(db, case.id, "staff", "Kom om 9.", NOW, state="planned", topic_message_id=5)
        staff_answers.send_reply(db, found, staff_answers.answer_words("Kom om 9."), entry, NOW)
        kept = cases.entry(db, entry)
        assert kept is not None
        staff_answers.staff_edits(db, found, kept, "Kom om 10.", NOW)

    scene.database.run_now(written_and_changed)
    scene.deliver()
    assert scene.heard()[-1] == "Answer from the city (in Dutch):\n\nKom om 10."


def test_an_open_case_gets_no_answers_of_the_bot_but_copies(scene: Scene) -> None:
    scene.open()
    before = len(scene.heard())
    scene.write("Are you there?")
    assert len(scene.heard()) == before
    assert scene.topic()[-1].text == "💬 Are you there?"
    scene.tap("menu")
    assert len(scene.heard()) == before + 1


def test_back_to_the_bot_closes_a_question(scene: Scene) -> None:
    scene.open()
    scene.tap("bot")
    assert (scene.case.state, scene.case.closed_by) == ("closed", "person")
    scene.write("Hello bot")
    assert scene.case.state == "closed"


def test_a_text_within_seven_days_reopens_but_thank_you_does_not(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"close:{case.id}")
    assert scene.heard()[-1] == "We close this question now. You can always write again."
    scene.write("thank you", label="smalltalk")
    assert scene.case.state == "closed"
    scene.now += dt.timedelta(days=6)
    scene.write("It did not work")
    assert scene.case.id == case.id
    assert scene.case.state == "open"
    assert scene.case.promised_at is not None
    assert scene.topic()[-1].text == "💬 It did not work"


def test_after_seven_days_the_bot_answers(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"close:{case.id}")
    scene.now += dt.timedelta(days=7, minutes=1)
    scene.write("It did not work")
    assert scene.case.state == "closed"


def test_a_missed_promise_becomes_a_new_honest_one(scene: Scene) -> None:
    case = scene.open()
    first = case.promised_at
    assert first is not None
    scene.now = first - dt.timedelta(minutes=1)
    scene.later(minutes=0)
    assert "Nobody has answered you yet" not in "".join(scene.heard())
    scene.later(minutes=1)
    assert "Nobody has answered you yet" in scene.heard()[-1]
    renewed = scene.case.promised_at
    assert renewed is not None
    assert renewed > scene.now
    said = len(scene.heard())
    scene.later(minutes=5)
    assert len(scene.heard()) == said


def test_an_answered_case_owes_nothing(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    scene.staff("Ja.")
    said = len(scene.heard())
    scene.later(days=5)
    assert len(scene.heard()) == said


def test_a_ready_sentence_asks_for_what_it_needs(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    scene.staff_tap(f"say:{case.id}:bring_paper")
    assert scene.topic()[-1].text == "Which paper?"
    before = len(scene.heard())
    number = scene.staff("Bijlage 26")
    assert len(scene.heard()) == before + 1
    assert "Bijlage 26" in scene.heard()[-1]
    scene.staff("Bijlage 27", kind="edit", message_id=number)
    assert len(scene.heard()) == before + 1, "the value alone must not replace the sentence"


def test_what_is_written_in_another_topic_is_not_the_value_of_a_sentence(scene: Scene) -> None:
    first = scene.open()
    thread = scene.thread
    scene.staff_tap(f"claim:{first.id}")
    scene.tap("person", OTHER)
    scene.write("Another question", user=OTHER)
    scene.staff_tap(f"claim:{scene.case.id}")
    scene.staff_tap(f"say:{first.id}:bring_paper", thread=thread)
    mine = len(scene.heard())
    scene.staff("Only for the other person")
    assert len(scene.heard()) == mine
    assert "Only for the other person" in scene.heard(OTHER)[-1]


def test_what_may_not_have_arrived_is_sent_again_as_it_was(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    scene.outcomes["reply"] = "uncertain"
    scene.staff_tap(f"say:{case.id}:read")
    [asked] = [one.message for one in scene.topic() if "Send it again?" in one.text]
    del scene.outcomes["reply"]
    scene.staff_tap(taps(asked)[0])
    assert scene.heard()[-1] == scene.city.pack.look_up("ready:read", "en")


def test_a_photo_of_staff_goes_out_only_when_they_say_so_and_once(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    before = len(scene.heard())
    number = scene.staff("", **a_file())
    assert len(scene.heard()) == before
    for _ in range(2):
        scene.staff_tap(f"file:{case.id}:{number}")
    copies = [one for one in scene.left if one.message.action == "copy" and one.lane.startswith("person:")]
    assert [one.message.message_id for one in copies] == [number]


def test_a_file_without_a_case_is_offered_once_and_kept_a_day(scene: Scene) -> None:
    before = len(scene.heard())
    for _ in range(3):
        scene.write("my letter", **a_file(album="a"))
    assert len(scene.heard()) == before + 1
    scene.tap("sendfile")
    assert [one.message.action for one in scene.topic()].count("photo") == 3
    left = scene.database.run_now(lambda db: db.scalar(sa.select(sa.func.count()).select_from(tables.kept_file)))
    assert left == 0


def test_a_deleted_topic_is_made_anew_and_the_card_posted_again(scene: Scene) -> None:
    case = scene.open()
    old, before = scene.thread, len(scene.topic())
    scene.database.run_now(lambda db: case_topics.topic_gone(db, case.id, city=scene.city, now=scene.now))
    scene.deliver()
    assert scene.thread != old
    assert [one.message.action for one in scene.topic()[before:]] == ["topic_create", "text"]
    assert "Where is my letter?" in scene.topic()[-1].text


def test_a_deleted_topic_of_a_closed_case_stays_deleted(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"close:{case.id}")
    assert not scene.database.run_now(lambda db: case_topics.topic_gone(db, case.id, city=scene.city, now=scene.now))
    assert scene.case.thread == case.thread


@pytest.mark.parametrize("data", ["claim:999", "claim:x", "close:", "say:1:nothing", "undo:77", "file:1:0", "seen:-1"])
def test_strange_buttons_of_staff_do_no_harm(scene: Scene, data: str) -> None:
    scene.open()
    scene.staff_tap(data)
    assert scene.case.state == "open"


def test_buttons_of_a_newcomer_do_not_reach_the_cases_of_others(scene: Scene) -> None:
    scene.write("help", danger="emergency", user=OTHER)
    theirs = scene.case
    scene.tap(f"notmeant:{theirs.id}", NEWCOMER)
    assert not scene.case.not_meant
    assert "This button is too old" in scene.heard()[-1]
