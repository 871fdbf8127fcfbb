"""The track page of one who talks with the agency, judges two parties, or is called back."""

from datetime import timedelta
from pathlib import Path

import pytest
from factories import DESK, HOUSING, City
from httpx import AsyncClient
from kit.calls import Scene
from playwright.async_api import Browser, expect

from server.kit import sql
from server.kit.clock import clock

SHOTS = Path(__file__).parents[2] / "screenshots" / "track"


@pytest.fixture
async def scene(http: AsyncClient, city: City) -> Scene:
    http.cookies.clear()
    return Scene(http, city)


async def asked(scene: Scene) -> tuple[str, dict[str, str]]:
    """The page of an order whose agency has asked something."""
    taken = await scene.order("accept", "ask")
    return f"/t/{taken['query_code']}", taken


async def drawn(scene: Scene) -> str:
    """The page of a satisfied one who was drawn."""
    _, taken = await scene.rated(level=5, tags=[], comment="")
    clock.advanced += timedelta(minutes=11)
    await sql.fetch(
        "INSERT INTO call_backs (id, region_code, agency_code, review_id, kind, state, made_at, due_at) "
        "SELECT id, region_code, $1, id, 'sample', 'waiting', at, at + interval '5 days' FROM reviews",
        HOUSING,
    )
    return f"/t/{taken['query_code']}"


async def test_the_question_is_answered_on_the_page_without_scripts(scene: Scene) -> None:
    path, _ = await asked(scene)
    page = (await scene.http.get(path)).text
    assert "请问是哪个窗口？" in page and "回答部门的问题" in page and "前等您回复" in page
    sent = await scene.http.post(f"{path}/messages", data={"text": "三号窗口，电话13900139000"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}#talk")
    page = (await scene.http.get(path)).text
    assert "三号窗口，电话▇▇" in page and "13900139000" not in page and "给部门留言" in page


async def test_what_was_refused_stays_in_the_box_and_twice_pressed_is_said_once(
    scene: Scene,
) -> None:
    path, _ = await asked(scene)
    blank = await scene.http.post(f"{path}/messages", data={"text": "  "})
    assert blank.status_code == 422 and '<a href="#text">请写下要告诉部门的话' in blank.text
    endless = await scene.http.post(f"{path}/messages", data={"text": "长" * 501})
    assert endless.status_code == 422 and "长" * 501 in endless.text
    for _ in range(2):
        sent = await scene.http.post(f"{path}/messages", data={"text": "三号窗口"})
        assert sent.status_code == 303
    rows = await sql.fetch("SELECT 1 FROM work_order_steps WHERE words = '三号窗口'")
    assert len(rows) == 1


async def test_an_order_that_has_ended_shows_the_talk_and_no_box(scene: Scene) -> None:
    taken = await scene.order("accept")
    path = f"/t/{taken['query_code']}"
    await scene.http.post(f"{path}/messages", data={"text": "是上午"})
    for move in ("answer", "confirm"):
        await scene.move(taken, move)
    page = (await scene.http.get(path)).text
    assert "和部门的对话" in page and "是上午" in page
    assert f'action="{path}/messages"' not in page
    late = await scene.http.post(f"{path}/messages", data={"text": "还有"})
    assert late.status_code == 409 and "已办结" in late.text


async def test_both_are_judged_in_one_form(scene: Scene) -> None:
    taken = await scene.order("accept", "answer")
    path = f"/t/{taken['query_code']}"
    assert "先接待您的" not in (await scene.http.get(path)).text
    await sql.fetch("UPDATE work_orders SET desk_agency_code = $1", DESK)
    assert "先接待您的大厅综合服务台" in (await scene.http.get(path)).text
    done = await scene.http.post(f"{path}/confirmation", data={"satisfied": "1", "desk": "0"})
    assert done.status_code == 303
    rows = await sql.fetch("SELECT about, satisfied FROM opinions ORDER BY about")
    assert [tuple(row) for row in rows] == [("agency", True), ("desk", False)]


async def test_a_drawn_one_answers_on_his_page(scene: Scene) -> None:
    path = await drawn(scene)
    page = (await scene.http.get(path)).text
    assert "这次服务您确实满意吗" in page and "您原来的评价不变" in page
    unsaid = await scene.http.post(f"{path}/call-back", data={"said": "没有按按钮"})
    assert unsaid.status_code == 422
    for _ in range(2):
        no = await scene.http.post(f"{path}/call-back", data={"satisfied": "0", "said": "没办成"})
        assert no.status_code == 303
    page = (await scene.http.get(path)).text
    assert "您在回访中表示不满意" in page and "这次服务您确实满意吗" not in page
    assert len(await sql.fetch("SELECT 1 FROM work_orders WHERE origin = 'sample'")) == 1


async def test_who_was_merged_reads_the_answer_of_the_other_and_not_its_citizen(
    scene: Scene,
) -> None:
    kept, gone = await scene.order("accept"), await scene.order("accept")
    path, headers = f"/api/v1/track/{kept['query_code']}/messages", await scene.staff("lead")
    await scene.http.post(path, json={"text": "另一个人的话"})
    merged = await scene.http.post(
        f"/api/v1/work-orders/{gone['number']}/merge", json={"into": kept["number"]},
        headers=headers,
    )  # fmt: skip
    assert merged.status_code == 200, merged.text
    await scene.move(kept, "answer")
    page = (await scene.http.get(f"/t/{gone['query_code']}")).text
    assert "一并办理的工单已答复" in page and "已整改" in page
    assert "另一个人的话" not in page and kept["number"] not in page


@pytest.mark.browser
async def test_the_pages_as_they_look(scene: Scene, live: str, browser: Browser) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    path, taken = await asked(scene)
    pages = {"asked": path}
    both = await scene.order("accept", "answer")
    await sql.fetch(
        "UPDATE work_orders SET desk_agency_code = $2 WHERE number = $1", both["number"], DESK
    )
    pages["both"] = f"/t/{both['query_code']}"
    await scene.http.post(f"{path}/messages", data={"text": "三号窗口，我是王小明，上午十点"})
    message = {"text": "谢谢您，我们正在调取当天的监控核对，有结果马上告诉您。"}
    await scene.http.post(
        f"/api/v1/work-orders/{taken['number']}/message", json=message,
        headers=await scene.staff("handler"),
    )  # fmt: skip
    for width in (390, 1280):
        page = await browser.new_page(viewport={"width": width, "height": 800})
        for name, address in pages.items():
            await page.goto(live + address)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} at {width}"
            await page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
        await page.close()
    page = await browser.new_page(viewport={"width": 390, "height": 800})
    await page.goto(live + await drawn(scene))
    await page.screenshot(path=SHOTS / "drawn-390.png", full_page=True)
    await page.get_by_role("button", name="确实满意", exact=True).press("Enter")
    await expect(page.get_by_text("这次服务您确实满意吗")).to_have_count(0)
    await page.close()
