"""What those who look at suspicions do in these tests, over HTTP."""

from typing import Any

from factories import HOUSING, a_bad_review
from httpx import Response
from kit.calls import Scene, undo_time_is_over

from server.integrity import suspicions
from server.integrity.counted import COUNTED, IN_FIGURES
from server.integrity.models import Suspicion
from server.integrity.rules import Rule
from server.kit import sql
from server.kit.clock import clock

ROOM = "/api/v1/suspicions"


async def a_review(scene: Scene, level: int = 5, **receipt: Any) -> dict[str, Any]:
    """Its row."""
    code = await scene.city.code(scene.http, **receipt)
    body = a_bad_review(level=level) if level < 3 else {"level": level, "comment": "很好"}
    body |= {} if level != 2 else {"tags": ["215"]}
    answer = await scene.http.post(f"/api/v1/e/{code}/review", json=body)
    assert answer.status_code == 201, answer.text
    if level < 3:
        await undo_time_is_over(answer.json())
    (row,) = await sql.fetch(
        "SELECT v.*, r.agency_code, r.window_code, r.officer_number FROM reviews v "
        "JOIN receipts r ON r.id = v.receipt_id ORDER BY v.id DESC LIMIT 1"
    )
    return dict(row) | {"code": code, "query_code": answer.json()["query_code"]}


async def suspected(review: dict[str, Any], rule: Rule = Rule.QUICK, **changed: Any) -> int:
    values: dict[str, Any] = {
        "rule": rule, "region_code": review["region_code"], "agency_code": HOUSING,
        "window_code": review["window_code"], "receipt_id": review["receipt_id"],
        "review_id": review["id"], "evidence": {"seconds": 3, "threshold": 8},
    } | changed  # fmt: skip
    (number,) = await suspicions.suspect([suspicions.Finding(**values)], clock.now())
    return number


async def do(
    scene: Scene, number: int, door: str, who: str = "supervisor", **body: Any
) -> Response:
    headers = await scene.staff(who)
    return await scene.http.post(f"{ROOM}/{number}/{door}", json=body, headers=headers)


async def confirmed(scene: Scene, number: int) -> dict[str, Any]:
    """By two people."""
    assert (await do(scene, number, "proposal", text="三秒评不完")).status_code == 200
    answer = await do(scene, number, "decision", "adjudicator", agree=True, text="属实")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def see(scene: Scene, path: str = "", who: str = "supervisor") -> Response:
    return await scene.http.get(f"{ROOM}{path}", headers=await scene.staff(who))


async def state_of(review: dict[str, Any]) -> str:
    (row,) = await sql.fetch("SELECT state FROM reviews WHERE id = $1", review["id"])
    return str(row["state"])


async def ranked() -> int:
    (row,) = await sql.fetch(f"SELECT count(*) FROM reviews r WHERE {COUNTED}")
    return int(row["count"])


async def in_figures() -> int:
    (row,) = await sql.fetch(f"SELECT count(*) FROM reviews r WHERE {IN_FIGURES}")
    return int(row["count"])


async def states() -> list[str]:
    return [one.state for one in await Suspicion.all().order_by("id")]
