"""G15, N40: officers who are rated badly again and again. A ranking: suspicions keep out of it."""

import asyncio
from datetime import timedelta
from typing import Any

from factories import LABOUR, a_bad_review
from integrity.looking import a_review, confirmed, do, suspected
from kit.calls import Scene, undo_time_is_over
from phones import policy

from server.integrity import repeated
from server.integrity.rules import Rule
from server.kit import sql
from server.kit.clock import clock
from server.workorders.models import Accountability

LIST = "/api/v1/accountability"


async def rated_badly(scene: Scene, times: int, **receipt: Any) -> None:
    for _ in range(times):
        code = await scene.city.code(scene.http, **receipt)
        answer = await scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
        await undo_time_is_over(answer.json())


async def test_an_officer_rated_badly_again_and_again_is_listed_once_a_period(
    scene: Scene,
) -> None:
    await rated_badly(scene, 2)
    await rated_badly(scene, 3, agency=LABOUR)
    await rated_badly(scene, 3, officer_number=None)
    assert sum(await asyncio.gather(*(repeated.list_officers() for _ in range(4)))) == 1
    assert await repeated.list_officers() == 0
    (record,) = await Accountability.all()
    assert (record.agency_code, record.officer_number, record.why) == (LABOUR, "101", "repeated")
    assert record.words == "90 天内有 3 件差评（3 件起列入）" and record.order_number is None
    await rated_badly(scene, 1)
    assert await repeated.list_officers() == 1, "the third one of the other officer"
    clock.advanced += timedelta(hours=1)
    await rated_badly(scene, 2, agency=LABOUR)
    assert await repeated.list_officers() == 0, "the first three count no more"
    await rated_badly(scene, 1, agency=LABOUR)
    assert await repeated.list_officers() == 1
    assert (await scene.http.get(LIST, headers=await scene.staff("supervisor"))).json()["items"][0][
        "officer_number"
    ] == "101"


async def test_old_undone_and_uncounted_reviews_do_not_make_it_so(scene: Scene) -> None:
    await rated_badly(scene, 3)
    await sql.fetch(
        "UPDATE reviews SET undo_until = undo_until - interval '91 days' WHERE level = 1"
    )
    assert await repeated.list_officers() == 0
    await rated_badly(scene, 2)
    assert await repeated.list_officers() == 0
    await policy(repeat_bad=0)
    await rated_badly(scene, 5)
    assert await repeated.list_officers() == 0, "the region does not want it"
    await policy(repeat_bad=3)
    await sql.fetch("UPDATE reviews SET state = 'excluded'")
    assert await repeated.list_officers() == 0


# What is suspected


async def test_a_flagged_bad_review_puts_nobody_on_the_list_until_it_is_looked_at(
    scene: Scene,
) -> None:
    numbers = [await suspected(await a_review(scene, 1)) for _ in range(3)]
    assert await repeated.list_officers() == 0
    await do(scene, numbers[0], "clearance", text="是真的")
    await do(scene, numbers[1], "clearance", text="是真的")
    assert await repeated.list_officers() == 0, "two count, three would be needed"
    await do(scene, numbers[2], "clearance", text="是真的")
    assert await repeated.list_officers() == 1


async def test_an_excluded_bad_review_puts_nobody_on_the_list(scene: Scene) -> None:
    for _ in range(3):
        await confirmed(scene, await suspected(await a_review(scene, 1)))
    assert await repeated.list_officers() == 0


async def test_a_record_of_another_kind_neither_counts_nor_begins_a_new_period(
    scene: Scene,
) -> None:
    await rated_badly(scene, 2)
    review = await a_review(scene, 1)
    clock.advanced += timedelta(minutes=1)
    await confirmed(scene, await suspected(review, Rule.PRESSED))
    assert (await Accountability.get()).officer_number == "001"
    clock.advanced += timedelta(minutes=1)
    assert await repeated.list_officers() == 1
    assert (await Accountability.get(why="repeated")).ordinal == 1
