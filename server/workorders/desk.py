"""What waits for one member of staff or for his agency: each list is one condition, by which it is
counted and listed."""

from datetime import datetime

from server.kit import sql
from server.kit.clock import clock
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member
from server.workorders import moves
from server.workorders.models import WorkOrder
from server.workorders.rules import OPEN, State

MINE, FIRST_ASKED, TALK, CALL, PART = "mine", "first_asked", "talk", "call", "part"
SENT_BACK, EXTENDABLE = "back", "extendable"
NAMES = {
    MINE: "我经办的", FIRST_ASKED: "我首问的", TALK: "群众留言待回", CALL: "待回访", PART: "待提交协办意见",
    SENT_BACK: "退过的单", EXTENDABLE: "还可延期",
}  # fmt: skip
FIRST = "now_"
"""Before a state, or LATE: what the next act of is ours, an overdue order among the overdue alone."""
LATE = "late"
_WAITED_FOR = (
    State.ASSIGNED, State.ACCEPTED, State.PLANNED, State.SUPERVISED, State.CONTESTED, State.RETURNED,
)  # fmt: skip
_OPEN = "closed_at IS NULL"
_OVERDUE = (
    f"(state IN ({', '.join(repr(str(s)) for s in sorted(OPEN - {State.ANSWERED}))})"
    " AND next_due_at < $1)"
)
_HE_SPOKE_LAST = """
(SELECT s.actor FROM work_order_steps s WHERE s.order_id = work_orders.number AND s.words <> ''
   AND s.move IN ('ask', 'message', 'answer', 'supplement') ORDER BY s.id DESC LIMIT 1) = 'citizen'
"""
_PART_WAITS = """
EXISTS (SELECT 1 FROM order_parts p WHERE p.order_id = work_orders.number AND p.state = 'waiting'
  AND {own_part})
"""
_LISTS = {
    MINE: f"{_OPEN} AND owner_id = {{me}}",
    FIRST_ASKED: f"{_OPEN} AND (first_asked_id = {{me}} OR followers @> ARRAY[{{me}}])",
    TALK: f"{{ours}} AND {_OPEN} AND state NOT IN ('assigned', 'returned') AND {_HE_SPOKE_LAST}",
    CALL: "{ours} AND {called_by} AND real_name AND called_back_at IS NULL AND state <> 'assigned'",
    PART: f"{_OPEN} AND state <> 'answered' AND {_PART_WAITS}",
    SENT_BACK: f"{{ours}} AND {_OPEN} AND returns > 0",
    EXTENDABLE: "{ours} AND state IN ('assigned', 'accepted', 'planned') AND extension_days IS NULL "
    "AND due_at >= $1",
    f"{FIRST}{LATE}": f"{{ours}} AND {_OVERDUE}",
    **{
        f"{FIRST}{state}": f"{{ours}} AND state = '{state}' AND NOT {_OVERDUE}"
        for state in _WAITED_FOR
    },
}
_ORDER = "coalesce(next_due_at, 'infinity'), number"


def _condition(member: Member, key: str) -> str:
    """$1 and $2 are those of `visible_to`: the time, and the agency of a member of one."""
    of_agency = member.role in OF_AN_AGENCY
    return "(" + _LISTS[key].format(
        me=int(member.id),
        ours="agency_code = $2" if of_agency else "TRUE",
        own_part="p.agency_code = $2" if of_agency else "TRUE",
        # The lead may call whoever is to be called, a handler where he was named.
        called_by=f"verifier_id = {int(member.id)}" if member.role is Role.HANDLER else "TRUE",
    ) + ")"  # fmt: skip


async def counts(member: Member) -> dict[str, int]:
    where, values = moves.visible_to(member, clock.now())
    columns = ", ".join(
        f'count(*) FILTER (WHERE {_condition(member, key)}) AS "{key}"' for key in _LISTS
    )
    (row,) = await sql.fetch(
        f"SELECT {columns} FROM work_orders WHERE {where} "  # noqa: S608
        f"AND ({_OPEN} OR {_condition(member, CALL)})",
        *values,
    )
    return dict(row)


async def listed(
    member: Member, key: str, *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[WorkOrder]:
    """By the next due time; `after` is the due time and number of the last one."""
    where, values = moves.visible_to(member, clock.now())
    where += f" AND {_condition(member, key)}"
    if after:
        values = [*values, *after]
        where += f" AND ({_ORDER}) > (${len(values) - 1}::timestamptz, ${len(values)}::text)"
    rows = await sql.fetch(
        f"SELECT * FROM work_orders WHERE {where} ORDER BY {_ORDER} LIMIT {int(limit)}",  # noqa: S608
        *values,
    )
    return [WorkOrder._init_from_db(**dict(row)) for row in rows]
