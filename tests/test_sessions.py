"""Places: never oversold, the waiting list in order, offers, codes for children enrolled on paper."""

from __future__ import annotations

import datetime as dt
import itertools
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import interest, join_codes, participants, people, programmes, sessions
from bot.programmes import Programme, Session
from bot.storage import tables
from bot.storage.database import Database

ZONE = ZoneInfo("Europe/Brussels")
NOW = dt.datetime(2027, 3, 1, 11, tzinfo=dt.UTC)
_NUMBERS = itertools.count(1)


def make(db: sa.Connection, *, seats: int = 1, starts: str = "2027-03-10T14:00", who: str = "everybody") -> Session:
    """A session of a programme of its own."""
    key = f"p{next(_NUMBERS)}"
    ages = {"who": who, "from": 12, "to": 18}
    programmes.put(db, key, {"topic": "t", "title": {"nl": "Les"}, "seats": seats, "for": ages})
    about = programmes.get(db, key, demo=False)
    assert about is not None
    return programmes.add_session(db, about, starts, ZONE)


def enrol(db: sa.Connection, telegram_id: int, session: Session, name: str = "Sara", now: dt.datetime = NOW) -> str:
    person = people.meet(db, telegram_id, "en", now)
    child, _ = participants.add_participant(db, person.id, name, child=True, age=13, now=now)
    return sessions.book(db, person.id, child.id, session, now)[0]


def mine(db: sa.Connection, telegram_id: int, session: Session) -> sessions.Booking:
    found = people.find(db, telegram_id)
    assert found is not None
    return next(
        one for one in sessions.of_session(db, session.id, ("booked", "waiting", "offered", "cancelled"))
        if one.person_id == found.id
    )  # fmt: skip


def taken(db: sa.Connection, session: Session) -> int:
    fresh = programmes.session(db, session.id)
    assert fresh is not None
    return fresh.taken


def outbox_names(db: sa.Connection) -> list[str]:
    return [str(key) for key in db.scalars(sa.select(tables.outbox.c.key).order_by(tables.outbox.c.id))]


def test_two_people_one_last_place_the_same_moment(database: Database) -> None:
    session = database.run_now(make)
    database.run_now(lambda db: [people.meet(db, number, "en", NOW) for number in (1, 2)])
    with ThreadPoolExecutor(2) as threads:
        states = threads.map(lambda number: database.run_now(lambda db: enrol(db, number, session)), (1, 2))
    assert sorted(states) == ["booked", "waiting"]
    assert database.run_now(lambda db: taken(db, session)) == 1


def test_many_at_once_get_exactly_the_seats(database: Database) -> None:
    session = database.run_now(lambda db: make(db, seats=3))
    with ThreadPoolExecutor(8) as threads:
        states = list(threads.map(lambda n: database.run_now(lambda db: enrol(db, n, session)), range(1, 13)))
    assert states.count("booked") == 3
    assert states.count("waiting") == 9
    assert database.run_now(lambda db: taken(db, session)) == 3


