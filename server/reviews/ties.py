"""Which order belongs to a voice: the one that it opened, or the one that its call-back opened."""

from server.kit import sql
from server.reviews.voices import Voice

ORDER_OF = """coalesce(r.order_number, (
  SELECT b.order_number FROM call_backs b WHERE b.review_id = r.id AND b.kind = 'sample'))"""
"""For a statement in which `r` is the review, or of `voices`. A satisfied review stays without an order of
its own, whatever its call-back brought to light."""

COURSE_OF = (
    f"""(SELECT coalesce(w.merged_into, w.number) FROM work_orders w WHERE w.number = {ORDER_OF})"""  # noqa: S608
)
"""The order that is dealt with: another one, if his was merged into it."""


async def order_of(voice: Voice) -> str | None:
    if voice.order_number:
        return voice.order_number
    row = await sql.fetch_one(
        "SELECT order_number FROM call_backs WHERE review_id = $1 AND kind = 'sample'", voice.id
    )
    return row["order_number"] if row else None


UNDONE_BEFORE = """EXISTS (
  SELECT 1 FROM reviews u WHERE u.receipt_id = {} AND u.state = 'undone' AND NOT EXISTS (
    SELECT 1 FROM reviews s WHERE s.receipt_id = u.receipt_id AND s.at >= u.at
     AND s.state IN ('suspended', 'excluded') AND s.channel <> 'system'))"""
"""Once a receipt; whoever said “不是我评的” has his own time, whatever the one before him took back."""


async def undone_before(receipt_id: int) -> bool:
    row = await sql.fetch_one(f"SELECT {UNDONE_BEFORE.format('$1')} AS so", receipt_id)
    return bool(row and row["so"])
