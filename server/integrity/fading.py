"""By what a rater could be known again is kept for the policy's `trace_days`, and no longer."""

from datetime import datetime, timedelta

from server.integrity.watch import kept_since
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.transaction import transaction

_AGAIN = timedelta(days=1)
"""Looked at once more: a review is there for others only after its commit."""
_BEFORE_ALL = datetime(2000, 1, 1, tzinfo=BEIJING)
_HOW_FAR = """
SELECT traced_to FROM watermarks WHERE name = $1
"""
_TRACES = """
DELETE FROM traces WHERE at < $1 AND region_code = $2 RETURNING review_id
"""
# Only what became old since the last time is read: a day's reviews lie together.
_DEVICES = """
UPDATE reviews SET device_key = NULL
WHERE at >= $1 AND at < $2 AND region_code = $3 AND device_key IS NOT NULL RETURNING id
"""
_DONE = """
INSERT INTO watermarks (name, traced_to) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET traced_to = greatest(watermarks.traced_to, excluded.traced_to)
"""


async def forget() -> int:
    """The job: traces go, devices' names are emptied; ratings and suspicions stay."""
    gone = 0
    for region_code, until in kept_since(clock.now()).items():
        gone += await _forget(region_code, until)
    return gone


async def _forget(region_code: str, until: datetime) -> int:
    async with transaction():
        name = f"old {region_code}"
        row = await sql.fetch_one(_HOW_FAR, name)
        since = row["traced_to"] - _AGAIN if row else _BEFORE_ALL
        traces = await sql.fetch(_TRACES, until, region_code)
        devices = await sql.fetch(_DEVICES, since, until, region_code)
        await sql.fetch(_DONE, name, until)
    return len(traces) + len(devices)
