"""Paper forms in a real Chromium: two on a sheet, read by a scanner, and keyed in by keyboard alone."""

import io
from typing import Any

import pytest
import zxingcpp
from factories import City, credentials
from PIL import Image
from playwright.async_api import Browser, Page, expect
from web.test_citizen_browser import a_page, tab_to
from web.test_wall_browser import sideways

from server.catalogue import service as catalogue
from server.catalogue.models import Hall, Window
from server.catalogue.sheets import import_sheets, national_tags
from server.kit import query_codes as codes
from server.kit import sql

pytestmark = pytest.mark.browser
A4 = {"width": 794, "height": 1123}
ROOM, ENTRY = "/console/paper", "/console/paper/entry"


@pytest.fixture
async def place(city: City) -> City:
    await sql.fetch("DELETE FROM tags")
    await import_sheets({"tags": national_tags()}, by="test")
    return city


async def sign_in(page: Page, who: str, to: str) -> None:
    await page.goto(to)
    for name, value in credentials(who).items():
        await page.locator(f"css=input[name={name}]").fill(value)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="退出")).to_be_visible()


async def print_by_keyboard(page: Page, count: int) -> None:
    await tab_to(page, page.get_by_label("放在哪里"))
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type(str(count))
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".blank")).to_have_count(count)


async def on_paper(page: Page) -> list[tuple[str, str]]:
    """What a scanner and a phone read from each blank of the printed sheets, from top to bottom."""
    await page.emulate_media(media="print")
    await page.set_viewport_size(A4)
    picture = Image.open(io.BytesIO(await page.screenshot(full_page=True)))
    found = zxingcpp.read_barcodes(picture)
    ordered = sorted(found, key=lambda code: code.position.top_left.y)
    forms = [code.text for code in ordered if "/t/" not in code.text]
    stubs = [code.text for code in ordered if "/t/" in code.text]
    return list(zip(forms, stubs, strict=True))


async def cut_off(page: Page) -> list[Any]:
    return list(await page.evaluate(
        "[...document.querySelectorAll('.blank, .form, .stub, .levels, .reasons-two, .lines, .head')]"
        ".filter(e => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)"
        ".map(e => [e.className, e.scrollHeight, e.clientHeight, e.scrollWidth, e.clientWidth])"
    ))  # fmt: skip


async def test_two_blanks_fit_on_a_sheet_and_their_codes_are_read_from_it(
    place: City, live: str, browser: Browser
) -> None:
    await Hall.filter(code="H1").update(name="临溪区政务服务中心（滨江新城分中心）")
    await Window.filter(code="A1").update(name="18号 不动产登记与公共维修资金综合受理（2）")
    await catalogue.load()
    for chosen in ("H1", "H1/A1"):
        async with a_page(browser, live, 1280) as page:
            await sign_in(page, "supervisor", ROOM)
            await page.get_by_label("放在哪里").select_option(chosen)
            await page.get_by_label("印几张").fill("5")
            await page.get_by_role("button", name="生成空白表").click()
            await expect(page.locator(".blank")).to_have_count(5)
            paper = await page.pdf(prefer_css_page_size=True)
            assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") == 3
            assert paper.count(b"/MediaBox [0 0 594.9") + paper.count(b"/MediaBox [0 0 595") == 3, (
                "A4"
            )
            blanks = await on_paper(page)
            assert len(set(blanks)) == 5 and await cut_off(page) == []
            await expect(page.get_by_role("link", name="工作台")).to_be_hidden()
            for form, stub in blanks:
                assert len(form) == codes.LENGTH and stub.startswith("http://pj.test/t/")
                key = codes.query_key(stub.rpartition("/")[2])
                (found,) = await sql.fetch("SELECT key FROM paper_forms WHERE stub_key = $1", key)
                assert found["key"] == codes.query_key(form)


@pytest.mark.parametrize(("width", "query"), [(390, ""), (390, "?large=1"), (1280, "")])
async def test_nothing_is_cut_off_on_any_screen(
    place: City, live: str, browser: Browser, width: int, query: str
) -> None:
    async with a_page(browser, live, width) as page:
        await sign_in(page, "supervisor", ROOM)
        for room in (ROOM, ENTRY, f"{ROOM}/entered"):
            await page.goto(room + query)
            assert await sideways(page) == 0, room
        await page.goto(ROOM + query)
        await page.get_by_role("button", name="生成空白表").click()
        await expect(page.locator(".blank")).to_have_count(10)
        assert await sideways(page) <= 0


async def test_from_the_printed_form_to_the_stub_by_keyboard_alone(
    place: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live, 1280, java_script_enabled=False) as page:
        await sign_in(page, "supervisor", ROOM)
        await print_by_keyboard(page, 3)
        blanks = await on_paper(page)
    async with a_page(browser, live, 1280, java_script_enabled=False) as page:
        await sign_in(page, "desk", ENTRY)
        for number, (code, keyed) in enumerate(
            zip((form for form, _ in blanks), (("5", "5"), ("1", "2"), ("4", "4")), strict=True)
        ):
            if number:
                await tab_to(page, page.locator(f"#code_{number}"))
            await expect(page.locator(f"#code_{number}")).to_be_focused()
            await page.keyboard.type(code)
            await page.keyboard.press("Enter")  # as every scanner does
            await expect(page.locator(f"#level_{number}")).to_be_focused()
            await expect(page.get_by_text("市民中心 1号窗口")).to_have_count(number + 1)
            await page.keyboard.type(keyed[0])
            await page.keyboard.press("Tab")
            await page.keyboard.type(keyed[1])
        await page.locator("#reasons_1").focus()
        await page.keyboard.type("115")
        await expect_stored(page)
        await expect(page.get_by_text("已录入 2 张")).to_be_visible()
        await expect(page.get_by_role("alert")).to_contain_text("第 2 行：两次录入的满意度不同")
        await expect(page.locator("#again_1")).to_be_focused()
        await expect(page.locator("#reasons_1")).to_have_value("115")
        await page.keyboard.press("Control+A")
        await page.keyboard.type("1")
        await expect_stored(page)
        await expect(page.get_by_text("已录入 1 张")).to_be_visible()
    rows = await sql.fetch("SELECT level FROM reviews ORDER BY at, id")
    assert sorted(row["level"] for row in rows) == [1, 4, 5]
    async with a_page(browser, live, java_script_enabled=False) as page:
        await page.goto("/track")
        await page.get_by_label("查询编码").fill(codes.grouped(blanks[1][1].rpartition("/")[2]))
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("照您填的纸质评价表录入")).to_be_visible()
        await expect(page.get_by_role("heading", name="已转成工单")).to_be_visible()


async def expect_stored(page: Page) -> None:
    await page.get_by_role("button", name="保存这些评价表").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_be_visible()
