"""The conversation by SMS: replies that came in, read in the order in which each phone wrote them."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Refusal
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.messages import service as messages
from server.messages.rules import Outcome
from server.reviews import callbacks, questions, relay, sms_reviews, voices
from server.reviews.conversation import Act, Asked, move_of
from server.reviews.heard import Heard
from server.reviews.patience import patiently
from server.reviews.rules import COMMENT_LIMIT, QuestionState, ReviewChannel, ReviewState
from server.reviews.ties import UNDONE_BEFORE

_BATCH = 100
_SEAL = "reply"
_AT_WORK = """
SELECT r.* FROM sms_replies r WHERE r.outcome = 'new' AND NOT EXISTS (
  SELECT 1 FROM sms_replies e WHERE e.phone_key = r.phone_key AND e.outcome = 'new'
   AND (e.at, e.id) < (r.at, r.id))
ORDER BY r.received_at LIMIT $1 FOR UPDATE OF r SKIP LOCKED
"""
"""Of every phone the oldest reply that was not read yet."""


async def converse() -> int:
    """Reads what is new until nothing is; gives how many replies were read."""
    done, more = 0, True
    while more:
        count, more = await patiently(_converse, _BATCH, _give_up)
        done += count
    return done


async def _give_up() -> tuple[int, bool]:
    """A reply that cannot be worked on must not hold up the others: a person reads it."""
    oldest = f"SELECT id FROM ({_AT_WORK}) AS r"  # noqa: S608
    rows = await sql.fetch(
        f"UPDATE sms_replies SET outcome = 'unclear' WHERE id IN ({oldest}) RETURNING 1",  # noqa: S608
        1,
    )
    return len(rows), True


async def _converse(most: int) -> tuple[int, bool]:
    """How many were read, and whether more are known to wait."""
    now = clock.now()
    async with transaction():
        replies = await sql.fetch(_AT_WORK, most)
        if not replies:
            return 0, False
        found = len(replies)
        replies, readable = _one_of_each_phone(replies)
        phones = {said["phone"] for said in readable.values()}
        locked = await messages.lock(phones, now)
        asked = await _asked(phones)
        all_heard = [
            Heard(
                r, said["phone"], said["text"], asked.get(said["phone"], {}),
                locked[said["phone"]], now,
            )
            for r in replies if (said := readable.get(r["id"]))
        ]  # fmt: skip
        await _act_on(all_heard)
        await messages.post([post for heard in all_heard for post in heard.posts], now)
        more = await _settle(replies, all_heard, now)
    return len(replies), more or found == most or found > len(replies)


def _one_of_each_phone(replies: Sequence[Record]) -> tuple[list[Record], dict[int, dict[str, Any]]]:
    """After a change of keys a phone may have two, under either; with what those say that could be
    opened."""
    taken, readable, phones = list[Record](), dict[int, dict[str, Any]](), set[str]()
    for reply in sorted(replies, key=lambda reply: (reply["at"], reply["id"])):
        said = _opened(reply["content"])
        if said and said["phone"] in phones:
            continue
        taken.append(reply)
        if said:
            phones.add(said["phone"])
            readable[reply["id"]] = said
    return taken, readable


def _opened(content: bytes | None) -> dict[str, Any] | None:
    """None if it is under a key that was withdrawn, or was forgotten before it was read."""
    try:
        return json.loads(vault().unseal(content, _SEAL)) if content else None
    except BrokenSeal:
        return None


_ASKED = f"""
SELECT q.*, r.id AS rated, r.level, r.undo_until, r.order_number, r.state AS review_state,
  {UNDONE_BEFORE.format("q.receipt_id")} AS undone_before
FROM questions q LEFT JOIN reviews r ON r.receipt_id = q.receipt_id
  AND r.state IN ('standing', 'awaiting_reason')
WHERE q.phone_key = ANY($1) AND (q.asked_at IS NOT NULL
  OR q.state = 'waiting' AND q.asking = 'reason') ORDER BY q.id FOR UPDATE OF q
