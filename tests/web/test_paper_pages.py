"""The rooms of paper forms: who comes in, what hostile input does, and the story without JavaScript."""

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from factories import DESK, HOUSING, City
from httpx import AsyncClient, Response
from web.console_desk import Desk, a_desk

from server.kit import query_codes as codes
from server.kit import sql
from server.kit.clock import clock
from server.people.models import AccessLog, Staff

ROOM, ENTRY, ENTERED = "/console/paper", "/console/paper/entry", "/console/paper/entered"
HOSTILE = "\"'><script>window.hit=1</script>{{7*7}}\u202e</textarea>"


@pytest.fixture
async def staffed(city: City) -> City:
    (row,) = await Staff.filter(username="desk").values()
    del row["id"]
    for username, role, agency in (
        ("desk-lead", "agency_lead", DESK), ("admin", "admin", None), ("adjudicator", "adjudicator", None),
    ):  # fmt: skip
        await Staff.create(**(row | {"username": username, "role": role, "agency_code": agency}))
    return city


@pytest.fixture
async def desk(app: Any, staffed: City) -> AsyncIterator[Desk]:
    async with a_desk(app, "desk") as at:
        await at.get(ENTRY)
        yield at


async def printed(
    app: Any, count: int = 1, place: str = "H1/A1", by: str = "supervisor"
) -> Response:
    async with a_desk(app, by) as at:
        await at.get(ROOM)
        return await at.post(ROOM, place=place, count=str(count))


def on(page: Response) -> list[tuple[str, str]]:
    """The codes of each blank: on the form, on the stub."""
    form = re.findall(r"表号 <b>([\w ]{9})<br>([\w ]{9})</b>", page.text)
    stub = re.findall(r'stub-code"><b>([\w ]{9})</b><b>([\w ]{9})</b>', page.text)
    plain = [["".join(code).replace(" ", "") for code in codes_] for codes_ in (form, stub)]
    return list(zip(*plain, strict=True))


def fields(number: int, **row: str) -> dict[str, str]:
    return {f"{name}_{number}": value for name, value in row.items()}


async def keyed(at: Desk, *rows: dict[str, str], step: str = "store") -> Response:
    sent = {"step": step}
    for number, row in enumerate(rows):
        sent |= fields(number, **row)
    return await at.post(ENTRY, **sent)


def shown(page: Response) -> dict[str, str]:
    """What stands in the form, by field."""
    found = re.findall(r'<input id="\w+" name="(\w+)" value="([^"]*)"', page.text)
    found += re.findall(r'<textarea id="\w+" name="(\w+)"[^>]*>\n([^<]*)</textarea>', page.text)
    return {name: html.unescape(value) for name, value in found if value}


# Printing


async def test_the_rooms_are_there_for_those_who_work_in_them(app: Any, staffed: City) -> None:
    wanted = {
        "handler": "333", "lead": "333", "other": "333", "adjudicator": "333", "desk": "3y3",
        "desk-lead": "yy3", "supervisor": "yyy", "admin": "yy3", "auditor": "33y",
    }  # fmt: skip
    for who, expected in wanted.items():
        async with a_desk(app, who) as at:
            home = await at.get("/console")
            while home.status_code == 303:
                home = await at.get(home.headers["location"])
            answers = [await at.get(room) for room in (ROOM, ENTRY, ENTERED)]
        found = "".join("y" if a.status_code == 200 else str(a.status_code % 10) for a in answers)
        assert found == expected, who
        first = next(
            (r for r, x in zip((ROOM, ENTRY, ENTERED), expected, strict=True) if x == "y"), ""
        )
        assert (f'<a href="{first}">纸质评价表</a>' in home.text) is bool(first), who


