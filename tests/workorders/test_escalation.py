"""Orders climb their ladder: each rung once, in order, whoever looks and however late."""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from factories import DESK, HOUSING, LABOUR, City
from phones import policy
from workorders.standing import (
    MONDAY,
    SECOND,
    alerted,
    an_order,
    listed,
    member,
    moves,
    rungs,
    set_clock,
)

from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.settings import Settings
from server.workorders import alerts, escalation, handling, ruling, service
from server.workorders.models import Part, WorkOrder
from server.workorders.rules import State

EARLY = 2 * SECOND
"""The clock goes on while a test runs."""
ALL = [("agency", rung) for rung in range(5)]


@pytest.fixture(autouse=True)
def monday(city: City) -> None:
    set_clock(MONDAY)


async def at(when: object, order: WorkOrder) -> WorkOrder:
    """The tick at that time; the order as it is then."""
    set_clock(when)  # type: ignore[arg-type]
    await escalation.escalate()
    return await WorkOrder.get(number=order.number)


async def asked_on_the_first_day(order: WorkOrder) -> None:
    """The cap ends when the answer is due: another ladder, or none, to the same moment."""
    asked = await handling.ask(await member("handler"), order.number, text="哪个窗口？")
    assert asked.next_due_at == order.due_at


async def test_who_asks_and_is_answered_at_once_is_warned_in_time_for_the_same_due_time() -> None:
    order = await an_order("accepted")
    await asked_on_the_first_day(order)
    await at(clock.now(), order)
    await service.resume(order.number, "三号窗口", clock.now(), "citizen")
    assert await rungs(await at(order.due_at - timedelta(days=2), order)) == ALL[:1]


async def test_who_waits_for_the_citizen_till_the_same_due_time_is_not_hurried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    order = await an_order("accepted")
    await at(clock.now(), order)
    await asked_on_the_first_day(order)
    still = await at(order.due_at - timedelta(days=2), order)
    assert (still.state, await rungs(order)) == ("asking", [])
    assert [
        record for record in caplog.records if record.name.startswith("server.workorders")
    ] == []


async def test_the_days_of_waiting_stay_uncounted_when_the_order_is_supervised_out_of_it() -> None:
    order = await an_order("accepted")
    await asked_on_the_first_day(order)
    set_clock(order.due_at + SECOND)  # the waiting has ended, and no worker has looked yet
    taken = await ruling.supervise(await member("supervisor"), order.number, text="抓紧")
    assert taken.due_at - order.due_at == timedelta(days=6), "five working days: one is a Sunday"
    assert await service.redate({2026}) == 0


async def test_the_owner_is_warned_then_told_at_the_second_and_then_those_above_him() -> None:
    order = await an_order("accepted")  # due on the Monday after
    due = order.due_at
    assert await rungs(await at(due - timedelta(days=3) - EARLY, order)) == []
    await at(due - timedelta(days=3) + SECOND, order)
    assert (await alerted(), await moves(order)) == ([("handler", "warn")], ["open", "escalate"])
    await at(due - EARLY, order)
    assert await rungs(order) == ALL[:1]
    await at(due + SECOND, order)
    assert (await alerted())[1:] == [("handler", "overdue")]
    await at(due + timedelta(days=1) + SECOND, order)
    assert (await alerted())[2:] == [("lead", "leads")]
    order = await at(due + timedelta(days=2) + SECOND, order)
    assert (await alerted())[3:] == [("supervisor", "supervisors")]
    assert (order.state, await moves(order)) == (
        State.SUPERVISED,
        ["open", *["escalate"] * 4, "supervise"],
    )
    assert await listed() == []
    await at(due + timedelta(days=4) + SECOND, order)
    assert await rungs(order) == ALL and await listed() == [(order.number, "overdue")]
    await escalation.escalate()
    assert await rungs(order) == ALL and len(await alerted()) == 5


async def test_a_week_forward_in_one_jump_climbs_each_rung_once_in_order() -> None:
    order = await an_order()
    order = await at(MONDAY + timedelta(days=9), order)
    assert await rungs(order) == ALL
    assert await moves(order) == ["open", *["escalate"] * 4, "supervise", "escalate"]
    assert await listed() == [(order.number, "overdue")]
    rows = await sql.fetch("SELECT DISTINCT at FROM escalations")
    assert len(rows) == 1 and rows[0]["at"] <= clock.now(), "the time at which it was noticed"
    assert order.next_due_at and order.next_due_at > clock.now()
    order = await at(order.next_due_at + timedelta(days=20), order)
    assert await rungs(order) == ALL * 2, "the supervised one climbs by its own due time"
    assert await listed() == [(order.number, "overdue")], "once for a reason"


