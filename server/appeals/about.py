"""What a case is about, as the reviewed side may see it, and as those who rule do."""

from collections.abc import Callable

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.redaction import redact
from server.reviews.models import Review
from server.reviews.rules import ReviewChannel
from server.reviews.snapshot import Given, Verdict, known_to_us, snapshot_of
from server.workorders.opening import Snapshot


async def mask_of(review: Review) -> Callable[[str], str]:
    """Takes the citizen's name and numbers out of what others wrote, for those who rule. The agency
    reads its own words as they are: what is masked there would tell it whether it guessed right."""
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", review.receipt_id)
    known = known_to_us(receipt, review.contact)
    return lambda words: redact(words, known=known) if words else ""


async def seen_of(review: Review) -> Snapshot:
    """Matter, place, day, level, reasons and redacted words, with what he added later."""
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", review.receipt_id)
    words = "\n".join(said for said in (review.comment, review.supplement) if said)
    return snapshot_of(
        Given(
            id=review.id, query_code="", receipt=receipt, contact=review.contact,
            verdict=Verdict(
                level=review.level, tags=review.tags, comment=words, real_name=review.real_name
            ),
            channel=ReviewChannel(review.channel), policy=catalogue().policy(review.region_code),
            at=review.at, undo_until=review.undo_until,
        )
    )  # fmt: skip