def test_a_freed_place_goes_to_the_first_who_waits_and_is_sure(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        assert [enrol(db, n, session, now=NOW + dt.timedelta(minutes=n)) for n in (1, 2, 3)] == [
            "booked", "waiting", "waiting",
        ]  # fmt: skip
        assert sessions.waiting_place(db, mine(db, 3, session)) == 2
        got = sessions.release(db, mine(db, 1, session), "person", NOW)
        assert [one.id for one in got] == [mine(db, 2, session).id]
        assert mine(db, 2, session).state == "booked"
        assert sessions.waiting_place(db, mine(db, 3, session)) == 1
        assert taken(db, session) == 1

    database.run_now(story)


@pytest.mark.parametrize(("hours", "state"), [(25, "booked"), (24, "offered"), (5, "offered")])
def test_sure_until_24_hours_before_then_an_offer(sqlite: Database, hours: int, state: str) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        enrol(db, 1, session)
        enrol(db, 2, session)
        now = session.starts_at - dt.timedelta(hours=hours)
        sessions.release(db, mine(db, 1, session), "person", now)
        assert mine(db, 2, session).state == state
        assert taken(db, session) == 1

    sqlite.run_now(story)


def test_an_offer_is_taken_in_time_and_only_once_it_is_open(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        for n in (1, 2, 3):
            enrol(db, n, session, now=NOW + dt.timedelta(minutes=n))
        now = session.starts_at - dt.timedelta(hours=5)
        sessions.release(db, mine(db, 1, session), "person", now)
        offer = mine(db, 2, session)
        assert offer.offered_until is not None
        assert sessions.expired_offers(db, offer.offered_until - dt.timedelta(seconds=1)) == []
        assert not sessions.accept_offer(db, offer, offer.offered_until)
        assert [one.id for one in sessions.expired_offers(db, offer.offered_until)] == [offer.id]
        sessions.release(db, offer, "unanswered", offer.offered_until)
        following = mine(db, 3, session)
        assert following.state == "offered"
        assert sessions.accept_offer(db, following, offer.offered_until)
        assert mine(db, 3, session).state == "booked"
        # Her yes came first: the tick, which read the offer before, must not take the place away.
        sessions.release(db, following, "unanswered", session.starts_at)
        assert mine(db, 3, session).state == "booked"
        assert taken(db, session) == 1

    database.run_now(story)


def test_an_offer_in_the_night_can_be_answered_in_the_morning(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        enrol(db, 1, session)
        enrol(db, 2, session)
        night = dt.datetime(2027, 3, 9, 23, tzinfo=ZONE)
        sessions.release(db, mine(db, 1, session), "person", night.astimezone(dt.UTC))
        until = mine(db, 2, session).offered_until
        assert until is not None
        assert until.astimezone(ZONE) > dt.datetime(2027, 3, 10, 8, tzinfo=ZONE)
        assert until <= session.starts_at

    sqlite.run_now(story)


def test_who_comes_again_stands_at_the_end(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        for n in (1, 2, 3):
            enrol(db, n, session, now=NOW + dt.timedelta(minutes=n))
        sessions.release(db, mine(db, 1, session), "person", NOW + dt.timedelta(minutes=9))
        assert enrol(db, 1, session, now=NOW + dt.timedelta(minutes=10)) == "waiting"
        assert sessions.waiting_place(db, mine(db, 1, session)) == 2

    sqlite.run_now(story)


def test_the_same_child_twice_has_one_place(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, seats=5)
        person = people.meet(db, 1, "en", NOW)
        first, new = participants.add_participant(db, person.id, "Sara", child=True, age=13, now=NOW)
        same, again = participants.add_participant(db, person.id, "  sARA ", child=True, age=None, now=NOW)
        assert (first.id, new, again) == (same.id, True, False)
        assert sessions.book(db, person.id, first.id, session, NOW) == ("booked", True)
        assert sessions.book(db, person.id, first.id, session, NOW) == ("booked", False)
        assert taken(db, session) == 1

    database.run_now(story)


def test_nothing_is_booked_after_the_start_or_when_it_does_not_take_place(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        assert enrol(db, 1, session, now=session.starts_at) == "cancelled"
        assert programmes.set_cancelled(db, session.id)
        assert enrol(db, 1, session) == "cancelled"
        assert taken(db, session) == 0

    sqlite.run_now(story)


def test_what_belongs_to_somebody_else_is_not_found(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        enrol(db, 1, session)
        other = people.meet(db, 2, "en", NOW)
        theirs = mine(db, 1, session)
        assert participants.participant(db, theirs.participant.id, other.id) is None
        assert sessions.own(db, other.id, NOW) == []

    sqlite.run_now(story)


def test_a_name_is_stored_sealed(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        enrol(db, 1, make(db), "Zeynab")
        row = db.execute(sa.select(tables.participant)).one()
        assert b"Zeynab" not in bytes(row.name_sealed) + bytes(row.name_index)

    sqlite.run_now(story)


@pytest.mark.parametrize(
    ("who", "age", "wrong"),
    [("ages", 12, False), ("ages", 18, False), ("ages", 11, True), ("ages", 19, True), ("adults", 17, True),
     ("adults", 18, False), ("women", 12, True), ("everybody", 3, False), ("ages", None, False)],
)  # fmt: skip
def test_ages(sqlite: Database, who: str, age: int | None, wrong: bool) -> None:
    def about(db: sa.Connection) -> Programme:
        return programmes.of_session(db, make(db, who=who))

    assert participants.misfit(sqlite.run_now(about), age) is wrong


def test_a_join_code_works_once_and_for_one_person(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        child, _ = participants.add_participant(db, None, "Sara", child=True, age=13, now=NOW)
        sessions.book(db, None, child.id, session, NOW)
        code = join_codes.make_join_code(db, child.id, session.programme_id, NOW)
        parent, stranger = people.meet(db, 1, "en", NOW), people.meet(db, 2, "en", NOW)
        for _ in range(2):
            got = join_codes.redeem(db, parent.id, code, NOW)
            assert got is not None
            assert (got[0], got[1].name) == (session.programme_id, "Sara")
        assert join_codes.redeem(db, stranger.id, code, NOW) is None
        assert join_codes.redeem(db, stranger.id, "nonsense", NOW) is None
        assert join_codes.redeem(db, stranger.id, "", NOW) is None
        assert [one.state for one in sessions.own(db, parent.id, NOW)] == ["booked"]
        assert taken(db, session) == 1

    database.run_now(story)


def test_a_join_code_for_a_child_she_named_already_makes_no_second_one(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, seats=2)
        enrol(db, 1, session)
        parent = people.meet(db, 1, "en", NOW)
        paper, _ = participants.add_participant(db, None, "SARA", child=True, age=13, now=NOW)
        sessions.book(db, None, paper.id, session, NOW)
        assert taken(db, session) == 2
        code = join_codes.make_join_code(db, paper.id, session.programme_id, NOW)
        assert join_codes.redeem(db, parent.id, code, NOW) is not None
        assert len(participants.participants(db, parent.id)) == 1
        assert len(sessions.own(db, parent.id, NOW)) == 1
        assert taken(db, session) == 1

    database.run_now(story)


def test_interest_is_told_once(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        person = people.meet(db, 1, "en", NOW)
        interest.add_interest(db, person.id, session.programme_id, NOW)
        interest.add_interest(db, person.id, session.programme_id, NOW)
        assert interest.tell_interested(db, session.programme_id, NOW) == 1
        assert interest.tell_interested(db, session.programme_id, NOW) == 0
        assert len(outbox_names(db)) == 1

    sqlite.run_now(story)


@given(st.integers(1, 60).flatmap(lambda seats: st.tuples(st.integers(0, seats), st.just(seats))))
def test_dots_never_hide_a_free_place_and_never_invent_one(given_: tuple[int, int]) -> None:
    count, seats = given_
    shown = sessions.dots(count, seats)
    assert len(shown) == min(5, seats)
    assert ("○" in shown) == (count < seats)
    assert ("●" in shown) == (count > 0) or seats == 1


_STEP = st.tuples(st.sampled_from(["book", "cancel", "accept", "expire", "wait"]), st.integers(1, 6))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 3), st.integers(20, 72), st.lists(_STEP, max_size=25))
def test_seats_are_never_oversold_and_nobody_overtakes(
    sqlite: Database, seats: int, hours: int, steps: list[tuple[str, int]]
) -> None:
    """Any history of bookings, cancellations, offers and hours that pass."""

    def story(db: sa.Connection) -> None:
        session = make(db, seats=seats)
        now = session.starts_at - dt.timedelta(hours=hours)
        for number, (step, who) in enumerate(steps):
            now += dt.timedelta(minutes=1) if step != "wait" else dt.timedelta(hours=4)
            before = [one.id for one in sessions.of_session(db, session.id, ("waiting",))]
            _do(db, session, step, who, now)
            here = sessions.of_session(db, session.id, ("booked", "offered", "waiting"))
            held = [one for one in here if one.state != "waiting"]
            assert len(held) == taken(db, session) <= seats, (number, step)
            waits = [one.id for one in here if one.state == "waiting"]
            kept = [one for one in before if one in waits]
            assert waits[: len(kept)] == kept  # in order; new ones stand behind
            if session.starts_at - now > sessions.SURE_UNTIL:
                assert not waits or len(held) == seats  # no free place while somebody waits

    sqlite.run_now(story)


def _do(db: sa.Connection, session: Session, step: str, who: int, now: dt.datetime) -> None:
    person = people.meet(db, who, "en", now)
    own = sessions.own(db, person.id, now, session_id=session.id)
    match step:
        case "book":
            enrol(db, who, session, now=now)
        case "cancel" if own:
            sessions.release(db, own[0], "person", now)
        case "accept" if own:
            sessions.accept_offer(db, own[0], now)
        case "expire":
            for one in sessions.expired_offers(db, now):
                sessions.release(db, one, "unanswered", now)


def test_too_late_to_offer_still_nobody_overtakes(sqlite: Database) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, starts="2027-03-10T06:30")
        for n in (1, 2):
            enrol(db, n, session, now=NOW + dt.timedelta(minutes=n))
        night = dt.datetime(2027, 3, 10, 1, tzinfo=ZONE).astimezone(dt.UTC)
        sessions.release(db, mine(db, 1, session), "person", night)
        assert mine(db, 2, session).state == "waiting"
        assert enrol(db, 3, session, now=night) == "waiting"

    sqlite.run_now(story)
