"""Two at once: one move is made, the other is told so, and nobody waits for ever."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from factories import LABOUR, City
from httpx import AsyncClient
from kit.calls import Scene
from workorders.deeds import count, do
from workorders.standing import an_order, member

from server.kit.clock import clock
from server.kit.errors import Refusal
from server.workorders import handling, merging, ruling, service
from server.workorders.models import WorkOrder
from server.workorders.rules import Disposition, Record, Told

ROUNDS = 6


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    return Scene(http, city)


async def outcome(act: Awaitable[Any]) -> str:
    try:
        await act
    except Refusal as refusal:
        return refusal.code
    return "done"


async def at_once(*acts: Awaitable[Any]) -> list[str]:
    async with asyncio.timeout(10):
        return sorted(await asyncio.gather(*map(outcome, acts)))


def answer(who: Any, number: str) -> Awaitable[WorkOrder]:
    return service.answer(
        who, number, disposition=Disposition.FIXED, text="已整改", legal_basis=None
    )


ONE = ["done", "illegal_move"]


async def test_of_two_moves_that_exclude_each_other_one_is_made(scene: Scene) -> None:
    handler, lead = await member("handler"), await member("lead")
    for _ in range(ROUNDS):
        number = (await an_order("accepted")).number
        assert await at_once(answer(handler, number), answer(lead, number)) == ONE
        number = (await an_order("accepted")).number
        assert await at_once(
            handling.ask(handler, number, text="x"), answer(lead, number)
        ) == ONE  # fmt: skip
        number = (await an_order("accepted")).number
        assert await at_once(*(
            handling.extend(lead, number, working_days=1, reason="x") for _ in range(2)
        )) == ONE  # fmt: skip
        number = (await an_order("accepted")).number
        assert await at_once(
            handling.give_back(lead, number, agency_code=LABOUR, reason="x"), answer(handler, number)
        ) == ONE  # fmt: skip
    assert await count("work_orders", "extension_days IS NOT NULL") == ROUNDS


async def test_a_citizen_who_speaks_in_the_last_moment_is_heard_or_it_is_closed_never_both(
    scene: Scene,
) -> None:
    for _ in range(ROUNDS):
        now = clock.now()
        order = await an_order("answered", next_due_at=now - timedelta(seconds=1))
        made = await at_once(
            service.judge(order.number, satisfied=False, words="没有解决"),
            service.silence(order.number, Told.SMS, now),
        )
        assert made == ONE
        assert await count("work_order_steps", "order_id = $1", order.number) == 2


async def test_his_answer_and_the_end_of_the_waiting_resume_it_once_and_lose_no_word(
    scene: Scene,
) -> None:
    for _ in range(ROUNDS):
        now = clock.now()
        order = await an_order("asking", next_due_at=now - timedelta(seconds=1))
        made = await at_once(
            service.add_words(order.number, "三号窗口", now, Record.MESSAGE),
            service.resume(order.number, "", now, service.SYSTEM),
        )
        assert made in (["done", "done"], ONE)
        where = "order_id = $1 AND move = '{}'"
        assert await count("work_order_steps", where.format("resume"), order.number) == 1
        assert await count("work_order_steps", where.format("message"), order.number) == 1
        assert (await WorkOrder.get(number=order.number)).state == "accepted"


async def test_two_orders_that_are_merged_into_each_other_do_not_wait_for_each_other(
    scene: Scene,
) -> None:
    lead = await member("lead")
    for _ in range(ROUNDS):
        a, b, c = [(await an_order("accepted")).number for _ in range(3)]
        made = await at_once(
            merging.merge(lead, a, into=b), merging.merge(lead, b, into=a),
            merging.merge(lead, c, into=a), merging.merge(lead, b, into=c),
        )  # fmt: skip
        assert set(made) == {"done", "illegal_move"}
        chains = "merged_into IN (SELECT number FROM work_orders WHERE merged_into IS NOT NULL)"
        assert await count("work_orders", chains) == 0


async def test_an_order_that_was_moved_away_meanwhile_is_not_there(scene: Scene) -> None:
    supervisor, lead = await member("supervisor"), await member("lead")
    for _ in range(ROUNDS):
        number = (await an_order("returned")).number
        made = await at_once(
            ruling.reassign(supervisor, number, agency_code=LABOUR),
            ruling.refuse(supervisor, number, reason="x"),
            handling.message(lead, number, text="x"),
        )
        assert made.count("done") <= 2
        assert (await WorkOrder.get(number=number)).state in ("assigned", "accepted")


async def test_a_move_over_the_api_is_made_once_however_often_it_comes(scene: Scene) -> None:
    number = (await scene.order("accept"))["number"]
    await scene.staff("handler")
    body = {"text": "哪个窗口？"}
    answers = await asyncio.gather(*(do(scene, number, "ask", "handler", **body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    assert await count("work_order_steps", "order_id = $1 AND move = 'ask'", number) == 1
