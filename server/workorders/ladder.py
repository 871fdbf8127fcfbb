"""The rungs that an order climbs when a due time is near or past (pure)."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Protocol

from server.catalogue.calendar import Calendar, YearNotLoaded, is_weekday
from server.kit.clock import BEIJING
from server.workorders.deadlines import LONGEST, Unit, due_or_provisional, end_of_day
from server.workorders.rules import AT_THE_AGENCY, State

_ONE_DAY = timedelta(days=1)


class Rung(IntEnum):
    WARN = 0
    OVERDUE = 1
    LEADS = 2
    SUPERVISORS = 3
    LIST = 4


class Ladder(StrEnum):
    """Whose time it is that passes."""

    AGENCY = "agency"
    SUPERVISION = "supervision"
    UNTOLD = "untold"
    """Answered, but nothing proves that the citizen was told, so it cannot be closed."""


_RUNGS = {
    Ladder.AGENCY: tuple(Rung),
    Ladder.SUPERVISION: (Rung.OVERDUE, Rung.LIST),
    Ladder.UNTOLD: (Rung.OVERDUE, Rung.LEADS, Rung.SUPERVISORS, Rung.LIST),
}
_CLIMBS = {Rung.OVERDUE: 0, Rung.LEADS: 1, Rung.SUPERVISORS: 2, Rung.LIST: 4}
"""So many times the policy's `climb_days` after the due time."""


class Steepness(Protocol):
    """Of a policy, what the ladder needs: working days."""

    warn_days: int
    climb_days: int


def ladder_of(state: State) -> Ladder | None:
    """Nobody is hurried while the order waits for the citizen: the end of that is another rule's."""
    if state in AT_THE_AGENCY:
        return Ladder.AGENCY
    if state in (State.RETURNED, State.CONTESTED):
        return Ladder.SUPERVISION
    return Ladder.UNTOLD if state is State.ANSWERED else None


def rung_at(rung: Rung, due_at: datetime, policy: Steepness, calendar: Calendar) -> datetime:
    """After which moment the rung is climbed."""
    if rung is Rung.WARN:
        return _before(due_at, policy.warn_days, calendar)
    days = min(_CLIMBS[rung] * policy.climb_days, LONGEST)
    return due_or_provisional(due_at, days, Unit.WORKING, calendar).at if days else due_at


def _before(due_at: datetime, days: int, calendar: Calendar) -> datetime:
    """The end of the working day so many before the day of the due time."""
    day = due_at.astimezone(BEIJING).date()
    for _ in range(min(days, LONGEST)):
        day -= _ONE_DAY
        while not _is_working(day, calendar):
            day -= _ONE_DAY
    return min(end_of_day(day), due_at)


def _is_working(day: date, calendar: Calendar) -> bool:
    try:
        return calendar.is_working(day)
    except YearNotLoaded:
        return is_weekday(day)


def rungs_due(
    state: State,
    next_due_at: datetime,
    policy: Steepness,
    calendar: Calendar,
    now: datetime,
    done: Collection[Rung] = (),
) -> list[Rung]:
    """What is to be climbed now, from the lowest; after a jump of the clock all that it passed."""
    return [
        rung for rung in _left(state, done) if rung_at(rung, next_due_at, policy, calendar) < now
    ]


def next_climb(
    state: State,
    next_due_at: datetime,
    policy: Steepness,
    calendar: Calendar,
    done: Collection[Rung] = (),
) -> datetime | None:
    """After which moment the next rung is climbed, if one is left."""
    left = _left(state, done)
    return rung_at(left[0], next_due_at, policy, calendar) if left else None


def _left(state: State, done: Collection[Rung]) -> list[Rung]:
    ladder = ladder_of(state)
    return [rung for rung in _RUNGS[ladder] if rung not in done] if ladder else []


def listed_at(due_at: datetime, policy: Steepness, calendar: Calendar) -> datetime:
    """When an order that is supervised by rule comes to the list, for the due time that it missed."""
    return rung_at(Rung.LIST, due_at, policy, calendar)
