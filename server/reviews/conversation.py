"""What a reply by SMS means, given what its phone was asked (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from server.messages.rules import Outcome
from server.reviews.rules import QuestionState, is_bad
from sms import Reading, read

SLACK = timedelta(minutes=2)
"""The provider's clock is not ours, and it writes whole seconds: an answer may seem older than its
question."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question as it stands when a reply is read."""

    id: UUID
    asking: Literal["level", "reason", "verdict", "recall", "message"]
    state: QuestionState
    asked_at: datetime
    open_until: datetime
    ended_at: datetime | None = None
    """When the answer that ended it was written."""
    held_until: datetime | None = None
    clarified: bool = False
    options: Sequence[str] = ()
    level: int | None = None
    """Of the review that stands, if there is one."""
    undo_until: datetime | None = None
    undone_before: bool = False
    receipt_id: int | None = None
    awaits_reason: bool = False
    """The review that stands."""

    @property
    def held(self) -> datetime:
        """Till then what its phone writes is about this."""
        return self.held_until or min(self.open_until, self.ended_at or self.open_until)


class Act(StrEnum):
    RATE = "rate"
    GIVE_REASON = "give_reason"
    ADD_WORDS = "add_words"
    CORRECT = "correct"
    JUDGE = "judge"
    RECALL = "recall"
    """He says whether he was content with the service indeed."""
    SAY = "say"
    """Words for the agency, over the relay."""
    OPT_OUT = "opt_out"
    ASK_AGAIN = "ask_again"
    HAND_OVER = "hand_over"
    """Not understood twice: the question ends and a person reads."""
    KEEP = "keep"


@dataclass(frozen=True)
class Move:
    """What is to be done about one reply."""

    act: Act
    outcome: Outcome
    question: Asked | None = None
    reading: Reading | None = None


def move_of(
    text: str, at: datetime, asked: Sequence[Asked], now: datetime, ahead: timedelta = timedelta(0)
) -> Move:
    """`asked`: every question that this phone was sent, in any order, and those for a reason that it
    will be; `ahead`: how far the demo has advanced our clock before the clocks of those who write to
    us."""
    sent = [question for question in asked if question.state is not QuestionState.WAITING]
    question = _meant(at, sent) or _meant(at + ahead, sent)
    reading = _read(text, question.asking if question else "level")
    if reading.kind == "opt_out":
        return Move(Act.OPT_OUT, Outcome.OPTED_OUT, question, reading)
    if question is None:
        return Move(Act.KEEP, Outcome.UNKNOWN, None, reading)
    if _answers(question, at):
        return _ANSWERS[question.asking](question, reading, at, now)
    if reason := _reason_before_asked(question, text, at, asked):
        return reason
    return _afterwards(question, text, at, now)


_READ_AS: dict[str, Literal["level", "reason", "verdict"]] = {
    "level": "level", "reason": "reason", "verdict": "verdict", "recall": "verdict",
    "message": "reason",  # whatever it says is for the agency; but who opts out is heard
}  # fmt: skip


def _read(text: str, asking: str) -> Reading:
    reading = read(text, _READ_AS[asking])
    if asking != "recall" or reading.kind != "unclear":
        return reading
    level = read(text, "level")
    if level.level is None:
        return reading
    return Reading("verdict", content=not is_bad(level.level), words=level.words)


def by_our_clock(at: datetime, now: datetime, ahead: timedelta) -> datetime:
    """In the demo, of what was written just now by a clock that was not advanced with ours."""
    return at + ahead if abs(now - ahead - at) <= SLACK else at


def _meant(at: datetime, asked: Sequence[Asked]) -> Asked | None:
    """The newest question that had been asked when this was written. A clock may be wrong, but not
    against a question that was open: one that was asked a moment later was not seen yet."""
    before = [question for question in asked if question.asked_at <= at]
    newest = max(before, key=lambda question: question.asked_at, default=None)
    if newest and at <= newest.held:
        return newest
    earlier = [question for question in asked if question.asked_at - SLACK <= at]
    return max(earlier, key=lambda question: question.asked_at, default=None)


def _answers(question: Asked, at: datetime) -> bool:
    """It was written while the question was open, however late it comes to us."""
    return question.state in _STILL_ANSWERED and at <= question.open_until


_STILL_ANSWERED = frozenset({QuestionState.OPEN, QuestionState.EXPIRED})


def _level(question: Asked, reading: Reading, at: datetime, now: datetime) -> Move:
    if reading.kind == "level":
        return Move(Act.RATE, Outcome.RATED, question, reading)
    return _unclear(question, reading)


