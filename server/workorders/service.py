"""The life of an order: accepted and answered, judged, supplemented, closed, dated anew."""

from datetime import datetime
from typing import Any

from server.kit import sql
from server.kit.clock import clock
from server.kit.transaction import transaction
from server.people.service import Member
from server.workorders import joined, timing
from server.workorders.models import Step, WorkOrder
from server.workorders.moves import (
    CITIZEN,
    NEWS,
    SYSTEM,
    Act,
    UnknownOrder,
    find,
    held_by,
    held_checked,
    held_for,
    locked,
    record,
    visible_to,
    write,
    write_timed,
)
from server.workorders.rules import (
    Disposition,
    IllegalMove,
    Move,
    Outcome,
    Record,
    State,
    Told,
    check_text,
)

__all__ = ["CITIZEN", "NEWS", "SYSTEM", "UnknownOrder", "find", "record", "visible_to"]


async def accept(member: Member, number: str) -> WorkOrder:
    """The one who accepts has the order to the end, and verifies what the citizen says."""
    async with transaction():
        of = await held_by(member, number, Move.ACCEPT)
        await sql.fetch(
            "UPDATE work_orders SET verifier_id = coalesce(verifier_id, $2) WHERE merged_into = $1",
            number, member.id,
        )  # fmt: skip
        return await write(
            of.order, Act.by(member, Move.ACCEPT), of.now, owner_id=member.id,
            verifier_id=of.order.verifier_id or member.id, next_due_at=of.order.due_at,
        )  # fmt: skip


async def answer(
    member: Member, number: str, *, disposition: Disposition, text: str, legal_basis: str | None
) -> WorkOrder:
    """The lead's, when every co-handler has done its part."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Move.ANSWER)
        act = Act.by(
            member, Move.ANSWER, words, disposition=disposition,
            legal_basis=(legal_basis or "").strip() or None,
        )  # fmt: skip
        until = timing.limit(of.order, State.ANSWERED, of.now)
        await sql.fetch(
            "UPDATE work_orders SET told_at = NULL, told_how = NULL WHERE merged_into = $1", number
        )
        return await write(of.order, act, of.now, next_due_at=until.at, told_at=None, told_how=None)


# The citizen


async def judge(
    number: str, *, satisfied: bool, words: str, desk_satisfied: bool | None = None
) -> WorkOrder:
    """The citizen's verdict on the answer, and on the service desk if it had the order first;
    `words` are redacted by the desk that calls.

    Of several citizens one "no" is enough; the order ends content when the last of them accepts."""
    move = Move.CONFIRM if satisfied else Move.CONTEST
    if not satisfied:
        words = check_text(words)
    async with transaction():
        now = clock.now()
        voice = await joined.locked(number)
        order = voice.course
        of = await held_checked(order, CITIZEN, move, now)
        await joined.judged(voice, of, satisfied, desk_satisfied)
        act = Act(move=move, actor=CITIZEN, words=words, of_order=voice.of_order)
        if not satisfied:
            until = timing.limit(order, State.CONTESTED, now)
            changes = {"contests": order.contests + 1, **_next_due(order, until)}
            return await write(order, act, now, **changes)
        if await joined.silent(order):
            return await record(
                order, Record.CONTENT, words, now=now, actor=CITIZEN, of_order=voice.of_order
            )
        return await write(order, act, now, outcome=Outcome.CONTENT)


def _next_due(order: WorkOrder, until: timing.Due) -> dict[str, Any]:
    return {"next_due_at": until.at, "provisional": order.provisional or until.provisional}


async def withdraw(number: str, now: datetime) -> None:
    """With the citizen's undo; an order that the agency can see is not withdrawn. In the caller's
    transaction."""
    order = await locked(number)
    if order.visible_from <= now:
        raise IllegalMove("部门已经能看到这张工单，不能再撤回")
    await write(order, Act(move=Move.WITHDRAW, actor=CITIZEN), now)


async def add_words(
    number: str, words: str, now: datetime, move: Record = Record.SUPPLEMENT
) -> WorkOrder:
    """What the citizen says, redacted by the desk that calls; an order that waits for his word goes
    on. In the caller's transaction, if there is one."""
    async with transaction():
        voice = await joined.locked(number)
        of = await held_checked(voice.course, CITIZEN, Record(move), now)
        order = await record(
            of.order, Record(move), words, now=now, actor=CITIZEN, of_order=voice.of_order
        )
        if order.state == State.ASKING:
            order = await _resume(order.number, "", now, CITIZEN)
        return order


