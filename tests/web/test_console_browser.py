"""The console in a real browser: by keyboard alone, on narrow and wide screens, under the CSP."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from factories import City, credentials
from playwright.async_api import Browser, Page
from web.console_desk import a_case

from server.kit import sql
from server.kit.clock import clock
from server.workorders import accountability, alerts
from server.workorders.accountability import Why
from server.workorders.models import WorkOrder

pytestmark = pytest.mark.browser
_WIDTHS = (390, 1280)


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Page]:
    """A page of its own; whatever the browser complains of fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    # A refusal is a page, but the browser lists its status too.
    assert [c for c in complaints if "responded with a status of 4" not in c] == []


async def _press(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def _shortcut(page: Page, letter: str) -> None:
    """Alt and a letter, as the keyboard sends it; Playwright's own `press` leaves the letter out."""
    session = await page.context.new_cdp_session(page)
    stroke = {
        "modifiers": 1, "key": letter, "code": f"Key{letter.upper()}", "unmodifiedText": letter,
        "windowsVirtualKeyCode": ord(letter.upper()),
    }  # fmt: skip
    for kind in ("keyDown", "keyUp"):
        await session.send("Input.dispatchKeyEvent", {"type": kind, **stroke})
    await session.detach()


async def _focused(page: Page) -> str:
    """The words, name or address of what has the focus, which the browser also shows."""
    found = await page.evaluate(
        "(e => e === document.body ? ['', ''] :"
        "[e.innerText || e.id || e.name, getComputedStyle(e).outlineStyle])"
        "(document.activeElement)"
    )
    assert found[1] != "none", f"the focus on {found[0]} cannot be seen"
    return str(found[0]).strip()


async def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(40):
        if await _focused(page) == wanted:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {wanted}")


async def _sign_in(page: Page, live: str, username: str = "handler", to: str = "/console") -> None:
    """As a person does: the cursor stands in the first field."""
    await page.goto(f"{live}{to}")
    given = credentials(username)
    await page.wait_for_function("document.activeElement.id === 'username'")
    await page.keyboard.type(given["username"])
    await page.keyboard.press("Tab")
    await page.keyboard.type(given["password"])
    await page.keyboard.press("Tab")
    await page.keyboard.type(given["totp"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{live}{to}")


async def test_from_the_sign_in_to_the_answer_by_keyboard_alone(
    http: httpx.AsyncClient, city: City, live: str, window: Page
) -> None:
    case = await a_case(http, city)
    await _sign_in(window, live)
    await window.keyboard.press("Tab")
    assert await _focused(window) == "跳到正文"
    await _press(window, "Enter")
    await _tab_to(window, case.number)
    await _press(window, "Enter")
    await window.wait_for_url(f"**/console/orders/{case.number}")

    await _tab_to(window, "受理这张工单")
    await _press(window, "Enter")
    await window.wait_for_url("**?done=accept")
    await _tab_to(window, "answer-disposition-fixed")
    await _press(window, "Space", "ArrowDown", "ArrowUp", "Tab")
    assert await _focused(window) == "answer-text"
    await window.keyboard.type("已增开两个窗口")
    await _tab_to(window, "提交答复")
    await _press(window, "Enter")
    await window.wait_for_url("**?done=answer")
    assert "答复已送出" in await window.inner_text("main")
    track = (await http.get(f"/api/v1/track/{case.query_code}")).json()
    assert track["work_order"]["steps"][-1]["words"] == "已增开两个窗口"


async def test_the_shortcuts_of_the_help_lead_where_it_says(
    http: httpx.AsyncClient, city: City, live: str, window: Page
) -> None:
    case = await a_case(http, city)
    await _sign_in(window, live)
    await _shortcut(window, "s")
    assert await _focused(window) == "q"
    await window.keyboard.type(case.number)
    await _press(window, "Enter")
    await window.wait_for_url(f"**q={case.number}")
    await window.click(f"text={case.number} >> nth=-1")
    await window.wait_for_url(f"**/console/orders/{case.number}")
    await _shortcut(window, "a")
    await window.wait_for_url("**?done=accept")
    await _shortcut(window, "t")
    assert await _focused(window) == "answer-text"
    await _shortcut(window, "w")
    await window.wait_for_url(f"{live}/console")
    await _shortcut(window, "h")
    assert await window.locator("details.keys[open]").count() == 1


async def test_a_blank_answer_and_a_preview_bring_the_reader_to_the_place(
    http: httpx.AsyncClient, city: City, live: str, window: Page
) -> None:
    case = await a_case(http, city)
    await _sign_in(window, live, to=f"/console/orders/{case.number}")
    await window.click("text=受理这张工单")
    await window.check("#answer-disposition-explained")
    await window.fill("#answer-text", "  ")
    await window.click("text=提交答复")
    await window.wait_for_selector("#answer-text-fault")
    assert await _focused(window) == "answer-text"
    assert await window.is_checked("#answer-disposition-explained")
    await window.fill("#answer-text", "按规定不能代办")
    await window.click("text=先看群众会读到什么")
    await window.wait_for_selector(".preview")
    box = await window.locator(".preview").bounding_box()
    assert box is not None and 0 <= box["y"] < 800, "the preview is in sight"


async def test_from_the_question_to_the_ruling_by_keyboard_alone(
    http: httpx.AsyncClient, city: City, live: str, window: Page
) -> None:
    """The handler asks and answers; the supervisor takes up what the citizen contests, and rules."""
    case = await a_case(http, city)
    track = f"/api/v1/track/{case.query_code}"
    await _sign_in(window, live)
    await _open_with_enter(window, case.number)
    await _shortcut(window, "a")
    await window.wait_for_url("**?done=accept")
    await _shortcut(window, "o")
    assert await _focused(window) == "请群众补充（停表）"
    await _fill_next(window, "ask-text", "请问是哪天？")
    await _send(window, "发给群众", "ask")
    assert "期限暂停" in await window.inner_text("main")
    await http.post(f"{track}/messages", json={"text": "上周五"})
    await window.reload()
    assert "上周五" in await window.inner_text(".thread")
    await _tab_to(window, "answer-disposition-fixed")
    await _press(window, "Space")
    await _shortcut(window, "t")
    await window.keyboard.type("已增开窗口")
    await _send(window, "提交答复", "answer")
    await window.reload()
    await _tab_to(window, "退出")
    await _press(window, "Enter")
    await window.wait_for_url("**why=bye")
    await http.post(f"{track}/confirmation", json={"satisfied": False, "comment": "没有改"})

    await _sign_in(window, live, "supervisor")
    await _open_with_enter(window, case.number)
    await _shortcut(window, "t")
    await window.keyboard.type("三日内重新答复")
    await _send(window, "督办", "supervise")
    await _tab_to(window, "rule-finding-proper")
    await _press(window, "Space", "ArrowDown")
    await _shortcut(window, "t")
    await window.keyboard.type("窗口至今没有增开")
    await _send(window, "裁定", "rule")
    assert "已裁定" in await window.inner_text("main")
    await _shortcut(window, "k")
    await window.wait_for_url("**/console/accountability")
    await _tab_to(window, "写明后来怎样处理")
    await _press(window, "Enter")
    await _fill_next(window, None, "已约谈")
    await _tab_to(window, "写明")
    await _press(window, "Enter")
    await window.wait_for_url("**?done=follow")


async def _open_with_enter(page: Page, number: str) -> None:
    await _tab_to(page, number)
    await _press(page, "Enter")
    await page.wait_for_url(f"**/console/orders/{number}")


async def _fill_next(page: Page, wanted: str | None, words: str) -> None:
    """Opens what has the focus if it is closed, and types into the field behind it."""
    if not await page.evaluate("document.activeElement.parentElement.open"):
        await _press(page, "Enter")
    await _press(page, "Tab")
    assert wanted is None or await _focused(page) == wanted
    await page.keyboard.type(words)


async def _send(page: Page, button: str, act: str) -> None:
    await _tab_to(page, button)
    await _press(page, "Enter")
    await page.wait_for_url(f"**?done={act}")


async def test_on_paper_stands_the_order_and_no_form_and_nobodys_name(
    http: httpx.AsyncClient, city: City, live: str, window: Page
) -> None:
    contact = {"name": "欧阳锋利", "phone": "13911112222"}
    case = await a_case(
        http, city, review={"real_name": True, "contact": contact}, case_number="9" * 50
    )
    await _sign_in(window, live, to=f"/console/orders/{case.number}")
    await window.click("text=受理这张工单")
    await window.wait_for_url("**?done=accept")
    await window.click("summary:has-text('查看群众身份')")
    await window.fill("#reveal-reason", "核实")
    await window.click("text=登记事由并查看")
    await window.wait_for_selector(".person")
    assert "13911112222" in await window.inner_text("main")
    await _fits(window, "the person")
    await window.emulate_media(media="print")
    paper = await window.inner_text("body")
    assert "13911112222" not in paper and "欧阳锋利" not in paper
    assert case.number in paper and "排队两小时" in paper and "办理经过" in paper
    for what in ("提交答复", "其他处理", "给群众的话", "键盘操作", "工作台\n"):
        assert what not in paper, what


async def test_no_page_scrolls_sideways(
    http: httpx.AsyncClient, city: City, live: str, window: Page
) -> None:
    long_word = "https-" + "很长" * 60 + "x" * 200
    case = await a_case(http, city, review={"comment": long_word})
    late = await a_case(http, city)
    await sql.fetch(
        "UPDATE work_orders SET next_due_at = $1 WHERE number = $2",
        clock.now() - timedelta(days=400),
        late.number,
    )
    await window.goto(f"{live}/console/login")
    await _fits(window, "login")
    await _sign_in(window, live)
    pages = ["/console", "/console?show=all", "/console?q=x", f"/console/orders/{case.number}"]
    await _all_fit(
        window,
        live,
        [*pages, f"/console/orders/{late.number}", "/console/orders/x", "/console/audit"],
    )
    await http.post(f"/api/v1/track/{case.query_code}/messages", json={"text": "y" * 300})
    member = await sql.fetch_one("SELECT id FROM staff WHERE username = 'supervisor'")
    assert member
    await alerts.tell([member["id"]], "urge", "z" * 300, clock.now(), order=case.number)
    order = await WorkOrder.get(number=case.number)
    await accountability.add(order, Why.OVERDUE, clock.now(), words="w" * 300)
    await window.context.clear_cookies()
    await window.goto(f"{live}/console/login?large=0")
    await _sign_in(window, live, "supervisor")
    rooms = ["/console", "/console?show=verify", "/console/accountability"]
    await _all_fit(window, live, [*rooms, f"/console/orders/{case.number}"])


async def _all_fit(window: Page, live: str, pages: list[str]) -> None:
    for page in pages:
        for large in (0, 1):
            await window.goto(f"{live}{page}{'&' if '?' in page else '?'}large={large}")
            await window.evaluate(
                "document.querySelectorAll('details').forEach(d => d.open = true)"
            )
            await _fits(window, page)


async def _fits(window: Page, name: str) -> None:
    for width in _WIDTHS:
        await window.set_viewport_size({"width": width, "height": 800})
        wide = await window.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, (name, width, wide)


async def test_everything_works_with_scripts_turned_off(
    http: httpx.AsyncClient, city: City, live: str, browser: Browser
) -> None:
    case = await a_case(http, city)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{live}/console/orders/{case.number}")
    for name, value in credentials("handler").items():
        await page.fill(f"#{name}", value)
    await page.press("#totp", "Enter")
    await page.click("text=受理这张工单")
    await page.check("#answer-disposition-fixed")
    await page.fill("#answer-text", "已改")
    await page.click("text=提交答复")
    await page.wait_for_url("**?done=answer")
    await page.click("text=退出")
    await page.wait_for_url("**/console/login?why=bye")
    await context.close()
    track = (await http.get(f"/api/v1/track/{case.query_code}")).json()
    assert track["awaiting_you"] == "confirmation"
