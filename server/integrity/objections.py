"""“不是我评的”: the phone's owner sets the review aside that somebody gave in his place, and rates.

The first review is kept, with its order; its code is used up, as it was. A code of the next generation
opens the same form. The issuer's receipt, and what it tells, stay as they are.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Record

from server.catalogue.service import catalogue
from server.integrity import proofs
from server.integrity.models import Objection
from server.integrity.proofs import ProofOver
from server.integrity.rules import MOST_OBJECTIONS, Rule
from server.integrity.suspicions import Finding, suspect
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Gone
from server.kit.ids import new_id
from server.kit.transaction import transaction
from server.messages import service as messages
from server.receipts.codes import code_of
from server.receipts.rules import open_until
from server.reviews import questions, service
from server.reviews.models import Review
from server.reviews.rules import COUNTING, ReviewState


class NothingToObject(Conflict):
    code = "nothing_to_object"
    title = "这次服务现在没有评价，不用提出“不是我评的”"


class ObjectionClosed(Gone):
    code = "objection_closed"
    title = "可以提出“不是我评的”的时间已过。仍有疑问，请到大厅的服务台，或拨打 12345"


class TooManyObjections(Conflict):
    code = "too_many_objections"
    title = (
        f"这次服务已经提出过 {MOST_OBJECTIONS} 次“不是我评的”，不能再在网上提出。"
        "请带上证件到大厅的服务台，或拨打 12345，由工作人员核实"
    )


@dataclass(frozen=True)
class Reopened:
    """His own right to rate."""

    code: str
    until: datetime


async def ask(receipt: Any, phone: str) -> None:
    await _check(receipt, clock.now())
    await proofs.send(receipt, phone)


async def _check(receipt: Any, now: datetime) -> None:
    """By what the holder of the code knows anyway. What else may stand in the way he learns only with
    the phone in his hand."""
    if receipt["voided_at"] is not None:
        raise ObjectionClosed("这张回执已经作废，不能再评价。有疑问请到大厅的服务台，或拨打 12345")
    open_ = await service.openness_of(receipt)
    if open_.state == "open":
        raise NothingToObject("这次服务现在没有评价，您可以直接评价")
    if now > _until(receipt):
        raise ObjectionClosed
    if open_.state == "closed":
        raise NothingToObject


def _until(receipt: Any) -> datetime:
    days = catalogue().policy(receipt["region_code"]).objection_days
    until: datetime = receipt["open_until"] + timedelta(days=days)
    return until


async def disown(receipt: Any, phone: str, proof: str) -> Reopened:
    """One transaction: the review is suspended, the objection and the suspicion are on record, and
    there is a new code. Who lost the answer gets the same code again."""
    await _check(receipt, clock.now())
    used = await proofs.check(receipt, phone, proof)
    now = clock.now()
    async with transaction():
        # The phone, the receipt, its review: in this order wherever more than one is locked.
        await messages.lock([phone], now)
        (row,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1 FOR UPDATE", receipt["id"])
        review = await (
            Review.filter(receipt_id=row["id"], state__in=list(COUNTING))
            .select_for_update()
            .first()
        )
        if review is None:
            return _code_again(row, now)
        if used or not await proofs.use(row, phone, now):
            raise ProofOver
        if row["generation"] >= MOST_OBJECTIONS:
            raise TooManyObjections
        return await _suspend(row, review, phone, now)


def _code_again(receipt: Record, now: datetime) -> Reopened:
    until = receipt["reopened_until"]
    if until is None:
        raise NothingToObject("评价刚刚已经撤回，您可以直接评价")
    if now > until:
        raise ObjectionClosed("重新评价的时间已过。仍有疑问，请到大厅的服务台，或拨打 12345")
    return Reopened(code_of(receipt["id"], receipt["generation"]), until)


async def _suspend(receipt: Record, review: Review, phone: str, now: datetime) -> Reopened:
    policy = catalogue().policy(receipt["region_code"])
    generation, until = receipt["generation"] + 1, open_until(now, policy.review_days)
    evidence = {
        "level": review.level, "channel": review.channel, "objection": generation,
        "seconds": int((review.at - receipt["issued_at"]).total_seconds()),
    }  # fmt: skip
    review.state = ReviewState.SUSPENDED
    await review.save(update_fields=["state"])
    await sql.fetch(
        "UPDATE receipts SET generation = $2, reopened_until = $3 WHERE id = $1",
        receipt["id"], generation, until,
    )  # fmt: skip
    await Objection.create(
        id=new_id(), region_code=receipt["region_code"], receipt_id=receipt["id"],
        review_id=review.id, generation=generation, at=now,
    )  # fmt: skip
    await suspect([Finding.of(receipt, Rule.OBJECTED, review.id, evidence)], now)
    await questions.leave(review.id, now)
    await questions.wake([phone], now)
    return Reopened(code_of(receipt["id"], generation), until)


async def generation_of(review: Review) -> int:
    """Of the code by which this review was given."""
    return await Objection.filter(receipt_id=review.receipt_id, at__lte=review.at).count()
