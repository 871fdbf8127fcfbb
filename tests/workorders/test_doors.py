"""Every move and record through its door: what it does, and how it is refused."""

from datetime import timedelta
from typing import Any

import pytest
from factories import COMMON_MATTER, DESK, HOUSING, LABOUR, City
from httpx import AsyncClient
from kit.calls import Scene
from workorders.deeds import ORDERS, count, do, done, fault, later, see, seen, told
from workorders.standing import MONDAY, an_order, member, set_clock
from workorders.test_moves import BESIDE, IN_TIME

from server.kit.clock import clock
from server.people.models import Staff
from server.workorders import service
from server.workorders.models import Accountability, Opinion, WorkOrder
from server.workorders.rules import IllegalMove, State, Told

DAY = timedelta(days=1)
ANSWER = {"disposition": "fixed", "text": "已整改"}
BODIES: dict[str, dict[str, Any]] = {
    "accept": {}, "return": {"agency_code": LABOUR, "reason": "x"},
    "reassign": {"agency_code": LABOUR}, "refuse": {"reason": "x"}, "ask": {"text": "x"},
    "plan": {"text": "x", "until": "2026-09-09"}, "extend": {"working_days": 1, "reason": "x"},
    "answer": ANSWER, "supervise": {"text": "x"}, "rule": {"finding": "proper", "text": "x"},
    "merge": {}, "release": {"agency_code": LABOUR, "reason": "x"}, "urge": {"text": "x"},
    "verify": {"finding": "true", "how": "call", "text": "x"}, "message": {"text": "x"},
    "takeover": {"reason": "x"}, "part": {"text": "x"},
}  # fmt: skip
ROLES = {"handler": "handler", "lead": "agency_lead", "supervisor": "supervisor"}
_ANYBODYS = {
    move for roles in IN_TIME.values() for moves in roles.values() for move in moves.split()
}
_OF_ROLE = {
    role: {
        act for table in (IN_TIME, BESIDE) for roles in table.values()
        for act in roles.get(role, "").split()
    }
    for role in ROLES.values()
}  # fmt: skip


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    set_clock(MONDAY)
    return Scene(http, city)


async def accepted(scene: Scene) -> str:
    return str((await scene.order("accept"))["number"])


async def says(scene: Scene, taken: dict[str, Any], words: str) -> None:
    answer = await scene.http.post(
        f"/api/v1/track/{taken['query_code']}/messages", json={"text": words}
    )
    assert answer.status_code == 200, answer.text


# Refusals


@pytest.mark.parametrize("state", [s for s in State if s is not State.WITHDRAWN])
async def test_a_move_that_is_not_offered_is_refused_by_role_or_state_and_changes_nothing(
    scene: Scene, state: State
) -> None:
    ended = {"closed_at": clock.now(), "next_due_at": None} if state not in IN_TIME else {}
    order, other = await an_order(state, **ended), await an_order()
    before = dict(await WorkOrder.get(number=order.number).values())
    for username, role in ROLES.items():
        may = (
            IN_TIME.get(state, {}).get(role, "").split()
            + BESIDE.get(state, {}).get(role, "").split()
        )
        for act, body in BODIES.items():
            if act in may and act != "release":
                continue
            body = {"into": other.number} if act == "merge" else body
            code, word = told(await do(scene, order.number, act, username, **body))
            wanted = (409, "illegal_move") if act in _OF_ROLE[role] else (403, "wrong_role")
            assert (code, word) == wanted, (username, act)
        shown = await seen(scene, order.number, username)
        assert set(shown["may"]) == set(may) & _ANYBODYS
    assert dict(await WorkOrder.get(number=order.number).values()) == before
    assert await count("work_order_steps", "order_id = $1", order.number) == 1


async def test_another_agencys_order_is_not_there_for_any_move(scene: Scene) -> None:
    number = (await an_order()).number
    for act, body in BODIES.items():
        body = {"into": number} if act == "merge" else body
        assert told(await do(scene, number, act, "other", **body)) == (404, "unknown_work_order"), (
            act
        )
        assert (await do(scene, number, act, "auditor", **body)).status_code == 403, act


async def test_a_blank_text_is_refused_at_every_door_that_takes_one(scene: Scene) -> None:
    number = (await an_order()).number
    for act, body in BODIES.items():
        for name in {"text", "reason"} & set(body):
            answer = await do(scene, number, act, "lead", **body | {name: "\u200b "})
            assert told(answer) == (422, "blank_text"), act


# Return, and whose it is


