"""“不是我评的” and “被要求好评” in the mini-program."""

import asyncio

import pytest
from factories import City
from httpx import AsyncClient
from integrity.owner import another, proofs_on
from mpweb.acts import button, code_shown, level, rate, title, type_comment
from mpweb.conftest import Phone
from mpweb.test_screens import LONG, aborted, look
from phones import PHONE
from playwright.async_api import Page, expect

from server.integrity.models import Pressure, Suspicion
from server.reviews.models import Review

pytestmark = pytest.mark.browser
PRESSED = "被要求好评"


async def a_used_up_slip(http: AsyncClient, city: City) -> str:
    code = await city.code(http)
    assert (await http.post(f"/api/v1/e/{code}/review", json={"level": 5})).status_code == 201
    return code


async def follow(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name, exact=True).locator("visible=true").tap()


async def tick(page: Page, name: str) -> None:
    box = page.get_by_role("checkbox", name=name, exact=True).locator("visible=true")
    await box.tap()
    await expect(box).to_have_attribute("aria-checked", "true")


async def sent_proofs(many: int) -> list[str]:
    for _ in range(100):
        if len(found := await proofs_on()) >= many:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("no code was sent")


async def test_the_owner_of_a_used_up_slip_proves_himself_and_rates(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.scan(await a_used_up_slip(http, city))
    await title(page, "这次服务已经评价过了")
    await look(page, "review-reviewed-not-mine")
    await button(page, "不是我评的").tap()
    await title(page, "不是我评的")
    await look(page, "objection")
    await button(page, "发送验证码").tap()
    await expect(page.get_by_role("alert")).to_contain_text("《隐私说明》")
    await button(page, "我看过了，同意").tap()
    number = page.get_by_label("办事时登记的手机号")
    await number.fill("138")
    await button(page, "发送验证码").tap()
    await expect(page.get_by_role("alert")).to_contain_text("手机号须是 11 位")
    await number.fill(PHONE)
    await button(page, "发送验证码").tap()
    (proof,) = await sent_proofs(1)
    field = page.get_by_label("短信里的验证码（6 位数字）")
    await field.fill(another(proof))
    await button(page, "核对，重新评价").tap()
    await expect(page.get_by_role("alert")).to_contain_text("还可以试 4 次")
    await look(page, "objection-wrong")
    await expect(field).to_have_value(another(proof))
    await phone.context.route("**/objection", aborted)
    await field.fill(proof)
    await button(page, "核对，重新评价").tap()
    await expect(page.get_by_role("alert")).to_contain_text("网络不通")
    await expect(field).to_have_value(proof)
    await phone.context.unroute("**/objection", aborted)
    await button(page, "核对，重新评价").tap()
    await title(page, "请评价这次服务")
    await rate(page, "非常不满意", "是窗口的人自己按的五星")
    await title(page, "谢谢您的评价")
    reviews = await Review.all().order_by("at")
    assert [(one.level, one.state) for one in reviews] == [(5, "suspended"), (1, "standing")]
    assert (await Suspicion.get()).rule == "objected"


async def test_from_the_form_to_the_report_and_back_to_it_by_its_code(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.scan(await city.code(http))
    await title(page, "请评价这次服务")
    await follow(page, PRESSED)
    await title(page, PRESSED)
    await button(page, "提交").tap()
    await expect(page.get_by_role("alert")).to_have_text("请至少选一项，或写下经过")
    await tick(page, "当面要求我给好评")
    await tick(page, "说不给好评就难办")
    await type_comment(page, LONG[:300])
    await look(page, "pressure")
    await phone.context.route("**/pressure", aborted)
    await button(page, "提交").tap()
    await expect(page.get_by_role("alert")).to_contain_text("网络不通")
    await phone.context.unroute("**/pressure", aborted)
    for _ in range(3):
        await page.evaluate("__mp.stack.at(-1).instance.send && __mp.stack.at(-1).instance.send()")
    await expect(page.get_by_text("正在核查", exact=True)).to_be_visible()
    await look(page, "pressure-followed")
    code = await code_shown(page)
    assert code not in await page.evaluate("location.hash")
    pressure = await Pressure.get()
    assert pressure.how == ["asked", "threat"]
    await page.locator("css=#nav-back").tap()
    await title(page, "请评价这次服务")
    await expect(level(page, "满意")).to_be_visible()

    again = await phone.open()
    await again.get_by_label("查询编码（16 位）").fill(code.lower())
    await button(again, "查询进度").tap()
    await expect(again.get_by_text("正在核查", exact=True)).to_be_visible()
    await Suspicion.all().update(state="cleared", decided_at=pressure.at, decided_by=1)
    again = await phone.open()
    await again.get_by_label("查询编码（16 位）").fill(code)
    await button(again, "查询进度").tap()
    await expect(again.get_by_text("已核查", exact=True)).to_be_visible()
    await look(again, "pressure-checked")


async def test_from_the_thanks_and_from_the_progress(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.scan(await city.code(http))
    await rate(page, "满意")
    await title(page, "谢谢您的评价")
    query_code = await code_shown(page)
    await follow(page, PRESSED)
    await tick(page, "在旁边看着我评")
    await button(page, "提交").tap()
    await expect(page.get_by_text("正在核查", exact=True)).to_be_visible()
    assert (await Suspicion.get()).review_id == (await Review.get()).id
    other = await phone.open()
    await other.get_by_label("查询编码（16 位）").fill(query_code)
    await button(other, "查询进度").tap()
    await title(other, "您的评价")
    await follow(other, PRESSED)
    await tick(other, "用好处换好评")
    await button(other, "提交").tap()
    await expect(other.get_by_role("alert")).to_contain_text("已经有人反映过")
    await look(other, "pressure-again")
    await expect(
        other.get_by_role("checkbox", name="用好处换好评").locator("visible=true")
    ).to_have_attribute("aria-checked", "true")
