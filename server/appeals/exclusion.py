"""不予采纳: a review leaves every figure and stays on record. The one door to it, for every cause."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.appeals.models import Exclusion
from server.kit.ids import new_id
from server.reviews.models import Review
from server.reviews.rules import EXCLUDED_NAMES, Excluded, ReviewState
from server.workorders import service as orders


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Two people's, and why."""

    reason: Excluded
    words: str
    first_id: int
    second_id: int
    at: datetime
    case_id: UUID | None = None
    person_key: str | None = None


async def exclude(review: Review, agency_code: str, decision: Decision) -> Exclusion:
    """The row, the review's state, and the end of its order, if it is open. In the caller's
    transaction, which holds the review's row."""
    review.state = ReviewState.EXCLUDED
    await review.save(update_fields=["state"])
    if review.order_number:
        words = f"经复核不予采纳：{EXCLUDED_NAMES[decision.reason]}"
        await orders.dismiss(review.order_number, words, decision.at)
    return await Exclusion.create(
        id=new_id(), region_code=review.region_code, agency_code=agency_code, review_id=review.id,
        reason=decision.reason, words=decision.words, first_id=decision.first_id,
        second_id=decision.second_id, at=decision.at, case_id=decision.case_id,
        person_key=decision.person_key,
    )  # fmt: skip
