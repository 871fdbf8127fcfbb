"""The desk: what must be done now, and every list behind it."""

from typing import Any
from urllib.parse import urlencode

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.integrity import suspicions
from server.kit import sql
from server.kit.clock import clock
from server.kit.web import BadQuery
from server.people.models import Staff
from server.people.rules import Role
from server.receipts import voiding
from server.reviews import callbacks
from server.web import appeals_room, desk_acts, ledger, order_page, samples
from server.web import desk_words as words
from server.web.audit import ROOM as AUDIT
from server.web.console import show, staff_only
from server.web.desk_words import ALL, LATE, NOW, Row
from server.web.order_words import ALERT_NAMES
from server.web.page import see_other
from server.web.visit import HOME, MESSAGES, Visit
from server.workorders import alerts, api, service, supervision
from server.workorders import desk as lists
from server.workorders.models import WorkOrder
from server.workorders.rules import State
from server.workorders.supervision import ACCOUNT

home_room = Blueprint("console_desk")
blueprint = Blueprint.group(
    home_room, order_page.blueprint, desk_acts.blueprint, ledger.blueprint, samples.blueprint
)
PAGE, GLANCE = 30, 10
"""Rows of a list, and of each part of the home."""


@home_room.get(HOME)
@staff_only()
async def home(request: Request, visit: Visit) -> HTTPResponse:
    """Everyone's first page."""
    told = await _alerts(visit)
    waits = await _waiting(visit)
    if not visit.sees_orders:
        return await _without_orders(request, visit, told, waits)
    search = (request.args.get("q") or "").strip()[: api.SEARCH_LIMIT]
    chosen = ALL if search else request.args.get("show") or NOW
    counts, role = await _counts(visit), visit.member.role
    shown: dict[str, Any] = {
        "tabs": words.tabs(role, counts, chosen), "lists": words.list_tabs(role, counts, chosen),
        "search": search,
    }  # fmt: skip
    known = {tab.key for tab in (*shown["tabs"], *shown["lists"])} - {ACCOUNT}
    if chosen == NOW or chosen not in known:
        groups = [await _group(visit, key, counts) for key in words.due_groups(role)]
        found = [group for group in groups if group["count"]]
        unfollowed = counts.listed.get(ACCOUNT, 0)
        return show(
            request,
            "now.html",
            groups=found,
            alerts=told,
            unfollowed=unfollowed,
            waits=waits,
            **shown,
        )
    return await _listed(request, visit, chosen, shown)


async def _waiting(visit: Visit) -> dict[str, int]:
    """What waits for him beside the orders."""
    member = visit.member
    return {
        "suspicions": await suspicions.waiting(member) if visit.sees_suspicions else 0,
        "voids": await voiding.waiting_for(member),
    }


async def _without_orders(
    request: Request, visit: Visit, told: list[dict[str, Any]], waits: dict[str, int]
) -> HTTPResponse:
    if visit.member.role is Role.ADJUDICATOR:
        return await appeals_room.listed(request, visit, told, waits)
    rooms = {Role.AUDITOR: AUDIT, Role.ADMIN: MESSAGES}
    if told or visit.member.role not in rooms:
        return show(request, "nothing.html", alerts=told, waits=waits)
    return see_other(rooms[visit.member.role])


async def _alerts(visit: Visit) -> list[dict[str, Any]]:
    return [
        {"alert": alert, "kind": ALERT_NAMES.get(alert.kind, "提醒")}
        for alert in await alerts.alerts_of(visit.member)
    ]


@home_room.post("/console/alerts/seen", name="seen")
@staff_only()
async def seen(request: Request, visit: Visit) -> HTTPResponse:
    """知道了: one of them, or all that the page has shown."""
    given = visit.form.get("ids", "").split(",")[: alerts.SHOWN]
    ids = (one for one in given if one.isascii() and one.isdigit() and len(one) < 19)
    await alerts.seen(visit.member, map(int, ids))
    return see_other(HOME)


