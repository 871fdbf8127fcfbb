"""The register of what was excluded, and the list of cases; each is one filter by region."""

from datetime import datetime
from uuid import UUID

from asyncpg import Record

from server.appeals import cases
from server.appeals.models import Appeal
from server.appeals.rules import ENDED
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.people.rules import Role
from server.people.service import Member

READS = frozenset({Role.SUPERVISOR, Role.ADJUDICATOR, Role.AUDITOR, Role.ADMIN})
Place = tuple[datetime, str]
"""Time and number of the last row of the page before."""

_EXCLUDED = """
SELECT e.*, v.level, v.order_number, v.receipt_id, c.matter_code, c.hall_code,
  one.name AS first, two.name AS second
FROM exclusions e JOIN reviews v ON v.id = e.review_id JOIN receipts c ON c.id = v.receipt_id
LEFT JOIN staff one ON one.id = e.first_id LEFT JOIN staff two ON two.id = e.second_id
WHERE e.region_code = ANY($1) AND ($2::timestamptz IS NULL OR (e.at, e.id::text) < ($2, $3))
ORDER BY e.at DESC, e.id::text DESC LIMIT $4
"""


async def exclusions(member: Member, *, before: Place | None = None, limit: int) -> list[Record]:
    """Newest first; one more than `limit` if there are more."""
    if member.role not in READS:
        return []
    at, number = before or (None, None)
    regions = sorted(catalogue().within(member.region_code))
    return await sql.fetch(_EXCLUDED, regions, at, number, limit + 1)


async def of_reviews(review_ids: list[UUID]) -> list[Record]:
    """For the auditor: every exclusion of these reviews, oldest first."""
    return await sql.fetch(
        "SELECT e.*, one.name AS first, two.name AS second FROM exclusions e "
        "LEFT JOIN staff one ON one.id = e.first_id LEFT JOIN staff two ON two.id = e.second_id "
        "WHERE e.review_id = ANY($1) ORDER BY e.at",
        review_ids,
    )


_OPEN = f"state NOT IN ({', '.join(repr(str(state)) for state in sorted(ENDED))})"
TO_RULE, LATE, DONE = "to-rule", "late", "done"
_VIEWS = {TO_RULE: _OPEN, LATE: f"{_OPEN} AND due_at < {{now}}", DONE: f"NOT ({_OPEN})"}


def condition(view: str, now: str) -> str:
    """`now`: the placeholder of the time."""
    return _VIEWS[view].format(now=now)


async def listed(
    member: Member, *, state: str | None = None, view: str | None = None,
    after: Place | None = None, limit: int,
) -> list[Appeal]:  # fmt: skip
    """By the due time, or of what is done the newest first; one more than `limit` if there are more."""
    where, values = cases.visible_to(member)
    values.append(clock.now())
    where += f" AND ${len(values)}::timestamptz IS NOT NULL"
    if view:
        where += f" AND {condition(view, f'${len(values)}')}"
    if state:
        values.append(state)
        where += f" AND state = ${len(values)}"
    column, way, sign = ("ruled_at", "DESC", "<") if view == DONE else ("due_at", "ASC", ">")
    if after:
        values += after
        where += (
            f" AND ({column}, id::text) {sign} (${len(values) - 1}::timestamptz, ${len(values)})"
        )
    rows = await sql.fetch(
        f"SELECT * FROM appeals WHERE {where} ORDER BY {column} {way}, id::text {way} "  # noqa: S608
        f"LIMIT {int(limit) + 1}",
        *values,
    )
    return [Appeal._init_from_db(**dict(row)) for row in rows]
