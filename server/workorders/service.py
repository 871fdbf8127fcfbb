"""Opening orders and moving them; every move is a locked row, the table's next state, and a step."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise.transactions import in_transaction

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Missing
from server.people.service import Member
from server.workorders.deadlines import Due, Unit, due, due_or_provisional
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import (
    FINAL,
    Disposition,
    IllegalMove,
    Move,
    Outcome,
    State,
    WrongRole,
    check_may,
    check_text,
    next_state,
)

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHIFTS = range(45, -1, -5)
CITIZEN = "citizen"


class UnknownOrder(Missing):
    code = "unknown_work_order"
    title = "没有这张工单"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that the agency will ever see of what the order came from."""

    origin: str
    origin_key: UUID
    region_code: str
    agency_code: str
    co_agency_codes: list[str]
    matter_code: str | None = None
    matter: str = ""
    hall: str = ""
    window: str = ""
    level: int | None = None
    tags: list[str] = field(default_factory=list)
    words: str = ""
    """Already redacted."""
    real_name: bool = False
    opened_on: date
    visible_from: datetime
    """Until then the citizen may undo in peace: nobody at the agency sees the order, no clock runs."""


@dataclass(frozen=True)
class Opening:
    """An order that will exist with the statement that it is part of."""

    number: str
    snapshot: Snapshot
    contact: Due
    answer: Due


def new_number(opened_on: date) -> str:
    """Year and ten random characters: it says neither how many orders there are nor when it came."""
    random = secrets.randbits(50)
    return f"{opened_on.year}{''.join(CROCKFORD[random >> shift & 31] for shift in _SHIFTS)}"


def _working(start: datetime, days: int) -> Due:
    return due_or_provisional(start, days, Unit.WORKING, catalogue().calendar)


def open_order(snapshot: Snapshot, policy: Policy) -> Opening:
    """Number and due times; `stored` puts it into the statement of its origin."""
    return Opening(
        new_number(snapshot.opened_on),
        snapshot,
        _working(snapshot.visible_from, policy.contact_days),
        _working(snapshot.visible_from, policy.simple_days),
    )


# 首问负责: an order has its owner from the first commit, the agency's handler, or its lead where it
# has none. Lists travel as text: PostgreSQL's unnest flattens lists of lists.
_OPENED = """ordered AS (
  INSERT INTO work_orders (number, region_code, origin, origin_key, state, agency_code,
    co_agency_codes, owner_id, matter_code, matter, hall, "window", level, tags, words, real_name,
    opened_on, visible_from, contact_due_at, due_at, provisional, next_due_at, contests)
  SELECT o.number, o.region_code, o.origin, o.origin_key, 'assigned', o.agency_code,
    string_to_array(o.co_agency_codes, ','),
    (SELECT id FROM staff WHERE staff.agency_code = o.agency_code AND active
       AND role IN ('handler', 'agency_lead') ORDER BY role DESC, id LIMIT 1),
    o.matter_code, o.matter, o.hall, o."window", o.level, string_to_array(o.tags, ','), o.words,
    o.real_name, o.opened_on, o.visible_from, o.contact_due_at, o.due_at, o.provisional,
    o.contact_due_at, 0
  FROM unnest({number}::text[], {order_region}::text[], {origin}::text[], {origin_key}::uuid[],
    {agency}::text[], {co_agencies}::text[], {matter_code}::text[], {matter}::text[], {hall}::text[],
    {window}::text[], {order_level}::smallint[], {order_tags}::text[], {words}::text[],
    {order_real_name}::bool[], {opened_on}::date[], {visible_from}::timestamptz[],
    {contact_due_at}::timestamptz[], {due_at}::timestamptz[], {provisional}::bool[])
    AS o(number, region_code, origin, origin_key, agency_code, co_agency_codes, matter_code, matter,
      hall, "window", level, tags, words, real_name, opened_on, visible_from, contact_due_at, due_at,
      provisional)
  JOIN %s AS origins ON origins.id = o.origin_key
  RETURNING number, visible_from
)"""
_FIRST_STEP = """stepped AS (
  INSERT INTO work_order_steps (order_id, at, move, state, actor, words)
  SELECT number, visible_from, 'open', 'assigned', 'system', '' FROM ordered
)"""


