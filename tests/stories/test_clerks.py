"""The other doors as three places tell it, from the clerk's side: HTTP, phones, and the clock."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from factories import HOUSING, LABOUR_MATTER, MATTER, City
from httpx import AsyncClient
from phones import policy
from stories.town import MINUTE, MONDAY, Town, at
from web.console_desk import a_desk

from server.kit import sql
from server.kit.clock import clock
from server.people.rules import Role

PHONE = "13800138000"


@pytest.fixture
async def town(http: AsyncClient, city: City) -> AsyncIterator[Town]:
    clock.advanced += MONDAY - clock.now()
    await policy(invite_minutes=0, remind_hours=0)
    yield Town(http, city)


async def told(town: Town, username: str, **body: Any) -> dict[str, Any]:
    """What a clerk enters, as the citizen takes it home."""
    answer = await town.http.post("/api/v1/intake", json=body, headers=await town.staff(username))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def track(town: Town, code: str) -> dict[str, Any]:
    return dict((await town.outside.get(f"/api/v1/track/{code}")).json())


async def says(town: Town, code: str, satisfied: bool, comment: str = "") -> None:
    answer = await town.outside.post(
        f"/api/v1/track/{code}/confirmation", json={"satisfied": satisfied, "comment": comment}
    )
    assert answer.status_code == 200, answer.text


def day_of(moment: str) -> tuple[int, int]:
    date = datetime.fromisoformat(moment)
    return date.month, date.day


async def test_dandong(town: Town) -> None:
    """“办不成事”窗口：不给办的，值班负责人跨部门调度，一个工作日内准确答复，办结销号；首问负责，跟踪到底。"""
    taken = await told(
        town, "desk", source="stuck", kind="refused", matter_code=LABOUR_MATTER, hall_code="H1",
        text="社保卡挂失，二号窗口说系统坏了不给办，叫我下周再来", contact={"phone": PHONE},
    )  # fmt: skip
    number, code = taken["number"], taken["query_code"]
    assert (taken["agency"], day_of(taken["due_at"])) == ("人力资源局", (9, 8)), "one working day"
    assert (await town.order("desk", number))["may_record"] == ["urge"]
    assert await town.refused("handler", number, "accept") == (404, "unknown_work_order")
    assert await town.refused("desk", number, "accept") == (403, "wrong_role"), (
        "it is not his to do"
    )

    await town.does("other", number, "accept")
    await town.passes(90 * MINUTE)
    await town.does("desk", number, "urge", text="群众还在大厅等，请窗口负责人现在处理")
    alerts = await sql.fetch(
        "SELECT s.username FROM alerts a JOIN staff s ON s.id = a.staff_id WHERE a.kind = 'urge'"
    )
    assert [alert["username"] for alert in alerts] == ["other"]
    steps = (await track(town, code))["work_order"]["steps"]
    assert steps[-1]["what"] == "首问负责人催办" and "大厅等" not in str(steps)

    await town.does("other", number, "answer", disposition="fixed", text="已当场办理挂失并补卡")
    await town.works()
    assert clock.now() < at(9, 0), "within the working day"
    assert any("已当场办理挂失并补卡" in text for text in await town.texts(PHONE))
    await town.replies(PHONE, "满意")
    order = await town.order("desk", number)
    assert (order["state"], order["outcome"]) == ("closed", "content"), "he sees it to its end"
    kinds = await sql.fetch(
        "SELECT a.words FROM alerts a JOIN staff s ON s.id = a.staff_id WHERE s.username = 'desk'"
    )
    assert [row["words"] for row in kinds] == [
        "您首问的工单：受理", "您首问的工单：答复", "您首问的工单：群众认可",
    ]  # fmt: skip


async def test_dandong_when_nobody_answers(town: Town) -> None:
    """没有在期限内答复的，一级一级报上去，首问负责人每一级都知道。"""
    taken = await told(
        town, "desk", source="stuck", kind="cannot", matter_code=MATTER,
        text="二楼牌匾不给批，也没有人告诉我为什么",
    )  # fmt: skip
    assert day_of(taken["due_at"]) == (9, 10), "three working days"
    await town.until(at(21))
    order = await town.order("desk", taken["number"])
    assert order["state"] == "supervised"
    rungs = await sql.fetch(
        "SELECT DISTINCT a.kind FROM alerts a JOIN staff s ON s.id = a.staff_id "
        "WHERE s.username = 'desk' AND a.order_number = $1", taken["number"],
    )  # fmt: skip
    assert {row["kind"] for row in rungs} >= {"overdue", "leads", "supervisors", "list", "followed"}


async def test_shanghai_pudong(town: Town, app: Any) -> None:
    """找茬 19 号窗口：简单问题当场解决，复杂的转后台研究；凭查询编码随时跟踪，满不满意由群众自己说。"""
    await town.hires("window19", Role.HANDLER, HOUSING)
    simple = await told(
        town, "window19", source="faults", kind="correction", function="guide", matter_code=MATTER,
        hall_code="H1", window_code="A1", text="办事指南写的材料清单里少了一份收入证明",
        on_the_spot={"disposition": "fixed", "text": "已当场更正办事指南"},
    )  # fmt: skip
    assert simple["state"] == "answered"
    page = await track(town, simple["query_code"])
    assert page["awaiting_you"] == "confirmation" and "已当场更正办事指南" in str(page)
    for who in ("window19", "lead"):
        order = await town.order(who, simple["number"])
        assert not {"confirm", "contest", "content"} & {*order["may"], *order["may_record"]}
    await says(town, simple["query_code"], True)
    assert (await town.order("window19", simple["number"]))["outcome"] == "content"

    silent = await told(
        town, "window19", source="faults", kind="consultation", agency_code=HOUSING, not_a_double=True,
        text="请问公租房摇号以后多久能看到结果",
        on_the_spot={"disposition": "explained", "text": "摇号后五个工作日公示"},
    )  # fmt: skip
    hard = await told(
        town, "window19", source="faults", kind="suggestion", matter_code=MATTER, hall_code="H1",
        text="排队太久，建议给现场取号的人单独开一个窗口", contact={"phone": PHONE},
    )  # fmt: skip
    assert (await town.order("window19", hard["number"]))["state"] == "assigned", (
        "to the back office"
    )
    await town.does("handler", hard["number"], "accept")
    await town.does(
        "lead", hard["number"], "plan", text="分析取号数据，增设现场号专窗", until="2026-09-11"
    )
    await town.until(at(10))
    await town.does(
        "handler", hard["number"], "answer", disposition="fixed", text="专窗已开，平均等候 20 分钟"
    )
    await town.works()
    await town.replies(PHONE, "满意")
    assert (await town.order("window19", hard["number"]))["outcome"] == "content"
    async with a_desk(app, "window19") as desk:
        page = (await desk.get("/console?show=first_asked")).text
        assert silent["number"] in page and hard["number"] not in page, "until it ends"

    await town.until(at(30))
    order = await town.order("window19", silent["number"])
    assert (order["state"], order["outcome"], order["told_how"]) == (
        "closed",
        "silent",
        "in_person",
    )


async def test_jiangsu(town: Town) -> None:
    """12345 热线：登记、答复、百分百回访、评价；匿名的除外。"""
    call = {"source": "hotline", "agency_code": HOUSING, "not_a_double": True}
    named = await told(
        town, "desk", **call, text="公租房漏雨，报修半个月没有人来", external_number="12345-0907-001",
        contact={"name": "王小明", "phone": PHONE}, real_name=True,
    )  # fmt: skip
    anonymous = await told(town, "desk", **call, text="小区门口的公示栏玻璃碎了，怕伤到孩子")
    for number in (named["number"], anonymous["number"]):
        await town.does("handler", number, "accept")
        await town.does("handler", number, "answer", disposition="fixed", text="已派人处理完毕")
    await town.until(at(18))
    rate = await town.reads("lead", "call-backs")
    assert (rate["done"], rate["all"]) == (0, 1), rate
    assert (await town.order("lead", named["number"]))["state"] == "answered", (
        "nobody has called yet"
    )
    assert (await town.order("lead", anonymous["number"]))["outcome"] == "silent"

    person = await town.http.post(
        f"/api/v1/work-orders/{named['number']}/reveal", json={"reason": "热线回访"},
        headers=await town.staff("handler"),
    )  # fmt: skip
    assert person.json()["phone"] == PHONE
    await town.does(
        "handler", named["number"], "call-back", reached=True, satisfied=True, told_answer=True,
    )  # fmt: skip
    rate = await town.reads("lead", "call-backs")
    assert (rate["done"], rate["all"]) == (1, 1)
    await says(town, named["query_code"], True, "确实修好了")
    order = await town.order("desk", named["number"])
    assert (order["state"], order["outcome"]) == ("closed", "content")
    again = await town.http.post(
        "/api/v1/intake", headers=await town.staff("desk"),
        json={**call, "text": "还是那件事", "external_number": "12345-0907-001"},
    )  # fmt: skip
    assert (again.status_code, again.json()["code"]) == (409, "ticket_known")
    assert named["number"] in again.json()["detail"]
