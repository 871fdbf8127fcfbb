"""The citizen's part: he is told, may say once how it was, and may object once to what was ruled."""

from dataclasses import dataclass
from datetime import datetime

from server.appeals import cases, exclusion, rules, telling
from server.appeals.models import Appeal, Exclusion
from server.appeals.refusals import (
    AlreadyObjected,
    AlreadyStated,
    NotExcluded,
    NothingToState,
    ObjectionClosed,
    ReviewReplaced,
)
from server.appeals.rules import AppealState, Round
from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.reviews import service as reviews
from server.reviews.models import Review
from server.reviews.rules import BlankComment, ReviewState, check_comment


@dataclass(frozen=True)
class Hearing:
    """All that he may know of what became of his review."""

    appeal: Appeal | None
    """The last one of the reviewed side."""
    objection: Appeal | None
    exclusion: Exclusion | None
    """The last, also if it was lifted."""
    may_state: bool
    object_until: datetime | None
    """There while he may object."""


async def of(review: Review) -> Hearing | None:
    """None of a review that nobody has contested or excluded."""
    found = await cases.of_review(review.id)
    excluded = await exclusion.latest(review.id)
    appeals = [one for one in found if one.round == Round.APPEAL]
    objections = [one for one in found if one.round == Round.OBJECTION]
    if not found and excluded is None:
        return None
    now = clock.now()
    appeal, objection = (of[-1] if of else None for of in (appeals, objections))
    until = None
    if excluded and excluded.lifted_at is None and objection is None:
        last = cases.last_day(review.region_code, excluded.at).at
        until = last if now <= last and not await _newer(review) else None
    may_state = appeal is not None and _may_state(appeal, now)
    return Hearing(appeal, objection, excluded, may_state, until)


def _may_state(appeal: Appeal, now: datetime) -> bool:
    given = appeal.statement_at is not None
    return appeal.state == AppealState.OPEN and rules.may_still_state(
        given, appeal.statement_until, now
    )


async def state(review: Review, text: str) -> None:
    """His one statement, as the relay would pass it on: without what leads to him."""
    words = _checked(text)
    found = await Appeal.filter(review_id=review.id, round=Round.APPEAL).order_by("-at").first()
    if found is None:
        raise NothingToState
    async with transaction():
        locked, appeal = await cases.lock(found)
        if appeal.statement_at is not None:
            raise AlreadyStated
        now = clock.now()
        if not _may_state(appeal, now):
            raise NothingToState
        appeal.statement, appeal.statement_at = await reviews.redacted(locked, words), now
        await appeal.save(update_fields=["statement", "statement_at"])


def _checked(text: str) -> str:
    words = check_comment(text)
    if not words:
        raise BlankComment
    return words


async def object_to(review: Review, text: str) -> None:
    """Once; two others rule than those who excluded it."""
    words = _checked(text)
    async with transaction():
        locked = await Review.select_for_update().get(id=review.id)
        excluded = await exclusion.standing(locked.id)
        if await Appeal.exists(review_id=locked.id, round=Round.OBJECTION):
            raise AlreadyObjected
        if locked.state != ReviewState.EXCLUDED or excluded is None:
            raise NotExcluded
        now = clock.now()
        if now > cases.last_day(locked.region_code, excluded.at).at:
            raise ObjectionClosed
        if await _newer(locked):
            raise ReviewReplaced
        case = await cases.store(
            locked, Round.OBJECTION, await reviews.redacted(locked, words), now,
            agency_code=excluded.agency_code,
        )  # fmt: skip
        if case is None:
            raise AlreadyObjected
        await telling.filed(case, now)


async def _newer(review: Review) -> bool:
    """Whether another review of the same service counts now."""
    rows = await sql.fetch(
        "SELECT 1 FROM reviews WHERE receipt_id = $1 AND id <> $2 "
        "AND state IN ('standing', 'awaiting_reason')",
        review.receipt_id, review.id,
    )  # fmt: skip
    return bool(rows)