"""  # noqa: S608


async def _asked(phones: Collection[str]) -> dict[str, dict[UUID, Record]]:
    """Phone → its questions that were sent or are for a reason, with what stands of their reviews;
    all locked."""
    of_key = questions.keys_of(phones)
    rows = await sql.fetch(_ASKED, list(of_key))
    found: dict[str, dict[UUID, Record]] = {}
    for row in rows:
        found.setdefault(of_key[row["phone_key"]], {})[row["id"]] = row
    return found


def _as_asked(row: Record) -> Asked:
    return Asked(
        id=row["id"], asking=row["asking"], state=QuestionState(row["state"]),
        asked_at=row["asked_at"] or row["due_at"], ended_at=row["ended_at"],
        open_until=row["open_until"] or row["give_up_at"],
        held_until=row["held_until"], clarified=row["clarified_at"] is not None,
        options=row["options"], level=row["level"], undo_until=row["undo_until"],
        undone_before=row["undone_before"], receipt_id=row["receipt_id"],
        awaits_reason=row["review_state"] == ReviewState.AWAITING_REASON,
    )  # fmt: skip


async def _act_on(all_heard: Sequence[Heard]) -> None:
    """Each is of another phone, so that their order does not matter."""
    rating = []
    for heard in all_heard:
        asked = [_as_asked(row) for row in heard.rows.values()]
        heard.move = move_of(heard.text, heard.at, asked, heard.now, clock.advanced)
        if heard.move.act is Act.RATE:
            rating.append(heard)
            continue
        try:
            heard.outcome = await _ACTS[heard.move.act](heard)
        except Refusal:
            # The rules of the desk say no, as they would on any other channel: a person looks.
            heard.outcome = Outcome.LATE
    if rating:
        await _rate(rating)


_SETTLED = """settled AS (
  UPDATE sms_replies r SET outcome = s.outcome, about = s.about
  FROM unnest({reply}::bigint[], {outcome}::text[], {about}::uuid[]) AS s(id, outcome, about)
  WHERE r.id = s.id
)"""
_MORE = """SELECT 1 FROM sms_replies
WHERE outcome = 'new' AND phone_key = ANY({phone_key}) AND id <> ALL({reply}) LIMIT 1"""


async def _settle(replies: Sequence[Record], all_heard: Sequence[Heard], now: datetime) -> bool:
    """What could not be opened is nobody's. Gives whether their phones have said more."""
    read = {heard.reply["id"]: heard for heard in all_heard}
    known = [read.get(reply["id"]) for reply in replies]
    settled = {
        "reply": [reply["id"] for reply in replies],
        "phone_key": [reply["phone_key"] for reply in replies],
        "outcome": [heard.outcome if heard else Outcome.UNKNOWN for heard in known],
        "about": [h.move.question.id if h and h.move.question else None for h in known],
    }  # fmt: skip
    ends = [end for heard in all_heard for end in heard.ends]
    parts = [*questions.ended(ends, now), sql.Part(_SETTLED, settled)]
    return bool(await sql.together(parts, _MORE))


async def _keep(heard: Heard) -> Outcome:
    return heard.move.outcome


async def _rate(rating: Sequence[Heard]) -> None:
    """Nearly all that comes: stored together."""
    all_taken = await sms_reviews.rate([heard.rating for heard in rating], rating[0].now)
    for heard, taken in zip(rating, all_taken, strict=True):
        if taken is None:
            heard.end(QuestionState.NEEDLESS)
            elsewhere = await sms_reviews.is_rated(heard.question["receipt_id"])
            heard.outcome = Outcome.REVIEWED_ELSEWHERE if elsewhere else Outcome.LATE
        else:
            heard.end(QuestionState.ANSWERED, taken)
            heard.leave({heard.question["receipt_id"]})  # a reminder, if this came late
            heard.posts += taken.thanks(heard.phone) if heard.may_write else []
            heard.outcome = Outcome.RATED


async def _give_reason(heard: Heard) -> Outcome:
    taken = await sms_reviews.give_reason(heard.question, heard.move, heard.text, heard.now)
    if taken is None:
        heard.end(QuestionState.NEEDLESS)
        return Outcome.LATE
    heard.end(QuestionState.ANSWERED, taken)
    return Outcome.REASONED


async def _correct(heard: Heard) -> Outcome:
    """Both stay: the first as undone, the later one as what counts."""
    taken = await sms_reviews.correct(heard.rating, heard.now)
    heard.end(QuestionState.ANSWERED, taken)
    heard.posts += taken.thanks(heard.phone) if heard.may_write else []
    return Outcome.CORRECTED


async def _judge(heard: Heard) -> Outcome:
    try:
        await sms_reviews.judge(heard.question, heard.move, heard.text)
    except Refusal:
        heard.end(QuestionState.NEEDLESS)  # judged elsewhere
        return Outcome.LATE
    heard.end(QuestionState.ANSWERED)
    return Outcome.JUDGED


async def _add_words(heard: Heard) -> Outcome:
    await sms_reviews.add_words(heard.question, heard.text, heard.now)
    return Outcome.ADDED


async def _say(heard: Heard) -> Outcome:
    """A word for the agency: the question has its answer, and what he writes on is another word."""
    await relay.say(await voices.of_id(heard.question["review_id"]), heard.text[:COMMENT_LIMIT])
    if heard.question["state"] in (QuestionState.OPEN, QuestionState.EXPIRED):
        heard.end(QuestionState.ANSWERED)
    return Outcome.ADDED


async def _recall(heard: Heard) -> Outcome:
    reading = heard.move.reading
    assert reading is not None
    await callbacks.answer(
        await voices.of_id(heard.question["review_id"]), satisfied=bool(reading.content),
        comment=reading.words[:COMMENT_LIMIT], channel=ReviewChannel.SMS,
    )  # fmt: skip
    heard.end(QuestionState.ANSWERED)
    return Outcome.RECALLED


async def _opt_out(heard: Heard) -> Outcome:
    await messages.opt_out([heard.phone], heard.now)
    heard.leave({row["receipt_id"] for row in heard.rows.values()})
    return Outcome.OPTED_OUT


async def _ask_again(heard: Heard) -> Outcome:
    if not heard.may_write:
        return await _hand_over(heard)
    heard.posts.append(await questions.ask_again(heard.question, heard.phone, heard.now))
    return Outcome.ASKED_AGAIN


async def _hand_over(heard: Heard) -> Outcome:
    heard.end(QuestionState.HANDED_OVER)
    return Outcome.UNCLEAR


_ACTS = {
    Act.KEEP: _keep, Act.GIVE_REASON: _give_reason, Act.CORRECT: _correct,
    Act.JUDGE: _judge, Act.OPT_OUT: _opt_out, Act.ASK_AGAIN: _ask_again,
    Act.HAND_OVER: _hand_over, Act.ADD_WORDS: _add_words, Act.SAY: _say, Act.RECALL: _recall,
}  # fmt: skip
