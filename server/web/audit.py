"""The auditor's room: a receipt with its reviews, for a reason that is written down first."""

from datetime import timedelta
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.appeals.audit import exclusions_of
from server.appeals.evidence import ACTION as EVIDENCE
from server.catalogue.service import catalogue
from server.integrity.audit import checks_of
from server.kit import sql
from server.kit.clock import clock
from server.kit.web import local
from server.people.models import AccessLog, Staff
from server.people.rules import ROLE_NAMES, Role
from server.people.service import Member, note_access
from server.receipts import visits
from server.receipts.rules import GRIEVANCE
from server.receipts.service import UnknownReceipt
from server.reviews import service as reviews
from server.reviews.models import Review
from server.reviews.paper import PRINT as PRINT_PAPER
from server.reviews.rules import CHANNEL_NAMES, EXCLUDED_NAMES, LEVEL_NAMES, ReviewState
from server.reviews.verification import ACTION as REVEAL
from server.web.console import show, staff_only
from server.web.page import see_other
from server.web.visit import Visit
from server.workorders.rules import is_blank

blueprint = Blueprint("console_audit")
ROOM = "/console/audit"
ACTION = "audit_receipt"
REASON_LIMIT = 200
NEWEST = 50
GOOD_FOR = timedelta(minutes=30)
"""How long a written reason opens the page again; afterwards it is asked for anew."""
STATE_NAMES = {
    ReviewState.STANDING: "有效", ReviewState.AWAITING_REASON: "待说明原因",
    ReviewState.UNDONE: "群众已撤回", ReviewState.SUSPENDED: "核实中", ReviewState.EXCLUDED: "不予采纳",
    ReviewState.DEFAULT: "默认评价",
}  # fmt: skip
ACTION_NAMES = {
    ACTION: "查看回执的评价", REVEAL: "查看实名群众的身份", "read_replies": "查看未对上的短信回复",
    "read_set_aside": "查看无法读取的短信条目", "restore_phone": "恢复退订的号码",
    "resend_message": "重新发送短信", EVIDENCE: "查看申诉材料", PRINT_PAPER: "印出空白纸质评价表",
}  # fmt: skip


@blueprint.get(ROOM)
@staff_only(Role.AUDITOR)
async def audit_home(request: Request, visit: Visit) -> HTTPResponse:
    return await _home(request, visit, receipt=_digits(request.args.get("receipt") or ""))


async def _home(
    request: Request, visit: Visit, status: int = 200, *, receipt: str = "", reason: str = "",
    faults: dict[str, str] | None = None,
) -> HTTPResponse:  # fmt: skip
    only, before = request.args.get("log") or "", _digits(request.args.get("cursor") or "")
    only = only if only in ACTION_NAMES else ""
    log = await _newest(visit.member, only, int(before) if before else None)
    query = f"log={only}&" if only else ""
    return show(
        request, "audit.html", status, receipt=receipt, reason=reason, faults=faults or {},
        log=log[:NEWEST], limit=REASON_LIMIT, reveal=REVEAL, chosen=only,
        first=f"{ROOM}?{query}#log" if before else "",
        following=f"{ROOM}?{query}cursor={log[NEWEST - 1]['id']}#log" if len(log) > NEWEST else "",
    )  # fmt: skip


def _digits(text: str) -> str:
    """A receipt's number as it may stand in an address, or nothing."""
    text = text.strip()
    return text if text.isascii() and text.isdigit() and len(text) < 19 else ""


@blueprint.post(ROOM)
@staff_only(Role.AUDITOR)
async def ask(request: Request, visit: Visit) -> HTTPResponse:
    typed, reason = visit.form.get("receipt", "").strip()[:40], visit.form.get("reason", "").strip()
    faults = {}
    if is_blank(reason):
        faults["reason"] = "请写明查看的事由"
    elif len(reason) > REASON_LIMIT:
        faults["reason"] = f"事由最多 {REASON_LIMIT} 字"
    if not await _in_region(visit.member, typed):
        faults["receipt"] = "本地区没有这个编号的回执"
    if faults:
        return await _home(request, visit, 422, receipt=typed, reason=reason, faults=faults)
    await note_access(visit.member, ACTION, _digits(typed), reason)
    return see_other(f"{ROOM}/{_digits(typed)}")


