"""What became of an order, told to the citizen over the channel on which he rated."""

import json
from datetime import datetime

from asyncpg import Record

from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.messages import service as messages
from server.reviews import questions
from server.reviews.rules import ReviewChannel


async def tell(order: str) -> int:
    """The job of an answered order: a question whether the citizen is content. Doing it twice asks
    once."""
    now = clock.now()
    rows = await sql.fetch(
        "SELECT r.id, r.channel, r.contact, r.receipt_id, o.next_due_at FROM work_orders o "
        "JOIN reviews r ON r.id = o.origin_key "
        "WHERE o.number = $1 AND o.state = 'answered' AND r.state = 'standing'",
        order,
    )
    if not rows:
        return 0
    (row,) = rows
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", row["receipt_id"])
    phone = _phone(row, receipt)
    return await _ask(row, receipt, phone, now) if phone else 0


async def _ask(row: Record, receipt: Record, phone: str, now: datetime) -> int:
    async with transaction():
        await messages.lock([phone], now)
        asked = await sql.fetch(
            "SELECT 1 FROM questions WHERE review_id = $1 AND asking = 'verdict' "
            "AND state IN ('waiting', 'open')",
            row["id"],
        )
        if asked:
            return 0
        await questions.add([
            questions.New(
                receipt=receipt, phone=phone, asking="verdict", review_id=row["id"], due_at=now,
                give_up_at=row["next_due_at"],
            )
        ])  # fmt: skip
    return 1


def _phone(row: Record, receipt: Record) -> str | None:
    """What was given with the review, or the phone by which it came."""
    if row["contact"]:
        try:
            given: str | None = json.loads(vault().unseal(row["contact"], "contact"))["phone"]
        except BrokenSeal:
            given = None  # under a key that was withdrawn
        if given:
            return given
    return questions.phone_of(receipt) if row["channel"] == ReviewChannel.SMS else None
