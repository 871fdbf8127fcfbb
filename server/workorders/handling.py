"""What an agency does with its order beside accepting and answering it."""

from dataclasses import dataclass
from datetime import date

from server.catalogue.service import catalogue
from server.kit.clock import BEIJING
from server.kit.errors import Fault, Invalid
from server.kit.transaction import transaction
from server.people.service import Member
from server.workorders import timing
from server.workorders.models import Part, WorkOrder
from server.workorders.moves import (
    Act,
    held_by,
    other_agency,
    record_by,
    write,
    write_timed,
)
from server.workorders.rules import Finding, Move, Record, State, check_text

_HOW = {"relay": "留言了解", "call": "电话了解", "visit": "上门了解", "records": "查阅记录"}
FINDING_NAMES = {
    Finding.TRUE: "属实",
    Finding.PARTLY: "部分属实",
    Finding.UNTRUE: "不属实",
    Finding.UNREACHABLE: "联系不上",
}


class BadPlan(Invalid):
    code = "bad_plan"
    title = "限期整改的日期不在允许的范围内"


class BadExtension(Invalid):
    code = "bad_extension"
    title = "延期的天数超过规定"


async def give_back(member: Member, number: str, *, agency_code: str, reason: str) -> WorkOrder:
    """退回, to the supervisor only, naming whose it is."""
    words = check_text(reason)
    async with transaction():
        of = await held_by(member, number, Move.RETURN)
        named = other_agency(of.order, agency_code)
        until = timing.limit(of.order, State.RETURNED, of.now)
        act = Act.by(member, Move.RETURN, f"应由{catalogue().agency_name(named)}办理：{words}")
        return await write(
            of.order, act, of.now, returns=of.order.returns + 1, proposed_agency_code=named,
            next_due_at=until.at, provisional=of.order.provisional or until.provisional,
        )  # fmt: skip


async def ask(member: Member, number: str, *, text: str) -> WorkOrder:
    """The clock stands still until the citizen answers, or for as long as it may."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Move.ASK)
        return await write_timed(of, Act.by(member, Move.ASK, words), asked_from=of.order.state)


async def plan(member: Member, number: str, *, text: str, until: date) -> WorkOrder:
    """建立台账、限期整改: the lead promises a day."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Move.PLAN)
        first = of.now.astimezone(BEIJING).date()
        last = timing.latest_plan(of.order, of.steps)
        if not first <= until <= last:
            detail = f"须在 {first} 到 {last} 之间"
            raise BadPlan(detail, errors=[Fault("until", BadPlan.code, detail)])
        return await write_timed(of, Act.by(member, Move.PLAN, words), planned_until=until)


async def extend(member: Member, number: str, *, working_days: int, reason: str) -> WorkOrder:
    words = check_text(reason)
    async with transaction():
        of = await held_by(member, number, Move.EXTEND)
        longest = catalogue().policy(of.order.region_code).extension_days
        if not 1 <= working_days <= longest:
            detail = f"须是 1 到 {longest} 个工作日"
            raise BadExtension(detail, errors=[Fault("working_days", BadExtension.code, detail)])
        act = Act.by(member, Move.EXTEND, f"延期 {working_days} 个工作日：{words}")
        return await write_timed(of, act, extension_days=working_days)


# Beside the order


async def part(member: Member, number: str, *, text: str) -> WorkOrder:
    """协办: what this agency has to say; when the last has said it, the lead may answer."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Record.PART)
        await Part.filter(
            order_id=number, agency_code=member.agency_code or "", state="waiting"
        ).update(state="done", words=words, actor_id=member.id, done_at=of.now)
        of_whom = catalogue().agency_name(member.agency_code)
        return await record_by(member, of, Record.PART, f"{of_whom}：{words}")


@dataclass(frozen=True)
class Verified:
    finding: Finding
    how: str
    text: str


async def verify(member: Member, number: str, verified: Verified) -> WorkOrder:
    """核实, by a named person; a later finding stands beside the earlier one."""
    words = check_text(verified.text)
    async with transaction():
        of = await held_by(member, number, Record.VERIFY)
        finding = FINDING_NAMES[verified.finding]
        return await record_by(
            member, of, Record.VERIFY, f"{_HOW[verified.how]}，{finding}：{words}",
            verifier_id=member.id, verified_at=of.now, verified_as=verified.finding,
        )  # fmt: skip


async def message(member: Member, number: str, *, text: str) -> WorkOrder:
    """The agency's word in the relay; the clock goes on."""
    words = check_text(text)
    async with transaction():
        of = await held_by(member, number, Record.MESSAGE)
        return await record_by(member, of, Record.MESSAGE, words)
