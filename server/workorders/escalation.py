"""Time that passes: orders climb their ladder, each rung once, whoever looks and however late.

An order whose due time has changed is looked at once and gets the moment of its next rung, so that
a tick costs what is to be done and not what is open.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Unavailable
from server.kit.failures import refusal_of
from server.kit.transaction import transaction
from server.workorders import moves, service
from server.workorders.ladder import Ladder, Rung, ladder_of, listed_at, next_climb, rungs_due
from server.workorders.models import WorkOrder
from server.workorders.rules import State
from server.workorders.rungs import Climb, step_up, supervises

log = logging.getLogger(__name__)
_BATCH, _ROUNDS = 500, 4
"""Of orders that are only looked at; more wait for the next second."""
_CLIMB, _AT_ONCE = 300, 6
"""Orders that climb in one tick, and side by side."""
Work = Callable[[WorkOrder, datetime], Awaitable[int]]
_ASIDE = timedelta(minutes=10)
"""An order that fails alone must not hold up the others; it is tried again."""


async def escalate() -> int:
    """The tick."""
    now = clock.now()
    for _ in range(_ROUNDS):
        if await _look(now) < _BATCH:
            break
    climbed = await _each(_TO_CLIMB, _climb, now)
    return climbed + await _each(_TO_LIST, _list, now)


async def forget() -> int:
    """A calendar changed: every ladder is measured anew."""
    rows = await sql.fetch(
        "UPDATE work_orders SET climb_due = NULL WHERE closed_at IS NULL "
        "AND state <> 'answered' AND climb_due IS NOT NULL RETURNING 1"
    )
    return len(rows)


# Looking


_REDATED = """
SELECT * FROM work_orders
WHERE closed_at IS NULL AND state <> 'answered' AND climb_due IS DISTINCT FROM next_due_at
ORDER BY next_due_at LIMIT $1 FOR UPDATE SKIP LOCKED
"""
_NOTED = """
UPDATE work_orders o SET climb_due = o.next_due_at, climbs_at = n.climbs_at
FROM unnest($1::text[], $2::timestamptz[]) AS n(number, climbs_at) WHERE o.number = n.number
"""


async def _look(now: datetime) -> int:
    async with transaction():
        rows = await sql.fetch(_REDATED, _BATCH)
        if rows:
            await sql.fetch(_NOTED, [row["number"] for row in rows], [_first(row) for row in rows])
    return len(rows)


def _first(order: Any) -> datetime | None:
    """When the ladder has something to do first; never before the agency may see the order."""
    state, due_at = State(order["state"]), order["next_due_at"]
    if state is State.ASKING:
        return due_at
    policy = catalogue().policy(order["region_code"])
    first = next_climb(state, due_at, policy, catalogue().calendar)
    return max(first, order["visible_from"]) if first else None


# Climbing


_TO_CLIMB = """
SELECT number FROM work_orders WHERE closed_at IS NULL AND climbs_at < $1
ORDER BY climbs_at LIMIT $2
"""
_TO_LIST = """
SELECT order_id AS number FROM escalations WHERE listed_at < $1 ORDER BY listed_at LIMIT $2
"""


async def _each(statement: str, work: Work, now: datetime) -> int:
    """Some at a time: most of the time of one order is waiting for the database."""
    numbers = [row["number"] for row in await sql.fetch(statement, now, _CLIMB)]
    done = 0
    for start in range(0, len(numbers), _AT_ONCE):
        group = numbers[start : start + _AT_ONCE]
        done += sum(await asyncio.gather(*(_tried(number, work, now) for number in group)))
    return done


async def _tried(number: str, work: Work, now: datetime) -> int:
    try:
        return await _alone(number, work, now)
    except Exception as error:
        if isinstance(refusal_of(error), Unavailable):
            raise
        log.exception("an order could not climb", extra={"job": "escalate"})
        await _put_aside(number, now)
        return 0


async def _alone(number: str, work: Work, now: datetime) -> int:
    """One order, one commit; an order in other hands is left to them."""
    async with transaction():
        row = await sql.fetch_one(
            "SELECT * FROM work_orders WHERE number = $1 FOR UPDATE SKIP LOCKED", number
        )
        return await work(WorkOrder._init_from_db(**dict(row)), now) if row else 0


async def _put_aside(number: str, now: datetime) -> None:
    await sql.fetch("UPDATE work_orders SET climbs_at = $2 WHERE number = $1", number, now + _ASIDE)
    await sql.fetch(
        "UPDATE escalations SET listed_at = $2 WHERE order_id = $1 AND listed_at < $2",
        number, now + _ASIDE,
    )  # fmt: skip


async def _climb(order: WorkOrder, now: datetime) -> int:
    if order.closed_at or order.climbs_at is None or order.climbs_at >= now:
        return 0  # another worker was here
    if order.climb_due != order.next_due_at or order.next_due_at is None:
        await _rest(order, None)
        return 0
    if order.state == State.ASKING:
        await _rest(order, None, anew=True)
        await service.resume(order.number, "", now, moves.SYSTEM)
        return 1
    return await _climb_rungs(order, order.next_due_at, now)


async def _rest(order: WorkOrder, climbs_at: datetime | None, *, anew: bool = False) -> None:
    """Until then nothing; `anew`: what comes next gives the order another due time."""
    await sql.fetch(
        "UPDATE work_orders SET climbs_at = $2, climb_due = CASE WHEN $3 THEN NULL ELSE climb_due "
        "END WHERE number = $1",
        order.number, climbs_at, anew,
    )  # fmt: skip


async def _climb_rungs(order: WorkOrder, due_at: datetime, now: datetime) -> int:
    state = State(order.state)
    ladder = ladder_of(state)
    if ladder is None:
        return 0
    policy, calendar = catalogue().policy(order.region_code), catalogue().calendar
    rows = await sql.fetch(
        "SELECT rung FROM escalations WHERE order_id = $1 AND due_at = $2 AND ladder = $3",
        order.number, due_at, ladder,
    )  # fmt: skip
    done = {Rung(row["rung"]) for row in rows}
    due = rungs_due(state, due_at, policy, calendar, now, done)
    await _rest(order, next_climb(state, due_at, policy, calendar, done | set(due)))
    for rung in due:
        await step_up(Climb(order, ladder, rung, due_at, now))
        if supervises(state, rung):
            await _supervise(order, due_at, now, listed=Rung.LIST in due)
            if state is State.CONTESTED:
                break  # the supervisor's time is over, and the agency's begins
    return len(due)


async def _supervise(order: WorkOrder, due_at: datetime, now: datetime, *, listed: bool) -> None:
    await _rest(order, None, anew=True)
    await service.supervise_by_rule(order.number, now)
    if order.state != State.CONTESTED and not listed:
        policy = catalogue().policy(order.region_code)
        await sql.fetch(
            "UPDATE escalations SET listed_at = $4 WHERE order_id = $1 AND due_at = $2 AND rung = $3",
            order.number, due_at, Rung.SUPERVISORS,
            listed_at(due_at, policy, catalogue().calendar),
        )  # fmt: skip
    order.state = State.SUPERVISED


_MOVED_ON = """
SELECT 1 FROM work_order_steps WHERE order_id = $1 AND at > $2 AND state <> 'supervised' LIMIT 1
"""


async def _list(order: WorkOrder, now: datetime) -> int:
    """An order that is supervised by rule and still not answered comes to the list for the due time
    that was missed, whatever time it was given since."""
    rows = await sql.fetch(
        "UPDATE escalations SET listed_at = NULL WHERE order_id = $1 AND listed_at < $2 "
        "RETURNING due_at, at",
        order.number, now,
    )  # fmt: skip
    listed = 0
    for row in rows:
        moved = await sql.fetch_one(_MOVED_ON, order.number, row["at"])
        if order.state == State.SUPERVISED and not moved:
            await step_up(Climb(order, Ladder.AGENCY, Rung.LIST, row["due_at"], now))
            listed += 1
    return listed
