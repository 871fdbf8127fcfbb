"""A wall's page in a real Chromium: a phone without JavaScript, narrow and large; a poster on paper."""

import io
from typing import Any

import pytest
import zxingcpp
from factories import HOUSING, MATTER, City, credentials
from httpx import AsyncClient
from PIL import Image
from playwright.async_api import Browser, Page, expect
from web.test_citizen_browser import a_page

from server.catalogue import service as catalogue
from server.catalogue.models import Matter
from server.kit import sql

pytestmark = pytest.mark.browser


async def many_matters() -> None:
    await Matter.bulk_create([
        Matter(code=f"{n:031d}", name=f"第{n}类经营许可证核发与延续办理", agency_code=HOUSING)
        for n in range(60)
    ])  # fmt: skip
    await catalogue.load()


async def test_a_bad_review_from_a_wall_without_javascript(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    await many_matters()
    async with a_page(browser, live, java_script_enabled=False) as page:
        await page.goto("/h/H1/A1")
        await expect(page.get_by_text("市民中心 1号窗口").first).to_be_visible()
        await page.get_by_role("radio", name="不满意", exact=True).check()
        await page.get_by_label("想说的话").fill("等了很久")
        await page.get_by_label("输入事项名称里的字").fill("公租房")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("radio", name="不满意", exact=True)).to_be_checked()
        await expect(page.get_by_label("想说的话")).to_have_value("等了很久")
        await page.get_by_label("事项", exact=True).select_option("公租房申请")
        await page.get_by_label("办件编号（可不填）").fill("330-7")
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("heading", name="请确认您的评价")).to_be_visible()
        await expect(page.get_by_text("330-7")).to_be_visible()
        await page.get_by_role("button", name="返回修改").click()
        await expect(page.get_by_label("办件编号（可不填）")).to_have_value("330-7")
        await page.get_by_role("button", name="提交评价").click()
        await page.get_by_role("button", name="确认提交").click()
        await expect(page.get_by_role("heading", name="已转成工单")).to_be_visible()
        await page.get_by_role("button", name="撤回这次评价").click()
        await expect(page.get_by_role("heading", name="评价已经撤回")).to_be_visible()
        await page.get_by_role("link", name="重新评价").click()
        await expect(page.get_by_text("公租房申请")).to_be_visible()
        await page.get_by_role("radio", name="满意", exact=True).check()
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("heading", name="谢谢您的评价")).to_be_visible()
    rows = await sql.fetch("SELECT channel, state FROM reviews ORDER BY at")
    assert [tuple(row) for row in rows] == [("static_qr", "undone"), ("static_qr", "standing")]
    (visit,) = await sql.fetch("SELECT matter_code FROM receipts")
    assert visit["matter_code"] == MATTER


@pytest.mark.parametrize(("width", "query"), [(320, ""), (390, "?large=1"), (1280, "")])
async def test_nothing_is_cut_off(
    http: AsyncClient, city: City, live: str, browser: Browser, width: int, query: str
) -> None:
    await many_matters()
    async with a_page(browser, live, width) as page:
        await page.goto(f"/h/H1{query}")
        await page.get_by_role("radio", name="非常不满意").check()
        assert await sideways(page) == 0
        for place in ("button >> visible=true", "select", "input[name=case_number]"):
            for box in await boxes(page, place):
                assert box["height"] >= 44, place


async def sideways(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))


async def boxes(page: Page, selector: str) -> list[Any]:
    return [await one.bounding_box() for one in await page.locator(f"css=main {selector}").all()]


async def test_a_poster_fits_on_its_paper_and_is_read_from_it(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live, 1280) as page:
        await page.goto("/console/walls")
        for name, value in credentials("lead").items():
            await page.locator(f"css=input[name={name}]").fill(value)
        await page.get_by_role("button", name="登录").click()
        await page.get_by_role("link", name="1号窗口的海报").click()
        await page.get_by_alt_text("评价二维码").wait_for()
        assert await read(page) == ["http://pj.test/h/H1/A1"]
        paper = await page.pdf(prefer_css_page_size=True)
        assert paper.count(b"/Type /Page\n") == 1 or paper.count(b"/Type /Page ") == 1
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 484, "height": 720})  # 128 × 190 mm
        await expect(page.get_by_role("link", name="工作台")).to_be_hidden()
        assert await sideways(page) == 0
        assert await read(page) == ["http://pj.test/h/H1/A1"]


async def read(page: Page) -> list[str]:
    picture = Image.open(io.BytesIO(await page.screenshot()))
    return [code.text for code in zxingcpp.read_barcodes(picture)]
