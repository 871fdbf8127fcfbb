"""Messages to members of staff about an order: named people, on their desks until they opened them."""

from collections.abc import Iterable
from datetime import datetime

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.people.rules import Role
from server.people.service import Member
from server.workorders.models import Alert, WorkOrder

URGE = "urge"
SHOWN = 100
"""Alerts on a desk at one time."""


async def tell(
    staff: Iterable[int], kind: str, words: str, now: datetime, *, order: str | None = None
) -> int:
    """One alert for each of them. In the caller's transaction."""
    rows = await sql.fetch(
        "INSERT INTO alerts (staff_id, order_number, kind, words, at) "
        "SELECT DISTINCT id, $2, $3, $4, $5::timestamptz FROM unnest($1::int[]) AS ids(id) "
        "RETURNING id",
        list(staff), order, kind, words, now,
    )  # fmt: skip
    return len(rows)


async def owner(order: WorkOrder) -> list[int]:
    """Who has the order, unless he has left."""
    rows = await sql.fetch("SELECT id FROM staff WHERE id = $1 AND active", order.owner_id)
    return [row["id"] for row in rows]


async def active(staff: Iterable[int]) -> list[int]:
    """Of these, who has not left."""
    rows = await sql.fetch(
        "SELECT id FROM staff WHERE id = ANY($1::int[]) AND active ORDER BY id", list(staff)
    )
    return [row["id"] for row in rows]


async def leads(agency_code: str) -> list[int]:
    return await _of_agencies([agency_code], [Role.AGENCY_LEAD])


async def people(agency_codes: Iterable[str]) -> list[int]:
    """Handlers and leads of these agencies."""
    return await _of_agencies(agency_codes, [Role.HANDLER, Role.AGENCY_LEAD])


async def _of_agencies(agency_codes: Iterable[str], roles: list[Role]) -> list[int]:
    rows = await sql.fetch(
        "SELECT id FROM staff WHERE active AND agency_code = ANY($1::text[]) "
        "AND role = ANY($2::text[]) ORDER BY id",
        list(agency_codes), [str(role) for role in roles],
    )  # fmt: skip
    return [row["id"] for row in rows]


async def of_region(region_code: str, *roles: Role) -> list[int]:
    """Those whose region contains this one."""
    rows = await sql.fetch(
        "SELECT id FROM staff WHERE active AND role = ANY($1::text[]) "
        "AND region_code = ANY($2::text[]) ORDER BY id",
        [str(role) for role in roles], list(catalogue().upward(region_code)),
    )  # fmt: skip
    return [row["id"] for row in rows]


async def supervisors(region_code: str) -> list[int]:
    return await of_region(region_code, Role.SUPERVISOR)


async def urged(order: WorkOrder, words: str, now: datetime) -> int:
    """催办: to the owner and the leads of his agency. In the caller's transaction."""
    staff = await owner(order) + await leads(order.agency_code)
    return await tell(staff, URGE, words, now, order=order.number)


async def alerts_of(member: Member) -> list[Alert]:
    """What he has not opened yet, newest first."""
    return await Alert.filter(staff_id=member.id, seen_at__isnull=True).order_by("-id").limit(SHOWN)


async def seen(member: Member, ids: Iterable[int]) -> int:
    """His own only; another's stay as they are."""
    rows = await sql.fetch(
        "UPDATE alerts SET seen_at = $3 WHERE id = ANY($1::bigint[]) AND staff_id = $2 "
        "AND seen_at IS NULL RETURNING id",
        list(ids), member.id, clock.now(),
    )  # fmt: skip
    return len(rows)