async def test_blanks_have_codes_of_their_own_and_are_shown_once(
    app: Any, http: AsyncClient, staffed: City
) -> None:
    page = await printed(app, 3)
    blanks = on(page)
    assert page.status_code == 200 and len({code for both in blanks for code in both}) == 6
    assert page.text.count('class="blank"') == 3 and "市民中心 <b>1号窗口</b>" in page.text
    for text in ("非常满意", "非常不满意", "原因213", "意见箱", "pj.test/track", "愿意实名"):
        assert text in page.text
    assert "哪个窗口" not in page.text and "哪个窗口" in (await printed(app, 1, "H1")).text
    keys = {row["key"] for row in await sql.fetch("SELECT key FROM paper_forms")}
    assert {codes.query_key(code) for code, _ in blanks} < keys
    async with a_desk(app, "supervisor") as at:
        again = (await at.get(ROOM)).text + (await at.get(ENTERED)).text
    assert not any(stub[:4] in again for _, stub in blanks)
    assert (await http.get(f"/t/{blanks[0][1]}")).status_code == 404
    assert "还没有录入" in (await http.get(f"/t/{blanks[0][1]}")).text
    typed = await http.post("/track", data={"code": codes.grouped(blanks[0][1]).lower()})
    assert typed.headers["location"] == f"/t/{blanks[0][1]}"
    assert "没有找到" in (await http.get(f"/t/{blanks[0][0]}")).text


@pytest.mark.parametrize(
    ("place", "count", "status"),
    [
        ("H1/A1", "0", 422), ("H1/A1", "101", 422), ("H1/A1", "-1", 422), ("H1/A1", "", 422),
        ("H1/A1", "٣", 422), ("H1/A1", "9" * 300, 422), ("H1/A1", HOSTILE, 422), ("H9", "1", 404),
        ("", "1", 404), ("H1/A9", "1", 404), (HOSTILE, "1", 404), ("H1/A1", "100", 200),
    ],
)  # fmt: skip
async def test_what_cannot_be_printed_is_told_and_leaves_nothing(
    app: Any, staffed: City, place: str, count: str, status: int
) -> None:
    async with a_desk(app, "supervisor") as at:
        await at.get(ROOM)
        answer = await at.post(ROOM, place=place, count=count)
    assert answer.status_code == status and "<script>window" not in answer.text
    (row,) = await sql.fetch("SELECT count(*) FROM paper_forms")
    assert row[0] == (100 if status == 200 else 0)
    assert await AccessLog.all().count() == (1 if status == 200 else 0)


async def test_the_desks_lead_prints_for_other_agencies_windows_only(
    app: Any, http: AsyncClient, staffed: City
) -> None:
    assert (await printed(app, 1, "H1/B1", "desk-lead")).status_code == 200
    for who in ("lead", "desk"):
        assert (await printed(app, 1, "H1/A1", who)).status_code == 403


# Keying in


async def test_good_rows_are_stored_and_bad_ones_come_back_as_they_were(
    app: Any, http: AsyncClient, desk: Desk
) -> None:
    (first, _), (second, stub), (third, _) = on(await printed(app, 3))
    bad = {
        "code": second, "level": "5", "again": "1", "reasons": "115", "words": f"等了<很久>\n{HOSTILE}",
        "day": "", "matter": "公租房申请", "case_number": "330-7", "name": "王小明", "phone": "13900139000",
    }  # fmt: skip
    answer = await keyed(
        desk, {"code": first, "level": "4", "again": "4"}, bad,
        {"code": third, "level": "2", "again": "2", "no_reason": "1"}, {}, {"level": "5"},
    )  # fmt: skip
    assert answer.status_code == 422
    assert "已录入 2 张" in answer.text and "有 2 张没有录入" in answer.text
    for told in ("第 2 行：两次录入的满意度不同", "第 5 行：没有找到这个表号"):
        assert told in answer.text
    left = shown(answer)
    assert left.pop("level_4") == "5"
    assert left == {f"{name}_1": value for name, value in bad.items() if value}
    assert "<script>window" not in answer.text
    assert re.search(r'id="again_1"[^>]*autofocus', answer.text)
    assert (await sql.fetch("SELECT count(*) FROM reviews"))[0][0] == 2

    mended = await keyed(desk, bad | {"level": "1", "again": "1"})
    assert mended.headers["location"] == f"{ENTRY}?done=1"
    page = await desk.get(mended.headers["location"])
    assert "已录入 1 张" in page.text and shown(page) == {}
    for code in (first, second, third):
        assert codes.grouped(code) in page.text, "his pile of today"
    assert stub not in page.text.replace(" ", "")
    thanks = await http.get(f"/t/{stub}")
    assert "纸质评价表录入" in thanks.text and "已转成工单" in thanks.text
    clock.advanced += timedelta(minutes=11)
    tracked = await http.get(f"/t/{stub}")
    assert "纸质评价表录入" in tracked.text and "等了&lt;很久&gt;" in tracked.text


