"""The pages of 找茬 and 办不成事, as an old person meets them: no JavaScript, every word kept."""

import re
from datetime import timedelta
from typing import Any

import pytest
from factories import HOUSING, MATTER
from grievances.doors import CONTACT, said
from httpx import Response
from kit.calls import Scene
from web.console_desk import a_desk
from workorders.deeds import count

from server.catalogue import service as catalogue
from server.catalogue.models import Matter
from server.kit import sql
from server.kit.clock import clock

BROWSER = {"Accept": "text/html"}


async def sent(scene: Scene, at: str = "/suggest", **fields: str) -> Response:
    filled = {"kind": "correction", "text": "样本是旧的", "attempt": "attempt-of-the-test-00"}
    return await scene.http.post(at, data=filled | fields, headers=BROWSER)


async def test_home_has_an_orange_block_with_both_doors(scene: Scene) -> None:
    page = await scene.http.get("/")
    block = re.search(r'<section class="doors.*?</section>', page.text, re.DOTALL)
    assert block and "请您来找茬" in block[0]
    assert 'href="/suggest"' in block[0] and 'href="/stuck"' in block[0]
    assert page.text.index(block[0]) < page.text.index("差评会怎样")


async def test_what_was_sent_is_answered_by_the_code_in_large_and_the_day(scene: Scene) -> None:
    answer = await sent(scene, function="guide", matter_code=MATTER)
    assert answer.status_code == 303 and answer.headers["location"].endswith("/taken")
    page = await scene.http.get(answer.headers["location"])
    code = answer.headers["location"].split("/")[2]
    assert f"<span>{code[:4]} {code[4:8]}</span> <span>{code[8:12]} {code[12:]}</span>" in page.text
    (order,) = await sql.fetch("SELECT * FROM work_orders")
    day = order["due_at"] + timedelta(hours=8)
    assert f"最迟 {day.year}年{day.month}月{day.day}日答复您" in page.text
    shown = await scene.http.get(f"/t/{code}")
    assert "找茬·纠错" in shown.text and "办事指南" in shown.text and "满意度" not in shown.text
    assert "撤回" not in shown.text


async def test_the_page_says_that_it_is_seen_at_once_and_not_taken_back(scene: Scene) -> None:
    for at in ("/suggest", "/stuck"):
        assert "不能撤回" in (await scene.http.get(at)).text


async def test_the_three_ways_are_told_with_their_days(scene: Scene) -> None:
    page = (await scene.http.get("/stuck")).text
    assert [int(days) for days in re.findall(r"(\d+) 个工作日内答复，最迟 \d+月\d+日", page)] == [
        1,
        3,
        5,
    ]
    assert all(name in page for name in ("不给办", "不能办", "很难办"))
    await sql.fetch("UPDATE policies SET cannot_days = 4")
    await catalogue.load()
    assert "4 个工作日内答复" in (await scene.http.get("/stuck")).text


