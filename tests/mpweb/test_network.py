"""What goes wrong on the way, and that nothing which was typed is lost by it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from factories import City
from httpx import AsyncClient
from mpweb.acts import (
    answered,
    button,
    code_shown,
    given,
    level,
    rate,
    signed_in,
    title,
    type_comment,
)
from mpweb.conftest import Phone
from playwright.async_api import Page, Route, expect

from server.kit import sql
from server.kit.clock import clock

pytestmark = pytest.mark.browser
LOGIN, REVIEW = "**/api/v1/wechat/login", "**/api/v1/e/*/review"


async def reviews() -> int:
    (row,) = await sql.fetch("SELECT count(*) AS n FROM reviews")
    return int(row["n"])


async def aborted(route: Route) -> None:
    await route.abort()


async def swallowed(route: Route) -> None:
    """The server has it; the answer never arrives."""
    await route.fetch()
    await route.abort()


def answering(status: int, **problem: Any) -> Callable[[Route], Any]:
    async def answer(route: Route) -> None:
        await route.fulfill(status=status, json=problem)

    return answer


async def network(page: Page, *, on: bool) -> None:
    await page.evaluate(f"dispatchEvent(new Event('{'online' if on else 'offline'}'))")


async def test_a_form_that_did_not_load_is_asked_for_again(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route("**/api/v1/e/*", aborted)
    page = await phone.scan(await city.code(http))
    await expect(page.get_by_role("alert")).to_contain_text("网络不通，请检查网络后再试")
    await phone.context.unroute("**/api/v1/e/*")
    await button(page, "再试一次").tap()
    await title(page, "请评价这次服务")


async def test_and_by_itself_once_the_network_is_back(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route("**/api/v1/e/*", aborted)
    page = await phone.scan(await city.code(http))
    await expect(page.get_by_role("alert")).to_be_visible()
    await phone.context.unroute("**/api/v1/e/*")
    await network(page, on=True)
    await title(page, "请评价这次服务")


async def test_one_lost_call_is_not_noticed(http: AsyncClient, city: City, phone: Phone) -> None:
    await phone.context.route("**/api/v1/e/*", aborted, times=2)
    await phone.context.route(REVIEW, aborted, times=2)
    page = await phone.scan(await city.code(http))
    await rate(page)
    await title(page, "谢谢您的评价")


async def test_what_was_pressed_is_sent_when_the_network_is_back(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route(REVIEW, aborted)
    page = await phone.scan(await city.code(http))
    await rate(page, "不满意", "排队两小时")
    await title(page, "评价还没有发出去")
    await expect(page.get_by_text("内容已存在这部手机里")).to_be_visible()
    await phone.context.unroute(REVIEW)
    await network(page, on=True)
    await title(page, "谢谢您的评价")
    assert await reviews() == 1


async def test_a_draft_survives_a_restart(http: AsyncClient, city: City, phone: Phone) -> None:
    code = await city.code(http)
    page = await phone.scan(code)
    await level(page, "不满意").tap()
    await page.get_by_role("checkbox", name="原因214").tap()
    await type_comment(page, "写到一半")
    await page.close()
    page = await phone.scan(code)
    await expect(level(page, "不满意")).to_have_attribute("aria-checked", "true")
    await expect(page.get_by_role("checkbox", name="原因214")).to_have_attribute(
        "aria-checked", "true"
    )
    assert await page.locator("textarea").input_value() == "写到一半"
    await button(page, "提交评价").tap()
    await button(page, "确认提交").tap()
    await title(page, "谢谢您的评价")


async def test_what_was_pressed_is_sent_after_a_restart(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route(REVIEW, aborted)
    code = await city.code(http)
    page = await phone.scan(code)
    await rate(page, "不满意", "排队两小时")
    await title(page, "评价还没有发出去")
    await page.close()
    page = await phone.open()
    await expect(page.get_by_text("有 1 条评价还没有发出去")).to_be_visible()
    await phone.context.unroute(REVIEW)
    await button(page, "现在再试").tap()
    await expect(page.get_by_text("还没有发出去")).to_have_count(0)
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "reviewed"


async def test_an_answer_that_was_lost_is_fetched_by_its_key(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route(REVIEW, swallowed, times=3)
    page = await phone.scan(await city.code(http))
    await rate(page, "不满意", "排队两小时")
    await title(page, "评价还没有发出去")
    await button(page, "再试一次").tap()
    await title(page, "谢谢您的评价")
    assert await reviews() == 1


async def test_changed_words_after_a_lost_answer_still_lead_to_the_query_code(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route(REVIEW, swallowed, times=3)
    page = await phone.scan(await city.code(http))
    await rate(page, "不满意", "排队两小时")
    await title(page, "评价还没有发出去")
    await button(page, "返回修改").tap()
    await type_comment(page, "排队三小时")
    await button(page, "提交评价").tap()
    await button(page, "确认提交").tap()
    await title(page, "谢谢您的评价")
    track = (await http.get(f"/api/v1/track/{await code_shown(page)}")).json()
    assert track["review"]["comment"] == "排队两小时"
    assert await reviews() == 1


async def test_a_verdict_whose_answer_was_lost_is_pressed_again(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    taken = await given(http, city)
    clock.advanced += timedelta(minutes=11)
    await answered(http, city, taken["work_order"]["number"])
    page = await phone.open()
    await page.get_by_label("查询编码（16 位）").fill(taken["query_code"])
    await button(page, "查询进度").tap()
    await page.route("**/confirmation", swallowed, times=3)
    await button(page, "满意，可以办结").tap()
    await expect(page.get_by_role("alert")).to_contain_text("网络不通")
    await button(page, "满意，可以办结").tap()
    await expect(page.locator("css=.badge >> visible=true")).to_have_text("已办结")


async def test_a_refused_draft_is_not_sent_for_ever(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    await phone.context.route(REVIEW, answering(422, detail="填写的内容有误", code="invalid"))
    code = await city.code(http)
    page = await phone.scan(code)
    await rate(page)
    await expect(page.get_by_role("alert")).to_have_text("填写的内容有误")
    await phone.context.unroute(REVIEW)
    await network(page, on=True)
    await page.wait_for_timeout(300)
    assert await reviews() == 0


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (503, "系统暂时繁忙，请稍后再试；没有任何内容丢失"),
        (500, "这是我们的问题，不是您的。请稍后再试"),
    ],
    ids=["busy", "broken"],
)
async def test_a_server_in_trouble_is_told_plainly(
    http: AsyncClient, city: City, phone: Phone, status: int, told: str
) -> None:
    await phone.context.route("**/api/v1/e/*", answering(status, detail="Traceback"))
    page = await phone.scan(await city.code(http))
    await expect(page.get_by_role("alert")).to_contain_text(told)
    await expect(page.get_by_text("Traceback")).to_have_count(0)


async def test_a_server_that_does_not_answer_is_given_up(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.open()
    await page.evaluate("__mp.kept.timeout = 200")

    async def silent(route: Route) -> None:
        await asyncio.sleep(1)
        await route.abort()

    await page.route("**/api/v1/track/*", silent)
    await page.get_by_label("查询编码（16 位）").fill("0" * 16)
    await button(page, "查询进度").tap()
    await expect(page.get_by_role("alert")).to_contain_text("网络太慢，没有等到回音")
    await page.unroute("**/api/v1/track/*", silent)


async def test_three_calls_with_an_expired_token_log_in_once(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.open("mine")
    await expect(page.get_by_text("这里还没有评价")).to_be_visible()
    seen: list[tuple[str, int]] = []
    page.on("response", lambda r: seen.append((r.url.partition("/api/v1/")[2], r.status)))
    await page.evaluate("wx.setStorageSync('token', 'expired')")
    await page.evaluate("Promise.all([1, 2, 3].map(() => __mp.stack[0].instance.load()))")
    refused = [url for url, status in seen if status == 401]
    assert len(refused) == 3
    assert [status for url, status in seen if url == "wechat/login"] == [200]
    assert len([url for url, status in seen if "me/reviews" in url and status == 200]) == 3


async def test_rating_never_waits_for_the_login(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    async def never(route: Route) -> None:
        await asyncio.sleep(4)
        await route.abort()

    await phone.context.route(LOGIN, never)
    page = await phone.scan(await city.code(http))
    await rate(page)
    await title(page, "谢谢您的评价")
    await phone.context.unroute(LOGIN, never)


async def test_a_review_given_with_an_expired_token_is_kept_and_claimed_afterwards(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.open()
    await page.evaluate("wx.setStorageSync('token', 'expired')")
    await page.close()
    page = await phone.scan(await city.code(http))
    async with page.expect_response("**/api/v1/me/claims") as claimed:
        await rate(page, "不满意", "排队两小时")
    while (await claimed.value).status == 401:
        async with page.expect_response("**/api/v1/me/claims") as claimed:
            pass
    await title(page, "谢谢您的评价")
    query_code = await code_shown(page)
    mine = await http.get("/api/v1/me/reviews", headers=await signed_in(http))
    assert [item["query_code"] for item in mine.json()["items"]] == [query_code]


async def test_a_login_that_fails_is_told_where_it_is_needed(city: City, phone: Phone) -> None:
    await phone.context.route(
        LOGIN, answering(503, code="wechat_unavailable", detail="微信暂时没有回应")
    )
    page = await phone.open("mine")
    await expect(page.get_by_role("alert")).to_contain_text("微信暂时没有回应")
    await phone.context.unroute(LOGIN)
    await button(page, "再试一次").tap()
    await expect(page.get_by_text("这里还没有评价")).to_be_visible()
