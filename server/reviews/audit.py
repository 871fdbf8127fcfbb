"""The auditor's door: every look is logged before anything is shown."""

from datetime import datetime

from msgspec import Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.errors import Denied
from server.kit.web import Door, local
from server.people.guard import StaffWith
from server.people.rules import Role
from server.people.service import Member, note_access
from server.receipts import visits
from server.receipts.rules import GRIEVANCE
from server.receipts.service import UnknownReceipt
from server.reviews.models import Review

door = Door("audit")


class AuditedReview(Struct):
    level: int
    tags: list[str]
    words: str
    channel: str
    state: str
    at: datetime


class AuditedReceipt(Struct):
    verified: bool
    """False of a visit without a slip."""
    claimed_case_number: str | None
    """What its citizen says; nobody has checked it."""
    reviews: list[AuditedReview]
    work_orders: list[str]


@door.get(
    "/api/v1/audit/receipts/<receipt_id>", guard=StaffWith(Role.AUDITOR),
    answers={200: AuditedReceipt}, refusals=(UnknownReceipt, Denied),
    summary="审计：一张回执的全部评价与工单（留痕）",
)  # fmt: skip
async def audit_receipt(request: Request, who: Member, receipt_id: str) -> AuditedReceipt:
    if not (receipt_id.isascii() and receipt_id.isdigit() and len(receipt_id) < 19):
        raise UnknownReceipt
    regions = catalogue().within(who.region_code)
    row = await sql.fetch_one(
        "SELECT region_code, channel, applicant FROM receipts WHERE id = $1", int(receipt_id)
    )
    if row is None or row["channel"] == GRIEVANCE or row["region_code"] not in regions:
        raise UnknownReceipt
    await note_access(who, "audit_receipt", receipt_id)
    reviews = await Review.filter(receipt_id=int(receipt_id)).order_by("at")
    visit = visits.is_visit(row)
    return AuditedReceipt(
        not visit, (visits.claimed_case(row["applicant"]) or None) if visit else None,
        [
            AuditedReview(r.level, r.tags, r.comment, r.channel, r.state, local(r.at))
            for r in reviews
        ],
        [r.order_number for r in reviews if r.order_number],
    )  # fmt: skip
