"""Talking with the agency, judging two parties and being called back, in the mini-program."""

from datetime import timedelta

import pytest
from factories import DESK, HOUSING, City
from httpx import AsyncClient
from mpweb.acts import answered, button, given, title
from mpweb.conftest import Phone
from mpweb.test_screens import look
from playwright.async_api import Page, expect

from server.kit import sql
from server.kit.clock import clock

pytestmark = pytest.mark.browser


async def followed(phone: Phone, query_code: str) -> Page:
    page = await phone.open()
    await page.get_by_label("查询编码（16 位）").fill(query_code)
    await page.clock.set_fixed_time(clock.now())
    await button(page, "查询进度").tap()
    return page


async def test_the_agency_asks_and_the_citizen_answers(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    taken = await given(http, city)
    clock.advanced += timedelta(minutes=11)
    handler = await city.staff(http, "handler")
    base = f"/api/v1/work-orders/{taken['work_order']['number']}"
    for move, body in (("accept", {}), ("ask", {"text": "请问是哪个窗口？"})):
        assert (await http.post(f"{base}/{move}", json=body, headers=handler)).status_code == 200
    page = await followed(phone, taken["query_code"])
    await title(page, "办理进度")
    await expect(page.get_by_text("请问是哪个窗口？").first).to_be_visible()
    await button(page, "发送").tap()
    await expect(page.get_by_role("alert")).to_have_text("请填写内容")
    await page.get_by_label("回答部门的问题").fill("三号窗口，电话13900139000")
    await look(page, "track-asked")
    await button(page, "发送").tap()
    await expect(page.get_by_text("三号窗口，电话▇▇").first).to_be_visible()
    await expect(page.get_by_label("给部门留言")).to_have_value("")
    await expect(page.get_by_text("办理中", exact=True)).to_be_visible()
    await look(page, "track-talk")
    await page.get_by_label("给部门留言").fill("好")
    for _ in range(2):
        await button(page, "发送").tap()
        await expect(page.get_by_label("给部门留言")).to_have_value("")
        await page.get_by_label("给部门留言").fill("好")
    rows = await sql.fetch("SELECT words FROM work_order_steps WHERE words = '好'")
    assert len(rows) == 1, "within a minute the same word is said once"


async def test_the_desk_that_had_it_first_is_judged_too(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    taken = await given(http, city)
    clock.advanced += timedelta(minutes=11)
    await answered(http, city, taken["work_order"]["number"])
    await sql.fetch("UPDATE work_orders SET desk_agency_code = $1", DESK)
    page = await followed(phone, taken["query_code"])
    await page.get_by_role("radio", name="不满意", exact=True).tap()
    await look(page, "track-both")
    await button(page, "满意，可以办结").tap()
    await expect(page.get_by_text("已办结", exact=True)).to_be_visible()
    rows = await sql.fetch("SELECT about, satisfied FROM opinions ORDER BY about")
    assert [tuple(row) for row in rows] == [("agency", True), ("desk", False)]


async def test_who_was_drawn_says_no_and_it_becomes_an_order(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    rated = await http.post(f"/api/v1/e/{await city.code(http)}/review", json={"level": 5})
    await sql.fetch(
        "INSERT INTO call_backs (id, region_code, agency_code, review_id, kind, state, made_at, due_at) "
        "SELECT id, region_code, $1, id, 'sample', 'waiting', at, at + interval '5 days' FROM reviews",
        HOUSING,
    )
    clock.advanced += timedelta(minutes=11)
    page = await followed(phone, rated.json()["query_code"])
    await expect(page.get_by_text("这次服务您确实满意吗")).to_be_visible()
    await page.get_by_label("哪里不满意（可不写）").fill("其实没有办成")
    await look(page, "track-drawn")
    await button(page, "其实不满意").tap()
    await expect(page.get_by_text("您在回访中表示不满意，转成工单核实")).to_be_visible()
    (order,) = await sql.fetch("SELECT origin, words FROM work_orders")
    assert (order["origin"], order["words"]) == ("sample", "其实没有办成")
