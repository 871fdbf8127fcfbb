"""Who is asked by SMS, and when: one question at a phone at a time, in the policy's hours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.messages import service as messages
from server.messages.rules import Purpose, next_in_hours, start_of_day
from server.messages.service import Locked
from server.reviews import questions
from server.reviews.patience import patiently
from server.reviews.questions import Busy
from server.reviews.rules import QuestionState
from server.reviews.ties import COURSE_OF, ORDER_OF
from server.workorders.rules import FINAL

_BATCH = 100


async def invite() -> int:
    """Receipts whose time has come get their question; whoever rated already is left in peace."""
    now = clock.now()
    async with transaction():
        receipts = await sql.fetch(
            "SELECT * FROM receipts WHERE invite_at <= $1 ORDER BY invite_at LIMIT $2 "
            "FOR UPDATE SKIP LOCKED",
            now, _BATCH,
        )  # fmt: skip
        if not receipts:
            return 0
        numbers = [receipt["id"] for receipt in receipts]
        await sql.fetch("UPDATE receipts SET invite_at = NULL WHERE id = ANY($1)", numbers)
        earlier = await _asked_before(numbers)
        rated = await _rated(numbers)
        wanted = [
            receipt for receipt in receipts
            if receipt["id"] not in rated and earlier.get(receipt["id"], 0) < 2
            and receipt["voided_at"] is None and receipt["open_until"] > now
        ]  # fmt: skip
        await questions.add([
            _invitation(receipt, phone, receipt["id"] in earlier, now)
            for receipt in wanted if (phone := questions.phone_of(receipt))
        ])  # fmt: skip
    return len(receipts)


async def _asked_before(receipts: list[int]) -> dict[int, int]:
    rows = await sql.fetch(
        "SELECT receipt_id, count(*) AS times FROM questions "
        "WHERE receipt_id = ANY($1) AND asking = 'level' GROUP BY 1",
        receipts,
    )
    return {row["receipt_id"]: row["times"] for row in rows}


async def _rated(receipts: list[int]) -> set[int]:
    """Also one that was undone: who knows the way needs no invitation."""
    rows = await sql.fetch(
        "SELECT DISTINCT receipt_id FROM reviews WHERE receipt_id = ANY($1)", receipts
    )
    return {row["receipt_id"] for row in rows}


def _invitation(receipt: Record, phone: str, reminder: bool, now: datetime) -> questions.New:
    return questions.New(
        receipt=receipt, phone=phone, asking="level", reminder=reminder, due_at=now,
        give_up_at=receipt["open_until"],
    )  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """It is this question's turn."""


@dataclass(frozen=True)
class Wait:
    until: datetime


@dataclass(frozen=True)
class Drop:
    state: QuestionState


def turn(question: Record, phone: Locked, busy: Busy, now: datetime) -> Ask | Wait | Drop:
    """Whether a waiting question is asked now, waits on, or never is (no database)."""
    policy = catalogue().policy(question["region_code"])
    if phone.opted_out or not policy.sms:
        return Drop(QuestionState.NEEDLESS)
    if now >= question["give_up_at"]:
        return Drop(QuestionState.STARVED)
    held = [busy.until, busy.reason_until if question["asking"] != "reason" else None]
    until = free = max([now, *(at for at in held if at)])
    if phone.sent_today >= policy.daily_messages:
        until = max(until, start_of_day(now) + timedelta(days=1))
    if question["asking"] != "reason" or until > now:
        # The reason is asked of a citizen who has just written to us, at whatever hour.
        until = next_in_hours(until, policy.hour_from, policy.hour_to)
    if until >= question["give_up_at"]:
        # The phone may be free earlier: it is looked at again then, and once more in the end.
        return Wait(question["give_up_at"]) if free > now else Drop(QuestionState.STARVED)
    return Wait(until) if until > now else Ask()


_DUE = "state = 'waiting' AND due_at <= $1"


