"""The window's tablet in a real Chromium: ten citizens, and nothing of the last one left."""

from collections.abc import AsyncIterator

import pytest
from factories import HOUSING, City
from httpx import AsyncClient
from playwright.async_api import Browser, Route, expect
from web.tablet import (
    ServerProcess,
    Window,
    a_key,
    a_tablet,
    chosen,
    heading,
    opened,
    scanned,
    sent,
    thanked,
    welcomed,
)

from server.kit import sql
from server.kit.clock import clock
from server.reviews import kiosks
from server.settings import Settings
from server.web import kiosk, kiosk_watch

pytestmark = pytest.mark.browser
SECRET = "我等了两个小时没人理"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kiosk_watch, "PERIOD_SECONDS", 0.05)
    monkeypatch.setattr(kiosk_watch, "AGAIN_MILLISECONDS", (50, 100))


@pytest.fixture
async def window(http: AsyncClient, city: City) -> AsyncIterator[Window]:
    yield Window(http, city)


async def test_ten_citizens_and_nothing_of_the_last_one_is_left(
    window: Window, live: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_tablet(browser, live, await a_key()) as page:
        await welcomed(page)
        length, codes = await page.evaluate("history.length"), []

        async def gone() -> None:
            """What the next citizen could find."""
            await welcomed(page)
            content = await page.content()
            assert not [word for word in (SECRET, *codes) if word in content]
            assert await page.evaluate("history.length") == length
            assert await page.evaluate("document.querySelectorAll('input, textarea').length") == 0
            kept = (
                "[localStorage.length, sessionStorage.length, document.cookie, location.pathname]"
            )
            assert await page.evaluate(kept) == [0, 0, "", "/kiosk"]

        async def asked() -> None:
            codes.append(await window.asks())
            await expect(heading(page)).to_have_text("请评价这次服务")

        await asked()  # 1: content, and takes the code along
        await opened(page)
        await chosen(page, 5)
        await sent(page)
        codes.append(await thanked(page))
        await page.get_by_role("button", name="完成").tap()
        await gone()

        await asked()  # 2: by phone
        scanned = await window.http.post(f"/api/v1/e/{codes[-1]}/review", json={"level": 4})
        assert scanned.status_code == 201
        await expect(heading(page)).to_have_text("谢谢您")
        assert await page.locator(".code").count() == 0
        clock.advanced += kiosks.THANKS
        await gone()

        await asked()  # 3: has gone without a word
        clock.advanced += kiosks.ASK_LIFE
        await gone()

        await asked()  # 4: begins and walks away
        with monkeypatch.context() as patch:
            patch.setattr(kiosk, "IDLE_SECONDS", 4)
            await opened(page)
        await chosen(page, 1, "原因113", SECRET)
        await expect(page.locator("#trouble")).to_contain_text("秒后清空")
        await gone()

        await asked()  # 5: not content
        await opened(page)
        await chosen(page, 1, "原因113", SECRET)
        await sent(page)
        await expect(heading(page)).to_have_text("请确认您的评价")
        await expect(page.get_by_text(SECRET)).to_be_visible()
        await page.get_by_role("button", name="返回修改").tap()
        await expect(page.get_by_label("想说的话")).to_have_value(SECRET)
        await sent(page, bad=True)
        codes.append(await thanked(page))
        clock.advanced += kiosks.THANKS
        await gone()

        await asked()  # 6: without a reason, and then not at all
        await opened(page)
        await chosen(page, 2)
        await sent(page)
        await expect(page.get_by_role("alert")).to_contain_text("至少选择一个原因")
        await page.get_by_role("button", name="不评了").tap()
        await gone()

        await asked()  # 7: still writes when the next one is there
        await opened(page)
        await chosen(page, 1, words=SECRET)
        await asked()  # 8
        assert SECRET not in await page.content()
        await opened(page)
        assert await page.get_by_label("想说的话").input_value() == ""
        await chosen(page, 3)
        await sent(page)
        codes.append(await thanked(page))
        await page.get_by_role("button", name="完成").tap()
        await gone()

        await asked()  # 9: does not want to
        await page.get_by_role("button", name="不评价").tap()
        await gone()

        await asked()  # 10: is followed by somebody who presses back and reload
        await opened(page)
        await chosen(page, 2, "原因213", SECRET)
        await page.reload()
        await expect(heading(page)).to_have_text("请评价这次服务")
        await opened(page)
        await expect(page.get_by_role("radio", checked=True)).to_have_count(0)
        await expect(page.get_by_label("想说的话")).to_have_value("")
        clock.advanced += 2 * kiosks.ASK_LIFE
        await gone()
        await page.go_back()
        assert "满意" not in await page.content()
        await page.go_forward()
        await gone()
    rows = await sql.fetch("SELECT level, channel, real_name, comment FROM reviews ORDER BY at")
    assert [(row["level"], row["channel"]) for row in rows] == [
        (5, "kiosk"), (4, "receipt_qr"), (1, "kiosk"), (3, "kiosk"),
    ]  # fmt: skip
    assert rows[2]["comment"] == SECRET and not rows[2]["real_name"]


@pytest.mark.parametrize("size", ["landscape", "portrait"])
async def test_everything_is_large_and_nothing_scrolls_sideways(
    window: Window, live: str, browser: Browser, size: str
) -> None:
    async with a_tablet(browser, live, await a_key(), size) as page:

        async def fits() -> None:
            small = await page.evaluate(
                "[...document.querySelectorAll('button, a, .faces > label, .tags label')]"
                ".filter(e => e.offsetHeight && (e.offsetHeight < 48 || e.offsetWidth < 48))"
                ".map(e => e.textContent + e.offsetHeight)"
            )
            assert small == []
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

        await window.asks()
        await expect(heading(page)).to_have_text("请评价这次服务")
        await fits()
        await opened(page)
        for level in (5, 1):
            await chosen(page, level)
            await fits()
        button = await page.get_by_role("button", name="提交评价").bounding_box()
        assert button and button["y"] + button["height"] <= page.viewport_size["height"]  # type: ignore[index]
        await chosen(page, 1, words="W" * 300 + "字" * 150)
        await page.get_by_role("button", name="提交评价").tap()
        await expect(heading(page)).to_have_text("请确认您的评价")
        await fits()
        await page.get_by_role("button", name="确认提交").tap()
        await thanked(page)
        await fits()


async def test_the_picture_is_the_receipts_code_and_then_the_way_to_the_track_page(
    window: Window, live: str, browser: Browser, http: AsyncClient
) -> None:
    async with a_tablet(browser, live, await a_key()) as page:
        code = await window.asks()
        await expect(heading(page)).to_have_text("请评价这次服务")
        assert await scanned(page) == f"http://pj.test/e/{code}"
        await opened(page)
        await chosen(page, 2, "原因213")
        await sent(page, bad=True)
        query_code = await thanked(page)
        assert await scanned(page) == f"http://pj.test/t/{query_code}"
    undone = await http.post(f"/t/{query_code}/undo")
    assert undone.status_code == 303
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "open"


async def test_without_a_line_nothing_typed_stays_and_all_comes_back(
    window: Window, live: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk, "IDLE_SECONDS", 6)
    async with a_tablet(browser, live, await a_key()) as page:

        async def cut(route: Route) -> None:
            await route.abort()

        await window.asks()
        await opened(page)
        await chosen(page, 1, words=SECRET)
        await page.route("**/kiosk/**", cut)
        await page.get_by_role("button", name="提交评价").tap()
        await expect(page.locator("#trouble")).to_contain_text("没有提交成功")
        assert await page.get_by_label("想说的话").input_value() == SECRET
        await expect(page.get_by_text("网络不通")).to_have_count(2)
        await expect(page.locator("main").get_by_text("请稍候")).to_be_visible(timeout=12_000)
        assert SECRET not in await page.content()

        await page.unroute("**/kiosk/**", cut)
        await window.asks()
        await expect(heading(page)).to_have_text("请评价这次服务", timeout=25_000)
        await expect(page.locator("#offline")).to_be_hidden()
    assert await sql.fetch("SELECT 1 FROM reviews") == []


async def test_two_tabs_are_one_tablet(window: Window, live: str, browser: Browser) -> None:
    async with a_tablet(browser, live, await a_key()) as page:
        other = await page.context.new_page()
        await other.goto("/kiosk")
        await window.asks()
        for tab in (page, other):
            await opened(tab)
            await chosen(tab, 5)
        await sent(other)
        await thanked(other)
        await thanked(page)
    assert len(await sql.fetch("SELECT 1 FROM reviews")) == 1


async def test_a_revoked_key_says_so_in_the_middle(
    window: Window, live: str, browser: Browser
) -> None:
    async with a_tablet(browser, live, await a_key()) as page:
        await window.asks()
        await opened(page)
        await chosen(page, 1, words=SECRET)
        (row,) = await sql.fetch("SELECT id FROM kiosks")

        await kiosks.revoke(row["id"], None)

        await expect(heading(page)).to_have_text("这台评价器没有启用")
        assert SECRET not in await page.content()
        again = await kiosks.issue(HOUSING, "A1", instead_of=None, by=None)
        await page.goto(f"/kiosk/open/{again}")
        await welcomed(page)


async def test_it_works_without_scripts(window: Window, live: str, browser: Browser) -> None:
    key = await a_key()
    await window.asks()
    async with a_tablet(browser, live, key, java_script_enabled=False) as page:
        await opened(page)
        await chosen(page, 1, "原因113", SECRET)
        await sent(page, bad=True)
        await thanked(page)
        await page.get_by_role("button", name="完成").tap()
        await welcomed(page)
        assert page.url.endswith("/kiosk")


async def test_a_server_that_starts_anew_is_found_again(
    window: Window, servers: Settings, browser: Browser
) -> None:
    """Two processes of their own, one after the other, on one port."""
    house = ServerProcess(servers)
    key = await a_key()
    try:
        await house.up()
        async with a_tablet(browser, house.address, key) as page:
            await welcomed(page)
            await window.asks()
            await opened(page)
            await chosen(page, 2, "原因213", SECRET)

            assert await house.down() < 3
            await page.get_by_role("button", name="提交评价").tap()
            await expect(page.locator("#trouble")).to_contain_text("没有提交成功")
            await house.up()
            await sent(page, bad=True)
            await thanked(page)
            await page.get_by_role("button", name="完成").tap()
            await welcomed(page)
            await window.asks()  # by another process
            await expect(heading(page)).to_have_text("请评价这次服务", timeout=12_000)
    finally:
        await house.down()
    assert len(await sql.fetch("SELECT 1 FROM reviews")) == 1
