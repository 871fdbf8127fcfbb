"""A citizen's own history: what he rated, what became of it, and his leaving it behind."""

import base64
import binascii
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from asyncpg import Record

from server.grievances.models import Grievance
from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.kit.web import bad_query
from server.messages import grants
from server.people import citizens
from server.people.citizens import Rater
from server.people.tokens import BadToken
from server.reviews.models import Review
from server.reviews.rules import AlreadyClaimed
from server.reviews.ties import ORDER_OF
from server.workorders.rules import FINAL


class Shown(StrEnum):
    """Which part of the history."""

    ALL = "all"
    OPEN = "open"
    CLOSED = "closed"


_FINAL = ", ".join(repr(str(state)) for state in sorted(FINAL))
_FILTERS = {
    Shown.ALL: "TRUE",
    Shown.OPEN: f"o.state NOT IN ({_FINAL})",
    Shown.CLOSED: f"o.state IN ({_FINAL})",
}
_NEWEST = (datetime.max, UUID(int=(1 << 128) - 1))  # noqa: DTZ901  asyncpg writes it as 'infinity'
_HISTORY = """
SELECT c.review_id, c.reviewed_at, r.level, r.state, r.query_key, t.agency_code, t.matter_code,
  t.window_code, t.hall_code, t.channel, t.handled_at, own.number, o.state AS order_state, o.due_at
FROM claims c JOIN reviews r ON r.id = c.review_id JOIN receipts t ON t.id = r.receipt_id
LEFT JOIN work_orders own ON own.number = {order_of}
LEFT JOIN work_orders o ON o.number = coalesce(own.merged_into, own.number)
WHERE c.citizen_id = $1 AND (c.reviewed_at, c.review_id) < ($2, $3) AND {filter}
ORDER BY c.reviewed_at DESC, c.review_id DESC LIMIT {limit}
"""


async def history(
    rater: Rater, *, shown: Shown, cursor: str, limit: int
) -> tuple[list[Record], str | None]:
    """Newest first; the cursor is his alone."""
    before = _opened(cursor, rater) if cursor else _NEWEST
    rows = await sql.fetch(
        _HISTORY.format(filter=_FILTERS[shown], limit=limit + 1, order_of=ORDER_OF),
        rater.id,
        *before,
    )
    more = len(rows) > limit
    return rows[:limit], _cursor(rows[limit - 1], rater) if more else None


def _cursor(row: Record, rater: Rater) -> str:
    place = f"{row['reviewed_at'].isoformat()} {row['review_id'].hex}".encode()
    return base64.urlsafe_b64encode(vault().seal(place, rater.scope)).decode().rstrip("=")


def _opened(cursor: str, rater: Rater) -> tuple[datetime, UUID]:
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        at, _, review_id = vault().unseal(sealed, rater.scope).decode().partition(" ")
        return datetime.fromisoformat(at), UUID(hex=review_id)
    except (BrokenSeal, ValueError, binascii.Error):
        raise bad_query("cursor", "不是本接口给出的 next_cursor") from None


async def one(rater: Rater, review: Review) -> Record:
    (row,) = await sql.fetch(
        _HISTORY.format(filter="c.review_id = $4", limit=1, order_of=ORDER_OF),
        rater.id,
        *_NEWEST,
        review.id,
    )
    return row


_CLAIM = """
INSERT INTO claims (review_id, region_code, citizen_id, reviewed_at, by_code)
SELECT $2, $3, id, $4, TRUE FROM citizens WHERE id = $1 AND erased_at IS NULL FOR SHARE
ON CONFLICT (review_id) DO UPDATE SET review_id = excluded.review_id RETURNING citizen_id
"""
"""The update changes nothing: it waits for whoever is claiming too, and tells whose it is."""


async def claim(rater: Rater, review: Review) -> None:
    """A review that he gave without signing in. Whose it is already stays so."""
    row = await sql.fetch_one(_CLAIM, rater.id, review.id, review.region_code, review.at)
    if row is None:
        raise BadToken
    if row["citizen_id"] != rater.id:
        raise AlreadyClaimed


async def all_of(rater: Rater) -> list[tuple[Review, bool]]:
    """Every review of his, newest first, and whether he claimed it by its code."""
    rows = await sql.fetch(
        "SELECT review_id, by_code FROM claims WHERE citizen_id = $1 "
        "ORDER BY reviewed_at DESC, review_id DESC",
        rater.id,
    )
    found = await Review.in_bulk([row["review_id"] for row in rows], "id")
    return [(found[row["review_id"]], row["by_code"]) for row in rows]


async def grievances_of(rater: Rater) -> list[Grievance]:
    """Everything that he said through the other doors while he was signed in, newest first."""
    return await Grievance.filter(citizen_id=rater.id).order_by("-at", "-id")


async def erase(rater: Rater) -> None:
    """He is forgotten; what he said stays said, by nobody. A second time changes nothing."""
    now = clock.now()
    async with transaction():
        if not await citizens.forget(rater, now):
            return
        # A review that he only claimed may hold another one's name and phone.
        given = await sql.fetch(
            "UPDATE reviews SET contact = NULL FROM claims c "
            "WHERE c.citizen_id = $1 AND NOT c.by_code AND reviews.id = c.review_id RETURNING id",
            rater.id,
        )
        given += await sql.fetch(
            "UPDATE grievances SET contact = NULL, contact_key = NULL, citizen_id = NULL "
            "WHERE citizen_id = $1 RETURNING id",
            rater.id,
        )
        await sql.fetch(
            "UPDATE questions SET state = 'needless', ended_at = $2, phone = NULL "
            "WHERE review_id = ANY($1) AND state = 'waiting'",
            [row["id"] for row in given], now,
        )  # fmt: skip
        await sql.fetch("DELETE FROM claims WHERE citizen_id = $1", rater.id)
        await grants.forget(rater)