async def _listed(
    request: Request, visit: Visit, chosen: str, shown: dict[str, Any]
) -> HTTPResponse:
    cursor = request.args.get("cursor") or ""
    kept = {"show": chosen} | ({"q": shown["search"]} if shown["search"] else {})
    first = f"{HOME}?{urlencode(kept)}"
    try:
        orders, following = await _orders(visit, chosen, shown["search"], cursor, PAGE)
    except BadQuery:
        return see_other(first)
    return show(
        request, "list.html", rows=await _rows(orders, visit, chosen), **shown,
        title=words.tab_name(chosen), first=first if cursor else "",
        rate=await callbacks.rate(visit.member) if chosen == lists.CALL else None,
        following=f"{HOME}?{urlencode(kept | {'cursor': following})}" if following else "",
    )  # fmt: skip


async def _orders(
    visit: Visit, key: str, search: str, cursor: str, most: int
) -> tuple[list[WorkOrder], str | None]:
    """The list of this name: each is one filter of one desk below."""
    if key == ALL or key in set(State):
        state = None if key == ALL else key
        return await api.inbox(
            visit.member, state=state, search=search, cursor=cursor, limit=most
        )  # fmt: skip
    key = f"{lists.FIRST}{LATE}" if key == LATE else key
    listed = supervision.listed if key in supervision.VIEW_NAMES else lists.listed
    after = api.read_cursor(cursor) if cursor else None
    found = await listed(visit.member, key, after=after, limit=most + 1)
    last = found[most - 1] if len(found) > most else None
    return found[:most], api.cursor_of(last.next_due_at, last.number) if last else None


async def _counts(visit: Visit) -> words.Counts:
    """How many orders stand behind each tab, in the filters of the lists."""
    member = visit.member
    where, values = service.visible_to(member, clock.now())
    rows = await sql.fetch(
        f"SELECT state, count(*) FROM work_orders WHERE {where} GROUP BY 1",  # noqa: S608
        *values,
    )
    wanted = {*words.lists_of(member.role), *words.due_groups(member.role)}
    listed = await supervision.views(member) | await lists.counts(member)
    return words.Counts(
        {State(row["state"]): row["count"] for row in rows},
        {key: number for key, number in listed.items() if key in wanted},
    )


async def _group(visit: Visit, key: str, counts: words.Counts) -> dict[str, Any]:
    """One part of what must be done now; an overdue order stands among the overdue."""
    number = counts.listed[key]
    orders = (await _orders(visit, key, "", "", GLANCE))[0] if number else []
    return {
        "key": key.removeprefix(lists.FIRST), "name": words.tab_name(key), "count": number,
        "on_time": key.startswith(lists.FIRST), "rows": await _rows(orders, visit, key),
    }  # fmt: skip


async def _rows(orders: list[WorkOrder], visit: Visit, key: str) -> list[Row]:
    now, known, own = clock.now(), catalogue(), visit.member.agency_code
    notes = await _verifiers(orders) if key in ("verify", lists.CALL) else {}
    if key == lists.SENT_BACK:
        notes = {order.number: words.ruled(order) for order in orders}
    dues = await _call_dues(orders) if key == lists.CALL else {}
    return [
        words.row(order, now, known, own, notes.get(order.number, ""), dues.get(order.number))
        for order in orders
    ]


async def _verifiers(orders: list[WorkOrder]) -> dict[str, str]:
    found = await Staff.filter(id__in={order.verifier_id for order in orders} - {None})
    names = {staff.id: staff.name for staff in found}
    return {
        order.number: f"核实人：{names.get(order.verifier_id or 0, '还没有指定')}"
        for order in orders
    }


async def _call_dues(orders: list[WorkOrder]) -> dict[str, Any]:
    """Until when the citizen is to be called, which is not when the order is due."""
    rows = await sql.fetch(
        "SELECT order_number, due_at FROM call_backs WHERE kind = 'real_name' "
        "AND order_number = ANY($1)", [order.number for order in orders],
    )  # fmt: skip
    return {row["order_number"]: row["due_at"] for row in rows}
