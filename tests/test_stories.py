"""The closed loop as six places tell it, from outside: HTTP, phones, and the clock."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from factories import COMMON_MATTER, DESK, HOUSING, LABOUR, City
from httpx import AsyncClient
from phones import policy
from stories.town import DAY, MONDAY, UNDO, Town, at
from web.console_desk import a_desk

from server.catalogue.sheets import import_sheets, national_tags
from server.kit import sql
from server.kit.clock import clock
from server.people.rules import Role

PHONE = "13800138000"
NAMED = {"name": "王小明", "phone": "13911112222"}


@pytest.fixture
async def town(http: AsyncClient, city: City) -> AsyncIterator[Town]:
    clock.advanced += MONDAY - clock.now()
    await sql.fetch("DELETE FROM tags")
    await import_sheets({"tags": national_tags()}, by="test")
    await policy(invite_minutes=0, remind_hours=0)
    yield Town(http, city)


def day_of(moment: str) -> tuple[int, int]:
    date = datetime.fromisoformat(moment)
    return date.month, date.day


async def tag_of(town: Town, code: str, level: int) -> str:
    levels = (await town.http.get(f"/api/v1/e/{code}")).json()["levels"]
    (found,) = [one for one in levels if one["level"] == level]
    return str(found["tags"][0]["code"])


async def test_guangdong(town: Town) -> None:
    """差评须选标签或填写原因，工单转承办机构限时回复整改；七个自然日不评的记为默认评价。"""
    await policy(default_rating=True, sms=False)
    silent, late, busy = [await town.served(applicant=None) for _ in range(3)]
    tag = await tag_of(town, busy.code, 2)
    without = await busy.tries(level=2, tags=[], comment=" ")
    assert (without.status_code, without.json()["code"]) == (422, "reason_required")
    taken = await busy.rates(2, tags=[tag])
    assert day_of(taken["work_order"]["due_at"]) == (9, 14), "five working days"

    inbox = await town.reads("handler", "work-orders")
    assert [(o["number"], day_of(o["next_due_at"])) for o in inbox["items"]] == [
        (busy.number, (9, 8))
    ]
    assert (await busy.track())["work_order"]["due_at"] == inbox["items"][0]["due_at"]
    await town.does("handler", busy.number, "accept")
    await town.until(at(11))
    await town.does("handler", busy.number, "answer", disposition="fixed", text="已增设两个窗口")
    assert "已增设两个窗口" in await busy.words()
    closed = await busy.says("confirmation", satisfied=True)
    assert closed["work_order"]["state"] == "closed"

    assert await silent.audited() == await late.audited() == []
    await town.until(at(14, 23))
    assert await silent.audited() == [], "the last of the seven days is his"
    await town.until(at(15))
    for one in (silent, late):
        assert await one.audited() == [(3, "system", "default")]
        shown = await one.invitation()
        assert (shown["state"], day_of(shown["open_until"])) == ("open", (10, 14))
    assert (await town.reads("handler", "work-orders?state=assigned"))["items"] == []

    await town.until(at(30))
    own = await late.rates(1, comment="等了三个小时")
    assert own["work_order"] is not None
    assert set(await late.audited()) == {(3, "system", "excluded"), (1, "receipt_qr", "standing")}
    await town.until(at(15, month=10))
    gone = await silent.tries(level=1, tags=[], comment="太晚了")
    assert (gone.status_code, gone.json()["code"]) == (410, "review_closed")
    assert await silent.audited() == [(3, "system", "default")]


async def test_the_state_council(town: Town) -> None:
    """一次一评；谁办理谁负责，专人回访核实；立行立改、建立台账、解释说明；反馈；实名差评回访整改率 100 %。"""
    await policy(sms=False)
    named = {"real_name": True, "contact": NAMED}
    simple, complex_, groundless = [await town.served() for _ in range(3)]
    for one in (simple, complex_, groundless):
        await one.rates(1, comment="取号机坏了，等了一上午", wait=False, **named)
        twice = await one.tries(level=5, tags=[])
        assert (twice.status_code, twice.json()["code"]) == (409, "already_reviewed")
    await town.passes(UNDO)
    orders = [simple.number, complex_.number, groundless.number]

    assert sorted(await town.view("lead", "verify")) == sorted(orders)
    assert (await _rate(town))[:2] == (0, 3)
    for number in orders:
        await town.does("handler", number, "accept")
        found = {"finding": "true", "how": "records", "text": "查了当日取号记录"}
        assert (await town.does("handler", number, "verify", **found))["verified_as"] == "true"
    assert await town.view("lead", "verify") == []

    fixed = {"disposition": "fixed", "text": "取号机当天修好"}
    await town.does("handler", simple.number, "answer", **fixed)
    planned = await town.does(
        "lead", complex_.number, "plan", text="更换全部取号机", until="2026-09-25"
    )
    assert day_of(planned["due_at"]) == (9, 25)
    assert day_of((await complex_.track())["work_order"]["due_at"]) == (9, 25)
    explained = {
        "disposition": "explained", "text": "取号规则由条例规定", "legal_basis": "《条例》第三条",
    }  # fmt: skip
    await town.does("handler", groundless.number, "answer", **explained)
    shown = await groundless.track()
    assert shown["awaiting_you"] == "confirmation"
    assert "取号规则由条例规定" in await groundless.words()
    await simple.track()

    await town.until(at(16))
    assert (await simple.track())["work_order"]["state"] == "answered", "nobody has called him"
    assert simple.number in await town.view("supervisor", "untold")
    for one in (simple, groundless):
        person = await town.does("handler", one.number, "reveal", reason="电话回访")
        assert person["phone"] == NAMED["phone"]
        await town.does(
            "handler", one.number, "call-back", reached=True, satisfied=True, told_answer=True
        )
    assert (await _rate(town))[:2] == (2, 3)
    await town.passes(DAY)
    for one in (simple, groundless):
        shown = await one.track()
        assert shown["work_order"]["state"] == "closed", one
    await town.until(at(24))
    await town.does("handler", complex_.number, "answer", disposition="fixed", text="全部更换")
    await town.does(
        "handler", complex_.number, "call-back", reached=True, satisfied=True, told_answer=True
    )
    assert (await complex_.says("confirmation", satisfied=True))["work_order"]["state"] == "closed"
    done, whole, _ = await _rate(town)
    assert (done, whole) == (3, 3), "100 %"


async def _rate(town: Town) -> tuple[int, int, int]:
    found = await town.reads("supervisor", "call-backs")
    assert len(found["items"]) == found["all"] - found["done"]
    return found["done"], found["all"], found["overdue"]


async def test_guizhou(town: Town) -> None:
    """短信评价；差评进核实库逐一核实，仍不满意转督查督办，不作为的问责；后台匿名沟通；件件有回音。"""
    citizen = await town.served(applicant={"kind": 1, "name": "王小明", "phone": PHONE})
    await town.works()
    assert "公租房申请" in (await town.texts(PHONE))[-1]
    await town.replies(PHONE, "1")
    assert "请回复字母说明原因" in (await town.texts(PHONE))[-1]
    await town.replies(PHONE, "B 排队两个小时")
    await town.passes(UNDO)
    (number,) = await town.view("supervisor", "verify")
    await town.until(at(8))

    await town.does("handler", number, "accept")
    await town.does("handler", number, "ask", text="请问是哪个窗口？")
    await town.works()
    assert "请问是哪个窗口" in (await town.texts(PHONE))[-1]
    assert (await town.order("handler", number))["state"] == "asking"
    await town.until(at(9))
    await town.replies(PHONE, f"三号窗口，我是王小明，电话{PHONE}")
    order = await town.order("handler", number)
    said = order["steps"][-2]["words"] + order["steps"][-1]["words"]
    assert order["state"] == "accepted" and "三号窗口" in said
    assert PHONE not in str(order) and "王小明" not in str(order)
    verified = {"finding": "true", "how": "relay", "text": "三号窗口当日停开"}
    await town.does("handler", number, "verify", **verified)
    assert await town.view("supervisor", "verify") == []

    rounds = ("窗口已恢复", "已增派人员")
    for day, answer in zip((10, 14), rounds, strict=True):
        await town.until(at(day))
        await town.does("handler", number, "answer", disposition="fixed", text=answer)
        await town.works()
        assert answer in (await town.texts(PHONE))[-1], "every answer reaches him"
        await town.until(at(day + 1))
        await town.replies(PHONE, "不满意，还是没有解决")
        assert await town.view("supervisor", "contested") == [number]
        if answer == rounds[0]:
            await town.does("supervisor", number, "supervise", text="限三日内重新办理")
        assert await town.view("supervisor", "supervise") == [number]
    await town.does("supervisor", number, "rule", finding="accountable", text="两次答复均未解决")
    assert await town.view("supervisor", "supervise") == []
    (record,) = (await town.reads("supervisor", "accountability?open=true"))["items"]
    assert (record["order_number"], record["why"]) == (number, "ruled")
    assert record["agency_code"] == HOUSING
    followed = await town.http.post(
        f"/api/v1/accountability/{record['id']}/follow", json={"text": "已约谈负责人"},
        headers=await town.staff("supervisor"),
    )  # fmt: skip
    assert followed.status_code == 200, followed.text
    assert (await town.reads("auditor", "accountability?open=true"))["items"] == []
    assert (await citizen.audited())[0][0] == 1, "what was ruled does not change his rating"


async def _through_the_desk(town: Town, **review: Any) -> Any:
    """A matter without an agency: the hall's desk has it first, and the supervisor sends it on."""
    await town.hires("desk-lead", Role.AGENCY_LEAD, DESK)
    citizen = await town.served(matter_code=COMMON_MATTER)
    await citizen.rates(1, comment="问了三个窗口都说不归他们管", **review)
    number = citizen.number
    await town.does("desk", number, "accept")
    assert (await town.refused("desk", number, "reassign", agency_code=LABOUR))[0] == 403
    back = await town.does(
        "desk-lead", number, "return", agency_code=LABOUR, reason="事项由该部门主管"
    )
    assert (back["state"], back["proposed_agency_code"]) == ("returned", LABOUR)
    sent = await town.does("supervisor", number, "reassign", agency_code=LABOUR)
    assert (sent["agency_code"], sent["desk_agency_code"]) == (LABOUR, DESK)
    assert sent["due_at"] == back["due_at"], "what the citizen was promised stays"
    assert (await town.tries("desk", number, "accept")).status_code == 404
    await town.does("other", number, "accept")
    await town.does("other", number, "answer", disposition="explained", text="由本局受理")
    return citizen


