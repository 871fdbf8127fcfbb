"""The tablet's pages without a browser: keys, streams, races, and who keeps the keys."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from factories import DISTRICT, HOUSING, LABOUR, PASSWORD, REGION, TOTP, City, credentials
from web.console_desk import Desk, a_desk
from web.tablet import Window, a_key

from server.catalogue import service as catalogue
from server.kit import sql
from server.kit.clock import clock
from server.people import service as people
from server.people.rules import Role
from server.reviews import kiosks
from server.web import kiosk_watch

HTML = {"Accept": "text/html"}


@asynccontextmanager
async def tablet(app: object, key: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://pj.test") as client:
        opened = await client.get(f"/kiosk/open/{key}")
        assert (opened.status_code, opened.headers["location"]) == (303, "/kiosk")
        yield client


async def ask_of(client: httpx.AsyncClient) -> str:
    page = (await client.get("/kiosk")).text
    return re.findall(r'name="ask" value="(\w+)"', page)[0]


async def test_the_key_goes_into_a_strict_cookie_and_nowhere_else(
    app: object, http: httpx.AsyncClient, city: City, caplog: pytest.LogCaptureFixture
) -> None:
    key = await a_key()
    with caplog.at_level(logging.INFO):
        opened = await http.get(f"/kiosk/open/{key}")
        http.cookies.clear()
    cookie = opened.headers["set-cookie"]

    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Max-Age=31536000"))
    ours = [record for record in caplog.records if not record.name.startswith("http")]
    assert ours and not any(key in str(vars(record)) for record in ours)
    async with tablet(app, key) as client:
        page = await client.get("/kiosk")
        assert key not in page.text and page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert (await client.get("/console")).status_code == 303, "it opens nothing else"
        assert (await client.get("/api/v1/work-orders")).status_code == 401


@pytest.mark.parametrize("key", ["", "x", "a" * 4000, "%E4%BD%A0%00"])
async def test_a_wrong_key_opens_nothing(http: httpx.AsyncClient, city: City, key: str) -> None:
    for path in (f"/kiosk/open/{key}", "/kiosk", "/kiosk/state", "/kiosk/events", "/kiosk/rate"):
        http.cookies.set("kiosk", key.replace("%", ""))
        answer = await http.get(path, headers=HTML)
        http.cookies.clear()
        assert answer.status_code in (403, 404), path
    for path in ("begin", "review", "done"):
        answer = await http.post(f"/kiosk/{path}", data={"ask": "1", "level": "5"})
        assert answer.status_code == 403 and "没有启用" in answer.text


async def test_it_does_not_run_on_the_staffs_own_screen(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    key = await a_key()
    await Window(http, city).asks()
    async with a_desk(app, "handler") as desk:
        answer = await desk.client.get(f"/kiosk/open/{key}")
        assert answer.status_code == 403 and "登录着工作台" in answer.text
        assert "set-cookie" not in answer.headers
        desk.client.cookies.set("kiosk", key)
        for path in ("/kiosk", "/kiosk/state", "/kiosk/events", "/kiosk/rate"):
            answer = await desk.client.get(path)
            assert answer.status_code == 403 and "公租房" not in answer.text, path
        await desk.get("/console")
        await desk.post("/console/logout")
        assert (await desk.client.get("/kiosk")).status_code == 200


async def test_a_form_of_an_ended_ask_is_refused_in_plain_words(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    window = Window(http, city)
    async with tablet(app, await a_key()) as client:
        await window.asks()
        old = await ask_of(client)
        await window.asks()
        for path, ask in (("review", old), ("begin", old), ("review", ""), ("review", "x" * 999)):
            answer = await client.post(f"/kiosk/{path}", data={"ask": ask, "level": "5"})
            assert answer.status_code == 410 and "什么都没有提交" in answer.text
        await client.post("/kiosk/done", data={"ask": old})
        assert await ask_of(client) != old, "the newer one goes on"
        clock.advanced += kiosks.ASK_LIFE
        assert (await client.get("/kiosk/rate")).status_code == 303
    assert await sql.fetch("SELECT 1 FROM reviews") == []


async def test_a_form_that_was_begun_has_its_time_from_then_on(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    async with tablet(app, await a_key()) as client:
        await Window(http, city).asks()
        ask = await ask_of(client)
        clock.advanced += kiosks.ASK_LIFE - timedelta(seconds=30)
        await client.post("/kiosk/begin", data={"ask": ask})
        clock.advanced += timedelta(minutes=3)
        answer = await client.post("/kiosk/review", data={"ask": ask, "level": "4"})
    assert answer.status_code == 303
    (row,) = await sql.fetch("SELECT level, channel, contact, real_name FROM reviews")
    assert tuple(row) == (4, "kiosk", None, False)


async def test_a_click_is_one_review_however_often_it_comes_and_never_under_a_name(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    async with tablet(app, await a_key()) as client:
        await Window(http, city).asks()
        form = {
            "ask": await ask_of(client), "level": "1", "tags1": "113", "step": "confirm",
            "real_name": "1", "phone": "13900139000", "name": "李四",
        }  # fmt: skip
        answers = await asyncio.gather(
            *(client.post("/kiosk/review", data=form) for _ in range(5)),
            client.post("/kiosk/review", data=form | {"level": "5", "tags1": ""}),
        )
        pages = [(await client.get("/kiosk")).text for _ in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    rows = await sql.fetch("SELECT level, real_name, contact FROM reviews")
    assert len(rows) == 1 and not rows[0]["real_name"] and rows[0]["contact"] is None
    assert all("查询编码" in page and "非常不满意" not in page for page in pages)


async def test_phone_and_tablet_at_once_are_one_review(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    window, won = Window(http, city), set()
    async with tablet(app, await a_key()) as client:
        for turn in range(6):
            code = await window.asks()
            form = {"ask": await ask_of(client), "level": "5"}
            both = [
                http.post(f"/api/v1/e/{code}/review", json={"level": 4}),
                client.post("/kiosk/review", data=form),
            ]
            await asyncio.gather(*(both if turn % 2 else reversed(both)))
            page = (await client.get("/kiosk")).text
            (row,) = await sql.fetch(
                "SELECT channel FROM reviews ORDER BY at DESC LIMIT 1 OFFSET 0"
            )
            won.add(row["channel"])
            assert ("查询编码" in page) is (row["channel"] == "kiosk")
            assert len(await sql.fetch("SELECT 1 FROM reviews")) == turn + 1
    assert won


async def test_the_query_code_is_for_the_one_who_rated_here_and_not_for_asking_again(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    window = Window(http, city)
    receipt = (await city.receipt(http))["receipt_id"]
    async with tablet(app, await a_key()) as client:
        await window.shows(receipt)
        await client.post("/kiosk/review", data={"ask": await ask_of(client), "level": "5"})
        assert "查询编码" in (await client.get("/kiosk")).text
        await window.shows(receipt)
        neutral = (await client.get("/kiosk")).text
        assert "已经评价过了" in neutral and "查询编码" not in neutral
        clock.advanced += kiosks.THANKS
        assert "请稍候" in (await client.get("/kiosk")).text


async def test_an_undone_review_may_be_given_again_at_the_same_window(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    window = Window(http, city)
    receipt = await city.receipt(http)
    code = receipt["review_url"].rpartition("/")[2]
    async with tablet(app, await a_key()) as client:
        await window.shows(receipt["receipt_id"])
        await client.post("/kiosk/review", data={"ask": await ask_of(client), "level": "3"})
        groups = re.findall(r"<span>(\w{4})</span>", (await client.get("/kiosk")).text)
        undo = {"query_code": "".join(groups)}
        assert (await http.post(f"/api/v1/e/{code}/undo", json=undo)).status_code == 200
        await window.shows(receipt["receipt_id"])
        again = {"ask": await ask_of(client), "level": "3"}
        assert (await client.post("/kiosk/review", data=again)).status_code == 303
    rows = await sql.fetch("SELECT state FROM reviews ORDER BY at")
    assert [row["state"] for row in rows] == ["undone", "standing"]


# The stream


async def lines(live: str, key: str, wanted: int) -> AsyncIterator[str]:
    async with (
        httpx.AsyncClient(base_url=live, cookies={"kiosk": key}, timeout=5) as client,
        client.stream("GET", "/kiosk/events") as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        seen = 0
        async for line in answer.aiter_lines():
            if line:
                seen += 1
                yield line
            if seen == wanted:
                return


async def test_a_stream_beats_and_says_look_again(
    http: httpx.AsyncClient, city: City, live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kiosk_watch.BEAT_SECONDS < 12, "Sanic's RESPONSE_TIMEOUT would end the stream"
    monkeypatch.setattr(kiosk_watch, "PERIOD_SECONDS", 0.02)
    monkeypatch.setattr(kiosk_watch, "BEAT_SECONDS", 0.2)
    key, heard = await a_key(), []

    async for line in lines(live, key, 9):
        heard.append(line)
        if heard.count("event: beat") == 2 and len(heard) == 6:
            await Window(http, city).asks()

    assert heard[0].startswith("retry: ") and heard[1] == "data: look", "after connecting"
    assert heard[2:6] == ["event: beat", "data: look"] * 2
    assert heard[6:] == ["data: look", "event: beat", "data: look"], "one look for one ask"


async def test_all_tablets_of_a_process_share_one_query(
    http: httpx.AsyncClient, city: City, live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk_watch, "PERIOD_SECONDS", 0.02)
    monkeypatch.setattr(kiosk_watch, "BEAT_SECONDS", 0.1)
    asked, real = [], kiosks.all_shown

    async def counted(found: Any) -> dict[Any, str]:
        asked.append(len(found))
        return await real(found)

    monkeypatch.setattr(kiosks, "all_shown", counted)
    keys = [await a_key(), await a_key("B1", LABOUR)]

    async def hear(key: str) -> list[str]:
        return [line async for line in lines(live, key, 60)]

    await asyncio.gather(*(hear(key) for key in keys * 3))
    await asyncio.sleep(0.1)
    told = len(asked)
    await asyncio.sleep(0.2)

    assert set(asked) <= {1, 2} and 2 in asked
    assert len(asked) == told, "nobody waits, nobody asks"


async def test_one_tablet_cannot_hold_all_streams(city: City, live: str) -> None:
    key = await a_key()
    async with httpx.AsyncClient(base_url=live, cookies={"kiosk": key}, timeout=5) as client:
        open_ones = [client.stream("GET", "/kiosk/events") for _ in range(kiosk_watch.STREAMS)]
        for one in open_ones:
            await one.__aenter__()
        assert (await client.get("/kiosk/events")).status_code == 429
        for one in open_ones:
            await one.__aexit__(None, None, None)


# The keys


@asynccontextmanager
async def signed_in(
    app: object, role: Role, region: str, agency: str | None
) -> AsyncIterator[Desk]:
    name = f"{role}-{region}-{agency or ''}"[:64]
    await people.hire(
        username=name, name=name[:50], role=role, password=PASSWORD, totp_secret=TOTP,
        agency_code=agency, region_code=region,
    )  # fmt: skip
    async with a_desk(app) as desk:
        await desk.get("/console/login")
        assert (await desk.post("/console/login", **credentials(name))).status_code == 303
        yield desk


async def test_the_lead_issues_a_key_that_is_shown_once_and_revokes_it(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    async with a_desk(app, "lead") as desk:
        page = await desk.get("/console/kiosks")
        assert "1号窗口" in page.text and "2号窗口" not in page.text
        form = {"window": f"{HOUSING}-A1", "id": ""}
        issued = await desk.post("/console/kiosks/issue", **form)
        (address,) = re.findall(r'readonly autocomplete="off" value="([^"]+)"', issued.text)
        assert issued.status_code == 200 and address.startswith("http://pj.test/kiosk/open/")
        again = await desk.post("/console/kiosks/issue", **form)
        assert again.status_code == 409 and "刚才有改动" in again.text, "a reload"
        page = await desk.get("/console/kiosks")
        assert address.rpartition("/")[2] not in page.text and "还没打开过" in page.text
        (row,) = await sql.fetch("SELECT * FROM kiosks")
        async with tablet(app, address.rpartition("/")[2]) as client:
            assert (await client.get("/kiosk")).status_code == 200
            assert "在线" in (await desk.get("/console/kiosks")).text
            revoke = form | {"id": row["id"].hex}
            stale = await desk.post("/console/kiosks/revoke", **revoke | {"csrf": "x"})
            assert stale.status_code == 403
            done = await desk.post("/console/kiosks/revoke", **revoke)
            assert done.status_code == 303
            assert (await client.get("/kiosk/state")).status_code == 403
        twice = await desk.post("/console/kiosks/revoke", **revoke)
        assert twice.status_code == 409
    assert row["issued_by"]


async def test_a_key_is_issued_by_the_admin_of_the_region_or_the_lead_of_the_agency(
    app: object, http: httpx.AsyncClient, city: City
) -> None:
    both = (f"{HOUSING}-A1", f"{LABOUR}-B1")
    for role, region, agency, allowed in (
        (Role.ADMIN, REGION, None, both), (Role.ADMIN, DISTRICT, None, both[1:]),
        (Role.AGENCY_LEAD, REGION, LABOUR, both[1:]),
    ):  # fmt: skip
        await sql.fetch("TRUNCATE kiosks")
        async with signed_in(app, role, region, agency) as desk:
            page = await desk.get("/console/kiosks")
            for window in (*both, "x", "", f"{HOUSING}-ZZ"):
                answer = await desk.post("/console/kiosks/issue", window=window, id="")
                assert answer.status_code == (200 if window in allowed else 404), (role, window)
                if window:
                    assert (f'value="{window}"' in page.text) is (window in allowed)
                await desk.get("/console/kiosks")
    for username in ("handler", "supervisor", "auditor"):
        async with a_desk(app, username) as desk:
            assert (await desk.get("/console/kiosks")).status_code == 403
            for act in ("issue", "revoke"):
                refused = await desk.post(f"/console/kiosks/{act}", window=both[0], id="")
                assert refused.status_code == 403


async def test_the_list_is_searched_and_turned(app: object, city: City) -> None:
    await sql.fetch(
        "INSERT INTO windows (code, hall_code, agency_code, name, active) "
        "SELECT 'N' || n, 'H1', $1, '新窗口' || n, TRUE FROM generate_series(100, 199) n",
        HOUSING,
    )
    await catalogue.load()
    async with a_desk(app, "lead") as desk:
        first = await desk.get("/console/kiosks")
        assert "共 101 个窗口" in first.text and first.text.count("发密钥</button>") == 50
        (last,) = re.findall(r'href="(/console/kiosks\?page=2)"', first.text)
        assert (await desk.get(last)).text.count("发密钥</button>") == 50
        found = await desk.get("/console/kiosks", q="市民中心 新窗口17")
        assert "找到 10 个窗口" in found.text
        for page in ("0", "-1", "x", "9" * 9, "99999"):
            assert (await desk.get("/console/kiosks", page=page)).status_code == 200