async def _in_region(member: Member, receipt_id: str) -> bool:
    if not _digits(receipt_id):
        return False
    row = await sql.fetch_one(
        "SELECT region_code FROM receipts WHERE id = $1 AND channel <> $2",
        int(receipt_id),
        GRIEVANCE,
    )
    return row is not None and row["region_code"] in catalogue().within(member.region_code)


@blueprint.get(f"{ROOM}/<receipt_id>")
@staff_only(Role.AUDITOR)
async def one_receipt(request: Request, visit: Visit, receipt_id: str) -> HTTPResponse:
    if not await _in_region(visit.member, receipt_id):
        raise UnknownReceipt
    entry = await _entry(visit.member, receipt_id)
    if entry is None:
        return see_other(f"{ROOM}?receipt={_digits(receipt_id)}")
    found = await Review.filter(receipt_id=int(receipt_id)).order_by("at")
    excluded = await exclusions_of([review.id for review in found])
    rows = [await _row(review) | {"excluded": excluded.get(review.id, [])} for review in found]
    (receipt,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", int(receipt_id))
    return show(
        request, "audit_receipt.html", receipt=receipt_id, rows=rows, entry=entry,
        visit_only=visits.is_visit(receipt), checks=await checks_of(int(receipt_id)), levels=LEVEL_NAMES,
        reasons=EXCLUDED_NAMES, on_paper=any(row["operator"] for row in rows),
        claimed=visits.claimed_case(receipt["applicant"]) if visits.is_visit(receipt) else "",
    )  # fmt: skip


async def _entry(member: Member, receipt_id: str) -> AccessLog | None:
    """His own written reason, not too long ago."""
    since = clock.now() - GOOD_FOR
    mine = AccessLog.filter(
        staff_id=member.id, action=ACTION, subject=receipt_id, at__gt=since, reason__not=""
    )
    return await mine.order_by("-id").first()


async def _row(review: Review) -> dict[str, Any]:
    """As the agency would read it: an audit needs the verdict, not the person."""
    return {
        "level": LEVEL_NAMES[review.level],
        "tags": [catalogue().tag_text(code) for code in review.tags],
        "words": await reviews.redacted(review, review.comment),
        "supplement": await reviews.redacted(review, review.supplement or ""),
        "channel": dict(CHANNEL_NAMES).get(review.channel, review.channel),  # type: ignore[call-overload]
        "state": _state_name(review),
        "day": local(review.at).date(),
        "order": review.order_number,
        "operator": await _operator(review.entered_by),
    }


async def _operator(staff_id: int | None) -> str:
    """Who keyed it in, if it was on paper."""
    staff = await Staff.get_or_none(id=staff_id) if staff_id else None
    if staff is None:
        return ""
    return " ".join(filter(None, (catalogue().agency_name(staff.agency_code), staff.name)))


def _state_name(review: Review) -> str:
    if review.replaced_at:
        return "默认评价，已由群众自己的评价取代"
    return STATE_NAMES[ReviewState(review.state)]


async def _newest(member: Member, only: str, before: int | None) -> list[dict[str, Any]]:
    """The newest entries of the access log by staff of this region; one more if there are older."""
    rows = await sql.fetch(
        "SELECT l.id, l.at, s.name, s.role, l.action, l.subject, l.reason FROM access_log l "
        "JOIN staff s ON s.id = l.staff_id WHERE s.region_code = ANY($1::text[]) "
        "AND ($3 = '' OR l.action = $3) AND ($4::bigint IS NULL OR l.id < $4) "
        "ORDER BY l.id DESC LIMIT $2",
        sorted(catalogue().within(member.region_code)), NEWEST + 1, only, before,
    )  # fmt: skip
    return [
        dict(row)
        | {"role": ROLE_NAMES[Role(row["role"])], "action": ACTION_NAMES.get(row["action"], row["action"])}
        for row in rows
    ]  # fmt: skip
