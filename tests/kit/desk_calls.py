"""Calls of the doors of desk."""

from collections.abc import Awaitable, Callable
from typing import Any

from factories import (
    HOUSING,
)  # fmt: skip
from kit.first_calls import Call, Scene, _audit_receipt

from server.integrity import suspicions
from server.integrity.rules import Rule
from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff


async def _audit_checks(s: Scene) -> Call:
    of_receipt = await _audit_receipt(s)
    return Call(method="GET", path=f"{of_receipt.path}/checks", headers=of_receipt.headers)


async def _ask_to_void(s: Scene) -> Call:
    number = (await s.city.receipt(s.http))["receipt_id"]
    headers, body = await s.city.system(s.http), {"reason": "办件号录错"}
    return Call(method="POST", path=f"/api/v1/receipts/{number}/void", body=body, headers=headers)


async def a_suspicion(s: Scene, rule: Rule = Rule.QUICK, **changed: Any) -> int:
    """About a good review of our agency, unless it is said otherwise."""
    code = await s.city.code(s.http)
    await s.http.post(f"/api/v1/e/{code}/review", json={"level": 5})
    (row,) = await sql.fetch("SELECT * FROM reviews ORDER BY id DESC LIMIT 1")
    values: dict[str, Any] = {
        "rule": rule, "region_code": row["region_code"], "agency_code": HOUSING, "window_code": "A1",
        "receipt_id": row["receipt_id"], "review_id": row["id"],
        "evidence": {"seconds": 3, "threshold": 8},
    } | changed  # fmt: skip
    (number,) = await suspicions.suspect([suspicions.Finding(**values)], clock.now())
    return number


def _of_suspicion(
    suffix: str, body: Any = None, *, proposed: bool = False
) -> Callable[[Scene], Awaitable[Call]]:
    """By the supervisor of the region, or by the adjudicator where he may not himself."""

    async def call(s: Scene) -> Call:
        path = f"/api/v1/suspicions/{await a_suspicion(s)}"
        if proposed:
            await _second_person(s)
            words, who = {"text": "三秒评不完"}, await s.staff("first")
            assert (await s.http.post(f"{path}/proposal", json=words, headers=who)).is_success
        method = "GET" if body is None else "POST"
        headers = await s.staff("supervisor")
        return Call(method=method, path=f"{path}{suffix}", body=body, headers=headers)

    return call


async def _second_person(s: Scene) -> None:
    """Another supervisor of the region."""
    (row,) = await Staff.filter(username="supervisor").values()
    del row["id"]
    if not await Staff.exists(username="first"):
        await Staff.create(**(row | {"username": "first"}))


async def _list_suspicions(s: Scene) -> Call:
    await a_suspicion(s)
    path = f"/api/v1/suspicions?limit=1&rule=quick&agency={HOUSING}"
    return Call(method="GET", path=path, headers=await s.staff("supervisor"))


DESK: dict[str, Callable[[Scene], Awaitable[Call]]] = {
    "ask_to_void": _ask_to_void,
    "audit_checks": _audit_checks,
    "list_suspicions": _list_suspicions,
    "one_suspicion": _of_suspicion(""),
    "propose_suspicion": _of_suspicion("/proposal", {"text": "三秒评不完"}),
    "decide_suspicion": _of_suspicion("/decision", {"agree": False, "text": "再看"}, proposed=True),
    "clear_suspicion": _of_suspicion("/clearance", {"text": "窗口人员代为念出内容"}),
}