async def test_a_returned_order_goes_to_the_supervisor_who_gives_it_to_another_agency(
    scene: Scene,
) -> None:
    taken = await scene.order()
    number, promised = taken["number"], taken["work_order"]["due_at"]
    later(scene, DAY)
    body = {"agency_code": LABOUR, "reason": "社保卡归该部门"}
    back = await done(scene, number, "return", "lead", **body)
    assert (back["state"], back["proposed_agency_code"]) == ("returned", LABOUR)
    assert back["next_due_at"] == f"{MONDAY.date() + 2 * DAY}T23:59:59+08:00"
    assert "人力资源局" in back["steps"][-1]["words"]
    assert (await see(scene, number, "other")).status_code == 404, "never agency to agency"

    later(scene, DAY)
    moved = await done(scene, number, "reassign", "supervisor", agency_code=LABOUR)
    assert (moved["state"], moved["agency_code"]) == ("assigned", LABOUR)
    assert moved["due_at"] == promised, "the citizen's promise stays"
    assert moved["next_due_at"] == f"{MONDAY.date() + 3 * DAY}T23:59:59+08:00"
    assert told(await see(scene, number, "lead")) == (404, "unknown_work_order")
    owner = (await Staff.get(username="other")).id
    assert (await WorkOrder.get(number=number)).owner_id == owner
    await done(scene, number, "accept", "other")
    assert (await done(scene, number, "answer", "other", **ANSWER))["state"] == "answered"


async def test_a_return_is_made_once_and_names_another_agency(scene: Scene) -> None:
    number = await accepted(scene)
    for code in ("", HOUSING, "00000000000000000X"):
        answer = await do(scene, number, "return", "lead", agency_code=code, reason="x")
        assert fault(answer) == (422, "agency_code")
    await done(scene, number, "return", "lead", agency_code=LABOUR, reason="x")
    answer = await do(scene, number, "reassign", "supervisor", agency_code=HOUSING)
    assert fault(answer) == (422, "agency_code"), "that would be a refusal"
    refused = await done(scene, number, "refuse", "supervisor", reason="属你部门")
    assert (refused["state"], refused["next_due_at"]) == ("accepted", refused["due_at"])
    assert "return" not in refused["may"]
    again = await do(scene, number, "return", "lead", agency_code=LABOUR, reason="x")
    assert told(again) == (409, "illegal_move")


async def test_the_service_desk_that_had_it_first_is_rated_beside_the_agency(scene: Scene) -> None:
    taken = await scene.order()
    await WorkOrder.filter(number=taken["number"]).update(
        agency_code=DESK, state="returned", matter_code=COMMON_MATTER
    )
    moved = await done(scene, taken["number"], "reassign", "supervisor", agency_code=HOUSING)
    assert moved["desk_agency_code"] == DESK
    await scene.move(taken, "accept")
    for satisfied in (False, True):
        if not satisfied:
            await scene.move(taken, "answer")
        await service.judge(taken["number"], satisfied=satisfied, words="x", desk_satisfied=False)
        if not satisfied:
            await done(scene, taken["number"], "supervise", "supervisor", text="x")
            await scene.move(taken, "answer")
    opinions = (
        await Opinion.all().order_by("id").values_list("round", "about", "agency_code", "satisfied")
    )
    assert opinions == [
        (1, "agency", HOUSING, False), (1, "desk", DESK, False),
        (2, "agency", HOUSING, True), (2, "desk", DESK, False),
    ]  # fmt: skip


# The clock


async def test_the_clock_stands_still_while_the_citizen_is_asked(scene: Scene) -> None:
    taken = await scene.order("accept")
    number, promised = taken["number"], taken["work_order"]["due_at"]
    assert promised.startswith("2026-09-14")
    asked = await done(scene, number, "ask", "handler", text="哪个窗口？")
    assert (asked["state"], asked["due_at"]) == ("asking", promised)
    assert asked["next_due_at"].startswith("2026-09-14"), "five working days at most"
    assert "ask" not in asked["may"]
    later(scene, 2 * DAY)
    await says(scene, taken, "三号窗口")
    back = await seen(scene, number)
    assert (back["state"], back["due_at"][:10], back["next_due_at"]) == (
        "accepted", "2026-09-16", back["due_at"],
    )  # fmt: skip
    assert await service.redate({2026}) == 0
    # Three days of the cap are left; the system goes on when they are over.
    await done(scene, number, "ask", "lead", text="几点钟？")
    with pytest.raises(IllegalMove, match="还没有到"):
        await service.resume(number, "", clock.now(), service.SYSTEM)
    later(scene, 7 * DAY)
    await service.resume(number, "", clock.now(), service.SYSTEM)
    back = await seen(scene, number)
    assert back["due_at"].startswith("2026-09-20"), (
        "8 to 11 and 14 stood still; Sunday 20 is made up"
    )
    assert "ask" not in back["may"], "the cap is used up"
    assert told(await do(scene, number, "ask", "handler", text="x")) == (409, "illegal_move")
    assert await service.redate({2026}) == 0