def stored(openings: Sequence[Opening], *, after: str) -> tuple[sql.Part, ...]:
    """The orders' part in the statement of their origins: one for every row of the part `after`
    whose `id` is its origin."""
    if not openings:
        return ()
    shots = [opening.snapshot for opening in openings]
    values = {
        "number": [o.number for o in openings], "order_region": [s.region_code for s in shots],
        "origin": [s.origin for s in shots], "origin_key": [s.origin_key for s in shots],
        "agency": [s.agency_code for s in shots],
        "co_agencies": [",".join(s.co_agency_codes) for s in shots],
        "matter_code": [s.matter_code for s in shots], "matter": [s.matter for s in shots],
        "hall": [s.hall for s in shots], "window": [s.window for s in shots],
        "order_level": [s.level for s in shots], "order_tags": [",".join(s.tags) for s in shots],
        "words": [s.words for s in shots], "order_real_name": [s.real_name for s in shots],
        "opened_on": [s.opened_on for s in shots], "visible_from": [s.visible_from for s in shots],
        "contact_due_at": [o.contact.at for o in openings], "due_at": [o.answer.at for o in openings],
        "provisional": [o.contact.provisional or o.answer.provisional for o in openings],
    }  # fmt: skip
    return sql.Part(_OPENED % after, values), sql.Part(_FIRST_STEP, {})


@dataclass(frozen=True, kw_only=True)
class Act:
    """One move as somebody asks for it."""

    move: Move
    actor: str
    actor_id: int | None = None
    words: str = ""
    disposition: Disposition | None = None
    legal_basis: str | None = None


async def _act(order: WorkOrder, act: Act, now: datetime, changes: dict[str, Any]) -> WorkOrder:
    """Writes one move of an order whose row the caller has locked."""
    state = next_state(State(order.state), act.move)
    changes = {"state": state} | changes
    if state in FINAL:
        changes |= {"closed_at": now, "next_due_at": None}
    await order.update_from_dict(changes).save(update_fields=list(changes))
    await Step.create(
        order_id=order.number, at=now, move=act.move, state=state, actor=act.actor,
        actor_id=act.actor_id, words=act.words, disposition=act.disposition,
        legal_basis=act.legal_basis,
    )  # fmt: skip
    return order


async def _locked(number: str) -> WorkOrder:
    order = await WorkOrder.select_for_update().get_or_none(number=number)
    if order is None:
        raise UnknownOrder
    return order


async def accept(member: Member, number: str) -> WorkOrder:
    """The one who accepts has the order to the end."""
    async with in_transaction():
        order = await _locked_for(member, number, Move.ACCEPT)
        changes = {"owner_id": member.id, "next_due_at": order.due_at}
        act = Act(move=Move.ACCEPT, actor=member.role, actor_id=member.id)
        return await _act(order, act, clock.now(), changes)


async def answer(
    member: Member, number: str, *, disposition: Disposition, text: str, legal_basis: str | None
) -> WorkOrder:
    words = check_text(text)
    async with in_transaction():
        order = await _locked_for(member, number, Move.ANSWER)
        now = clock.now()
        silence = catalogue().policy(order.region_code).silence_days
        act = Act(
            move=Move.ANSWER, actor=member.role, actor_id=member.id, words=words,
            disposition=disposition, legal_basis=(legal_basis or "").strip() or None,
        )  # fmt: skip
        until = due(now, silence, Unit.NATURAL, catalogue().calendar)
        return await _act(order, act, now, {"next_due_at": until})


async def judge(number: str, *, satisfied: bool, words: str) -> WorkOrder:
    """The citizen's verdict on the answer; `words` are redacted by the desk that calls."""
    move = Move.CONFIRM if satisfied else Move.CONTEST
    if not satisfied:
        words = check_text(words)
    async with in_transaction():
        order = await _locked(number)
        now = clock.now()
        if satisfied:
            changes: dict[str, Any] = {"outcome": Outcome.CONTENT}
        else:
            contact = _working(now, catalogue().policy(order.region_code).contact_days)
            changes = {"contests": order.contests + 1, "next_due_at": contact.at}
        return await _act(order, Act(move=move, actor=CITIZEN, words=words), now, changes)


