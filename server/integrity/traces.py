"""Writing down what ratings are compared by, and finding those that belong together. Statements only,
each over an index and in the caller's transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from server.integrity.patterns import SLIPS, Seen
from server.integrity.phrases import plain
from server.kit import sql
from server.receipts.rules import WALL, Channel

_SEEN = (
    "t.review_id, t.receipt_id, t.region_code, t.agency_code, t.window_code, t.channel, t.level, "
    "t.at, t.seconds, t.undone, t.words"
)
_COUNTERS = (Channel.WINDOW, Channel.SELF_SERVICE, WALL)
"""Where people stand. A platform that names a window has results in batches, and no queue."""

# Only what is left over is joined: after a standstill many wait.
_UNTRACED = """
SELECT v.id, v.receipt_id, c.region_code, c.agency_code, c.window_code, c.officer_number, v.channel,
  v.level, v.at, c.issued_at, c.channel AS came_by, v.state = 'undone' AS undone, v.device_key,
  c.phone_key, v.comment
FROM (
  SELECT r.* FROM reviews r JOIN unnest($4::text[], $5::timestamptz[]) AS k(region_code, since)
    ON k.region_code = r.region_code AND r.at >= k.since
  WHERE r.at >= $1 AND r.at < $2 AND r.channel <> 'system'
    AND NOT EXISTS (SELECT 1 FROM traces t WHERE t.review_id = r.id)
  ORDER BY r.at LIMIT $3
) v JOIN receipts c ON c.id = v.receipt_id ORDER BY v.at
"""
_TRACE = """
INSERT INTO traces (review_id, region_code, agency_code, window_code, officer_number, receipt_id,
  channel, level, at, seconds, undone, device_key, phone_key, words)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
  $7::text[], $8::smallint[], $9::timestamptz[], $10::int[], $11::bool[], $12::text[], $13::text[],
  $14::text[])
ON CONFLICT DO NOTHING
"""
_UNDONE = """
UPDATE traces t SET undone = TRUE FROM reviews v
WHERE v.undone_at >= $1 AND t.review_id = v.id AND NOT t.undone RETURNING t.receipt_id
"""


async def untraced(
    since: datetime, until: datetime, most: int, kept: Mapping[str, datetime]
) -> list[Record]:
    """Reviews without a trace, in the order in which they were given; of each region those whose trace
    is `kept`. Nobody gave a default one."""
    return await sql.fetch(_UNTRACED, since, until, most, list(kept.keys()), list(kept.values()))


async def trace(rows: Sequence[Record]) -> None:
    made = [_traced(row) for row in rows]
    if made:
        await sql.fetch(_TRACE, *map(list, zip(*made, strict=True)))


def _traced(row: Record) -> tuple[Any, ...]:
    on_the_wall = row["came_by"] == WALL
    return (
        row["id"], row["region_code"], row["agency_code"],
        row["window_code"] if row["came_by"] in _COUNTERS else None, row["officer_number"],
        row["receipt_id"], row["channel"], row["level"], row["at"],
        None if on_the_wall else int((row["at"] - row["issued_at"]).total_seconds()),
        row["undone"], row["device_key"], row["phone_key"], plain(row["comment"]),
    )  # fmt: skip


async def undo(since: datetime) -> list[int]:
    """Traces of reviews that were undone meanwhile; gives their receipts."""
    return [row["receipt_id"] for row in await sql.fetch(_UNDONE, since)]


def _seen(row: Record) -> Seen:
    return Seen(
        review_id=row["review_id"], receipt_id=row["receipt_id"], region_code=row["region_code"],
        agency_code=row["agency_code"], window_code=row["window_code"], channel=row["channel"],
        level=row["level"], at=row["at"], seconds=row["seconds"], undone=row["undone"],
        words=row["words"],
    )  # fmt: skip


Groups = dict[tuple[str, ...], list[Seen]]


def _grouped(rows: Iterable[Record]) -> Groups:
    """By what they have in common, and the agency: each has its own region's thresholds."""
    groups: Groups = {}
    for row in rows:
        groups.setdefault((str(row["key"]), row["agency_code"]), []).append(_seen(row))
    return groups


async def of(reviews: Sequence[UUID]) -> list[Seen]:
    rows = await sql.fetch(
        f"SELECT {_SEEN} FROM traces t WHERE review_id = ANY($1::uuid[])",  # noqa: S608
        reviews,
    )
    return [_seen(row) for row in rows]


