"""What became of an order, told to the citizen: by WeChat if he gave leave, else over the channel on
which he rated, else only on his own page."""

from collections.abc import Collection
from datetime import datetime, timedelta

from asyncpg import Record

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.transaction import transaction
from server.messages import notices
from server.messages import service as messages
from server.messages.rules import News, Purpose
from server.messages.service import Locked, Post
from server.reviews import questions, said
from server.reviews.addresses import phone_for
from server.reviews.rules import QuestionState
from server.workorders.moves import CITIZEN
from server.workorders.rules import FINAL, Move, State
from server.workorders.rules import Record as Beside

NEWS_FOR = timedelta(days=2)
"""Older news by text message is none."""
_TO_REPLY = timedelta(days=1)
_TOLD = {
    News.ACCEPTED: "已受理", News.ASKED: "等您回复", News.ANSWERED: "已答复", News.CLOSED: "已办结",
}  # fmt: skip
_COURSE = (Move.ACCEPT, Move.ANSWER, Move.SILENCE, Move.RULE, Move.DISMISS, Move.MERGE)
"""The moves that are news; what is only written beside the order is none."""
_RELAY = (Move.ASK, Move.RESUME, Beside.MESSAGE, Beside.SUPPLEMENT)
_LATEST = """
SELECT s.id, s.at, s.move, s.actor, own.number, o.state, o.matter, o.agency_code, o.next_due_at,
  o.due_at, r.id AS review, r.channel, r.contact, r.receipt_id, r.query_key, r.citizen_id,
  greatest(s.at, CASE WHEN own.merged_into IS NOT NULL THEN own.closed_at END) AS since
FROM work_orders own JOIN voices r ON r.id = own.origin_key AND r.state = 'standing'
JOIN work_orders o ON o.number = coalesce(own.merged_into, own.number)
JOIN LATERAL (SELECT * FROM work_order_steps s WHERE s.order_id = o.number AND s.move = ANY($2)
  AND s.state = o.state AND s.actor <> 'citizen' ORDER BY s.id DESC LIMIT 1) s ON TRUE
WHERE own.number = $1 OR own.merged_into = $1
"""
"""For each citizen of the order the step by which the agency brought it to where it is; what came before
is no news now."""
# What one citizen said to the agency, and what it said before his order came here, is not another's.
_WORD = _LATEST.replace(
    "AND s.state = o.state AND s.actor <> 'citizen'",
    "AND o.closed_at IS NULL AND (s.actor <> 'citizen' OR coalesce(s.of_order, o.number) = own.number)"
    " AND (own.merged_into IS NULL OR s.at >= own.closed_at)",
)
"""What was said last in the relay, by whom ever."""
_MERGED = """
SELECT s.id, s.at, s.move, s.actor, own.number, own.state, own.matter, own.agency_code, own.next_due_at,
  own.due_at, r.id AS review, r.channel, r.contact, r.receipt_id, r.query_key, r.citizen_id, s.at AS since
FROM work_orders own JOIN voices r ON r.id = own.origin_key AND r.state = 'standing'
JOIN work_order_steps s ON s.order_id = own.number AND s.move = 'merge'
WHERE own.number = $1 AND own.state = 'merged'
"""


async def tell(order: str, by_wechat: Collection[str] = ()) -> int:
    """The job of an order that the agency has moved, or to whose citizen it has written. Doing it
    twice tells once. `by_wechat`: the news for which there is a template."""
    told = 0
    for row, news in await _all_news(order):
        if row["citizen_id"] and news in by_wechat:
            async with transaction():
                if await notices.write(_telling(row, news)):
                    told += 1
                    continue
        told += await _by_phone(row, news)
    return told


async def _all_news(order: str) -> list[tuple[Record, News]]:
    """Of each citizen what is newest: a move or a word. An answer is not passed over for a word that
    followed it."""
    moves = {row["number"]: row for row in await sql.fetch(_LATEST, order, list(_COURSE))}
    words = {row["number"]: row for row in await sql.fetch(_WORD, order, list(_RELAY))}
    found: list[Record | None] = list(await sql.fetch(_MERGED, order))
    for number in dict.fromkeys([*moves, *words]):
        moved, said = moves.get(number), words.get(number)
        if moved and said and moved["id"] > said["id"]:
            said = None
        if moved and said and moved["state"] != State.ANSWERED:
            moved = None
        found += [moved, said]
    return [(row, news) for row in found if row and (news := _news(row))]


def _news(row: Record) -> News | None:
    if row["move"] in _RELAY:
        of_agency = row["actor"] != CITIZEN and row["move"] != Move.RESUME
        return News.ASKED if of_agency else None
    if row["move"] == Move.ACCEPT:
        return News.ACCEPTED
    if row["state"] == State.ANSWERED:
        return News.ANSWERED
    return News.CLOSED if row["state"] in FINAL else None


