"""Rating by default (G6): whoever said nothing in time is put on record as one who said nothing.

Off unless the region's policy wants it; it rates only receipts that were issued while it did. It is in
no figure of satisfaction, and a citizen's own review takes its place: see replacing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.ids import new_id
from server.kit.transaction import transaction
from server.reviews.rules import Level

_BATCH = 500
LEVEL = Level.FAIR
"""默认为“基本满意”."""


@dataclass(frozen=True)
class Facts:
    """What is known of a receipt whose time has passed."""

    wanted: bool
    """By the region's policy, now too."""
    voided: bool
    spoken: bool
    """There is a review that was not undone, or a reply by SMS that a person has to read."""
    asked: bool
    """A question by SMS about it is open or waiting."""


class Fate(StrEnum):
    RATE = "rate"
    WAIT = "wait"
    LEAVE = "leave"


def fate_of(facts: Facts) -> Fate:
    if not facts.wanted or facts.voided or facts.spoken:
        return Fate.LEAVE
    return Fate.WAIT if facts.asked else Fate.RATE


# Only issued receipts have a `default_at`: a visit that nobody vouches for is never rated.
_DUE = """
SELECT id, region_code, voided_at FROM receipts WHERE default_at < $1
ORDER BY default_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
"""
_KNOWN = """
SELECT r.id,
  EXISTS (SELECT 1 FROM reviews v WHERE v.receipt_id = r.id AND v.state <> 'undone')
    OR EXISTS (SELECT 1 FROM questions q WHERE q.receipt_id = r.id AND q.state = 'handed_over')
    AS spoken,
  (SELECT max(CASE q.state WHEN 'open' THEN q.open_until ELSE q.give_up_at END) FROM questions q
   WHERE q.receipt_id = r.id AND q.state IN ('open', 'waiting')) AS asked_until
FROM unnest($1::bigint[]) AS r(id)
"""
# Who rates in this very moment is waited for, and comes first.
_RATED = """
INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel, real_name, at,
  undo_until, query_key)
SELECT d.id, d.receipt_id, d.region_code, $5, '{}', '', 'default', 'system', false, $6, $6, d.query_key
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])
  AS d(id, receipt_id, region_code, query_key)
ORDER BY d.receipt_id ON CONFLICT DO NOTHING RETURNING id
"""
_THOUGHT_ABOUT = """
UPDATE receipts SET default_at = l.at
FROM unnest($1::bigint[], $2::timestamptz[]) AS l(id, at) WHERE receipts.id = l.id
"""


async def rate() -> int:
    """Until no receipt is left whose time has passed; gives how many were rated."""
    done, more = 0, True
    while more:
        rated, found = await _rate(clock.now())
        done, more = done + rated, found == _BATCH
    if done:
        metrics.defaults.inc(done)
    return done


async def _rate(now: datetime) -> tuple[int, int]:
    async with transaction():
        due = await sql.fetch(_DUE, now, _BATCH)
        if not due:
            return 0, 0
        known = {row["id"]: row for row in await sql.fetch(_KNOWN, [row["id"] for row in due])}
        fates = {row["id"]: fate_of(_facts(row, known[row["id"]])) for row in due}
        rated = await _store([row for row in due if fates[row["id"]] is Fate.RATE], now)
        again = [
            max(known[number]["asked_until"], now) if fate is Fate.WAIT else None
            for number, fate in fates.items()
        ]
        await sql.fetch(_THOUGHT_ABOUT, list(fates), again)
    return rated, len(due)


def _facts(receipt: Record, known: Record) -> Facts:
    return Facts(
        wanted=catalogue().policy(receipt["region_code"]).default_rating,
        voided=receipt["voided_at"] is not None,
        spoken=known["spoken"],
        asked=known["asked_until"] is not None,
    )


async def _store(receipts: Sequence[Record], now: datetime) -> int:
    """Like any review each has its query code; nobody holds it."""
    if not receipts:
        return 0
    ids: list[Any] = [new_id() for _ in receipts]
    stored = await sql.fetch(
        _RATED, ids, [r["id"] for r in receipts], [r["region_code"] for r in receipts],
        [codes.query_key(codes.query_code(review_id)) for review_id in ids], LEVEL, now,
    )  # fmt: skip
    return len(stored)
