"""Calls of the doors of appeals."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from factories import (
    HOUSING,
)  # fmt: skip
from kit.evidence_calls import a_ruler
from kit.first_calls import Call, Scene

from server.appeals.exclusion import Decision, exclude
from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.reviews.models import Review
from server.reviews.rules import Excluded


async def _appealed(s: Scene) -> dict[str, Any]:
    """An order with a case about it, of which its citizen has spoken."""
    taken = await s.order("accept")
    path = f"/api/v1/work-orders/{taken['number']}/appeal"
    answer = await s.http.post(path, json=_CLAIM, headers=await s.staff("handler"))
    assert answer.status_code == 201, answer.text
    said = await s.http.post(
        f"/api/v1/track/{taken['query_code']}/statement", json={"text": "没有按错"}
    )
    assert said.status_code == 200, said.text
    await a_ruler()
    return taken | {"case": answer.json()["id"]}


def _of_case(
    suffix: str, who: str, body: Any = None, state: str = "open"
) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        case = (await _appealed(s))["case"]
        if state == "confirming":
            await sql.fetch(
                "WITH v AS (INSERT INTO appeal_votes (appeal_id, staff_id, at, upheld, reason, words)"
                " SELECT id, n, at, TRUE, 'malicious', '' FROM appeals, unnest('{-1,-2}'::int[]) n"
                " WHERE id = $1) UPDATE appeals SET state = 'confirming', reason = 'malicious' "
                "WHERE id = $1",
                case,
            )
        method = "GET" if body is None else "POST"
        path = f"/api/v1/appeals/{case}{suffix}"
        return Call(method=method, path=path, body=body, headers=await s.staff(who))

    return call


def _listing(path: str) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        await _excluded(s)
        return Call(method="GET", path=path, headers=await s.staff("auditor"))

    return call


async def _excluded(s: Scene) -> dict[str, Any]:
    taken = await _appealed(s)
    async with transaction():
        review = await Review.select_for_update().get(order_number=taken["number"])
        await exclude(review, HOUSING, Decision(
            reason=Excluded.MISTAKEN, words="监控为证", first_id=1, second_id=2, at=clock.now(),
            case_id=UUID(taken["case"]),
        ))  # fmt: skip
    return taken


def _of_appellant(suffix: str, method: str, body: Any = None) -> Callable[[Scene], Awaitable[Call]]:
    async def call(s: Scene) -> Call:
        taken = await (_appealed(s) if suffix or method == "GET" else s.order())
        path = f"/api/v1/work-orders/{taken['number']}/appeal{suffix}"
        return Call(method=method, path=path, body=body, headers=await s.staff("handler"))

    return call


async def _hear(s: Scene) -> Call:
    return Call(method="GET", path=f"/api/v1/track/{(await _excluded(s))['query_code']}/appeal")


async def _give_statement(s: Scene) -> Call:
    taken = await s.order()
    path = f"/api/v1/work-orders/{taken['number']}/appeal"
    await s.http.post(path, json=_CLAIM, headers=await s.staff("handler"))
    path = f"/api/v1/track/{taken['query_code']}/statement"
    return Call(method="POST", path=path, body={"text": "没有按错"})


async def _object_to_exclusion(s: Scene) -> Call:
    path = f"/api/v1/track/{(await _excluded(s))['query_code']}/objection"
    return Call(method="POST", path=path, body={"text": "没有按错"})


_CLAIM = {"ground": "mistaken", "text": "监控显示等候十分钟", "officer_number": "001"}


APPEALS: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "appeal_review": _of_appellant("", "POST", _CLAIM),
    "withdraw_appeal": _of_appellant("/withdraw", "POST", {}),
    "appeals_of_order": _of_appellant("", "GET"),
    "list_appeals": _listing("/api/v1/appeals?limit=1&state=open&overdue=false"),
    "one_appeal": _of_case("", "adjudicator"),
    "vote_on_appeal": _of_case(
        "/vote", "adjudicator", {"upheld": True, "reason": "mistaken", "text": "证据清楚"}
    ),
    "stand_back": _of_case("/recusal", "adjudicator", {"reason": "与当事人有亲属关系"}),
    "confirm_finding": _of_case(
        "/confirmation", "supervisor", {"upheld": False, "text": "已核对"}, state="confirming"
    ),
    "hear": _hear,
    "give_statement": _give_statement,
    "object_to_exclusion": _object_to_exclusion,
    "list_exclusions": _listing("/api/v1/exclusions?limit=1"),
    "public_exclusions": _listing("/api/v1/public/exclusions?region=990100000000&from=2026-01-01"),
}
