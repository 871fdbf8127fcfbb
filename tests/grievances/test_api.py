"""The door of 找茬 and 办不成事: for everybody, once, and not for a machine."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import DESK, JOINT_MATTER, LABOUR
from grievances.doors import CONTACT, DOOR, a_grievance, said, send
from kit.calls import Scene
from workorders.deeds import count

from server.grievances import admission, api, service
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Limited

KEY = {"Idempotency-Key": "a-key-that-nobody-guesses-0001"}


async def test_whoever_speaks_gets_a_code_and_a_promise(scene: Scene) -> None:
    taken = await said(
        scene, source="stuck", kind="refused", function=None, matter_code=JOINT_MATTER
    )
    assert len(taken["query_code"]) == 16
    order = taken["work_order"]
    assert order["agency"] == "人力资源局"
    (row,) = await sql.fetch("SELECT * FROM work_orders")
    assert (row["agency_code"], row["origin"], row["answer_days"]) == (LABOUR, "stuck", 1)
    assert row["due_at"].isoformat(timespec="seconds")[:10] <= order["due_at"][:10]


async def test_who_names_nothing_reaches_the_desk(scene: Scene) -> None:
    await said(scene, matter_code=None, function=None)
    (row,) = await sql.fetch("SELECT * FROM work_orders")
    assert (row["agency_code"], row["tags"]) == (DESK, ["correction"])


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"source": "hotline"}, "invalid_body", "source"),
        ({"source": "letter"}, "invalid_body", "source"),
        ({"kind": "other"}, "invalid_body", "kind"),
        ({"kind": "cannot"}, "wrong_kind", "kind"),
        ({"function": "everything"}, "invalid_body", "function"),
        ({"matter_code": "nothing"}, "unknown_matter", "matter_code"),
        ({"hall_code": "H9"}, "unknown_hall", "hall_code"),
        ({"window_code": "A1"}, "unknown_hall", "window_code"),
        ({"text": " \u3000\u200b"}, "blank_text", "text"),
        ({"text": "字" * 1001}, "comment_too_long", "text"),
        ({"text": "a\0b"}, "invalid_body", "text"),
        ({"contact": {"phone": "110"}}, "invalid_phone", "contact.phone"),
        ({"real_name": True}, "contact_required", "contact.phone"),
        ({"real_name": True, "contact": {"name": "王小明"}}, "contact_required", "contact.phone"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_and_nothing_is_stored(
    scene: Scene, changed: dict[str, Any], code: str, field: str
) -> None:
    answer = await send(scene, **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["field"] == field
    assert await count("grievances", "TRUE") == await count("receipts", "TRUE") == 0


async def test_nobody_enters_as_a_clerk(scene: Scene) -> None:
    taken = await said(scene, entered_by=1, first_asked_id=1, external_number="X", channel="paper")
    (row,) = await sql.fetch("SELECT * FROM grievances")
    assert row["entered_by"] is row["external_number"] is None and row["channel"] == "web"
    (order,) = await sql.fetch("SELECT * FROM work_orders WHERE number = $1", taken["number"])
    assert order["first_asked_id"] is None


async def test_the_same_request_at_once_is_one_grievance(scene: Scene) -> None:
    answers = await asyncio.gather(*(send(scene, KEY) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await count("grievances", "TRUE") == await count("work_orders", "TRUE") == 1
    other = await send(scene, KEY, text="另一件事")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


async def test_a_short_key_of_two_people_is_two_grievances(scene: Scene) -> None:
    assert api.attempt_of("10.0.0.1\n1", "d").key != api.attempt_of("10.0.0.2\n1", "d").key
    short = {"Idempotency-Key": "1"}
    mine = await send(scene, short | await scene.citizen("demo:a"))
    other = await send(scene, short | await scene.citizen("demo:b"))
    assert mine.json()["query_code"] != other.json()["query_code"]


@pytest.fixture
async def strict(scene: Scene, app: Any) -> AsyncIterator[Any]:
    """Not the demo, whose limits hardly trigger; counters of nobody."""
    await app.ctx.limiter._redis.flushall()
    settings, app.ctx.settings = app.ctx.settings, replace(app.ctx.settings, demo=False)
    yield app
    app.ctx.settings = settings
    await app.ctx.limiter._redis.flushall()


async def test_one_person_speaks_ten_times_a_day_and_a_repetition_is_not_counted(
    strict: Any, scene: Scene
) -> None:
    visitor = admission.Visitor(strict.ctx.limiter, "somebody", "a hall")
    for _ in range(admission.PERSON):
        await admission.admit(visitor)
    with pytest.raises(Limited) as refused:
        await admission.admit(visitor)
    assert "明天" in refused.value.detail and refused.value.retry_after
    await admission.admit(replace(visitor, person="his neighbour"))
    clock.advanced += timedelta(days=1)
    await admission.admit(visitor)


async def test_a_full_address_is_told_when_to_come_again(strict: Any, scene: Scene) -> None:
    first = await send(scene, KEY)
    crowd = admission.Visitor(strict.ctx.limiter, None, api.admission.visitor_of(
        _Request(strict), "").address)  # fmt: skip
    for _ in range(admission.ADDRESS - 1):
        await admission.admit(crowd)
    answer = await send(scene)
    assert answer.status_code == 429 and 0 < int(answer.headers["retry-after"]) <= 3600
    assert (await send(scene, KEY)).text == first.text, "a repetition is no new one"


class _Request:
    def __init__(self, app: Any) -> None:
        self.app, self.remote_addr, self.ip = app, "", "127.0.0.1"


async def test_who_signed_in_has_it_in_his_export_and_is_forgotten_in_it(scene: Scene) -> None:
    headers = await scene.citizen()
    taken = await said(scene, headers=headers, contact=CONTACT)
    (row,) = await sql.fetch("SELECT * FROM grievances")
    assert row["citizen_id"] is not None and row["channel"] == "mini_program"
    kept = (await scene.http.get("/api/v1/me/export", headers=headers)).json()["grievances"]
    assert [one["query_code"] for one in kept] == [taken["query_code"]]
    assert kept[0]["contact"] == CONTACT and kept[0]["track"]["grievance"]["text"]
    others = await scene.http.get("/api/v1/me/export", headers=await scene.citizen("demo:li"))
    assert others.json()["grievances"] == []
    assert (await scene.http.post("/api/v1/me/erase", json={}, headers=headers)).status_code == 200
    (row,) = await sql.fetch("SELECT * FROM grievances")
    assert row["citizen_id"] is row["contact"] is row["contact_key"] is None
    assert row["words"], "what he said stays said, by nobody"
    assert (await scene.http.get(f"/api/v1/track/{taken['query_code']}")).status_code == 200


async def test_of_one_who_was_forgotten_meanwhile_it_is_nobodys(scene: Scene) -> None:
    headers = await scene.citizen()
    await said(scene, headers=headers)
    (row,) = await sql.fetch("SELECT citizen_id FROM grievances")
    await sql.fetch(
        "UPDATE citizens SET erased_at = $1, openid = NULL, openid_key = NULL", clock.now()
    )
    form = api.GrievanceForm(**a_grievance())
    entry = api._entry(form, None, None)
    await service.take(replace(entry, citizen_id=row["citizen_id"]))
    assert await count("grievances", "citizen_id IS NULL") == 1


async def test_the_door_is_described(scene: Scene) -> None:
    described = (await scene.http.get("/openapi.json")).json()["paths"][DOOR]["post"]
    assert "201" in described["responses"] and "422" in described["responses"]
