"""What became of an order, told by text message: accepted and closed, once, and never in the way."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from phones import PHONE, Handset, at_o_clock, notified, orders, pass_time, reviews, tick

from server.catalogue.models import Policy
from server.kit import sql
from server.kit.clock import clock
from server.messages.rules import MessageState, Purpose
from server.messages.service import Locked
from server.messages.steps import obstacle
from server.reviews import invitations, news
from server.reviews.news import may_say

AGES = timedelta(minutes=11)
ANSWER = {"disposition": "fixed", "text": "已增开两个窗口"}


async def complained(
    http: AsyncClient, hall: City, phone: Handset, text: str = "1 排队太久"
) -> str:
    """The number of an order that the agency sees, of a review by SMS."""
    await notified(http, hall)
    await phone.writes(text)
    await pass_time(AGES)
    (order,) = await orders()
    return str(order["number"])


async def move(http: AsyncClient, hall: City, number: str, name: str, body: Any = None) -> None:
    handler = await hall.staff(http, "handler")
    path = f"/api/v1/work-orders/{number}/{name}"
    answer = await http.post(path, json=body or {}, headers=handler)
    assert answer.status_code == 200, answer.text


async def falls_silent(number: str) -> None:
    """As the rule closes an answered order on which nobody said a word."""
    await sql.fetch(
        "INSERT INTO work_order_steps (order_id, at, move, state, actor, words) "
        "VALUES ($1, $2, 'silence', 'closed', 'system', '')",
        number, clock.now(),
    )  # fmt: skip
    await sql.fetch(
        "UPDATE work_orders SET state = 'closed', outcome = 'silent', next_due_at = NULL, "
        "closed_at = $2 WHERE number = $1",
        number, clock.now(),
    )  # fmt: skip


async def test_who_complained_by_sms_hears_that_his_order_was_accepted_and_closed(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    number = await complained(http, hall, phone)
    await move(http, hall, number, "accept")
    await tick()
    told = (await phone.messages())[-1]
    assert told["purpose"] == "accepted" and told["parts"] == 1
    (order,) = await orders()
    day = order["due_at"] + timedelta(hours=8)
    assert f"住房保障局已受理，最迟{day.month}月{day.day}日答复" in told["text"]
    assert len("".join(told["variables"]["code"].split())) == 16
    await move(http, hall, number, "answer", ANSWER)
    await tick()
    await falls_silent(number)
    for _ in range(2):
        await news.tell(number)
    assert await phone.purposes() == ["notice", "accepted", "answer", "closed"]
    assert "住房保障局已办结" in (await phone.messages())[-1]["text"]


async def test_his_own_verdict_is_no_news_to_him(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    number = await complained(http, hall, phone)
    await move(http, hall, number, "accept")
    await move(http, hall, number, "answer", ANSWER)
    await tick()
    await phone.writes("满意")
    await tick()
    assert (await orders())[0]["state"] == "closed"
    assert await phone.purposes() == ["notice", "answer"], "accepted and answered in one: answered"


async def test_a_job_that_runs_in_two_workers_and_again_tells_once(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    number = await complained(http, hall, phone)
    await move(http, hall, number, "accept")
    await asyncio.gather(*(news.tell(number) for _ in range(6)))
    await sql.fetch("UPDATE work_orders SET state = 'assigned'")
    await move(http, hall, number, "accept")
    await tick()
    assert await phone.purposes() == ["notice", "accepted"], "another agency accepts it later"


async def test_the_days_last_message_is_kept_for_the_answer(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("B 排队两个小时")
    await pass_time(AGES)
    (order,) = await orders()
    await move(http, hall, order["number"], "accept")
    await tick()
    await move(http, hall, order["number"], "answer", ANSWER)
    await tick()
    assert await phone.purposes() == ["notice", "reason", "answer"]


async def test_who_opted_out_hears_nothing_more(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    number = await complained(http, hall, phone)
    await phone.writes("退订")
    await move(http, hall, number, "accept")
    await tick()
    assert await phone.purposes() == ["notice"]


@pytest.mark.parametrize("contact", [True, False])
async def test_on_the_page_only_the_phone_that_he_gave_is_told(
    http: AsyncClient, hall: City, phone: Handset, contact: bool
) -> None:
    code = await hall.code(http)
    body = a_bad_review(**({"contact": {"phone": "13900139000"}} if contact else {}))
    taken = (await http.post(f"/api/v1/e/{code}/review", json=body)).json()
    await pass_time(AGES)
    await move(http, hall, taken["work_order"]["number"], "accept")
    await tick()
    assert await Handset("13900139000").purposes() == (["accepted"] if contact else [])
    assert await phone.purposes() == [], "the receipt's own phone did not rate, and is not asked to"


async def test_what_was_overtaken_in_the_night_is_not_sent_in_the_morning(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    number = await complained(http, hall, phone)
    clock.advanced += at_o_clock(21)
    await move(http, hall, number, "accept")
    await tick()
    waiting = (await phone.messages())[-1]
    (review,) = await reviews()
    known = {"opted_out": False, "sent_today": 0}
    step = obstacle(Purpose.ACCEPTED, waiting["not_after"], clock.now(), Policy(), **known)
    assert step and (step.state, step.code) == (MessageState.QUEUED, "hours")
    assert step.next_at and step.next_at < waiting["not_after"]
    assert await invitations.still_wanted(Purpose.ACCEPTED, review["id"])
    await move(http, hall, number, "answer", ANSWER)
    assert not await invitations.still_wanted(Purpose.ACCEPTED, review["id"])
    assert not await invitations.still_wanted(Purpose.CLOSED, review["id"])
    await falls_silent(number)
    assert await invitations.still_wanted(Purpose.CLOSED, review["id"])


@pytest.mark.parametrize(
    ("purpose", "sent", "daily", "said"),
    [
        (Purpose.ACCEPTED, 0, 3, True), (Purpose.ACCEPTED, 1, 3, True), (Purpose.ACCEPTED, 2, 3, False),
        (Purpose.ACCEPTED, 0, 1, False), (Purpose.CLOSED, 3, 3, True), (Purpose.CLOSED, 0, 1, True),
    ],
)  # fmt: skip
def test_the_least_of_all_news_leaves_room_for_the_answer(
    purpose: Purpose, sent: int, daily: int, said: bool
) -> None:
    rules = Policy(daily_messages=daily)
    assert may_say(purpose, rules, Locked(opted_out=False, sent_today=sent)) is said
    assert not may_say(purpose, rules, Locked(opted_out=True, sent_today=sent))


def test_a_city_may_leave_the_accepted_notice_out_or_all_messages() -> None:
    free = Locked(opted_out=False, sent_today=0)
    assert not may_say(Purpose.ACCEPTED, Policy(tell_accepted=False), free)
    assert may_say(Purpose.CLOSED, Policy(tell_accepted=False), free)
    assert not may_say(Purpose.CLOSED, Policy(sms=False), free)


async def test_all_receipts_of_a_batch_are_read_at_once(
    http: AsyncClient, hall: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        await hall.code(http, applicant={"kind": 1, "phone": f"139{n:08d}"})
    await invitations.invite()
    read, fetch = list[str](), sql.fetch

    async def counting(statement: str, *values: Any) -> Any:
        read.append(statement)
        return await fetch(statement, *values)

    monkeypatch.setattr(sql, "fetch", counting)
    assert await invitations.ask() == 12
    assert sum("FROM receipts WHERE" in statement for statement in read) == 1
    monkeypatch.undo()
    assert await Handset("13900000011").purposes() == ["notice"]
    assert await Handset(PHONE).purposes() == []
