# ruff: noqa: F811  fixtures of WeChat's desk are imported by their names
"""A wall's page and its posters, as they are answered; WeChat is on loopback."""

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import zxingcpp
from factories import (
    DISTRICT,
    HOUSING,
    LABOUR_MATTER,
    MATTER,
    REGION,
    City,
)
from httpx import AsyncClient
from PIL import Image
from web.console_desk import a_desk
from wechat.desk import desk, wechat, with_wechat  # noqa: F401
from wechat.provider import PNG, Mood, WeChatDesk

from server.catalogue import service as catalogue
from server.catalogue.models import Matter, Window
from server.kit import sql
from server.kit import wechat as kit_wechat
from server.kit.clock import clock
from server.kit.errors import Limited
from server.kit.wechat import WeChat
from server.people import service as people
from server.people.rules import Role

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 13) Mobile Safari/537.36"}


def filled(**changed: str) -> dict[str, str]:
    return {"level": "5", "attempt": "attempt-of-the-test-00", **changed}


async def sent(http: AsyncClient, at: str = "/h/H1/A1", **fields: str) -> Any:
    return await http.post(at, data=filled(**fields), headers={"Accept": "text/html"})


async def rows(table: str = "receipts") -> int:
    return int((await sql.fetch(f"SELECT count(*) FROM {table}"))[0][0])


async def test_a_good_one_is_taken_at_once_and_a_bad_one_asked_once_more(
    http: AsyncClient, city: City
) -> None:
    answer = await sent(http, matter_code=MATTER)
    assert answer.status_code == 303 and answer.headers["location"].startswith("/t/")
    fields = {"level": "1", "tags1": "113", "attempt": "another-attempt-000", "case_number": "A<7>"}
    asked = await sent(http, **fields, matter_code=MATTER)
    assert asked.status_code == 200 and "请确认您的评价" in asked.text
    assert "公租房申请" in asked.text and "A&lt;7&gt;" in asked.text
    assert await rows() == 1
    kept = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked.text))
    confirmed = await http.post(
        "/h/H1/A1", data={k: html.unescape(v) for k, v in kept.items()} | {"step": "confirm"}
    )
    assert confirmed.status_code == 303
    thanks = await http.get(confirmed.headers["location"])
    assert "公租房申请" in thanks.text and "已转成工单" in thanks.text
    (visit,) = await sql.fetch("SELECT * FROM receipts ORDER BY id DESC LIMIT 1")
    assert (visit["matter_code"], visit["hall_code"]) == (MATTER, "H1")


