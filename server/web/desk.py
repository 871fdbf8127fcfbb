"""The handler's room: what must be done now, and one order with all that may be done to it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.web import BadQuery, local
from server.people.models import Staff
from server.people.rules import SEES_ORDERS, Role
from server.reviews.tracking import CITIZEN_WORDS
from server.web import desk_words as words
from server.web.audit import ROOM as AUDIT
from server.web.console import HOME, MESSAGES, Visit, show, staff_only
from server.web.desk_words import ALL, LATE, NOW, Row, Typed
from server.web.page import see_other
from server.workorders import api, service
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import FINAL, OPEN, BlankText, Disposition, IllegalMove, Move, State

blueprint = Blueprint("console_desk")
ORDERS = "/console/orders"
PAGE, GLANCE = 30, 10
"""Rows of a list, and of each part of the home."""


@blueprint.get(HOME)
@staff_only()
async def home(request: Request, visit: Visit) -> HTTPResponse:
    """Everyone's first page."""
    if visit.member.role is Role.AUDITOR:
        return see_other(AUDIT)
    if visit.member.role is Role.ADMIN:
        return see_other(MESSAGES)
    if not visit.sees_orders:
        return show(request, "nothing.html")
    search = (request.args.get("q") or "").strip()[: api.SEARCH_LIMIT]
    chosen = ALL if search else request.args.get("show") or NOW
    counts = await _counts(visit)
    tabs = words.tabs(visit.member.role, counts, chosen)
    if chosen == NOW or chosen not in {tab.key for tab in tabs}:
        groups = [await _group(visit, key, counts) for key in words.due_groups(visit.member.role)]
        shown = [group for group in groups if group["count"]]
        return show(request, "now.html", tabs=tabs, groups=shown, search="")
    return await _listed(request, visit, chosen, search, tabs)


async def _listed(
    request: Request, visit: Visit, chosen: str, search: str, tabs: list[words.Tab]
) -> HTTPResponse:
    cursor = request.args.get("cursor") or ""
    kept = {"show": chosen} | ({"q": search} if search else {})
    first = f"{HOME}?{urlencode(kept)}"
    try:
        orders, following = await api.inbox(
            visit.member, search=search, cursor=cursor, limit=PAGE, **_asked(chosen)
        )
    except BadQuery:
        return see_other(first)
    return show(
        request, "list.html", tabs=tabs, search=search, rows=_rows(orders, visit),
        title=next(tab.name for tab in tabs if tab.key == chosen),
        first=first if cursor else "",
        following=f"{HOME}?{urlencode(kept | {'cursor': following})}" if following else "",
    )  # fmt: skip


def _asked(chosen: str) -> dict[str, Any]:
    """The list behind a tab, in the words of the inbox."""
    if chosen == LATE:
        return {"overdue": True}
    return {} if chosen == ALL else {"state": chosen}


async def _counts(visit: Visit) -> words.Counts:
    """How many orders stand behind each tab: one query, in the tenant filter of the lists."""
    now = clock.now()
    where, values = service.visible_to(visit.member, now)
    waiting = [str(state) for state in OPEN - {State.ANSWERED}]
    late = f"coalesce(next_due_at < ${len(values) + 1} AND state = ANY(${len(values) + 2}), false)"
    rows = await sql.fetch(
        f"SELECT state, {late} AS late, count(*) FROM work_orders WHERE {where} GROUP BY 1, 2",  # noqa: S608
        *values,
        now,
        waiting,
    )
    return {(State(row["state"]), row["late"]): row["count"] for row in rows}


async def _group(visit: Visit, key: str, counts: words.Counts) -> dict[str, Any]:
    """One part of what must be done now; an overdue order stands only among the overdue."""
    asked = {"overdue": True} if key == LATE else {"state": key, "overdue": False}
    number = words.count_of(key, counts, on_time_only=True)
    orders = (await api.inbox(visit.member, limit=GLANCE, **asked))[0] if number else []
    return {"key": key, "name": words.tab_name(key), "count": number, "rows": _rows(orders, visit)}


def _rows(orders: list[WorkOrder], visit: Visit) -> list[Row]:
    now, known, own = clock.now(), catalogue(), visit.member.agency_code
    return [words.row(order, now, known, own) for order in orders]


