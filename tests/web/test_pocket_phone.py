"""The demo's phone: what came to it, and answers that go the provider's way."""

import dataclasses
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from factories import HOUSING, MATTER, City
from playwright.async_api import Browser
from web.message_room import NOTICE, PHONE, a_message

from server.app import create_app
from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import vault
from server.messages import inbox
from server.messages.models import Incoming, Push
from server.messages.rules import MessageState
from server.settings import Settings

HTML = {"Accept": "text/html"}
API = f"/demo/phone/{PHONE}"
HOSTILE = "<script>alert('q7')</script>{{ 7*7 }}</li>"


@pytest.fixture
async def line(app: Any, city: City, live: str) -> AsyncIterator[None]:
    """The provider reaches the callback on a real port."""
    provider = app.ctx.provider
    before, provider.base_url = provider.base_url, live
    yield
    provider.base_url = before


async def pushes() -> list[list[dict[str, Any]]]:
    return [json.loads(vault().unseal(p.body, "push")) for p in await Push.all().order_by("id")]


# For programs


async def test_a_phone_shows_what_was_sent_to_it_and_nothing_else(
    http: httpx.AsyncClient, city: City
) -> None:
    start = clock.now().replace(microsecond=250_000)
    await a_message(text="第二条", state=MessageState.DELIVERED, at=start)
    await a_message(text="第一条", state=MessageState.SENT, at=start - timedelta(minutes=1))
    await a_message(text="别人的", phone="13900139000")
    for state in set(MessageState) - {MessageState.SENT, MessageState.DELIVERED}:
        await a_message(text="没有发出", state=state)
    await a_message(text=None)

    answer = await http.get(f"{API}/messages")

    assert answer.headers["content-type"] == "application/json"
    assert [item["text"] for item in answer.json()] == ["第一条", "第二条"]
    assert answer.json()[1] == {"at": start.replace(microsecond=0).isoformat(), "text": "第二条"}
    assert datetime.fromisoformat(answer.json()[0]["at"]).utcoffset() == timedelta(hours=8)


