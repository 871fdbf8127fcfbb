"""What became of an order, told to the citizen: by WeChat if he gave leave, else over the channel on
which he rated, else only on his own page."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from asyncpg import Record

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.messages import notices
from server.messages import service as messages
from server.messages.rules import News, Purpose
from server.messages.service import Locked, Post
from server.reviews import questions
from server.reviews.rules import ReviewChannel
from server.workorders.rules import FINAL, Move, State

_TOLD = {News.ACCEPTED: "已受理", News.ANSWERED: "已答复", News.CLOSED: "已办结"}
NEWS_FOR = timedelta(days=2)
"""Older news by text message is none."""
_LATEST = """
SELECT s.id, s.at, s.move, o.number, o.state, o.matter, o.agency_code, o.next_due_at, r.id AS review,
  o.due_at, r.channel, r.contact, r.receipt_id, r.query_key, c.citizen_id
FROM work_orders o JOIN reviews r ON r.id = o.origin_key AND r.state = 'standing'
JOIN work_order_steps s ON s.order_id = o.number AND s.state = o.state AND s.actor <> 'citizen'
LEFT JOIN claims c ON c.review_id = r.id
WHERE o.number = $1 ORDER BY s.id DESC LIMIT 1
"""
"""The step by which the agency brought the order to where it is; what came before is no news now."""


async def tell(order: str, by_wechat: Collection[str] = ()) -> int:
    """The job of an order that the agency has moved. Doing it twice tells once. `by_wechat`: the news
    for which there is a template."""
    row = await sql.fetch_one(_LATEST, order)
    news = _news(row) if row else None
    if row is None or news is None:
        return 0
    if row["citizen_id"] and news in by_wechat:
        async with transaction():
            if await notices.write(_telling(row, news)):
                return 1
    return await _by_phone(row, news)


def _news(row: Record) -> News | None:
    if row["move"] == Move.ACCEPT:
        return News.ACCEPTED
    if row["state"] == State.ANSWERED:
        return News.ANSWERED
    return News.CLOSED if row["state"] in FINAL else None


def _telling(row: Record, news: News) -> notices.Telling:
    at = row["at"].astimezone(BEIJING)
    values = {
        "matter": row["matter"], "agency": catalogue().agency_name(row["agency_code"]),
        "number": row["number"], "state": _TOLD[news],
        "at": f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}",
    }  # fmt: skip
    return notices.Telling(
        citizen_id=row["citizen_id"], news=news, step_id=row["id"], order_number=row["number"],
        values=values,
    )  # fmt: skip


async def by_phone(order: str) -> int:
    """When WeChat did not take it."""
    row = await sql.fetch_one(_LATEST, order)
    news = _news(row) if row else None
    return await _by_phone(row, news) if row and news else 0


async def _by_phone(row: Record, news: News) -> int:
    """Over the answer he is asked whether he is content; of the rest he is only told."""
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", row["receipt_id"])
    phone = _phone(row, receipt)
    if not phone:
        return 0
    if news is News.ANSWERED:
        return await _ask(row, receipt, phone, clock.now())
    return await _say(row, receipt, phone, Purpose(news))


async def _say(row: Record, receipt: Record, phone: str, purpose: Purpose) -> int:
    """Once a review, also when the job runs twice or another agency accepts it later."""
    now = clock.now()
    policy = catalogue().policy(receipt["region_code"])
    async with transaction():
        known = (await messages.lock([phone], now))[phone]
        if not may_say(purpose, policy, known) or await _is_said(row, purpose):
            return 0
        due = row["due_at"].astimezone(BEIJING)
        said = {
            "agency": catalogue().agency_name(row["agency_code"]), "due": f"{due.month}月{due.day}日",
            "code": questions.query_code(row["review"], row["query_key"]),
        }  # fmt: skip
        await messages.post([
            Post(
                region_code=receipt["region_code"], agency_code=receipt["agency_code"],
                purpose=purpose, phone=phone, values=questions.values_of(receipt) | said,
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
    said = await sql.fetch(
        "SELECT purpose FROM sms_messages "
        "WHERE about = $1 AND purpose IN ('accepted', 'closed')",
        row["review"],
    )  # fmt: skip
    return purpose in {one["purpose"] for one in said}


async def _ask(row: Record, receipt: Record, phone: str, now: datetime) -> int:
    async with transaction():
        await messages.lock([phone], now)
        asked = await sql.fetch(
            "SELECT 1 FROM questions WHERE review_id = $1 AND asking = 'verdict' "
            "AND state IN ('waiting', 'open')",
            row["review"],
        )
        if asked:
            return 0
        await questions.add([
            questions.New(
                receipt=receipt, phone=phone, asking="verdict", review_id=row["review"], due_at=now,
                give_up_at=row["next_due_at"],
            )
        ])  # fmt: skip
    return 1


def _phone(row: Record, receipt: Record) -> str | None:
    """What was given with the review, or the phone by which it came."""
    if row["contact"]:
        try:
            given: str | None = json.loads(vault().unseal(row["contact"], "contact"))["phone"]
        except BrokenSeal:
            given = None  # under a key that was withdrawn
        if given:
            return given
    return questions.phone_of(receipt) if row["channel"] == ReviewChannel.SMS else None
