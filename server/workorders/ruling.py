"""What the supervisor does with an order: who has it, how it is hurried, and how it ends."""

from typing import Any

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.errors import Fault
from server.kit.transaction import transaction
from server.people.service import Member
from server.workorders import accountability, alerts
from server.workorders.models import Part, WorkOrder
from server.workorders.moves import (
    SYSTEM,
    Act,
    Held,
    UnknownAgency,
    held_by,
    other_agency,
    record,
    record_by,
    write,
    write_timed,
)
from server.workorders.opening import OWNER, working
from server.workorders.rules import Move, Outcome, Record, Ruling, check_text

RULING_NAMES = {Ruling.PROPER: "处理得当", Ruling.ACCOUNTABLE: "应予问责"}


async def reassign(member: Member, number: str, *, agency_code: str) -> WorkOrder:
    """改派: the new agency has its own time for the first contact; what the citizen was promised
    stays."""
    async with transaction():
        of = await held_by(member, number, Move.REASSIGN)
        order, code = of.order, other_agency(of.order, agency_code)
        before, contact_days = order.agency_code, catalogue().policy(order.region_code).contact_days
        contact = working(of.now, contact_days)
        act = Act.by(member, Move.REASSIGN, f"改派给{catalogue().agency_name(code)}")
        moved = await write(
            order, act, of.now, agency_code=code, owner_id=await _owner_in(code), verifier_id=None,
            co_agency_codes=[co for co in order.co_agency_codes if co != code],
            desk_agency_code=before if _is_desk(before) else order.desk_agency_code,
            proposed_agency_code=None, contact_due_at=contact.at, next_due_at=contact.at,
            provisional=order.provisional or contact.provisional,
        )  # fmt: skip
        await sql.fetch(
            "UPDATE work_orders SET agency_code = $2, verifier_id = NULL WHERE merged_into = $1",
            number, code,
        )  # fmt: skip
        if any(part.agency_code == code and part.state == "waiting" for part in of.parts):
            await _release(of, code, None)
            name = catalogue().agency_name(code)
            await record(
                order, Record.RELEASE, f"{name}改为牵头，不再协办", now=of.now, actor=SYSTEM
            )
        return moved


def _is_desk(agency_code: str) -> bool:
    return any(hall.desk_agency_code == agency_code for hall in catalogue().halls.values())


async def _owner_in(agency_code: str) -> int | None:
    row = await sql.fetch_one(f"SELECT {OWNER.format('$1::text')} AS id", agency_code)
    owner: int | None = row["id"] if row else None
    return owner


async def refuse(member: Member, number: str, *, reason: str) -> WorkOrder:
    """驳回退单: it stays where it was, and its time has gone on."""
    words = check_text(reason)
    async with transaction():
        of = await held_by(member, number, Move.REFUSE)
        return await write(
            of.order, Act.by(member, Move.REFUSE, words), of.now, proposed_agency_code=None,
            next_due_at=of.order.due_at,
        )  # fmt: skip


async def supervise(member: Member, number: str, *, text: str) -> WorkOrder:
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Move.SUPERVISE)
        act = Act.by(member, Move.SUPERVISE, words)
        return await write_timed(of, act, asked_from=None)


async def rule(member: Member, number: str, *, finding: Ruling, text: str) -> WorkOrder:
    """裁定 ends the order; who is accountable goes on the list in the same commit."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Move.RULE)
        if finding is Ruling.ACCOUNTABLE:
            why = accountability.Why.RULED
            await accountability.add(of.order, why, of.now, words=words, by_id=member.id)
        act = Act.by(member, Move.RULE, f"{RULING_NAMES[finding]}：{words}")
        return await write(of.order, act, of.now, outcome=Outcome.RULED, ruling=finding)


# Beside the order


async def release(member: Member, number: str, *, agency_code: str, reason: str) -> WorkOrder:
    """免除协办: the lead need not wait for this agency any more."""
    words = check_text(reason)
    async with transaction():
        of = await held_by(member, number, Record.RELEASE)
        if agency_code not in {part.agency_code for part in of.parts if part.state == "waiting"}:
            detail = "这个部门没有待办的协办事项"
            fault = Fault("agency_code", UnknownAgency.code, detail)
            raise UnknownAgency(detail, errors=[fault])
        await _release(of, agency_code, member.id)
        name = catalogue().agency_name(agency_code)
        return await record_by(member, of, Record.RELEASE, f"{name}：{words}")


async def _release(of: Held, agency_code: str, by_id: int | None) -> None:
    changes: dict[str, Any] = {"state": "released", "actor_id": by_id, "done_at": of.now}
    await Part.filter(order_id=of.order.number, agency_code=agency_code, state="waiting").update(
        **changes
    )


async def urge(member: Member, number: str, *, text: str) -> WorkOrder:
    """催办: to the one who has the order and to the leads of his agency."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Record.URGE)
        await alerts.urged(of.order, words, of.now)
        return await record_by(member, of, Record.URGE, words)


async def takeover(member: Member, number: str, *, reason: str) -> WorkOrder:
    """提级办理: the supervisor has the order from here on; the agency still answers."""
    words = check_text(reason)
    async with transaction():
        of = await held_by(member, number, Record.TAKEOVER)
        return await record_by(member, of, Record.TAKEOVER, words, owner_id=member.id)
