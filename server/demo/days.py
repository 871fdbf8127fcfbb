"""When the invented city is at work: nine to five, on working days."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.catalogue.calendar import Calendar, YearNotLoaded, is_weekday
from server.kit.clock import BEIJING

DAYS = 30
OPENS, CLOSES = time(9), time(17)
DAY_MINUTES = 480
_AWAKE_FROM, _AWAKE_TO = 8, 21
_QUIET_FROM = 20


def is_working(day: date, calendar: Calendar) -> bool:
    try:
        return calendar.is_working(day)
    except YearNotLoaded:
        return is_weekday(day)


@dataclass(frozen=True)
class Month:
    """The thirty days up to `now`, as the minutes in which a window was open."""

    now: datetime
    calendar: Calendar
    starts: tuple[datetime, ...]
    """Of each working day."""
    minutes: tuple[int, ...]
    """How many working minutes there were before each of them, and in all."""

    @classmethod
    def until(cls, now: datetime, calendar: Calendar) -> "Month":
        now = now.astimezone(BEIJING).replace(second=0, microsecond=0)
        days = (now.date() - timedelta(days=ago) for ago in range(DAYS, -1, -1))
        starts, minutes = [], [0]
        for day in days:
            start = datetime.combine(day, OPENS, BEIJING)
            worked = min(DAY_MINUTES, int((now - start).total_seconds() // 60))
            if is_working(day, calendar) and worked > 0:
                starts.append(start)
                minutes.append(minutes[-1] + worked)
        return cls(now, calendar, tuple(starts), tuple(minutes))

    def at(self, share: float) -> datetime:
        """0 is the first working minute of the month, nearly 1 the last."""
        minute = share * self.minutes[-1]
        place = bisect_right(self.minutes, minute) - 1
        return self.starts[place] + timedelta(seconds=int(60 * (minute - self.minutes[place])))

    def after_work(self, start: datetime, hours: float) -> datetime:
        """After so many hours of an office's time."""
        left = timedelta(hours=hours)
        at = self._open(start)
        while left > (rest := datetime.combine(at.date(), CLOSES, BEIJING) - at):
            left -= rest
            at = self._open(datetime.combine(at.date(), CLOSES, BEIJING))
        return at + left

    def _open(self, at: datetime) -> datetime:
        """This moment, or the next one at which the office is open."""
        if at.time() >= CLOSES:
            at = datetime.combine(at.date() + timedelta(days=1), OPENS, BEIJING)
        while not is_working(at.date(), self.calendar):
            at = datetime.combine(at.date() + timedelta(days=1), OPENS, BEIJING)
        return max(at, datetime.combine(at.date(), OPENS, BEIJING))


def at_home(start: datetime, later: timedelta) -> datetime:
    """When a person gets round to it: not in the middle of the night."""
    at = start + later
    if at.hour < _AWAKE_FROM:
        at = at.replace(hour=_AWAKE_FROM)
    elif at.hour >= _AWAKE_TO:
        at = max(at.replace(hour=_AWAKE_TO - 1), start)
    return at


def lately(now: datetime, hours: float) -> datetime:
    """So many hours ago (up to nine); the evening before it, if nobody writes to us then."""
    at = now - timedelta(hours=hours)
    if at.hour < OPENS.hour:
        at -= timedelta(days=1)
    elif at.hour < _QUIET_FROM:
        return at
    return at.replace(hour=_QUIET_FROM - 1, minute=30) - timedelta(minutes=5 * hours)
