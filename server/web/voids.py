"""回执作废 as a page: an agency's people ask with a reason, a lead who did not ask decides."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.integrity.shown import described
from server.kit.errors import Conflict, Denied, Invalid
from server.people.rules import OF_AN_AGENCY, Role
from server.people.service import Member
from server.receipts import voiding
from server.receipts.voiding import REASON_LIMIT, Asked, UnknownVoid, VoidState
from server.web.console import show, staff_only
from server.web.page import see_other
from server.web.visit import VOIDS as ROOM
from server.web.visit import Visit

blueprint = Blueprint("console_voids")
PAGE = 30
DONE = {
    "asked": "已提出。请本部门另一位负责人决定；决定之前回执照常使用。",
    "again": "这张回执已经有人提出作废，或已经作废，不用再提。",
    "voided": "已作废。这张回执不能再用来评价；如果已有评价，评价照常保留。",
    "refused": "没有同意。回执照常使用。",
}  # fmt: skip


@blueprint.get(ROOM, name="list")
@staff_only(*OF_AN_AGENCY)
async def listed(request: Request, visit: Visit) -> HTTPResponse:
    return await _page(request, visit, done=DONE.get(request.args.get("done") or "", ""))


async def _page(
    request: Request, visit: Visit, status: int = 200, *, typed: dict[str, str] | None = None,
    fault: str = "", tried: int = 0, done: str = "",
) -> HTTPResponse:  # fmt: skip
    """What waits for a decision, or what was decided; newest first."""
    decided = request.args.get("show") == "decided"
    before = _whole(request.args.get("cursor") or "") or None
    agency = visit.member.agency_code or ""
    found = await voiding.listed(agency, waiting=not decided, before=before, limit=PAGE + 1)
    query = "show=decided&" if decided else ""
    return show(
        request, "voids.html", status, rows=await _rows(found[:PAGE], visit.member), decided=decided,
        typed=typed or {}, fault=fault, tried=tried, done=done, limit=REASON_LIMIT,
        first=f"{ROOM}?{query}" if before else "",
        following=f"{ROOM}?{query}cursor={found[PAGE - 1].void.id}" if len(found) > PAGE else "",
    )  # fmt: skip


async def _rows(found: list[Asked], member: Member) -> list[dict[str, Any]]:
    shown = await described([one.void for one in found])
    return [
        {
            "id": one.void.id, "receipt": one.void.receipt_id, "case": one.case_number, "void": void,
            "may": member.role is Role.AGENCY_LEAD and void.state == VoidState.ASKED
            and one.void.asked_by != member.scope,
            "own": one.void.asked_by == member.scope,
        }
        for one, void in zip(found, shown, strict=True)
    ]  # fmt: skip


def _whole(text: str) -> int:
    """A void's number, or 0."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@blueprint.post(f"{ROOM}/ask", name="ask")
@staff_only(*OF_AN_AGENCY)
async def ask(request: Request, visit: Visit) -> HTTPResponse:
    typed = {name: visit.form.get(name, "") for name in ("receipt", "case", "reason")}
    try:
        new = await voiding.ask_by_hand(
            visit.member, typed["receipt"], typed["case"], typed["reason"]
        )
    except Invalid as refusal:
        return await _page(request, visit, 422, typed=typed, fault=refusal.detail)
    return see_other(f"{ROOM}?done={'asked' if new else 'again'}")


@blueprint.post(f"{ROOM}/decide", name="decide")
@staff_only(Role.AGENCY_LEAD)
async def decide(request: Request, visit: Visit) -> HTTPResponse:
    number, text = _whole(visit.form.get("id", "")), visit.form.get("text", "")
    agree = visit.form.get("agree")
    if not number:
        raise UnknownVoid
    known: dict[str, Any] = {"tried": number, "typed": {"text": text}}
    try:
        if agree not in ("yes", "no"):
            raise Invalid("请选择同意或不同意")
        if len(text) > REASON_LIMIT:
            raise voiding.ReasonTooLong
        done = await voiding.decide(visit.member, number, agree=agree == "yes", words=text)
    except voiding.AskedByYou as refusal:
        raise Denied(refusal.detail) from None
    except Conflict as refusal:
        return await _page(request, visit, 409, fault=refusal.detail, **known)
    except Invalid as refusal:
        return await _page(request, visit, 422, fault=refusal.detail, **known)
    return see_other(f"{ROOM}?done={done.state}")
