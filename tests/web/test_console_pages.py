"""The console through HTTP: what each role sees, counts and finds."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from factories import JOINT_MATTER, LABOUR, City
from web.console_desk import Case, a_case, a_desk, forms, listed, some_of_everything, tabs

from server.kit import sql
from server.kit.clock import clock
from server.people.models import AccessLog
from server.workorders.models import WorkOrder

ANSWER = {"disposition": "fixed", "text": "已增开两个窗口", "legal_basis": ""}


async def test_an_order_is_not_there_before_the_undo_time_is_over(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city, visible=False)
    async with a_desk(app, "handler") as desk:
        before = await desk.get("/console", show="all")
        assert (listed(before), tabs(before)["all"]) == ([], 0)
        hidden = await desk.get(f"/console/orders/{case.number}")
        unknown = await desk.get("/console/orders/2026AAAAAAAAAA")
        assert (hidden.status_code, hidden.text) == (404, unknown.text)
        clock.advanced += timedelta(minutes=11)
        assert listed(await desk.get("/console")) == [case.number]
        assert (await desk.get(f"/console/orders/{case.number}")).status_code == 200


async def test_an_undone_review_never_reaches_the_desk(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city, visible=False)
    undo = {"query_code": case.query_code}
    undone = await http.post(f"/api/v1/e/{case.review_code}/undo", json=undo)
    assert undone.status_code == 200
    clock.advanced += timedelta(minutes=11)
    async with a_desk(app, "handler") as desk:
        assert tabs(await desk.get("/console"))["all"] == 0
        assert listed(await desk.get("/console", show="all")) == []
        assert (await desk.get(f"/console/orders/{case.number}")).status_code == 404


@pytest.mark.parametrize("number", ["2026AAAAAAAAAA", "x", "%00", "%F0%9F%98%80", "a" * 300, "'--"])
async def test_another_agencys_order_is_like_one_that_does_not_exist(
    http: httpx.AsyncClient, app: object, city: City, number: str
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "other") as desk:
        unknown = await desk.get(f"/console/orders/{number}")
        foreign = await desk.get(f"/console/orders/{case.number}")
        assert (unknown.status_code, foreign.status_code) == (404, 404)
        assert foreign.text == unknown.text
        for act in ("accept", "answer"):
            refused = await desk.post(f"/console/orders/{case.number}/{act}", **ANSWER)
            assert refused.status_code == 404
        assert listed(await desk.get("/console", show="all")) == []
        assert listed(await desk.get("/console", q=case.number)) == []
    assert (await WorkOrder.get(number=case.number)).state == "assigned"


async def test_a_co_handling_agency_is_asked_for_its_own_part_alone(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city, agency=LABOUR, matter_code=JOINT_MATTER)
    address = f"/console/orders/{case.number}"
    async with a_desk(app, "handler") as desk:
        home = await desk.get("/console")
        assert listed(home) == [case.number] and "待提交协办意见 1 件" in home.text
        page = await desk.get(address)
        assert "本单位协办" in page.text and forms(page) == {"part"}
        for act in ("accept", "answer"):
            refused = await desk.post(f"{address}/{act}", **ANSWER)
            assert refused.status_code == 403
        given = await desk.post(f"{address}/part", text="材料已核对")
        page = await desk.get(given.headers["location"])
        assert "材料已核对" in page.text and "已交给牵头部门" in page.text
        assert "本单位是协办部门" in page.text and forms(page) == set()
    assert (await WorkOrder.get(number=case.number)).state == "assigned"


async def test_a_supervisor_sees_the_whole_region_and_accepts_for_nobody(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    cases = [await a_case(http, city), await a_case(http, city, agency=LABOUR)]
    async with a_desk(app, "supervisor") as desk:
        page = await desk.get("/console", show="all")
        assert set(listed(page)) == {case.number for case in cases}
        for case in cases:
            page = await desk.get(f"/console/orders/{case.number}")
            assert forms(page) == {"urge", "accountability", "merge"}
            refused = await desk.post(f"/console/orders/{case.number}/accept")
            assert refused.status_code == 403


@pytest.mark.parametrize("username", ["handler", "lead", "other", "desk", "supervisor"])
async def test_the_auditors_rooms_are_closed_to_all_others(
    app: object, city: City, username: str
) -> None:
    async with a_desk(app, username) as desk:
        assert (await desk.get("/console/audit")).status_code == 403
        assert (await desk.get("/console/audit/1")).status_code == 403
        refused = await desk.post("/console/audit", receipt="1", reason="好奇")
        assert refused.status_code == 403
    assert await AccessLog.all().count() == 0


async def test_orders_are_closed_to_the_auditor(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "auditor") as desk:
        assert (await desk.get(f"/console/orders/{case.number}")).status_code == 403
        assert (await desk.post(f"/console/orders/{case.number}/accept")).status_code == 403


async def test_an_adjudicator_without_work_is_told_so_plainly(app: object, city: City) -> None:
    await sql.fetch(
        "UPDATE staff SET role = 'adjudicator', agency_code = NULL WHERE username = 'lead'"
    )
    async with a_desk(app, "lead") as desk:
        page = await desk.get("/console")
        assert (page.status_code, "没有待裁定的申诉" in page.text) == (200, True)
        assert page.text.count("<button") == 1, "only the way out"


async def test_overdue_orders_come_first_and_are_marked_in_words(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    cases = await some_of_everything(http, city)
    late = {cases[1].number, cases[5].number}
    async with a_desk(app, "handler") as desk:
        for address in ("/console", "/console?show=all"):
            page = await desk.get(address)
            assert set(listed(page)[:2]) == late
            assert page.text.count("已逾期 3 天") == 2
        assert set(listed(await desk.get("/console", show="late"))) == late


async def test_a_long_list_is_read_page_by_page_and_nothing_twice(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    cases = [await a_case(http, city, visible=False) for _ in range(33)]
    clock.advanced += timedelta(minutes=11)
    async with a_desk(app, "handler") as desk:
        await _read_through(desk, "assigned", cases)
        await sql.fetch(
            "UPDATE work_orders SET state = 'closed', outcome = 'content', closed_at = $1, "
            "next_due_at = NULL", clock.now(),
        )  # fmt: skip
        await _read_through(desk, "closed", cases)
        wrong = await desk.get("/console", show="all", cursor="nonsense")
        assert (wrong.status_code, wrong.headers["location"]) == (303, "/console?show=all")


async def _read_through(desk: Any, key: str, cases: list[Case]) -> None:
    first = await desk.get("/console", show=key)
    (following,) = re.findall(r'href="([^"]*cursor=[^"]*)"', first.text)
    second = await desk.get(following.replace("&amp;", "&"))
    assert len(listed(first)) == 30
    assert sorted(listed(first) + listed(second)) == sorted(case.number for case in cases)
    assert "下一页</a>" not in second.text


@pytest.mark.parametrize("sought", ["%", "_", "100%_\\", "'", '"><b>', "\\", "%00", "' OR 1=1 --"])
async def test_a_search_takes_every_sign_as_it_is(
    http: httpx.AsyncClient, app: object, city: City, sought: str
) -> None:
    await a_case(http, city)
    odd = await a_case(http, city, review={"comment": f"写着{sought}的牌子"})
    async with a_desk(app, "handler") as desk:
        page = await desk.get("/console", q=sought)
        assert page.status_code == 200
        assert listed(page) == [odd.number]
        assert '"><b>' not in page.text


async def test_a_search_finds_by_number_matter_window_and_words(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "handler") as desk:
        for sought in (case.number[4:9].lower(), "公租房", "1号窗口", "排队"):
            assert listed(await desk.get("/console", q=sought)) == [case.number]
        assert "没有找到" in (await desk.get("/console", q="没有的词")).text
        assert (await desk.get("/console", q="字" * 500)).status_code == 200
