"""并案: two orders become one, and nobody behind them is lost: not his words, his date, his verdict."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import LABOUR, City
from httpx import AsyncClient, Response
from kit.calls import Scene
from phones import at_o_clock
from workorders.deeds import count, do, done, later, seen, told
from workorders.standing import an_order, member
from workorders.test_order_races import at_once

from server.kit import sql
from server.kit.clock import clock
from server.reviews import closing
from server.reviews import service as reviews
from server.reviews.rules import MESSAGES_A_DAY
from server.workorders import handling, merging, ruling, service
from server.workorders.models import Part, Step, WorkOrder
from server.workorders.rules import Disposition, IllegalMove, Outcome, State, Told

ANSWER = {"disposition": "fixed", "text": "已增设窗口"}
ROUNDS = 5


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    clock.advanced += at_o_clock(10)
    return Scene(http, city)


async def two(scene: Scene, *moves: str, **review: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The order that goes on, and the one that was merged into it; each with its citizen's code."""
    kept = await scene.order(*moves)
    gone = await rated(scene, **review)
    await done(scene, gone["number"], "merge", "lead", into=kept["number"])
    return kept, gone


async def rated(scene: Scene, **review: Any) -> dict[str, Any]:
    _, taken = await scene.rated(undo_is_over=True, **review)
    return taken | {"number": taken["work_order"]["number"]}


