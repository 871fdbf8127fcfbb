"""The ladder as views whose counts and lists agree, and the accountability record."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import DISTRICT, LABOUR, City
from httpx import AsyncClient, Response
from kit.calls import Scene
from workorders.standing import MONDAY, an_order, listed, set_clock

from server.catalogue import service as catalogue
from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.workorders import accountability, calendar_alarm, escalation
from server.workorders.models import Accountability, Flag, Step
from server.workorders.supervision import VIEW_NAMES

VIEWS = "/api/v1/supervision"
LIST = "/api/v1/accountability"


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    set_clock(MONDAY)
    return Scene(http, city)


async def get(scene: Scene, path: str, username: str = "supervisor") -> Response:
    return await scene.http.get(path, headers=await scene.staff(username))


async def post(scene: Scene, path: str, username: str = "supervisor", **body: Any) -> Response:
    return await scene.http.post(path, json=body, headers=await scene.staff(username))


def told(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def counts(scene: Scene, username: str = "supervisor") -> dict[str, int]:
    answer = await get(scene, VIEWS, username)
    assert answer.status_code == 200, answer.text
    return {view["view"]: view["count"] for view in answer.json()["items"]}


async def a_busy_region() -> None:
    """Orders in every view, and some that must not be seen."""
    now = clock.now()
    past, ahead = now - timedelta(days=9), now + timedelta(days=2)
    for state in ("assigned", "accepted", "returned", "contested", "supervised", "asking"):
        await an_order(state, next_due_at=ahead)
        await an_order(state, next_due_at=past, agency_code=LABOUR)
    await an_order("accepted", verified_at=now, extension_days=3)
    await an_order("answered", next_due_at=past)
    await an_order("answered", next_due_at=ahead)
    await an_order("closed", closed_at=now, next_due_at=None, verified_at=now)
    await an_order("withdrawn", closed_at=now, next_due_at=None)
    await an_order(visible_from=now + timedelta(minutes=5))
    spoken = await an_order("closed", closed_at=now, next_due_at=None)
    step = await Step.create(
        order_id=spoken.number, at=now, move="message", state="accepted", actor="citizen"
    )
    await Flag.create(step_id=step.id, by_id=1, reason="辱骂", at=now)


@pytest.mark.parametrize("username", ["supervisor", "handler", "lead", "other"])
async def test_what_a_view_counts_is_what_it_lists(scene: Scene, username: str) -> None:
    await a_busy_region()
    counted = await counts(scene, username)
    assert set(counted) == set(VIEW_NAMES) - ({"account"} if username != "supervisor" else set())
    for view, count in counted.items():
        if view == "account":
            continue
        found, cursor = [], ""
        while cursor is not None:
            page = (await get(scene, f"{VIEWS}/{view}?limit=2&cursor={cursor}", username)).json()
            found += [order["number"] for order in page["items"]]
            cursor = page["next_cursor"]
        assert len(found) == len(set(found)) == count, view
    if username == "supervisor":
        assert counted == {
            "verify": 14, "supervise": 4, "account": 0, "overdue": 6, "contested": 2, "returned": 2,
            "extended": 1, "untold": 1, "flagged": 1,
        }  # fmt: skip


async def test_an_order_overdue_on_the_third_rung_stands_in_the_supervisors_store(
    scene: Scene,
) -> None:
    order = await an_order("answered", next_due_at=clock.now() + timedelta(days=7))
    await sql.fetch("UPDATE work_orders SET climb_due = next_due_at, climbs_at = next_due_at")
    set_clock(MONDAY + timedelta(days=10))
    await escalation.escalate()
    scene.kept.clear()
    assert (await counts(scene))["supervise"] == 1 and (await counts(scene))["untold"] == 1
    set_clock(MONDAY + timedelta(days=14))
    await escalation.escalate()
    assert await listed() == [(order.number, "told_nobody")]
    scene.kept.clear()  # a token lives for two hours
    assert (await counts(scene))["account"] == 1


async def test_who_may_look_at_what(scene: Scene) -> None:
    await a_busy_region()
    assert await counts(scene, "auditor") == {"account": 0}
    assert told(await get(scene, f"{VIEWS}/verify", "auditor")) == (403, "forbidden")
    for view in ("account", "nonsense", "verify%20OR%201=1"):
        assert told(await get(scene, f"{VIEWS}/{view}")) == (404, "unknown_view")
    for username in ("handler", "lead"):
        assert told(await get(scene, LIST, username)) == (403, "forbidden")
    assert told(await get(scene, f"{VIEWS}/verify?cursor=x")) == (422, "invalid_query")
    for cursor in ("x", "-1", "1" * 30, "١"):
        assert told(await get(scene, f"{LIST}?cursor={cursor}")) == (422, "invalid_query")


async def test_a_supervisor_sees_his_own_region_only(scene: Scene) -> None:
    await an_order("contested")
    await an_order("contested", region_code=DISTRICT)
    assert (await counts(scene))["contested"] == 2
    await Staff.filter(username="supervisor").update(region_code=DISTRICT)
    assert (await counts(scene))["contested"] == 1


# 问责


async def test_what_followed_is_written_once_by_a_supervisor_of_the_region(scene: Scene) -> None:
    order = await an_order("accepted")
    path = f"/api/v1/work-orders/{order.number}/accountability"
    answer = await post(scene, path, why="retaliation", text="事后刁难申请人")
    assert answer.status_code == 200, answer.text
    record = answer.json()
    assert (record["order_number"], record["why_name"], record["by_rule"], record["followed"]) == (
        order.number, "打击报复", False, None,
    )  # fmt: skip
    assert told(await post(scene, path, why="retaliation", text="再一次")) == (
        409,
        "already_listed",
    )
    assert (await counts(scene))["account"] == 1
    follow = f"{LIST}/{record['id']}/follow"
    assert told(await post(scene, follow, text=" \u3000")) == (422, "blank_text")
    assert told(await post(scene, follow, "auditor", text="已约谈")) == (403, "forbidden")
    answers = await asyncio.gather(*(post(scene, follow, text=f"已约谈 {n}") for n in range(4)))
    assert sorted(told(a) for a in answers) == [(200, ""), *[(409, "already_followed")] * 3]
    assert (await counts(scene))["account"] == 0
    page = (await get(scene, LIST, "auditor")).json()
    assert [item["followed"][:3] for item in page["items"]] == ["已约谈"]
    assert (await get(scene, f"{LIST}?open=true", "auditor")).json()["items"] == []
    steps = await Step.filter(order_id=order.number, move="escalate")
    assert [step.words for step in steps] == ["已列入问责名单"], "his reasons stay with the record"


async def test_who_may_not_put_an_order_on_the_list(scene: Scene) -> None:
    order = await an_order("accepted")
    path = f"/api/v1/work-orders/{order.number}/accountability"
    body = {"why": "overdue", "text": "久拖不决"}
    assert told(await post(scene, path, "lead", **body)) == (403, "wrong_role")
    assert told(await post(scene, path, "other", **body)) == (404, "unknown_work_order")
    assert told(await post(scene, path, why="overdue", text="")) == (422, "blank_text")
    assert told(await post(scene, path, why="dislike", text="x")) == (422, "invalid_body")
    for record in ("1", "0", "x", "9" * 40):
        answer = await post(scene, f"{LIST}/{record}/follow", text="已约谈")
        assert told(answer) == (404, "unknown_accountability")
    assert await listed() == []


async def test_the_list_turns_its_pages_and_the_region_of_another_is_not_on_it(
    scene: Scene,
) -> None:
    now = clock.now()
    for _ in range(5):
        await accountability.add(await an_order(), accountability.Why.OVERDUE, now)
    await accountability.add(
        await an_order(region_code="110000000000"), accountability.Why.OVERDUE, now
    )
    seen, cursor = [], ""
    while cursor is not None:
        page = (await get(scene, f"{LIST}?limit=2&cursor={cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 5 and seen == sorted(seen, reverse=True)
    foreign = await Accountability.get(region_code="110000000000")
    answer = await post(scene, f"{LIST}/{foreign.id}/follow", text="已约谈")
    assert told(answer) == (404, "unknown_accountability")


# The calendar


async def test_the_missing_calendar_is_told_once_a_day_to_those_who_can_load_it(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    assert await calendar_alarm.watch() == 0 and not calendar_alarm.calendar_alarm(clock.now())
    november = MONDAY.replace(month=11, day=2)
    set_clock(november)
    assert "2027 年的放假安排还没有载入" in (calendar_alarm.calendar_alarm(clock.now()) or "")
    assert sum(await asyncio.gather(*(calendar_alarm.watch() for _ in range(3)))) == 1
    assert "a calendar is missing" in caplog.messages
    set_clock(november + timedelta(days=1))
    assert await calendar_alarm.watch() == 0, "he has not opened the last one"
    await sql.fetch("UPDATE alerts SET seen_at = at")
    assert await calendar_alarm.watch() == 1
    await sql.fetch("UPDATE alerts SET seen_at = at")
    assert await calendar_alarm.watch() == 0, "once a day"
    await sql.fetch(
        "INSERT INTO calendar_years (year, version, document, source, loaded_by, loaded_at) "
        "VALUES (2027, 1, '{\"year\": 2027, \"days\": []}', '', '', $1)", clock.now(),
    )  # fmt: skip
    await catalogue.load()
    assert await calendar_alarm.watch() == 0 and not calendar_alarm.calendar_alarm(clock.now())
