"""Which other open orders of an agency may be about the same: held out to a person, never merged by us."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from server.kit import sql
from server.workorders.likeness import is_like
from server.workorders.models import WorkOrder

DAYS = timedelta(days=30)
_COMPARED = 400
"""Of the newest: a list of doubles is no search."""
SAME_PLACE, SAME_WORDS, SAME_CONTACT = "同一天、同一窗口、同一事项", "内容相近", "同一位联系人"
_CANDIDATES = """
SELECT * FROM work_orders WHERE agency_code = $1 AND closed_at IS NULL AND number <> $2
  AND visible_from <= $3 AND opened_on BETWEEN $4 AND $5 ORDER BY opened_on DESC, number LIMIT $6
"""


@dataclass(frozen=True)
class Double:
    order: WorkOrder
    why: tuple[str, ...]


async def of(order: WorkOrder, now: Any, same_contact: Collection[str] = ()) -> list[Double]:
    """`same_contact`: orders of which the desk above knows that the same person may have spoken."""
    rows = await sql.fetch(
        _CANDIDATES, order.agency_code, order.number, now, order.opened_on - DAYS,
        order.opened_on + DAYS, _COMPARED,
    )  # fmt: skip
    found = [
        Double(other, why)
        for other in map(_order, rows)
        if (why := _why(order, other, same_contact))
    ]
    return sorted(found, key=lambda double: -len(double.why))


def _order(row: Any) -> WorkOrder:
    order: WorkOrder = WorkOrder._init_from_db(**dict(row))
    return order


def _why(one: WorkOrder, other: WorkOrder, same_contact: Collection[str]) -> tuple[str, ...]:
    reasons = {
        SAME_CONTACT: other.number in same_contact,
        SAME_PLACE: same_place(one, other),
        SAME_WORDS: is_like(one.words, other.words),
    }
    return tuple(words for words, holds in reasons.items() if holds)


def same_place(one: WorkOrder, other: WorkOrder) -> bool:
    """A matter alone is no sign: many people have it on one day."""
    places = [(o.matter_code, o.hall, o.window, o.opened_on) for o in (one, other)]
    return bool(one.matter_code and one.window) and places[0] == places[1]
