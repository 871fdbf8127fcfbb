"""Stories of a citizen with the mini-program, clicked through as it is shipped."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from factories import City
from httpx import AsyncClient
from mpweb.acts import (
    answered,
    button,
    code_shown,
    given,
    level,
    peace_is_over,
    rate,
    title,
    type_comment,
)
from mpweb.conftest import Phone
from playwright.async_api import expect

from server.kit import sql
from server.kit.clock import clock

pytestmark = pytest.mark.browser


async def test_from_the_slip_to_not_content(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await phone.scan(await city.code(http))
    await expect(page.get_by_text("公租房申请")).to_be_visible()
    await level(page, "不满意").tap()
    await button(page, "提交评价").tap()
    await expect(page.get_by_role("alert")).to_have_text(
        "不满意的评价，请至少选择一个原因，或写下原因"
    )
    await page.get_by_role("checkbox", name="原因213").tap()
    await page.get_by_role("button", name="更多原因").tap()
    await page.get_by_role("checkbox", name="原因219").tap()
    await button(page, "提交评价").tap()
    await title(page, "请确认您的评价")
    await expect(page.get_by_text("原因213；原因219")).to_be_visible()
    await button(page, "确认提交").tap()
    await title(page, "谢谢您的评价")
    query_code = await code_shown(page)
    order = (await http.get(f"/api/v1/track/{query_code}")).json()["work_order"]
    await expect(page.get_by_text(order["number"])).to_be_visible()

    await peace_is_over(page)
    await button(page, "查看办理进度").tap()
    await expect(page.get_by_text("等待部门受理")).to_be_visible()
    await answered(http, city, order["number"])
    await page.get_by_role("button", name="返回").tap()
    await button(page, "查看办理进度").tap()
    await expect(page.get_by_text("已增开两个窗口，向您致歉。").first).to_be_visible()
    await button(page, "不满意，请上级督办").tap()
    await expect(page.get_by_role("alert")).to_have_text("不满意，请写下哪里没有解决")
    await page.get_by_label("想说的话（不满意时必填）").fill("还是要排两个小时")
    await button(page, "不满意，请上级督办").tap()
    await expect(page.get_by_text("您不认可，等待督办")).to_be_visible()
    after = (await http.get(f"/api/v1/track/{query_code}")).json()["work_order"]
    assert after["state"] == "contested"
    assert after["steps"][-1]["words"] == "还是要排两个小时"


async def test_content_closes_the_order(http: AsyncClient, city: City, phone: Phone) -> None:
    taken = await given(http, city)
    clock.advanced += timedelta(minutes=11)
    await answered(http, city, taken["work_order"]["number"])
    page = await phone.open()
    await page.get_by_label("查询编码（16 位）").fill(taken["query_code"].lower().replace("0", "o"))
    await button(page, "查询进度").tap()
    await button(page, "满意，可以办结").tap()
    await expect(page.get_by_text("已办结", exact=True)).to_be_visible()


async def test_a_good_review_takes_two_taps_and_no_login(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    code = await city.code(http)
    page = await phone.scan(code)
    await page.get_by_role("checkbox", name="记到我的评价").tap()
    await rate(page, "非常满意")
    await title(page, "谢谢您的评价")
    assert await phone.calls(page, "login") == []
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "reviewed"
    assert not any(key.startswith("mp:draft") for key in await phone.stored(page))


async def test_undone_and_given_again(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await phone.scan(await city.code(http))
    await rate(page, "非常不满意", "排队两小时")
    await button(page, "撤回这次评价").tap()
    await title(page, "评价已经撤回")
    await button(page, "重新评价").tap()
    await rate(page, "满意")
    await title(page, "谢谢您的评价")
    await button(page, "撤回这次评价").tap()
    await expect(page.get_by_role("alert")).to_have_text("每次服务只能撤回一次评价")


async def test_a_name_is_asked_only_after_the_agreement(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.scan(await city.code(http, applicant={"kind": 1}))
    await level(page, "不满意").tap()
    await type_comment(page, "窗口没人")
    await page.get_by_role("radio", name="实名").tap()
    await expect(page.get_by_label("手机号")).to_have_count(0)
    await button(page, "提交评价").tap()
    await expect(page.get_by_role("alert")).to_contain_text("请先看《隐私说明》并同意")
    await button(page, "我看过了，同意").tap()
    await button(page, "提交评价").tap()
    await button(page, "确认提交").tap()
    await expect(page.get_by_role("alert")).to_have_text("实名评价需要留下手机号")
    await page.get_by_label("姓名（可不填）").fill("王小明")
    await page.get_by_label("手机号").fill("13900139000")
    await button(page, "提交评价").tap()
    await expect(page.get_by_text("实名，王小明，13900139000")).to_be_visible()
    await button(page, "确认提交").tap()
    await title(page, "谢谢您的评价")
    kept = str(await phone.stored(page))
    assert "王小明" not in kept and "13900139000" not in kept


async def test_a_supplement_is_given_once(http: AsyncClient, city: City, phone: Phone) -> None:
    taken = await given(http, city)
    page = await phone.open()
    await peace_is_over(page)
    await page.get_by_label("查询编码（16 位）").fill(taken["query_code"])
    await button(page, "查询进度").tap()
    await button(page, "提交补充").tap()
    await expect(page.get_by_role("alert")).to_have_text("请填写内容")
    await page.get_by_label("补充说明（只能补充一次）").fill("当天有三个人在聊天")
    await button(page, "提交补充").tap()
    await expect(page.get_by_text("当天有三个人在聊天").first).to_be_visible()
    await expect(button(page, "提交补充")).to_have_count(0)


async def test_every_way_in_leads_to_the_form(http: AsyncClient, city: City, phone: Phone) -> None:
    code = await city.code(http)
    for page in (
        await phone.scan(code),
        await phone.open("scan", f"scene={quote(code, safe='')}"),
    ):
        await title(page, "请评价这次服务")
    page = await phone.open(scanCode={"result": f"https://pj.example.gov.cn/e/{code}"})
    await button(page, "扫回执上的二维码").tap()
    await title(page, "请评价这次服务")
    address = await page.evaluate("location.hash")
    assert code not in address, "WeChat counts addresses"


async def test_what_is_not_ours_is_told(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await phone.open(scanCode={"result": "https://example.com/menu"})
    await button(page, "扫回执上的二维码").tap()
    await expect(page.get_by_role("alert")).to_have_text("这不是办事回执上的评价二维码")
    await page.get_by_label("查询编码（16 位）").fill("ABC")
    await button(page, "查询进度").tap()
    await expect(page.get_by_role("alert")).to_contain_text("没有找到这个查询编码")
    page = await phone.scan("0" * 25)
    await expect(page.get_by_role("alert")).to_contain_text("没有找到这张回执")
    page = await phone.open()
    await page.get_by_label("查询编码（16 位）").fill("0" * 16)
    await button(page, "查询进度").tap()
    await expect(page.get_by_role("alert")).to_contain_text("没有找到这个查询编码")


async def test_used_up_and_closed_receipts_say_so(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    used, late = await city.code(http), await city.code(http)
    await http.post(f"/api/v1/e/{used}/review", json={"level": 5})
    await title(await phone.scan(used), "这次服务已经评价过了")
    open_page = await phone.scan(late)
    await title(open_page, "请评价这次服务")
    clock.advanced += timedelta(days=8)
    await title(await phone.scan(late), "这次服务的评价已经结束")
    await rate(open_page, "满意")
    await title(open_page, "这次服务的评价已经结束")


async def test_two_taps_are_one_review(http: AsyncClient, city: City, phone: Phone) -> None:
    page = await phone.scan(await city.code(http))
    await level(page, "满意").tap()
    await page.evaluate("for (let n = 0; n < 3; n += 1) __mp.stack[0].instance.press()")
    await title(page, "谢谢您的评价")
    (row,) = await sql.fetch("SELECT count(*) AS n FROM reviews")
    assert row["n"] == 1


async def test_large_type_follows_the_system_and_the_citizen(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    code = await city.code(http)
    size = "parseFloat(getComputedStyle(__mp.stack[0].element.querySelector('[class*=heading]')).fontSize)"
    page = await phone.scan(code)
    await title(page, "请评价这次服务")
    normal = await page.evaluate(size)
    await page.close()
    page = await phone.scan(code, getAppBaseInfo={"fontSizeScaleFactor": 1.4})
    await title(page, "请评价这次服务")
    assert await page.evaluate(size) >= normal * 1.3
    await type_comment(page, "写到一半")
    await page.get_by_role("button", name="标准模式").tap()
    assert await page.evaluate(size) == normal
    assert await page.locator("textarea").input_value() == "写到一半"
    await page.close()
    page = await phone.scan(code, getAppBaseInfo={"fontSizeScaleFactor": 1.4})
    await expect(page.get_by_role("button", name="关怀模式")).to_be_visible()
    page = await phone.open("about", getAppBaseInfo={"fontSizeScaleFactor": 1.4})
    await page.get_by_role("radio", name="跟随微信的字体大小").tap()
    assert await page.evaluate(size) >= normal * 1.3