async def test_zhejiang(app: object, town: Town) -> None:
    """抽查回访：登记“满意”而回访不满意的进核实库；一件事对受理台和责任部门各评一次；仍不满意进督办库。"""
    await policy(sample_permille=1000)
    pleased = await town.served(applicant={"kind": 1, "name": "王小明", "phone": PHONE})
    await town.works()
    await town.replies(PHONE, "5")
    await town.until(at(8))
    assert "确实满意吗" in (await town.texts(PHONE))[-1]
    await town.replies(PHONE, "不满意，其实没有办成")
    (number,) = await town.view("supervisor", "verify")
    order = await town.order("handler", number)
    assert (order["origin"], order["level"]) == ("sample", 5)
    assert "没有办成" in order["words"]
    assert await pleased.audited() == [(5, "sms", "standing")], "his rating is his"

    citizen = await _through_the_desk(town)
    shown = await citizen.track()
    assert (shown["rates"], shown["work_order"]["desk"]) == (["agency", "desk"], "大厅综合服务台")
    verdict = {"satisfied": False, "comment": "还是没有人管", "desk_satisfied": True}
    shown = await citizen.says("confirmation", **verdict)
    assert shown["work_order"]["state"] == "contested"
    assert await town.view("supervisor", "supervise") == [citizen.number]
    async with a_desk(app, "supervisor") as desk:
        page = (await desk.get(f"/console/orders/{citizen.number}")).text
    assert "第 1 次，对责任部门" in page and "大厅综合服务台" in page


