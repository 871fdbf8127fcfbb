"""Opening orders and moving them; every move is a locked row, the table's next state, and a step."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from server.catalogue.service import catalogue
from server.kit import jobs, sql
from server.kit.clock import clock
from server.kit.errors import Missing
from server.kit.transaction import transaction
from server.people.service import Member
from server.workorders.deadlines import Unit, due
from server.workorders.models import Step, WorkOrder
from server.workorders.opening import working
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

CITIZEN = "citizen"
NEWS = "news"
_NEWS_FOR_HIM = frozenset({Move.ACCEPT, Move.ANSWER})


class UnknownOrder(Missing):
    code = "unknown_work_order"
    title = "没有这张工单"


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
    if act.actor != CITIZEN and (act.move in _NEWS_FOR_HIM or state in FINAL):
        # Who the citizen is, only the desk above knows; it gets the number and tells him.
        await jobs.enqueue(NEWS, order=order.number)
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
    async with transaction():
        order = await _locked_for(member, number, Move.ACCEPT)
        changes = {"owner_id": member.id, "next_due_at": order.due_at}
        act = Act(move=Move.ACCEPT, actor=member.role, actor_id=member.id)
        return await _act(order, act, clock.now(), changes)


async def answer(
    member: Member, number: str, *, disposition: Disposition, text: str, legal_basis: str | None
) -> WorkOrder:
    words = check_text(text)
    async with transaction():
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
    async with transaction():
        order = await _locked(number)
        now = clock.now()
        if satisfied:
            changes: dict[str, Any] = {"outcome": Outcome.CONTENT}
        else:
            contact = working(now, catalogue().policy(order.region_code).contact_days)
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
    async with transaction():
        order = await _locked(number)
        policy = catalogue().policy(order.region_code)
        contact = working(order.visible_from, policy.contact_days)
        answer_due = working(order.visible_from, policy.simple_days)
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
