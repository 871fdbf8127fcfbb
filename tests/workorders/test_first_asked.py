"""首问负责: whom the citizen asked first follows the order to the end, whichever agency has it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import DISTRICT, HOUSING, LABOUR, City
from httpx import AsyncClient
from kit.calls import Scene
from web.console_desk import a_desk
from workorders.deeds import do, done, later, see, seen, told
from workorders.standing import MONDAY, alerted, an_order, member, rungs, set_clock
from workorders.test_moves import LATER, NOW, facts, refused

from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.workorders import desk as lists
from server.workorders import escalation, handling, merging, ruling, service
from server.workorders.models import WorkOrder
from server.workorders.rights import Side, may, may_record
from server.workorders.rules import FINAL, Disposition, Move, Record, State


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    set_clock(MONDAY)
    return Scene(http, city)


async def asked_first(state: str = "assigned", username: str = "desk", **changed: Any) -> WorkOrder:
    """An order of HOUSING that the hall's desk took in."""
    clerk = await Staff.get(username=username)
    return await an_order(state, first_asked_id=clerk.id, **changed)


def of_followers(told_of: list[tuple[str, str]], username: str = "desk") -> list[str]:
    return [kind for who, kind in told_of if who == username]


@pytest.mark.parametrize("role", ["handler", "agency_lead"])
@pytest.mark.parametrize("state", State)
def test_he_may_urge_in_another_agency_and_nothing_else(state: str, role: str) -> None:
    known = facts(state, role, side=Side.FIRST_ASKED, is_first_asked=True, is_verifier=False)
    assert may(known, role, NOW) == []
    waits = State(state) not in FINAL | {State.ANSWERED}
    assert may_record(known, role, NOW) == ([Record.URGE] if waits else [])
    for act in (*Move, *Record):
        hurries = act is Record.URGE and waits
        assert (refused(known, role, act) is None) is hurries, act


@pytest.mark.parametrize("role", ["handler", "agency_lead"])
def test_in_his_own_agency_he_has_its_rights_and_may_urge_as_well(role: str) -> None:
    own = facts("accepted", role)
    first = replace(own, is_first_asked=True)
    assert may(first, role, LATER) == may(own, role, LATER)
    assert set(may_record(first, role, NOW)) - set(may_record(own, role, NOW)) == {Record.URGE}
    part = replace(
        first, side=Side.CO, parts_waiting=1, own_part_waiting=True
    )  # fmt: skip
    assert set(may_record(part, role, NOW)) == {Record.PART, Record.URGE}


async def test_he_sees_it_and_hurries_it_where_nobody_else_of_his_agency_does(scene: Scene) -> None:
    number, other = (await asked_first("accepted")).number, (await an_order("accepted")).number
    shown = await seen(scene, number, "desk")
    assert (shown["first_asked"], shown["may"], shown["may_record"]) == (True, [], ["urge"])
    assert told(await see(scene, number, "other")) == (404, "unknown_work_order")
    assert told(await see(scene, other, "desk")) == (404, "unknown_work_order")
    listed = await scene.http.get("/api/v1/work-orders", headers=await scene.staff("desk"))
    assert [order["number"] for order in listed.json()["items"]] == [number]
    assert not (await seen(scene, number, "handler"))["first_asked"]

    await done(scene, number, "urge", "desk", text="群众还在窗口等")
    assert sorted(await alerted()) == [("handler", "urge"), ("lead", "urge")]
    step = (await seen(scene, number, "handler"))["steps"][-1]
    assert (step["move"], step["words"]) == ("urge", "群众还在窗口等")
    for what, body in (
        ("accept", {}), ("answer", {"disposition": "fixed", "text": "好了"}), ("verify", {
            "finding": "true", "how": "call", "text": "x"}), ("message", {"text": "x"}),
        ("part", {"text": "x"}), ("takeover", {"reason": "x"}),
    ):  # fmt: skip
        assert (await do(scene, number, what, "desk", **body)).status_code == 403, what


async def test_a_colleague_who_is_not_the_first_asked_does_not_urge(scene: Scene) -> None:
    number = (await asked_first("accepted")).number
    assert told(await do(scene, number, "urge", "handler", text="x")) == (403, "wrong_role")
    await done(scene, number, "urge", "supervisor", text="x")