async def test_a_planned_order_that_was_asked_about_comes_back_as_planned(scene: Scene) -> None:
    taken = await scene.order("accept")
    number = taken["number"]
    for until in ("2026-09-06", "2026-10-08"):
        answer = await do(scene, number, "plan", "lead", text="x", until=until)
        assert (told(answer), fault(answer)) == ((422, "bad_plan"), (422, "until"))
    plan = await done(scene, number, "plan", "lead", text="增设窗口", until="2026-09-18")
    assert (plan["state"], plan["planned_until"]) == ("planned", "2026-09-18")
    assert plan["due_at"] == plan["next_due_at"] == "2026-09-18T23:59:59+08:00"
    await done(scene, number, "ask", "handler", text="哪个窗口？")
    later(scene, DAY)
    await says(scene, taken, "三号窗口")
    back = await seen(scene, number)
    assert (back["state"], back["due_at"][:10]) == ("planned", "2026-09-20"), "Sunday 20 is made up"


async def test_an_extension_is_given_once_in_time_and_by_the_rules(scene: Scene) -> None:
    number = await accepted(scene)
    for days in (0, -1, 11, 10**9):
        answer = await do(scene, number, "extend", "lead", working_days=days, reason="x")
        assert (told(answer), fault(answer)) == ((422, "bad_extension"), (422, "working_days"))
    longer = await done(scene, number, "extend", "lead", working_days=3, reason="调取监控")
    assert (longer["state"], longer["extension_days"]) == ("accepted", 3)
    assert longer["due_at"] == longer["next_due_at"] == "2026-09-17T23:59:59+08:00"
    again = await do(scene, number, "extend", "lead", working_days=1, reason="x")
    assert told(again) == (409, "illegal_move")

    late = await accepted(scene)
    later(scene, 8 * DAY)
    for act, who in (("extend", "lead"), ("plan", "lead"), ("ask", "handler")):
        body = BODIES[act] | ({"until": "2026-09-16"} if act == "plan" else {})
        answer = await do(scene, late, act, who, **body)
        assert told(answer) == (409, "illegal_move"), "nobody gives himself time when it is over"


async def test_a_calendar_that_comes_later_moves_every_state_as_the_move_itself_did(
    scene: Scene,
) -> None:
    """What the move wrote and what a recount finds is the same: see `done`. Here the recount of an
    order whose row was spoilt gives the very same times back."""
    taken = await scene.order("accept")
    number = taken["number"]
    await done(scene, number, "ask", "handler", text="x")
    later(scene, DAY)
    await says(scene, taken, "x")
    await done(scene, number, "extend", "lead", working_days=2, reason="x")
    names = ("contact_due_at", "due_at", "next_due_at", "provisional")
    before = await WorkOrder.get(number=number).values(*names)
    await WorkOrder.filter(number=number).update(
        **dict.fromkeys(names[:3], MONDAY), provisional=True
    )
    assert await service.redate({2026}) == 1
    assert await WorkOrder.get(number=number).values(*names) == before
    assert await service.redate({2026}) == 0


# Supervision


async def test_the_supervisor_presses_and_rules_and_who_is_accountable_is_listed(
    scene: Scene,
) -> None:
    taken = await scene.order("accept", "answer", "contest")
    number = taken["number"]
    pressed = await done(scene, number, "supervise", "supervisor", text="限期重办")
    assert (pressed["state"], pressed["next_due_at"][:10]) == ("supervised", "2026-09-14")
    ruled = await done(scene, number, "rule", "supervisor", finding="accountable", text="推诿扯皮")
    assert (ruled["state"], ruled["outcome"], ruled["ruling"]) == ("closed", "ruled", "accountable")
    (record,) = await Accountability.all()
    assert (record.order_number, record.why, record.words) == (number, "ruled", "推诿扯皮")
    other = await scene.order("accept", "answer", "contest")
    proper = await done(
        scene, other["number"], "rule", "supervisor", finding="proper", text="已尽责"
    )
    assert (proper["ruling"], await Accountability.all().count()) == ("proper", 1)


async def test_only_what_is_overdue_or_contested_is_supervised(scene: Scene) -> None:
    number = await accepted(scene)
    assert told(await do(scene, number, "supervise", "supervisor", text="x")) == (
        409,
        "illegal_move",
    )
    with pytest.raises(IllegalMove):
        await service.supervise_by_rule(number, clock.now())
    later(scene, 8 * DAY)
    assert "supervise" in (await seen(scene, number, "supervisor"))["may"]
    await service.supervise_by_rule(number, clock.now())
    shown = await seen(scene, number)
    assert (shown["state"], shown["steps"][-1]["by"]) == ("supervised", "系统")
    contested = (await scene.order("accept", "answer", "contest"))["number"]
    with pytest.raises(IllegalMove, match="还没有到"):
        await service.supervise_by_rule(contested, clock.now())