def _telling(row: Record, news: News) -> notices.Telling:
    at = row["at"].astimezone(BEIJING)
    values = {
        "matter": row["matter"], "agency": catalogue().agency_name(row["agency_code"]),
        "number": row["number"],
        "state": "已并案" if row["state"] == State.MERGED else _TOLD[news],
        "at": f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}",
    }  # fmt: skip
    return notices.Telling(
        citizen_id=row["citizen_id"], news=news, step_id=row["id"], order_number=row["number"],
        values=values,
    )  # fmt: skip


async def by_phone(order: str) -> int:
    """When WeChat did not take it; what it did take is not told twice."""
    told = 0
    for row, news in await _all_news(order):
        if not await sql.fetch(_TAKEN, row["id"], row["number"]):
            told += await _by_phone(row, news)
    return told


_TAKEN = (
    "SELECT 1 FROM wechat_notices WHERE about = $1 AND order_number = $2 "
    "AND state IN ('queued', 'sending', 'sent')"
)


async def _by_phone(row: Record, news: News) -> int:
    """Over the answer he is asked whether he is content, in the relay what the agency wants to know;
    of the rest he is only told. Of a merger his page tells."""
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", row["receipt_id"])
    phone = phone_for(row, receipt)
    if row["state"] == State.MERGED:
        await _ask_no_more(row)
        return 0
    if phone is None:
        return 0
    if news in (News.ANSWERED, News.ASKED):
        return await _ask(row, _question(row, news, receipt, phone), clock.now())
    return await _say(row, receipt, phone, Purpose(news))


def _question(row: Record, news: News, receipt: Record, phone: str) -> questions.New:
    now, due = clock.now(), row["next_due_at"]
    answered = news is News.ANSWERED
    return questions.New(
        receipt=receipt, phone=phone, asking="verdict" if answered else "message",
        review_id=row["review"], due_at=now,
        give_up_at=due if answered else max(due, now + _TO_REPLY),
    )  # fmt: skip


async def _say(row: Record, receipt: Record, phone: str, purpose: Purpose) -> int:
    """Once a review, also when the job runs twice or another agency accepts it later."""
    now = clock.now()
    policy = catalogue().policy(receipt["region_code"])
    async with transaction():
        known = (await messages.lock([phone], now))[phone]
        if not may_say(purpose, policy, known) or await _is_said(row, purpose):
            return 0
        due = row["due_at"].astimezone(BEIJING)
        more = {
            "agency": catalogue().agency_name(row["agency_code"]), "due": f"{due.month}月{due.day}日",
            "code": said.query_code(row["review"], row["query_key"]),
        }  # fmt: skip
        await messages.post([
            Post(
                region_code=receipt["region_code"], agency_code=receipt["agency_code"],
                purpose=purpose, phone=phone, values=questions.values_of(receipt) | more,
                about=row["review"], not_before=now, not_after=now + NEWS_FOR,
            )
        ], now)  # fmt: skip
    return 1


def may_say(purpose: Purpose, policy: Policy, phone: Locked) -> bool:
    """That it was accepted is the least of all news: it leaves room in the day for the answer (no
    database)."""
    if phone.opted_out or not policy.sms:
        return False
    if purpose is not Purpose.ACCEPTED:
        return True
    return policy.tell_accepted and phone.sent_today < policy.daily_messages - 1


async def _is_said(row: Record, purpose: Purpose) -> bool:
    """Under the lock of the phone; `one_message_per_news` says the same to everybody else."""
    rows = await sql.fetch(
        "SELECT 1 FROM sms_messages WHERE about = $1 AND purpose = $2", row["review"], purpose
    )
    return bool(rows)


async def _ask(row: Record, question: questions.New, now: datetime) -> int:
    """Once about one step of the agency, and while it waits, with the newest words."""
    async with transaction():
        await messages.lock([question.phone], now)
        asked = await sql.fetch(
            "SELECT 1 FROM questions WHERE review_id = $1 AND asking = $2 AND (state = 'waiting' "
            "OR state = 'open' AND asking = 'verdict' OR due_at >= $3)",
            row["review"], question.asking, row["since"],
        )  # fmt: skip
        if asked:
            return 0
        if question.asking == "verdict":
            await _end_talk(row, now)
        await questions.add([question])
    return 1


async def _ask_no_more(row: Record) -> None:
    """What he was asked about his own order is asked about the other from now on."""
    async with transaction():
        for question in await sql.fetch(
            "SELECT id FROM questions WHERE review_id = $1 AND asking IN ('verdict', 'message') "
            "AND state IN ('waiting', 'open') AND due_at < $2 FOR UPDATE",
            row["review"], row["since"],
        ):  # fmt: skip
            await questions.end(question["id"], QuestionState.NEEDLESS, clock.now())


async def _end_talk(row: Record, now: datetime) -> None:
    """What the agency wanted to know it has answered by itself; the verdict need not wait for it."""
    talk = await sql.fetch(
        "SELECT id FROM questions WHERE review_id = $1 AND asking = 'message' "
        "AND state IN ('waiting', 'open') FOR UPDATE",
        row["review"],
    )
    for question in talk:
        await questions.end(question["id"], QuestionState.NEEDLESS, now)
