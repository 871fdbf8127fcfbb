"""The rungs after a due time, without a database."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.calendar import Calendar, shipped
from server.kit.clock import BEIJING
from server.workorders.calendar_alarm import missing_year
from server.workorders.deadlines import end_of_day
from server.workorders.ladder import Ladder, Rung, ladder_of, next_climb, rung_at, rungs_due
from server.workorders.rules import FINAL, State

CALENDAR = Calendar.of(shipped())
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Steep:
    warn_days: int = 1
    climb_days: int = 1


def day(text: str) -> datetime:
    return end_of_day(date.fromisoformat(text))


FRIDAY = day("2026-11-27")


def test_every_rung_has_its_day_and_weekends_do_not_count() -> None:
    days = [rung_at(rung, FRIDAY, Steep(), CALENDAR).date().isoformat() for rung in Rung]
    assert days == ["2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01", "2026-12-03"]


def test_over_the_spring_festival_the_next_rung_waits_for_the_next_working_day() -> None:
    eve = day("2026-02-14")  # a Saturday that is worked
    assert rung_at(Rung.WARN, eve, Steep(), CALENDAR).date() == date(2026, 2, 13)
    assert rung_at(Rung.LEADS, eve, Steep(), CALENDAR).date() == date(2026, 2, 24)


def test_in_a_year_without_a_calendar_only_weekends_are_left_out() -> None:
    friday = day("2027-10-01")
    assert rung_at(Rung.LEADS, friday, Steep(), CALENDAR).date() == date(2027, 10, 4)
    assert rung_at(Rung.WARN, friday, Steep(warn_days=2), CALENDAR).date() == date(2027, 9, 29)


def test_the_owner_is_warned_and_told_at_the_second() -> None:
    def at(now: datetime) -> list[Rung]:
        return rungs_due(State.ACCEPTED, FRIDAY, Steep(), CALENDAR, now)

    assert at(day("2026-11-26")) == []
    assert at(day("2026-11-26") + SECOND) == [Rung.WARN]
    assert at(FRIDAY) == [Rung.WARN]
    assert at(FRIDAY + SECOND) == [Rung.WARN, Rung.OVERDUE]
    assert at(FRIDAY + timedelta(days=30)) == list(Rung)


@pytest.mark.parametrize(("state", "rungs"), [
    (State.ASSIGNED, list(Rung)), (State.ACCEPTED, list(Rung)), (State.PLANNED, list(Rung)),
    (State.SUPERVISED, list(Rung)),
    (State.RETURNED, [Rung.OVERDUE, Rung.LIST]), (State.CONTESTED, [Rung.OVERDUE, Rung.LIST]),
    (State.ANSWERED, [Rung.OVERDUE, Rung.LEADS, Rung.SUPERVISORS, Rung.LIST]),
    (State.ASKING, []), *((state, []) for state in sorted(FINAL)),
])  # fmt: skip
def test_who_waits_decides_who_is_hurried(state: State, rungs: list[Rung]) -> None:
    assert rungs_due(state, FRIDAY, Steep(), CALENDAR, FRIDAY + timedelta(days=60)) == rungs
    assert (ladder_of(state) is None) == (not rungs)


def test_every_state_is_on_a_ladder_or_waits_for_the_citizen_or_has_ended() -> None:
    assert {s for s in State if ladder_of(s) is None} == FINAL | {State.ASKING}
    assert {ladder_of(s) for s in State} == {*Ladder, None}


moments = st.dates(date(2025, 1, 1), date(2026, 10, 1)).map(end_of_day)
steep = st.builds(Steep, st.integers(0, 5), st.integers(0, 5))
climbing = st.sampled_from(sorted(State))


@given(climbing, moments, steep, st.lists(st.integers(0, 40), max_size=8))
def test_however_often_and_late_somebody_looks_each_rung_is_climbed_once_and_in_order(
    state: State, due_at: datetime, policy: Steep, looks: list[int]
) -> None:
    climbed: list[Rung] = []
    now = due_at - timedelta(days=12)
    for wait in [*looks, 400]:
        now += timedelta(days=wait)
        climbed += rungs_due(state, due_at, policy, CALENDAR, now, climbed)
    in_one_jump = rungs_due(state, due_at, policy, CALENDAR, now)
    assert climbed == in_one_jump == sorted(set(climbed))


@given(climbing, moments, steep, st.sets(st.sampled_from(list(Rung))))
def test_the_next_moment_is_the_first_at_which_something_is_due(
    state: State, due_at: datetime, policy: Steep, done: set[Rung]
) -> None:
    following = next_climb(state, due_at, policy, CALENDAR, done)
    if following is None:
        assert rungs_due(state, due_at, policy, CALENDAR, due_at + timedelta(days=900), done) == []
        return
    assert rungs_due(state, due_at, policy, CALENDAR, following, done) == []
    assert rungs_due(state, due_at, policy, CALENDAR, following + SECOND, done) != []


@pytest.mark.parametrize(("now", "missing"), [
    ("2026-10-31T23:59:59", None), ("2026-11-01T00:00:00", 2027), ("2027-01-01T00:00:00", 2027),
])  # fmt: skip
def test_from_november_the_next_year_must_be_there(now: str, missing: int | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=BEIJING)
    assert missing_year(frozenset({2025, 2026}), at) == missing
    assert missing_year(frozenset({2026, 2027, 2028}), at) is None
