"""The citizen's desk: submit, undo, supplement, judge the answer."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from server.catalogue.service import catalogue
from server.grievances.models import Grievance
from server.kit import metrics, sql
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.errors import Refusal
from server.kit.idempotency import IdempotencyConflict
from server.kit.ids import new_id
from server.kit.redaction import redact
from server.kit.transaction import transaction
from server.receipts import service as receipts
from server.receipts import visits
from server.receipts.codes import number_of
from server.receipts.rules import Channel, ReviewClosed
from server.reviews import rules, submission, voices
from server.reviews.models import Review
from server.reviews.replacing import Openness, openness
from server.reviews.rules import AlreadyReviewed, ReviewChannel, ReviewState, shown
from server.reviews.snapshot import (
    Attempt,
    Given,
    Verdict,
    known_to_us,
    sealed_contact,
    snapshot_of,
)
from server.reviews.submission import Submission
from server.reviews.ties import order_of, undone_before
from server.reviews.voices import Voice
from server.workorders import service as orders
from server.workorders.models import WorkOrder
from server.workorders.opening import Promise, open_order


@dataclass(frozen=True)
class Submitted:
    """What the citizen takes home."""

    query_code: str
    level: int
    undo_until: datetime
    order: Promise | None


async def openness_of(receipt: asyncpg.Record) -> Openness:
    """All that the holder of a code learns."""
    return await openness(receipt, receipt.get("held", receipt["generation"]))


async def submit(
    code: str,
    verdict: Verdict,
    *,
    channel: ReviewChannel | None = None,
    attempt: Attempt | None = None,
    rater: UUID | None = None,
    device_key: str | None = None,
) -> Submitted:
    """Records the verdict; a bad one leaves with a work order or not at all.

    One statement: it redeems the receipt, stores the review and opens the order. Whoever comes
    second is refused by the constraint.
    """
    receipt = await receipts.by_code(code)
    made = prepared(
        receipt, verdict, channel=channel, attempt=attempt, rater=rater, device_key=device_key
    )
    if not await submission.store(made):
        return await again(receipt, attempt)
    return taken(made)


def prepared(
    receipt: asyncpg.Record, verdict: Verdict, *, channel: ReviewChannel | None,
    attempt: Attempt | None, rater: UUID | None, device_key: str | None = None,
) -> Submission:  # fmt: skip
    """Checked by every rule, with its order if it is bad; nothing is stored yet."""
    given = replace(
        _given(receipt, checked(verdict, receipt), _channel(receipt, channel), attempt),
        rater=rater, device_key=device_key,
    )  # fmt: skip
    opening = None
    if rules.is_bad(verdict.level):
        opening = open_order(snapshot_of(given), given.policy)
    return Submission(given, opening)


def taken(made: Submission) -> Submitted:
    """What was stored, as the citizen is told of it."""
    given = made.given
    metrics.reviews.labels(str(given.verdict.level), given.channel).inc()
    promise = Promise.of(made.opening) if made.opening else None
    return Submitted(given.query_code, given.verdict.level, given.undo_until, promise)


def _given(
    receipt: Any, verdict: Verdict, channel: ReviewChannel, attempt: Attempt | None
) -> Given:
    now = clock.now()
    policy = catalogue().policy(receipt["region_code"])
    review_id = new_id()
    return Given(
        id=review_id,
        query_code=codes.query_code(review_id),
        receipt=receipt,
        verdict=verdict,
        contact=sealed_contact(verdict),
        channel=channel,
        policy=policy,
        at=now,
        undo_until=now + timedelta(minutes=policy.undo_minutes),
        attempt=attempt,
    )


async def again(receipt: Any, attempt: Attempt | None) -> Submitted:
    """The first answer if this is the same request once more; else why it was not stored."""
    if attempt:
        earlier = await Review.get_or_none(receipt_id=receipt["id"], request_key=attempt.key)
        if earlier is not None:
            if earlier.request_digest != attempt.digest:
                raise IdempotencyConflict
            return await _submitted(earlier)
    # Read anew: an objection may have come between.
    (now,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", receipt["id"])
    held = receipt.get("held", receipt["generation"])
    if (await openness(now, held)).state == "reviewed":
        raise AlreadyReviewed
    raise ReviewClosed


async def _submitted(review: Review) -> Submitted:
    order = await WorkOrder.get_or_none(number=review.order_number or "")
    promise = Promise(order.number, order.agency_code, order.due_at) if order else None
    code = codes.code_of_key(review.id, review.query_key)
    return Submitted(code, review.level, review.undo_until, promise)


def checked(verdict: Verdict, receipt: asyncpg.Record) -> Verdict:
    """Every rule that needs no database, in the order in which a person would fix them."""
    tags = rules.check_tags(verdict.level, verdict.tags, catalogue().tag_levels)
    comment = rules.check_comment(verdict.comment)
    rules.check_reason(verdict.level, tags, comment)
    rules.check_contact(verdict.real_name, [verdict.contact_phone, receipt["phone_key"]])
    return Verdict(
        level=verdict.level, tags=tags, comment=comment, real_name=verdict.real_name,
        contact_name=verdict.contact_name, contact_phone=verdict.contact_phone,
    )  # fmt: skip


def _channel(receipt: asyncpg.Record, given: ReviewChannel | None) -> ReviewChannel:
    """Online platforms link to the page (N20); everyone else has the slip in his hand. A visit without
    a slip stays one, with whatever its citizen rates."""
    if visits.is_visit(receipt):
        return ReviewChannel.STATIC_QR
    if given:
        return given
    linked = receipt["channel"] in (Channel.ONLINE, Channel.MOBILE)
    return ReviewChannel.WEB if linked else ReviewChannel.RECEIPT_QR


async def review_of(query_code: str) -> Review:
    """By the citizen's query code, as he typed it."""
    return voices.as_review(await voices.behind(query_code))