async def test_jiangsu_12345(app: object, town: Town) -> None:
    """百分百回访，联系不上的改日再访；服务台转办的，服务台与责任部门都由群众评价。"""
    await policy(sms=False)
    named = {"real_name": True, "contact": NAMED}
    caller = await _through_the_desk(town, **named)
    hotline = await town.served(channel="hotline", window_code=None)
    await hotline.rates(2, comment="电话没有人接", **named)
    await town.does("handler", hotline.number, "accept")
    await town.does("handler", hotline.number, "answer", disposition="fixed", text="已加开座席")
    assert (await _rate(town))[:2] == (0, 2)

    talk = {"reached": True, "satisfied": False, "told_answer": True, "text": "群众仍要求书面答复"}
    await town.does("other", caller.number, "call-back", **talk)
    await town.passes(3 * DAY)
    for day in range(3):
        await town.does("handler", hotline.number, "call-back", reached=False, text="无人接听")
        again = await town.reads("lead", "call-backs")
        assert (again["done"], again["all"]) == (0, 1), f"day {day}: tried is not spoken with"
        assert [item["state"] for item in again["items"]] == ["unreachable"]
        await town.passes(DAY)
    await town.does(
        "handler", hotline.number, "call-back", reached=True, satisfied=True, told_answer=True
    )
    done, whole, overdue = await _rate(town)
    assert (done, whole, overdue) == (2, 2, 0)

    both = {"satisfied": True, "desk_satisfied": False, "comment": ""}
    closed = await caller.says("confirmation", **both)
    assert closed["work_order"]["state"] == "closed"
    async with a_desk(app, "supervisor") as desk:
        page = (await desk.get(f"/console/orders/{caller.number}")).text
    assert "不认可" in page and "大厅综合服务台" in page
    assert (await hotline.track())["work_order"]["state"] == "answered"
    assert (await hotline.says("confirmation", satisfied=True))["work_order"]["state"] == "closed"


