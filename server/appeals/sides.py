"""Who stands on which side of a case, and so may not rule it."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from asyncpg import Record

from server.appeals import rules
from server.appeals.models import Appeal
from server.appeals.rules import Ties
from server.catalogue.service import catalogue
from server.kit import sql
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Member

# Whoever wrote a step, has or had a part, spoke with the citizen or keyed in his form took part.
_TIES = """
SELECT a.id, a.agency_code, o.agency_code AS lead, o.co_agency_codes, o.desk_agency_code,
  c.agency_code AS issuer, coalesce(a.by_id = $1, FALSE) AS appellant,
  coalesce(o.owner_id = $1, FALSE) OR coalesce(o.verifier_id = $1, FALSE)
    OR coalesce(o.first_asked_id = $1, FALSE) OR coalesce(v.entered_by = $1, FALSE)
    OR EXISTS (SELECT 1 FROM work_order_steps s WHERE s.order_id = o.number AND s.actor_id = $1)
    OR EXISTS (SELECT 1 FROM order_parts p WHERE p.order_id = o.number AND p.actor_id = $1)
    OR EXISTS (SELECT 1 FROM flags f JOIN work_order_steps s ON s.id = f.step_id
      WHERE s.order_id = o.number AND $1 IN (f.by_id, f.ruled_by_id))
    OR EXISTS (SELECT 1 FROM call_backs b WHERE b.review_id = v.id AND b.staff_id = $1) AS acted,
  EXISTS (SELECT 1 FROM accountability k WHERE k.order_number = o.number
    AND $1 IN (k.staff_id, k.by_id, k.followed_by_id)) AS accountable,
  EXISTS (SELECT 1 FROM exclusions e WHERE e.review_id = v.id
    AND e.case_id IS DISTINCT FROM a.id AND $1 IN (e.first_id, e.second_id))
    OR a.round = 'objection' AND (
      EXISTS (SELECT 1 FROM appeals b WHERE b.review_id = v.id AND b.confirmed_by = $1)
      OR EXISTS (SELECT 1 FROM appeal_votes w JOIN appeals b ON b.id = w.appeal_id
        WHERE b.review_id = v.id AND b.id <> a.id AND w.staff_id = $1 AND w.upheld IS NOT NULL)
    ) AS ruled_before,
  EXISTS (SELECT 1 FROM appeal_votes w WHERE w.appeal_id = a.id AND w.staff_id = $1
    AND w.upheld IS NULL) AS stood_back
FROM appeals a JOIN reviews v ON v.id = a.review_id JOIN receipts c ON c.id = v.receipt_id
LEFT JOIN work_orders o ON o.number = a.order_number WHERE a.id = ANY($2::uuid[])
"""


async def biases(member: Member, appeals: Sequence[Appeal]) -> dict[UUID, str]:
    """Case → why he may not rule it; empty where nothing stands against it."""
    if not appeals:
        return {}
    rows = await sql.fetch(_TIES, member.id, [appeal.id for appeal in appeals])
    return {row["id"]: rules.bias(_ties(row, member.agency_code)) for row in rows}


async def bias_of(member: Member, appeal: Appeal) -> str:
    return (await biases(member, [appeal]))[appeal.id]


def _ties(row: Record, agency: str | None) -> Ties:
    involved = (
        row["agency_code"], row["lead"], row["desk_agency_code"], row["issuer"],
        *(row["co_agency_codes"] or ()),
    )  # fmt: skip
    sides = frozenset(code for code in involved if code)
    return Ties(
        agency=agency, sides=sides, kin=_kin(sides) if agency else frozenset(),
        appellant=row["appellant"], acted=row["acted"], accountable=row["accountable"],
        ruled_before=row["ruled_before"], stood_back=row["stood_back"],
    )  # fmt: skip


def _kin(sides: Iterable[str]) -> frozenset[str]:
    known = catalogue().agencies
    above = {known[code].parent_code for code in sides if code in known}
    below = {agency.code for agency in known.values() if agency.parent_code in set(sides)}
    return frozenset({code for code in above if code} | below)


async def rulers(appeal: Appeal) -> list[int]:
    """The adjudicators who may rule it; of the region, or of one above it."""
    found = await Staff.filter(
        active=True, role=Role.ADJUDICATOR, region_code__in=list(catalogue().upward(appeal.region_code))
    ).order_by("id")  # fmt: skip
    return [staff.id for staff in found if not await bias_of(Member.of(staff), appeal)]