async def track(scene: Scene, of: dict[str, Any]) -> dict[str, Any]:
    answer = await scene.http.get(f"/api/v1/track/{of['query_code']}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def says(scene: Scene, of: dict[str, Any], satisfied: bool, comment: str = "") -> Response:
    path = f"/api/v1/track/{of['query_code']}/confirmation"
    return await scene.http.post(path, json={"satisfied": satisfied, "comment": comment})


async def order_of(of: dict[str, Any]) -> WorkOrder:
    return await WorkOrder.get(number=of["number"])


# Words, dates, people


async def test_the_words_stand_on_the_target_and_its_citizen_does_not_read_them(
    scene: Scene,
) -> None:
    kept, gone = await two(scene, "accept", comment="我等了三个小时，电话13800138000")
    order = await seen(scene, kept["number"])
    step = order["steps"][-1]
    assert (step["move"], step["what"]) == ("joined", "并入另一张工单")
    assert gone["number"] in step["words"] and "我等了三个小时" in step["words"]
    assert "原因115" in step["words"] and "13800138000" not in step["words"]
    mine = await track(scene, kept)
    assert mine["work_order"]["steps"][-1]["what"] == "另有群众反映同一件事，一并办理"
    assert "我等了三个小时" not in str(mine) and gone["number"] not in str(mine)
    assert not mine["work_order"]["merged"]


async def test_the_earlier_of_two_promises_is_kept_through_every_recount(scene: Scene) -> None:
    early = await an_order("accepted")
    clock.advanced += timedelta(days=3)
    late = await an_order("accepted")
    promised, own = early.due_at, late.due_at
    lead = await member("lead")
    await merging.merge(lead, early.number, into=late.number)
    after = await WorkOrder.get(number=late.number)
    assert (after.due_at, after.next_due_at) == (promised, promised) and promised < own
    assert await service.redate({2026, 2027}) == 0, "a recount finds nothing to correct"
    longer = await handling.extend(lead, late.number, working_days=2, reason="调取监控")
    assert promised < longer.due_at < own + timedelta(days=5)
    assert await service.redate({2026, 2027}) == 0

    other = await an_order("accepted")
    newer = await an_order("accepted", due_at=other.due_at + timedelta(days=5))
    await merging.merge(lead, newer.number, into=other.number)
    assert (await WorkOrder.get(number=other.number)).due_at == other.due_at


async def test_a_target_that_waits_for_its_citizen_does_not_let_the_other_wait(
    scene: Scene,
) -> None:
    asked = await an_order("accepted")
    handler, lead = await member("handler"), await member("lead")
    await handling.ask(handler, asked.number, text="哪个窗口？")
    before = await WorkOrder.get(number=asked.number)
    mine = await an_order("accepted", due_at=before.next_due_at - timedelta(days=4))  # type: ignore[operator]
    await WorkOrder.filter(number=mine.number).update(answer_days=1)
    await merging.merge(lead, mine.number, into=asked.number)
    after = await WorkOrder.get(number=asked.number)
    assert after.state == "asking"
    assert after.next_due_at == after.due_at < before.next_due_at  # type: ignore[operator]
    assert await service.redate({2026, 2027}) == 0


async def test_what_was_promised_to_a_citizen_who_was_asked_counts_his_pause(scene: Scene) -> None:
    """His own clock stood still for him; that time is not taken back."""
    lead, handler = await member("lead"), await member("handler")
    asked = await an_order("accepted")
    await handling.ask(handler, asked.number, text="哪个窗口？")
    clock.advanced += timedelta(days=1)
    target = await an_order("accepted", due_at=asked.due_at + timedelta(days=60))
    await WorkOrder.filter(number=target.number).update(answer_days=40)
    await merging.merge(lead, asked.number, into=target.number)
    after = await WorkOrder.get(number=target.number)
    assert after.due_at > asked.due_at, "the day on which he was asked is his"


async def test_a_co_handler_of_the_merged_order_has_its_part_in_the_target(scene: Scene) -> None:
    lead = await member("lead")
    mine = await an_order("accepted", co_agency_codes=[LABOUR])
    await Part.create(order_id=mine.number, agency_code=LABOUR)
    target = await an_order("accepted")
    await merging.merge(lead, mine.number, into=target.number)
    part = await Part.get(order_id=target.number)
    assert (part.agency_code, part.state) == (LABOUR, "waiting")
    assert (await service.find(await member("other"), target.number)).co_agency_codes == [LABOUR]
    early = await do(scene, target.number, "answer", "handler", **ANSWER)
    assert told(early) == (409, "illegal_move")


async def test_what_a_supervisor_has_is_not_merged_away_by_the_agency(scene: Scene) -> None:
    lead, supervisor = await member("lead"), await member("supervisor")
    target, high = await an_order("accepted"), await an_order("supervised")
    for state in ("contested", "supervised"):
        mine = await an_order(state)
        with pytest.raises(IllegalMove, match="督办员"):
            await merging.merge(lead, mine.number, into=target.number)
        await merging.merge(lead, mine.number, into=high.number)
    mine = await an_order("contested")
    await merging.merge(supervisor, mine.number, into=target.number)


async def test_no_order_follows_another_that_follows_a_third(scene: Scene) -> None:
    lead = await member("lead")
    a, b, c = [(await an_order("accepted")).number for _ in range(3)]
    await merging.merge(lead, a, into=b)
    for number, into in ((b, c), (c, a), (a, c), (c, c)):
        with pytest.raises(IllegalMove):
            await merging.merge(lead, number, into=into)
    assert await count("work_order_steps", "move = 'joined'") == 1


# His page, his messages


async def test_from_the_merge_on_he_follows_the_target_under_his_own_number(scene: Scene) -> None:
    kept = await scene.order("accept")
    await scene.http.post(f"/api/v1/track/{kept['query_code']}/messages", json={"text": "别人的话"})
    gone = await rated(scene)
    await done(scene, gone["number"], "merge", "lead", into=kept["number"])
    await done(scene, kept["number"], "message", "handler", text="正在核对监控")
    mine = (await track(scene, gone))["work_order"]
    assert (mine["number"], mine["state"], mine["merged"], mine["open"]) == (
        gone["number"], "accepted", True, True,
    )  # fmt: skip
    assert [step["what"] for step in mine["steps"]] == [
        "差评已成为工单，派给责任部门", "已与同一问题的另一张工单一并办理", "部门给您留言",
    ]  # fmt: skip
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    page = await track(scene, gone)
    assert (page["awaiting_you"], page["rates"]) == ("confirmation", ["agency"])
    assert page["work_order"]["steps"][-1]["what"] == "一并办理的工单已答复"
    assert page["work_order"]["steps"][-1]["words"] == "已增设窗口"
    assert "别人的话" not in str(page) and kept["number"] not in str(page)


async def test_who_comes_to_an_answer_that_stands_reads_it_and_has_his_own_days(
    scene: Scene,
) -> None:
    kept = await scene.order("accept", "answer")
    later(scene, timedelta(days=3))
    gone = await rated(scene)
    before = (await order_of(kept)).next_due_at
    await done(scene, gone["number"], "merge", "lead", into=kept["number"])
    after = (await order_of(kept)).next_due_at
    assert after > before  # type: ignore[operator]
    page = await track(scene, gone)
    assert page["awaiting_you"] == "confirmation"
    assert "已整改" in str(page["work_order"]["steps"])
    assert (await says(scene, kept, True)).status_code == 200
    assert (await order_of(kept)).state == "answered", "the other has not spoken"
    assert (await says(scene, gone, True)).status_code == 200
    assert (await order_of(kept)).outcome == Outcome.CONTENT


async def test_what_he_writes_goes_to_the_target_and_the_other_citizen_does_not_read_it(
    scene: Scene,
) -> None:
    kept, gone = await two(scene, "accept")
    for of, text in ((gone, "我是第二个人的话"), (kept, "我是第一个人的话")):
        path = f"/api/v1/track/{of['query_code']}/messages"
        assert (await scene.http.post(path, json={"text": text})).status_code == 200
    order = await seen(scene, kept["number"])
    assert [step["words"] for step in order["steps"] if step["move"] == "message"] == [
        "我是第二个人的话", "我是第一个人的话",
    ]  # fmt: skip
    for of, own, foreign in ((gone, "第二个", "第一个"), (kept, "第一个", "第二个")):
        page = await track(scene, of)
        assert own in str(page["messages"]) and foreign not in str(page)
    await done(scene, kept["number"], "ask", "handler", text="哪个窗口？")
    assert (await track(scene, gone))["awaiting_you"] == "answer"
    path = f"/api/v1/track/{gone['query_code']}/messages"
    assert (await scene.http.post(path, json={"text": "二号窗口"})).status_code == 200
    assert (await order_of(kept)).state == "accepted", "any of them answers the question"
    supplement = f"/api/v1/track/{gone['query_code']}/supplement"
    assert (await scene.http.post(supplement, json={"comment": "还有照片"})).status_code == 200
    assert "还有照片" in str((await seen(scene, kept["number"]))["steps"])


async def test_the_limit_of_messages_is_each_citizen_s_own(scene: Scene) -> None:
    kept, gone = await two(scene, "accept")
    for number in range(MESSAGES_A_DAY + 1):
        path = f"/api/v1/track/{gone['query_code']}/messages"
        last = await scene.http.post(path, json={"text": f"第 {number} 句"})
    assert last.status_code == 429
    path = f"/api/v1/track/{kept['query_code']}/messages"
    assert (await scene.http.post(path, json={"text": "我也说一句"})).status_code == 200


# Verdicts


async def test_one_no_contests_for_all_and_its_word_is_on_record(scene: Scene) -> None:
    kept, gone = await two(scene, "accept")
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    assert (await says(scene, kept, True)).status_code == 200
    no = await says(scene, gone, False, "我这里还是没有解决")
    assert no.status_code == 200, no.text
    order = await order_of(kept)
    assert (order.state, order.contests, order.outcome) == ("contested", 1, None)
    assert "我这里还是没有解决" in (await seen(scene, kept["number"]))["steps"][-1]["words"]
    other = await track(scene, kept)
    assert other["work_order"]["steps"][-1] == {
        "at": other["work_order"]["steps"][-1]["at"], "words": "",
        "what": "一并办理的另一位群众不认可答复，转督办",
    }  # fmt: skip
    assert "没有解决" not in str(other)
    assert (await track(scene, gone))["work_order"]["steps"][-1]["words"] == "我这里还是没有解决"

    await done(scene, kept["number"], "supervise", "supervisor", text="重新答复")
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    for of in (gone, kept):
        assert (await track(scene, of))["awaiting_you"] == "confirmation", "each judges it anew"
        assert (await says(scene, of, True)).status_code == 200
    assert (await order_of(kept)).outcome == Outcome.CONTENT
    assert await count("opinions", "order_id = $1", gone["number"]) == 2


async def test_it_ends_content_only_when_the_last_of_them_accepts(scene: Scene) -> None:
    kept, gone = await two(scene, "accept")
    third = await rated(scene)
    await done(scene, third["number"], "merge", "lead", into=kept["number"])
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    for of in (gone, kept):
        assert (await says(scene, of, True)).status_code == 200
        assert (await track(scene, of))["awaiting_you"] is None
        again = await says(scene, of, True)
        assert told(again) == (409, "illegal_move") and "已经认可过" in again.json()["detail"]
    assert (await order_of(kept)).state == "answered"
    steps = [step.move for step in await Step.filter(order_id=kept["number"]).order_by("id")]
    assert steps[-2:] == ["content", "content"]
    assert (await says(scene, third, True)).status_code == 200
    order = await order_of(kept)
    assert (order.state, order.outcome) == ("closed", Outcome.CONTENT)
    assert (await order_of(gone)).state == "merged"
    assert (await track(scene, gone))["work_order"]["state"] == "closed"


async def test_who_has_accepted_may_still_say_no_while_it_waits_for_others(scene: Scene) -> None:
    kept, gone = await two(scene, "accept")
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    await says(scene, gone, True)
    assert (await says(scene, gone, False, "又坏了")).status_code == 200
    assert (await order_of(kept)).state == "contested"


async def test_one_who_is_silent_is_not_counted_as_content(scene: Scene) -> None:
    kept, gone = await two(scene, "accept")
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    await says(scene, kept, True)
    later(scene, timedelta(days=11))
    assert await closing.close_silent() == 1
    assert (await order_of(kept)).outcome == Outcome.SILENT
    assert (await order_of(gone)).told_how == "no_channel", "the proof for each"


CONTACT = {"contact": {"name": "李四", "phone": "13911112222"}}


async def test_silence_closes_nothing_while_one_of_them_was_not_told(scene: Scene) -> None:
    kept, gone = await two(scene, "accept", **CONTACT)
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    later(scene, timedelta(days=11))
    assert await closing.close_silent() == 1, "nothing is closed: it climbs"
    order = await order_of(kept)
    assert (order.state, order.climbs_at is not None) == ("answered", True)
    with pytest.raises(IllegalMove, match=gone["number"]):
        await service.silence(kept["number"], Told.PAGE, clock.now())
    await track(scene, gone)
    assert (await order_of(gone)).told_how == "page"
    await closing.close_silent()
    waiting = await order_of(kept)
    assert waiting.state == "answered", "who was told late has his days from then on"
    later(scene, timedelta(days=11))
    await closing.close_silent()
    assert (await order_of(kept)).outcome == Outcome.SILENT


async def test_the_call_back_of_a_real_name_is_not_lost(scene: Scene) -> None:
    gone = await rated(scene, real_name=True, **CONTACT)
    kept = await scene.order("accept")
    await done(scene, gone["number"], "merge", "lead", into=kept["number"])
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    await track(scene, gone)
    later(scene, timedelta(days=11))
    await closing.close_silent()
    assert (await order_of(kept)).state == "answered"
    with pytest.raises(IllegalMove, match="回访"):
        await service.silence(kept["number"], Told.PAGE, clock.now())
    rates = await scene.http.get("/api/v1/call-backs", headers=await scene.staff("handler"))
    assert gone["number"] in rates.text
    person = await do(scene, gone["number"], "reveal", "handler", reason="回访")
    assert person.status_code == 200 and "13911112222" in person.text
    called = await do(
        scene,
        gone["number"],
        "call-back",
        "handler",
        reached=True,
        satisfied=True,
        told_answer=True,
    )
    assert called.status_code == 200, called.text
    await closing.close_silent()
    assert (await order_of(kept)).outcome == Outcome.SILENT


async def test_a_review_that_counts_no_more_takes_only_its_own_citizen_away(scene: Scene) -> None:
    kept, gone = await two(scene, "accept")
    await service.dismiss(kept["number"], "经复核不予采纳：误评", clock.now())
    assert (await order_of(kept)).state == "accepted"
    assert (await seen(scene, kept["number"]))["steps"][-1]["move"] == "left"
    assert "不予采纳" not in str(await track(scene, gone))
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    assert (await says(scene, gone, True)).status_code == 200
    assert (await order_of(kept)).outcome == Outcome.CONTENT

    kept, gone = await two(scene, "accept")
    await service.dismiss(gone["number"], "经复核不予采纳：误评", clock.now())
    assert (await order_of(kept)).state == "accepted"
    await service.dismiss(kept["number"], "经复核不予采纳：误评", clock.now())
    assert (await order_of(kept)).state == "dismissed", "nobody is left"


async def test_merged_ones_go_with_the_target_to_another_agency(scene: Scene) -> None:
    kept, gone = await two(scene)
    await done(scene, kept["number"], "return", "lead", agency_code=LABOUR, reason="归人社")
    await done(scene, kept["number"], "reassign", "supervisor", agency_code=LABOUR)
    assert (await order_of(gone)).agency_code == LABOUR
    assert (await track(scene, gone))["work_order"]["agency"] == "人力资源局"
    await service.find(await member("other"), gone["number"])


# At once


async def test_a_merge_meets_an_answer_and_nobody_is_lost(scene: Scene) -> None:
    lead, handler = await member("lead"), await member("handler")
    for _ in range(ROUNDS):
        target, mine = await an_order("accepted"), await an_order("accepted")
        made = await at_once(
            merging.merge(lead, mine.number, into=target.number), _answer(handler, target.number),
            _answer(handler, mine.number),
        )  # fmt: skip
        assert made in (["done"] * 3, ["done", "done", "illegal_move"])
        after, own = [await WorkOrder.get(number=o.number) for o in (target, mine)]
        assert (own.state, after.state) == ("merged", "answered")
        assert await service.redate({2026, 2027}) == 0


async def test_a_merge_meets_a_contest_and_it_is_heard_where_the_order_is(scene: Scene) -> None:
    lead = await member("lead")
    heard = set()
    for _ in range(ROUNDS):
        target, mine = await an_order("answered"), await an_order("answered")
        made = await at_once(
            merging.merge(lead, mine.number, into=target.number),
            service.judge(mine.number, satisfied=False, words="没有解决"),
        )
        own, after = [await WorkOrder.get(number=o.number) for o in (mine, target)]
        if own.state == "merged":
            assert (made, after.state) == (["done", "done"], "contested")
        else:  # contested first: an agency does not merge that away
            assert (made, own.state) == (["done", "illegal_move"], "contested")
        heard.add(own.state)
        assert await count("work_order_steps", "move = 'contest' AND words = '没有解决'") == len(
            await sql.fetch("SELECT 1 FROM opinions WHERE NOT satisfied")
        )
    assert heard <= {"merged", "contested"}


async def test_two_merges_into_one_keep_both(scene: Scene) -> None:
    lead = await member("lead")
    for _ in range(ROUNDS):
        target = await an_order("accepted")
        mine = [await an_order("accepted", first_asked_id=n) for n in (901, 902)]
        made = await at_once(*(merging.merge(lead, o.number, into=target.number) for o in mine))
        assert made == ["done", "done"]
        after = await WorkOrder.get(number=target.number)
        assert sorted(after.followers or []) == [901, 902]
        assert (
            await count("work_order_steps", "order_id = $1 AND move = 'joined'", target.number) == 2
        )


async def test_the_last_two_accept_at_once_and_it_ends_once(scene: Scene) -> None:
    lead = await member("lead")
    for _ in range(ROUNDS):
        target, mine = await an_order("answered"), await an_order("accepted")
        await merging.merge(lead, mine.number, into=target.number)
        made = await at_once(*(
            service.judge(number, satisfied=True, words="") for number in (target.number, mine.number)
        ))  # fmt: skip
        assert made == ["done", "done"]
        assert (await WorkOrder.get(number=target.number)).outcome == Outcome.CONTENT
        assert (
            await count("work_order_steps", "order_id = $1 AND move = 'confirm'", target.number)
            == 1
        )


async def test_an_undo_and_a_merge_exclude_each_other(scene: Scene) -> None:
    """Who may still undo has an order that nobody at the agency sees."""
    kept = await scene.order("accept")
    _, taken = await scene.rated()
    number, lead = taken["work_order"]["number"], await member("lead")
    review = await reviews.review_of(taken["query_code"])
    made = await asyncio.gather(
        reviews.undo(review),
        merging.merge(lead, number, into=kept["number"]),
        return_exceptions=True,
    )
    assert made[0] is None and isinstance(made[1], service.UnknownOrder)
    assert (await WorkOrder.get(number=number)).state == State.WITHDRAWN
    gone = await rated(scene)
    await merging.merge(lead, gone["number"], into=kept["number"])
    late = await scene.http.post(
        f"/api/v1/track/{gone['query_code']}/supplement", json={"comment": "补充"}
    )
    assert late.status_code == 200
    with pytest.raises(IllegalMove):
        await service.withdraw(gone["number"], clock.now())


async def test_a_merge_crosses_a_takeover_and_a_reassignment(scene: Scene) -> None:
    lead, supervisor = await member("lead"), await member("supervisor")
    for _ in range(ROUNDS):
        target, mine = await an_order("returned"), await an_order("accepted")
        made = await at_once(
            merging.merge(lead, mine.number, into=target.number),
            ruling.reassign(supervisor, target.number, agency_code=LABOUR),
        )
        own, after = [await WorkOrder.get(number=o.number) for o in (mine, target)]
        assert after.agency_code == LABOUR and "done" in made
        assert own.agency_code == (LABOUR if own.state == "merged" else lead.agency_code)


def _answer(who: Any, number: str) -> Any:
    return service.answer(
        who, number, disposition=Disposition.FIXED, text="已整改", legal_basis=None
    )