async def test_he_is_told_of_every_move_and_every_rung_to_the_end(scene: Scene) -> None:
    order = await asked_first()
    handler, supervisor = await member("handler"), await member("supervisor")
    lead = await member("lead")
    await service.accept(handler, order.number)
    await handling.give_back(lead, order.number, agency_code=LABOUR, reason="归人社")
    await ruling.reassign(supervisor, order.number, agency_code=LABOUR)
    assert of_followers(await alerted()) == ["followed"] * 3

    before = len(of_followers(await alerted()))
    later(scene, timedelta(days=20))
    await escalation.escalate()
    climbed = [(ladder, rung) for ladder, rung in await rungs(order)]
    kinds = of_followers(await alerted())[before:]
    assert len(climbed) == 5
    assert sorted(k for k in kinds if k != "followed") == sorted(
        ["warn", "overdue", "leads", "supervisors", "list"]
    )
    assert "followed" in kinds, "that it came under supervision is a move"

    other = await member("other")
    await service.answer(
        other, order.number, disposition=Disposition.FIXED, text="已办", legal_basis=None
    )
    await service.judge(order.number, satisfied=False, words="没有办")
    said = await sql.fetch(
        "SELECT a.words FROM alerts a JOIN staff s ON s.id = a.staff_id WHERE s.username = 'desk' "
        "AND kind = 'followed' ORDER BY a.id DESC LIMIT 2"
    )
    assert [row["words"] for row in said] == ["您首问的工单：群众不认可", "您首问的工单：答复"]


async def test_who_moves_it_himself_or_has_left_is_not_told(scene: Scene) -> None:
    mine = await asked_first(username="handler")
    await service.accept(await member("handler"), mine.number)
    gone = await asked_first()
    await Staff.filter(username="desk").update(active=False)
    await service.accept(await member("handler"), gone.number)
    assert await alerted() == []


async def test_it_is_on_his_desk_until_it_ends(scene: Scene) -> None:
    clerk = await member("desk")
    first, second = (
        await asked_first("accepted"),
        await asked_first("closed", closed_at=clock.now()),
    )
    await an_order("accepted")
    assert [o.number for o in await lists.listed(clerk, lists.FIRST_ASKED)] == [first.number]
    assert (await lists.counts(clerk))[lists.FIRST_ASKED] == 1
    assert (await lists.counts(await member("handler")))[lists.FIRST_ASKED] == 0
    assert (await service.find(clerk, second.number)).number == second.number


async def test_it_stays_his_through_reassignment_takeover_and_merger(scene: Scene) -> None:
    clerk, supervisor, lead = [await member(who) for who in ("desk", "supervisor", "lead")]
    order = await asked_first("returned", next_due_at=clock.now() + timedelta(days=1))
    await ruling.reassign(supervisor, order.number, agency_code=LABOUR)
    await ruling.reassign(supervisor, await _returned(order.number), agency_code=HOUSING)
    await service.accept(lead, order.number)
    await ruling.takeover(supervisor, order.number, reason="特事特办")
    assert (await service.find(clerk, order.number)).first_asked_id == clerk.id

    target = await an_order("accepted")
    assert told(await see(scene, target.number, "desk")) == (404, "unknown_work_order")
    await merging.merge(lead, order.number, into=target.number)
    followed = await seen(scene, target.number, "desk")
    assert (followed["first_asked"], followed["may_record"]) == (True, ["urge"])
    assert [o.number for o in await lists.listed(clerk, lists.FIRST_ASKED)] == [target.number]
    await done(scene, target.number, "urge", "desk", text="x")
    assert (await WorkOrder.get(number=target.number)).owner_id == (await member("handler")).id


async def _returned(number: str) -> str:
    await WorkOrder.filter(number=number).update(state="returned")
    return number


async def test_his_name_stands_on_the_page_beside_who_deals_with_it(scene: Scene, app: Any) -> None:
    number = (await asked_first("accepted")).number
    async with a_desk(app, "desk") as desk:
        page = (await desk.get(f"/console/orders/{number}")).text
        assert "您是首问负责人" in page and f"/console/orders/{number}/urge" in page
        assert "desk（大厅综合服务台）" in page and "经办人" in page
        assert f"/console/orders/{number}/answer" not in page
        home = (await desk.get("/console?show=first_asked")).text
        assert "我首问的" in home and number in home
        urged = await desk.post(f"/console/orders/{number}/urge", text="群众还在等")
        assert urged.status_code == 303, urged.text
    async with a_desk(app, "handler") as desk:
        page = (await desk.get(f"/console/orders/{number}")).text
        assert "群众还在等" in page and f"/console/orders/{number}/urge" not in page


async def test_the_citizen_reads_who_urged(scene: Scene) -> None:
    taken = await scene.order("accept")
    clerk = await Staff.get(username="desk")
    await WorkOrder.filter(number=taken["number"]).update(first_asked_id=clerk.id)
    await done(scene, taken["number"], "urge", "desk", text="内部的话")
    track = (await scene.http.get(f"/api/v1/track/{taken['query_code']}")).json()
    assert track["work_order"]["steps"][-1]["what"] == "首问负责人催办"
    assert "内部的话" not in str(track)


async def test_a_supervisor_of_elsewhere_is_no_first_asked_by_his_role(scene: Scene) -> None:
    """The one tenant filter lets in the person, not his office."""
    number = (await asked_first("accepted")).number
    clerk = await Staff.get(username="desk")
    await Staff.filter(id=clerk.id).update(
        role="supervisor", agency_code=None, region_code=DISTRICT
    )
    assert told(await see(scene, number, "desk")) == (404, "unknown_work_order")
