"""An order in the words of the desk (pure): how long still, what comes next, what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from server.catalogue.calendar import Calendar, YearNotLoaded, is_weekday
from server.catalogue.service import Catalogue
from server.kit.web import local
from server.people.rules import Role
from server.reviews.rules import LEVEL_NAMES
from server.workorders.api import StepShown
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import (
    FINAL,
    MOVE_NAMES,
    STATE_NAMES,
    Disposition,
    Move,
    Outcome,
    State,
    is_blank,
    is_overdue,
)  # fmt: skip

NOW, LATE, ALL = "now", "late", "all"
TEXT_LIMIT, BASIS_LIMIT = 2000, 1000
SHORT = 40
"""Characters of the citizen's words in a list."""

Counts = Mapping[tuple[State, bool], int]
"""Orders by state, and by whether they are overdue."""
Tone = Literal["late", "today", "calm", "done"]

DISPOSITION_NAMES = {"fixed": "已整改", "explained": "解释说明"}
DONE = {
    "accept": "已受理。这张工单现在由您负责到底。",
    "answer": "答复已送出，群众在查询页可以看到。",
}
_ALWAYS = (State.ASSIGNED, State.ACCEPTED, State.CONTESTED, State.ANSWERED, State.CLOSED)
_FOR_THE_AGENCY = (State.ASSIGNED, State.ACCEPTED, State.PLANNED, State.SUPERVISED)
_FOR_THE_SUPERVISOR = (State.CONTESTED, State.RETURNED)
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
    fixed = {NOW: "现在要办", LATE: "逾期", ALL: "全部"}
    return fixed.get(key) or STATE_NAMES[State(key)]


def due_groups(role: Role) -> list[str]:
    """What waits for this role, the overdue first."""
    waits = _FOR_THE_SUPERVISOR if role is Role.SUPERVISOR else _FOR_THE_AGENCY
    return [LATE, *waits]


def count_of(key: str, counts: Counts, *, on_time_only: bool = False) -> int:
    return sum(
        number
        for (state, late), number in counts.items()
        if (late if key == LATE else key in (ALL, state) and not (late and on_time_only))
    )


def tabs(role: Role, counts: Counts, chosen: str) -> list[Tab]:
    """The usual states always; the rare ones when there is something in them."""
    rare = [state for state in State if state not in _ALWAYS and count_of(state, counts)]
    keys = [LATE, *_ALWAYS[:3], *rare, *_ALWAYS[3:], ALL]
    due = sum(count_of(key, counts, on_time_only=True) for key in due_groups(role))
    first = Tab(NOW, tab_name(NOW), due, chosen not in keys)
    return [first, *(Tab(k, tab_name(k), count_of(k, counts), k == chosen) for k in keys)]


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
        return f"已逾期 {max(1, (today - last).days)} 天", "late"
    if last == today:
        return "今天到期", "today"
    left = working_days_left(today, last, calendar)
    return (f"还剩 {left} 个工作日" if left else f"{_near(last, today)}到期"), "calm"


def due(order: WorkOrder, now: datetime, calendar: Calendar) -> Due:
    state = State(order.state)
    if state in FINAL or order.next_due_at is None:
        return Due(_OUTCOMES.get(Outcome(order.outcome), "") if order.outcome else "", "", "done")
    last = local(order.next_due_at).date()
    if state in (State.ANSWERED, State.ASKING):
        return Due(_NEXT_ACT[state], f"至{_near(last, local(now).date())}", "calm", last)
    words, tone = time_left(order.next_due_at, now, calendar)
    return Due(_NEXT_ACT[state], words, tone, last, order.provisional)


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    order: WorkOrder
    agency: str
    """Only where it is not the reader's own."""
    state: str
    level: str
    reasons: str
    received: str
    due: Due
    late: bool


def row(order: WorkOrder, now: datetime, known: Catalogue, own: str | None) -> Row:
    reasons = "、".join(known.tag_text(code) for code in order.tags)
    short = order.words if len(order.words) <= SHORT else f"{order.words[:SHORT]}…"
    return Row(
        order, "" if order.agency_code == own else known.agency_name(order.agency_code),
        STATE_NAMES[State(order.state)], LEVEL_NAMES.get(order.level or 0, "未评级"),
        reasons or short, _near(order.opened_on, local(now).date()), due(order, now, known.calendar),
        is_overdue(State(order.state), order.next_due_at, now),
    )  # fmt: skip


def deadlines(order: WorkOrder) -> list[tuple[str, date]]:
    named = [("受理期限", order.contact_due_at), ("答复期限", order.due_at)]
    if State(order.state) is State.ANSWERED and order.next_due_at:
        named.append(("群众确认期限", order.next_due_at))
    if State(order.state) is State.CONTESTED and order.next_due_at:
        named.append(("督办期限", order.next_due_at))
    return [(name, local(at).date()) for name, at in named]


def day(of: date) -> str:
    return f"{of.year}年{of.month}月{of.day}日"


def _near(of: date, today: date) -> str:
    """In a list, where every year that is not this one stands out."""
    return f"{of.month}月{of.day}日" if of.year == today.year else day(of)


def moment(at: datetime) -> str:
    return f"{day(at.date())} {at:%H:%M}"


def opened_words(step: Step, shown: StepShown) -> str:
    """The first step tells whose the order is; the others are moves."""
    return "差评成为工单，派到责任部门" if step.move == Move.OPEN else shown.what


def faster(state: State, move: Move) -> str:
    return (
        f"这张工单现在是“{STATE_NAMES[state]}”，刚才的{MOVE_NAMES[move]}没有执行；"
        "可能有同事先一步处理了。下面是最新情况。"
    )


@dataclass(frozen=True)
class Typed:
    """The form of an answer as it was sent; kept until it is taken."""

    disposition: str = ""
    text: str = ""
    legal_basis: str = ""

    @classmethod
    def of(cls, form: Mapping[str, str]) -> "Typed":
        return cls(form.get("disposition", ""), form.get("text", ""), form.get("legal_basis", ""))

    def faults(self) -> dict[str, str]:
        """Field → what is wrong, in the order of the form."""
        found = {}
        if self.disposition not in set(Disposition):
            found["disposition"] = "请选择处理结果：已整改，还是解释说明"
        if is_blank(self.text):
            found["text"] = "请写下给群众的答复"
        elif len(self.text) > TEXT_LIMIT:
            found["text"] = f"答复最多 {TEXT_LIMIT} 字，现在是 {len(self.text)} 字"
        if len(self.legal_basis) > BASIS_LIMIT:
            found["legal_basis"] = f"依据最多 {BASIS_LIMIT} 字，现在是 {len(self.legal_basis)} 字"
        return found