async def test_dandong(app: object, town: Town) -> None:
    """首问负责，一经受理负责到底；“1、3、5”是政策的一行；处理结束及时销号，销号须有群众知晓的证据。"""
    await policy(contact_days=1, simple_days=3, complex_days=5)
    town.phones_are_on = False
    await town.hires("second", Role.HANDLER, HOUSING)
    citizen = await town.served()
    taken = await citizen.rates(1, comment="核名办了半年没有办成", contact=NAMED)
    number = citizen.number
    order = await town.order("handler", number)
    assert (day_of(order["next_due_at"]), day_of(order["due_at"])) == ((9, 8), (9, 10))
    assert day_of(taken["work_order"]["due_at"]) == (9, 10)

    await town.does("second", number, "accept")
    back = await town.does("lead", number, "return", agency_code=LABOUR, reason="涉及社保登记")
    assert day_of(back["next_due_at"]) == (9, 8), "ruled within a working day"
    again = {"agency_code": LABOUR, "reason": "还是觉得不归我们"}
    refused = await town.does("supervisor", number, "refuse", reason="首问部门负责到底")
    assert (refused["agency_code"], refused["state"]) == (HOUSING, "accepted")
    assert await town.refused("lead", number, "return", **again) == (409, "illegal_move")
    assert await _owner(number) == "second", "who was asked first has it to the end"
    await town.refused("lead", number, "plan", text="特事特办", until="2026-09-15")
    planned = await town.does("lead", number, "plan", text="特事特办", until="2026-09-14")
    assert day_of(planned["due_at"]) == (9, 14), "five working days for what is hard"
    await town.until(at(11))
    await town.does("lead", number, "answer", disposition="fixed", text="已核名")
    assert await _owner(number) == "second"

    await town.until(at(19))
    order = await town.order("lead", number)
    assert (order["state"], order["told_how"]) == ("answered", None)
    assert await town.view("supervisor", "untold") == [number]
    assert "escalate" in [step["move"] for step in order["steps"]]
    await citizen.track()
    await town.until(at(20))
    assert (await town.order("lead", number))["state"] == "answered", "he has his days from now on"
    await town.until(at(27))
    order = await town.order("lead", number)
    assert (order["state"], order["outcome"], order["told_how"]) == ("closed", "silent", "page")
    assert await town.view("supervisor", "untold") == []


async def _owner(number: str) -> str:
    (row,) = await sql.fetch(
        "SELECT s.username FROM work_orders o JOIN staff s ON s.id = o.owner_id WHERE o.number = $1",
        number,
    )
    return str(row["username"])