async def sharing(column: str, reviews: Sequence[UUID], since: datetime) -> Groups:
    """All with the same `device_key` or `phone_key` as one of these."""
    return _grouped(await sql.fetch(
        f"SELECT t.{column} AS key, {_SEEN} FROM traces t WHERE t.at >= $2 AND t.{column} IN ("  # noqa: S608
        f"SELECT DISTINCT n.{column} FROM traces n WHERE n.review_id = ANY($1::uuid[])"
        f" AND n.{column} IS NOT NULL)",
        reviews, since,
    ))  # fmt: skip


async def by_persons(reviews: Sequence[UUID], since: datetime) -> Groups:
    """All by those who were signed in when they gave one of these."""
    return _grouped(await sql.fetch(
        f"SELECT c.citizen_id AS key, {_SEEN} FROM claims c JOIN traces t ON t.review_id = c.review_id "  # noqa: S608
        "WHERE NOT c.by_code AND c.reviewed_at >= $2 AND c.citizen_id IN (SELECT n.citizen_id "
        "FROM claims n WHERE n.review_id = ANY($1::uuid[]) AND NOT n.by_code)",
        reviews, since,
    ))  # fmt: skip


_INSIDERS = f"""
WITH here AS (
  SELECT kind, key, agency_code FROM insiders WHERE loaded_at >= $2
  UNION SELECT i.kind, i.key, i.agency_code FROM traces n
    JOIN insiders i ON i.kind = 'phone' AND i.key = n.phone_key AND i.agency_code = n.agency_code
    WHERE n.review_id = ANY($1::uuid[])
  UNION SELECT i.kind, i.key, i.agency_code FROM claims o JOIN traces n ON n.review_id = o.review_id
    JOIN citizens p ON p.id = o.citizen_id
    JOIN insiders i ON i.kind = 'openid' AND i.key = p.openid_key AND i.agency_code = n.agency_code
    WHERE o.review_id = ANY($1::uuid[]) AND NOT o.by_code
)
SELECT i.key, {_SEEN} FROM here i JOIN traces t ON t.phone_key = i.key
  AND t.agency_code = i.agency_code WHERE i.kind = 'phone'
UNION ALL
SELECT i.key, {_SEEN} FROM here i JOIN citizens p ON p.openid_key = i.key
JOIN claims c ON c.citizen_id = p.id AND NOT c.by_code
JOIN traces t ON t.review_id = c.review_id AND t.agency_code = i.agency_code WHERE i.kind = 'openid'
"""  # noqa: S608


async def by_insiders(reviews: Sequence[UUID], since: datetime) -> Groups:
    """All ratings of their own agency by those of the staff who gave one of these, or came onto the list
    since."""
    return _grouped(await sql.fetch(_INSIDERS, reviews, since))


Span = tuple[str, str, datetime, datetime]
"""Of an agency's window, from a moment to another."""


async def at_windows(spans: Collection[Span], only: str = "TRUE") -> Groups:
    """By window; of the traces t those for which a condition holds."""
    if not spans:
        return {}
    return _grouped(await sql.fetch(
        f"SELECT t.window_code AS key, {_SEEN} FROM unnest($1::text[], $2::text[], $3::timestamptz[], "  # noqa: S608
        "$4::timestamptz[]) AS w(agency_code, window_code, since, until) JOIN traces t "
        "ON t.agency_code = w.agency_code AND t.window_code = w.window_code AND t.at >= w.since "
        f"AND t.at <= w.until WHERE {only}",
        *map(list, zip(*spans, strict=True)),
    ))  # fmt: skip


async def slips(span: Span) -> int:
    """How many slips of a window were rated."""
    (row,) = await sql.fetch(
        "SELECT count(*) FROM traces t WHERE agency_code = $1 AND window_code = $2 AND at >= $3 "
        "AND at <= $4 AND NOT undone AND channel = ANY($5::text[])",
        *span, list(SLIPS),
    )  # fmt: skip
    return int(row["count"])


async def uses(words: Collection[str], seen: Seen, since: datetime) -> int:
    """How often a sentence and its variants were written about other agencies."""
    (row,) = await sql.fetch(
        "SELECT count(*) FROM traces WHERE words <> '' AND words = ANY($1::text[]) AND at >= $2 "
        "AND agency_code <> $3",
        list(words), since, seen.agency_code,
    )  # fmt: skip
    return int(row["count"])


