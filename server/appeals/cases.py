"""A case as a row: found, stored, locked. Whoever locks takes the review first, then its case."""

from datetime import datetime
from typing import Any
from uuid import UUID

from server.appeals.models import Appeal
from server.appeals.refusals import UnknownAppeal
from server.appeals.rules import AppealState, Round
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.ids import new_id
from server.people.rules import Role
from server.people.service import Member
from server.reviews.models import Review
from server.workorders.deadlines import Due
from server.workorders.models import WorkOrder
from server.workorders.opening import working

SEES = frozenset({Role.ADJUDICATOR, Role.SUPERVISOR, Role.AUDITOR})


def last_day(region_code: str, since: datetime) -> Due:
    """Until when a review may be appealed against, or its exclusion be objected to."""
    return working(since, catalogue().policy(region_code).appeal_days)


def visible_to(member: Member) -> tuple[str, list[Any]]:
    """A condition on appeals and its values: of the member's region and those below it."""
    if member.role not in SEES:
        return "FALSE AND $1::text[] IS NULL", [None]
    return "region_code = ANY($1::text[])", [sorted(catalogue().within(member.region_code))]


async def find(member: Member, appeal_id: str) -> Appeal:
    """The case, if it is in this member's part of the world."""
    appeal = await Appeal.get_or_none(id=_number(appeal_id))
    if appeal is None or member.role not in SEES:
        raise UnknownAppeal
    if appeal.region_code not in catalogue().within(member.region_code):
        raise UnknownAppeal
    return appeal


def _number(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UnknownAppeal from None


async def lock(appeal: Appeal) -> tuple[Review, Appeal]:
    """In the caller's transaction."""
    review = await Review.select_for_update().get(id=appeal.review_id)
    return review, await Appeal.select_for_update().get(id=appeal.id)


async def order_of(appeal: Appeal) -> WorkOrder | None:
    return await WorkOrder.get_or_none(number=appeal.order_number)


async def first(case_id: UUID | None) -> Appeal | None:
    """By which a review was excluded, if it was by an appeal."""
    return await Appeal.get_or_none(id=case_id) if case_id else None


async def of_review(review_id: UUID) -> list[Appeal]:
    """All rounds, oldest first."""
    return await Appeal.filter(review_id=review_id).order_by("at")


_STORE = """
INSERT INTO appeals (id, region_code, agency_code, order_number, review_id, round, by_id, officer_number,
  ground, words, state, at, due_at, provisional, statement_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open', $11, $12, $13, $14)
ON CONFLICT DO NOTHING RETURNING *
"""


async def store(
    review: Review, round_: Round, words: str, now: datetime, *, agency_code: str,
    by_id: int | None = None, officer_number: str | None = None, ground: str | None = None,
) -> Appeal | None:  # fmt: skip
    """None if there is one of this round already."""
    policy = catalogue().policy(review.region_code)
    due, statement = working(now, policy.adjudicate_days), working(now, policy.statement_days)
    row = await sql.fetch_one(
        _STORE, new_id(), review.region_code, agency_code, review.order_number or "", review.id,
        round_, by_id, officer_number, ground, words, now, due.at, due.provisional,
        statement.at if round_ is Round.APPEAL else None,
    )  # fmt: skip
    return Appeal._init_from_db(**dict(row)) if row else None


async def end(appeal: Appeal, state: AppealState, ruling: str, now: datetime, **more: Any) -> None:
    """In the transaction that holds it."""
    changes = {"state": state, "ruling": ruling, "ruled_at": now} | more
    await appeal.update_from_dict(changes).save(update_fields=list(changes))


async def redate() -> int:
    """A calendar came or changed: the days of open cases are counted anew."""
    moved = 0
    for appeal in await Appeal.filter(state__in=[AppealState.OPEN, AppealState.CONFIRMING]):
        policy = catalogue().policy(appeal.region_code)
        due = working(appeal.at, policy.adjudicate_days)
        until = working(appeal.at, policy.statement_days).at if appeal.statement_until else None
        changed = await sql.fetch(
            "UPDATE appeals SET due_at = $2, provisional = $3, statement_until = $4 WHERE id = $1 "
            "AND (due_at, provisional, statement_until) IS DISTINCT FROM "
            "($2, $3, $4::timestamptz) RETURNING 1",
            appeal.id, due.at, due.provisional, until,
        )  # fmt: skip
        moved += len(changed)
    return moved