async def test_an_agency_that_answers_when_it_is_supervised_does_not_come_to_the_list() -> None:
    order = await an_order("accepted")
    order = await at(order.due_at + timedelta(days=2) + SECOND, order)
    assert order.state == State.SUPERVISED
    await sql.fetch(
        "INSERT INTO work_order_steps (order_id, at, move, state, actor, words) "
        "VALUES ($1, $2, 'answer', 'answered', 'handler', '')",
        order.number, clock.now() + SECOND,
    )  # fmt: skip
    await sql.fetch(
        "UPDATE work_orders SET state = 'answered', next_due_at = $2 WHERE number = $1",
        order.number, clock.now() + timedelta(days=30),
    )  # fmt: skip
    await at(clock.now() + timedelta(days=10), order)
    assert await listed() == [] and await rungs(order) == ALL[:4]
    assert await sql.fetch("SELECT 1 FROM escalations WHERE listed_at IS NOT NULL") == []


async def test_a_new_due_time_climbs_anew() -> None:
    order = await an_order("accepted")
    order = await at(order.due_at - timedelta(days=2), order)
    assert await rungs(order) == ALL[:1]
    later = order.due_at + timedelta(days=7)
    await sql.fetch("UPDATE work_orders SET next_due_at = $1, due_at = $1", later)
    await at(order.due_at + timedelta(days=1), order)
    assert await rungs(order) == ALL[:1], "the old one does not count any more"
    await at(later + SECOND, order)
    assert await rungs(order) == [*ALL[:1], *ALL[:2]]


async def test_where_a_role_has_nobody_the_next_ones_get_it_at_once() -> None:
    await Staff.filter(username__in=["handler", "lead"]).update(active=False)
    order = await an_order("accepted")
    await at(order.due_at - timedelta(days=2), order)
    assert await alerted() == [("supervisor", "warn")]
    await Staff.filter(username="supervisor").update(active=False)
    await at(order.due_at + SECOND, order)
    assert await rungs(order) == ALL[:2] and len(await alerted()) == 1, "nobody is left to tell"


async def test_a_supervisor_of_another_region_hears_nothing(city: City) -> None:
    await Staff.filter(username="supervisor").update(region_code="990102000000")
    order = await an_order("accepted")
    order = await at(order.due_at + timedelta(days=3), order)
    assert ("supervisor", "supervisors") not in await alerted()


async def test_a_contested_order_that_no_supervisor_takes_up_is_supervised_by_rule() -> None:
    order = await an_order("contested")
    order = await at(order.next_due_at + timedelta(days=30), order)  # type: ignore[operator]
    assert order.state == State.SUPERVISED and order.next_due_at > clock.now()  # type: ignore[operator]
    assert await rungs(order) == [("supervision", 1)]
    assert await alerted() == [("supervisor", "overdue")] and await listed() == []


async def test_a_returned_order_that_nobody_rules_comes_to_the_list_of_the_supervisors() -> None:
    order = await an_order("returned")
    await at(order.next_due_at + SECOND, order)  # type: ignore[operator]
    assert await rungs(order) == [("supervision", 1)]
    order = await at(order.next_due_at + timedelta(days=10), order)  # type: ignore[operator]
    assert await rungs(order) == [("supervision", 1), ("supervision", 4)]
    assert await listed() == [(order.number, "supervision_late")] and order.state == "returned"


async def test_an_order_that_asked_the_citizen_goes_on_when_the_clock_may_stand_no_longer() -> None:
    order = await an_order("asking", asked_from="accepted")
    await sql.fetch(
        "INSERT INTO work_order_steps (order_id, at, move, state, actor, words) "
        "VALUES ($1, $2, 'ask', 'asking', 'handler', '请补充')", order.number, clock.now(),
    )  # fmt: skip
    order = await at(order.next_due_at - EARLY, order)  # type: ignore[operator]
    assert order.state == State.ASKING
    order = await at(order.next_due_at + SECOND, order)  # type: ignore[operator]
    assert order.state == State.ACCEPTED and (await moves(order))[-1] == "resume"
    assert order.next_due_at > clock.now(), "it had stood still"  # type: ignore[operator]
    assert await alerted() == []


async def test_whose_part_is_missing_is_told_with_the_owner() -> None:
    order = await an_order("accepted", co_agency_codes=[LABOUR, DESK])
    await Part.create(order_id=order.number, agency_code=LABOUR)
    await Part.create(order_id=order.number, agency_code=DESK, state="done")
    await at(order.due_at - timedelta(days=2), order)
    assert await alerted() == [("handler", "warn")]
    await at(order.due_at + SECOND, order)
    assert sorted((await alerted())[1:]) == [("handler", "overdue"), ("other", "overdue")]


async def test_an_order_is_silent_before_the_agency_may_see_it(city: City) -> None:
    await policy(warn_days=30)
    order = await an_order("accepted", visible_from=MONDAY + timedelta(minutes=10))
    await at(MONDAY + timedelta(minutes=9), order)
    assert await rungs(order) == []


