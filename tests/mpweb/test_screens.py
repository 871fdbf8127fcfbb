"""Every page in every state, at the width of a phone, standard and large: to be looked at in screenshots/."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from factories import MATTER, City
from httpx import AsyncClient
from mpweb.acts import (
    answered,
    button,
    given,
    level,
    peace_is_over,
    rate,
    signed_in,
    title,
    type_comment,
)
from mpweb.conftest import Phone
from playwright.async_api import Page, Route, expect

from server.catalogue import service as catalogue
from server.catalogue.models import Matter
from server.kit.clock import clock
from server.settings import Settings

pytestmark = pytest.mark.browser
SHOTS = Path(__file__).parents[2] / "screenshots" / "miniprogram"
LONG = "W" * 200 + "字" * 120 + "\n\n" + "等了很久，窗口一直没有人。" * 8
LEAST = 44
"""Pixels that a thumb needs."""
TOO_SMALL = f"""[...document.querySelectorAll(
    '[role=button],[role=radio],[role=checkbox],[role=link],[role=tab],input')]
  .map(it => [it.textContent || it.ariaLabel, it.getBoundingClientRect()])
  .filter(([text, box]) => box.height > 0 && box.height < {LEAST} && !text.startsWith('《'))
  .map(([text, box]) => `${{text}}: ${{box.height}}`)"""


async def aborted(route: Route) -> None:
    await route.abort()


async def look(page: Page, name: str) -> None:
    """Nothing is cut off or out of reach, in either size of type."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for large in ("false", "true"):
        await page.evaluate(f"__mp.stack.at(-1).instance.setData({{large: {large}}})")
        await expect(page.locator("css=.mp-toast")).to_have_count(0)
        size = "-large" if large == "true" else ""
        await page.screenshot(path=SHOTS / f"{name}{size}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name}{size} is {wide} too wide"
        assert await page.evaluate(TOO_SMALL) == [], name
    await page.evaluate("__mp.stack.at(-1).instance.setData({large: false})")


async def test_the_form(http: AsyncClient, city: City, phone: Phone) -> None:
    await Matter.filter(code=MATTER).update(
        name="公共租赁住房保障资格确认（含家庭成员变更及年度复核）" * 2
    )
    await catalogue.load()
    arrived = asyncio.Event()

    async def slow(route: Route) -> None:
        await arrived.wait()
        await route.continue_()

    await phone.context.route("**/api/v1/e/*", slow)
    code = await city.code(http)
    page = await phone.scan(code)
    await expect(page.get_by_role("status")).to_be_visible()
    await look(page, "review-loading")
    arrived.set()
    await title(page, "请评价这次服务")
    await look(page, "review-empty")
    await level(page, "满意").tap()
    await look(page, "review-good")
    await level(page, "非常不满意").tap()
    await button(page, "提交评价").tap()
    await page.get_by_role("radio", name="实名").tap()
    await look(page, "review-agreement")
    await button(page, "我看过了，同意").tap()
    await page.get_by_role("button", name="更多原因").tap()
    await page.get_by_role("checkbox", name="原因119").tap()
    await type_comment(page, LONG)
    await page.get_by_label("姓名（可不填）").fill("欧阳" * 30)
    await look(page, "review-long")
    await button(page, "提交评价").tap()
    await title(page, "请确认您的评价")
    await look(page, "review-confirm")
    await phone.context.route("**/review", aborted)
    await button(page, "确认提交").tap()
    await title(page, "评价还没有发出去")
    await look(page, "review-unsent")
    home = await phone.open()
    await expect(home.get_by_text("还没有发出去")).to_be_visible()
    await look(home, "scan-unsent")


async def test_what_cannot_be_rated(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await phone.open()
    await title(page, "办完事，您说了算")
    await look(page, "scan")
    await button(page, "查询进度").tap()
    await look(page, "scan-wrong-code")
    await look(await phone.open("about"), "about")
    used, late = await city.code(http), await city.code(http)
    await http.post(f"/api/v1/e/{used}/review", json={"level": 5})
    page = await phone.scan(used)
    await title(page, "这次服务已经评价过了")
    await look(page, "review-reviewed")
    clock.advanced += timedelta(days=8)
    page = await phone.scan(late)
    await title(page, "这次服务的评价已经结束")
    await look(page, "review-closed")
    await phone.context.route("**/api/v1/**", aborted)
    page = await phone.scan(late)
    await expect(page.get_by_role("alert")).to_be_visible()
    await look(page, "review-failed")


async def test_thanks_and_progress(
    http: AsyncClient, city: City, phone: Phone, servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.wechat_templates, "answered", ("tmpl", {"matter": "thing1"}))
    page = await phone.scan(await city.code(http))
    await rate(page, "不满意", LONG)
    await expect(button(page, "有进展时用微信告诉我")).to_be_visible()
    await look(page, "thanks")
    number = str(await page.evaluate("__mp.stack[0].instance.data.order[0].value"))
    await button(page, "查看办理进度").tap()
    await title(page, "办理进度")
    await look(page, "track-undo")
    await page.get_by_role("button", name="返回").tap()
    await peace_is_over(page)
    await answered(http, city, number)
    await button(page, "查看办理进度").tap()
    await button(page, "不满意，请上级督办").tap()
    await look(page, "track-answered")
    await page.get_by_label("想说的话（不满意时必填）").fill(LONG)
    await button(page, "不满意，请上级督办").tap()
    await expect(page.get_by_text("您不认可，等待督办")).to_be_visible()
    await look(page, "track-contested")
    overdue = await given(http, city)
    clock.advanced += timedelta(days=20)
    city.tokens.clear()
    page = await phone.open()
    await page.clock.set_fixed_time(clock.now())
    await page.get_by_label("查询编码（16 位）").fill(overdue["query_code"])
    await button(page, "查询进度").tap()
    await expect(page.get_by_text("已超过答复期限")).to_be_visible()
    await look(page, "track-overdue")
    page = await phone.scan(await city.code(http))
    await rate(page, "满意")
    await title(page, "谢谢您的评价")
    await look(page, "thanks-good")
    await button(page, "撤回这次评价").tap()
    await title(page, "评价已经撤回")
    await look(page, "thanks-undone")


async def test_what_is_mine(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await phone.open("mine")
    await expect(page.get_by_text("这里还没有评价")).to_be_visible()
    await look(page, "mine-empty")
    headers = await signed_in(http)
    taken = [await given(http, city, headers, level=n, tags=[]) for n in (1, 2) for _ in range(11)]
    clock.advanced += timedelta(minutes=11)
    await answered(http, city, taken[-1]["work_order"]["number"])
    page = await phone.open("mine")
    await expect(page.locator("css=.line")).to_have_count(20)
    await look(page, "mine-list")
    await page.route("**/me/reviews*cursor*", aborted)
    await page.evaluate("__mp.stack[0].instance.loadMore()")
    await expect(page.get_by_role("alert")).to_be_visible()
    await look(page, "mine-more-failed")
    await phone.context.route("**/me/**", aborted)
    page = await phone.open("mine")
    await expect(page.get_by_role("alert")).to_be_visible()
    await look(page, "mine-failed")
    await phone.context.unroute("**/me/**", aborted)
    page = await phone.open("privacy")
    await look(page, "privacy")
    await button(page, "导出我的数据").tap()
    await expect(button(page, "复制")).to_be_visible()
    await look(page, "privacy-export")
    page = await phone.open("claim")
    await button(page, "认领").tap()
    await look(page, "claim-wrong")
    await page.get_by_label("查询编码（16 位）").fill((await given(http, city))["query_code"])
    await button(page, "认领").tap()
    await expect(button(page, "查看我的评价")).to_be_visible()
    await look(page, "claim-done")
