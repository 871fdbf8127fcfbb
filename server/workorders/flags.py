"""A citizen's message that the agency holds to be abuse: folded on show, never removed. The rating
stays what it is."""

from collections.abc import Sequence

from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Fault, Invalid, Missing
from server.kit.transaction import transaction
from server.people.rules import Role
from server.people.service import Member
from server.workorders import moves
from server.workorders.models import Flag, Step, WorkOrder
from server.workorders.rules import BlankText, WrongRole, is_blank

REASON_LIMIT = 200


class UnknownStep(Missing):
    code = "unknown_step"
    title = "这张工单没有这条群众留言"


class AlreadyFlagged(Conflict):
    code = "already_flagged"
    title = "这条留言已经标记过"


class AlreadyRuled(Conflict):
    code = "already_ruled"
    title = "督办员已经认定过这条留言"


class NotFlagged(Conflict):
    code = "not_flagged"
    title = "这条留言没有被标记"


class ReasonTooLong(Invalid):
    code = "reason_too_long"
    title = f"理由最多 {REASON_LIMIT} 字"


def checked_reason(text: str) -> str:
    if is_blank(text):
        raise BlankText(errors=[Fault("reason", "blank_text", "请写明理由")])
    if len(text) > REASON_LIMIT:
        raise ReasonTooLong(errors=[Fault("reason", "too_long", ReasonTooLong.title)])
    return text.strip()


async def flag(member: Member, number: str, place: int, reason: str) -> WorkOrder:
    """By the agency that answers; once a message. `place`: of the step in the order's history."""
    words = checked_reason(reason)
    order = await moves.find(member, number)
    if member.agency_code != order.agency_code:
        raise WrongRole("这张工单由牵头部门办理")
    first = await sql.fetch(
        "INSERT INTO flags (step_id, by_id, reason, at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING RETURNING step_id",
        await _of_citizen(order, place), member.id, words, clock.now(),
    )  # fmt: skip
    if not first:
        raise AlreadyFlagged
    return order


async def rule(member: Member, number: str, place: int, upheld: bool) -> WorkOrder:
    """The supervisor's opinion, once: what he does not hold to be abuse is unfolded again."""
    order = await moves.find(member, number)
    if member.role is not Role.SUPERVISOR:
        raise WrongRole
    async with transaction():
        step_id = await _of_citizen(order, place)
        found = await Flag.select_for_update().get_or_none(step_id=step_id)
        if found is None:
            raise NotFlagged
        if found.upheld is not None:
            raise AlreadyRuled
        found.upheld, found.ruled_by_id, found.ruled_at = upheld, member.id, clock.now()
        await found.save(update_fields=["upheld", "ruled_by_id", "ruled_at"])
    return order


async def _of_citizen(order: WorkOrder, place: int) -> int:
    steps = await Step.filter(order_id=order.number).order_by("id")
    step = steps[place - 1] if 0 < place <= len(steps) else None
    if step is None or step.actor != moves.CITIZEN or not step.words:
        raise UnknownStep
    return step.id


async def flags_of(steps: Sequence[Step]) -> dict[int, Flag]:
    """By step; a message is folded while nobody has ruled, and after it was upheld."""
    found = await Flag.filter(step_id__in=[step.id for step in steps])
    return {flag.step_id: flag for flag in found}


def is_folded(flag: Flag | None) -> bool:
    return flag is not None and flag.upheld is not False