async def withdraw(number: str, now: datetime) -> None:
    """With the citizen's undo; an order that the agency can see is not withdrawn. In the caller's
    transaction."""
    order = await _locked(number)
    if order.visible_from <= now:
        raise IllegalMove("部门已经能看到这张工单，不能再撤回")
    await _act(order, Act(move=Move.WITHDRAW, actor=CITIZEN), now, {})


async def add_words(number: str, words: str, now: datetime) -> None:
    """What the citizen adds later; moves nothing. In the caller's transaction."""
    order = await _locked(number)
    await Step.create(
        order_id=number, at=now, move="supplement", state=order.state, actor=CITIZEN, words=words
    )


async def _locked_for(member: Member, number: str, move: Move) -> WorkOrder:
    """Locks the order if this member may make the move; what he may not see does not exist."""
    order = await find(member, number)
    check_may(member.role, move)
    order = await _locked(number)
    if order.agency_code != member.agency_code:
        raise WrongRole("这张工单由牵头部门办理")
    return order


async def find(member: Member, number: str) -> WorkOrder:
    """The order, if it is in this member's part of the world and its undo time is over."""
    where, values = visible_to(member, clock.now())
    places = len(values)
    rows = await sql.fetch(
        f"SELECT number FROM work_orders WHERE number = ${places + 1} AND {where}",  # noqa: S608
        *values,
        number,
    )
    if not rows:
        raise UnknownOrder
    return await WorkOrder.get(number=rows[0]["number"]).prefetch_related("steps")


def visible_to(member: Member, now: datetime) -> tuple[str, list[Any]]:
    """The one tenant filter between agencies: a condition on work_orders and its values.

    A withdrawn order was never visible, and never will be.
    """
    shown = "visible_from <= $1 AND state <> 'withdrawn'"
    if member.agency_code and member.role in ("handler", "agency_lead"):
        mine = "(agency_code = $2 OR co_agency_codes @> ARRAY[$2::text])"
        return f"{shown} AND {mine}", [now, member.agency_code]
    if member.role == "supervisor":
        regions = sorted(catalogue().within(member.region_code))
        return f"{shown} AND region_code = ANY($2::text[])", [now, regions]
    return "visible_from <= $1 AND FALSE AND $2::text IS NULL", [now, None]


async def redate(calendar_years: set[int]) -> int:
    """Recomputes provisional and affected due times of open orders after a calendar was loaded."""
    changed = 0
    first = datetime(min(calendar_years) - 1, 12, 1, tzinfo=clock.now().tzinfo)
    last = datetime(max(calendar_years) + 1, 1, 31, tzinfo=clock.now().tzinfo)
    numbers = await sql.fetch(
        "SELECT number FROM work_orders WHERE closed_at IS NULL AND "
        "(provisional OR (visible_from - interval '60 days' < $2 AND due_at + interval '60 days' > $1))",
        first, last,
    )  # fmt: skip
    for row in numbers:
        changed += await _redate(row["number"])
    return changed


async def _redate(number: str) -> bool:
    async with in_transaction():
        order = await _locked(number)
        policy = catalogue().policy(order.region_code)
        contact = _working(order.visible_from, policy.contact_days)
        answer_due = _working(order.visible_from, policy.simple_days)
        changes: dict[str, Any] = {
            "contact_due_at": contact.at, "due_at": answer_due.at,
            "provisional": contact.provisional or answer_due.provisional,
        }  # fmt: skip
        if order.state in (State.ASSIGNED, State.ACCEPTED):
            changes["next_due_at"] = contact.at if order.state == State.ASSIGNED else answer_due.at
        if all(getattr(order, name) == value for name, value in changes.items()):
            return False
        await order.update_from_dict(changes).save(update_fields=list(changes))
        return True
