"""What may be the same matter is held out to a person, with its reason; nothing is merged by itself."""

from datetime import timedelta
from typing import Any

import pytest
from factories import HOUSING, LABOUR, MATTER, City
from httpx import AsyncClient
from kit.calls import Scene
from web.console_desk import a_desk
from workorders.standing import MONDAY, an_order, set_clock

from server.grievances import doubles as contacts
from server.kit.clock import clock
from server.workorders import doubles
from server.workorders.likeness import is_like, likeness
from server.workorders.models import WorkOrder

WORDS = "窗口说系统坏了不给办，叫我下周再来，我已经跑了三趟"


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    set_clock(MONDAY)
    return Scene(http, city)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (WORDS, "窗口说系统坏了，不给办！叫我下周再来。已经跑了三趟了", True),
        (WORDS, WORDS.upper(), True), (WORDS, "公租房的租金补贴算错了两个月，要求重新核算", False),
        ("没人管", "没人管", False), ("", "", False), (WORDS, "", False),
        ("，。！" * 20, "，。！" * 20, False),
    ],
)  # fmt: skip
def test_texts_are_alike_by_what_they_say_and_not_by_their_punctuation(
    one: str, other: str, alike: bool
) -> None:
    assert is_like(one, other) is alike
    assert likeness(one, other) == likeness(other, one)


async def found(order: WorkOrder, same_contact: Any = ()) -> dict[str, tuple[str, ...]]:
    return {d.order.number: d.why for d in await doubles.of(order, clock.now(), same_contact)}


async def test_only_open_orders_of_the_same_agency_in_thirty_days_are_held_out(
    scene: Scene,
) -> None:
    mine = await an_order("accepted", words=WORDS)
    alike = await an_order("answered", words=WORDS + "了")
    today = MONDAY.date()
    for changed in (
        {"agency_code": LABOUR}, {"state": "closed", "closed_at": clock.now()},
        {"opened_on": today - timedelta(days=31)}, {"visible_from": clock.now() + timedelta(minutes=5)},
        {"words": "别的事"},
    ):  # fmt: skip
        await an_order(**{"words": WORDS, **changed})
    assert await found(mine) == {alike.number: (doubles.SAME_WORDS,)}


async def test_place_and_contact_are_reasons_too(scene: Scene) -> None:
    place = {"matter_code": MATTER, "hall": "市民中心", "window": "1号窗口"}
    mine, same = await an_order(**place), await an_order(**place)
    await an_order(**place | {"window": "2号窗口"})
    await an_order(matter_code=MATTER)
    other = await an_order()
    assert await found(mine, {other.number}) == {
        same.number: (doubles.SAME_PLACE,), other.number: (doubles.SAME_CONTACT,),
    }  # fmt: skip


async def test_the_desk_learns_of_no_anonymous_citizen_that_he_has_spoken_twice(
    scene: Scene,
) -> None:
    contact = {"contact": {"phone": "13900001111"}}
    form = {
        "source": "faults",
        "kind": "correction",
        "text": "办事指南写错了电话号码",
        "matter_code": MATTER,
    }
    by_himself = [
        (await scene.http.post("/api/v1/grievances", json=form | contact)).json()["work_order"][
            "number"
        ]
        for _ in range(2)
    ]
    assert await contacts.same_contact(by_himself[0]) == set()
    entered = {"source": "visit", "agency_code": HOUSING, "not_a_double": True, **contact}
    by_clerk = [
        (await scene.http.post(
            "/api/v1/intake", json=entered | {"text": text}, headers=await scene.staff("handler")
        )).json()["number"]
        for text in ("第一件说的是排队的事情", "第二件说的是材料的事情")
    ]  # fmt: skip
    assert await contacts.same_contact(by_clerk[0]) == {by_clerk[1]}


async def test_the_page_holds_them_out_to_who_may_merge_with_the_form_filled_in(
    scene: Scene, app: Any
) -> None:
    mine, alike = await an_order("accepted", words=WORDS), await an_order("accepted", words=WORDS)
    address = f"/console/orders/{mine.number}"
    async with a_desk(app, "handler") as desk:
        assert "可能是同一件事" not in (await desk.get(address)).text
    async with a_desk(app, "lead") as desk:
        page = (await desk.get(address)).text
        assert "可能是同一件事" in page and f'name="into" value="{alike.number}"' in page
        merged = await desk.post(f"{address}/merge", into=alike.number)
        assert merged.status_code == 303
        page = (await desk.get(f"/console/orders/{alike.number}")).text
        assert "并入的工单" in page and mine.number in page and "可能是同一件事" not in page
