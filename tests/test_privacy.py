"""One's own data: all of it is shown, all of it goes, and what is old goes by itself."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot import (
    erasure,
    expiry,
    inbox,
    interest,
    kept_files,
    outbox,
    own_data,
    participants,
    people,
    programmes,
    reminders,
)
from bot.inbox import RawUpdate
from bot.office import Office
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.vault import unseal
from bot.topics import Pack
from tests.test_handoff_scene import ANN, NEWCOMER, NOW, Scene, a_file, make_scene, taps

ZONE = ZoneInfo("Europe/Brussels")
OTHER = 1002
SECRETS = ("Zaynab", "my secret letter", "he hurts me", "photo caption", "Kom morgen, zegt Ann", "half a name")
TERMS = {
    "parked": dt.timedelta(days=7), "questions": dt.timedelta(days=30), "case_texts": dt.timedelta(days=90),
    "bookings": dt.timedelta(days=90), "silent": dt.timedelta(days=365), "files": dt.timedelta(days=1),
}  # fmt: skip


@pytest.fixture
def scene(database: Database, pack: Pack, office: Office) -> Scene:
    return make_scene(database, pack, office)


def a_session(db: sa.Connection, starts: str = "2027-03-10T14:00") -> programmes.Session:
    programmes.put(db, "class", {"topic": "t", "title": {"nl": "Les"}, "seats": 1, "for": {"who": "everybody"}})
    about = programmes.get(db, "class", demo=False)
    assert about is not None
    return programmes.add_session(db, about, starts, ZONE)


def enrol(db: sa.Connection, user: int, name: str, session: programmes.Session, scene: Scene) -> int:
    person = people.meet(db, user, "en", scene.now)
    child, _ = participants.add_participant(db, person.id, name, child=True, age=9, now=scene.now)
    reminders.book(db, person.id, [child.id], [session], city=scene.city, now=scene.now)
    return child.id


def live(scene: Scene) -> None:
    """A newcomer who used everything, so that every table has something of theirs."""
    session = scene.database.run_now(a_session)
    scene.database.run_now(lambda db: enrol(db, NEWCOMER, "Zaynab", session, scene))
    scene.database.run_now(lambda db: enrol(db, OTHER, "Omar", session, scene))
    person = scene.person()

    def more(db: sa.Connection) -> None:
        interest.add_interest(db, person.id, "class", scene.now)
        child = db.scalar(sa.select(tables.participant.c.id).where(tables.participant.c.person_id == person.id))
        db.execute(
            sa.insert(tables.join_code).values(
                code="c", participant_id=child, programme_id="class", made_at=scene.now, used_at=scene.now
            )
        )
        lane = str(NEWCOMER)
        update = json.dumps({"message": {"text": "half a name"}})
        inbox.store(db, [RawUpdate(1, lane, update), RawUpdate(2, lane, update)], scene.now)
        ids = list(db.scalars(sa.select(tables.inbox.c.id).order_by(tables.inbox.c.update_id)))
        inbox.park(db, ids[0], "ValueError")
        inbox.done(db, ids[1])

    scene.database.run_now(more)
    scene.open("my secret letter")
    scene.staff_tap(f"claim:{scene.case.id}")
    scene.staff("Kom morgen, zegt Ann")
    scene.write("he hurts me", danger="violence")
    scene.database.run_now(
        lambda db: kept_files.keep_file(db, person.id, "photo", "file-1", "photo caption", album="", now=scene.now)
    )
    scene.database.run_now(lambda db: people.store_state(db, person.id, "signup-name", {"name": "half a name"}))


def everything(db: sa.Connection) -> list[tuple[str, str, str]]:
    """(table, column, words) of all that is stored, unsealed."""
    found = []
    for table in tables.METADATA.sorted_tables:
        for row in db.execute(sa.select(table)):
            for column, value in zip(table.c, row, strict=True):
                if column.name.endswith("_sealed"):
                    found.append((table.name, column.name, unseal(db, value)))
                else:
                    found.append((table.name, column.name, value.hex() if isinstance(value, bytes) else str(value)))
    return found


def left_of(scene: Scene, *needles: str) -> list[tuple[str, str]]:
    stored = scene.database.run_now(everything)
    return sorted({(t, c) for t, c, words in stored if t != "erased" and any(needle in words for needle in needles)})


def test_forget_leaves_nothing_in_any_table(scene: Scene) -> None:
    live(scene)
    person_id, lane = scene.person().id, None

    def hashed(db: sa.Connection) -> str:
        found = db.scalar(sa.select(tables.address.c.blind_index).where(tables.address.c.person_id == person_id))
        assert found is not None
        return bytes(found).hex()

    index = scene.database.run_now(hashed)
    lane = scene.database.run_now(lambda db: inbox.lane_index(db, str(NEWCOMER)).hex())
    for secret in SECRETS:
        assert left_of(scene, secret), f"the test must store {secret}"
    scene.tap("forget")
    scene.tap("forget:yes")
    assert left_of(scene, *SECRETS) == []
    assert left_of(scene, person_id, index, lane, f"chat:{NEWCOMER}") == []
    gone = scene.database.run_now(lambda db: [bytes(one).hex() for one, _ in erasure.erased_indexes(db)])
    assert gone == [index]


def test_no_column_that_names_a_person_is_forgotten_by_the_test(scene: Scene) -> None:
    """A new table with a person must be filled by `live`, so that the test above walks it too."""
    live(scene)
    person_id = scene.person().id
    ours = {
        (table.name, column.name)
        for table in tables.METADATA.sorted_tables
        for column in table.c
        for key in column.foreign_keys
        if key.column.table.name == "person"
    }
    of_staff = {
        ("staff_member", "person_id"), ("local_value", "set_by"), ("example", "added_by"), ("case", "claimed_by"),
    }  # fmt: skip
    filled = {
        (t, c) for t, c, words in scene.database.run_now(everything) if words == person_id and (t, c) in ours
    }  # fmt: skip
    assert filled == ours - of_staff


def test_forget_asks_once_frees_the_place_and_deletes_the_topic(scene: Scene) -> None:
    live(scene)
    case, thread = scene.case, scene.thread
    scene.tap("forget")
    assert "forget:yes" in taps(scene.left[-1].message)
    assert scene.person().id == case.person_id, "asking changes nothing"
    scene.tap("forget:yes")
    actions = [(one.lane, one.message.action) for one in scene.left]
    assert (f"case:{case.id}", "topic_delete") in actions
    assert scene.case.thread == thread
    assert any(one.text == f"Case #{case.id}: erased by the person." for one in scene.left)
    assert scene.left[-1].text or any("Everything about you is erased" in one.text for one in scene.left)
    other = scene.person(OTHER)
    states = scene.database.run_now(
        lambda db: list(db.scalars(sa.select(tables.booking.c.state).where(tables.booking.c.person_id == other.id)))
    )
    assert states == ["booked"]
    assert scene.database.run_now(lambda db: people.find(db, NEWCOMER)) is None


def test_who_forgets_may_begin_anew(scene: Scene) -> None:
    live(scene)
    scene.tap("forget:yes")
    scene.write("hello again")
    assert scene.person().language is None
    assert scene.database.run_now(lambda db: own_data.collect(db, scene_person(db)))["questions_to_the_city"] == []


def scene_person(db: sa.Connection) -> str:
    found = people.find(db, NEWCOMER)
    assert found is not None
    return found.id


def test_forget_of_somebody_who_answers_gives_the_case_back(scene: Scene) -> None:
    case = scene.open()
    scene.staff_tap(f"claim:{case.id}")
    ann = scene.person(ANN).id
    scene.database.run_now(lambda db: erasure.erase(db, ann, city=scene.city, now=scene.now))
    assert (scene.case.state, scene.case.claimed_by) == ("open", None)


def test_erased_while_the_topic_is_made_the_topic_is_deleted(scene: Scene) -> None:
    case = scene.open()
    scene.database.run_now(
        lambda db: db.execute(sa.update(tables.case).where(tables.case.c.id == case.id).values(thread=None))
    )
    person = scene.person().id
    scene.database.run_now(lambda db: erasure.erase(db, person, city=scene.city, now=scene.now))
    from bot import case_topics

    made = outbox.Outcome("sent", 0, 99)
    scene.database.run_now(
        lambda db: case_topics.after_topic_made(db, {"case": case.id}, made, city=scene.city, now=scene.now)
    )
    scene.deliver()
    assert scene.left[-1].message.action == "topic_delete"


def test_mydata_asks_first_and_then_shows_all(scene: Scene) -> None:
    live(scene)
    scene.database.run_now(lambda db: people.store_state(db, scene_person(db), "", {}))
    before = len(scene.heard())
    scene.turn(NEWCOMER, kind="text", text="/mydata")
    assert "Can nobody else see your screen?" in scene.heard()[-1]
    assert not any(secret in scene.heard()[-1] for secret in SECRETS)
    scene.tap("mydata:yes")
    page, file = (one.message for one in scene.left[-2:])
    assert "Zaynab" in scene.heard()[before + 1]
    assert "my secret letter" in scene.heard()[before + 1]
    assert (file.action, file.name) == ("document", "my-data.json")
    found = json.loads(base64.b64decode(file.content))
    whole = json.dumps(found, ensure_ascii=False)
    for secret in SECRETS:
        assert secret in whole, secret
    assert found["telegram_id"] == NEWCOMER
    assert "forget" in taps(page)


def test_mydata_has_something_of_every_table_about_a_person(scene: Scene) -> None:
    """What is stored with a person is in the export: an empty person and a full one differ in each part."""
    empty: dict[str, Any] = scene.database.run_now(lambda db: own_data.collect(db, scene_person(db)))
    live(scene)
    full: dict[str, Any] = scene.database.run_now(lambda db: own_data.collect(db, scene_person(db)))
    for part in (
        "open_question", "participants", "bookings", "waits_for_dates_of", "questions_to_the_city",
        "files_kept_for_a_day", "cards_shown", "messages_that_failed", "messages_on_their_way",
    ):  # fmt: skip
        assert full[part], part
        assert not empty[part], part
    ann = scene.database.run_now(lambda db: own_data.collect(db, people.note_member(db, ANN, "Ann", "member", NOW)))
    assert ann["in_the_staff_group_as"] == "Ann"


def test_stop_keeps_answers(scene: Scene) -> None:
    scene.turn(NEWCOMER, kind="text", text="/stop")
    assert scene.person().muted
    scene.write("hello")
    assert len(scene.heard()) > 1
    scene.tap("listen")
    assert not scene.person().muted


def expire(scene: Scene, **delta: float) -> None:
    scene.now = NOW + dt.timedelta(**delta)
    scene.database.run_now(lambda db: expiry.expire(db, city=scene.city, now=scene.now, terms=TERMS))


def test_what_is_old_goes_and_what_is_young_stays(scene: Scene) -> None:
    live(scene)
    case = scene.case
    scene.staff_tap(f"close:{case.id}")
    expire(scene, hours=23)
    assert left_of(scene, "photo caption")
    expire(scene, hours=25)
    assert not left_of(scene, "photo caption")
    assert not scene.database.run_now(lambda db: db.execute(sa.select(tables.card_shown)).all())
    assert ("inbox", "raw_sealed") in left_of(scene, "half a name")
    expire(scene, days=8)
    assert ("inbox", "raw_sealed") not in left_of(scene, "half a name")
    expire(scene, days=89)
    assert left_of(scene, "my secret letter")
    assert left_of(scene, "Zaynab")
    expire(scene, days=91)
    assert not left_of(scene, "my secret letter")
    assert left_of(scene, "Zaynab"), "the programme ended nine days later"
    expire(scene, days=101)
    assert not left_of(scene, "Zaynab")


def test_the_words_of_an_open_case_stay(scene: Scene) -> None:
    scene.open("my secret letter")
    expire(scene, days=200)
    assert left_of(scene, "my secret letter")


def test_a_silent_person_goes_after_a_year_and_staff_stay(scene: Scene) -> None:
    scene.write("hello")
    expire(scene, days=364)
    assert scene.person()
    expire(scene, days=366)
    assert scene.database.run_now(lambda db: people.find(db, NEWCOMER)) is None
    assert scene.person(ANN)


def test_a_file_kept_for_a_day_is_gone_when_sent_too_late(scene: Scene) -> None:
    scene.write("my letter", **a_file())
    expire(scene, days=2)
    scene.tap("sendfile")
    assert "The file is no longer here" in scene.heard()[-1]


def test_a_restored_backup_is_cleaned_of_who_was_erased(scene: Scene) -> None:
    scene.write("hello")

    def again(db: sa.Connection) -> int:
        index = db.scalar(sa.select(tables.address.c.blind_index).where(tables.address.c.person_id == scene_person(db)))
        assert index is not None
        return erasure.erase_again(db, [(bytes(index), NOW)], city=scene.city, now=NOW)

    assert scene.database.run_now(again) == 1
    assert scene.database.run_now(lambda db: people.find(db, NEWCOMER)) is None
