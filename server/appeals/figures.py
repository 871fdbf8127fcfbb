"""What the public reads of exclusions: by agency and reason, how many, out of how many.

Counts of exclusions and appeals are exact, however small: the issue wants them published, and the
agency knows its own. How many reviews there were is rounded up to the next five and counts whole past
days only, since who issued the receipts could else read off whether one of them was rated.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from server.appeals.rules import AppealState
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.errors import Fault
from server.kit.web import BadQuery
from server.reviews.rules import Excluded

STEP = 5
DAYS, LONGEST = 90, 366
"""Looked at if nothing else is asked for, and at most."""


@dataclass
class Count:
    agency_code: str
    reviews: int = 0
    bad_reviews: int = 0
    excluded: dict[Excluded, int] = field(default_factory=dict)
    appeals: dict[AppealState, int] = field(default_factory=dict)

    @property
    def left_out(self) -> int:
        return sum(self.excluded.values())


@dataclass(frozen=True)
class Period:
    first: date
    last: date

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=BEIJING)
        return start, start + ((self.last - self.first).days + 1) * timedelta(days=1)


def rounded(count: int) -> int:
    """Up to the next five, so that no share is above one; nothing stays nothing."""
    return -(-count // STEP) * STEP


def period(first: date | None, last: date | None, today: date) -> Period:
    """Whole days up to yesterday (no database)."""
    yesterday = today - timedelta(days=1)
    last = min(last or yesterday, yesterday)
    first = first or last - timedelta(days=DAYS - 1)
    if first > last:
        raise BadQuery(
            errors=[Fault("from", "invalid", "开始的日子要早于今天，也不晚于结束的日子")]
        )
    if (last - first).days >= LONGEST:
        raise BadQuery(errors=[Fault("from", "invalid", f"一次最多看 {LONGEST} 天")])
    return Period(first, last)


# Whoever is responsible: by the order, else by the matter, else who issued the receipt. Undone and
# default ones are no reviews; suspended and excluded ones are.
_RATED = """
SELECT coalesce(o.agency_code, m.agency_code, c.agency_code) AS agency, count(*) AS reviews,
  count(*) FILTER (WHERE r.level <= 2) AS bad
FROM reviews r JOIN receipts c ON c.id = r.receipt_id
LEFT JOIN work_orders o ON o.number = r.order_number LEFT JOIN matters m ON m.code = c.matter_code
WHERE r.region_code = ANY($1) AND r.at >= $2 AND r.at < $3 AND r.replaced_at IS NULL
  AND r.state IN ('standing', 'awaiting_reason', 'suspended', 'excluded')
GROUP BY 1
"""
# Of the same reviews, so that each count is a part of the one above.
_EXCLUDED = """
SELECT e.agency_code AS agency, e.reason, count(*) AS n
FROM exclusions e JOIN reviews r ON r.id = e.review_id
WHERE e.region_code = ANY($1) AND r.at >= $2 AND r.at < $3 AND e.lifted_at IS NULL GROUP BY 1, 2
"""
_APPEALED = """
SELECT a.agency_code AS agency, a.state, count(*) AS n
FROM appeals a JOIN reviews r ON r.id = a.review_id
WHERE a.region_code = ANY($1) AND r.at >= $2 AND r.at < $3 AND a.round = 'appeal' GROUP BY 1, 2
"""


async def counts(region_code: str | None, of: Period) -> list[Count]:
    """Every agency with a review of that time; those with most exclusions first."""
    known = catalogue()
    regions = sorted(known.within(region_code) if region_code else known.regions)
    found: dict[str, Count] = {}

    def at(agency: str) -> Count:
        return found.setdefault(agency, Count(agency))

    for row in await sql.fetch(_RATED, regions, *of.bounds):
        at(row["agency"]).reviews, at(row["agency"]).bad_reviews = row["reviews"], row["bad"]
    for row in await sql.fetch(_EXCLUDED, regions, *of.bounds):
        at(row["agency"]).excluded[Excluded(row["reason"])] = row["n"]
    for row in await sql.fetch(_APPEALED, regions, *of.bounds):
        at(row["agency"]).appeals[AppealState(row["state"])] = row["n"]
    return sorted(found.values(), key=lambda one: (-one.left_out, one.agency_code))


def today() -> date:
    return clock.now().astimezone(BEIJING).date()
