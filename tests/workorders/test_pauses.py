"""The clock that stands still while the citizen is asked: days counted by hand, and by a slow recount."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.calendar import Calendar, shipped
from server.kit.clock import BEIJING
from server.workorders.deadlines import (
    LONGEST,
    Course,
    Pause,
    Unit,
    answer_due,
    due,
    pauses_of,
    still_days,
)

CHINA, NOTHING = Calendar.of(shipped()), Calendar.of([])
MONDAY = datetime(2026, 3, 2, 10, tzinfo=BEIJING)
"""No holiday for a month around it."""


def day(n: int) -> date:
    return MONDAY.date() + timedelta(days=n)


def end(course: Course, calendar: Calendar = CHINA) -> str:
    return answer_due(course, calendar).at.strftime("%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("course", "ends", "why"),
    [
        ({"days": 5}, "03-09", "Tue to Fri are four, Mon is the fifth"),
        ({"days": 5, "extension": 3}, "03-12", "Tue, Wed, Thu more"),
        ({"days": 5, "pauses": [(1, 2)]}, "03-10", "asked on Tue, answered on Wed: one day stood still"),
        ({"days": 5, "pauses": [(1, 1)]}, "03-09", "asked and answered on one day"),
        ({"days": 5, "pauses": [(4, 7)]}, "03-10", "Fri to Mon: of three days one is a working day"),
        ({"days": 5, "pauses": [(4, 6)]}, "03-09", "answered on Sunday: nothing stood still"),
        ({"days": 5, "pauses": [(1, 11)], "cap": 2}, "03-11", "of eight days the cap lets two stand"),
        ({"days": 5, "pauses": [(1, 2), (3, 4)], "cap": 1}, "03-10", "the cap is over the whole order"),
        ({"days": 5, "pauses": [(9, 11)]}, "03-09", "asked when the time was over: it heals nothing"),
        ({"days": 5, "pauses": [(7, 8)]}, "03-09", "asked on the last day: the days after it do not matter"),
        ({"days": 5, "extension": 1, "pauses": [(7, 8)]}, "03-11", "but with an extension they do"),
        ({"days": 5, "planned_on": 1, "planned_until": 16}, "03-18", "the promised day"),
        ({"days": 5, "planned_on": 1, "planned_until": 19}, "03-21", "even if it is a Saturday"),
        ({"days": 5, "planned_on": 3, "planned_until": 16, "pauses": [(1, 2)]}, "03-18", "before the plan"),
        ({"days": 5, "planned_on": 3, "planned_until": 16, "pauses": [(14, 15)]}, "03-19", "after the plan"),
        ({"days": 5, "planned_on": 3, "planned_until": 16, "pauses": [(16, 18)]}, "03-18", "too late"),
        ({"days": 5, "planned_on": 3, "planned_until": 16, "extension": 2}, "03-20", "extended"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_the_answers_due_time(course: dict[str, object], ends: str, why: str) -> None:
    known = {"start": MONDAY, "cap": 5} | course
    known["pauses"] = [Pause(day(a), day(b)) for a, b in course.get("pauses", ())]  # type: ignore[attr-defined]
    for name in ("planned_on", "planned_until"):
        if name in course:
            known[name] = day(course[name])  # type: ignore[arg-type]
    assert end(Course(**known)) == f"{ends} 23:59:59", why  # type: ignore[arg-type]


def test_a_pause_in_a_year_that_is_not_loaded_makes_the_time_provisional() -> None:
    course = Course(start=MONDAY, days=1, pauses=[Pause(day(0), day(2))], cap=5)
    assert not answer_due(course, CHINA).provisional
    assert answer_due(course, NOTHING).provisional


def test_an_absurd_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="天数"):
        answer_due(Course(start=MONDAY, days=LONGEST, extension=1), CHINA)


class Told(NamedTuple):
    at: datetime
    move: str
    state: str


def told(n: int, move: str, state: str) -> Told:
    return Told(MONDAY + timedelta(days=n), move, state)


def test_a_question_ends_with_whatever_leads_out_of_asking() -> None:
    steps = [
        told(0, "accept", "accepted"), told(1, "ask", "asking"), told(1, "message", "asking"),
        told(2, "supplement", "asking"), told(3, "resume", "accepted"), told(4, "ask", "asking"),
        told(9, "supervise", "supervised"), told(10, "answer", "answered"),
    ]  # fmt: skip
    assert pauses_of(steps) == ((day(1), day(3)), (day(4), day(9)))
    assert pauses_of(steps[:2]) == (), "while it is open nobody knows how long it will be"


def test_what_is_used_of_the_cap() -> None:
    pauses = [Pause(day(1), day(3)), Pause(day(3), day(7))]
    assert [still_days(pauses, cap, CHINA) for cap in (0, 3, 10)] == [0, 3, 4]


# Against a slow recount: all of it ends within 2026.
STARTS = st.datetimes(datetime(2024, 1, 2), datetime(2026, 6, 1)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=BEIJING)
)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    start = draw(STARTS)
    at, pauses = start.date(), []
    for before, long in draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), max_size=4)):
        asked = at + timedelta(days=before)
        at = asked + timedelta(days=long)
        pauses.append(Pause(asked, at))
    return Course(
        start=start, days=draw(st.integers(1, 20)), extension=draw(st.integers(0, 10)),
        pauses=pauses, cap=draw(st.integers(0, 12)),
    )  # fmt: skip


def counted(course: Course) -> Sequence[date]:
    """Every working day on which the clock stood still."""
    inside = {
        pause.asked + timedelta(days=n)
        for pause in course.pauses for n in range(1, (pause.answered - pause.asked).days + 1)
    }  # fmt: skip
    return sorted(filter(chinese_calendar.is_workday, inside))[: course.cap]


@given(courses())
def test_it_is_put_off_by_exactly_the_working_days_on_which_the_clock_stood_still(
    course: Course,
) -> None:
    last = answer_due(course, CHINA).at.date()
    shift = sum(stood <= last for stood in counted(course))
    plain = due(course.start, course.days + course.extension + shift, Unit.WORKING, CHINA)
    assert (plain.date(), shift <= course.cap) == (last, True)
    assert last not in counted(course)


@given(courses(), st.integers(1, 5))
def test_more_days_a_longer_cap_or_a_pause_more_never_end_it_earlier(
    course: Course, more: int
) -> None:
    def at(**changed: object) -> datetime:
        return answer_due(Course(**(vars(course) | changed)), CHINA).at  # type: ignore[arg-type]

    now = at()
    assert at(extension=course.extension + more) > now
    assert at(cap=course.cap + more) >= now
    assert at(pauses=course.pauses[:-1]) <= now
