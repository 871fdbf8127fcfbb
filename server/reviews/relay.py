"""中转留言: citizen and agency talk without knowing each other, all of it in the order's history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.messages.rules import start_of_day
from server.reviews import rules, service
from server.reviews.ties import order_of
from server.reviews.voices import Voice
from server.workorders import alerts, joined, moves
from server.workorders import service as orders
from server.workorders.joined import Follower
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import (
    BESIDE,
    FINAL,
    STATE_NAMES,
    BlankText,
    IllegalMove,
    Move,
    Record,
    State,
    is_blank,
)

ALERT = "message"
TWICE = timedelta(minutes=1)
SAID = frozenset({Move.ASK, Move.RESUME, Record.MESSAGE, Record.SUPPLEMENT})
"""The steps in which somebody says something to the other."""


@dataclass(frozen=True)
class Message:
    at: datetime
    by: Literal["citizen", "agency"]
    words: str


def thread(steps: Iterable[Step]) -> list[Message]:
    """Oldest first. The citizen's words are those that the agency reads."""
    return [
        Message(step.at, "citizen" if step.actor == moves.CITIZEN else "agency", step.words)
        for step in steps if step.move in SAID and step.words
    ]  # fmt: skip


async def say(voice: Voice, text: str) -> None:
    """A word of the citizen to the agency; the answer to its question, if it has asked one."""
    if is_blank(text):
        raise BlankText
    words, number = rules.check_comment(text), await order_of(voice)
    if number is None:
        raise rules.NobodyToTalkTo
    shown = await service.redacted(voice, words)
    async with transaction():
        follower, now = await joined.locked(number), clock.now()
        order = follower.course
        _check_open(order, now)
        if await _just_said(follower, shown, now):
            return
        await _check_limit(follower, now)
        talks = State(order.state) in BESIDE[Record.MESSAGE]
        await orders.add_words(number, shown, now, Record.MESSAGE if talks else Record.SUPPLEMENT)
        await _tell_owner(order, now)


def _check_open(order: WorkOrder, now: datetime) -> None:
    if order.state in FINAL:
        raise IllegalMove(f"“{STATE_NAMES[State(order.state)]}”的工单不能再留言")
    if order.visible_from > now:
        raise rules.SupplementTooEarly


async def _just_said(follower: Follower, words: str, now: datetime) -> bool:
    """The same button pressed twice."""
    spoken = Step.filter(order_id=follower.course.number, move__in=[str(move) for move in SAID])
    last = await spoken.exclude(words="").order_by("-id").first()
    if last is None or last.actor != moves.CITIZEN or last.words != words:
        return False
    if last.of_order != follower.of_order:
        return False
    return last.at > now - TWICE


async def _check_limit(follower: Follower, now: datetime) -> None:
    today = start_of_day(now)
    rows = await sql.fetch(
        "SELECT count(*) FROM work_order_steps WHERE order_id = $1 AND actor = 'citizen' "
        "AND move IN ('message', 'supplement') AND at >= $2 AND of_order IS NOT DISTINCT FROM $3::text",
        follower.course.number, today, follower.of_order,
    )  # fmt: skip
    if rows[0]["count"] >= rules.MESSAGES_A_DAY:
        refusal = rules.TooManyMessages()
        refusal.retry_after = int((today + timedelta(days=1) - now).total_seconds()) + 1
        raise refusal


async def _tell_owner(order: WorkOrder, now: datetime) -> None:
    """Once, until he has looked."""
    rows = await sql.fetch(
        "SELECT 1 FROM alerts WHERE staff_id = $1 AND order_number = $2 AND kind = $3 "
        "AND seen_at IS NULL LIMIT 1",
        order.owner_id, order.number, ALERT,
    )  # fmt: skip
    if not rows:
        await alerts.tell(
            await alerts.owner(order), ALERT, "群众有新的留言", now, order=order.number
        )
