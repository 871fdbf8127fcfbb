"""What a citizen says at the open doors about himself and others reaches nobody at the agency's side."""

import logging
from typing import Any

import pytest
from grievances.doors import said
from kit.calls import Scene
from test_canaries import SHOWS, Planted
from web.console_desk import a_desk

from server.kit import sql

MINE = ("handler", "lead", "supervisor")


async def read_by_the_desks(scene: Scene, app: Any, number: str) -> str:
    """Everything that the agency and its supervisor can open, as one text."""
    texts = []
    for who in MINE:
        headers = await scene.staff(who)
        for path in ("work-orders", f"work-orders/{number}", "call-backs", "alerts"):
            answer = await scene.http.get(f"/api/v1/{path}", headers=headers)
            texts.append(answer.text)
        async with a_desk(app, who) as desk:
            for address in (f"/console/orders/{number}", *(f"/console?show={s}" for s in SHOWS)):
                texts.append((await desk.get(address)).text)
    return "\n".join(texts)


async def test_words_contact_and_messages_lead_to_nobody(
    scene: Scene, app: Any, caplog: pytest.LogCaptureFixture
) -> None:
    planted = Planted()
    caplog.set_level(logging.DEBUG, "server")
    taken = await said(
        scene, "accept", "ask", source="stuck", kind="hard", function=None,
        text=planted.words("the grievance"), contact=planted.person("the contact"), real_name=True,
    )  # fmt: skip
    path = f"/api/v1/track/{taken['query_code']}"
    said_again = await scene.http.post(
        f"{path}/messages", json={"text": planted.words("a message")}
    )
    assert said_again.status_code == 200
    await scene.move(taken, "answer")
    comment = {"satisfied": False, "comment": planted.words("the verdict")}
    assert (await scene.http.post(f"{path}/confirmation", json=comment)).status_code == 200

    seen = await read_by_the_desks(scene, app, taken["number"])
    assert all(words in seen for words in planted.harmless), "his complaint itself gets through"
    assert planted.found(seen) == []
    assert planted.found("\n".join(record.getMessage() for record in caplog.records)) == []
    assert taken["query_code"] not in seen


async def test_the_agencys_rows_hold_nothing_of_him(scene: Scene) -> None:
    planted = Planted()
    await said(
        scene, text=planted.words("the grievance"), contact=planted.person("the contact"),
        headers=await scene.citizen(),
    )  # fmt: skip
    for table in ("work_orders", "work_order_steps", "alerts", "order_parts", "receipts"):
        rows = await sql.fetch(f"SELECT t::text AS row FROM {table} t")
        assert planted.found("\n".join(row["row"] for row in rows)) == [], table
    citizen = (await sql.fetch("SELECT id FROM citizens"))[0]["id"]
    orders = await sql.fetch("SELECT t::text AS row FROM work_orders t")
    assert str(citizen) not in orders[0]["row"]
