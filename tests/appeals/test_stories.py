"""Appeals as four people live through them: from the slip to the last word, phones and all."""

from datetime import timedelta

import pytest
from appeals.court import hire
from factories import City
from httpx import AsyncClient
from phones import policy
from stories.town import MONDAY, Citizen, Town, at

from server.kit.clock import clock
from server.people.rules import Role

PHONE, DAY = "13700460001", timedelta(days=1)
CLAIM = "监控和叫号记录显示等候八分钟，群众评的是另一个窗口"
YES = {"upheld": True, "reason": "mistaken"}


@pytest.fixture
async def town(http: AsyncClient, city: City) -> Town:
    clock.advanced += MONDAY - clock.now()
    await policy(invite_minutes=0, remind_hours=0, sample_permille=0, daily_messages=9)
    for name in ("first", "second", "third", "fourth"):
        await hire(name, Role.ADJUDICATOR)
    return Town(http, city)


async def rated(town: Town, **review: object) -> Citizen:
    """By one who left his phone with the review."""
    await policy(sms=False)
    citizen = await town.served()
    contact = {"name": "龚玥", "phone": PHONE}
    await citizen.rates(1, tags=["115"], comment="等了两个小时", contact=contact, **review)
    await policy(sms=True, tell_accepted=False)
    await town.does("handler", citizen.number, "accept")
    return citizen


async def appeals(town: Town, citizen: Citizen) -> str:
    answer = await town.tries("lead", citizen.number, "appeal", ground="mistaken", text=CLAIM)
    assert answer.status_code == 201, answer.text
    await town.works()
    return str(answer.json()["id"])


async def votes(town: Town, who: str, case: str, **ballot: object) -> dict:
    answer = await town.http.post(
        f"/api/v1/appeals/{case}/vote", json=ballot, headers=await town.staff(who)
    )
    assert answer.status_code == 200, answer.text
    await town.works()
    return dict(answer.json())


async def heard(town: Town, citizen: Citizen) -> dict:
    return dict((await town.outside.get(f"/api/v1/track/{citizen.query_code}/appeal")).json())


async def told(town: Town) -> list[str]:
    return await town.texts(PHONE)


async def test_an_appeal_upheld(town: Town) -> None:
    """申诉成立: he is told, says nothing, two agree; the review is kept and counts no longer."""
    citizen = await rated(town)
    case = await appeals(town, citizen)
    (text,) = await told(town)
    assert "已提出复核" in text and "9月10日" in text and "龚" not in text
    assert (await heard(town, citizen))["may_state"]
    await town.until(at(11, 9))
    await votes(town, "first", case, **YES, text="叫号记录可信")
    await votes(town, "second", case, **YES, text="同意")
    shown = await town.order("handler", citizen.number)
    assert shown["state"] == "dismissed" and "误评" in shown["steps"][-1]["words"]
    text = (await told(town))[-1]
    assert "未予采纳" in text and "异议" in text
    assert await citizen.audited() == [(1, "receipt_qr", "excluded")]
    track = await citizen.track()
    assert track["work_order"]["steps"][-1]["what"] == "经复核不予采纳"
    await town.until(at(25, 9))
    assert len(await told(town)) == 2 and (await heard(town, citizen))["object_until"] is None


async def test_an_appeal_refused(town: Town) -> None:
    """申诉不成立: his statement convinces one of the two, and that is enough."""
    citizen = await rated(town)
    case = await appeals(town, citizen)
    await citizen.says("statement", text=f"我在3号窗口等的，电话{PHONE}")
    await votes(town, "first", case, **YES, text="记录与评价不符")
    shown = await votes(town, "second", case, upheld=False, text="说明可信，存疑时以群众为准")
    assert shown["statement"] == "我在3号窗口等的，电话▇▇" and shown["state"] == "refused"
    await town.does("handler", citizen.number, "answer", disposition="fixed", text="已整改")
    await citizen.says("confirmation", satisfied=True)
    assert (await town.order("lead", citizen.number))["outcome"] == "content"
    assert await citizen.audited() == [(1, "receipt_qr", "standing")]
    assert not any("未予采纳" in text for text in await told(town))


async def test_one_against_a_real_name_review(town: Town) -> None:
    """实名差评: nobody rules it away before somebody has spoken with who gave it."""
    citizen = await rated(town, real_name=True)
    case = await appeals(town, citizen)
    await town.until(at(11, 9))
    early = await town.http.post(
        f"/api/v1/appeals/{case}/vote", json=YES | {"text": "记录清楚"},
        headers=await town.staff("first"),
    )  # fmt: skip
    assert (early.status_code, early.json()["code"]) == (409, "not_called_back")
    talk = {"reached": True, "satisfied": False, "text": "他说是另一天的事"}
    await town.does("handler", citizen.number, "call-back", **talk)
    for who in ("first", "second"):
        shown = await votes(town, who, case, **YES, text="回访印证是误评")
    assert shown["state"] == "upheld" and "龚玥" not in str(shown) and PHONE not in str(shown)
    assert await citizen.audited() == [(1, "receipt_qr", "excluded")]


async def test_the_citizens_objection_upheld(town: Town) -> None:
    """异议成立: two others look again; the review counts, and the agency answers after all."""
    citizen = await rated(town)
    case = await appeals(town, citizen)
    await town.until(at(11, 9))
    for who in ("first", "second"):
        await votes(town, who, case, **YES, text="记录与评价不符")
    await citizen.says("objection", text="叫号记录是别人的，我有照片")
    listed = await town.reads("third", "appeals?state=open")
    (again,) = listed["items"]
    assert again["round"] == "objection"
    await votes(town, "third", again["id"], upheld=True, text="照片时间吻合")
    await votes(town, "fourth", again["id"], upheld=True, text="同意")
    assert "恢复计入" in (await told(town))[-1]
    assert await citizen.audited() == [(1, "receipt_qr", "standing")]
    track = await citizen.track()
    number = track["work_order"]["number"]
    assert number != citizen.number and track["work_order"]["state"] == "assigned"
    assert track["work_order"]["due_at"].startswith("2026-09-18")
    await town.does("handler", number, "accept")
    await town.does("handler", number, "answer", disposition="fixed", text="已向您道歉并增开窗口")
    await citizen.says("confirmation", satisfied=True)
    await town.until(at(20, 9))
    closed = await town.order("lead", number)
    assert closed["state"] == "closed" and "已向您道歉" in (await citizen.words())[-2]
