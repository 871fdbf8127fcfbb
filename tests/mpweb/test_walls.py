"""Codes on walls in the mini-program: choose what it was about, or not, and rate; one visit, one review."""

from urllib.parse import quote

import pytest
from factories import HOUSING, MATTER, City
from httpx import AsyncClient
from mpweb.acts import button, code_shown, level, rate, title, type_comment
from mpweb.conftest import Phone
from mpweb.test_screens import look
from playwright.async_api import Page, Route, expect

from server.catalogue import service as catalogue
from server.catalogue.models import Hall, Matter
from server.kit import sql
from server.receipts import visits

pytestmark = pytest.mark.browser


async def at_the_wall(phone: Phone, place: str = "h/H1/A1") -> Page:
    """As WeChat opens it by the rule for ordinary codes: the address, encoded once."""
    return await phone.open("scan", f"q={quote(f'http://pj.test/{place}', safe='')}")


async def reviews() -> list[tuple[str, int, str, str]]:
    rows = await sql.fetch(
        "SELECT t.matter_code, v.level, v.channel, v.state FROM reviews v "
        "JOIN receipts t ON t.id = v.receipt_id ORDER BY v.at"
    )
    return [tuple(row) for row in rows]


async def test_from_the_wall_to_the_thanks_and_back(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await at_the_wall(phone)
    await expect(page.get_by_text("市民中心 1号窗口")).to_be_visible()
    await look(page, "hall")
    await page.get_by_role("radio", name="公租房申请").tap()
    await page.get_by_label("办件编号（可不填）").fill(" 330-7 ")
    await button(page, "下一步：评价").tap()
    await expect(page.get_by_text("公租房申请").locator("visible=true")).to_be_visible()
    await look(page, "hall-review")
    await rate(page, "不满意", "等了很久")
    await title(page, "谢谢您的评价")
    track = (await http.get(f"/api/v1/track/{await code_shown(page)}")).json()
    assert (track["review"]["matter"], track["review"]["channel"]) == ("公租房申请", "static_qr")
    (visit,) = await sql.fetch("SELECT * FROM receipts")
    assert visits.claimed_case(visit["applicant"]) == "330-7"
    await button(page, "撤回这次评价").tap()
    await title(page, "评价已经撤回")
    await button(page, "重新评价").tap()
    await rate(page, "满意")
    await title(page, "谢谢您的评价")
    assert await reviews() == [
        (MATTER, 2, "static_qr", "undone"), (MATTER, 4, "static_qr", "standing"),
    ]  # fmt: skip


async def test_the_mini_programs_own_code_and_nothing_chosen(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.open("scan", f"scene={quote('h/H1', safe='')}")
    await expect(page.get_by_text("市民中心", exact=True)).to_be_visible()
    await button(page, "下一步：评价").tap()
    await level(page, "不满意").tap()
    await type_comment(page, "找不到窗口")
    await button(page, "提交评价").tap()
    await expect(page.get_by_text("没有选", exact=True)).to_be_visible()
    await button(page, "确认提交").tap()
    await title(page, "谢谢您的评价")
    await expect(page.get_by_text("大厅服务（未选事项）")).to_be_visible()
    assert await reviews() == [("", 2, "static_qr", "standing")]


async def test_a_long_list_is_searched_and_the_choice_stays(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await Matter.bulk_create(
        [Matter(code=f"{n:031d}", name=f"许可{n}号办理", agency_code=HOUSING) for n in range(80)]
    )
    await Hall.create(
        code="大厅(1)", name="分中心", region_code="990100000000", desk_agency_code=""
    )
    await catalogue.load()
    page = await at_the_wall(phone)
    await expect(page.get_by_role("radio", name="许可")).to_have_count(8)
    await page.get_by_role("button", name="更多事项").tap()
    await expect(page.get_by_role("radio", name="许可")).to_have_count(50)
    await page.get_by_role("radio", name="许可7号办理").tap()
    search = page.get_by_label("输入事项名称里的字")
    await search.fill("许可77")
    await button(page, "查找事项").tap()
    await expect(page.get_by_role("radio", name="许可")).to_have_count(2)
    await look(page, "hall-search")
    await search.fill("没有这个")
    await button(page, "查找事项").tap()
    await expect(page.get_by_role("status")).to_contain_text("没有找到名称里有“没有这个”的事项")
    await expect(page.get_by_role("radio", name="许可7号办理")).to_be_checked()
    await button(page, "下一步：评价").tap()
    await rate(page, "非常满意")
    await title(page, "谢谢您的评价")
    assert await reviews() == [(f"{7:031d}", 5, "static_qr", "standing")]
    other = await at_the_wall(phone, f"h/{quote('大厅(1)')}")
    await expect(other.get_by_text("分中心")).to_be_visible()


async def test_an_answer_that_was_lost_and_words_that_were_changed_are_one_review(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await at_the_wall(phone)
    lost = []

    async def swallowed(route: Route) -> None:
        """The server has it; the phone never hears of it."""
        lost.append(await route.fetch())
        await route.abort()

    await page.route("**/review", swallowed)
    await button(page, "下一步：评价").tap()
    await rate(page, "不满意", "等了很久")
    await title(page, "评价还没有发出去")
    assert lost and {answer.status for answer in lost} == {201}
    await page.unroute("**/review")
    await button(page, "返回修改").tap()
    await type_comment(page, "等了很久，没有人来")
    await button(page, "提交评价").tap()
    await button(page, "确认提交").tap()
    await title(page, "谢谢您的评价")
    assert await reviews() == [("", 2, "static_qr", "standing")]


async def test_a_wall_that_was_left_unsent_is_sent_at_the_next_start(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await at_the_wall(phone)
    await button(page, "下一步：评价").tap()
    await level(page, "满意").tap()
    await page.route("**/review", lambda route: route.abort())
    await button(page, "提交评价").tap()
    await title(page, "评价还没有发出去")
    await page.close()
    again = await at_the_wall(phone)
    await title(again, "谢谢您的评价")
    assert [row[1] for row in await reviews()] == [4]


async def test_a_place_that_is_gone_says_so(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await at_the_wall(phone, "h/H1/Z9")
    await expect(page.get_by_role("alert")).to_contain_text("没有找到这个大厅或窗口")
    await look(page, "hall-gone")
