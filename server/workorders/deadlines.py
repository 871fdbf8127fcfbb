"""When a limit of so many days ends: the start day does not count, the last day counts in full."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from server.catalogue.calendar import Calendar, YearNotLoaded, is_weekday
from server.kit.clock import BEIJING
from server.workorders.rules import Move, State

LONGEST = 3650
"""Ten years: more is a slip of the hand, and a walk day by day must end."""

_ONE_DAY = timedelta(days=1)


class Unit(StrEnum):
    WORKING = "working"
    NATURAL = "natural"


class Due(NamedTuple):
    at: datetime
    provisional: bool
    """A year on the way was not loaded, so its holidays could not be left out."""


def end_of_day(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), BEIJING)


def due(start: datetime, n: int, unit: Unit, calendar: Calendar) -> datetime:
    """The end of the nth day after the start day (of the start day itself for 0).

    Raises YearNotLoaded if a working day would have to be guessed, ValueError for an n or a start
    that no limit can have.
    """
    return end_of_day(_last_day(start, n, unit, calendar.is_working))


def due_or_provisional(start: datetime, n: int, unit: Unit, calendar: Calendar) -> Due:
    """As `due`, but in a year that is not loaded only weekends are off, and the answer says so."""
    days = _Guessing(calendar)
    day = _last_day(start, n, unit, days.is_working)
    return Due(end_of_day(day), days.guessed)


class _Guessing:
    """Working days of a calendar; what it does not know it takes from the weekday, and remembers."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar, self.guessed = calendar, False

    def is_working(self, day: date) -> bool:
        try:
            return self.calendar.is_working(day)
        except YearNotLoaded:
            self.guessed = True
            return is_weekday(day)


def _last_day(start: datetime, n: int, unit: Unit, is_working: Callable[[date], bool]) -> date:
    if not 0 <= n <= LONGEST:
        raise ValueError(f"天数应在 0 到 {LONGEST} 之间")
    if start.utcoffset() is None:
        raise ValueError("起算时间没有写明时区")
    try:
        day = start.astimezone(BEIJING).date()
        if unit is Unit.NATURAL:
            return day + n * _ONE_DAY
        while n:
            day += _ONE_DAY
            n -= is_working(day)
        return day
    except OverflowError:
        raise ValueError("日期超出了公元 1 年到 9999 年") from None


class Pause(NamedTuple):
    """The clock stood still from the day after the question to the day of the answer."""

    asked: date
    answered: date


class Happened(Protocol):
    """A step, as far as time is concerned."""

    move: str
    state: str
    at: datetime


def pauses_of(steps: Iterable[Happened]) -> tuple[Pause, ...]:
    """Every question that has ended, by the answer or by whatever else; oldest first."""
    pauses, asked = [], None
    for step in steps:
        day = step.at.astimezone(BEIJING).date()
        if step.move == Move.ASK:
            asked = day
        elif asked and step.state != State.ASKING:
            pauses.append(Pause(asked, day))
            asked = None
    return tuple(pauses)


@dataclass(frozen=True, kw_only=True)
class Course:
    """All that the due time of an answer follows from."""

    start: datetime
    days: int
    extension: int = 0
    planned_on: date | None = None
    planned_until: date | None = None
    """限期整改: from here on the promised day counts, not the days of the limit."""
    pauses: Sequence[Pause] = ()
    cap: int = 0
    """Working days that the clock may stand still, over the whole order."""


def answer_due(course: Course, calendar: Calendar) -> Due:
    """The limit's end, put off by the extension and by the days on which the clock stood still."""
    days = _Guessing(calendar)
    still = _still(course.pauses, course.cap, days.is_working)
    if course.planned_until and course.planned_on:
        day, first = course.planned_until, course.planned_on
        left = course.extension + sum(first < stood <= day for stood in still)
    else:
        day, left = course.start.astimezone(BEIJING).date(), course.days + course.extension
    if not 0 <= left <= LONGEST:
        raise ValueError(f"天数应在 0 到 {LONGEST} 之间")
    while left:
        day += _ONE_DAY
        left -= days.is_working(day) and day not in still
    return Due(end_of_day(day), days.guessed)


def still_days(pauses: Sequence[Pause], cap: int, calendar: Calendar) -> int:
    """How much of the cap is used."""
    return len(_still(pauses, cap, _Guessing(calendar).is_working))


def _still(
    pauses: Sequence[Pause], cap: int, is_working: Callable[[date], bool]
) -> frozenset[date]:
    """The working days on which the clock stood still: the first ones, up to the cap."""
    found: set[date] = set()
    for pause in pauses:
        day = pause.asked
        while day < pause.answered and len(found) < cap:
            day += _ONE_DAY
            if is_working(day):
                found.add(day)
    return frozenset(found)