async def test_the_same_form_sent_twice_is_one_and_with_other_words_it_says_so(
    scene: Scene,
) -> None:
    first, second = [await sent(scene) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    other = await sent(scene, text="另一件事")
    assert other.status_code == 409 and "已经收到" in other.text and "另一件事" in other.text
    fresh = re.search(r'name="attempt" value="([^"]+)"', other.text)
    assert fresh and (await sent(scene, text="另一件事", attempt=fresh[1])).status_code == 303
    assert await count("grievances", "TRUE") == 2


async def test_a_search_keeps_everything_that_was_typed(scene: Scene) -> None:
    await Matter.bulk_create(
        [Matter(code=f"{n:031d}", name=f"许可{n}号", agency_code=HOUSING) for n in range(80)]
    )
    await catalogue.load()
    page = await scene.http.get("/suggest")
    assert 'id="matter"' not in page.text and len(page.content) < 15_000
    found = await sent(
        scene, step="find", q="许可7", text="旧的<b>", kind="suggestion", matter_code=MATTER,
        phone="13800138000", real_name="1",
    )  # fmt: skip
    assert found.status_code == 200 and found.text.count("<option") == 1 + 11 + 1 + 2
    assert "旧的&lt;b&gt;" in found.text and f'value="{MATTER}" selected' in found.text
    assert 'value="suggestion" id="k-suggestion" checked' in found.text
    assert (
        'value="13800138000"' in found.text and 'name="real_name" value="1" checked' in found.text
    )
    assert "没有找到名称里有" in (await sent(scene, step="find", q="没有这个")).text
    assert await count("grievances", "TRUE") == 0


@pytest.mark.parametrize(
    ("at", "fields", "told"),
    [
        ("/suggest", {"kind": ""}, "请选择是哪一种"), ("/stuck", {"kind": "correction"}, "这里没有这个类型"),
        ("/suggest", {"text": " "}, "请写下您要反映的事"),
        ("/suggest", {"text": "字" * 1001}, "最多 1000 字"),
        ("/suggest", {"phone": "12"}, "手机号须是 11 位"),
        ("/stuck", {"real_name": "1", "kind": "hard"}, "实名反映需要留下手机号"),
        ("/suggest", {"matter_code": "x"}, "没有这个事项"), ("/suggest", {"hall_code": "x"}, "没有这个大厅"),
    ],
)  # fmt: skip
async def test_what_cannot_be_taken_is_told_beside_the_form(
    scene: Scene, at: str, fields: dict[str, str], told: str
) -> None:
    answer = await sent(scene, at, **fields)
    assert answer.status_code == 422 and told in answer.text and "<textarea" in answer.text
    assert await count("grievances", "TRUE") == 0


async def test_who_comes_from_a_place_need_not_choose_it(scene: Scene) -> None:
    page = await scene.http.get("/stuck", params={"hall": "H1", "window": "A1", "matter": MATTER})
    assert 'value="H1" selected' in page.text and f'value="{MATTER}" selected' in page.text
    assert "窗口：1号窗口" in page.text
    old = await scene.http.get("/stuck", params={"hall": "gone", "window": "A1"})
    assert old.status_code == 200 and "selected" not in old.text


async def test_another_site_sends_nothing_for_its_visitors(scene: Scene) -> None:
    filled = {"kind": "correction", "text": "样本是旧的"}
    answer = await scene.http.post(
        "/suggest", data=filled, headers=BROWSER | {"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403 and await count("grievances", "TRUE") == 0


async def test_hostile_forms_are_refused_in_words(scene: Scene) -> None:
    for body in (b"text=%00", b"text=" + b"x" * 70_000, b"&".join([b"a=1"] * 3000), b"\xff\xfe"):
        answer = await scene.http.post(
            "/suggest", content=body,
            headers=BROWSER | {"content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert 400 <= answer.status_code < 500, body[:20]
    assert await count("grievances", "TRUE") == 0


async def test_he_answers_and_confirms_on_his_page(scene: Scene) -> None:
    taken = await said(scene, "accept", "ask")
    path = f"/t/{taken['query_code']}"
    assert "部门在等您补充说明" in (await scene.http.get(path)).text
    answer = await scene.http.post(f"{path}/messages", data={"text": "三号窗口"})
    assert answer.status_code == 303
    await scene.move(taken, "answer")
    shown = (await scene.http.get(path)).text
    assert "对答复满意吗" in shown and "已整改" in shown
    wrong = await scene.http.post(f"{path}/confirmation", data={"satisfied": "0"}, headers=BROWSER)
    assert wrong.status_code == 422 and "请写下哪里没有解决" in wrong.text
    for _ in range(2):
        done = await scene.http.post(
            f"{path}/confirmation", data={"satisfied": "1"}, headers=BROWSER
        )
        assert done.status_code == 303
    assert "已办结" in (await scene.http.get(path)).text
    undo = await scene.http.post(f"{path}/undo", headers=BROWSER)
    assert undo.status_code == 409 and "不是评价" in undo.text


async def test_taken_is_no_page_of_a_review(scene: Scene) -> None:
    _, taken = await scene.rated()
    answer = await scene.http.get(f"/t/{taken['query_code']}/taken")
    assert answer.status_code == 303


async def test_the_pages_after_a_rating_lead_to_the_door(scene: Scene) -> None:
    code, taken = await scene.rated()
    for path in (f"/e/{code}", f"/t/{taken['query_code']}"):
        assert 'href="/stuck"' in (await scene.http.get(path)).text
    clock.advanced += timedelta(minutes=11)
    assert "反映“办不成事”" in (await scene.http.get(f"/t/{taken['query_code']}")).text


async def test_the_desk_says_through_which_door_it_came_and_no_level(
    scene: Scene, app: Any
) -> None:
    taken = await said(scene, source="stuck", kind="hard", function=None, contact=CONTACT)
    faults = await said(scene, "accept")
    async with a_desk(app, "handler") as desk:
        listed = (await desk.get("/console")).text
        assert "办不成事·很难办" in listed and "找茬·纠错" in listed and "未评级" not in listed
        page = (await desk.get(f"/console/orders/{taken['number']}")).text
        assert "群众反映的事" in page and "办不成事·很难办" in page and "群众的评价" not in page
        assert "诉求成为工单" in page and "王小明" not in page
        page = (await desk.get(f"/console/orders/{faults['number']}")).text
        assert "办事指南" in page and "未评级" not in page
    async with a_desk(app, "supervisor") as desk:
        assert "找茬·纠错" in (await desk.get("/console?show=all")).text
