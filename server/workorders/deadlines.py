"""When a limit of so many days ends: the start day does not count, the last day counts in full."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from server.catalogue.calendar import Calendar, YearNotLoaded, is_weekday
from server.kit.clock import BEIJING

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
    guessed = False

    def is_working(day: date) -> bool:
        nonlocal guessed
        try:
            return calendar.is_working(day)
        except YearNotLoaded:
            guessed = True
            return is_weekday(day)

    day = _last_day(start, n, unit, is_working)
    return Due(end_of_day(day), guessed)


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
