"""What a citizen does on the phone, and what an agency does meanwhile."""

from datetime import timedelta
from typing import Any

from factories import City, a_bad_review
from httpx import AsyncClient
from playwright.async_api import Locator, Page, expect

from server.kit.clock import clock

ANSWER = {"disposition": "fixed", "text": "已增开两个窗口，向您致歉。"}


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True).locator("visible=true")


def level(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name, exact=True).locator("visible=true")


async def title(page: Page, text: str) -> None:
    await expect(page.locator("css=.title >> visible=true")).to_have_text(text)


async def type_comment(page: Page, text: str) -> None:
    await page.locator("css=textarea >> visible=true").fill(text)


async def rate(page: Page, name: str = "非常满意", comment: str = "") -> None:
    """As far as the thanks, or as far as it goes."""
    await level(page, name).tap()
    if comment:
        await type_comment(page, comment)
    await button(page, "提交评价").tap()
    if name.endswith("不满意"):
        await button(page, "确认提交").tap()


async def given(http: AsyncClient, city: City, headers: Any = None, **changed: Any) -> Any:
    """A bad review from elsewhere."""
    answer = await http.post(
        f"/api/v1/e/{await city.code(http)}/review", json=a_bad_review(**changed), headers=headers
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def signed_in(http: AsyncClient, code: str = "demo:somebody") -> dict[str, str]:
    answer = await http.post("/api/v1/wechat/login", json={"code": code})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def peace_is_over(*pages: Page) -> None:
    """The time to undo has passed, here and on the phones."""
    clock.advanced += timedelta(minutes=11)
    for page in pages:
        await page.clock.set_fixed_time(clock.now())


async def answered(http: AsyncClient, city: City, number: str) -> None:
    handler = await city.staff(http, "handler")
    for move, body in (("accept", {}), ("answer", ANSWER)):
        done = await http.post(f"/api/v1/work-orders/{number}/{move}", json=body, headers=handler)
        assert done.status_code == 200, done.text


async def code_shown(page: Page) -> str:
    shown = await page.locator("css=.code >> visible=true").inner_text()
    return "".join(shown.split())
