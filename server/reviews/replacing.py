"""A citizen's own review takes a default rating's place: for the policy's `late_days` the code is open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.receipts.rules import is_open, late_until, rates_until
from server.reviews.rules import ReviewChannel, ReviewState
from server.reviews.snapshot import Given

_LATE = """late AS (
  SELECT * FROM unnest({late}::uuid[], {late_until}::timestamptz[]) AS l(id, until)
)"""
# A request that is repeated has its review already and replaces nothing.
_REPLACED = """replaced AS (
  UPDATE reviews d SET state = 'excluded', replaced_at = greatest(given.at, d.at)
  FROM given JOIN late ON late.id = given.id AND given.at <= late.until
  JOIN receipts r ON r.id = given.receipt_id AND r.voided_at IS NULL
  WHERE d.receipt_id = given.receipt_id AND d.state = 'default' AND NOT EXISTS (
    SELECT 1 FROM reviews s
    WHERE s.receipt_id = given.receipt_id AND s.request_key = given.request_key)
  RETURNING given.id
)"""
# Whose late review was undone may rate again.
_ADMITTED = """admitted AS (
  SELECT id FROM replaced UNION
  SELECT given.id FROM given JOIN late ON late.id = given.id AND given.at <= late.until
  JOIN reviews d ON d.receipt_id = given.receipt_id AND d.replaced_at IS NOT NULL
)"""


@dataclass(frozen=True)
class Openness:
    """All that the holder of a code learns."""

    state: Literal["open", "reviewed", "closed"]
    until: datetime


async def openness(receipt: Record, held: int) -> Openness:
    """To whom the receipt's code of this generation was given. An older one is used up, as it was
    before there was a newer: its holder is not told that somebody objected."""
    rows = await sql.fetch(
        "SELECT state, channel FROM reviews WHERE receipt_id = $1", receipt["id"]
    )
    until, voided = receipt["open_until"], receipt["voided_at"] is not None
    if any(row["channel"] == ReviewChannel.SYSTEM for row in rows):
        until = late_until(until, catalogue().policy(receipt["region_code"]).late_days)
    if held < receipt["generation"]:
        return Openness("reviewed", until)
    if held:
        until = rates_until(until, receipt["reopened_until"])
    if any(row["state"] in (ReviewState.STANDING, ReviewState.AWAITING_REASON) for row in rows):
        return Openness("reviewed", until)
    return Openness("open" if is_open(until, voided, clock.now()) else "closed", until)


async def admissible(given: Sequence[Given]) -> Mapping[UUID, datetime]:
    """Of what was not stored: that which may take a default rating's place, and until when."""
    rows = await sql.fetch(
        "SELECT receipt_id FROM reviews WHERE receipt_id = ANY($1) AND channel = 'system'",
        [g.receipt["id"] for g in given],
    )
    rated = {row["receipt_id"] for row in rows}
    return {
        g.id: late_until(g.receipt["open_until"], g.policy.late_days)
        for g in given if g.receipt["id"] in rated
    }  # fmt: skip


def parts(late: Mapping[UUID, datetime]) -> tuple[sql.Part, ...]:
    """Of the statement of a submission, between what was given and the receipt's part in it."""
    values = {"late": list(late), "late_until": list(late.values())}
    return sql.Part(_LATE, values), sql.Part(_REPLACED, {}), sql.Part(_ADMITTED, {})
