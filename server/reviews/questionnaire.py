"""The questionnaire (N21): offered after a review, free to leave, answered once.

Whoever answers says it to nobody in particular: single answers have no reader (see
questionnaire_figures)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from server.catalogue.models import Questionnaire
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Fault, Gone, Invalid, Missing
from server.kit.transaction import transaction
from server.reviews import rules, submission
from server.reviews.models import Answers, Review
from server.reviews.rules import CLOSED_QUESTIONS, UNVERIFIED, Answer, ReviewState

_STANDS = (ReviewState.STANDING, ReviewState.AWAITING_REASON)


class NoQuestionnaire(Missing):
    code = "no_questionnaire"
    title = "这个事项没有问卷"


class AlreadyAnswered(Conflict):
    code = "already_answered"
    title = "这份问卷已经回答过了"


class QuestionnaireChanged(Conflict):
    code = "questionnaire_changed"
    title = "问卷刚刚改过，请看一看新的问题再提交"


class QuestionnaireClosed(Gone):
    code = "questionnaire_closed"
    title = "可以回答问卷的时间已过"


class AnswerRequired(Invalid):
    code = "answer_required"
    title = "请至少回答一个问题，或写一句话"


@dataclass(frozen=True)
class Asked:
    """What is asked about a service, in today's words."""

    questions: tuple[str, ...]
    open_question: str

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.questions, self.open_question)

    @property
    def version(self) -> str:
        """Of the words: answers that were given to other ones are not taken for these."""
        return hashlib.blake2b("\n".join(self.texts).encode(), digest_size=6).hexdigest()


def asked_about(review: Review, matter_code: str | None) -> Asked | None:
    """Nothing of most matters, and nothing without a receipt: there nobody vouches for the service."""
    row = catalogue().questionnaire(matter_code)
    if row is None or review.channel in UNVERIFIED:
        return None
    return asked_in(row)


def asked_in(row: Questionnaire) -> Asked:
    four = (row.question_1, row.question_2, row.question_3, row.question_4)
    return Asked(four, row.open_question)


def open_until(review: Review) -> datetime:
    """As long after the review as there was time for the review."""
    return review.at + timedelta(days=catalogue().policy(review.region_code).review_days)


def _is_open(review: Review, now: datetime) -> bool:
    return review.state in _STANDS and now < open_until(review)


async def _is_answered(review: Review) -> bool:
    return await Answers.exists(review_id=review.id)


async def offered(review: Review, matter_code: str | None) -> Literal["open", "answered"] | None:
    """Whether a page should lead to it."""
    if asked_about(review, matter_code) is None:
        return None
    if await _is_answered(review):
        return "answered"
    return "open" if _is_open(review, clock.now()) else None


async def asked_of(review: Review) -> Asked:
    """What he may answer now; raises why not."""
    asked = asked_about(review, review.receipt.matter_code)
    if asked is None:
        raise NoQuestionnaire
    if await _is_answered(review):
        raise AlreadyAnswered
    if not _is_open(review, clock.now()):
        raise QuestionnaireClosed
    return asked


def checked(answers: Sequence[Answer | None], comment: str) -> tuple[list[str], str]:
    """Every question has its place, and may stay empty; not all of them (pure)."""
    words = rules.check_comment(comment)
    if len(answers) != CLOSED_QUESTIONS or not (any(answers) or words):
        raise AnswerRequired(errors=[Fault("answers", "answer_required", AnswerRequired.title)])
    return [answer or "" for answer in answers], words


_STORE = """
INSERT INTO questionnaire_answers
  (review_id, region_code, agency_code, matter_code, asked, answers, comment, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (review_id) DO NOTHING RETURNING 1
"""


async def answer(
    review: Review, version: str, answers: Sequence[Answer | None], comment: str,
    rater: UUID | None = None,
) -> None:  # fmt: skip
    """Once a review, to the words that he saw. `rater` is who is signed in now, if anybody is."""
    asked = await asked_of(review)
    if version != asked.version:
        raise QuestionnaireChanged
    said, words = checked(answers, comment)
    receipt = review.receipt
    async with transaction():
        standing, now = await Review.select_for_update().get(id=review.id), clock.now()
        if not _is_open(standing, now):
            raise QuestionnaireClosed
        stored = await sql.fetch(
            _STORE, review.id, receipt.region_code, receipt.agency_code, receipt.matter_code,
            list(asked.texts), said, words, now,
        )  # fmt: skip
        if not stored:
            raise AlreadyAnswered
        if words:
            await submission.check_anew(review.id, now, rater)
