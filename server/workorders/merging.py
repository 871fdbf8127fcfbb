"""并案: two orders about the same become one, and nobody behind them is lost."""

from datetime import datetime
from typing import Any

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING
from server.kit.transaction import transaction
from server.people.rules import Role
from server.people.service import Member
from server.workorders import timing
from server.workorders.models import Part, Step, WorkOrder
from server.workorders.moves import Act, Held, find, first_asked, held_by, locked, record, write
from server.workorders.origins import CHOSEN_NAMES
from server.workorders.rules import FINAL, IllegalMove, Move, Record, State

_PROMISED = frozenset({
    State.ASSIGNED, State.ACCEPTED, State.RETURNED, State.ASKING, State.PLANNED, State.SUPERVISED,
})  # fmt: skip
"""In which the answer that the citizen was promised is still to come."""
_ABOVE = frozenset({State.CONTESTED, State.SUPERVISED})
"""Where a supervisor has the word."""


async def merge(member: Member, number: str, *, into: str) -> WorkOrder:
    """The citizen of this order follows the other from now on; no order follows another that follows a
    third."""
    await find(member, number)
    await find(member, into)
    if into == number:
        raise IllegalMove("工单不能并入自己")
    async with transaction():
        for each in sorted((number, into)):  # two that cross wait for each other in one order
            await locked(each)
        of = await held_by(member, number, Move.MERGE)
        target = await find(member, into, lock=True)
        await _check_target(member, of, target)
        await _join(member, of, target)
        act = Act.by(member, Move.MERGE, f"并入工单 {into}")
        return await write(
            of.order, act, of.now, merged_into=into, told_at=None, told_how=None,
            verifier_id=of.order.verifier_id or target.verifier_id,  # who is to be called still is
        )  # fmt: skip


async def _check_target(member: Member, of: Held, target: WorkOrder) -> None:
    if State(target.state) in FINAL:
        raise IllegalMove("要并入的工单已经办结")
    if target.agency_code != of.order.agency_code:
        raise IllegalMove("两张工单不由同一个部门办理")
    if member.role is Role.AGENCY_LEAD and of.order.state in _ABOVE and target.state not in _ABOVE:
        raise IllegalMove("群众不认可、督办中的工单由督办员并案，部门只能并入同样在督办的工单")
    if await sql.fetch("SELECT 1 FROM work_orders WHERE merged_into = $1", of.order.number):
        raise IllegalMove("已有工单并入这张工单，不能再并入别的工单")


async def _join(member: Member, of: Held, target: WorkOrder) -> None:
    """What the target takes over: the words, the earlier date, who follows it, who has a part in it."""
    order = of.order
    changes: dict[str, Any] = {}
    if followers := first_asked(order) - first_asked(target):
        changes["followers"] = [*(target.followers or []), *sorted(followers)]
    changes |= await _co_handled(of, target)
    steps = await Step.filter(order_id=target.number).order_by("id")
    ahead = Step(order_id=target.number, at=of.now, move=Record.JOINED, state=target.state)
    changes |= _promise(of, target)
    target.update_from_dict(changes)
    changes |= timing.due_times(target, [*steps, ahead])
    await record(
        target, Record.JOINED, _said(order), now=of.now, actor=member.role, actor_id=member.id, **changes
    )  # fmt: skip


def _promise(of: Held, target: WorkOrder) -> dict[str, Any]:
    """The earlier of the two dates counts: a merge moves no promise back."""
    order, now = of.order, of.now
    if State(order.state) not in _PROMISED:
        return {}
    ahead = Step(order_id=order.number, at=now, move=Move.MERGE, state=State.MERGED)
    until: datetime = timing.answer_until(order, [*of.steps, ahead]).at
    if until >= target.due_at:
        return {}
    return {"promised_until": until.astimezone(BEIJING).date(), "promised_from": now}


async def _co_handled(of: Held, target: WorkOrder) -> dict[str, Any]:
    """Whose part in the merged order is still missing has it in the target."""
    known = {target.agency_code, *target.co_agency_codes}
    waiting = [part.agency_code for part in of.parts if part.state == "waiting"]
    new = [code for code in waiting if code not in known]
    if not new:
        return {}
    await Part.bulk_create([Part(order_id=target.number, agency_code=code) for code in new])
    return {"co_agency_codes": [*target.co_agency_codes, *new]}


def _said(order: WorkOrder) -> str:
    """As the agency reads it in the merged order."""
    tags = [CHOSEN_NAMES.get(code) or catalogue().tag_text(code) for code in order.tags]
    said = "；".join(part for part in ("、".join(tags), order.words) if part)
    return f"并入工单 {order.number}：{said or '没有写文字'}"
