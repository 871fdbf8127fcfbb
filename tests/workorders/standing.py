"""Orders as they stand in the database, without their citizens."""

from datetime import datetime, timedelta
from typing import Any

from factories import HOUSING, REGION

from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.ids import new_id
from server.people.models import Staff
from server.people.service import Member
from server.workorders.models import Step, WorkOrder
from server.workorders.opening import new_number, working

MONDAY = datetime(2026, 9, 7, 10, tzinfo=BEIJING)
SECOND = timedelta(seconds=1)


def set_clock(at: datetime) -> None:
    clock.advanced += at - clock.now()


async def member(username: str) -> Member:
    return Member.of(await Staff.get(username=username))


async def an_order(state: str = "assigned", **changed: Any) -> WorkOrder:
    """Seen by the agency since now; its owner is the handler."""
    now = clock.now()
    contact, answer = working(now, 1).at, working(now, 5).at
    handler = await Staff.get(username="handler")
    values = {
        "number": new_number(now.date()), "region_code": REGION, "origin": "review",
        "origin_key": new_id(), "state": state, "agency_code": HOUSING, "owner_id": handler.id,
        "matter": "公租房申请", "level": 1, "opened_on": now.date(), "visible_from": now,
        "contact_due_at": contact, "due_at": answer,
        "next_due_at": contact if state == "assigned" else answer,
    } | changed  # fmt: skip
    order = await WorkOrder.create(**values)
    await Step.create(
        order_id=order.number, at=order.visible_from, move="open", state="assigned", actor="system"
    )
    return order


async def rungs(order: WorkOrder) -> list[tuple[str, int]]:
    rows = await sql.fetch(
        "SELECT ladder, rung FROM escalations WHERE order_id = $1 ORDER BY id", order.number
    )
    return [(row["ladder"], row["rung"]) for row in rows]


async def moves(order: WorkOrder) -> list[str]:
    return [step.move for step in await Step.filter(order_id=order.number).order_by("id")]


async def alerted() -> list[tuple[str, str]]:
    """Whom, and what about; oldest first."""
    rows = await sql.fetch(
        "SELECT s.username, a.kind FROM alerts a JOIN staff s ON s.id = a.staff_id ORDER BY a.id"
    )
    return [(row["username"], row["kind"]) for row in rows]


async def listed() -> list[tuple[str | None, str]]:
    rows = await sql.fetch("SELECT order_number, why FROM accountability ORDER BY id")
    return [(row["order_number"], row["why"]) for row in rows]
