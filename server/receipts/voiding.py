"""作废: one asks for it with a reason, a lead of the agency who did not ask decides. The receipt rates no
more, and keeps its review; nothing here says whether there is one. What is voided stays so."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg

from server.kit import jobs, sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Denied, Fault, Invalid, Missing
from server.kit.transaction import transaction
from server.kit.words import is_blank
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Caller, Member
from server.receipts import service
from server.receipts.models import Receipt, Void
from server.receipts.rules import GRIEVANCE, WALL
from server.receipts.service import UnknownReceipt

JOB = "voided"
"""For the desks above, which may still be asking about the receipt."""
REASON_LIMIT = 200


class VoidState(StrEnum):
    ASKED = "asked"
    VOIDED = "voided"
    REFUSED = "refused"


class ReasonMissing(Invalid):
    code = "blank_text"
    title = "请写明理由"


class ReasonTooLong(Invalid):
    code = "reason_too_long"
    title = f"理由最多 {REASON_LIMIT} 字"


class NoSuchReceipt(Invalid):
    code = "receipt_mismatch"
    title = "本部门没有这张回执，或办件编号与它不符"


class UnknownVoid(Missing):
    code = "unknown_void"
    title = "没有这条作废申请"


class VoidDecided(Conflict):
    code = "void_decided"
    title = "这条作废申请已经有人决定了"


class AskedByYou(Denied):
    code = "not_a_second_person"
    title = "不能同意自己提出的作废，须由另一位负责人决定"


def checked_reason(text: str, field: str = "reason") -> str:
    if is_blank(text):
        raise ReasonMissing(errors=[Fault(field, "blank_text", ReasonMissing.title)])
    if len(text.strip()) > REASON_LIMIT:
        raise ReasonTooLong(errors=[Fault(field, "too_long", ReasonTooLong.title)])
    return text.strip()


# Asking


async def ask(caller: Caller, receipt_id: str, reason: str) -> Receipt:
    """By the agency's system. Asked twice is asked once, and what is voided may be asked for again: the
    answer is always the same."""
    words = checked_reason(reason)
    receipt = await _issued(caller.agency_code, receipt_id)
    await _ask(receipt, caller.scope, words, clock.now())
    return receipt


async def ask_by_hand(member: Member, receipt_id: str, case_number: str, reason: str) -> bool:
    """By a member of staff, who shows by the case number that he means this one. False if somebody has
    asked already. A wrong number and an unknown receipt are told alike."""
    words = checked_reason(reason)
    if member.role not in OF_AN_AGENCY or member.agency_code is None:
        raise Denied
    try:
        receipt = await _issued(member.agency_code, receipt_id.strip())
    except UnknownReceipt:
        raise NoSuchReceipt from None
    if receipt.case_number != case_number.strip():
        raise NoSuchReceipt
    return await _ask(receipt, member.scope, words, clock.now())


async def _issued(agency_code: str, receipt_id: str) -> Receipt:
    """One that the agency handed out: a visit and a grievance are no receipts of its own."""
    receipt = await service.of_agency(agency_code, receipt_id)
    if receipt.channel in (WALL, GRIEVANCE):
        raise UnknownReceipt
    return receipt


async def _ask(receipt: Receipt, scope: str, reason: str, now: datetime) -> bool:
    rows = await sql.fetch(
        "INSERT INTO voids (region_code, agency_code, receipt_id, reason, asked_by, asked_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id",
        receipt.region_code, receipt.agency_code, receipt.id, reason, scope, now,
    )  # fmt: skip
    return bool(rows)


# Deciding


async def decide(member: Member, void_id: int, *, agree: bool, words: str = "") -> Void:
    """By a lead of the same agency who did not ask. Who refuses says why; it may be asked for anew."""
    why = words.strip() if agree else checked_reason(words, "text")
    async with transaction():
        void = await Void.select_for_update().get_or_none(
            id=void_id, agency_code=member.agency_code or ""
        )
        if void is None:
            raise UnknownVoid
        if member.role is not Role.AGENCY_LEAD:
            raise Denied
        if void.state != VoidState.ASKED:
            raise VoidDecided
        if void.asked_by == member.scope:
            raise AskedByYou
        if agree:
            await _void(void.receipt_id)
        void.state = VoidState.VOIDED if agree else VoidState.REFUSED
        void.decided_by, void.decided_at, void.words = member.id, clock.now(), why
        await void.save(update_fields=["state", "decided_by", "decided_at", "words"])
        return void


async def _void(receipt_id: int) -> None:
    """Who rates in this very moment is waited for and has rated; who comes later finds it closed."""
    receipt = await Receipt.select_for_update().get(id=receipt_id)
    if receipt.voided_at is None:
        receipt.voided_at = clock.now()
        await receipt.save(update_fields=["voided_at"])
        await jobs.enqueue(JOB, once_as=f"{JOB}:{receipt_id}", receipt=receipt_id)


# Reading


@dataclass(frozen=True)
class Asked:
    """A void with what the agency's own people know of its receipt."""

    void: Void
    case_number: str


_OF_AGENCY = """
SELECT v.*, r.case_number FROM voids v JOIN receipts r ON r.id = v.receipt_id
WHERE v.agency_code = $1 AND (v.state = 'asked') = $2 AND ($3::bigint IS NULL OR v.id < $3)
ORDER BY v.id DESC LIMIT $4
"""


async def listed(
    agency_code: str, *, waiting: bool, before: int | None = None, limit: int = 50
) -> list[Asked]:
    """Newest first; `before` is the id behind which a page goes on."""
    rows: list[asyncpg.Record] = await sql.fetch(_OF_AGENCY, agency_code, waiting, before, limit)
    return [
        Asked(Void._init_from_db(**{k: v for k, v in row.items() if k != "case_number"}),
              row["case_number"])
        for row in rows
    ]  # fmt: skip


async def waiting_for(member: Member) -> int:
    """How many this lead may decide on: his own he may not."""
    if member.role is not Role.AGENCY_LEAD:
        return 0
    rows = await sql.fetch(
        "SELECT count(*) FROM voids WHERE agency_code = $1 AND state = 'asked' AND asked_by <> $2",
        member.agency_code or "", member.scope,
    )  # fmt: skip
    return int(rows[0]["count"])


async def history(receipt_id: int) -> list[Void]:
    """For the auditor: all that was asked about one receipt, oldest first."""
    return await Void.filter(receipt_id=receipt_id).order_by("id")