async def test_enter_looks_the_codes_up_and_stores_nothing(app: Any, desk: Desk) -> None:
    (first, _), (second, _) = on(await printed(app, 1))[0:1] + on(await printed(app, 1, "H1"))
    for step in ("look", "", "x"):
        row = {"code": first, "level": "5", "again": "5", "words": "好"}
        answer = await keyed(
            desk, row, {"code": f"{second[:4]}-{second[4:]}".lower()}, {"code": "x"}, step=step
        )
        assert answer.status_code == 200
        assert "市民中心 1号窗口" in answer.text and "市民中心（全大厅）" in answer.text
        assert "没有找到这个表号" in answer.text and shown(answer)["words_0"] == "好"
    assert await sql.fetch("SELECT 1 FROM reviews") == []
    answer = await keyed(desk, row, {"code": second}, step="look")
    assert re.search(r'id="level_1"[^>]*autofocus', answer.text), "he goes on with the level"
    first_button = re.search(r"<button[^>]*name=\"step\"[^>]*>", answer.text)
    assert first_button and 'value="look"' in first_button[0], "what Enter presses"


async def test_the_same_batch_sent_twice_says_that_it_is_stored(app: Any, desk: Desk) -> None:
    ((code, _),) = on(await printed(app, 1))
    row = {"code": code, "level": "4", "again": "4"}
    assert (await keyed(desk, row)).status_code == 303
    again = await keyed(desk, row, row)
    assert again.status_code == 422 and again.text.count("已经录入过了") >= 2
    assert (await sql.fetch("SELECT count(*) FROM reviews"))[0][0] == 1
    assert "一张也没有填" in (await keyed(desk)).text


async def test_ten_rows_with_all_words_are_taken_at_once(app: Any, desk: Desk) -> None:
    blanks = on(await printed(app, 10))
    rows = [
        {"code": code, "level": "1", "again": "1", "words": "慢" * 500, "name": "", "phone": "",
         "day": "", "window": "", "matter": "公租房申请", "case_number": str(n), "reasons": "115"}
        for n, (code, _) in enumerate(blanks)
    ]  # fmt: skip
    answer = await keyed(desk, *rows)
    assert answer.headers["location"] == f"{ENTRY}?done=10"
    assert (await sql.fetch("SELECT count(*) FROM work_orders"))[0][0] == 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"level_0": "5" * 70_000}, {"code_0": "\0"}, {"words_0": "\ud800"}, {"phone_0": "١" * 11},
        {f"level_{n}": "5" for n in range(300)}, {"level_-1": "5", "code_99": "x"}, {"code_0": HOSTILE},
        {"day_0": "99999999999999-1-1"}, {"level_0": "1e400", "again_0": "NaN"},
    ],
    ids=range(9),
)  # fmt: skip
async def test_hostile_forms_are_refused_in_words(
    app: Any, desk: Desk, wrong: dict[str, str]
) -> None:
    ((code, _),) = on(await printed(app, 1))
    sent = {"step": "store", "code_0": code} | wrong
    if wrong.get("words_0"):
        body = f"csrf={desk.fields['csrf']}&step=store&code_0={code}&words_0=%ED%A0%80".encode()
        head = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await desk.client.post(ENTRY, content=body, headers=head)
    else:
        answer = await desk.post(ENTRY, **sent)
    assert 400 <= answer.status_code < 500, answer.status_code
    assert "<script>window" not in answer.text
    assert await sql.fetch("SELECT 1 FROM reviews") == []


async def test_a_form_from_elsewhere_stores_nothing(app: Any, desk: Desk) -> None:
    ((code, _),) = on(await printed(app, 1))
    sent = {"csrf": "x", "step": "store"} | fields(0, code=code, level="5", again="5")
    assert (await desk.client.post(ENTRY, data=sent)).status_code == 403
    sent["csrf"] = desk.fields["csrf"]
    desk.client.cookies.clear()
    sent |= fields(0, words="很长的一段话")
    gone = await desk.client.post(ENTRY, data=sent)
    assert gone.status_code == 303 and gone.headers["location"].startswith("/console/login")
    assert await sql.fetch("SELECT 1 FROM reviews") == []


