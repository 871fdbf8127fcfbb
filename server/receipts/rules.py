"""When a receipt may be reviewed, and what makes two pushes of it the same (pure)."""

from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache

from server.kit.clock import BEIJING
from server.kit.errors import Conflict, Fault, Gone, Invalid

AHEAD = timedelta(minutes=5)
"""How far a window's clock may run ahead of ours."""
OLDEST = timedelta(days=365)


class Channel(StrEnum):
    WINDOW = "window"
    ONLINE = "online"
    MOBILE = "mobile"
    SELF_SERVICE = "self_service"
    HOTLINE = "hotline"


WALL = "wall"
"""The channel of a visit without a slip. Not one of Channel: no agency can issue it."""
GRIEVANCE = "grievance"
"""The channel of a grievance that came through another door: no service was rated."""
UNISSUED = frozenset({WALL, GRIEVANCE})
"""No agency issued it and none may read it."""


class Stage(StrEnum):
    CONSULT = "咨询"
    APPLY = "申报"
    SUPPLEMENT = "补正"
    PAY = "缴费"
    COLLECT = "签收"


class Kind(IntEnum):
    """userProp of the national record."""

    PERSON = 1
    ENTERPRISE = 2
    INSTITUTION = 3
    ASSOCIATION = 4
    UNINCORPORATED = 5
    AUTHORITY = 6
    OTHER = 9


class ReceiptConflict(Conflict):
    code = "receipt_conflict"
    title = "这次服务已有回执，内容与这次提交的不同"


class BadReceipt(Invalid):
    code = "invalid_receipt"
    title = "回执内容有误"


class ReviewClosed(Gone):
    code = "review_closed"
    title = "评价时间已过"


def beijing(time: datetime) -> datetime:
    """At the ends of the calendar a time stays as it is: no rule lets it pass."""
    try:
        return time.astimezone(BEIJING)
    except OverflowError:
        return time


def time_fault(handled_at: datetime, now: datetime) -> Fault | None:
    if now - OLDEST <= handled_at <= now:
        return None
    if handled_at > now + AHEAD:
        return Fault("handled_at", "in_the_future", "办理时间晚于现在超过 5 分钟")
    if handled_at < now - OLDEST:
        return Fault("handled_at", "too_old", "办理时间早于一年以前")
    return None


def open_until(handled_at: datetime, review_days: int) -> datetime:
    """The end of the last natural day; the day of handling does not count."""
    return _end_of_day(handled_at.astimezone(BEIJING).date(), review_days)


@lru_cache(maxsize=512)
def _end_of_day(handled_on: date, later: int) -> datetime:
    day = handled_on + timedelta(days=later)
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=BEIJING)


def late_until(open_until: datetime, late_days: int) -> datetime:
    """How long a citizen's own review may still take a default one's place: natural days."""
    return open_until + timedelta(days=late_days)


def rates_until(open_until: datetime, reopened_until: datetime | None) -> datetime:
    """With the newest code: an objection gives its owner days of his own."""
    return max(open_until, reopened_until or open_until)


def is_open(open_until: datetime, voided: bool, now: datetime) -> bool:
    return not voided and now <= open_until
