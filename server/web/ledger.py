"""问责名单 as a page: who is to answer for what, and what followed."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit.errors import Conflict
from server.people.models import Staff
from server.people.rules import Role
from server.web.console import show, staff_only
from server.web.desk_forms import TEXT_LIMIT
from server.web.page import see_other
from server.web.visit import LEDGER, SEES_LEDGER, Visit
from server.workorders import accountability
from server.workorders.accountability import WHY_NAMES, UnknownRecord, Why
from server.workorders.models import Accountability
from server.workorders.rules import is_blank

blueprint = Blueprint("console_ledger")
PAGE = 30


@blueprint.get(LEDGER)
@staff_only(*SEES_LEDGER)
async def ledger(request: Request, visit: Visit) -> HTTPResponse:
    return await _page(request, visit, done=request.args.get("done") == "follow")


async def _page(
    request: Request, visit: Visit, status: int = 200, *, tried: int = 0, text: str = "",
    fault: str = "", done: bool = False,
) -> HTTPResponse:  # fmt: skip
    """Those that nothing has followed yet, or all; newest first."""
    everything = request.args.get("show") == "all"
    before = _whole(request.args.get("cursor") or "") or None
    found = await accountability.records(
        visit.member, unfollowed=None if everything else True, before=before, limit=PAGE + 1
    )
    query = "show=all&" if everything else ""
    more = len(found) > PAGE
    return show(
        request, "ledger.html", status, rows=await _rows(found[:PAGE]), everything=everything,
        count=await accountability.count_unfollowed(visit.member), tried=tried, text=text,
        fault=fault, done=done, may_follow=visit.member.role is Role.SUPERVISOR, limit=TEXT_LIMIT,
        first=(f"{LEDGER}?{query}" if before else ""),
        following=f"{LEDGER}?{query}cursor={found[PAGE - 1].id}" if more else "",
    )  # fmt: skip


def _whole(text: str) -> int:
    """A record's number, or 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


async def _rows(records: list[Accountability]) -> list[dict[str, Any]]:
    ids = {
        one for record in records for one in (record.staff_id, record.by_id, record.followed_by_id)
    }
    names = {staff.id: staff.name for staff in await Staff.filter(id__in=ids - {None})}
    return [
        {
            "record": record, "why": WHY_NAMES[Why(record.why)],
            "agency": catalogue().agency_name(record.agency_code),
            "who": names.get(record.staff_id or 0, ""),
            "by": names.get(record.by_id or 0, "") or "系统按规则",
            "followed_by": names.get(record.followed_by_id or 0, ""),
        }
        for record in records
    ]  # fmt: skip


@blueprint.post(f"{LEDGER}/<record>/follow", name="follow")
@staff_only(Role.SUPERVISOR)
async def follow(request: Request, visit: Visit, record: str) -> HTTPResponse:
    text = visit.form.get("text", "")
    if not (number := _whole(record)):
        raise UnknownRecord
    fault = ""
    if is_blank(text):
        fault = "请写明后来怎样处理的"
    elif len(text) > TEXT_LIMIT:
        fault = f"最多 {TEXT_LIMIT} 字，现在是 {len(text)} 字"
    if fault:
        return await _page(request, visit, 422, tried=number, text=text, fault=fault)
    try:
        await accountability.follow(visit.member, number, text)
    except Conflict as refusal:
        return await _page(request, visit, 409, text=text, fault=refusal.detail)
    return see_other(f"{LEDGER}?done=follow")