async def ask() -> int:
    """Waiting questions whose time has come, each phone for itself; gives how many were looked at."""
    return await patiently(_ask, _BATCH, _give_up)


async def _give_up() -> int:
    """A question that cannot be asked must not hold up the others; a bad review goes on without it."""
    rows = await sql.fetch(
        "UPDATE questions SET state = 'unsent', ended_at = $1 WHERE id = ("  # noqa: S608
        f"SELECT id FROM questions WHERE {_DUE} ORDER BY due_at, id LIMIT 1) RETURNING 1",
        clock.now(),
    )
    return len(rows)


async def _ask(most: int) -> int:
    now = clock.now()
    async with transaction():
        waiting, known = await _locked(_DUE, "due_at", now, most)
        phones = {q["id"]: questions.unsealed(q["phone"]) for q in waiting}
        busy = await questions.busy(known, now)
        needless = await _needless(waiting)
        receipts = await questions.receipts_of([question["receipt_id"] for question in waiting])
        posts, freed = [], set[str]()
        for question in waiting:
            phone = phones[question["id"]]
            told: Ask | Wait | Drop = Drop(QuestionState.NEEDLESS)
            if phone and question["id"] not in needless:
                told = turn(question, known[phone], busy[phone], now)
            if phone and isinstance(told, Ask):
                receipt = receipts[question["receipt_id"]]
                busy[phone].until, message = await questions.open_now(question, receipt, phone, now)
                posts.append(message)
            elif isinstance(told, Wait):
                await questions.put_off(question["id"], told.until)
            elif isinstance(told, Drop):
                await _drop(question, told, now)
                freed |= {phone} if phone and question["asking"] == "reason" else set()
        await questions.wake(freed, now)
        await messages.post(posts, now)
    return len(waiting)


async def _locked(
    condition: str, order: str, now: datetime, most: int = _BATCH
) -> tuple[list[Record], dict[str, Locked]]:
    """Questions that are due, with what is known of their phones. First the phones are locked, then
    the questions, as wherever something is decided about both: so nobody waits in a circle."""
    due = await sql.fetch(
        f"SELECT id, phone FROM questions WHERE {condition} ORDER BY {order}, id LIMIT $2",  # noqa: S608
        now, most,
    )  # fmt: skip
    if not due:
        return [], {}
    phones = {phone for row in due if (phone := questions.unsealed(row["phone"]))}
    known = await messages.lock(phones, now)
    rows = await sql.fetch(
        f"SELECT * FROM questions WHERE {condition} AND id = ANY($2) "  # noqa: S608
        f"ORDER BY {order}, id FOR UPDATE",
        now, [row["id"] for row in due],
    )  # fmt: skip
    return rows, known


async def _drop(question: Record, told: Drop, now: datetime) -> None:
    if told.state is QuestionState.STARVED:
        metrics.starved.labels(question["asking"]).inc()
    await questions.end(question["id"], told.state, now)


async def _needless(waiting: Sequence[Record]) -> set[UUID]:
    """Invitations to rate what was rated meanwhile, requests for what was said meanwhile."""
    rows = await sql.fetch(
        f"SELECT q.id FROM questions q WHERE q.id = ANY($1) AND NOT ({_WANTED})",  # noqa: S608
        [question["id"] for question in waiting],
    )
    return {row["id"] for row in rows}


