"""What the citizen has only when WeChat knows him: his history, claims, notices, his data."""

import asyncio
import json
from datetime import timedelta

import pytest
from factories import City
from httpx import AsyncClient
from mpweb.acts import answered, button, code_shown, given, rate, signed_in, title
from mpweb.conftest import Phone
from playwright.async_api import Page, Route, expect

from server.kit.clock import clock
from server.settings import Settings

pytestmark = pytest.mark.browser


async def to_the_end(page: Page) -> None:
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")


async def test_a_history_of_200_reviews(http: AsyncClient, city: City, phone: Phone) -> None:
    headers = await signed_in(http)
    for n in range(200):
        code, level = await city.code(http), 5 - n % 5
        body = {"level": level, "comment": "排队" if level < 3 else ""}
        answer = await http.post(f"/api/v1/e/{code}/review", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
    await given(http, city, await signed_in(http, "demo:another"))
    page = await phone.open("mine")
    await expect(page.locator("css=.line")).to_have_count(20)
    for reached in range(40, 201, 20):
        await to_the_end(page)
        await expect(page.locator("css=.line")).to_have_count(reached)
    await to_the_end(page)
    await expect(page.get_by_text("没有更多了")).to_be_visible()

    await page.get_by_role("tab", name="办理中").tap()
    await expect(page.locator("css=.line")).to_have_count(20)
    assert await page.locator("css=.line .badge").count() == 20
    await page.get_by_role("tab", name="已办结").tap()
    await expect(page.get_by_text("这里还没有评价")).to_be_visible()


async def test_a_page_of_the_history_that_fails_is_asked_for_again(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    headers = await signed_in(http)
    await asyncio.gather(*[given(http, city, headers) for _ in range(25)])
    page = await phone.open("mine")
    await expect(page.locator("css=.line")).to_have_count(20)

    async def aborted(route: Route) -> None:
        await route.abort()

    await page.route("**/me/reviews*cursor*", aborted)
    await to_the_end(page)
    await expect(page.get_by_role("alert")).to_contain_text("网络不通")
    await expect(page.locator("css=.line")).to_have_count(20)
    await page.unroute("**/me/reviews*cursor*")
    await button(page, "再试一次").tap()
    await expect(page.locator("css=.line")).to_have_count(25)


async def test_from_the_history_to_the_answer(http: AsyncClient, city: City, phone: Phone) -> None:
    taken = await given(http, city, await signed_in(http))
    clock.advanced += timedelta(minutes=11)
    await answered(http, city, taken["work_order"]["number"])
    page = await phone.open("mine")
    await page.get_by_role("link", name="公租房申请，非常不满意，已答复，等您确认").tap()
    await button(page, "满意，可以办结").tap()
    await expect(page.locator("css=.badge >> visible=true")).to_have_text("已办结")


async def test_a_review_from_elsewhere_is_claimed_once(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    taken = await given(http, city)
    page = await phone.open("claim")
    await page.get_by_label("查询编码（16 位）").fill("123")
    await button(page, "认领").tap()
    await expect(page.get_by_role("alert")).to_contain_text("共 16 位")
    await page.get_by_label("查询编码（16 位）").fill(taken["query_code"])
    await button(page, "认领").tap()
    await button(page, "查看我的评价").tap()
    await expect(page.locator("css=.line")).to_have_count(1)
    page = await phone.open("claim", login={"code": "demo:another"})
    await page.evaluate("wx.removeStorageSync('token')")
    await page.get_by_label("查询编码（16 位）").fill(taken["query_code"])
    await button(page, "认领").tap()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(button(page, "认领")).to_be_visible()


async def test_a_review_is_in_the_history_without_a_word_about_logging_in(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.scan(await city.code(http))
    async with page.expect_response("**/api/v1/me/claims"):
        await rate(page, "满意")
    await title(page, "谢谢您的评价")
    page = await phone.open("mine")
    await expect(page.locator("css=.line")).to_have_count(1)


async def test_unticked_it_is_nobodys(http: AsyncClient, city: City, phone: Phone) -> None:
    await signed_in(http)
    page = await phone.open("mine")
    await expect(page.get_by_text("这里还没有评价")).to_be_visible()
    await page.close()
    page = await phone.scan(await city.code(http))
    await page.get_by_role("checkbox", name="记到我的评价").tap()
    await rate(page, "不满意", "排队两小时")
    await title(page, "谢谢您的评价")
    query_code = await code_shown(page)
    mine = (await http.get("/api/v1/me/reviews", headers=await signed_in(http))).json()
    assert mine["items"] == []
    assert (await http.get(f"/api/v1/track/{query_code}")).json()["review"][
        "channel"
    ] != "mini_program"


async def test_news_are_offered_after_the_review_and_granted_by_a_tap(
    http: AsyncClient, city: City, phone: Phone, servers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        servers.wechat_templates, "answered", ("tmpl-answered", {"matter": "thing1"})
    )
    page = await phone.scan(await city.code(http))
    await rate(page, "不满意", "排队两小时")
    async with page.expect_response(
        lambda r: r.request.method == "POST" and "me/grants" in r.url
    ) as told:
        await button(page, "有进展时用微信告诉我").tap()
    assert (await told.value).status == 200
    await expect(page.get_by_text("有进展会用微信告诉您")).to_be_visible()
    grants = (await http.get("/api/v1/me/grants", headers=await signed_in(http))).json()["items"]
    assert {grant["template"]: grant["remaining"] for grant in grants}["answered"] == 1


async def test_the_citizen_takes_his_data_and_is_forgotten(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    taken = await given(http, city, await signed_in(http))
    page = await phone.open("privacy")
    await button(page, "导出我的数据").tap()
    await expect(page.get_by_text(taken["query_code"])).to_be_visible()
    await button(page, "复制").tap()
    exported = json.loads(await page.evaluate("__mp.kept.clipboard"))
    assert [review["query_code"] for review in exported["reviews"]] == [taken["query_code"]]

    await button(page, "删除我的信息").tap()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="取消").tap()
    await expect(page.get_by_text("已经删除")).to_have_count(0)
    await button(page, "删除我的信息").tap()
    await dialog.get_by_role("button", name="删除").tap()
    await expect(page.get_by_text("已经删除")).to_be_visible()
    assert await phone.stored(page) == {}
    page = await phone.open("mine")
    await expect(page.get_by_text("这里还没有评价")).to_be_visible()
    track = await http.get(f"/api/v1/track/{taken['query_code']}")
    assert track.json()["work_order"]["number"] == taken["work_order"]["number"]