async def resume(number: str, words: str, now: datetime, actor: str) -> WorkOrder:
    """The citizen has answered, or the clock has stood still for as long as it may."""
    async with transaction():
        return await _resume(number, words, now, actor)


async def _resume(number: str, words: str, now: datetime, actor: str) -> WorkOrder:
    of = await held_for(actor, number, Move.RESUME, now)
    order = of.order
    if actor == SYSTEM and order.next_due_at and order.next_due_at >= now:
        raise IllegalMove("等候群众的期限还没有到")
    act = Act(move=Move.RESUME, actor=actor, words=words)
    state = State(order.asked_from or State.ACCEPTED)
    return await write_timed(of, act, state=state, asked_from=None)


async def dismiss(number: str, words: str, now: datetime) -> WorkOrder:
    """不予采纳: what the order came from counts no longer. In the caller's transaction; an order that has
    ended stays as it is, and so does one that other citizens stand behind."""
    voice = await joined.locked(number)
    order = voice.course
    if order.closed_at:
        return order
    of = await held_checked(order, SYSTEM, Move.DISMISS, now)
    if await joined.others(voice):
        return await record(order, Record.LEFT, words, now=now, of_order=voice.of_order)
    return await write(of.order, Act(move=Move.DISMISS, actor=SYSTEM, words=words), now)


# The system


async def told(number: str, how: Told, now: datetime) -> bool:
    """The proof that the citizen of this order was told the answer; the first one counts."""
    rows = await sql.fetch(
        "UPDATE work_orders o SET told_at = $2, told_how = $3 FROM work_orders c "
        "WHERE o.number = $1 AND c.number = coalesce(o.merged_into, o.number) "
        "AND c.state = 'answered' AND o.told_at IS NULL RETURNING 1",
        number, now, Told(how),
    )  # fmt: skip
    return bool(rows)


async def silence(number: str, told_how: Told | None, now: datetime) -> WorkOrder:
    """销号: the citizen was told and has said nothing; never without proof of the first."""
    async with transaction():
        if told_how:
            await locked(number)
            await told(number, told_how, now)
        of = await held_for(SYSTEM, number, Move.SILENCE, now)
        await joined.check_all_told(number)
        act = Act(move=Move.SILENCE, actor=SYSTEM)
        return await write(of.order, act, now, outcome=Outcome.SILENT)


async def supervise_by_rule(number: str, now: datetime) -> WorkOrder:
    """What nobody took up in time."""
    async with transaction():
        of = await held_for(SYSTEM, number, Move.SUPERVISE, now)
        if of.order.state == State.CONTESTED and (of.order.next_due_at or now) >= now:
            raise IllegalMove("督办员处理的期限还没有到")
        act = Act(move=Move.SUPERVISE, actor=SYSTEM, words="超过期限，系统转为督办")
        return await write_timed(of, act, asked_from=None)


async def followed(order: WorkOrder) -> WorkOrder:
    """Where its answer comes from: the order into which it was merged, or itself."""
    return await WorkOrder.get(number=order.merged_into) if order.merged_into else order


# The calendar


async def redate(calendar_years: set[int]) -> int:
    """Recomputes provisional and affected due times of open orders after a calendar was loaded."""
    changed = 0
    first = datetime(min(calendar_years) - 1, 12, 1, tzinfo=clock.now().tzinfo)
    last = datetime(max(calendar_years) + 1, 1, 31, tzinfo=clock.now().tzinfo)
    numbers = await sql.fetch(
        "SELECT number FROM work_orders WHERE closed_at IS NULL AND (provisional OR "
        "(visible_from - interval '60 days' < $2"
        " AND greatest(due_at, next_due_at) + interval '60 days' > $1))",
        first, last,
    )  # fmt: skip
    for row in numbers:
        changed += await _redate(row["number"])
    return changed


async def _redate(number: str) -> bool:
    async with transaction():
        order = await locked(number)
        if order.closed_at:
            return False
        steps = await Step.filter(order_id=number).order_by("id")
        changes = timing.due_times(order, steps)
        if all(getattr(order, name) == value for name, value in changes.items()):
            return False
        await order.update_from_dict(changes).save(update_fields=list(changes))
        return True
