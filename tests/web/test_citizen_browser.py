"""The citizen's pages in a real Chromium: keyboard, no JavaScript, readers, small and large."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from playwright.async_api import Browser, Locator, Page, expect

from server.kit.clock import clock

pytestmark = pytest.mark.browser
HOSTILE = (
    "<script>window.hit=1</script><img src=x onerror='window.hit=1'><svg/onload=window.hit=1>"
    "\"' onfocus=window.hit=1 autofocus x=' javascript:window.hit=1 \u202egnp.exe\u202c {{7*7}} </textarea>"
    "<script>window.hit=1</script>"
)


@asynccontextmanager
async def a_page(
    browser: Browser, live: str, width: int = 390, **options: Any
) -> AsyncIterator[Page]:
    """A phone; fails if anything was fetched from elsewhere, or the console complained."""
    viewport = {"width": width, "height": 800}
    context = await browser.new_context(
        base_url=live, viewport=viewport, reduced_motion="reduce", **options
    )
    context.set_default_timeout(5_000)
    page = await context.new_page()
    foreign, complaints = [], []
    page.on("request", lambda r: foreign.append(r.url) if not r.url.startswith(live) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    yield page
    # A 422 or 404 page is what was asked for; Chromium notes it all the same.
    assert [c for c in complaints if "the server responded with a status of 4" not in c] == []
    assert foreign == []
    await context.close()


async def query_address(http: AsyncClient, code: str, **changed: Any) -> str:
    answer = await http.post(f"/api/v1/e/{code}/review", json=a_bad_review(**changed))
    return f"/t/{answer.json()['query_code']}"


async def tab_to(page: Page, target: Locator) -> None:
    for _ in range(20):
        await page.keyboard.press("Tab")
        if await target.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError("not reached within 20 steps")


async def test_a_bad_review_by_keyboard_alone(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live) as page:
        await page.goto(f"/e/{await city.code(http)}")
        press, focused = page.keyboard.press, page.locator(":focus")
        await press("Tab")
        await expect(focused).to_have_text("跳到正文")
        for _ in range(3):
            await press("Tab")
        await expect(focused).to_have_attribute("name", "level")
        await press("Space")
        for _ in range(4):
            await press("ArrowDown")
        await expect(page.get_by_role("radio", name="非常不满意", exact=True)).to_be_checked()
        await press("Tab")  # the boxes of the other levels are not in the way
        await expect(focused).to_have_attribute("value", "113")
        await press("Space")
        await tab_to(page, page.get_by_label("想说的话"))
        await page.keyboard.type("排队两小时")
        await tab_to(page, page.get_by_role("button", name="提交评价"))
        await press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("请确认您的评价")
        await tab_to(page, page.get_by_role("button", name="确认提交"))
        await press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("谢谢您的评价")
        await expect(page.get_by_text("已转成工单")).to_be_visible()


async def test_the_whole_story_with_javascript_off(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live, java_script_enabled=False) as page:
        await page.goto(f"/e/{await city.code(http)}")
        await expect(page.get_by_label("原因113")).to_be_hidden()
        await page.locator("label[for=l1]").click()
        await expect(page.get_by_label("原因113")).to_be_visible()
        await expect(page.get_by_label("原因213")).to_be_hidden()
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("alert")).to_contain_text("至少选择一个原因")
        await expect(page.get_by_role("radio", name="非常不满意", exact=True)).to_be_checked()
        await page.wait_for_load_state()  # the words are there before their style is
        await page.get_by_text("更多原因").locator("visible=true").click()
        await page.get_by_label("原因119").check()
        await page.get_by_role("button", name="提交评价").click()
        await page.get_by_role("button", name="返回修改").click()
        await expect(page.get_by_label("原因119")).to_be_checked()
        await page.get_by_role("button", name="提交评价").click()
        await page.get_by_role("button", name="确认提交").click()
        await page.get_by_role("button", name="撤回这次评价").click()
        await page.get_by_role("link", name="重新评价").click()
        await page.get_by_label("非常满意", exact=True).check()
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("谢谢您的评价")


async def test_a_reader_is_told_names_roles_and_errors(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live) as page:
        await page.goto(f"/e/{await city.code(http)}")
        assert await page.locator("html").get_attribute("lang") == "zh-CN"
        for role in ("banner", "main", "contentinfo"):
            await expect(page.get_by_role(role)).to_have_count(1)  # type: ignore[arg-type]
        levels = page.get_by_role("group", name="您满意吗？").get_by_role("radio")
        await expect(levels).to_have_count(5)
        for name in ("非常满意", "满意", "基本满意", "不满意", "非常不满意"):
            await page.get_by_role("radio", name=name, exact=True).check()
            await expect(
                page.get_by_role("group", name=f"{name}的原因", exact=True)
            ).to_be_visible()
        await expect(page.get_by_role("radio", name=re.compile("^匿名"))).to_be_checked()
        await expect(page.get_by_label("手机号")).to_be_hidden()
        await page.get_by_role("radio", name=re.compile("^实名")).check()
        await page.get_by_label("手机号").fill("12")
        await page.get_by_label("想说的话").fill("慢")
        await page.get_by_role("button", name="提交评价").click()
        await page.get_by_role("alert").get_by_role("link").click()
        await expect(page.get_by_label("手机号")).to_be_focused()
        await expect(page.get_by_label("手机号")).to_have_value("12")
        assert await page.get_by_label("手机号").get_attribute("aria-invalid") == "true"


async def test_hostile_words_are_shown_and_never_run(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    code = await city.code(http)
    async with a_page(browser, live) as page:
        await page.goto(f"/e/{code}")
        await page.get_by_role("radio", name="不满意", exact=True).check()
        await page.get_by_label("想说的话").fill(HOSTILE)
        await page.get_by_role("radio", name=re.compile("^实名")).check()
        await page.get_by_role("textbox", name="姓名").fill(HOSTILE[:100])
        await page.get_by_label("手机号").fill('"><script>hit=1')
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_label("想说的话")).to_have_value(HOSTILE)
        await page.get_by_label("手机号").fill("")
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.locator("dd.words")).to_have_text(HOSTILE)
        await page.get_by_role("button", name="确认提交").click()
        await expect(page.get_by_role("heading", name="谢谢您的评价")).to_be_visible()
        clock.advanced += timedelta(minutes=11)
        await page.reload()
        await expect(page.locator("dd.words")).to_have_text(HOSTILE)
        assert await page.evaluate("window.hit") is None


async def test_large_type_is_larger_and_loses_nothing_that_was_typed(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live) as page:
        await page.goto(f"/e/{await city.code(http)}")
        await page.get_by_label("想说的话").fill("写到一半")
        size = "parseFloat(getComputedStyle(document.querySelector('label')).fontSize)"
        before = await page.evaluate(size)
        async with page.expect_response(re.compile("large=1")):
            await page.get_by_role("link", name="关怀模式").click()
        assert await page.evaluate(size) >= before * 1.3
        await expect(page.get_by_label("想说的话")).to_have_value("写到一半")
        await expect(page.get_by_role("link", name="标准模式")).to_be_visible()
        await page.goto("/track")
        await expect(page.locator("body")).to_have_class("large")


async def test_a_double_click_is_one_review(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    for script in (True, False):
        async with a_page(browser, live, java_script_enabled=script) as page:
            await page.goto(f"/e/{await city.code(http)}")
            await page.get_by_role("radio", name="满意", exact=True).check()
            await page.get_by_role("button", name="提交评价").dblclick()
            await expect(page.get_by_role("heading", level=1)).to_have_text("谢谢您的评价")


@pytest.mark.parametrize(("width", "large"), [(320, 0), (390, 0), (390, 1), (1280, 0), (1280, 1)])
async def test_no_page_scrolls_sideways(
    http: AsyncClient, city: City, live: str, browser: Browser, width: int, large: int
) -> None:
    long = "W" * 300 + "字" * 150
    bad, used, fresh = [await city.code(http) for _ in range(3)]
    address = await query_address(http, bad, comment=long)
    await query_address(http, used)
    async with a_page(browser, live, width) as page:

        async def fits(path: str) -> None:
            await page.goto(path)
            scroll, inner = await page.evaluate(
                "[document.documentElement.scrollWidth, window.innerWidth]"
            )
            assert scroll <= inner, f"{path} is {scroll} wide on {inner}"

        for path in (
            f"/?large={large}", "/track", "/docs", "/e/unknown", "/t/unknown", f"/e/{used}", address,
        ):  # fmt: skip
            await fits(path)
        clock.advanced += timedelta(minutes=11)
        await fits(address)
        await fits(f"/e/{fresh}")
        await page.get_by_role("radio", name="不满意", exact=True).check()
        await page.get_by_label("想说的话").fill(long)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("请确认您的评价")
        await page.wait_for_load_state()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        clock.advanced += timedelta(days=8)
        await fits(f"/e/{fresh}")
