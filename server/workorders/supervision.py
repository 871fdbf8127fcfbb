"""The ladder 核实库 → 督办库 → 问责, and whatever else a supervisor has an eye on: each view is one
condition, by which it is counted and listed."""

from datetime import datetime

from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Missing
from server.kit.transaction import transaction
from server.people.rules import Role
from server.people.service import Member
from server.workorders import accountability, moves
from server.workorders.accountability import AlreadyListed, Why
from server.workorders.models import Accountability, WorkOrder
from server.workorders.rules import OPEN, Record, State, WrongRole, check_text

ACCOUNT = "account"
"""The view of records, not of orders."""


class UnknownView(Missing):
    code = "unknown_view"
    title = "没有这个视图"


def _in(states: frozenset[State]) -> str:
    return f"state IN ({', '.join(repr(str(state)) for state in sorted(states))})"


_OPEN = "closed_at IS NULL"
_LATE = f"({_in(OPEN - {State.ANSWERED})} AND next_due_at < {{now}})"
_RUNG_3 = (
    "EXISTS (SELECT 1 FROM escalations e WHERE e.order_id = work_orders.number "
    "AND e.due_at = work_orders.next_due_at AND e.rung >= 3)"
)
_VIEWS = {
    "verify": f"{_OPEN} AND verified_at IS NULL",
    "supervise": f"{_OPEN} AND (state IN ('contested', 'supervised') OR {_RUNG_3})",
    "overdue": _LATE,
    "contested": "state = 'contested'",
    "returned": "state = 'returned'",
    "extended": f"{_OPEN} AND extension_days IS NOT NULL",
    "untold": "state = 'answered' AND next_due_at < {now}",
    "flagged": "EXISTS (SELECT 1 FROM work_order_steps s JOIN flags f ON f.step_id = s.id "
    "WHERE s.order_id = work_orders.number AND f.upheld IS NULL)",
}
VIEW_NAMES = {
    "verify": "核实库", "supervise": "督办库", ACCOUNT: "问责", "overdue": "逾期",
    "contested": "群众不认可", "returned": "退回待裁定", "extended": "已延期", "untold": "待告知",
    "flagged": "待认定的留言",
}  # fmt: skip


def names(member: Member) -> list[str]:
    """The views of this role."""
    if member.role is Role.AUDITOR:
        return [ACCOUNT]
    return [view for view in VIEW_NAMES if view != ACCOUNT or member.role is Role.SUPERVISOR]


async def views(member: Member) -> dict[str, int]:
    """How much stands in each view; 问责 counts what nothing has followed yet."""
    shown = names(member)
    counts: dict[str, int] = {}
    if member.role is not Role.AUDITOR:
        counts = await _counts(member)
    if ACCOUNT in shown:
        counts[ACCOUNT] = await accountability.count_unfollowed(member)
    return {view: counts[view] for view in shown}


async def _counts(member: Member) -> dict[str, int]:
    now = clock.now()
    where, values = moves.visible_to(member, now)
    place = f"${len(values) + 1}::timestamptz"
    columns = ", ".join(
        f"count(*) FILTER (WHERE {condition.format(now=place)}) AS {view}"
        for view, condition in _VIEWS.items()
    )
    rows = await sql.fetch(
        f"SELECT {columns} FROM work_orders WHERE {where} "  # noqa: S608
        f"AND ({_OPEN} OR {_VIEWS['flagged']}) AND {place} IS NOT NULL",
        *values,
        now,
    )
    return dict(rows[0])


async def listed(
    member: Member, view: str, *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[WorkOrder]:
    """By the next due time, closed ones last; `after` is the due time and number of the last one."""
    if view not in _VIEWS or view not in names(member):
        raise UnknownView
    now = clock.now()
    where, values = moves.visible_to(member, now)
    values = [*values, now]
    place = f"${len(values)}::timestamptz"
    where += f" AND {place} IS NOT NULL AND {_VIEWS[view].format(now=place)}"
    if after:
        values += after
        where += f" AND ({ORDER}) > (${len(values) - 1}::timestamptz, ${len(values)}::text)"
    rows = await sql.fetch(
        f"SELECT * FROM work_orders WHERE {where} ORDER BY {ORDER} LIMIT {int(limit)}",  # noqa: S608
        *values,
    )
    return [WorkOrder._init_from_db(**dict(row)) for row in rows]


ORDER = "coalesce(next_due_at, 'infinity'), number"


async def put_on_list(member: Member, number: str, why: Why, text: str) -> Accountability:
    """问责 by a supervisor's decision, on record in the order without his reasons."""
    words = check_text(text)
    async with transaction():
        order = await moves.find(member, number, lock=True)
        if member.role is not Role.SUPERVISOR:
            raise WrongRole
        now = clock.now()
        if not await accountability.add(order, why, now, words=words, by_id=member.id):
            raise AlreadyListed
        await moves.record(
            order, Record.ESCALATE, "已列入问责名单", now=now, actor=member.role, actor_id=member.id
        )
        return await Accountability.get(order_number=number, why=why)
