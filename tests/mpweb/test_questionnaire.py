"""The questionnaire in the mini-program: from the thanks and from the progress, once, and only who likes."""

from typing import Any

import pytest
from factories import JOINT_MATTER, LABOUR, City
from httpx import AsyncClient
from mpweb.acts import button, code_shown, peace_is_over, rate, title
from mpweb.conftest import Phone
from mpweb.test_screens import LONG, aborted, look
from playwright.async_api import Page, expect

from server.catalogue import service as catalogue
from server.catalogue.models import Matter
from server.kit import sql

pytestmark = pytest.mark.browser
MORE, SEND = "再回答几个问题（自愿）", "提交回答"


async def thanked(http: AsyncClient, city: City, phone: Phone) -> Page:
    page = await phone.scan(await city.code(http, LABOUR, matter_code=JOINT_MATTER))
    await rate(page, "满意")
    await title(page, "谢谢您的评价")
    return page


async def choose(page: Page, question: str, answer: str) -> None:
    group = page.get_by_role("radiogroup", name=question, exact=True)
    await group.get_by_role("radio", name=answer, exact=True).tap()


async def stored() -> list[Any]:
    rows = await sql.fetch("SELECT answers, comment FROM questionnaire_answers")
    return [(row["answers"], row["comment"]) for row in rows]


async def test_from_the_thanks_to_the_thanks_for_the_answers(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await thanked(http, city, phone)
    await look(page, "thanks-questionnaire")
    query_code = await code_shown(page)
    await button(page, MORE).tap()
    await title(page, "再回答几个问题")
    await expect(page.get_by_text("新居一件事").locator("visible=true")).to_be_visible()
    await look(page, "questionnaire")
    await button(page, SEND).tap()
    await expect(page.get_by_role("alert")).to_have_text("请至少回答一个问题，或写一句话")
    await choose(page, "服务指引是否清晰", "是")
    await choose(page, "材料手续是否精简", "否")
    await choose(page, "操作界面是否友好", "一般")
    await choose(page, "操作界面是否友好", "跳过")
    await page.get_by_label("有何改进意见（可不写，最多 500 字）").fill(LONG[:300])
    await look(page, "questionnaire-filled")
    for _ in range(3):
        await page.evaluate("__mp.stack.at(-1).instance.send()")
    await title(page, "谢谢您的回答")
    await look(page, "questionnaire-answered")
    assert await stored() == [(["yes", "", "no", ""], LONG[:300].strip())]
    assert query_code not in await page.evaluate("location.hash")
    await button(page, "回到我的评价").tap()
    await title(page, "谢谢您的评价")
    await expect(button(page, MORE)).to_have_count(0)


async def test_without_a_network_nothing_that_was_answered_is_lost(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await thanked(http, city, phone)
    await peace_is_over(page)
    await button(page, MORE).tap()
    await choose(page, "办事程序是否便利", "一般")
    await phone.context.route("**/questionnaire", aborted)
    await page.evaluate("__mp.stack.at(-1).instance.send()")
    await expect(page.get_by_role("alert")).to_contain_text("网络不通")
    await look(page, "questionnaire-unsent")
    await phone.context.unroute("**/questionnaire", aborted)
    await button(page, SEND).tap()
    await title(page, "谢谢您的回答")
    assert await stored() == [(["", "fair", "", ""], "")]


async def test_from_the_progress_and_when_the_questions_have_changed(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    query_code = await code_shown(await thanked(http, city, phone))
    page = await phone.open()
    await page.get_by_label("查询编码（16 位）").fill(query_code)
    await button(page, "查询进度").tap()
    await button(page, MORE).tap()
    await choose(page, "服务指引是否清晰", "是")
    await Matter.filter(code=JOINT_MATTER).update(questionnaire="reform")
    await catalogue.load()
    await button(page, SEND).tap()
    await expect(page.get_by_role("alert")).to_contain_text("问卷刚刚改过")
    await choose(page, "申请材料是否精简", "否")
    await button(page, SEND).tap()
    await title(page, "谢谢您的回答")
    await button(page, "回到我的评价").tap()
    await title(page, "您的评价")
    await expect(button(page, MORE)).to_have_count(0)


async def test_a_matter_without_a_questionnaire_is_asked_nothing_and_a_failure_is_told(
    http: AsyncClient, city: City, phone: Phone
) -> None:
    page = await phone.scan(await city.code(http))
    await rate(page, "满意")
    await title(page, "谢谢您的评价")
    await expect(button(page, MORE)).to_have_count(0)
    other = await thanked(http, city, phone)
    await phone.context.route("**/questionnaire", aborted)
    await button(other, MORE).tap()
    await expect(other.get_by_role("alert")).to_be_visible()
    await look(other, "questionnaire-failed")
    await button(other, "回到我的评价").tap()
    await title(other, "谢谢您的评价")