@blueprint.get(f"{ORDERS}/<number>")
@staff_only(*SEES_ORDERS)
async def one_order(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await _find(visit, number)
    return await _order_page(request, visit, order, done=request.args.get("done") or "")


async def _find(visit: Visit, number: str) -> WorkOrder:
    if not (number.isascii() and number.isalnum()):
        raise service.UnknownOrder
    return await service.find(visit.member, number)


@dataclass(frozen=True)
class Attempt:
    """What was just tried, and why it is not done (yet)."""

    typed: Typed | None = None
    faults: dict[str, str] | None = None
    faster: str = ""
    """Somebody else's move came first."""
    preview: bool = False


async def _order_page(
    request: Request, visit: Visit, order: WorkOrder, status: int = 200, *,
    attempt: Attempt | None = None, done: str = "",
) -> HTTPResponse:  # fmt: skip
    attempt = attempt or Attempt()
    steps = await Step.filter(order_id=order.number).order_by("id")
    whole = api.shown(order, steps, visit.member)
    moved_by = {step.actor_id for step in steps if step.actor_id} | {order.owner_id}
    names = await _names(moved_by - {None})
    return show(
        request, "order.html", status, order=order, whole=whole, attempt=attempt,
        address=f"{ORDERS}/{order.number}", row=_rows([order], visit)[0],
        owner=names.get(order.owner_id or 0, ""), agency=catalogue().agency_name,
        deadlines=words.deadlines(order), timeline=_timeline(steps, whole.steps, names),
        typed=attempt.typed or Typed(), closed=State(order.state) in FINAL,
        done=words.DONE.get(done, "") if steps and steps[-1].move == done else "",
        disposition_names=words.DISPOSITION_NAMES, citizen_reads=CITIZEN_WORDS,
        limits=(words.TEXT_LIMIT, words.BASIS_LIMIT),
    )  # fmt: skip


async def _names(ids: set[Any]) -> dict[int, str]:
    return {staff.id: staff.name for staff in await Staff.filter(id__in=ids)} if ids else {}


def _timeline(
    steps: list[Step], shown: list[api.StepShown], names: dict[int, str]
) -> list[dict[str, Any]]:
    """Steps of colleagues with name and minute, of citizens with the day alone."""
    return [
        {
            "step": step, "by": f"{step.by} {names.get(row.actor_id or 0, '')}".strip(),
            "when": words.moment(step.at) if row.actor_id else words.day(local(step.at).date()),
            "what": words.opened_words(row, step),
            "disposition": words.DISPOSITION_NAMES.get(step.disposition or "", ""),
        }
        for row, step in zip(steps, shown, strict=True)
    ]  # fmt: skip


@blueprint.post(f"{ORDERS}/<number>/accept")
@staff_only(*SEES_ORDERS)
async def accept(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await _find(visit, number)
    try:
        await service.accept(visit.member, order.number)
    except IllegalMove:
        return await _too_late(request, visit, number, Move.ACCEPT)
    return see_other(f"{ORDERS}/{order.number}?done=accept")


@blueprint.post(f"{ORDERS}/<number>/answer")
@staff_only(*SEES_ORDERS)
async def answer(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await _find(visit, number)
    typed = Typed.of(visit.form)
    faults = typed.faults()
    preview = "preview" in visit.form
    if faults or preview:
        attempt = Attempt(typed, faults, preview=preview and not faults)
        return await _order_page(request, visit, order, 422 if faults else 200, attempt=attempt)
    try:
        await service.answer(
            visit.member, order.number, disposition=Disposition(typed.disposition),
            text=typed.text, legal_basis=typed.legal_basis,
        )  # fmt: skip
    except BlankText as refusal:
        attempt = Attempt(typed, {"text": refusal.detail})
        return await _order_page(request, visit, order, 422, attempt=attempt)
    except IllegalMove:
        return await _too_late(request, visit, number, Move.ANSWER, typed)
    return see_other(f"{ORDERS}/{order.number}?done=answer")


async def _too_late(
    request: Request, visit: Visit, number: str, move: Move, typed: Typed | None = None
) -> HTTPResponse:
    """Somebody was faster: the order as it is now, and what was typed."""
    order = await _find(visit, number)
    attempt = Attempt(typed, faster=words.faster(State(order.state), move))
    return await _order_page(request, visit, order, 409, attempt=attempt)
