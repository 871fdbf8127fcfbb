"""One reply as it is worked on."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.messages.rules import Outcome
from server.messages.service import Locked, Post
from server.reviews.conversation import Move, by_our_clock
from server.reviews.questions import End
from server.reviews.rules import QuestionState
from server.reviews.sms_reviews import Rating, Taken


@dataclass
class Heard:
    """One reply and what is known of its phone."""

    reply: Record
    phone: str = field(repr=False)
    text: str = field(repr=False)
    rows: dict[UUID, Record]
    """The phone's questions."""
    locked: Locked
    now: datetime
    posts: list[Post] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    move: Move = field(init=False)
    outcome: Outcome = field(init=False)

    @property
    def question(self) -> Record:
        return self.rows[self.move.question.id]  # type: ignore[union-attr]

    @property
    def at(self) -> datetime:
        return by_our_clock(self.reply["at"], self.now, clock.advanced)

    @property
    def rating(self) -> Rating:
        return Rating(self.question, self.move, self.phone, self.at)

    @property
    def may_write(self) -> bool:
        daily = catalogue().policy(self.question["region_code"]).daily_messages
        return not self.locked.opted_out and self.locked.sent_today < daily

    def end(self, state: QuestionState, taken: Taken | None = None) -> None:
        """What it says in the next minutes is still about this, and no answer to something else."""
        answered = state is QuestionState.ANSWERED
        minutes = catalogue().policy(self.question["region_code"]).undo_minutes
        self.ends.append(
            End(
                question=self.question, state=state, at=self.at if answered else self.now,
                review_id=taken.given.id if taken else None,
                held_until=taken.held_until if taken else self.now + timedelta(minutes=minutes),
                phone=self.phone,
            )
        )  # fmt: skip

    def leave(self, receipts: Collection[int]) -> None:
        """What else is open about these is not waited for."""
        ended = {end.question["id"] for end in self.ends}
        self.ends += [
            End(question=row, state=QuestionState.NEEDLESS, at=self.now, phone=self.phone)
            for row in self.rows.values()
            if row["state"] == QuestionState.OPEN and row["receipt_id"] in receipts
            and row["id"] not in ended
        ]  # fmt: skip
