"""协办: what the other agencies have to say before the lead answers."""

from typing import Any

import pytest
from factories import HOUSING, JOINT_MATTER, LABOUR, City
from httpx import AsyncClient
from kit.calls import Scene
from workorders.deeds import count, do, done, fault, seen, told

from server.catalogue.models import Matter
from server.catalogue.service import load
from server.workorders import service
from server.workorders.models import Part, WorkOrder

ANSWER = {"disposition": "fixed", "text": "已整改"}


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    return Scene(http, city)


async def joint(scene: Scene) -> str:
    number = str((await scene.joint())["number"])
    await done(scene, number, "accept", "other")
    return number


def states(order: dict[str, Any]) -> dict[str, str]:
    return {part["agency_code"]: part["state"] for part in order["parts"]}


async def test_a_part_exists_from_the_commit_that_opened_the_order_and_only_where_it_must(
    scene: Scene,
) -> None:
    number = (await scene.joint())["number"]
    alone = (await scene.order())["number"]
    assert states(await seen(scene, number, "other")) == {HOUSING: "waiting"}
    assert await Part.filter(order_id=alone).count() == 0
    assert (await WorkOrder.get(number=number)).answer_days == 5


async def test_the_lead_answers_when_every_part_is_done(scene: Scene) -> None:
    number = await joint(scene)
    assert "answer" not in (await seen(scene, number, "other"))["may"]
    early = await do(scene, number, "answer", "other", **ANSWER)
    assert (told(early), early.json()["detail"]) == (
        (409, "illegal_move"), "还有 1 个协办部门没有办完",
    )  # fmt: skip
    assert told(await do(scene, number, "part", "other", text="x")) == (403, "wrong_role")
    after = await done(scene, number, "part", "handler", text="本部门已核对")
    assert (states(after), after["parts"][0]["words"]) == ({HOUSING: "done"}, "本部门已核对")
    assert (after["state"], after["may"], after["may_record"]) == ("accepted", [], [])
    assert told(await do(scene, number, "part", "lead", text="x")) == (409, "illegal_move")
    assert (await done(scene, number, "answer", "other", **ANSWER))["state"] == "answered"


async def test_the_supervisor_releases_an_agency_that_has_nothing_to_say(scene: Scene) -> None:
    number = await joint(scene)
    body = {"agency_code": HOUSING, "reason": "与该部门无关"}
    wrong = await do(scene, number, "release", "supervisor", **body | {"agency_code": LABOUR})
    assert fault(wrong) == (422, "agency_code")
    assert told(await do(scene, number, "release", "other", **body)) == (403, "wrong_role")
    freed = await done(scene, number, "release", "supervisor", **body)
    assert states(freed) == {HOUSING: "released"}
    assert told(await do(scene, number, "part", "handler", text="x")) == (409, "illegal_move")
    assert "answer" in (await seen(scene, number, "other"))["may"]


async def test_an_agency_that_gets_the_order_gives_no_part_to_itself(scene: Scene) -> None:
    await Matter.filter(code=JOINT_MATTER).update(agency_code=HOUSING, co_agency_codes=[LABOUR])
    await load()
    number = (await scene.joint())["number"]
    await done(scene, number, "return", "lead", agency_code=LABOUR, reason="x")
    moved = await done(scene, number, "reassign", "supervisor", agency_code=LABOUR)
    assert (moved["co_agency_codes"], moved["steps"][-1]["move"]) == ([], "release")
    assert moved["steps"][-1]["by"] == "系统"
    assert await count("order_parts", "state = 'waiting'") == 0
    await done(scene, number, "accept", "other")
    assert (await done(scene, number, "answer", "other", **ANSWER))["state"] == "answered"


async def test_a_second_answer_asks_the_co_handlers_for_nothing_more(scene: Scene) -> None:
    taken = await scene.joint()
    number = taken["number"]
    await done(scene, number, "accept", "other")
    await done(scene, number, "part", "handler", text="x")
    await done(scene, number, "answer", "other", **ANSWER)
    await service.judge(number, satisfied=False, words="没有解决")
    await done(scene, number, "supervise", "supervisor", text="x")
    assert (await done(scene, number, "answer", "other", **ANSWER))["state"] == "answered"