async def test_an_unknown_phone_is_empty_and_no_phone_is_refused(
    http: httpx.AsyncClient, city: City
) -> None:
    for phone in ("13700000000", "%2B85261234567", "138 0013 8000", "+8613800138000"):
        assert (await http.get(f"/demo/phone/{phone}/messages")).json() == []
    for phone in ("1", "12345678901", "x", "%00", "😀", "'--", "1" * 400):
        for answer in (
            await http.get(f"/demo/phone/{quote(phone, safe='%')}/messages"),
            await http.post(f"/demo/phone/{quote(phone, safe='%')}/replies", json={"text": "1"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_phone"), phone


async def test_a_reply_goes_over_the_network_into_the_callback(
    http: httpx.AsyncClient, line: None
) -> None:
    clock.advanced += timedelta(days=3)
    text = f"B 排队两个小时 😀 {HOSTILE}"

    answer = await http.post(f"{API}/replies", json={"text": text})

    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "接收成功"})
    ((item,),) = await pushes()
    assert {"phone_number", "content", "send_time", "dest_code", "sequence_id"} == item.keys()
    assert (item["phone_number"], item["content"]) == (PHONE, text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", item["send_time"])
    sent = datetime.fromisoformat(f"{item['send_time']}+08:00")
    assert timedelta() <= clock.now() - sent < timedelta(seconds=3)
    assert await inbox.read() == 1 and (await Incoming.get()).at == sent


async def test_every_reply_has_its_own_number(http: httpx.AsyncClient, line: None) -> None:
    for text in ("1", "2", "2"):
        assert (await http.post(f"{API}/replies", json={"text": text})).status_code == 200
        clock.advanced += timedelta(seconds=1)

    assert len({item["sequence_id"] for (item,) in await pushes()}) == 3
    assert await inbox.read() == 3


@pytest.mark.parametrize("body", [{"text": ""}, {"text": " \u3000\u200b"}, {"text": "长" * 501}])
async def test_nothing_and_too_much_are_refused(
    http: httpx.AsyncClient, line: None, body: dict[str, str]
) -> None:
    answer = await http.post(f"{API}/replies", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_text")
    assert await Push.all().count() == 0


async def test_a_body_of_another_shape_is_refused(http: httpx.AsyncClient, line: None) -> None:
    for body in (b"", b"[]", b'{"text": 1}', b'{"words": "1"}', b'{"text": "\xff"}'):
        answer = await http.post(
            f"{API}/replies", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
    plain = await http.post(f"{API}/replies", content=b"1", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415 and await Push.all().count() == 0


async def test_the_callbacks_no_is_handed_on(
    http: httpx.AsyncClient, app: Any, line: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.ctx.provider, "_path", f"/callbacks/sms/{'x' * 32}/up")
    assert (await http.post(f"{API}/replies", json={"text": "1"})).status_code == 404
    page = await http.post("/demo/phone", data={"phone": PHONE, "text": "想说的话"}, headers=HTML)
    assert page.status_code == 503 and 'value="想说的话"' in page.text, "nothing typed is lost"

    app.ctx.provider.base_url = "http://127.0.0.1:9"
    nobody = await http.post(f"{API}/replies", json={"text": "1"})
    assert (nobody.status_code, nobody.json()["code"]) == (503, "unavailable")


async def test_outside_the_demo_there_is_no_phone(servers: Settings) -> None:
    plain = create_app(dataclasses.replace(servers, demo=False), name="nophone")

    assert not [route.path for route in plain.router.routes if route.path.startswith("demo")]


# For people


async def test_the_page_shows_both_sides_of_the_talk_in_their_order(
    http: httpx.AsyncClient, line: None
) -> None:
    await a_message(at=clock.now() - timedelta(minutes=1))
    sent = await http.post("/demo/phone", data={"phone": "138 0013 8000", "text": "1"})
    assert (sent.status_code, sent.headers["location"]) == (303, f"/demo/phone?phone={PHONE}")
    waiting = await http.get(sent.headers["location"])
    assert "待读取" in waiting.text, "also before the worker has read it"

    await inbox.read()
    clock.advanced += timedelta(seconds=5)
    await a_message(text="【云汀政务】请问哪里不满意？A原因 B其他")
    page = (await http.get("/demo/phone", params={"phone": PHONE})).text

    shown = re.findall(r'<li(?: class="(mine)")?><p class="words">([^<]*)</p>', page)
    assert shown == [("", NOTICE), ("mine", "1"), ("", "【云汀政务】请问哪里不满意？A原因 B其他")]


async def test_hostile_words_are_shown_and_not_run(http: httpx.AsyncClient, line: None) -> None:
    await a_message(text=HOSTILE)
    await http.post("/demo/phone", data={"phone": PHONE, "text": HOSTILE})
    await inbox.read()

    page = (await http.get("/demo/phone", params={"phone": PHONE})).text

    assert "<script>alert" not in page and page.count("&lt;script&gt;alert") == 2
    assert "{{ 7*7 }}" in page and len(re.findall(r"<li[ >]", page)) == page.count("</li>")
    odd = await http.get("/demo/phone", params={"phone": f'"><script>{PHONE}'})
    assert odd.status_code == 422 and "<script>1" not in odd.text


@pytest.mark.parametrize("given", [
    {"phone": "", "text": "1"}, {"phone": "123", "text": "1"}, {"phone": PHONE, "text": " "},
    {"phone": PHONE, "text": "长" * 501}, {},
])  # fmt: skip
async def test_a_wrong_form_says_so_and_sends_nothing(
    http: httpx.AsyncClient, line: None, given: dict[str, str]
) -> None:
    answer = await http.post("/demo/phone", data=given, headers=HTML)

    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert await Push.all().count() == 0


async def test_the_phone_of_the_newest_receipt_lies_on_the_table(
    http: httpx.AsyncClient, city: City
) -> None:
    assert "还没有人留过手机号" in (await http.get("/demo/phone")).text
    window = {"window": f"{HOUSING}-A1", "matter": MATTER}
    with_phone = await http.post("/demo", data=window | {"phone": "199 0000 0001"}, headers=HTML)
    without = await http.post("/demo", data=window | {"phone": ""}, headers=HTML)

    assert "19900000001</p>" in (await http.get("/demo/phone")).text
    slip = await http.get(with_phone.headers["location"])
    assert "/demo/phone?phone=19900000001" in slip.text
    assert "/demo/phone?" not in (await http.get(without.headers["location"])).text
    assert "/demo/phone" in (await http.get("/demo")).text


async def test_the_clock_is_set_forward_without_leaving_the_phone(
    http: httpx.AsyncClient, city: City
) -> None:
    for to, least, most in (("step", 15 * 60, 15 * 60 + 5), ("morning", 0, 86_400)):
        before = clock.now()
        answer = await http.post("/demo/phone/clock", data={"phone": PHONE, "to": to})
        assert answer.headers["location"] == f"/demo/phone?phone={PHONE}"
        assert least <= (clock.now() - before).total_seconds() <= most
    assert (clock.now().hour, clock.now().minute) == (9, 0)
    strange = await http.post("/demo/phone/clock", data={"phone": "//evil.test", "to": "step"})
    assert strange.headers["location"] == "/demo/phone?phone="


@pytest.mark.browser
async def test_messages_come_by_themselves_and_leave_alone_what_is_being_typed(
    live: str, browser: Browser, city: City
) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await a_message(text="第一条")
    await page.goto(f"{live}/demo/phone?phone={PHONE}")
    await page.fill("#text", "打到一半")

    await a_message(text=f"第二条{HOSTILE}", at=clock.now() + timedelta(seconds=1))
    await page.wait_for_selector("#bubbles li:nth-child(2)")

    assert await page.input_value("#text") == "打到一半"
    assert HOSTILE in await page.inner_text("#bubbles li:nth-child(2)")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []
    await context.close()


async def test_no_phone_of_the_demo_stands_in_a_table_unsealed(
    http: httpx.AsyncClient, line: None
) -> None:
    await http.post(f"{API}/replies", json={"text": "1"})
    await inbox.read()
    for table in ("sms_pushes", "sms_replies", "sms_phones"):
        rows = await sql.fetch(f"SELECT t::text AS row FROM {table} t")
        assert rows and not [row for row in rows if PHONE in row["row"]]
