"""From November on somebody must be told that next year's calendar is missing."""

import logging
from datetime import datetime

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit.clock import BEIJING, clock
from server.kit.transaction import transaction
from server.people.rules import Role

log = logging.getLogger(__name__)
FROM_MONTH = 11
"""The State Council publishes the arrangement of the next year in late October or November."""
_KIND = "calendar"


def missing_year(years: frozenset[int], now: datetime) -> int | None:
    """The year whose calendar is needed and not loaded."""
    today = now.astimezone(BEIJING).date()
    needed = [today.year] + ([today.year + 1] if today.month >= FROM_MONTH else [])
    return next((year for year in needed if year not in years), None)


def calendar_alarm(now: datetime) -> str | None:
    """What the console says above everything else, if there is something to say."""
    year = missing_year(catalogue().calendar.years, now)
    if year is None:
        return None
    return f"{year} 年的放假安排还没有载入，跨入该年的期限都是暂定的；公布后请立即载入"


_TOLD = """
INSERT INTO alerts (staff_id, kind, words, at)
SELECT s.id, $1::text, $2::text, $3::timestamptz FROM staff s
WHERE s.active AND s.role = ANY($4::text[]) AND NOT EXISTS (SELECT 1 FROM alerts a
  WHERE a.staff_id = s.id AND a.kind = $1 AND (a.at >= $5 OR a.seen_at IS NULL))
RETURNING id
"""


async def watch() -> int:
    """Tells admins and supervisors once a day, and nobody again who has not opened the last one."""
    now = clock.now()
    words = calendar_alarm(now)
    metrics.calendar_missing.set(1 if words else 0)
    if words is None:
        return 0
    log.warning(
        "a calendar is missing", extra={"year": missing_year(catalogue().calendar.years, now)}
    )
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    async with transaction():
        await sql.fetch("SELECT pg_advisory_xact_lock(hashtext($1))", f"alerts:{_KIND}")
        told = await sql.fetch(
            _TOLD, _KIND, words, now, [str(Role.ADMIN), str(Role.SUPERVISOR)], midnight
        )
    return len(told)
