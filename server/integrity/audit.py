"""The auditor's second door to a receipt: what was suspected of it, and who wanted it voided."""

from msgspec import Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.integrity import shown
from server.integrity.models import Suspicion
from server.kit import sql
from server.kit.errors import Denied
from server.kit.web import Door
from server.people.guard import StaffWith
from server.people.rules import Role
from server.people.service import Member, note_access
from server.receipts import voiding
from server.receipts.service import UnknownReceipt

door = Door("audit-checks")


class AuditedChecks(Struct):
    voids: list[shown.VoidShown]
    suspicions: list[shown.SuspicionListed]


async def checks_of(receipt_id: int) -> AuditedChecks:
    """Oldest first, as everything of an audit."""
    voids = await voiding.history(receipt_id)
    found = await Suspicion.filter(receipt_id=receipt_id).order_by("id")
    return AuditedChecks(await shown.described(voids), await shown.listed(found))


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
