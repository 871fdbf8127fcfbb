"""找茬 and 办不成事 as the two cities tell them, from outside: pages, HTTP, phones, and the clock."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from factories import DESK, HOUSING, JOINT_MATTER, LABOUR, MATTER, City
from httpx import AsyncClient
from phones import policy
from stories.town import MONDAY, Town, at

from server.kit.clock import clock
from server.people.rules import Role

PHONE = "13911112222"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
async def town(http: AsyncClient, city: City) -> AsyncIterator[Town]:
    clock.advanced += MONDAY - clock.now()
    yield Town(http, city)


class Speaker:
    """A citizen at a door, with nothing but a browser and his query code."""

    def __init__(self, town: Town, code: str) -> None:
        self.town, self.code = town, code

    @classmethod
    async def at(cls, town: Town, door: str, **fields: str) -> "Speaker":
        page = await town.http.get(door)
        assert page.status_code == 200
        sent = await town.http.post(door, data=fields, headers=BROWSER)
        assert sent.status_code == 303, sent.text
        taken = await town.http.get(sent.headers["location"])
        code = sent.headers["location"].split("/")[2]
        assert code[:4] in taken.text and "答复您" in taken.text
        await town.works()
        return cls(town, code)

    async def track(self) -> dict[str, Any]:
        return dict((await self.town.http.get(f"/api/v1/track/{self.code}")).json())

    async def order(self) -> dict[str, Any]:
        return dict((await self.track())["work_order"])

    async def page(self) -> str:
        return (await self.town.http.get(f"/t/{self.code}")).text

    async def sends(self, form: str, **fields: str) -> None:
        answer = await self.town.http.post(f"/t/{self.code}/{form}", data=fields, headers=BROWSER)
        assert answer.status_code == 303, answer.text
        await self.town.works()


def day_of(moment: str) -> tuple[int, int]:
    date = datetime.fromisoformat(moment)
    return date.month, date.day


async def test_shanghai_pudong(town: Town) -> None:
    """请您来找茬：首页橙色板块；对办事指南、预约、申请、查询纠错、咨询、建议；自动生成查询编码；
    简单的当场解决，复杂的后台研究；专岗派发、跟踪、反馈，市民凭编码随时跟踪。"""
    await policy(sms=True)
    await town.hires("deskhead", Role.AGENCY_LEAD, DESK)
    home = (await town.http.get("/")).text
    assert "请您来找茬" in home and 'href="/suggest"' in home

    simple = await Speaker.at(
        town, "/suggest", kind="correction", function="guide", matter_code=MATTER,
        text="指南写的电话是空号", phone=PHONE,
    )  # fmt: skip
    number = (await simple.order())["number"]
    await town.does("handler", number, "accept")
    await town.does("handler", number, "answer", disposition="fixed", text="电话已经改好，谢谢")
    assert day_of((await simple.order())["steps"][-1]["at"]) == (9, 7), "on the same day"
    await town.works()
    told = (await town.texts(PHONE))[-1]
    assert "电话已经改好" in told
    await town.replies(PHONE, "满意")
    assert (await simple.order())["state"] == "closed"

    # The queue: nobody's matter, so the desk of the hall has it; it takes a study.
    queue = await Speaker.at(
        town, "/suggest", kind="suggestion", function="booking", hall_code="H1",
        text="取号以后要等两个小时，能不能给现场号单开一个窗口？",
    )  # fmt: skip
    order = await queue.order()
    assert (order["agency"], day_of(order["due_at"])) == ("大厅综合服务台", (9, 14))
    number = order["number"]
    seen = await town.order("desk", number)
    assert (seen["origin"], seen["tag_texts"], seen["level"]) == ("faults", ["建议", "预约"], None)
    await town.does("desk", number, "accept")
    await town.until(at(9))
    await town.does(
        "deskhead", number, "plan", text="调取全部取号记录，研究增设现场号专窗", until="2026-09-21"
    )
    order = await queue.order()
    assert order["state"] == "planned" and day_of(order["due_at"]) == (9, 21)
    assert "研究增设现场号专窗" in await queue.page(), "he follows it at any time"
    await queue.sends("messages", text="上午九点到十点人最多")
    assert "上午九点到十点" in str((await town.order("desk", number))["steps"])
    await town.until(at(18))
    await town.does(
        "deskhead", number, "answer", disposition="fixed", text="已开现场号专窗，等候降到二十分钟"
    )
    assert "等候降到二十分钟" in await queue.page()
    await queue.sends("confirmation", satisfied="1", comment="快多了")
    assert (await queue.order())["state"] == "closed"


async def test_dandong_what_could_not_be_done(town: Town) -> None:
    """办不成事：不能办、很难办、不给办；“1、3、5”办结；讲清不能办的缘由后销号；特事特办，部门联动；
    窗口人员主观原因的，追究责任，给予群众准确答复。"""
    await policy(sms=False)
    page = (await town.http.get("/stuck")).text
    for words in ("1 个工作日内答复，最迟 9月8日", "3 个工作日内答复，最迟 9月10日",
                  "5 个工作日内答复，最迟 9月14日"):  # fmt: skip
        assert words in page

    cannot = await Speaker.at(
        town, "/stuck", kind="cannot", matter_code=MATTER, text="想在二楼挂招牌，窗口说不行"
    )
    number = (await cannot.order())["number"]
    await town.does("handler", number, "accept")
    await town.until(at(9))
    await town.does(
        "handler", number, "answer", disposition="explained", text="二楼以上不能设牌匾，可改设在一楼门头",
        legal_basis="户外广告设置规划",
    )  # fmt: skip
    order = await cannot.order()
    assert order["state"] == "answered" and day_of(order["due_at"]) == (9, 10)
    assert "可改设在一楼门头" in await cannot.page()
    await town.until(at(18))
    assert (await cannot.order())["state"] == "closed", "销号: he has read it and said nothing"

    hard = await Speaker.at(
        town,
        "/stuck",
        kind="hard",
        matter_code=JOINT_MATTER,
        text="新行业没有对应的经营范围，核名核不下来",
    )
    order = await hard.order()
    assert order["agency"] == "人力资源局"
    number = order["number"]
    await town.does("other", number, "accept")
    assert (await town.refused("other", number, "answer", disposition="fixed", text="已核名"))[
        0
    ] == 409
    await town.does("handler", number, "part", text="按新业态目录登记，我局同意")
    await town.does(
        "other", number, "answer", disposition="fixed", text="已与上级部门协调，半天核名通过"
    )
    await hard.sends("confirmation", satisfied="1")
    assert (await hard.order())["state"] == "closed"

    refused = await Speaker.at(
        town,
        "/stuck",
        kind="refused",
        hall_code="H1",
        window_code="A1",
        text="材料齐了，窗口就是不收",
    )
    order = await refused.order()
    assert (order["agency"], day_of(order["due_at"])) == ("住房保障局", (9, 20)), (
        "the next working day is a Sunday: 调休"
    )
    number = order["number"]
    await town.does("handler", number, "accept")
    await town.does("handler", number, "answer", disposition="explained", text="请改日再来")
    await refused.sends("confirmation", satisfied="0", comment="还是不收")
    await town.does("supervisor", number, "supervise", text="值班负责人与部门负责人当面协调")
    await town.does("handler", number, "answer", disposition="fixed", text="已当场收件并道歉")
    await refused.sends("confirmation", satisfied="0", comment="要有人负责")
    ruled = await town.does(
        "supervisor", number, "rule", finding="accountable", text="窗口推诿，予以追究"
    )
    assert ruled["state"] == "closed" and ruled["ruling"] == "accountable"
    listed = await town.reads("supervisor", "accountability")
    assert {row["agency_code"] for row in listed["items"]} == {HOUSING} and LABOUR not in str(
        listed
    )
