"""核实: a named person verifies each bad review; he alone learns who gave a real-name one, for a reason
that is written down first."""

import json
from dataclasses import dataclass, field

from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Denied, Invalid
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.people.models import Staff
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member, note_access
from server.reviews import voices
from server.reviews.callbacks import Anonymous
from server.reviews.models import Review
from server.workorders import alerts, moves
from server.workorders.flags import checked_reason
from server.workorders.models import WorkOrder
from server.workorders.rules import FINAL, STATE_NAMES, IllegalMove, Record, State, WrongRole

ACTION = "reveal_citizen"
"""In the access log."""
ALERT = "verifier"
LEAST = 2
"""Visible characters of a reason."""


class NotVerifier(Denied):
    code = "not_verifier"
    title = "只有这张工单指定的核实人可以查看群众的身份"


class UnknownVerifier(Invalid):
    code = "unknown_verifier"
    title = "本部门没有这个账号"


class ReasonTooShort(Invalid):
    code = "reason_required"
    title = "请写明为何要查看"


@dataclass(frozen=True)
class Person:
    """Who gave a real-name review."""

    name: str = field(repr=False)
    phone: str = field(repr=False)
    case_number: str = field(repr=False)


async def name_verifier(member: Member, number: str, username: str) -> WorkOrder:
    """The lead names one of his own agency; until then it is who has the order."""
    async with transaction():
        order = await moves.find(member, number, lock=True)
        if member.role is not Role.AGENCY_LEAD or member.agency_code != order.agency_code:
            raise WrongRole("由牵头部门的负责人指定核实人")
        still_called = order.merged_into and order.real_name and order.called_back_at is None
        if order.state in FINAL and not still_called:
            raise IllegalMove(f"“{STATE_NAMES[State(order.state)]}”的工单不再核实")
        staff = await Staff.get_or_none(
            username=username, agency_code=order.agency_code, role__in=list(OF_AN_AGENCY),
            active=True,
        )  # fmt: skip
        if staff is None:
            raise UnknownVerifier
        now = clock.now()
        await alerts.tell([staff.id], ALERT, "请您核实这张工单", now, order=number)
        return await moves.record(
            order, Record.VERIFY, f"指定核实人：{staff.name}", now=now, actor=member.role,
            actor_id=member.id, verifier_id=staff.id,
        )  # fmt: skip


async def reveal(member: Member, number: str, reason: str) -> Person:
    """Logged in the commit before anything is shown."""
    written = checked_reason(reason)
    if sum(not char.isspace() for char in written) < LEAST:
        raise ReasonTooShort
    async with transaction():
        order = await moves.find(member, number, lock=True)
        if member.id != order.verifier_id or member.agency_code != order.agency_code:
            raise NotVerifier
        if not order.real_name:
            raise Anonymous
        if order.state in FINAL and order.called_back_at is not None:
            raise IllegalMove("工单已经办结，也已经回访，不再需要群众的身份")
        await note_access(member, ACTION, number, written)
    return await _person(order)


async def _person(order: WorkOrder) -> Person:
    """What he gave with his words, or what the agency itself knows of its applicant."""
    voice = await voices.of_id(order.origin_key)
    (receipt,) = await sql.fetch(
        "SELECT applicant, case_number FROM receipts WHERE id = $1", voice.receipt_id
    )
    given, known = _opened(voice.contact, "contact"), _opened(receipt["applicant"], "applicant")
    return Person(
        given.get("name") or known.get("name") or "", given.get("phone") or known.get("phone") or "",
        receipt["case_number"] if isinstance(voice, Review) else voice.external_number or "",
    )  # fmt: skip


def _opened(sealed: bytes | None, purpose: str) -> dict[str, str]:
    try:
        return json.loads(vault().unseal(sealed, purpose)) if sealed else {}
    except BrokenSeal:
        return {}
