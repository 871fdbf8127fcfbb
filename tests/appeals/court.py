"""A city with four adjudicators, and what is done before them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from factories import REGION, City
from kit.calls import Scene

from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.people.rules import Role

RULERS = ("first", "second", "third", "fourth")
CLAIM = {"ground": "mistaken", "text": "监控显示等候十分钟，群众按错了满意度"}
FOR = {"upheld": True, "reason": "mistaken", "text": "证据清楚，属误评"}
AGAINST = {"upheld": False, "text": "证据不足"}


async def hire(username: str, role: Role, **changed: Any) -> int:
    (row,) = await Staff.filter(username="handler").values()
    del row["id"]
    given = {
        "username": username, "name": username, "role": role, "agency_code": None,
        "region_code": REGION,
    }  # fmt: skip
    return int((await Staff.create(**(row | given | changed))).id)


@dataclass
class Court:
    http: httpx.AsyncClient
    city: City
    scene: Scene = field(init=False)

    def __post_init__(self) -> None:
        self.scene = Scene(self.http, self.city)

    async def sits(self) -> "Court":
        for name in RULERS:
            await hire(name, Role.ADJUDICATOR)
        await hire("admin", Role.ADMIN)
        return self

    def passes(self, by: timedelta) -> None:
        clock.advanced += by
        self.scene.kept.clear()
        self.city.tokens.clear()

    async def post(self, who: str, path: str, **body: Any) -> httpx.Response:
        headers = await self.scene.staff(who) if who else {}
        return await self.http.post(f"/api/v1/{path}", json=body, headers=headers)

    async def get(self, who: str, path: str) -> httpx.Response:
        headers = await self.scene.staff(who) if who else {}
        return await self.http.get(f"/api/v1/{path}", headers=headers)

    # The reviewed side

    async def appeals(self, taken: dict[str, Any], who: str = "handler", **changed: Any) -> str:
        path = f"work-orders/{taken['number']}/appeal"
        answer = await self.post(who, path, **(CLAIM | changed))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def appealed(self, *moves: str, stated: bool = True, **review: Any) -> dict[str, Any]:
        """An order, its citizen's query code, and the case about it."""
        code, taken = await self.scene.rated(undo_is_over=True, **review)
        taken["code"] = code
        taken["number"] = taken["work_order"]["number"]
        for move in moves:
            await self.scene.move(taken, move)
        taken["case"] = await self.appeals(taken)
        if stated:
            await self.says(taken, "statement", text="我没有按错，等了两小时")
        return taken

    # The citizen

    async def tries(self, taken: dict[str, Any], door: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/api/v1/track/{taken['query_code']}/{door}", json=body)

    async def says(self, taken: dict[str, Any], door: str, **body: Any) -> dict[str, Any]:
        answer = await self.tries(taken, door, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def hears(self, taken: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.get(f"/api/v1/track/{taken['query_code']}/appeal")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    # Those who rule

    async def vote(self, who: str, case: str, **ballot: Any) -> httpx.Response:
        return await self.post(who, f"appeals/{case}/vote", **ballot)

    async def rule(self, case: str, *ballots: dict[str, Any], by: tuple[str, ...] = RULERS) -> None:
        for who, ballot in zip(by, ballots, strict=False):
            answer = await self.vote(who, case, **ballot)
            assert answer.status_code == 200, answer.text

    async def excluded(self, **review: Any) -> dict[str, Any]:
        taken = await self.appealed("accept", **review)
        await self.rule(taken["case"], FOR, FOR)
        return taken

    async def objected(self, taken: dict[str, Any]) -> str:
        """The number of the second case."""
        await self.says(taken, "objection", text="我没有按错")
        (row,) = await sql.fetch(
            "SELECT a.id FROM appeals a JOIN appeals b ON b.review_id = a.review_id "
            "WHERE b.id = $1 AND a.round = 'objection'",
            taken["case"],
        )
        return str(row["id"])


async def review_of(taken: dict[str, Any]) -> dict[str, Any]:
    (row,) = await sql.fetch(
        "SELECT r.* FROM reviews r JOIN work_orders o ON o.origin_key = r.id WHERE o.number = $1",
        taken["number"],
    )
    return dict(row)


async def order_state(number: str) -> str:
    (row,) = await sql.fetch("SELECT state FROM work_orders WHERE number = $1", number)
    return str(row["state"])


async def alerts(kind: str) -> list[str]:
    rows = await sql.fetch(
        "SELECT s.username FROM alerts a JOIN staff s ON s.id = a.staff_id WHERE a.kind = $1 "
        "ORDER BY 1",
        kind,
    )
    return [row["username"] for row in rows]


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")
