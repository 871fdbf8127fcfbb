"""The one way in which an order moves: its row locked, the rights checked, the step written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.catalogue.service import catalogue
from server.kit import jobs, sql
from server.kit.clock import clock
from server.kit.errors import Fault, Invalid, Missing
from server.people.service import Member
from server.workorders import alerts, timing
from server.workorders.models import Part, Step, WorkOrder
from server.workorders.rights import Facts, Side, check
from server.workorders.rules import (
    FINAL,
    STEP_NAMES,
    Disposition,
    Move,
    Record,
    State,
    next_state,
)

CITIZEN, SYSTEM = "citizen", "system"
NEWS = "news"
FOLLOWED = "followed"
"""An alert to who was asked first."""
_NEWS_FOR_HIM = frozenset({Move.ACCEPT, Move.ASK, Move.ANSWER, Record.MESSAGE})
"""Of the rest his page tells."""


class UnknownOrder(Missing):
    code = "unknown_work_order"
    title = "没有这张工单"


class UnknownAgency(Invalid):
    code = "unknown_agency"
    title = "目录中没有这个部门，或工单已经由它办理"


def other_agency(order: WorkOrder, code: str) -> str:
    """An agency of the catalogue that does not have the order already."""
    if code not in catalogue().agencies or code == order.agency_code:
        raise UnknownAgency(errors=[Fault("agency_code", "unknown_agency", UnknownAgency.title)])
    return code


@dataclass(frozen=True, kw_only=True)
class Act:
    """One move, or one record, as somebody makes it."""

    move: Move | Record
    actor: str
    actor_id: int | None = None
    words: str = ""
    disposition: Disposition | None = None
    legal_basis: str | None = None
    of_order: str | None = None
    """Of a citizen whose own order was merged into this one."""

    @classmethod
    def by(cls, member: Member, move: Move | Record, words: str = "", **more: Any) -> "Act":
        return cls(move=move, actor=member.role, actor_id=member.id, words=words, **more)


# Finding and locking


def visible_to(member: Member, now: datetime) -> tuple[str, list[Any]]:
    """The one tenant filter between agencies: a condition on work_orders and its values.

    A withdrawn order was never visible, and never will be.
    """
    shown = "visible_from <= $1 AND state <> 'withdrawn'"
    if member.agency_code and member.role in ("handler", "agency_lead"):
        me = int(member.id)
        mine = (
            "(agency_code = $2 OR co_agency_codes @> ARRAY[$2::text]"
            f" OR first_asked_id = {me} OR followers @> ARRAY[{me}])"
        )
        return f"{shown} AND {mine}", [now, member.agency_code]
    if member.role == "supervisor":
        regions = sorted(catalogue().within(member.region_code))
        return f"{shown} AND region_code = ANY($2::text[])", [now, regions]
    return "visible_from <= $1 AND FALSE AND $2::text IS NULL", [now, None]


async def find(member: Member, number: str, *, lock: bool = False) -> WorkOrder:
    """The order, if it is in this member's part of the world and its undo time is over."""
    where, values = visible_to(member, clock.now())
    place, locked = len(values) + 1, "FOR UPDATE" if lock else ""
    row = await sql.fetch_one(
        f"SELECT * FROM work_orders WHERE number = ${place} AND {where} {locked}",  # noqa: S608
        *values,
        number,
    )
    if row is None:
        raise UnknownOrder
    return _order_of(row)


async def seen_of(member: Member, numbers: list[str]) -> set[str]:
    """Which of these orders he may read."""
    where, values = visible_to(member, clock.now())
    place = len(values) + 1
    rows = await sql.fetch(
        f"SELECT number FROM work_orders WHERE number = ANY(${place}) AND {where}",  # noqa: S608
        *values,
        numbers,
    )
    return {row["number"] for row in rows}


async def locked(number: str) -> WorkOrder:
    row = await sql.fetch_one("SELECT * FROM work_orders WHERE number = $1 FOR UPDATE", number)
    if row is None:
        raise UnknownOrder
    return _order_of(row)


def _order_of(row: Any) -> WorkOrder:
    order: WorkOrder = WorkOrder._init_from_db(**dict(row))
    return order


@dataclass
class Held:
    """A locked order, with what hangs on it."""

    order: WorkOrder
    steps: list[Step]
    parts: list[Part]
    now: datetime


_TIMED = frozenset({Move.ASK, Move.RESUME, Move.PLAN, Move.EXTEND, Move.SUPERVISE, Move.MERGE})
"""The moves that look back at how long the clock has stood still."""


async def held(order: WorkOrder, act: Move | Record, now: datetime) -> Held:
    """In the transaction that locked it; with no more than this act needs."""
    steps, parts = list[Step](), list[Part]()
    if act in _TIMED:
        steps = await Step.filter(order_id=order.number).order_by("id")
    if order.co_agency_codes:
        parts = await Part.filter(order_id=order.number).order_by("id")
    return Held(order, steps, parts, now)


async def held_by(member: Member, number: str, act: Move | Record) -> Held:
    """Locks the order, if this member may do this to it now; what he may not see does not exist."""
    order = await find(member, number, lock=True)
    now = clock.now()
    of = await held(order, act, now)
    check(facts(order, of.steps, of.parts, member), member.role, act, now)
    return of


async def held_for(actor: str, number: str, act: Move | Record, now: datetime) -> Held:
    """As `held_by`, for the citizen or the system."""
    return await held_checked(await locked(number), actor, act, now)


