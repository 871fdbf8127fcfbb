"""The auditor's second door to a receipt: what was suspected of it, and who wanted it voided."""

from datetime import datetime

from msgspec import Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.integrity import shown
from server.integrity.models import Suspicion
from server.kit import sql
from server.kit.errors import Denied
from server.kit.web import Door, local
from server.people.guard import StaffWith
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Member, note_access
from server.receipts import voiding
from server.receipts.models import Void
from server.receipts.service import UnknownReceipt

door = Door("audit-checks")
SYSTEM = "部门的业务系统"
STATE_NAMES = {
    voiding.VoidState.ASKED: "待另一人决定", voiding.VoidState.VOIDED: "已作废",
    voiding.VoidState.REFUSED: "没有同意",
}  # fmt: skip


class VoidShown(Struct):
    reason: str
    state: str
    state_name: str
    asked_by: str
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    words: str


class AuditedChecks(Struct):
    voids: list[VoidShown]
    suspicions: list[shown.SuspicionListed]


async def checks_of(receipt_id: int) -> AuditedChecks:
    """Oldest first, as everything of an audit."""
    voids = await voiding.history(receipt_id)
    found = await Suspicion.filter(receipt_id=receipt_id).order_by("id")
    return AuditedChecks(await described(voids), await shown.listed(found))


async def described(voids: list[Void]) -> list[VoidShown]:
    """With the names of those who asked and decided."""
    asked = {void.id: _staff_id(void.asked_by) for void in voids}
    ids = {*asked.values(), *(void.decided_by for void in voids)} - {None}
    names = {staff.id: staff.name for staff in await Staff.filter(id__in=ids)}
    return [
        VoidShown(
            void.reason, void.state, STATE_NAMES[voiding.VoidState(void.state)],
            names.get(asked[void.id] or 0, "") if asked[void.id] else SYSTEM, local(void.asked_at),
            names.get(void.decided_by or 0, ""),
            local(void.decided_at) if void.decided_at else None, void.words,
        )
        for void in voids
    ]  # fmt: skip


def _staff_id(scope: str) -> int | None:
    kind, _, name = scope.partition(":")
    return int(name) if kind == "staff" else None


@door.get(
    "/api/v1/audit/receipts/<receipt_id>/checks", guard=StaffWith(Role.AUDITOR),
    answers={200: AuditedChecks}, refusals=(UnknownReceipt, Denied),
    summary="审计：一张回执的作废申请与可疑核查（留痕）",
)  # fmt: skip
async def audit_checks(request: Request, who: Member, receipt_id: str) -> AuditedChecks:
    if not (receipt_id.isascii() and receipt_id.isdigit() and len(receipt_id) < 19):
        raise UnknownReceipt
    row = await sql.fetch_one("SELECT region_code FROM receipts WHERE id = $1", int(receipt_id))
    if row is None or row["region_code"] not in catalogue().within(who.region_code):
        raise UnknownReceipt
    await note_access(who, "audit_receipt", receipt_id)
    return await checks_of(int(receipt_id))