async def test_words_that_were_keyed_in_too_late_are_shown_to_be_copied(
    app: Any, desk: Desk
) -> None:
    ((code, _),) = on(await printed(app, 1))
    clock.advanced += timedelta(minutes=31)
    answer = await keyed(desk, {"code": code, "level": "1", "again": "1", "words": "很长的一段话"})
    assert answer.status_code == 401 and "很长的一段话" in answer.text


async def test_the_desks_own_form_is_left_for_the_supervisor(app: Any, desk: Desk) -> None:
    ((code, _),) = on(await printed(app, 1, "H1"))
    row = {"code": code, "level": "5", "again": "5"}
    refused = await keyed(desk, row)
    assert refused.status_code == 422 and "请交给督办员录入" in refused.text
    async with a_desk(app, "supervisor") as at:
        await at.get(ENTRY)
        assert (await keyed(at, row)).status_code == 303


# Afterwards


async def test_the_list_tells_who_keyed_in_what_and_nothing_of_what_was_said(
    app: Any, http: AsyncClient, desk: Desk
) -> None:
    (code, stub), _ = on(await printed(app, 2))
    secret = {"words": "太慢了", "name": "王小明", "phone": "13900139000", "case_number": "C-77"}
    await keyed(desk, {"code": code, "level": "1", "again": "1"} | secret)
    (review,) = await sql.fetch("SELECT receipt_id FROM reviews")
    clock.advanced += timedelta(minutes=11)
    await http.post(f"/t/{stub}/supplement", data={"more": "录的和我写的不一样"})
    for who in ("supervisor", "auditor"):
        async with a_desk(app, who) as at:
            page = await at.get(ENTERED)
        assert codes.grouped(code) in page.text and "desk（大厅综合服务台）" in page.text
        assert "群众有补充" in page.text and str(review["receipt_id"]) in page.text
        for said in (*secret.values(), stub[:4], "非常不满意", "录的和我写的不一样"):
            assert said not in page.text, said
    async with a_desk(app, "auditor") as at:
        await at.get("/console/audit")
        noted = await at.post(
            "/console/audit", receipt=str(review["receipt_id"]), reason="核对原表"
        )
        page = await at.get(noted.headers["location"])
        assert (
            "大厅综合服务台 desk" in page.text
            and "纸质评价表" in page.text
            and "太慢了" in page.text
        )
        assert "填了纸质评价表" in page.text and "C-77" in page.text
        log = await at.get("/console/audit")
        assert "印出空白纸质评价表" in log.text


async def test_the_list_has_pages_and_a_foreign_cursor_is_told(app: Any, desk: Desk) -> None:
    for _ in range(6):
        blanks = on(await printed(app, 10))
        rows = [{"code": code, "level": "5", "again": "5"} for code, _ in blanks]
        assert (await keyed(desk, *rows)).status_code == 303
    async with a_desk(app, "auditor") as at:
        first = await at.get(ENTERED)
        following = re.search(r'href="(/console/paper/entered\?cursor=[^"]+)"', first.text)
        assert following and first.text.count("desk（大厅综合服务台）") == 50
        second = await at.get(html.unescape(following[1]))
        assert second.text.count("desk（大厅综合服务台）") == 10
        for cursor in ("x", "%00", "MjAyNi0xMS0yOSB4"):
            assert (await at.get(f"{ENTERED}?cursor={cursor}")).status_code == 422


async def test_the_agency_is_told_that_it_came_on_paper_and_not_from_whom(
    app: Any, http: AsyncClient, desk: Desk
) -> None:
    ((code, _),) = on(await printed(app, 1))
    row = {
        "code": code,
        "level": "1",
        "again": "1",
        "no_reason": "1",
        "name": "王小明",
        "phone": "13900139000",
    }
    await keyed(desk, row)
    clock.advanced += timedelta(minutes=11)
    (order,) = await sql.fetch("SELECT number, agency_code FROM work_orders")
    assert order["agency_code"] == HOUSING
    async with a_desk(app, "handler") as at:
        page = await at.get(f"/console/orders/{order['number']}")
    assert "来自纸质评价表" in page.text and "没有写原因" in page.text
    for secret in ("王小明", "13900139000", code[:4], "综合服务台"):
        assert secret not in page.text, secret