async def held_checked(order: WorkOrder, actor: str, act: Move | Record, now: datetime) -> Held:
    """The same of an order that is locked already."""
    of = await held(order, act, now)
    check(facts(of.order, of.steps, of.parts), actor, act, now)
    return of


def facts(
    order: WorkOrder, steps: Sequence[Step], parts: Sequence[Part], member: Member | None = None
) -> Facts:
    """As they stand for this member; without one, for the citizen and the system."""
    waiting = [part.agency_code for part in parts if part.state == "waiting"]
    return Facts(
        state=State(order.state), side=_side(order, member), due_at=order.due_at,
        next_due_at=order.next_due_at, returned=order.returns > 0,
        extended=order.extension_days is not None,
        ask_days_left=timing.ask_days_left(order, steps), parts_waiting=len(waiting),
        own_part_waiting=member is not None and member.agency_code in waiting,
        is_owner=member is not None and order.owner_id == member.id,
        is_first_asked=member is not None and member.id in first_asked(order),
        is_verifier=member is not None and order.verifier_id == member.id,
        told=order.told_how is not None,
        must_be_called=order.real_name and order.called_back_at is None,
    )  # fmt: skip


def first_asked(order: WorkOrder) -> frozenset[int]:
    """首问负责: who took it in, and who took in what was merged into it."""
    own = [order.first_asked_id] if order.first_asked_id else []
    return frozenset([*own, *(order.followers or [])])


def _side(order: WorkOrder, member: Member | None) -> Side:
    if member is None or member.role not in ("handler", "agency_lead"):
        return Side.ABOVE
    if member.agency_code == order.agency_code:
        return Side.LEAD
    return Side.CO if member.agency_code in order.co_agency_codes else Side.FIRST_ASKED


# Writing


async def write(order: WorkOrder, act: Act, now: datetime, **changes: Any) -> WorkOrder:
    """One move of an order whose row the caller has locked."""
    state = changes["state"] = _led_to(order, act, changes)
    changes["climb_due"] = None  # another state may climb another ladder to the same due time
    if state in FINAL:
        changes |= {"closed_at": now, "next_due_at": None}
    order.update_from_dict(changes)
    await _store(order, act, now, changes)
    await _tell_first_asked(order, act, now)
    return order


_FOLLOWED = frozenset(Move) - {Move.OPEN, Move.ASK, Move.RESUME, Move.WITHDRAW}


async def _tell_first_asked(order: WorkOrder, act: Act, now: datetime) -> None:
    """跟踪到底: he follows it to the end, whichever agency has it."""
    followers = first_asked(order) - {act.actor_id}
    if followers and act.move in _FOLLOWED:
        words = f"您首问的工单：{STEP_NAMES[act.move]}"
        await alerts.tell(await alerts.active(followers), FOLLOWED, words, now, order=order.number)


def _led_to(order: WorkOrder, act: Act, changes: dict[str, Any]) -> State:
    """By the table, or back to where it came from."""
    return State(changes.get("state") or next_state(State(order.state), Move(act.move)))


async def write_timed(of: Held, act: Act, **changes: Any) -> WorkOrder:
    """A move after which the due times are computed anew, from all that has happened."""
    state = changes["state"] = _led_to(of.order, act, changes)
    of.order.update_from_dict(changes)
    ahead = Step(order_id=of.order.number, at=of.now, move=act.move, state=state)
    changes |= timing.due_times(of.order, [*of.steps, ahead])
    return await write(of.order, act, of.now, **changes)


async def record(
    order: WorkOrder,
    move: Record,
    words: str = "",
    *,
    now: datetime,
    actor: str = SYSTEM,
    actor_id: int | None = None,
    of_order: str | None = None,
    **changes: Any,
) -> WorkOrder:
    """What happens beside an order whose row the caller has locked; its state stays."""
    order.update_from_dict(changes)
    act = Act(move=move, actor=actor, actor_id=actor_id, words=words, of_order=of_order)
    await _store(order, act, now, changes)
    return order


async def record_by(
    member: Member, of: Held, move: Record, words: str, **changes: Any
) -> WorkOrder:
    return await record(
        of.order, move, words, now=of.now, actor=member.role, actor_id=member.id, **changes
    )


_STEP = (
    "INSERT INTO work_order_steps (order_id, at, move, state, actor, actor_id, words, disposition, "
    "legal_basis, of_order) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)


async def _store(order: WorkOrder, act: Act, now: datetime, changes: dict[str, Any]) -> None:
    """The order's row, the step, and the job that tells the citizen: one statement."""
    values: list[Any] = [
        order.number, now, act.move, order.state, act.actor, act.actor_id, act.words,
        act.disposition, act.legal_basis, act.of_order,
    ]  # fmt: skip
    beside = []
    if changes:
        named = enumerate(changes, len(values) + 1)
        columns = ", ".join(f'"{name}" = ${place}' for place, name in named)
        beside.append(f"moved AS (UPDATE work_orders SET {columns} WHERE number = $1)")  # noqa: S608
        values += changes.values()
    ended = isinstance(act.move, Move) and order.state in FINAL
    if act.actor != CITIZEN and (ended or act.move in _NEWS_FOR_HIM):
        # Who the citizen is, only the desk above knows; it gets the number and tells him.
        beside.append(f"queued AS ({jobs.insert(len(values) + 1)})")
        values += jobs.row(NEWS, order=order.number)
    await sql.fetch(f"WITH {', '.join(beside)} {_STEP}" if beside else _STEP, *values)
