"""The one statement of a submission: receipts redeemed, reviews stored, orders opened, one commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.kit import query_codes as codes
from server.kit import sql
from server.kit.lanes import Gathered
from server.receipts import redeeming
from server.reviews import replacing
from server.reviews.rules import ReviewState
from server.reviews.snapshot import Given
from server.workorders import opening as orders
from server.workorders import to_call


@dataclass(frozen=True)
class Submission:
    given: Given
    opening: orders.Opening | None
    """There if the review is bad and has its reason."""
    state: ReviewState = ReviewState.STANDING


_GIVEN = """given AS (
  SELECT * FROM unnest({review}::uuid[], {receipt}::bigint[], {level}::smallint[], {tags}::text[],
    {comment}::text[], {channel}::text[], {real_name}::bool[], {contact}::bytea[],
    {at}::timestamptz[], {undo_until}::timestamptz[], {order_number}::text[], {query_key}::text[],
    {request_key}::text[], {request_digest}::text[], {state}::text[], {held}::smallint[],
    {device_key}::text[])
    AS g(id, receipt_id, level, tags, comment, channel, real_name, contact, at, undo_until,
      order_number, query_key, request_key, request_digest, state, held, device_key)
)"""
# Whoever comes second to a receipt, or repeats a request, is left out by the unique indexes.
_REVIEWED = """reviewed AS (
  INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel, real_name,
    contact, at, undo_until, order_number, query_key, request_key, request_digest, device_key)
  SELECT id, receipt_id, region_code, level, string_to_array(tags, ','), comment, state,
    channel, real_name, contact, at, undo_until, order_number, query_key, request_key, request_digest,
    device_key
  FROM redeemed ORDER BY receipt_id
  ON CONFLICT DO NOTHING RETURNING id, region_code, at, comment
)"""
_RATED = """rated AS (
  SELECT r.*, k.rater FROM reviewed r
  JOIN unnest({rated}::uuid[], {rater}::uuid[]) AS k(review_id, rater) ON k.review_id = r.id
)"""
# Whoever is being forgotten in this moment is waited for, and then nothing is his any more.
_CLAIMED = """claimed AS (
  INSERT INTO claims (review_id, region_code, citizen_id, reviewed_at, by_code)
  SELECT r.id, r.region_code, c.id, r.at, FALSE FROM rated r
  JOIN citizens c ON c.id = r.rater AND c.erased_at IS NULL FOR SHARE OF c
)"""
_TO_CHECK = """to_check AS (
  INSERT INTO word_checks (review_id, state, reason, tries, next_at)
  SELECT id, 'waiting', '', 0, at FROM rated WHERE comment <> ''
)"""


async def store_all(submissions: Sequence[Submission]) -> list[bool]:
    """Whether each was stored; its order was stored with it or not at all. In the caller's
    transaction if there is one."""
    stored = await _stored(submissions, [sql.Part(redeeming.REDEEMED, {})])
    missed = [s for s in submissions if s.given.id not in stored]
    if missed and (late := await replacing.admissible([s.given for s in missed])):
        redeemed = [*replacing.parts(late), sql.Part(redeeming.REDEEMED_LATE, {})]
        stored |= await _stored([s for s in missed if s.given.id in late], redeemed)
    return [submission.given.id in stored for submission in submissions]


async def _stored(submissions: Sequence[Submission], redeemed: Sequence[sql.Part]) -> set[UUID]:
    openings = [s.opening for s in submissions if s.opening]
    parts = [
        sql.Part(_GIVEN, _columns([s.given for s in submissions], submissions)),
        *redeemed,
        sql.Part(_REVIEWED, {}),
        *_remembered([s.given for s in submissions if s.given.rater]),
        *orders.stored(openings, after="reviewed"),
        *to_call.stored(openings, after="reviewed"),
    ]
    return {row["id"] for row in await sql.together(parts, "SELECT id FROM reviewed")}


def _remembered(rated: Sequence[Given]) -> list[sql.Part]:
    """For those who signed in: whose it is, and that WeChat is to look at the words."""
    if not rated:
        return []
    values = {"rated": [g.id for g in rated], "rater": [g.rater for g in rated]}
    return [sql.Part(_RATED, values), sql.Part(_CLAIMED, {}), sql.Part(_TO_CHECK, {})]


async def check_anew(review_id: UUID, at: datetime, rater: UUID | None = None) -> None:
    """Words were added to a review of one who was signed in then, or is now: the `rater`. In the
    caller's transaction."""
    await sql.fetch(
        "INSERT INTO word_checks (review_id, state, reason, tries, next_at) "
        "SELECT review_id, 'waiting', '', 0, $2 FROM claims "
        "WHERE review_id = $1 AND (NOT by_code OR citizen_id = $3) "
        "ON CONFLICT (review_id) DO UPDATE SET state = 'waiting', reason = '', tries = 0, next_at = $2",
        review_id, at, rater,
    )  # fmt: skip


def _columns(given: Sequence[Given], submissions: Sequence[Submission]) -> dict[str, list[object]]:
    return {
        "review": [g.id for g in given], "receipt": [g.receipt["id"] for g in given],
        "level": [g.verdict.level for g in given], "tags": [",".join(g.verdict.tags) for g in given],
        "comment": [g.verdict.comment for g in given], "channel": [g.channel for g in given],
        "real_name": [g.verdict.real_name for g in given], "contact": [g.contact for g in given],
        "at": [g.at for g in given], "undo_until": [g.undo_until for g in given],
        "order_number": [s.opening.number if s.opening else None for s in submissions],
        "query_key": [codes.query_key(g.query_code) for g in given],
        "request_key": [g.attempt.key if g.attempt else None for g in given],
        "request_digest": [g.attempt.digest if g.attempt else None for g in given],
        "state": [s.state for s in submissions],
        "held": [_held(g.receipt) for g in given], "device_key": [g.device_key for g in given],
    }  # fmt: skip


def _held(receipt: Any) -> int:
    """Of the code by which it was found; a phone's owner needs none."""
    return int(receipt.get("held", receipt["generation"]))


store = Gathered(store_all).ask


_COMPLETED = """reviewed AS (
  UPDATE reviews SET state = 'standing', tags = string_to_array(c.tags, ','), comment = c.comment,
    undo_until = c.undo_until, order_number = c.order_number
  FROM unnest({review}::uuid[], {tags}::text[], {comment}::text[], {undo_until}::timestamptz[],
    {order_number}::text[]) AS c(id, tags, comment, undo_until, order_number)
  WHERE reviews.id = c.id AND reviews.state = 'awaiting_reason' RETURNING reviews.id
)"""


async def complete(submissions: Sequence[Submission]) -> set[UUID]:
    """Reviews that awaited their reason get it, or the order without it; gives those that did."""
    columns = _columns([s.given for s in submissions], submissions)
    wanted = ("review", "tags", "comment", "undo_until", "order_number")
    parts = [
        sql.Part(_COMPLETED, {name: columns[name] for name in wanted}),
        *orders.stored([s.opening for s in submissions if s.opening], after="reviewed"),
    ]
    return {row["id"] for row in await sql.together(parts, "SELECT id FROM reviewed")}