async def test_urging_and_taking_over_are_records_and_move_nothing(scene: Scene) -> None:
    number = await accepted(scene)
    urged = await done(scene, number, "urge", "supervisor", text="请尽快办理")
    assert (urged["state"], urged["steps"][-1]["move"]) == ("accepted", "urge")
    staff = {row.id for row in await Staff.filter(username__in=["handler", "lead"])}
    assert await count("alerts", "kind = 'urge' AND staff_id = ANY($1)", list(staff)) == 2
    taken = await done(scene, number, "takeover", "supervisor", reason="久拖不决")
    assert (taken["state"], "takeover" in taken["may_record"]) == ("accepted", False)
    supervisor = await member("supervisor")
    assert (await WorkOrder.get(number=number)).owner_id == supervisor.id
    again = await do(scene, number, "takeover", "supervisor", reason="x")
    assert told(again) == (409, "illegal_move")
    assert (await done(scene, number, "answer", "handler", **ANSWER))["state"] == "answered"


async def test_a_finding_is_made_by_a_named_person_and_a_message_stops_no_clock(
    scene: Scene,
) -> None:
    number = await accepted(scene)
    due = (await seen(scene, number))["due_at"]
    body = {"finding": "partly", "how": "records", "text": "监控可见排队一小时"}
    found = await done(scene, number, "verify", "lead", **body)
    assert (found["state"], found["verified_as"]) == ("accepted", "partly")
    lead = await member("lead")
    assert (await WorkOrder.get(number=number)).verifier_id == lead.id
    for wrong in ({"finding": "maybe"}, {"how": "guess"}):
        assert told(await do(scene, number, "verify", "lead", **body | wrong)) == (
            422,
            "invalid_body",
        )
    said = await done(scene, number, "message", "handler", text="我们正在核实")
    assert (said["state"], said["due_at"], said["steps"][-1]["what"]) == ("accepted", due, "留言")
    assert await count("pgqueuer", "entrypoint = 'news'") == 2, "the acceptance and the message"


# 销号


async def test_an_order_is_closed_in_silence_only_when_the_citizen_was_told(scene: Scene) -> None:
    number = (await scene.order("accept", "answer"))["number"]
    with pytest.raises(IllegalMove, match="还没有到"):
        await service.silence(number, Told.SMS, clock.now())
    later(scene, 8 * DAY)
    with pytest.raises(IllegalMove, match="证据"):
        await service.silence(number, None, clock.now())
    await WorkOrder.filter(number=number).update(real_name=True)
    with pytest.raises(IllegalMove, match="回访"):
        await service.silence(number, Told.SMS, clock.now())
    await WorkOrder.filter(number=number).update(called_back_at=clock.now())
    await service.silence(number, Told.SMS, clock.now())
    closed = await seen(scene, number)
    assert (closed["state"], closed["outcome"], closed["told_how"]) == ("closed", "silent", "sms")


async def test_a_new_answer_has_to_be_told_anew(scene: Scene) -> None:
    taken = await scene.order("accept", "answer")
    number, now = taken["number"], clock.now()
    assert await service.told(number, Told.PAGE, now)
    assert not await service.told(number, Told.SMS, now), "the first proof counts"
    for move in ("contest", "supervise", "answer"):
        await scene.move(taken, move)
    assert (await seen(scene, number))["told_how"] is None


# 并案


async def test_a_merged_order_follows_another_of_the_same_agency_and_no_chain(
    scene: Scene,
) -> None:
    first, second, third = [await accepted(scene) for _ in range(3)]
    foreign = (await an_order(agency_code=LABOUR)).number
    for into, wanted in (
        (first, (409, "illegal_move")), ("2026NOTHERE", (404, "unknown_work_order")),
        (foreign, (404, "unknown_work_order")),
    ):  # fmt: skip
        assert told(await do(scene, first, "merge", "lead", into=into)) == wanted
    of_two = await do(scene, first, "merge", "supervisor", into=foreign)
    assert told(of_two) == (409, "illegal_move"), (
        "the supervisor sees both, but two agencies have them"
    )
    merged = await done(scene, first, "merge", "lead", into=second)
    assert (merged["state"], merged["merged_into"], merged["may"]) == ("merged", second, [])
    for number, into in ((second, third), (third, first)):
        assert told(await do(scene, number, "merge", "lead", into=into)) == (409, "illegal_move")
    order = await WorkOrder.get(number=first)
    assert (await service.followed(order)).number == second
    assert (await service.followed(await WorkOrder.get(number=third))).number == third


async def test_the_list_knows_every_state(scene: Scene) -> None:
    await done(scene, await accepted(scene), "ask", "handler", text="x")
    answer = await scene.http.get(f"{ORDERS}?state=asking", headers=await scene.staff("handler"))
    assert [item["state"] for item in answer.json()["items"]] == ["asking"]
