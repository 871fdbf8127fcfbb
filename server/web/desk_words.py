"""Orders in the words of the desk (pure): what waits for whom, how long still, what comes next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from server.catalogue.calendar import Calendar, YearNotLoaded, is_weekday
from server.catalogue.service import Catalogue
from server.grievances.rules import SOURCE_NAMES, Source
from server.kit.web import local
from server.people.rules import Role
from server.reviews.rules import LEVEL_NAMES
from server.workorders import desk as lists
from server.workorders.models import WorkOrder
from server.workorders.rules import (
    FINAL,
    STATE_NAMES,
    Outcome,
    State,
    is_overdue,
)
from server.workorders.shown import chosen_texts
from server.workorders.supervision import ACCOUNT, VIEW_NAMES

NOW, LATE, ALL = "now", lists.LATE, "all"
SHORT = 40
"""Characters of the citizen's words in a list."""


@dataclass(frozen=True)
class Counts:
    by_state: Mapping[State, int]
    listed: Mapping[str, int]
    """Of the lists that go across the states."""


Tone = Literal["late", "today", "calm", "done"]

_ALWAYS = (State.ASSIGNED, State.ACCEPTED, State.CONTESTED, State.ANSWERED, State.CLOSED)
_FOR_THE_AGENCY = (State.ASSIGNED, State.ACCEPTED, State.PLANNED, State.SUPERVISED)
_FOR_THE_SUPERVISOR = (State.CONTESTED, State.RETURNED)
_LISTS = {
    Role.HANDLER: (lists.MINE, lists.FIRST_ASKED, lists.TALK, lists.CALL, lists.PART, "verify", "untold"),
    Role.AGENCY_LEAD: (
        lists.FIRST_ASKED, lists.TALK, lists.CALL, lists.PART, "verify", "untold", lists.SENT_BACK,
        lists.EXTENDABLE, "extended", "supervise",
    ),
    Role.SUPERVISOR: (
        "verify", "supervise", ACCOUNT, "untold", "flagged", "extended", lists.CALL, lists.PART,
        lists.FIRST_ASKED,
    ),
}  # fmt: skip
"""What is listed across the states, in the order of the ladder."""
_WAITS = {
    Role.HANDLER: (lists.TALK, lists.CALL, lists.PART, "untold"),
    Role.AGENCY_LEAD: (lists.TALK, lists.CALL, lists.PART, "untold"),
    Role.SUPERVISOR: ("flagged", "untold"),
}
"""Of these, what must be done now."""
_NEXT_ACT = {
    State.ASSIGNED: "受理", State.ACCEPTED: "答复", State.PLANNED: "答复", State.SUPERVISED: "答复",
    State.ANSWERED: "等群众确认", State.CONTESTED: "督办", State.RETURNED: "裁定",
    State.ASKING: "等群众补充",
}  # fmt: skip
_OUTCOMES = {
    Outcome.CONTENT: "群众认可", Outcome.SILENT: "群众到期未反馈", Outcome.RULED: "督办裁定",
}  # fmt: skip


@dataclass(frozen=True)
class Tab:
    key: str
    name: str
    count: int
    current: bool


def tab_name(key: str) -> str:
    fixed = {NOW: "现在要办", LATE: "逾期", ALL: "全部"} | lists.NAMES | VIEW_NAMES
    key = key.removeprefix(lists.FIRST)
    return STATE_NAMES[State(key)] if key in set(State) else fixed[key]


def due_groups(role: Role) -> list[str]:
    """What waits for this role, the overdue first."""
    waits = _FOR_THE_SUPERVISOR if role is Role.SUPERVISOR else _FOR_THE_AGENCY
    return [*(f"{lists.FIRST}{key}" for key in (LATE, *waits)), *_WAITS[role]]


def lists_of(role: Role) -> tuple[str, ...]:
    return _LISTS[role]


def count_of(key: str, counts: Counts) -> int:
    if key == LATE:
        return counts.listed[f"{lists.FIRST}{LATE}"]
    if key in counts.listed:
        return counts.listed[key]
    return sum(number for state, number in counts.by_state.items() if key in (ALL, state))


def tabs(role: Role, counts: Counts, chosen: str) -> list[Tab]:
    """The usual states always; the rare ones when there is something in them."""
    rare = [state for state in State if state not in _ALWAYS and count_of(state, counts)]
    keys = [LATE, *_ALWAYS[:3], *rare, *_ALWAYS[3:], ALL]
    due = sum(counts.listed[key] for key in due_groups(role))
    first = Tab(NOW, tab_name(NOW), due, chosen not in {*keys, *lists_of(role)})
    return [first, *(Tab(k, tab_name(k), count_of(k, counts), k == chosen) for k in keys)]


