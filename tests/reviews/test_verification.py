"""核实: one named person learns who gave a real-name review, for a reason that is written down first."""

from datetime import timedelta
from typing import Any

import pytest
from factories import City
from httpx import AsyncClient
from kit.calls import Scene
from phones import policy

from server.kit import sql
from server.kit.clock import clock

NAMED = {"name": "王小明", "phone": "13911112222"}


@pytest.fixture
async def scene(http: AsyncClient, city: City) -> Scene:
    return Scene(http, city)


async def an_order(scene: Scene, **changed: Any) -> dict[str, Any]:
    """Accepted by the handler, who so becomes its verifier."""
    _, taken = await scene.rated(**changed)
    clock.advanced += timedelta(minutes=11)
    taken["number"] = taken["work_order"]["number"]
    await scene.move(taken, "accept")
    return taken


async def post(scene: Scene, who: str, taken: dict[str, Any], door: str, **body: Any) -> Any:
    path = f"/api/v1/work-orders/{taken['number']}/{door}"
    answer = await scene.http.post(path, json=body, headers=await scene.staff(who))
    told = answer.json()
    return (answer.status_code, told.get("code", "")) if answer.status_code >= 400 else told


async def log() -> list[tuple[str, str, str]]:
    rows = await sql.fetch("SELECT action, subject, reason FROM access_log ORDER BY id")
    return [tuple(row) for row in rows]


async def test_the_named_verifier_reads_who_it_was_and_the_reason_is_in_the_log(
    scene: Scene,
) -> None:
    taken = await an_order(scene, real_name=True, contact=NAMED)
    person = await post(scene, "handler", taken, "reveal", reason="电话核实排队情况")
    assert (person["name"], person["phone"]) == ("王小明", "13911112222")
    assert person["case_number"]
    assert await log() == [("reveal_citizen", taken["number"], "电话核实排队情况")]


async def test_without_a_contact_it_is_the_applicant_of_the_receipt(scene: Scene) -> None:
    taken = await an_order(scene, real_name=True)
    person = await post(scene, "handler", taken, "reveal", reason="核实")
    assert (person["name"], person["phone"]) == ("王小明", "13800138000")


async def test_nobody_else_reads_it_and_nothing_is_logged_of_what_was_not_shown(
    scene: Scene,
) -> None:
    taken = await an_order(scene, real_name=True, contact=NAMED)
    for who, refusal in (
        ("lead", (403, "not_verifier")), ("supervisor", (403, "not_verifier")),
        ("auditor", (403, "forbidden")), ("other", (404, "unknown_work_order")),
    ):  # fmt: skip
        assert await post(scene, who, taken, "reveal", reason="核实") == refusal
    for reason, refusal in (
        ("", (422, "blank_text")), (" \u200b", (422, "blank_text")), ("查", (422, "reason_required")),
        ("长" * 201, (422, "reason_too_long")),
    ):  # fmt: skip
        assert await post(scene, "handler", taken, "reveal", reason=reason) == refusal
    assert await log() == []


async def test_of_an_anonymous_review_there_is_nothing_to_read(scene: Scene) -> None:
    taken = await an_order(scene, contact=NAMED)
    assert await post(scene, "handler", taken, "reveal", reason="核实") == (409, "anonymous")
    assert await post(scene, "handler", taken, "call-back", reached=True, satisfied=True) == (
        409, "anonymous",
    )  # fmt: skip
    assert await log() == []


async def test_the_lead_names_another_of_his_agency_and_from_then_on_only_he_reads_it(
    scene: Scene,
) -> None:
    taken = await an_order(scene, real_name=True)
    for username in ("other", "supervisor", "nobody", ""):
        unknown = await post(scene, "lead", taken, "verifier", username=username)
        assert unknown == (422, "unknown_verifier")
    assert await post(scene, "handler", taken, "verifier", username="lead") == (403, "wrong_role")
    named = await post(scene, "lead", taken, "verifier", username="lead")
    assert named["steps"][-1]["words"] == "指定核实人：lead"
    refused = await post(scene, "handler", taken, "reveal", reason="核实")
    assert refused == (403, "not_verifier")
    assert (await post(scene, "lead", taken, "reveal", reason="核实"))["phone"] == "13800138000"


