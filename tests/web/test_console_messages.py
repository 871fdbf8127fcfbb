"""The operator's room of messages: what each role sees and does there."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from factories import DISTRICT, HOUSING, LABOUR, REGION, City, credentials
from playwright.async_api import Browser
from web.console_desk import a_desk
from web.message_room import (
    NOTICE,
    PHONE,
    a_message,
    a_stray_reply,
    an_opt_out,
    an_unreadable_item,
    hire,
    some_of_each,
)

from server.catalogue import service as catalogue
from server.catalogue.models import Policy
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.messages import desk as room
from server.messages.models import Incoming, Message, Phone, SetAside
from server.messages.rules import FOR_A_PERSON, MessageState, Outcome
from server.people.models import AccessLog
from server.people.rules import Role
from server.people.service import Member
from server.reviews.models import Question
from server.web import message_rows
from server.web.message_words import MEANINGS, REASONS, yuan
from sms import callbacks
from sms.gateway import RETRY

ROOM = "/console/messages"
LISTS = ("", "/dead", "/replies", "/set-aside", "/opt-outs", "/costs")
_TAB = re.compile(r'<a href="(/console/messages[a-z/-]*)"[^>]*>\S+ <b>(\d+)</b>')
_HEADING = re.compile(r'<h2 id="list">\D*(\d+) [件条个]</h2>')


def rows(answer: httpx.Response) -> int:
    body = answer.text.partition("<tbody")[2].partition("</tbody>")[0]
    return body.count("<tr")


def tabs(answer: httpx.Response) -> dict[str, int]:
    return {
        address.removeprefix(ROOM): int(number) for address, number in _TAB.findall(answer.text)
    }


@pytest.fixture
async def admin(city: City) -> str:
    await hire("admin", Role.ADMIN)
    return "admin"


# Who comes in


@pytest.mark.parametrize("username", ["handler", "lead", "desk"])
async def test_an_agency_has_no_such_room(app: object, city: City, username: str) -> None:
    number = await a_stray_reply()
    async with a_desk(app, username) as desk:
        assert ROOM not in (await desk.get("/console")).text
        for address in LISTS:
            assert (await desk.get(ROOM + address)).status_code == 403
        refused = await desk.post(f"{ROOM}/replies/handle", id=str(number), text="看过")
        assert refused.status_code == 403
    assert (await Incoming.get()).handled_at is None
    assert await AccessLog.all().count() == 0


@pytest.mark.parametrize("username", ["supervisor", "auditor"])
async def test_who_watches_reads_and_changes_nothing(
    app: object, city: City, username: str
) -> None:
    await some_of_each()
    key = vault().fingerprint(PHONE, "phone")
    async with a_desk(app, username) as desk:
        for address in LISTS:
            page = await desk.get(ROOM + address)
            assert page.status_code == 200
            assert page.text.count('method="post"') == 1, "only the way out"
        for act, given in (
            ("dead/resend", str(new_id())), ("replies/handle", "1"), ("set-aside/handle", "1"),
            ("opt-outs/restore", key),
        ):  # fmt: skip
            answer = await desk.post(f"{ROOM}/{act}", id=given, text="好")
            assert answer.status_code == 403
    assert (await Phone.get()).opted_out_at is not None


async def test_the_administrators_first_page_is_this_room(app: object, admin: str) -> None:
    async with a_desk(app, admin) as desk:
        assert (await desk.get("/console")).headers["location"] == ROOM
        assert "还没有配置短信网关" in (await desk.get(ROOM)).text


async def test_nothing_is_done_without_the_forms_token(app: object, admin: str) -> None:
    number, item, key = await a_stray_reply(), await an_unreadable_item("x"), await an_opt_out()
    message = await a_message(state=MessageState.DEAD, code="isv.OUT_OF_SERVICE")
    async with a_desk(app, admin) as desk:
        for act, given in (
            ("dead/resend", message), ("replies/handle", number), ("set-aside/handle", item),
            ("opt-outs/restore", key),
        ):  # fmt: skip
            answer = await desk.post(f"{ROOM}/{act}", id=str(given), text="好", csrf="x" * 22)
            assert answer.status_code == 403, act
    assert (await Incoming.get()).handled_at is None and (await SetAside.get()).handled_at is None
    assert (await Phone.get()).opted_out_at and (await Message.get()).state == MessageState.DEAD


async def test_who_watches_a_district_sees_the_district(app: object, city: City) -> None:
    await hire("county", Role.SUPERVISOR, DISTRICT)
    await some_of_each()
    question = new_id()
    await a_message(about=question, region_code=DISTRICT)
    await a_stray_reply("区里的回复", about=question, outcome=Outcome.UNCLEAR)
    async with a_desk(app, "county") as desk:
        page = await desk.get(ROOM)
        assert tabs(page) == {"/dead": 1, "/replies": 1}
        assert rows(page) == await Message.filter(region_code=DISTRICT).count()
        assert "区里的回复" in (await desk.get(f"{ROOM}/replies")).text
        for hidden in ("set-aside", "opt-outs"):
            assert rows(await desk.get(f"{ROOM}/{hidden}")) == 0
    async with a_desk(app, "supervisor") as desk:
        assert tabs(await desk.get(ROOM))["/replies"] == len(FOR_A_PERSON) + 1


# What stands there


async def test_every_count_is_the_length_of_its_list(app: object, admin: str) -> None:
    await some_of_each()
    async with a_desk(app, admin) as desk:
        first = await desk.get(ROOM)
        counts = tabs(first)
        assert counts == {
            "/dead": 3,
            "/replies": len(FOR_A_PERSON),
            "/set-aside": 2,
            "/opt-outs": 1,
        }
        for address, count in counts.items():
            page = await desk.get(ROOM + address)
            assert tabs(page) == counts
            assert rows(page) == count and f" {count} " in page.text.partition("<h2")[2][:60]
        assert f"发件 {await Message.all().count()} 件" in first.text
        for state in MessageState:
            page = await desk.get(ROOM, state=state)
            (counted,) = _HEADING.findall(page.text)
            assert rows(page) == int(counted) == await Message.filter(state=state).count()


async def test_a_message_stands_with_its_words_size_and_fate_but_not_its_phone(
    app: object, admin: str
) -> None:
    await a_message(text=NOTICE, state=MessageState.DELIVERED, code="DELIVERED")
    await a_message(text="【云汀政务】" + "字" * 80, phone="+85261234567")
    await a_message(text=None, state=MessageState.CANCELLED, code="opted_out")
    async with a_desk(app, admin) as desk:
        page = (await desk.get(ROOM)).text
    for shown in (NOTICE, "138****8000", f"{len(NOTICE)} 字，1 条", "86 字，2 条", "+85****4567"):
        assert shown in page
    for word in ("已送达", "办结通知", "住房保障局", "已按期清除", "本人已经退订（opted_out）"):
        assert word in page
    assert PHONE not in page and "61234567" not in page


async def test_the_citizens_query_code_stays_his(app: object, admin: str) -> None:
    code = "HV7K 48R3 XG90 SKKA"
    said = {"text": f"【云汀政务】已答复。查询编码{code}。", "variables": {"code": code}}
    await a_message(purpose="answer", **said)  # type: ignore[arg-type]
    await a_message(purpose="answer", state=MessageState.DEAD, code="x", **said)  # type: ignore[arg-type]
    async with a_desk(app, admin) as desk:
        for address in ("", "/dead"):
            page = (await desk.get(ROOM + address)).text
            assert "查询编码****。" in page and "HV7K" not in page


async def test_the_list_is_read_page_by_page_and_narrowed(app: object, admin: str) -> None:
    start = clock.now()
    for back in range(35):
        await a_message(text=f"第{back}件", at=start - timedelta(milliseconds=back // 2))
    await a_message(text="别的部门", agency_code=LABOUR, purpose="reason")
    await a_message(text="也是询问", purpose="reason_open")
    await a_message(text="上个月的", at=start - timedelta(days=32))
    async with a_desk(app, admin) as desk:
        seen: list[str] = []
        page = await desk.get(ROOM)
        while True:
            seen += re.findall(r"第(\d+)件", page.text)
            following = re.search(r'href="([^"]+)" accesskey="n"', page.text)
            if not following:
                break
            page = await desk.get(following[1].replace("&amp;", "&"))
        assert sorted(map(int, seen)) == list(range(35)) and "回到第一页" in page.text
        assert "上个月的" not in page.text
        assert rows(await desk.get(ROOM, agency=LABOUR)) == 1
        assert rows(await desk.get(ROOM, purpose="reason")) == 2, "one name, one choice"
        month = f"{start.astimezone(BEIJING) - timedelta(days=32):%Y-%m}"
        assert "上个月的" in (await desk.get(ROOM, month=month)).text


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "é", "MjAyNi0xMS0yMSAx", "9" * 300, "MDAwMS0wMS0wMQ"]
)
async def test_a_forged_cursor_leads_to_the_first_page(
    app: object, admin: str, cursor: str
) -> None:
    async with a_desk(app, admin) as desk:
        for address in LISTS[:-1]:
            answer = await desk.get(ROOM + address, cursor=cursor)
            assert answer.status_code == 303 and "cursor" not in answer.headers["location"]


async def test_odd_choices_show_what_no_choice_shows(app: object, admin: str) -> None:
    await a_message()
    async with a_desk(app, admin) as desk:
        for odd in ("x", "2026-13", "' OR 1=1 --", "\u0000", "😀" * 30):
            page = await desk.get(ROOM, month=odd, state=odd, purpose=odd)
            assert (page.status_code, rows(page)) == (200, 1)
            assert (await desk.get(ROOM, agency=odd)).status_code in (200, 422)
            assert (await desk.get(f"{ROOM}/costs", agency=odd, month=odd)).status_code in (
                200,
                422,
            )


async def test_what_came_in_is_shown_and_not_run(app: object, admin: str) -> None:
    hostile = "<script>alert('q7')</script>{{ 7*7 }} 打13900001111找我"
    await a_stray_reply(hostile)
    await an_unreadable_item({"content": hostile + "\ud800", "phone_number": 13900001111})
    await an_unreadable_item([["8613900001111"]])
    await a_message(text=hostile)
    async with a_desk(app, admin) as desk:
        for address in ("/replies", "/set-aside"):
            page = (await desk.get(ROOM + address)).text
            assert "&lt;script&gt;alert(" in page and "{{ 7*7 }}" in page
            assert "<script>alert" not in page and "13900001111" not in page
        assert "<script>alert" not in (await desk.get(ROOM)).text


# What is done there


async def test_a_dead_letter_is_explained_and_sent_again(app: object, admin: str) -> None:
    message = await a_message(state=MessageState.DEAD, code="isv.SMS_SIGNATURE_ILLEGAL", tries=1)
    late = clock.now() - timedelta(hours=1)
    await a_message(state=MessageState.DEAD, code="isv.OUT_OF_SERVICE", not_after=late)
    async with a_desk(app, admin) as desk:
        page = (await desk.get(f"{ROOM}/dead")).text
        assert "签名没有审核通过" in page and "核对签名" in page and "试了 1 次" in page
        assert page.count("/dead/resend") == 1 and "已过时限" in page
        done = await desk.post(f"{ROOM}/dead/resend", id=str(message))
        assert (done.status_code, done.headers["location"]) == (303, f"{ROOM}/dead?done=resend")
        assert "已交去重新发送" in (await desk.get(done.headers["location"])).text
        assert (await Message.get(id=message)).state == MessageState.QUEUED
        assert (await desk.post(f"{ROOM}/dead/resend", id=str(message))).status_code == 409
        for wrong in ("", "x", str(new_id())):
            assert (await desk.post(f"{ROOM}/dead/resend", id=wrong)).status_code == 404
        clock.advanced += timedelta(days=8)
        await desk.sign_in(admin)
        assert "没有发不出去的短信" in (await desk.get(f"{ROOM}/dead")).text
    jobs = await sql.fetch("SELECT convert_from(payload, 'UTF8') AS p FROM pgqueuer")
    assert [row["p"] for row in jobs] == [f'{{"message": "{message.hex}"}}']
    assert await AccessLog.filter(action="resend_message").count() == 1


async def test_a_district_does_not_resend_for_the_city(app: object, city: City) -> None:
    await hire("county", Role.ADMIN, DISTRICT)
    message = await a_message(state=MessageState.DEAD, code="isv.OUT_OF_SERVICE")
    key, reply = await an_opt_out(), await a_stray_reply()
    async with a_desk(app, "county") as desk:
        assert (await desk.post(f"{ROOM}/dead/resend", id=str(message))).status_code == 404
        handled = await desk.post(f"{ROOM}/replies/handle", id=str(reply), text="看过")
        restored = await desk.post(f"{ROOM}/opt-outs/restore", id=key, text="要求")
        assert (handled.status_code, restored.status_code) == (409, 409)
    assert (await Message.get()).state == MessageState.DEAD
    assert (await Phone.get()).opted_out_at is not None


async def test_a_reply_shows_the_matter_it_meant_and_is_closed_with_a_note_alone(
    http: httpx.AsyncClient, app: object, city: City, admin: str
) -> None:
    receipt, now = await city.receipt(http), clock.now()
    question = await Question.create(
        id=new_id(), region_code=REGION, agency_code=HOUSING, phone_key="k" * 22, asking="level",
        receipt_id=int(receipt["receipt_id"]), state="handed_over", due_at=now, give_up_at=now,
    )  # fmt: skip
    number = await a_stray_reply("还行吧你们", outcome=Outcome.UNCLEAR, about=question.id)
    async with a_desk(app, admin) as desk:
        page = await desk.get(f"{ROOM}/replies")
        for shown in ("还行吧你们", "公租房申请", "住房保障局", "138****8000", "看不明白"):
            assert shown in page.text
        fields = set(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', page.text))
        assert fields == {"csrf", "id", "text"}, "nowhere a level"
        blank = await desk.post(f"{ROOM}/replies/handle", id=str(number), text=" \u3000")
        assert blank.status_code == 422 and "请写明怎样处理的" in blank.text
        long = await desk.post(f"{ROOM}/replies/handle", id=str(number), text="长" * 501)
        assert long.status_code == 422 and "长" * 501 in long.text
        done = await desk.post(
            f"{ROOM}/replies/handle", id=str(number), text="已电话说明", level="5"
        )
        assert done.status_code == 303
        assert "没有要人看的回复" in (await desk.get(f"{ROOM}/replies")).text
        again = await desk.post(f"{ROOM}/replies/handle", id=str(number), text="再来")
        assert again.status_code == 409
    row = await Incoming.get()
    assert (row.note, row.outcome, row.handled_by) == (
        "已电话说明",
        Outcome.UNCLEAR,
        await _id(admin),
    )
    assert await sql.fetch("SELECT 1 FROM reviews") == []


async def _id(username: str) -> int:
    (row,) = await sql.fetch("SELECT id FROM staff WHERE username = $1", username)
    return int(row["id"])


async def test_of_many_who_close_a_reply_at_once_all_but_one_are_told(
    app: object, admin: str
) -> None:
    number = await a_stray_reply()
    member = Member(await _id(admin), admin, Role.ADMIN, None, REGION)
    sight = room.Sight.of(member)
    notes = [f"第{n}位" for n in range(8)]

    told = await asyncio.gather(
        *(room.handle_reply(sight, number, member, note, clock.now()) for note in notes),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in told) == ["AlreadyHandled"] * 7 + ["NoneType"]
    assert (await Incoming.get()).note == notes[told.index(None)]


async def test_reading_replies_is_written_down_before_they_are_shown(
    app: object, city: City
) -> None:
    async with a_desk(app, "auditor") as desk:
        await desk.get(f"{ROOM}/replies")
        await desk.get(f"{ROOM}/set-aside")
        assert await AccessLog.all().count() == 0, "nothing was shown"
        first, second = await a_stray_reply(), await a_stray_reply()
        await an_unreadable_item("x")
        await desk.get(f"{ROOM}/replies")
        await desk.get(f"{ROOM}/set-aside")
        log = await AccessLog.all().order_by("id")
        assert [entry.action for entry in log] == ["read_replies", "read_set_aside"]
        assert log[0].subject == f"{second}–{first}，2 条"
        seen = (await desk.get("/console/audit")).text
        assert "查看未对上的短信回复" in seen and PHONE not in seen


async def test_an_unreadable_item_is_shown_without_its_numbers_and_put_away(
    app: object, admin: str
) -> None:
    item = await an_unreadable_item({"phone_number": 13800138000, "content": "1"}, place=3)
    async with a_desk(app, admin) as desk:
        page = (await desk.get(f"{ROOM}/set-aside")).text
        assert "第 4 条" in page and "不是一个 JSON 对象" in page and "phone_number" in page
        assert PHONE not in page
        assert (await desk.post(f"{ROOM}/set-aside/handle", id=str(item))).status_code == 303
        assert (await desk.post(f"{ROOM}/set-aside/handle", id=str(item))).status_code == 409
        assert (await desk.post(f"{ROOM}/set-aside/handle", id="-1")).status_code == 404
    assert (await SetAside.get()).handled_by == await _id(admin)


async def test_an_opt_out_is_lifted_for_a_reason_that_is_logged(app: object, admin: str) -> None:
    key = await an_opt_out()
    async with a_desk(app, admin) as desk:
        blank = await desk.post(f"{ROOM}/opt-outs/restore", id=key, text="")
        assert blank.status_code == 422 and (await Phone.get()).opted_out_at
        assert "138****8000" in blank.text and PHONE not in blank.text
        done = await desk.post(f"{ROOM}/opt-outs/restore", id=key, text="本人来电要求")
        assert done.status_code == 303 and (await Phone.get()).opted_out_at is None
        again = await desk.post(f"{ROOM}/opt-outs/restore", id=key, text="再来")
        assert again.status_code == 409
    entry = await AccessLog.get()
    assert (entry.action, entry.subject, entry.reason) == (
        "restore_phone", "138****8000", "本人来电要求",
    )  # fmt: skip


# What it costs


async def test_costs_are_parts_times_the_regions_price(app: object, admin: str) -> None:
    await Policy.filter(region_code=REGION).update(message_price=45)
    await Policy.create(region_code=DISTRICT, message_price=50)
    await catalogue.load()
    for _ in range(3):
        await a_message(parts=2)
    await a_message(agency_code=LABOUR, region_code=DISTRICT, state=MessageState.FAILED)
    await a_message(state=MessageState.QUEUED)
    await a_message(state=MessageState.DEAD, code="x")
    await a_message(parts=100, at=clock.now() - timedelta(days=32))
    async with a_desk(app, admin) as desk:
        page = await desk.get(f"{ROOM}/costs")
        lines = re.findall(r'class="sum">([\d.,]+)</td>', page.text)
        assert lines == ["3", "6", "0.270", "1", "1", "0.050", "4", "7", "0.320"]
        months = await desk.get(f"{ROOM}/costs", agency=HOUSING)
        assert re.findall(r'class="sum">([\d.,]+)</td>', months.text)[:6] == [
            "3", "6", "0.270", "1", "100", "4.500",
        ]  # fmt: skip


def test_a_sum_shows_every_thousandth() -> None:
    assert [yuan(n) for n in (0, 45, 1000, 1_234_567)] == ["0.000", "0.045", "1.000", "1,234.567"]


def test_months_go_back_a_year_over_its_end() -> None:
    choices = message_rows.months(datetime(2027, 1, 31, 23, 0, tzinfo=BEIJING))
    assert [m.key for m in choices][:3] == ["2027-01", "2026-12", "2026-11"]
    assert choices[-1].key == "2026-01"
    assert choices[1].until == choices[0].since == datetime(2027, 1, 1, tzinfo=BEIJING)


def test_every_known_code_has_a_meaning_for_a_person() -> None:
    assert set(RETRY) <= MEANINGS.keys()
    assert all(MEANINGS[code].do for code in RETRY)


def test_every_reason_of_a_set_aside_item_is_said_in_chinese() -> None:
    said = set(re.findall(r'_Bad\("([^"]+)"\)', Path(callbacks.__file__).read_text()))
    assert said and said <= REASONS.keys()


# In a browser


@pytest.mark.browser
async def test_the_room_works_without_scripts_and_no_page_of_it_scrolls_sideways(
    app: object, admin: str, live: str, browser: Browser
) -> None:
    await some_of_each()
    await a_stray_reply("https-" + "很长" * 60 + "x" * 200)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{live}{ROOM}/replies")
    for name, value in credentials(admin).items():
        await page.fill(f"#{name}", value)
    await page.press("#totp", "Enter")
    await page.wait_for_url(f"**{ROOM}/replies")
    for address in LISTS:
        for large in (0, 1):
            await page.goto(f"{live}{ROOM}{address}?large={large}")
            for width in (390, 1280):
                await page.set_viewport_size({"width": width, "height": 800})
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (address, large, width, wide)
    await page.goto(f"{live}{ROOM}/replies")
    await page.get_by_label("怎样处理的").first.fill("已电话说明")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**done=handle")
    assert await Incoming.filter(note="已电话说明").count() == 1
    await context.close()
