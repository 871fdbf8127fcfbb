"""Behind a grievance's query code there is the same loop as behind a review's."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import HOUSING, LABOUR_MATTER, a_bad_review
from grievances.doors import CONTACT, said, track
from kit.calls import Scene, undo_time_is_over
from phones import Handset, tick
from workorders.deeds import do, done, later, see, seen

from server.kit import sql
from server.kit.clock import clock
from server.receipts.codes import code_of
from server.reviews import closing, voices
from server.workorders import escalation
from server.workorders.models import WorkOrder

ANSWER = {"disposition": "explained", "text": "样本已换成新的，谢谢"}


async def order_of(taken: dict[str, Any]) -> WorkOrder:
    return await WorkOrder.get(number=taken["number"])


async def test_the_code_shows_what_was_said_and_every_step_and_no_level(scene: Scene) -> None:
    taken = await said(scene, "accept", "answer")
    shown = await track(scene, taken)
    assert "review" not in shown and "level" not in shown["grievance"]
    grievance = shown["grievance"]
    assert (grievance["source"], grievance["kind_name"], grievance["function_name"]) == (
        "faults", "纠错", "办事指南",
    )  # fmt: skip
    assert grievance["text"].endswith("王小明") and grievance["matter"] == "公租房申请"
    assert [step["what"] for step in shown["work_order"]["steps"]] == [
        "诉求已成为工单，派给责任部门", "责任部门已受理", "责任部门已答复",
    ]  # fmt: skip
    assert shown["awaiting_you"] == "confirmation" and shown["rates"] == ["agency"]
    assert (await order_of(taken)).told_how == "page"


async def test_a_review_is_shown_as_before(scene: Scene) -> None:
    shown = await track(scene, await scene.order("accept"))
    assert "grievance" not in shown and shown["review"]["level"] == 1
    assert list(shown)[:2] == ["review", "work_order"]


async def test_he_contests_and_the_supervisor_has_it_and_in_the_end_he_confirms(
    scene: Scene,
) -> None:
    taken = await said(scene, "accept", "answer", "contest")
    assert (await seen(scene, taken["number"], "supervisor"))["state"] == "contested"
    await scene.move(taken, "supervise")
    await scene.move(taken, "answer")
    await scene.move(taken, "confirm")
    assert (await track(scene, taken))["work_order"]["state"] == "closed"
    assert (await order_of(taken)).outcome == "content"


async def test_they_talk_and_his_words_reach_the_agency_without_himself(scene: Scene) -> None:
    taken = await said(scene, "accept", "ask", contact=CONTACT)
    shown = await track(scene, taken)
    assert shown["awaiting_you"] == "answer" and shown["messages"][0]["from"] == "agency"
    path = f"/api/v1/track/{taken['query_code']}/messages"
    words = "三号窗口，我电话13800138000，叫王小明"
    shown = (await scene.http.post(path, json={"text": words})).json()
    assert shown["work_order"]["state"] == "accepted"
    told = (await seen(scene, taken["number"]))["steps"]
    assert any("三号窗口" in step["words"] for step in told)
    assert "13800138000" not in str(told) and "王小明" not in str(told)


async def test_the_whole_loop_by_sms(scene: Scene, phone: Handset) -> None:
    taken = await said(scene, "accept", contact=CONTACT)
    await tick()
    message = (await phone.messages())[-1]
    assert message["purpose"] == "accepted" and "公租房申请" in message["text"]
    assert message["variables"]["code"].replace(" ", "") == taken["query_code"]
    await scene.move(taken, "ask")
    await tick()
    assert (await phone.messages())[-1]["text"].count("请问是哪个窗口")
    await phone.writes("三号窗口，我叫王小明")
    order = await seen(scene, taken["number"])
    assert order["state"] == "accepted" and "三号窗口" in str(order["steps"])
    assert "王小明" not in str(order)
    later(scene, timedelta(hours=25))
    await do(scene, taken["number"], "answer", "handler", **ANSWER)
    await tick()
    assert "样本已换成新的" in (await phone.messages())[-1]["text"]
    await phone.writes("不满意 样本还是旧的")
    order = await seen(scene, taken["number"])
    assert order["state"] == "contested" and order["steps"][-1]["words"] == "样本还是旧的"
    await scene.move(taken, "supervise")
    later(scene, timedelta(days=1))
    await do(scene, taken["number"], "answer", "handler", **ANSWER)
    await tick()
    await phone.writes("满意")
    assert (await order_of(taken)).state == "closed"
    assert await phone.purposes() == ["accepted", "ask", "answer", "answer"]
    assert await phone.outcomes() == ["added", "judged", "judged"]


async def test_without_a_matter_a_message_still_says_what_it_is_about(
    scene: Scene, phone: Handset
) -> None:
    taken = await said(scene, matter_code=None, contact=CONTACT)
    await done(scene, taken["number"], "accept", "desk")
    await tick()
    (message,) = await phone.messages()
    assert "您反映的诉求（未选事项），大厅综合服务台已受理" in message["text"]


async def delivered(answered_at: Any) -> None:
    await sql.fetch(
        "UPDATE sms_messages SET state = 'delivered', settled_at = $1 WHERE purpose = 'answer'",
        answered_at,
    )


@pytest.mark.parametrize(
    ("contact", "reached", "how"),
    [(None, False, "no_channel"), ({"name": "王小明"}, False, "no_channel"), (CONTACT, True, "sms"),
     (CONTACT, False, None)],
)  # fmt: skip
async def test_silence_closes_it_only_with_proof(
    scene: Scene, contact: dict[str, str] | None, reached: bool, how: str | None
) -> None:
    taken = await said(scene, "accept", "answer", contact=contact)
    await tick()
    if reached:
        await delivered(clock.now())
    later(scene, timedelta(days=9))
    await closing.close_silent()
    order = await order_of(taken)
    assert (order.state, order.told_how) == (("closed", how) if how else ("answered", None))
    assert how or order.climb_due is not None, "what may not be closed climbs"


async def test_a_real_name_is_revealed_to_its_verifier_and_called_back(scene: Scene) -> None:
    taken = await said(scene, "accept", real_name=True, contact=CONTACT)
    number = taken["number"]
    refused = await do(scene, number, "reveal", "lead", reason="核实情况")
    assert refused.status_code == 403
    person = (await do(scene, number, "reveal", "handler", reason="核实情况")).json()
    assert (person["name"], person["phone"], person["case_number"]) == (*CONTACT.values(), "")
    queue = await scene.http.get("/api/v1/call-backs", headers=await scene.staff("handler"))
    assert [item["number"] for item in queue.json()["items"]] == [number]
    await scene.move(taken, "answer")
    later(scene, timedelta(days=9))
    await closing.close_silent()
    assert (await order_of(taken)).state == "answered", "not before he was called"
    talk = {"reached": True, "satisfied": True, "told_answer": True}
    await done(scene, number, "call-back", "handler", **talk)
    order = await order_of(taken)
    assert order.called_back_at is not None and order.told_how == "call"


async def test_of_an_anonymous_one_nobody_learns_who_it_was(scene: Scene) -> None:
    taken = await said(scene, "accept", contact=CONTACT)
    refused = await do(scene, taken["number"], "reveal", "handler", reason="核实情况")
    assert (refused.status_code, refused.json()["code"]) == (409, "anonymous")


async def test_two_of_one_cause_are_merged_and_nothing_is_lost(
    scene: Scene, phone: Handset
) -> None:
    review = await scene.order("accept")
    taken = await said(scene, "accept", contact=CONTACT)
    await done(scene, taken["number"], "merge", "lead", into=review["number"])
    await scene.move(review, "answer")
    shown = await track(scene, taken)
    assert shown["work_order"]["merged"] is True and shown["grievance"]["text"]
    assert shown["work_order"]["steps"][-1]["words"] == "已整改"


async def test_what_only_a_rating_has_is_refused_in_words(scene: Scene) -> None:
    taken = await said(scene)
    path = f"/api/v1/track/{taken['query_code']}"
    for door, body, code in (
        ("supplement", {"comment": "补充"}, "not_a_review"),
        ("call-back", {"satisfied": False}, "no_call_back"),
        ("questionnaire", {"version": "x", "answers": [None] * 4}, "not_a_review"),
    ):
        answer = await scene.http.post(f"{path}/{door}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, code), door
    claim = await scene.http.post(
        "/api/v1/me/claims", json={"query_code": taken["query_code"]}, headers=await scene.citizen()
    )
    assert claim.json()["code"] == "not_a_review"


async def test_its_receipt_is_nobodys_and_rates_nothing(scene: Scene) -> None:
    taken = await said(scene, hall_code="H1", window_code="A1")
    ((number,),) = await sql.fetch("SELECT id FROM receipts")
    system = await scene.city.system(scene.http)
    answer = await scene.http.get(f"/api/v1/receipts/{number}", headers=system)
    assert answer.status_code == 404
    auditor = await scene.staff("auditor")
    answer = await scene.http.get(f"/api/v1/audit/receipts/{number}", headers=auditor)
    assert answer.status_code == 404
    code = code_of(number)
    assert (await scene.http.get(f"/api/v1/e/{code}")).json()["state"] == "closed"
    rated = await scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
    assert rated.status_code == 410
    assert (await track(scene, taken))["work_order"]["number"] == taken["number"]


async def test_it_is_seen_at_once_by_its_agency_and_its_supervisor_and_by_no_other(
    scene: Scene,
) -> None:
    taken = await said(scene)
    order = await seen(scene, taken["number"])
    assert (order["origin"], order["level"], order["tag_texts"]) == (
        "faults", None, ["纠错", "办事指南"],
    )  # fmt: skip
    assert (await see(scene, taken["number"], "supervisor")).status_code == 200
    assert (await see(scene, taken["number"], "other")).status_code == 404


async def test_two_verdicts_at_once_are_one(scene: Scene) -> None:
    taken = await said(scene, "accept", "answer")
    path = f"/api/v1/track/{taken['query_code']}/confirmation"
    bodies = [{"satisfied": True}, {"satisfied": False, "comment": "没有解决"}] * 3
    answers = await asyncio.gather(*(scene.http.post(path, json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]


async def test_the_ladder_runs_on_it_unchanged(scene: Scene) -> None:
    """Warned, told at the due time, its lead, then the supervisor, and it is supervised by rule."""
    taken = await said(scene, source="stuck", kind="hard", function=None)
    await done(scene, taken["number"], "accept", "handler")
    order = await order_of(taken)
    later(scene, order.due_at - clock.now() - timedelta(hours=12))
    await escalation.escalate()
    later(scene, timedelta(days=9))
    for _ in range(6):
        await escalation.escalate()
    kinds = {row["kind"] for row in await sql.fetch("SELECT kind FROM alerts")}
    assert {"warn", "overdue", "leads", "supervisors"} <= kinds
    assert (await order_of(taken)).state == "supervised"
    refused = await do(
        scene, taken["number"], "rule", "supervisor", finding="accountable", text="推诿"
    )
    assert refused.status_code == 200, refused.text
    rows = await sql.fetch(
        "SELECT agency_code FROM accountability WHERE order_number = $1", taken["number"]
    )
    assert {row["agency_code"] for row in rows} == {HOUSING}


async def test_no_statement_about_one_order_reads_every_review(scene: Scene) -> None:
    """The view has no join in it: both tables are asked by their keys."""
    rows = await sql.fetch(
        "EXPLAIN SELECT r.citizen_id FROM work_orders o JOIN voices r ON r.id = o.origin_key "
        "WHERE o.number = 'X'"
    )
    plan = "\n".join(row[0] for row in rows)
    assert "Subquery Scan" not in plan and "reviews_pkey" in plan and "grievances_pkey" in plan


async def test_a_voice_is_found_by_what_names_it(scene: Scene) -> None:
    grievance, (_, review) = await said(scene, matter_code=LABOUR_MATTER), await scene.rated()
    await undo_time_is_over(review)
    for taken in (grievance, review):
        voice = await voices.behind(taken["query_code"])
        assert (await voices.of_id(voice.id)).order_number == taken["work_order"]["number"]
