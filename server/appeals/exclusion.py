"""不予采纳: a review leaves every figure and stays on record. The one door to it, for every cause, and
the one door back."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from server.appeals import cases, persons, telling
from server.appeals.about import seen_of
from server.appeals.models import Appeal, Exclusion
from server.appeals.refusals import AlreadyExcluded, ReviewReplaced
from server.appeals.rules import AppealState
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING
from server.kit.ids import new_id
from server.kit.transaction import transaction
from server.reviews.models import Review
from server.reviews.rules import EXCLUDED_NAMES, Excluded, ReviewState, is_bad
from server.reviews.snapshot import CALL_BACK, ORIGIN
from server.workorders import opening
from server.workorders import service as orders
from server.workorders.models import WorkOrder
from server.workorders.opening import Opening, open_order
from server.workorders.rules import State


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
    """The row, the review's state, the end of its order if it is open, and the word to everybody who
    is to know of it (N32). In the caller's transaction, which holds the review's row."""
    if review.state == ReviewState.EXCLUDED:
        raise AlreadyExcluded
    review.state = ReviewState.EXCLUDED
    await review.save(update_fields=["state"])
    await _end_other_cases(review, decision)
    if review.order_number:
        words = f"经复核不予采纳：{EXCLUDED_NAMES[decision.reason]}"
        await orders.dismiss(review.order_number, words, decision.at)
    person_key = decision.person_key
    if person_key is None and decision.reason is Excluded.MALICIOUS:
        person_key = await persons.key_of(review)
    excluded = await Exclusion.create(
        id=new_id(), region_code=review.region_code, agency_code=agency_code, review_id=review.id,
        reason=decision.reason, words=decision.words, first_id=decision.first_id,
        second_id=decision.second_id, at=decision.at, case_id=decision.case_id,
        person_key=person_key,
    )  # fmt: skip
    await telling.excluded(review, excluded)
    return excluded


async def _end_other_cases(review: Review, decision: Decision) -> None:
    """What has left the figures for another reason need not be contested any more."""
    waiting = await Appeal.select_for_update().filter(
        review_id=review.id, state__in=[AppealState.OPEN, AppealState.CONFIRMING]
    )
    for appeal in waiting:
        if appeal.id != decision.case_id:
            words = f"这条评价已另行认定不予采纳：{EXCLUDED_NAMES[decision.reason]}"
            await cases.end(appeal, AppealState.WITHDRAWN, words, decision.at)


async def standing(review_id: UUID, *, lock: bool = False) -> Exclusion | None:
    """By which it is excluded now."""
    of = Exclusion.select_for_update() if lock else Exclusion
    return await of.filter(review_id=review_id, lifted_at__isnull=True).first()


# Back again


async def lift(review: Review, excluded: Exclusion, now: datetime) -> str | None:
    """The review counts again, with an order of its own where its first was dismissed; gives its
    number. In the caller's transaction, which holds the review's row. Raises ReviewReplaced, and
    changes nothing, if a newer review has taken its place."""
    before = await WorkOrder.get_or_none(number=review.order_number or "")
    lost = before is None or before.state == State.DISMISSED
    opened = await _reopened(review, before, now) if is_bad(review.level) and lost else None
    number = opened.number if opened else review.order_number
    values = {"review": [review.id], "order_of_review": [number]}
    parts = [sql.Part(_RESTORED, values)]
    if opened:
        parts += opening.stored([opened], after="restored")
    try:
        async with transaction():
            await sql.together(parts, "SELECT id FROM restored")
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "one_standing_review_per_receipt":
            raise
        raise ReviewReplaced from None
    review.state, review.order_number = ReviewState.STANDING, number
    excluded.lifted_at = now
    await excluded.save(update_fields=["lifted_at"])
    if opened and before:
        await _hand_over(before, opened.number)
    await telling.restored(review, excluded, opened.number if opened else None)
    return opened.number if opened else None


_RESTORED = """restored AS (
  UPDATE reviews SET state = 'standing', order_number = n.order_number
  FROM unnest({review}::uuid[], {order_of_review}::text[]) AS n(id, order_number)
  WHERE reviews.id = n.id AND reviews.state = 'excluded' RETURNING reviews.id
)"""


async def _reopened(review: Review, before: WorkOrder | None, now: datetime) -> Opening:
    """At the agency that had it, as it was, and with all its time."""
    reasoned = bool(review.tags or review.comment)
    origin = before.origin if before else ORIGIN if reasoned else CALL_BACK
    seen, policy = await seen_of(review), catalogue().policy(review.region_code)
    changes: dict[str, Any] = {
        "origin": origin, "opened_on": now.astimezone(BEIJING).date(), "visible_from": now,
    }  # fmt: skip
    if before:
        changes |= {
            "agency_code": before.agency_code, "co_agency_codes": before.co_agency_codes,
            "first_asked_id": before.first_asked_id,
        }  # fmt: skip
    days = policy.callback_days if origin == CALL_BACK else None
    return open_order(replace(seen, **changes), policy, answer_days=days)


async def _hand_over(before: WorkOrder, number: str) -> None:
    """Whoever was called back for the first order is not called again for the second."""
    await sql.fetch(
        "UPDATE call_backs SET order_number = $2 WHERE order_number = $1 AND kind = 'real_name'",
        before.number, number,
    )  # fmt: skip
    await sql.fetch(
        "UPDATE work_orders SET called_back_at = $2 WHERE number = $1",
        number,
        before.called_back_at,
    )


async def latest(review_id: UUID) -> Exclusion | None:
    """The last one, also if it was lifted."""
    return await Exclusion.filter(review_id=review_id).order_by("-at").first()
