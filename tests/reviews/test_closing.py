"""销号: nobody is silent who was not told."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from factories import City
from httpx import AsyncClient
from kit.calls import Scene
from phones import Handset, at_o_clock, notified, orders, pass_time
from workorders.standing import alerted, listed, rungs

from server.kit import sql
from server.kit.clock import clock
from server.kit.ids import new_id
from server.reviews import closing
from server.reviews.closing import Proof, proof_of, told_late
from server.workorders import escalation, service
from server.workorders.models import WorkOrder
from server.workorders.rules import IllegalMove, Outcome, State, Told

SECOND = timedelta(seconds=1)
CONTACT = {"contact": {"name": "王小明", "phone": "13800138000"}}


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    clock.advanced += at_o_clock(10)
    return Scene(http, city)


async def answered(scene: Scene, **review: Any) -> WorkOrder:
    _, taken = await scene.rated(undo_is_over=True, **review)
    taken["number"] = taken["work_order"]["number"]
    for move in ("accept", "answer"):
        await scene.move(taken, move)
    return await WorkOrder.get(number=taken["number"])


async def days_over(order: WorkOrder) -> WorkOrder:
    """The tick, a second after the citizen's days."""
    assert order.next_due_at
    clock.advanced += max(timedelta(0), order.next_due_at + 2 * SECOND - clock.now())
    await closing.close_silent()
    return await WorkOrder.get(number=order.number)


async def test_who_left_no_address_has_his_page_and_the_order_ends_in_silence(
    scene: Scene,
) -> None:
    order = await answered(scene)
    clock.advanced += order.next_due_at - clock.now() - 5 * SECOND  # type: ignore[operator]
    assert await closing.close_silent() == 0
    order = await days_over(order)
    assert (order.state, order.outcome, order.told_how) == (
        State.CLOSED, Outcome.SILENT, Told.NO_CHANNEL,
    )  # fmt: skip
    assert await closing.close_silent() == 0


async def test_who_has_opened_his_page_was_told(scene: Scene) -> None:
    order = await answered(scene, **CONTACT)
    await closing.seen(order)
    await closing.seen(order)
    seen = await WorkOrder.get(number=order.number)
    assert (seen.told_how, seen.told_at is not None) == (Told.PAGE, True)
    assert (await days_over(order)).told_how == Told.PAGE


async def test_a_page_opened_before_the_answer_proves_nothing(scene: Scene) -> None:
    _, taken = await scene.rated(undo_is_over=True, **CONTACT)
    order = await WorkOrder.get(number=taken["work_order"]["number"])
    await closing.seen(order)
    assert (await WorkOrder.get(number=order.number)).told_at is None


async def test_an_answer_that_did_not_arrive_cannot_be_closed_and_climbs(scene: Scene) -> None:
    order = await answered(scene, **CONTACT)
    order = await days_over(order)
    assert order.state == State.ANSWERED and order.outcome is None
    with pytest.raises(IllegalMove):
        await service.silence(order.number, None, clock.now())
    await escalation.escalate()
    assert await rungs(order) == [("untold", 1)] and await alerted() == [("handler", "untold")]
    assert await closing.close_silent() == 0, "it is handed over once"
    clock.advanced += timedelta(days=15)
    await escalation.escalate()
    assert await rungs(order) == [("untold", rung) for rung in (1, 2, 3, 4)]
    assert await listed() == [(order.number, "told_nobody")]
    order = await WorkOrder.get(number=order.number)
    assert order.state == State.ANSWERED, "nobody closes it over his head"


async def test_who_is_told_late_has_his_days_from_then_on(scene: Scene) -> None:
    order = await days_over(await answered(scene, **CONTACT))
    clock.advanced += timedelta(days=3)
    await closing.seen(order)
    assert await closing.close_silent() == 1
    late = await WorkOrder.get(number=order.number)
    assert late.state == State.ANSWERED and late.next_due_at
    assert (late.next_due_at.date() - clock.now().date()).days == 7
    await escalation.escalate()
    assert await rungs(order) == []
    assert (await days_over(late)).state == State.CLOSED