def _reason(question: Asked, reading: Reading, at: datetime, now: datetime) -> Move:
    if question.state is QuestionState.EXPIRED and not question.awaits_reason:
        # The order went to a person already; what was written in time goes after it.
        return Move(Act.ADD_WORDS, Outcome.ADDED, question, reading)
    if reading.kind == "level":
        if reading.level != question.level:
            return _corrected(question, reading, now)
        if not reading.words:
            return Move(Act.KEEP, Outcome.REPEATED, question, reading)
        return Move(Act.GIVE_REASON, Outcome.REASONED, question, reading)
    if reading.kind == "reason" and (reading.reasons or reading.words):
        return Move(Act.GIVE_REASON, Outcome.REASONED, question, reading)
    return _unclear(question, reading)


def _verdict(question: Asked, reading: Reading, at: datetime, now: datetime) -> Move:
    if reading.kind == "verdict":
        return Move(Act.JUDGE, Outcome.JUDGED, question, reading)
    return _unclear(question, reading)


def _recall(question: Asked, reading: Reading, at: datetime, now: datetime) -> Move:
    if reading.kind == "verdict":
        return Move(Act.RECALL, Outcome.RECALLED, question, reading)
    return _unclear(question, reading)


def _message(question: Asked, reading: Reading, at: datetime, now: datetime) -> Move:
    return Move(Act.SAY, Outcome.ADDED, question, reading)


_ANSWERS = {
    "level": _level, "reason": _reason, "verdict": _verdict, "recall": _recall, "message": _message,
}  # fmt: skip


def _unclear(question: Asked, reading: Reading) -> Move:
    if question.clarified or question.state is not QuestionState.OPEN:
        return Move(Act.HAND_OVER, Outcome.UNCLEAR, question, reading)
    return Move(Act.ASK_AGAIN, Outcome.ASKED_AGAIN, question, reading)


def _corrected(question: Asked, reading: Reading, now: datetime) -> Move:
    """The later answer counts, inside the undo time and once, as on every other channel."""
    in_time = question.undo_until is not None and now < question.undo_until
    if in_time and not question.undone_before:
        return Move(Act.CORRECT, Outcome.CORRECTED, question, reading)
    return Move(Act.KEEP, Outcome.LATE, question, reading)


def _reason_before_asked(
    rated: Asked, text: str, at: datetime, asked: Sequence[Asked]
) -> Move | None:
    """Words that follow a bad level before we could ask for them. A letter is none: no list was
    sent."""
    if rated.asking != "level" or (rated.ended_at and at < rated.ended_at):
        return None
    ours = (q for q in asked if q.state is QuestionState.WAITING and q.awaits_reason)
    waiting = next((q for q in ours if q.receipt_id == rated.receipt_id), None)
    reading = read(text, "reason")
    if waiting is None or reading.kind != "reason" or not reading.words:
        return None
    return Move(Act.GIVE_REASON, Outcome.REASONED, waiting, reading)


def _afterwards(question: Asked, text: str, at: datetime, now: datetime) -> Move:
    """To a question that is no longer open."""
    if question.asking == "message":
        return _message(question, _read(text, "message"), at, now)  # a talk goes on after an answer
    again = read(text, "level")
    if question.state is QuestionState.NEEDLESS and question.level is not None:
        return Move(Act.KEEP, Outcome.REVIEWED_ELSEWHERE, question, again)
    if question.state is not QuestionState.ANSWERED:
        return Move(Act.KEEP, Outcome.LATE, question, again)
    if question.ended_at is not None and at < question.ended_at:
        told = Outcome.REPEATED if again.kind == "level" else Outcome.REMARK
        return Move(Act.KEEP, told, question, again)
    if again.kind == "level" and question.asking not in ("verdict", "recall"):
        if again.level == question.level:
            return Move(
                Act.KEEP, Outcome.REMARK if again.words else Outcome.REPEATED, question, again
            )
        return _corrected(question, again, now)
    return Move(Act.KEEP, Outcome.REMARK, question, again)


def has_reason(level: int, words: str) -> bool:
    """A good review needs none; a bad one has it if the reply said more than its level."""
    return not is_bad(level) or bool(words)


def tags_of(question: Asked, reading: Reading) -> list[str]:
    """The tags behind the letters; a letter that the list did not have says nothing."""
    places = ["ABCDEFGH".index(letter) for letter in reading.reasons if letter in "ABCDEFGH"]
    return [question.options[place] for place in places if place < len(question.options)]
