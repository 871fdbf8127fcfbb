"""What a reply by SMS does to a review: the same rules and the same statement as on every channel."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.ids import new_id
from server.kit.transaction import transaction
from server.messages.rules import Purpose
from server.messages.service import Post
from server.receipts.rules import ReviewClosed, is_open, rates_until
from server.reviews import questions, rules, service, submission, voices
from server.reviews.conversation import Move, has_reason, tags_of
from server.reviews.models import Review
from server.reviews.rules import ReviewChannel, ReviewState
from server.reviews.snapshot import CALL_BACK, Given, Verdict, snapshot_of
from server.reviews.submission import Submission
from server.workorders import service as orders
from server.workorders.opening import open_order

_BATCH = 50
_FIRST = timedelta(days=1)
"""The reason is asked before the invitations of a whole morning: the citizen has just written."""


@dataclass(frozen=True)
class Taken:
    """A review as it stands after a reply."""

    given: Given
    awaits_reason: bool

    @property
    def held_until(self) -> datetime | None:
        """Till then the phone may correct itself; while it is asked for the reason, that question
        holds it."""
        return None if self.awaits_reason else self.given.undo_until

    def thanks(self, phone: str) -> list[Post]:
        receipt = self.given.receipt
        if rules.is_bad(self.given.verdict.level) or not self.given.policy.thank:
            return []
        return [
            Post(
                region_code=receipt["region_code"], agency_code=receipt["agency_code"],
                purpose=Purpose.THANKS, phone=phone, values=questions.values_of(receipt),
                not_before=self.given.at, not_after=self.given.at + timedelta(hours=1),
            )
        ]  # fmt: skip


@dataclass(frozen=True)
class Rating:
    """A level that a phone gave, read but not stored."""

    question: Record
    move: Move
    phone: str = field(repr=False)
    at: datetime


async def rate(ratings: Sequence[Rating], now: datetime) -> list[Taken | None]:
    """Stores the levels that were given; None where the receipt was rated elsewhere. In the caller's
    transaction, as everything here."""
    receipts = await questions.receipts_of([rating.question["receipt_id"] for rating in ratings])
    wanted = [_submission(r, receipts[r.question["receipt_id"]], now) for r in ratings]
    stored = await submission.store_all(wanted)
    taken, asked = list[Taken | None](), []
    for rating, of, is_ours in zip(ratings, wanted, stored, strict=True):
        taken.append(Taken(of.given, _awaits_reason(of)) if is_ours else None)
        if is_ours:
            metrics.reviews.labels(str(of.given.verdict.level), of.given.channel).inc()
        if is_ours and _awaits_reason(of):
            asked.append(_why(of.given, rating.phone, now))
    await questions.add(asked)
    return taken


def _submission(rating: Rating, receipt: Record, now: datetime) -> Submission:
    reading, at = rating.move.reading, rating.at
    assert reading is not None and reading.level is not None
    level, words = reading.level, reading.words[: rules.COMMENT_LIMIT]
    # What was written in time counts, however late it came to us.
    until = rates_until(receipt["open_until"], receipt["reopened_until"])
    said_at = now if is_open(until, False, now) else min(at, now)
    given = _given(receipt, Verdict(level=level, tags=[], comment=words), said_at, now)
    complete = has_reason(level, words)
    opening = None
    if rules.is_bad(level) and complete:
        opening = open_order(snapshot_of(given), given.policy)
    state = ReviewState.STANDING if complete else ReviewState.AWAITING_REASON
    return Submission(given, opening, state)


def _awaits_reason(stored: Submission) -> bool:
    return stored.state is ReviewState.AWAITING_REASON


def _why(given: Given, phone: str, now: datetime) -> questions.New:
    return questions.New(
        receipt=given.receipt, phone=phone, asking="reason", review_id=given.id, due_at=now - _FIRST,
        give_up_at=now + timedelta(hours=given.policy.reason_hours),
    )  # fmt: skip


async def _receipt(number: int) -> Record:
    return (await questions.receipts_of([number]))[number]


def _given(receipt: Any, verdict: Verdict, at: datetime, now: datetime) -> Given:
    policy = catalogue().policy(receipt["region_code"])
    review_id = new_id()
    return Given(
        id=review_id, query_code=codes.query_code(review_id), receipt=receipt, verdict=verdict,
        contact=None, channel=ReviewChannel.SMS, policy=policy, at=at,
        undo_until=now + timedelta(minutes=policy.undo_minutes),
    )  # fmt: skip


async def give_reason(question: Record, move: Move, text: str, now: datetime) -> Taken | None:
    """The review that awaited its reason gets it, and its order; None if it awaits none any more."""
    assert move.question is not None and move.reading is not None
    tags = tags_of(move.question, move.reading)
    words = move.reading.words or ("" if tags else text.strip())
    review = await Review.get(id=question["review_id"])
    verdict = Verdict(level=review.level, tags=tags, comment=words[: rules.COMMENT_LIMIT])
    until = now + timedelta(minutes=catalogue().policy(review.region_code).undo_minutes)
    given = _standing(review, await _receipt(review.receipt_id), verdict, until)
    opening = open_order(snapshot_of(given), given.policy)
    done = await submission.complete([Submission(given, opening)])
    return Taken(given, False) if review.id in done else None


def _standing(review: Review, receipt: Any, verdict: Verdict, undo_until: datetime) -> Given:
    """Its query code was handed out, perhaps under a key that is gone, and is not needed again."""
    return Given(
        id=review.id, query_code="", receipt=receipt, verdict=verdict, contact=None,
        channel=ReviewChannel(review.channel), policy=catalogue().policy(review.region_code),
        at=review.at, undo_until=undo_until,
    )  # fmt: skip


async def correct(rating: Rating, now: datetime) -> Taken:
    """The first review is undone and stays; the later one counts. Both or nothing."""
    async with transaction():
        review = await Review.get(id=rating.question["rated"])
        await service.undo(review)
        (taken,) = await rate([rating], now)
        if taken is None:
            raise ReviewClosed
    return taken


async def is_rated(receipt_id: int) -> bool:
    rows = await sql.fetch(
        "SELECT 1 FROM reviews WHERE receipt_id = $1 AND state IN ('standing', 'awaiting_reason')",
        receipt_id,
    )
    return bool(rows)


async def judge(question: Record, move: Move, text: str) -> None:
    """Content or not with the answer; who is not need not say more than that."""
    assert move.reading is not None
    satisfied = bool(move.reading.content)
    words = move.reading.words or ("" if satisfied else text.strip())
    voice = await voices.of_id(question["review_id"])
    await service.judge(voice, satisfied=satisfied, comment=words[: rules.COMMENT_LIMIT])


async def add_words(question: Record, text: str, now: datetime) -> None:
    """A reason that came after the order had gone to a person without one."""
    review = await Review.get(id=question["review_id"])
    if not review.order_number:
        raise rules.NothingToJudge
    words = await service.redacted(review, text.strip()[: rules.COMMENT_LIMIT])
    await orders.add_words(review.order_number, words, now)


async def call_back() -> int:
    """Bad reviews whose reason nobody is asked for any more: their order opens without it, for a
    person to ask. Never dropped, never a default."""
    now = clock.now()
    async with transaction():
        rows = await sql.fetch(
            "SELECT r.id FROM reviews r WHERE r.state = 'awaiting_reason' AND r.undo_until <= $1 "
            "AND NOT EXISTS (SELECT 1 FROM questions q WHERE q.review_id = r.id"
            " AND q.asking = 'reason' AND q.state IN ('waiting', 'open')) "
            "ORDER BY r.at LIMIT $2 FOR UPDATE SKIP LOCKED",
            now, _BATCH,
        )  # fmt: skip
        opened = []
        for review in await Review.filter(id__in=[row["id"] for row in rows]):
            receipt = await _receipt(review.receipt_id)
            verdict = Verdict(level=review.level, tags=[], comment="")
            given = _standing(review, receipt, verdict, max(review.undo_until, now))
            days = given.policy.callback_days
            opening = open_order(snapshot_of(given, CALL_BACK), given.policy, answer_days=days)
            opened.append(Submission(given, opening))
        if opened:
            await submission.complete(opened)
    return len(rows)
