"""What the desks do in these tests, over HTTP."""

from datetime import timedelta
from typing import Any

from httpx import Response
from kit.calls import Scene

from server.kit import sql
from server.kit.clock import clock
from server.workorders import service

ORDERS = "/api/v1/work-orders"


def later(scene: Scene, by: timedelta) -> None:
    """Tokens that ended meanwhile are taken anew."""
    clock.advanced += by
    scene.kept.clear()
    scene.city.tokens.clear()


async def do(scene: Scene, number: str, what: str, username: str, **body: Any) -> Response:
    headers = await scene.staff(username)
    return await scene.http.post(f"{ORDERS}/{number}/{what}", json=body, headers=headers)


async def done(scene: Scene, number: str, what: str, username: str, **body: Any) -> dict[str, Any]:
    """It was taken, and a recount of the due times finds nothing to correct."""
    answer = await do(scene, number, what, username, **body)
    assert answer.status_code == 200, answer.text
    assert await service.redate({2026}) == 0, what
    return answer.json()


async def see(scene: Scene, number: str, username: str) -> Response:
    return await scene.http.get(f"{ORDERS}/{number}", headers=await scene.staff(username))


async def seen(scene: Scene, number: str, username: str = "handler") -> dict[str, Any]:
    answer = await see(scene, number, username)
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def fault(answer: Response) -> tuple[int, str]:
    """Of a 422: the field that is wrong."""
    return answer.status_code, answer.json()["errors"][0]["field"]


async def count(table: str, where: str, *values: Any) -> int:
    rows = await sql.fetch(f"SELECT count(*) FROM {table} WHERE {where}", *values)
    return int(rows[0]["count"])
