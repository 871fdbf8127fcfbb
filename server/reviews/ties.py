"""Which order belongs to a review: the one that it opened, or the one that its call-back opened."""

from server.kit import sql
from server.reviews.models import Review

ORDER_OF = """coalesce(r.order_number, (
  SELECT b.order_number FROM call_backs b WHERE b.review_id = r.id AND b.kind = 'sample'))"""
"""For a statement in which `r` is the review. A satisfied review stays without an order of its own,
whatever its call-back brought to light."""


async def order_of(review: Review) -> str | None:
    if review.order_number:
        return review.order_number
    row = await sql.fetch_one(
        "SELECT order_number FROM call_backs WHERE review_id = $1 AND kind = 'sample'", review.id
    )
    return row["order_number"] if row else None
