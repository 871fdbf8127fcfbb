"""Whose order was merged into another's is told of it over his own phone, and answers from it."""

from datetime import timedelta

from factories import City
from httpx import AsyncClient
from kit.calls import Scene
from phones import Handset, notified, orders, pass_time, policy, tick
from workorders.deeds import done

from server.kit import sql
from server.workorders.models import Step, WorkOrder

ANSWER = {"disposition": "fixed", "text": "已增设窗口"}


async def test_everyone_is_told_over_his_own_phone_and_answers_from_it(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    scene = Scene(http, hall)
    await policy(daily_messages=9)
    await notified(http, hall)
    await phone.writes("1 排队太久")
    await pass_time(timedelta(minutes=11))
    (gone,) = [str(order["number"]) for order in await orders()]
    kept = await scene.order("accept")
    await done(scene, gone, "merge", "lead", into=kept["number"])
    await tick()
    await done(scene, kept["number"], "answer", "handler", **ANSWER)
    await pass_time(timedelta(minutes=5))
    last = (await phone.messages())[-1]
    assert last["purpose"] == "answer" and "已增设窗口" in str(last)
    await phone.writes("不满意，还是排队")
    order = await WorkOrder.get(number=kept["number"])
    assert order.state == "contested"
    step = await Step.filter(order_id=kept["number"]).order_by("-id").first()
    assert step and (step.move, step.of_order) == ("contest", gone)


async def test_a_question_about_his_own_answer_ends_when_his_order_is_merged(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    """What he writes after the merge is about the answer that stands, never about one that was given
    before."""
    scene = Scene(http, hall)
    await policy(daily_messages=9)
    await notified(http, hall)
    await phone.writes("1 排队太久")
    await pass_time(timedelta(minutes=11))
    (gone,) = [str(order["number"]) for order in await orders()]
    await done(scene, gone, "accept", "handler")
    await done(scene, gone, "answer", "handler", **ANSWER)
    await pass_time(timedelta(minutes=5))
    assert ("verdict", "open") in await phone.questions()
    kept = await scene.order("accept")
    await done(scene, gone, "merge", "lead", into=kept["number"])
    await tick()
    assert ("verdict", "needless") in await phone.questions()
    await done(
        scene, kept["number"], "answer", "handler", disposition="explained", text="第二份答复"
    )
    await pass_time(timedelta(minutes=5))
    assert "第二份答复" in str((await phone.messages())[-1])
    await phone.writes("满意")
    rows = await sql.fetch("SELECT satisfied FROM opinions WHERE order_id = $1", gone)
    assert [row["satisfied"] for row in rows] == [True]
    assert (await WorkOrder.get(number=kept["number"])).state == "answered", "the other is silent"