# 百分百回访


async def call_backs() -> list[tuple[str, str]]:
    return [
        tuple(r) for r in await sql.fetch("SELECT kind, state FROM call_backs ORDER BY made_at")
    ]


async def test_every_real_name_bad_review_is_to_be_called_back_and_is_counted(scene: Scene) -> None:
    first = await an_order(scene, real_name=True)
    await an_order(scene, real_name=True)
    await an_order(scene)
    code, undone = await scene.rated(real_name=True)
    path, body = f"/api/v1/e/{code}/undo", {"query_code": undone["query_code"]}
    assert (await scene.http.post(path, json=body)).status_code == 200
    done = await post(
        scene, "handler", first, "call-back", reached=True, satisfied=False,
        text="王小明说还要再排一次，电话13800138000",
    )  # fmt: skip
    assert done["steps"][-1] | {"at": 0} == done["steps"][-1] | {
        "at": 0, "move": "call_back", "words": "▇▇说还要再排一次，电话▇▇",
    }  # fmt: skip
    listed = (await scene.http.get("/api/v1/call-backs", headers=await scene.staff("lead"))).json()
    assert (listed["done"], listed["all"], len(listed["items"])) == (1, 2, 1)
    for who in ("supervisor", "other"):
        headers = await scene.staff(who)
        seen = (await scene.http.get("/api/v1/call-backs", headers=headers)).json()
        assert seen["all"] == (2 if who == "supervisor" else 0)
    again = await post(scene, "handler", first, "call-back", reached=True, satisfied=True)
    assert again == (409, "already_called_back")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"reached": True}, (422, "satisfied_required")),
        ({"reached": True, "satisfied": False, "text": " "}, (422, "blank_text")),
        ({"reached": False}, (422, "blank_text")),
        ({"reached": True, "satisfied": True, "told_answer": True}, (409, "illegal_move")),
        ({"reached": True, "satisfied": True, "text": "长" * 501}, (422, "comment_too_long")),
    ],
)
async def test_the_form_says_what_is_missing(
    scene: Scene, body: dict[str, Any], refusal: tuple[int, str]
) -> None:
    taken = await an_order(scene, real_name=True)
    assert await post(scene, "handler", taken, "call-back", **body) == refusal
    assert await call_backs() == [("real_name", "waiting")]


async def test_who_cannot_be_reached_is_tried_on_three_days_and_then_enough_was_done(
    scene: Scene,
) -> None:
    taken = await an_order(scene, real_name=True)
    for days in (0, 0, 1, 1):
        clock.advanced += timedelta(days=days)
        scene.kept.clear()
        assert (await _called_at(taken["number"])) is None
        await post(scene, "handler", taken, "call-back", reached=False, text="无人接听")
    assert await call_backs() == [("real_name", "unreachable")]
    assert (await _called_at(taken["number"])) is not None
    done = await post(scene, "handler", taken, "call-back", reached=True, satisfied=True)
    assert done["steps"][-1]["move"] == "call_back"
    assert await call_backs() == [("real_name", "done")]


async def _called_at(number: str) -> Any:
    (row,) = await sql.fetch("SELECT called_back_at FROM work_orders WHERE number = $1", number)
    return row["called_back_at"]


async def test_who_was_told_the_answer_by_telephone_knows_it(scene: Scene) -> None:
    taken = await an_order(scene, real_name=True)
    await scene.move(taken, "answer")
    told = await post(
        scene, "handler", taken, "call-back", reached=True, satisfied=True, told_answer=True
    )
    assert (told["told_how"], told["state"]) == ("call", "answered")


async def test_when_it_is_to_be_done_follows_the_policy(scene: Scene) -> None:
    await policy(callback_days=2)
    await an_order(scene, real_name=True)
    (row,) = await sql.fetch(
        "SELECT b.made_at = o.visible_from AS seen, b.due_at > o.contact_due_at AS later "
        "FROM call_backs b JOIN work_orders o ON o.number = b.order_number"
    )
    assert (row["seen"], row["later"]) == (True, True)