async def may_undo(review: Review) -> bool:
    """Whether a page should offer it; `undo` itself decides again, under the lock."""
    before = await undone_before(review.receipt_id)
    try:
        rules.check_undo(shown(review.state), review.undo_until, before, clock.now())
    except Refusal:
        return False
    return True


async def undo(review: Review) -> None:
    """Takes the review and its order back; the receipt is open again. Once a receipt. A suspended one
    stays, and nobody is told why."""
    now = clock.now()
    async with transaction():
        standing = await Review.select_for_update().get(id=review.id)
        before = await undone_before(review.receipt_id)
        rules.check_undo(ReviewState(standing.state), standing.undo_until, before, now)
        standing.state, standing.undone_at = ReviewState.UNDONE, now
        await standing.save(update_fields=["state", "undone_at"])
        if standing.order_number:
            await orders.withdraw(standing.order_number, now)
        # The locks may have taken their time: what the agency already sees is not taken back.
        if clock.now() >= standing.undo_until:
            raise rules.UndoClosed


async def undo_of_code(code: str, query_code: str) -> None:
    """The API's undo: both codes, and they belong together."""
    review = await review_of(query_code)
    if review.receipt_id != number_of(code):
        raise codes.UnknownQueryCode
    await undo(review)


async def supplement(review: Review, comment: str) -> None:
    """N17: once, after the undo time. The words go to the order too, if there is one."""
    words = rules.check_comment(comment)
    if not words:
        raise rules.BlankComment
    now = clock.now()
    async with transaction():
        standing = await Review.select_for_update().get(id=review.id)
        if shown(standing.state) not in rules.COUNTING:
            raise AlreadyReviewed("这条评价已经撤回，不能补充")
        rules.check_supplement(standing.supplement, standing.undo_until, now)
        standing.supplement, standing.supplemented_at = words, now
        await standing.save(update_fields=["supplement", "supplemented_at"])
        await submission.check_anew(standing.id, now)
        number = await order_of(standing)
        # One that has ended is not opened again: the words stay with the review.
        if number and not (await orders.followed(await WorkOrder.get(number=number))).closed_at:
            await orders.add_words(number, await redacted(review, words), now)


async def judge(
    voice: Voice, *, satisfied: bool, comment: str, desk_satisfied: bool | None = None
) -> WorkOrder:
    """Content or not with the agency's answer, and with the service desk that had the order first."""
    words, number = rules.check_comment(comment), await order_of(voice)
    if number is None:
        raise rules.NothingToJudge
    return await orders.judge(
        number, satisfied=satisfied, words=await redacted(voice, words),
        desk_satisfied=desk_satisfied,
    )  # fmt: skip


async def redacted(voice: Voice, words: str) -> str:
    """The citizen's words as the agency may see them."""
    if not words:
        return ""
    (receipt,) = await sql.fetch(
        "SELECT applicant, case_number FROM receipts WHERE id = $1", voice.receipt_id
    )
    ticket = (voice.external_number or "") if isinstance(voice, Grievance) else ""
    return redact(words, known=(*known_to_us(receipt, voice.contact), ticket))