_TAKEN_BACK = f"""
WITH touched AS (
  SELECT DISTINCT u.agency_code, u.window_code FROM traces u
  WHERE u.receipt_id = ANY($1::bigint[]) AND u.undone AND u.level <= 2 AND u.window_code IS NOT NULL
), bad AS (
  SELECT b.agency_code, b.window_code, b.receipt_id, b.undone, b.at,
    count(*) OVER (PARTITION BY b.agency_code, b.window_code) AS here
  FROM touched JOIN traces b ON b.agency_code = touched.agency_code
    AND b.window_code = touched.window_code AND b.at >= $2 AND b.level <= 2
)
SELECT bad.here, {_SEEN} FROM bad JOIN traces t ON t.receipt_id = bad.receipt_id AND t.at > bad.at
WHERE bad.undone AND NOT t.undone AND t.level > 2 ORDER BY t.at
"""  # noqa: S608


async def taken_back(receipts: Sequence[int], since: datetime) -> list[tuple[list[Seen], int]]:
    """Where one of these receipts lost its bad rating: of each window the better ratings that followed
    such ones, and how many bad ones it had in all."""
    windows: dict[tuple[str, str], tuple[dict[UUID, Seen], int]] = {}
    for row in await sql.fetch(_TAKEN_BACK, receipts, since):
        window = windows.setdefault((row["agency_code"], row["window_code"]), ({}, row["here"]))
        window[0][row["review_id"]] = _seen(row)
    return [(list(better.values()), bad) for better, bad in windows.values()]


async def voided(receipts: Sequence[int], since: datetime) -> list[tuple[Seen, datetime]]:
    """Bad ratings of receipts that were voided since, or are among these; and when that was asked for."""
    rows = await sql.fetch(
        f"SELECT v.asked_at, {_SEEN} FROM voids v JOIN traces t ON t.receipt_id = v.receipt_id "  # noqa: S608
        "WHERE v.state = 'voided' AND (v.decided_at >= $2 OR v.receipt_id = ANY($1::bigint[])) "
        "AND t.level <= 2 AND NOT t.undone",
        receipts, since,
    )  # fmt: skip
    return [(_seen(row), row["asked_at"]) for row in rows]


# The next step of a case is another service, with a receipt of its own: only the same step counts.
_REISSUED = """
WITH later AS (
  SELECT t.review_id, t.phone_key, c.id, c.region_code, c.agency_code, c.case_number, c.matter_code,
    c.stage, c.issued_at
  FROM traces t JOIN receipts c ON c.id = t.receipt_id AND c.channel <> $3
  WHERE t.review_id = ANY($1::uuid[]) AND t.level > 2 AND NOT t.undone
)
SELECT b.review_id AS bad, l.review_id AS later FROM later l
JOIN receipts e ON e.region_code = l.region_code AND e.agency_code = l.agency_code
  AND e.case_number = l.case_number AND e.id <> l.id
  AND (e.stage = l.stage OR e.stage IS NULL OR l.stage IS NULL)
JOIN traces b ON b.receipt_id = e.id AND b.at <= l.issued_at AND b.level <= 2 AND NOT b.undone
UNION
SELECT b.review_id, l.review_id FROM later l
JOIN traces b ON b.phone_key = l.phone_key AND b.at <= l.issued_at AND b.at > l.issued_at - $2::interval
  AND b.agency_code = l.agency_code AND b.level <= 2 AND NOT b.undone
JOIN receipts e ON e.id = b.receipt_id AND e.matter_code = l.matter_code AND e.id <> l.id
  AND (e.stage = l.stage OR e.stage IS NULL OR l.stage IS NULL)
"""


async def reissued(reviews: Sequence[UUID], within: timedelta) -> list[tuple[Seen, Seen]]:
    """A bad rating and the better one of a receipt that the same service, or the same phone for the same
    matter, got afterwards."""
    rows = await sql.fetch(_REISSUED, reviews, within, WALL)
    seen = {one.review_id: one for one in await of([id_ for row in rows for id_ in row])}
    return [(seen[row["bad"]], seen[row["later"]]) for row in rows]