def list_tabs(role: Role, counts: Counts, chosen: str) -> list[Tab]:
    return [Tab(k, tab_name(k), count_of(k, counts), k == chosen) for k in lists_of(role)]


@dataclass(frozen=True)
class Due:
    """The next due time as people count: in working days ahead, in days behind."""

    what: str
    words: str
    tone: Tone
    day: date | None = None
    provisional: bool = False


def working_days_left(today: date, last: date, calendar: Calendar) -> int:
    ahead = (today + timedelta(days=n) for n in range(1, (last - today).days + 1))
    return sum(_is_working(day, calendar) for day in ahead)


def _is_working(day: date, calendar: Calendar) -> bool:
    try:
        return calendar.is_working(day)
    except YearNotLoaded:
        return is_weekday(day)


def time_left(due_at: datetime, now: datetime, calendar: Calendar) -> tuple[str, Tone]:
    today, last = local(now).date(), local(due_at).date()
    if due_at < now:
        return f"已逾期 {_days(last, now)} 天", "late"
    if last == today:
        return "今天到期", "today"
    left = working_days_left(today, last, calendar)
    return (f"还剩 {left} 个工作日" if left else f"{_near(last, today)}到期"), "calm"


def _days(last: date, now: datetime) -> int:
    return max(1, (local(now).date() - last).days)


def due(order: WorkOrder, now: datetime, calendar: Calendar) -> Due:
    state = State(order.state)
    if state in FINAL or order.next_due_at is None:
        return Due(_OUTCOMES.get(Outcome(order.outcome), "") if order.outcome else "", "", "done")
    last = local(order.next_due_at).date()
    if state is State.ANSWERED and order.next_due_at < now:
        return Due("待告知群众", f"确认期限已过 {_days(last, now)} 天", "today", last)
    if state in (State.ANSWERED, State.ASKING):
        return Due(_NEXT_ACT[state], f"至{_near(last, local(now).date())}", "calm", last)
    words, tone = time_left(order.next_due_at, now, calendar)
    return Due(_NEXT_ACT[state], words, tone, last, order.provisional)


def _call(due_at: datetime, now: datetime, calendar: Calendar) -> Due:
    words, tone = time_left(due_at, now, calendar)
    return Due("回访", words, tone, local(due_at).date())


def ruled(order: WorkOrder) -> str:
    """What became of a return."""
    waits = order.state == State.RETURNED
    return "退单等督办员裁定" if waits else "退单已驳回，仍由本部门办理"


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    order: WorkOrder
    note: str
    """Whose it is, where it is not the reader's own; who is to verify it."""
    state: str
    level: str
    door: str
    """Through which a grievance came, and what kind it is; empty of a review."""
    chosen: list[str]
    """Reasons of a review, the function that a grievance is about."""
    reasons: str
    received: str
    due: Due
    late: bool


def shortened(words: str) -> str:
    return words if len(words) <= SHORT else f"{words[:SHORT]}…"


def door_of(order: WorkOrder) -> str:
    """“找茬·纠错”; its kind stands first among what was chosen."""
    if order.origin not in set(Source):
        return ""
    return "·".join([SOURCE_NAMES[Source(order.origin)], *chosen_texts(order)[:1]])


def row(
    order: WorkOrder, now: datetime, known: Catalogue, own: str | None, note: str = "",
    call_due: datetime | None = None,
) -> Row:  # fmt: skip
    door, chosen = door_of(order), chosen_texts(order)
    whose = "" if order.agency_code == own else f"牵头：{known.agency_name(order.agency_code)}"
    return Row(
        order, "　".join(words for words in (whose, note) if words),
        STATE_NAMES[State(order.state)], LEVEL_NAMES.get(order.level or 0, "未评级"), door,
        chosen[1:] if door else chosen, ("" if door else "、".join(chosen)) or shortened(order.words),
        _near(order.opened_on, local(now).date()),
        _call(call_due, now, known.calendar) if call_due else due(order, now, known.calendar),
        is_overdue(State(order.state), order.next_due_at, now),
    )  # fmt: skip


def day(of: date) -> str:
    return f"{of.year}年{of.month}月{of.day}日"


def _near(of: date, today: date) -> str:
    """In a list, where every year that is not this one stands out."""
    return f"{of.month}月{of.day}日" if of.year == today.year else day(of)


def moment(at: datetime) -> str:
    return f"{day(at.date())} {at:%H:%M}"
