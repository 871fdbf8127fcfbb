"""Until when a citizen may take his review back, to the millisecond, and what the agency sees then."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from factories import City, a_bad_review
from httpx import AsyncClient

from server.kit.clock import clock
from server.reviews import service


async def a_fresh_review(door: AsyncClient, city: City) -> tuple[str, dict[str, Any]]:
    code = await city.code(door)
    return code, (await door.post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()


async def undo_until(query_code: str) -> datetime:
    """The answer has whole seconds only."""
    return (await service.review_of(query_code)).undo_until


async def test_an_undo_at_the_last_moment_and_the_agencys_eyes_never_both_have_it(
    http: AsyncClient, city: City
) -> None:
    handler = await city.staff(http, "handler")
    counted: Counter[int] = Counter()
    for milliseconds in (200, 90, 40, 20, *range(12, -6, -1)):
        clock.advanced *= 0
        code, taken = await a_fresh_review(http, city)
        path = f"/api/v1/work-orders/{taken['work_order']['number']}"
        end = await undo_until(taken["query_code"])
        clock.advanced = end - clock.now() - timedelta(milliseconds=milliseconds)
        undone, seen = await asyncio.gather(
            http.post(f"/api/v1/e/{code}/undo", json={"query_code": taken["query_code"]}),
            look(http, path, handler, end + timedelta(milliseconds=60)),
        )
        counted[undone.status_code] += 1
        assert undone.status_code in (200, 410)
        assert seen == (undone.status_code != 200), f"{milliseconds} ms before the end"
    assert counted[200] and counted[410]


async def look(door: AsyncClient, path: str, who: dict[str, str], end: datetime) -> bool:
    """Whether the order was ever seen until then."""
    seen = False
    while clock.now() < end:
        seen |= (await door.get(path, headers=who)).status_code == 200
    return seen


async def test_an_undone_review_is_never_shown_to_the_agency(http: AsyncClient, city: City) -> None:
    code, taken = await a_fresh_review(http, city)
    await http.post(f"/api/v1/e/{code}/undo", json={"query_code": taken["query_code"]})
    clock.advanced += timedelta(minutes=11)
    handler = await city.staff(http, "handler")
    assert (await http.get("/api/v1/work-orders", headers=handler)).json()["items"] == []
    path = f"/api/v1/work-orders/{taken['work_order']['number']}"
    assert (await http.get(path, headers=handler)).status_code == 404