_WANTED = f"""CASE q.asking
  WHEN 'level' THEN NOT EXISTS (SELECT 1 FROM reviews r WHERE r.receipt_id = q.receipt_id)
    AND EXISTS (SELECT 1 FROM receipts t WHERE t.id = q.receipt_id AND t.voided_at IS NULL)
  WHEN 'reason' THEN EXISTS (
    SELECT 1 FROM reviews r WHERE r.id = q.review_id AND r.state = 'awaiting_reason')
  WHEN 'recall' THEN EXISTS (SELECT 1 FROM call_backs b
    WHERE b.review_id = q.review_id AND b.kind = 'sample' AND b.state <> 'done')
  WHEN 'message' THEN (
    SELECT s.actor <> 'citizen' AND s.move <> 'resume' AND o.closed_at IS NULL
    FROM voices r JOIN work_orders o ON o.number = {COURSE_OF}
    JOIN work_order_steps s ON s.order_id = o.number
      AND s.move IN ('ask', 'message', 'resume', 'supplement')
      AND (s.actor <> 'citizen' OR s.move = 'resume' OR coalesce(s.of_order, o.number) = {ORDER_OF})
    WHERE r.id = q.review_id ORDER BY s.id DESC LIMIT 1)
  ELSE EXISTS (
    SELECT 1 FROM voices r JOIN work_orders o ON o.number = {COURSE_OF}
    WHERE r.id = q.review_id AND o.state = 'answered') END"""  # noqa: S608


_QUESTION = f"SELECT 1 FROM questions q WHERE q.id = $1 AND q.state = 'open' AND {_WANTED}"  # noqa: S608
_ORDER_IS = f"""SELECT 1 FROM voices r JOIN work_orders o ON o.number = {COURSE_OF}
  WHERE r.id = $1 AND r.state = 'standing' AND o.state IN """  # noqa: S608
_NEWS = {
    Purpose.ACCEPTED: _ORDER_IS + "('accepted', 'planned', 'asking')",
    Purpose.CLOSED: _ORDER_IS + f"({', '.join(repr(str(state)) for state in sorted(FINAL))})",
}


async def still_wanted(purpose: Purpose, about: UUID) -> bool:
    """Asked in the moment before a message goes out: nobody hears what is overtaken."""
    return bool(await sql.fetch(_NEWS.get(purpose, _QUESTION), about))


async def end_questions() -> int:
    """Open questions whose time is over, or whose message will never arrive."""
    now = clock.now()
    async with transaction():
        ended, phones = await _locked("state = 'open' AND open_until <= $1", "open_until", now)
        for question in ended:
            await questions.end(question["id"], QuestionState.EXPIRED, now)
        await _remind_later(ended, now)
        await questions.wake(phones, now)
    return len(ended)


async def _remind_later(ended: Iterable[Any], now: datetime) -> None:
    for question in ended:
        hours = catalogue().policy(question["region_code"]).remind_hours
        if question["asking"] == "level" and not question["reminder"] and hours:
            at = max(now, question["asked_at"] + timedelta(hours=hours))
            await sql.fetch(
                "UPDATE receipts SET invite_at = $2 WHERE id = $1 AND open_until > $2",
                question["receipt_id"], at,
            )  # fmt: skip


async def end_of_voided(receipt: int) -> int:
    """Nobody is asked to rate what was voided, and the phone is free for other questions."""
    now = clock.now()
    async with transaction():
        of_it = f"receipt_id = {int(receipt)} AND asking = 'level' AND state IN ('waiting', 'open')"
        ended, phones = await _locked(f"{of_it} AND $1::timestamptz IS NOT NULL", "due_at", now)
        for question in ended:
            await questions.end(question["id"], QuestionState.NEEDLESS, now)
        await questions.wake(phones, now)
    return len(ended)


async def end_unsent() -> int:
    """A question that never reached its phone does not hold it; what was said stays said."""
    now = clock.now()
    async with transaction():
        unsent, phones = await _locked(_UNSENT, "asked_at", now)
        for question in unsent:
            await questions.end(question["id"], QuestionState.UNSENT, now)
        await questions.wake(phones, now)
    return len(unsent)


_UNSENT = """state = 'open' AND asked_at <= $1 AND id IN (
  SELECT f.about FROM sms_messages f
  WHERE f.state IN ('failed', 'cancelled') AND f.settled_at > $1 - INTERVAL '24 hours') AND (
  SELECT bool_and(m.state IN ('failed', 'cancelled')) FROM sms_messages m
  WHERE m.phone_key = questions.phone_key AND m.about = questions.id
   AND m.created_at >= questions.asked_at)"""