async def test_a_real_name_is_not_closed_before_somebody_spoke_with_him(scene: Scene) -> None:
    order = await answered(scene, real_name=True, **CONTACT)
    await closing.seen(order)
    order = await days_over(order)
    assert order.state == State.ANSWERED
    await escalation.escalate()
    assert await alerted() == [("handler", "untold")]
    await sql.fetch("UPDATE work_orders SET called_back_at = $1", clock.now())
    assert (await days_over(order)).state == State.CLOSED


async def test_a_report_of_delivery_is_a_proof_and_a_failure_is_none(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    scene = Scene(http, hall)
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("B 排队两个小时")
    await pass_time(timedelta(minutes=11))
    number = (await orders())[0]["number"]
    for move in ("accept", "answer"):
        await scene.move({"number": number}, move)
    await pass_time(timedelta(seconds=1))
    assert (await phone.purposes())[-1] == "answer"
    order = await WorkOrder.get(number=number)
    await sql.fetch(
        "UPDATE sms_messages SET state = 'failed', next_at = NULL, settled_at = $1", clock.now()
    )
    assert (await days_over(order)).state == State.ANSWERED
    await sql.fetch(
        "UPDATE sms_messages SET state = 'delivered', settled_at = $1", order.next_due_at
    )
    order = await days_over(order)
    assert (order.state, order.told_how) == (State.CLOSED, Told.SMS)


async def test_a_phone_that_wants_no_messages_is_no_way_to_reach_him(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    scene = Scene(http, hall)
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("B 排队两个小时")
    await phone.writes("TD")
    await pass_time(timedelta(minutes=11))
    number = (await orders())[0]["number"]
    for move in ("accept", "answer"):
        await scene.move({"number": number}, move)
    await pass_time(timedelta(seconds=1))
    assert ("verdict", "needless") in await phone.questions()
    order = await days_over(await WorkOrder.get(number=number))
    assert (order.state, order.told_how) == (State.CLOSED, Told.NO_CHANNEL)


@pytest.mark.parametrize(("state", "closes"), [("sent", True), ("lost", False)])
async def test_a_message_by_wechat_is_a_proof_once_it_was_taken(
    scene: Scene, state: str, closes: bool
) -> None:
    order = await answered(scene, **CONTACT)
    await sql.fetch(
        "INSERT INTO wechat_notices (id, news, about, order_number, state, tries, created_at, "
        "settled_at) SELECT $1, 'answered', id, order_id, $2, 1, at, at FROM work_order_steps "
        "WHERE move = 'answer'", new_id(), state,
    )  # fmt: skip
    order = await days_over(order)
    assert (order.told_how == Told.WECHAT, order.state == State.CLOSED) == (closes, closes)


async def test_the_citizen_who_speaks_in_the_last_second_is_not_silent(scene: Scene) -> None:
    order = await answered(scene)
    clock.advanced += order.next_due_at + SECOND - clock.now()  # type: ignore[operator]
    results = await asyncio.gather(
        closing.close_silent(), closing.close_silent(),
        service.judge(order.number, satisfied=False, words="没有解决"), return_exceptions=True,
    )  # fmt: skip
    order = await WorkOrder.get(number=order.number)
    spoke = not isinstance(results[2], Exception)
    assert order.state == (State.CONTESTED if spoke else State.CLOSED)
    assert sum(r for r in results[:2] if isinstance(r, int)) == (0 if spoke else 1)
    rows = await sql.fetch("SELECT count(*) FROM work_order_steps WHERE state = $1", order.state)
    assert rows[0]["count"] == 1


# Without a database


def test_the_first_proof_counts_and_a_late_one_gives_him_his_days() -> None:
    at = clock.now()
    row = {
        "sms_at": at + timedelta(hours=2), "wechat_at": None, "told_at": at + timedelta(hours=1),
        "told_how": "page", "no_channel": True, "next_due_at": at,
    }  # fmt: skip
    assert proof_of(row) == Proof(Told.PAGE, at + timedelta(hours=1))
    nothing: dict[str, datetime | bool | None] = dict.fromkeys(row)
    assert proof_of(nothing) is None
    assert proof_of(nothing | {"no_channel": True}) == Proof(Told.NO_CHANNEL)
    assert told_late(Proof(Told.NO_CHANNEL), at, 7) is None
    assert told_late(Proof(Told.SMS, at), at, 7) is None
    late = told_late(Proof(Told.SMS, at + SECOND), at, 7)
    assert late and (late.date() - (at + SECOND).date()).days == 7
