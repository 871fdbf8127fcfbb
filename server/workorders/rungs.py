"""One rung of the ladder: who is told, what everybody reads, and what is on record of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from server.kit import metrics, sql
from server.people.rules import Role
from server.workorders import accountability, alerts, moves
from server.workorders.accountability import Why
from server.workorders.ladder import Ladder, Rung, ladder_of
from server.workorders.models import WorkOrder
from server.workorders.rules import Record, State


def supervises(state: State, rung: Rung) -> bool:
    if state is State.CONTESTED:
        return rung is Rung.OVERDUE
    agency = ladder_of(state) is Ladder.AGENCY
    return agency and state is not State.SUPERVISED and rung is Rung.SUPERVISORS


@dataclass(frozen=True)
class Climb:
    order: WorkOrder
    ladder: Ladder
    rung: Rung
    due_at: datetime
    now: datetime


async def step_up(climb: Climb) -> None:
    """The row, the alerts, and the step that everybody reads; or nothing, if it was done before."""
    order, now = climb.order, climb.now
    new = await sql.fetch(
        "INSERT INTO escalations (order_id, region_code, due_at, rung, ladder, at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id",
        order.number, order.region_code, climb.due_at, climb.rung, climb.ladder, now,
    )  # fmt: skip
    if not new:
        return
    group, staff = await _people(climb)
    words = _words(climb, group)
    kind = Ladder.UNTOLD if climb.ladder is Ladder.UNTOLD else climb.rung.name.lower()
    staff += await _co_handlers(climb) + await _first_asked(order)
    await alerts.tell(staff, kind, words, now, order=order.number)
    await moves.record(order, Record.ESCALATE, words, now=now)
    if climb.rung is Rung.LIST:
        await accountability.add(order, _WHY[climb.ladder], now, words=words)
    metrics.rungs.labels(climb.ladder, climb.rung.name.lower()).inc()


_WHY = {
    Ladder.AGENCY: Why.OVERDUE,
    Ladder.SUPERVISION: Why.SUPERVISION_LATE,
    Ladder.UNTOLD: Why.TOLD_NOBODY,
}
_GROUPS = ("经办人", "部门负责人", "督办员", "管理员")


async def _people(climb: Climb) -> tuple[str, list[int]]:
    """Whom the rung concerns; where there is nobody, those of the next one at once."""
    order = climb.order
    chain: tuple[Callable[[], Awaitable[list[int]]], ...] = (
        lambda: alerts.owner(order),
        lambda: alerts.leads(order.agency_code),
        lambda: alerts.supervisors(order.region_code),
        lambda: alerts.of_region(order.region_code, Role.ADMIN),
    )
    first = max(0, min(climb.rung, Rung.SUPERVISORS) - 1)
    if climb.ladder is Ladder.SUPERVISION:
        first = 2
    for group, staff in list(zip(_GROUPS, chain, strict=True))[first:]:
        if found := await staff():
            return group, found
    return "", []


async def _co_handlers(climb: Climb) -> list[int]:
    """Whose part is missing when the citizen's time is over is told too."""
    late = climb.ladder is Ladder.AGENCY and climb.order.due_at < climb.now
    if climb.rung is Rung.WARN or not late:
        return []
    rows = await sql.fetch(
        "SELECT agency_code FROM order_parts WHERE order_id = $1 AND state = 'waiting'",
        climb.order.number,
    )
    return await alerts.people([row["agency_code"] for row in rows]) if rows else []


async def _first_asked(order: WorkOrder) -> list[int]:
    """He follows the order to the end: he is told of every rung."""
    followers = moves.first_asked(order)
    return await alerts.active(followers) if followers else []


def _words(climb: Climb, group: str) -> str:
    cause = _CAUSES[climb.ladder]
    if climb.rung is Rung.WARN:
        cause = "期限将到"
    if climb.rung is Rung.LIST:
        return f"{cause}，已列入问责名单"
    told = f"，已提醒{group}" if climb.rung <= Rung.OVERDUE else f"，已报{group}"
    by_rule = "，转为督办" if supervises(State(climb.order.state), climb.rung) else ""
    return f"{cause}{told if group else ''}{by_rule}"


_CAUSES = {
    Ladder.AGENCY: "部门逾期未办",
    Ladder.SUPERVISION: "督办逾期未处理",
    Ladder.UNTOLD: "已答复，尚不能证明群众已知晓答复",
}