async def test_the_same_form_sent_twice_is_one_review_and_with_other_words_it_says_so(
    http: AsyncClient, city: City
) -> None:
    first, second = [await sent(http) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    other = await sent(http, level="4")
    assert other.status_code == 409 and "已经收到" in other.text
    fresh = re.search(r'name=attempt value="([^"]+)"', other.text)
    assert fresh and fresh[1] != filled()["attempt"]
    assert await rows("reviews") == 1
    again = await sent(http, level="4", attempt=fresh[1])
    assert again.status_code == 303


async def test_a_search_keeps_everything_that_was_typed(http: AsyncClient, city: City) -> None:
    await Matter.bulk_create(
        [Matter(code=f"{n:031d}", name=f"许可{n}号", agency_code=HOUSING) for n in range(80)]
    )
    await catalogue.load()
    page = await http.get("/h/H1/A1")
    assert page.text.count("<option") == 51 and "只列出了前 50 项" in page.text
    assert len(page.content) < 25_000
    found = await sent(
        http, step="find", q="许可7", level="2", comment="等了<很久>", case_number="77",
        matter_code=MATTER,
    )  # fmt: skip
    assert (
        found.status_code == 200 and found.text.count("许可7") == 12
    )  # 7, 70–79 and what was typed
    assert re.search(r'value="2" id=l2 checked|value=2 id=l2 checked', found.text)
    assert "等了&lt;很久&gt;" in found.text and 'value="77"' in found.text
    assert re.search(rf'value="{MATTER}" selected', found.text), "what was chosen stays"
    nothing = await sent(http, step="find", q="没有这个")
    assert "没有找到名称里有" in nothing.text
    assert await rows() == 0


async def test_what_cannot_be_taken_is_told_beside_the_form(http: AsyncClient, city: City) -> None:
    for fields, told in (
        ({"level": ""}, "请在五个表情中选一个"),
        ({"level": "1"}, "请至少选择一个原因"),
        ({"matter_code": LABOUR_MATTER}, "这里不办这个事项"),
        ({"real_name": "1"}, "实名评价需要留下手机号"),
    ):
        answer = await sent(http, **fields, comment="")
        assert answer.status_code == 422 and told in answer.text, fields
    for address in ("/h/H9", "/h/H1/Z9", "/h/H1/A1/x"):
        answer = await http.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 404 and "<html" in answer.text
    assert await rows() == 0


async def test_another_site_cannot_rate_for_its_visitors(http: AsyncClient, city: City) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        answer = await http.post("/h/H1/A1", data=filled(), headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status
    assert await rows() == 1


async def test_a_browser_is_counted_by_a_name_that_means_nothing(
    http: AsyncClient, city: City, app: Any
) -> None:
    page = await http.get("/h/H1/A1", headers={"Cookie": ""})
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=lax" in cookie.lower() and "Path=/h" in cookie
    name = re.search(r"visitor=([\w-]{16,})", cookie)
    assert name
    headers = {"Cookie": f"visitor={name[1]}", "Accept": "text/html"}
    statuses = [
        (await http.post("/h/H1/A1", data=filled(attempt=f"attempt-of-many-{n:04d}"), headers=headers))
        for n in range(4)
    ]  # fmt: skip
    assert [a.status_code for a in statuses] == [303, 303, 303, 429]
    assert "已经评过 3 次" in statuses[-1].text and int(statuses[-1].headers["Retry-After"]) > 0
    assert 'value="attempt-of-many-0003"' in statuses[-1].text, "nothing typed is lost"
    keys = [key.decode() for key in await app.ctx.limiter._redis.keys("limit:wall:*")]
    assert keys and not any(name[1] in key for key in keys)
    headers["Cookie"] += f"; device={'d' * 22}"
    again = await http.get("/h/H1/A1", headers=headers)
    assert "set-cookie" not in again.headers


async def test_the_check_file_lies_below_h_too(http: AsyncClient, city: City, app: Any) -> None:
    kept = app.ctx.settings
    app.ctx.settings = replace(kept, wechat_check_files={"abc.txt": "token"})
    try:
        assert (await http.get("/h/abc.txt")).text == "token"
        assert (await http.get("/h/abd.txt")).status_code == 404
    finally:
        app.ctx.settings = kept


# WeChat


@pytest.fixture
async def with_mini_program(app: Any, wechat: WeChat) -> AsyncIterator[Any]:
    kept, settings = app.ctx.wechat, app.ctx.settings
    app.ctx.wechat, app.ctx.settings = wechat, replace(settings, wechat_url_link=True)
    yield app
    app.ctx.wechat, app.ctx.settings = kept, settings


async def test_a_phone_outside_wechat_is_offered_the_mini_program(
    http: AsyncClient,
    city: City,
    with_mini_program: Any,
    desk: WeChatDesk,
) -> None:
    inside = {"User-Agent": f"{PHONE['User-Agent']} MicroMessenger/8.0"}
    computer = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
    offers = [
        "用微信小程序打开" in (await http.get("/h/H1/A1", headers=agent)).text
        for agent in (PHONE, inside, computer)
    ]
    assert offers == [True, False, False]
    assert desk.links == [], "the page itself asks nobody"
    for _ in range(3):
        answer = await http.get("/h/H1/A1?open=wechat", headers=PHONE)
        assert answer.headers["location"] == "https://wxaurl.cn/000001"
    assert desk.links == ["q=http%3A%2F%2Fpj.test%2Fh%2FH1%2FA1"], "asked for once"
    with_mini_program.ctx.settings = replace(with_mini_program.ctx.settings, wechat_url_link=False)
    assert "用微信小程序打开" not in (await http.get("/h/H1/A1", headers=PHONE)).text
    answer = await http.get("/h/H1/A1?open=wechat", headers=PHONE | {"Accept": "text/html"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "mood",
    [
        Mood(code=85079),
        Mood(code=45009),
        Mood(code=43104),
        Mood(answer="html"),
        Mood(answer="nothing"),
    ],
)
async def test_without_wechat_the_page_is_there(
    http: AsyncClient,
    city: City,
    with_mini_program: Any,
    desk: WeChatDesk,
    mood: Mood,
) -> None:
    desk.next("/wxa/generate_urllink", mood)
    answer = await http.get("/h/H1/A1?open=wechat", headers=PHONE | {"Accept": "text/html"})
    assert answer.status_code == 503 and "直接在网页上评价" in answer.text
    assert (await http.get("/h/H1/A1?open=wechat", headers=PHONE)).status_code == 303


async def test_a_poster_has_the_code_of_its_window(http: AsyncClient, city: City, app: Any) -> None:
    async with a_desk(app, "lead") as staff:
        page = await staff.get("/console/walls/H1/A1")
        assert "1号窗口" in page.text and "小程序" not in page.text
        picture = await staff.get("/console/walls/H1/A1?picture=plain")
        assert picture.headers["content-type"].startswith("image/svg")
    assert decoded(picture.text) == "http://pj.test/h/H1/A1"


def decoded(svg: str) -> str:
    """By another's reader, from the drawing itself."""
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    image = Image.new("L", (size, size), 255)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", svg):
        image.paste(0, (int(x), int(y), int(x) + int(width), int(y) + 1))
    (code,) = zxingcpp.read_barcodes(image.resize((size * 6, size * 6), Image.Resampling.NEAREST))
    return str(code.text)


async def test_who_prints_which_codes(http: AsyncClient, city: City, app: Any) -> None:
    for username, role, agency in (("admin", Role.ADMIN, None), ("far", Role.SUPERVISOR, None)):
        await people.hire(
            username=username, name=username, role=role, agency_code=agency,
            password="correct horse battery staple", totp_secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            region_code=DISTRICT if username == "far" else REGION,
        )  # fmt: skip
    await Window.create(code="A2", hall_code="H1", agency_code=HOUSING, name="3号窗口")
    await catalogue.load()
    every = ["H1", "H1/A1", "H1/A2", "H1/B1"]
    may = {
        "admin": every, "supervisor": every, "lead": ["H1/A1", "H1/A2"], "far": [],
        "handler": None, "auditor": None,
    }  # fmt: skip
    for username, seen in may.items():
        async with a_desk(app, username) as staff:
            room = await staff.get("/console/walls?hall=H1")
            assert room.status_code == (403 if seen is None else 200), username
            listed = re.findall(r'href="/console/walls/([\w/]+)"', room.text)
            assert listed == (seen or [])
            for place in every:
                for query in ("", "?picture=plain"):
                    answer = await staff.get(f"/console/walls/{place}{query}")
                    right = 403 if seen is None else 200 if place in seen else 404
                    assert answer.status_code == right, (username, place)


async def test_the_mini_programs_code_is_drawn_once_and_its_absence_told(
    http: AsyncClient,
    city: City,
    with_mini_program: Any,
    desk: WeChatDesk,
    wechat: WeChat,
) -> None:
    drawn = "/wxa/getwxacodeunlimit"
    long = "W" * 28
    await Window.create(code=long, hall_code="H1", agency_code=HOUSING, name="长编号窗口")
    await Window.create(code="甲1", hall_code="H1", agency_code=HOUSING, name="甲窗口")
    await catalogue.load()
    async with a_desk(with_mini_program, "lead") as staff:
        desk.next(drawn, Mood(code=45009))
        away = await staff.get("/console/walls/H1/A1")
        assert away.status_code == 200 and "微信没有回应" in away.text
        assert "picture=plain" in away.text and "picture=wechat" not in away.text
        for _ in range(2):
            page = await staff.get("/console/walls/H1/A1")
            assert "picture=wechat" in page.text and "微信没有回应" not in page.text
            picture = await staff.get("/console/walls/H1/A1?picture=wechat")
            assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
        assert desk.calls[drawn] == 2
        for code in (long, "%E7%94%B21"):
            page = await staff.get(f"/console/walls/H1/{code}")
            assert "编号太长" in page.text and "picture=wechat" not in page.text
            assert (await staff.get(f"/console/walls/H1/{code}?picture=wechat")).status_code == 404
    assert desk.calls[drawn] == 2


async def test_printing_a_city_leaves_wechats_quota_to_others(
    city: City,
    wechat: WeChat,
    desk: WeChatDesk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kit_wechat, "PICTURES_PER_MINUTE", 3)
    clock.advanced *= 0
    told = []
    for number in range(8):
        try:
            told.append(await wechat.kept_picture_of(f"h/H1/{number % 5}", "pages/scan/scan"))
        except Limited:
            told.append(b"")
    assert told[:3] == [PNG] * 3 and b"" in told
    assert desk.calls["/wxa/getwxacodeunlimit"] <= 6  # two minutes, if one ended meanwhile


async def test_the_auditors_page_says_that_nobody_vouches_for_it(
    http: AsyncClient, city: City, app: Any
) -> None:
    await sent(http, case_number="CASE-9")
    (visit,) = await sql.fetch("SELECT id FROM receipts")
    async with a_desk(app, "auditor") as auditor:
        await auditor.get("/console/audit")
        answer = await auditor.post("/console/audit", receipt=str(visit["id"]), reason="投诉核查")
        page = await auditor.get(answer.headers["location"])
    assert "没有核验" in page.text and "CASE-9" in page.text and "大厅二维码" in page.text


async def test_the_agencys_page_says_it_too(http: AsyncClient, city: City, app: Any) -> None:
    taken = await http.post("/api/v1/h/H1/A1/review", json={"level": 1, "tags": ["113"]})
    clock.advanced += (await undo_time()) * 2
    async with a_desk(app, "handler") as handler:
        page = await handler.get(f"/console/orders/{taken.json()['work_order']['number']}")
    assert "来自大厅墙上的码" in page.text and "大厅服务（未选事项）" in page.text


async def undo_time() -> Any:
    (row,) = await sql.fetch("SELECT undo_until - at AS time FROM reviews")
    return row["time"]
