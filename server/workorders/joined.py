"""Several citizens behind one order: each follows his own number, speaks for himself and is told for
himself. The order that goes on is the course of all of them."""

from dataclasses import dataclass
from typing import Any

from server.kit import sql
from server.workorders.models import WorkOrder
from server.workorders.moves import Held, UnknownOrder
from server.workorders.rules import IllegalMove

_BOTH = """
SELECT * FROM work_orders
WHERE number = $1 OR number = (SELECT merged_into FROM work_orders WHERE number = $1)
ORDER BY number FOR UPDATE
"""


@dataclass(frozen=True)
class Follower:
    """A citizen's own order, and the one that is dealt with: the same unless his was merged."""

    own: WorkOrder
    course: WorkOrder

    @property
    def of_order(self) -> str | None:
        """What a step of his says of whose it is."""
        return self.own.number if self.own.merged_into else None

    @property
    def round(self) -> int:
        """Which answer he judges, counted over his own order's life and the other's."""
        before = self.own.contests if self.own.merged_into else 0
        return before + self.course.contests + 1


async def locked(number: str) -> Follower:
    """Both rows, in the order in which a merge locks them."""
    found = {row["number"]: _order(row) for row in await sql.fetch(_BOTH, number)}
    if number not in found:
        raise UnknownOrder
    own = found[number]
    if own.merged_into and own.merged_into not in found:
        # It was merged while we waited for its row. Nobody who holds the other waits for this one:
        # what has been merged is merged no more.
        (row,) = await sql.fetch(
            "SELECT * FROM work_orders WHERE number = $1 FOR UPDATE", own.merged_into
        )
        found[own.merged_into] = _order(row)
    return Follower(own, found[own.merged_into or number])


def _order(row: Any) -> WorkOrder:
    order: WorkOrder = WorkOrder._init_from_db(**dict(row))
    return order


async def merged(number: str) -> list[WorkOrder]:
    """The orders that were merged into this one, oldest first."""
    return await WorkOrder.filter(merged_into=number).order_by("closed_at", "number")


# Whose word of this round is missing; whoever's review counts no more has none to say.
_SILENT = """
SELECT v.number FROM work_orders v
WHERE (v.number = $1 OR v.merged_into = $1)
  AND NOT EXISTS (SELECT 1 FROM work_order_steps s WHERE s.order_id = $1 AND s.move = 'left'
    AND coalesce(s.of_order, $1) = v.number)
  AND NOT EXISTS (SELECT 1 FROM opinions p WHERE p.order_id = v.number AND p.about = 'agency'
    AND p.satisfied AND p.round = $2::int + 1 + CASE WHEN v.merged_into IS NULL THEN 0 ELSE v.contests END)
"""


async def silent(course: WorkOrder) -> set[str]:
    """The own orders of those who have not accepted the answer that stands."""
    rows = await sql.fetch(_SILENT, course.number, course.contests)
    return {row["number"] for row in rows}


async def others(voice: Follower) -> set[str]:
    """For whom the order goes on if this one counts no more."""
    rows = await sql.fetch(
        "SELECT v.number FROM work_orders v WHERE (v.number = $1 OR v.merged_into = $1) "
        "AND v.number <> $2 AND NOT EXISTS (SELECT 1 FROM work_order_steps s "
        "WHERE s.order_id = $1 AND s.move = 'left' AND coalesce(s.of_order, $1) = v.number)",
        voice.course.number, voice.own.number,
    )  # fmt: skip
    return {row["number"] for row in rows}


async def has_spoken(own: WorkOrder, course: WorkOrder) -> bool:
    """He has accepted the answer that stands, and others have not yet."""
    rows = await sql.fetch(
        "SELECT 1 FROM opinions WHERE order_id = $1 AND round = $2 AND about = 'agency' AND satisfied",
        own.number, Follower(own, course).round,
    )  # fmt: skip
    return bool(rows)


_OPINIONS = """
INSERT INTO opinions (order_id, round, about, agency_code, satisfied, at)
SELECT $1, $2::smallint, about, agency_code, satisfied, $6::timestamptz
FROM unnest($3::text[], $4::text[], $5::bool[]) AS o(about, agency_code, satisfied)
ON CONFLICT (order_id, round, about) DO UPDATE SET satisfied = excluded.satisfied, at = excluded.at
WHERE opinions.satisfied AND NOT excluded.satisfied
RETURNING about
"""


async def judged(voice: Follower, of: Held, satisfied: bool, desk_satisfied: bool | None) -> None:
    """His opinion of this round. Who has accepted may still say no while the order waits for others;
    the other way round the order is contested already."""
    own = voice.own
    parties = [("agency", voice.course.agency_code, satisfied)]
    if own.desk_agency_code and desk_satisfied is not None:
        parties.append(("desk", own.desk_agency_code, desk_satisfied))
    about, agencies, opinions = zip(*parties, strict=True)
    kept = await sql.fetch(
        _OPINIONS, own.number, voice.round, list(about), list(agencies), list(opinions), of.now
    )
    if "agency" not in {row["about"] for row in kept}:
        raise IllegalMove("您已经认可过这次答复，还在等一并办理的其他群众表态")


async def check_all_told(number: str) -> None:
    """销号 for each: nobody whose order was merged is forgotten at its end."""
    left = await sql.fetch(
        "SELECT of_order FROM work_order_steps WHERE order_id = $1 AND move = 'left'", number
    )
    for own in await merged(number):
        if own.number in {row["of_order"] for row in left}:
            continue
        if own.told_at is None:
            raise IllegalMove(f"还没有并入的工单 {own.number} 的群众已被告知的证据，不能办结")
        if own.real_name and own.called_back_at is None:
            raise IllegalMove(f"并入的工单 {own.number} 是实名，没有回访，不能办结")
