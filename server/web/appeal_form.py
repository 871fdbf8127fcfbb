"""The reviewed side's own page of its appeal: what it claims, how it stands, and taking it back."""

from sanic import Blueprint, HTTPResponse, Request

from server.appeals import service
from server.appeals.service import Filing
from server.kit.errors import Conflict, Gone, Invalid
from server.people.rules import OF_AN_AGENCY, SEES_ORDERS
from server.reviews.rules import Excluded
from server.web import appeal_card
from server.web import appeal_words as words
from server.web.console import show, staff_only
from server.web.evidence import evidence_shown
from server.web.order_page import ORDERS, find
from server.web.page import see_other
from server.web.visit import Visit
from server.workorders.models import WorkOrder
from server.workorders.rules import is_blank

blueprint = Blueprint("console_appeal_form")
TEXT_LIMIT = 2000


@blueprint.get(f"{ORDERS}/<number>/appeal", name="form")
@staff_only(*SEES_ORDERS)
async def form(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await find(visit, number)
    return await _page(request, visit, order)


async def _page(
    request: Request, visit: Visit, order: WorkOrder, status: int = 200, *,
    typed: dict[str, str] | None = None, fault: str = "",
) -> HTTPResponse:  # fmt: skip
    side = await service.of_order(visit.member, order)
    mine = next((case for case in reversed(side.cases) if case.by_id), None)
    return show(
        request, "appeal_form.html", status, order=order, card=appeal_card.of_side(side),
        appeal=mine, words=words, typed=typed or {}, fault=fault, limit=TEXT_LIMIT,
        address=f"{ORDERS}/{order.number}/appeal",
        **(await evidence_shown(visit, mine) if mine else {}),
    )  # fmt: skip


@blueprint.post(f"{ORDERS}/<number>/appeal", name="file")
@staff_only(*OF_AN_AGENCY)
async def file(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await find(visit, number)
    typed = {name: visit.form.get(name, "") for name in ("ground", "officer_number", "text")}
    fault, status = _fault(typed), 422
    if not fault:
        try:
            await service.file(visit.member, order.number, Filing(
                ground=Excluded(typed["ground"]), text=typed["text"],
                officer_number=typed["officer_number"],
            ))  # fmt: skip
        except (Invalid, Conflict, Gone) as refusal:
            fault, status = refusal.detail, refusal.status
            fault = next((one.detail for one in refusal.errors), fault)
        else:
            return see_other(f"{ORDERS}/{order.number}/appeal")
    return await _page(request, visit, order, status, typed=typed, fault=fault)


def _fault(typed: dict[str, str]) -> str:
    if typed["ground"] not in {str(ground) for ground, _ in words.GROUNDS}:
        return "请选择申诉的理由"
    if is_blank(typed["text"]):
        return "请写明事实和依据"
    if len(typed["officer_number"]) > 32:
        return "工号最多 32 个字"
    long = len(typed["text"])
    return f"事实和依据最多 {TEXT_LIMIT} 字，现在是 {long} 字" if long > TEXT_LIMIT else ""


@blueprint.post(f"{ORDERS}/<number>/appeal/withdraw", name="withdraw")
@staff_only(*OF_AN_AGENCY)
async def withdraw(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await find(visit, number)
    try:
        await service.withdraw(visit.member, order.number)
    except Conflict as refusal:
        return await _page(request, visit, order, refusal.status, fault=refusal.detail)
    return see_other(f"{ORDERS}/{order.number}/appeal")
