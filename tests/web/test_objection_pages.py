"""“不是我评的” and “被要求好评” in a real Chromium: no JavaScript, by keyboard, nothing typed is lost."""

from typing import Any

import pytest
from factories import City
from httpx import AsyncClient
from integrity.owner import another, proofs_on
from phones import PHONE
from playwright.async_api import Browser, expect
from web.test_citizen_browser import HOSTILE, a_page

from server.integrity.models import Pressure
from server.reviews.models import Review

pytestmark = pytest.mark.browser


async def a_used_up_slip(http: AsyncClient, city: City) -> str:
    code = await city.code(http)
    assert (await http.post(f"/api/v1/e/{code}/review", json={"level": 5})).status_code == 201
    return code


async def no_hit(page: Any) -> None:
    assert await page.evaluate("window.hit") is None


async def test_the_owner_objects_without_javascript_and_rates(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    code = await a_used_up_slip(http, city)
    async with a_page(browser, live, java_script_enabled=False) as page:
        await page.goto(f"/e/{code}")
        await page.get_by_role("link", name="不是我评的").click()
        phone = page.get_by_label("办事时登记的手机号")
        await phone.fill("138001380")
        await page.get_by_role("button", name="发送验证码").click()
        await expect(page.get_by_role("alert")).to_contain_text("手机号须是 11 位")
        await expect(phone).to_have_value("138001380")
        await phone.fill(PHONE)
        await page.get_by_role("button", name="发送验证码").click()
        (proof,) = await proofs_on()
        field = page.get_by_label("短信里的验证码")
        await field.fill(another(proof))
        await page.get_by_role("button", name="核对，重新评价").click()
        await expect(page.get_by_role("alert")).to_contain_text("还可以试 4 次")
        await expect(field).to_have_value(another(proof))
        await expect(phone).to_have_value(PHONE)
        await page.get_by_role("button", name="重新发送验证码").click()
        await expect(page.get_by_role("alert")).to_contain_text("过一分钟再试")
        await expect(field).to_have_value(another(proof))
        await field.fill(f"{proof[:3]} {proof[3:]}")
        await field.press("Enter")
        await expect(page).to_have_title("评价“公租房申请”")
        assert page.url.rpartition("/")[2] != code
        await page.get_by_role("radio", name="满意", exact=True).check(force=True)
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("heading", name="谢谢您的评价")).to_be_visible()
    states = [row.state for row in await Review.all().order_by("at")]
    assert states == ["suspended", "standing"]


async def test_the_report_by_keyboard_alone_and_its_code_leads_back(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    async with a_page(browser, live, width=1280) as page:
        await page.goto(f"/e/{await city.code(http)}")
        await page.get_by_role("link", name="被要求好评").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="提交").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("请至少选一项")
        box = page.get_by_label("在旁边看着我评")
        await box.focus()
        await page.keyboard.press("Space")
        words = page.get_by_label("经过")
        await words.focus()
        await page.keyboard.type("站在我身后")
        await page.get_by_role("button", name="提交").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("正在核查", exact=True)).to_be_visible()
        code = page.url.rpartition("/")[2]
        await page.goto("/track")
        await page.get_by_label("查询编码").fill(code.lower())
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("在旁边看着我评")).to_be_visible()
    assert (await Pressure.get()).words == "站在我身后"


@pytest.mark.parametrize("width", [390, 1280])
async def test_hostile_words_come_back_as_words_and_nothing_is_cut_off(
    http: AsyncClient, city: City, live: str, browser: Browser, width: int
) -> None:
    code = await a_used_up_slip(http, city)
    async with a_page(browser, live, width=width) as page:
        await page.goto(f"/e/{code}/objection")
        phone = page.get_by_label("办事时登记的手机号")
        await phone.evaluate("(it, value) => { it.maxLength = 999; it.value = value }", HOSTILE)
        await page.get_by_role("button", name="发送验证码").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        assert HOSTILE.strip().startswith(await phone.input_value())
        await no_hit(page)
        await page.goto(f"/e/{code}/pressure?large=1")
        words = page.get_by_label("经过")
        await words.evaluate("(it, v) => { it.maxLength = 9999; it.value = v }", HOSTILE * 3)
        await page.get_by_role("button", name="提交").click()
        await expect(page.get_by_role("alert")).to_contain_text("最多 500 字")
        await expect(words).to_have_value(HOSTILE * 3)
        await no_hit(page)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_second_report_says_that_one_is_there(
    http: AsyncClient, city: City, live: str, browser: Browser
) -> None:
    code = await city.code(http)
    assert (
        await http.post(f"/api/v1/e/{code}/pressure", json={"how": ["asked"]})
    ).status_code == 201
    async with a_page(browser, live) as page:
        await page.goto(f"/e/{code}/pressure")
        await page.get_by_label("当面要求我给好评").check()
        await page.get_by_label("经过").fill("又来催我")
        await page.get_by_role("button", name="提交").click()
        await expect(page.get_by_role("alert")).to_contain_text("已经有人反映过")
        await expect(page.get_by_label("经过")).to_have_value("又来催我")
