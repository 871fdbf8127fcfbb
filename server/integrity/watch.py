"""刷评核查: follows the reviews off the hot path, compares each with those it belongs to, and writes down
what looks gamed. Nothing is deleted and no rating changes: people look, at the supervisor's desk.

Traces, suspicions and the watermark of one round are one commit, and only one worker is at it: killed
in the middle, the round was never begun.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from server.catalogue.service import catalogue
from server.integrity import comparing, suspicions, traces
from server.integrity.patterns import Finding
from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction

NAME = "watch"
OVERLAP = timedelta(minutes=10)
"""A review carries the time at which it was given, and is there for others after its commit: no
transaction lasts so long, and no machine's clock is so wrong."""
LATE = timedelta(days=3)
"""A reply by SMS that was written in time may come days later, with its own time."""
_BATCH, _STRIDE = 1000, timedelta(days=1)
"""After a standstill it catches up step by step: other work waits for none of them."""
_TAKE = "SELECT traced_to FROM watermarks WHERE name = $1 FOR UPDATE SKIP LOCKED"
_BEGIN = """
INSERT INTO watermarks (name, traced_to)
SELECT $1, coalesce(min(at), $2::timestamptz) FROM reviews WHERE at >= $3
ON CONFLICT DO NOTHING
"""


async def watch() -> int:
    """The tick: until there is nothing new; gives how many reviews it traced or found undone."""
    return await _rounds(OVERLAP)


async def watch_late() -> int:
    """Once in a while, also for those that came late."""
    return await _rounds(LATE)


async def _rounds(overlap: timedelta) -> int:
    done, more = 0, True
    while more:
        count, more = await _round(clock.now(), overlap)
        done += count
    return done


async def _round(now: datetime, overlap: timedelta) -> tuple[int, bool]:
    async with transaction():
        traced_to = await _taken(now)
        if traced_to is None:
            return 0, False  # another worker is at it
        since, is_last = traced_to - overlap, now - traced_to < _STRIDE
        until = now + overlap if is_last else traced_to + _STRIDE
        rows = await traces.untraced(since, until, _BATCH, kept_since(now))
        full = len(rows) == _BATCH
        count = await _compared(rows, since, now)
        reached = rows[-1]["at"] if full else until
        await sql.fetch(
            "UPDATE watermarks SET traced_to = $2 WHERE name = $1",
            NAME, max(traced_to, min(now, reached)),
        )  # fmt: skip
    return count, full or not is_last


async def _compared(rows: Sequence[Record], since: datetime, now: datetime) -> int:
    await traces.trace(rows)
    undone = await traces.undo(since)
    new = await traces.of([row["id"] for row in rows])
    await _suspect(await comparing.findings(comparing.Round(new, undone, since)), now)
    return len(rows) + len(undone)


async def _taken(now: datetime) -> datetime | None:
    """How far the watch has come; None while another worker holds it."""
    row = await sql.fetch_one(_TAKE, NAME)
    if row is None:
        await sql.fetch(_BEGIN, NAME, now, min(kept_since(now).values()))
        row = await sql.fetch_one(_TAKE, NAME)
    return row["traced_to"] if row else None


def kept_since(now: datetime) -> dict[str, datetime]:
    """Of each region, what is older is not compared any more; of an unknown agency there is none."""
    known = catalogue()
    days = {code: known.policy(code).trace_days for code in ("", *known.regions)}
    return {code: now - timedelta(days=kept) for code, kept in days.items()}


async def _suspect(found: Sequence[Finding], now: datetime) -> None:
    await suspicions.suspect([
        suspicions.Finding(
            rule=one.rule, region_code=one.seen.region_code, agency_code=one.seen.agency_code,
            window_code=one.seen.window_code, receipt_id=one.seen.receipt_id,
            review_id=one.seen.review_id, evidence=one.evidence,
        )
        for one in found
    ], now)  # fmt: skip