async def test_two_workers_at_once_climb_each_rung_once() -> None:
    orders = [await an_order("accepted") for _ in range(12)]
    set_clock(MONDAY + timedelta(days=30))
    await asyncio.gather(*(escalation.escalate() for _ in range(6)))
    await escalation.escalate()
    for order in orders:
        assert [rung for rung in await rungs(order) if rung == ("agency", 4)] == [("agency", 4)]
        assert await rungs(order) == ALL
    assert len(await listed()) == 12
    assert len(await alerted()) == 12 * 5


async def test_an_order_that_fails_alone_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = await an_order("accepted")
    await sql.fetch("UPDATE work_orders SET asked_from = 'nonsense', state = 'asking'")
    good = await an_order("accepted")
    set_clock(MONDAY + timedelta(days=30))
    await escalation.escalate()
    assert await rungs(good) == ALL and await rungs(broken) == []
    assert "an order could not climb" in caplog.messages
    caplog.clear()
    await escalation.escalate()
    assert caplog.messages == [], "it is tried again later, not every second"


async def test_a_worker_that_is_killed_in_the_middle_leaves_nothing_half_done(
    servers: Settings, tmp_path: Path
) -> None:
    orders = [await an_order("accepted") for _ in range(60)]
    script = tmp_path / "tick.py"
    script.write_text(_TICK)
    environment = os.environ | {
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
        "BASE_URL": servers.base_url, "KEYS": "a:" + "A" * 43 + "=",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    ahead = str((MONDAY + timedelta(days=30) - clock.now() + clock.advanced).total_seconds())
    for _ in range(2):
        child = await asyncio.create_subprocess_exec(
            sys.executable, str(script), ahead, env=environment
        )
        try:
            async with asyncio.timeout(20):
                before = await _climbed()
                while await _climbed() <= before + 3:
                    await asyncio.sleep(0.005)
        finally:
            child.send_signal(signal.SIGKILL)
            await child.wait()
    half = await _climbed()
    assert 0 < half < len(orders), "it was killed in the middle"
    for order in orders:
        assert await rungs(order) in ([], ALL), "an order climbs in one commit"
    set_clock(MONDAY + timedelta(days=30))
    await escalation.escalate()
    assert [await rungs(order) for order in orders] == [ALL] * len(orders)
    assert len(await alerted()) == 5 * len(orders) and len(await listed()) == len(orders)


async def _climbed() -> int:
    rows = await sql.fetch("SELECT count(DISTINCT order_id) FROM escalations")
    return int(rows[0]["count"])


_TICK = """
import asyncio, sys
from datetime import timedelta
from server import database, settings
from server.catalogue import service as catalogue
from server.kit.clock import clock
from server.workorders import escalation

async def main():
    clock.advanced = timedelta(seconds=float(sys.argv[1]))
    await database.connect(settings.read())
    await catalogue.load()
    while True:
        await escalation.escalate()

asyncio.run(main())
"""


async def test_alerts_stand_on_a_desk_until_their_owner_has_opened_them() -> None:
    order = await an_order("accepted")
    handler, lead = await member("handler"), await member("lead")
    await alerts.urged(order, "请尽快联系群众", clock.now())
    (mine,) = await alerts.alerts_of(handler)
    assert (mine.order_number, mine.kind, mine.words) == (order.number, "urge", "请尽快联系群众")
    assert await alerts.seen(lead, [mine.id]) == 0, "another's stay as they are"
    assert await alerts.seen(handler, [mine.id, 10**9]) == 1
    assert await alerts.alerts_of(handler) == [] and len(await alerts.alerts_of(lead)) == 1


async def test_the_words_name_whom_and_no_name(city: City) -> None:
    order = await an_order("accepted")
    await at(order.due_at + timedelta(days=30), order)
    rows = await sql.fetch("SELECT words FROM work_order_steps WHERE move = 'escalate' ORDER BY id")
    assert [row["words"] for row in rows] == [
        "期限将到，已提醒经办人",
        "部门逾期未办，已提醒经办人",
        "部门逾期未办，已报部门负责人",
        "部门逾期未办，已报督办员，转为督办",
        "部门逾期未办，已列入问责名单",
    ]
    assert HOUSING not in str(rows)


async def test_after_a_calendar_was_loaded_every_ladder_is_measured_anew() -> None:
    order = await an_order("accepted")
    await escalation.escalate()
    noted = await WorkOrder.get(number=order.number)
    assert noted.climbs_at == order.due_at - timedelta(days=3)
    await sql.fetch("UPDATE work_orders SET climbs_at = $1", order.due_at)
    assert await escalation.forget() == 1
    await escalation.escalate()
    assert (await WorkOrder.get(number=order.number)).climbs_at == noted.climbs_at
