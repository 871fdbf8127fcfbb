"""The operator's room: what we wrote, what is stuck, what nobody could place, and what it costs."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.kit.errors import Missing
from server.kit.transaction import transaction
from server.kit.web import BadQuery
from server.messages import delivery, desk
from server.messages.desk import Sight, Waiting, Wanted
from server.messages.rules import MESSAGE_STATE_NAMES, MessageState
from server.people.rules import Role
from server.people.service import note_access
from server.web import message_rows as rows_of
from server.web import paging
from server.web.console import show, staff_only
from server.web.message_words import PURPOSE_CHOICES, purposes_named_as
from server.web.page import see_other
from server.web.visit import MESSAGES as ROOM
from server.web.visit import SEES_MESSAGES, Visit
from server.workorders.rules import is_blank

blueprint = Blueprint("console_messages")
PAGE = 30
NOTE_LIMIT, REASON_LIMIT = 500, 200
SENT, DEAD, REPLIES, ASIDE, OUT, COSTS = "", "dead", "replies", "set-aside", "opt-outs", "costs"
_NAMES = {
    SENT: "发件", DEAD: "待处理", REPLIES: "未对上的回复", ASIDE: "无法读取的条目", OUT: "退订",
    COSTS: "费用",
}  # fmt: skip
_DONE = {
    "resend": "已交去重新发送。", "handle": "已记下，这一条处理完了。",
    "restore": "已恢复，这个号码可以再收到短信。",
}  # fmt: skip


class UnknownItem(Missing):
    code = "unknown_item"
    title = "没有找到这一条，或者不在您的地区"


def _address(tab: str, **query: str) -> str:
    kept = {name: value for name, value in query.items() if value}
    place = f"{ROOM}/{tab}" if tab else ROOM
    return f"{place}?{urlencode(kept)}" if kept else place


def _tabs(tab: str, waiting: Waiting, sight: Sight) -> list[dict[str, Any]]:
    """An opt-out or an unreadable item is of no region, and so not for one of a district."""
    counts = {DEAD: waiting.dead, REPLIES: waiting.replies, ASIDE: waiting.aside, OUT: waiting.out}
    return [
        {"name": name, "address": _address(key), "count": counts.get(key), "current": key == tab}
        for key, name in _NAMES.items()
        if sight.top or key not in (ASIDE, OUT)
    ]


async def _show(
    request: Request, visit: Visit, tab: str, template: str, status: int = 200, **shown: Any
) -> HTTPResponse:
    sight = Sight.of(visit.member)
    waiting = await desk.waiting(sight, clock.now())
    return show(
        request, f"messages_{template}.html", status, tabs=_tabs(tab, waiting, sight),
        title=_NAMES[tab], waiting=waiting, gateway=request.app.ctx.settings.sms_gateway,
        may_act=visit.member.role is Role.ADMIN, done=_DONE.get(request.args.get("done") or "", ""),
        **shown,
    )  # fmt: skip


@blueprint.get(ROOM, name="sent")
@staff_only(*SEES_MESSAGES)
async def sent(request: Request, visit: Visit) -> HTTPResponse:
    choices, given = rows_of.months(clock.now()), request.args.get
    month = rows_of.chosen_month(given("month") or "", choices)
    state, purpose, agency = (given(name) or "" for name in ("state", "purpose", "agency"))
    kept = {"month": month.key, "state": state, "purpose": purpose, "agency": agency}
    try:
        after = paging.after(request, UUID)
    except BadQuery:
        return see_other(_address(SENT, **kept))
    wanted = Wanted(
        month.since, month.until, state if state in set(MessageState) else None,
        purposes_named_as(purpose), agency[:18] or None,
    )  # fmt: skip
    count, found = await desk.messages(Sight.of(visit.member), wanted, after, PAGE + 1)
    page, last = paging.cut(found, PAGE)
    return await _show(
        request, visit, SENT, "sent", count=count, rows=[rows_of.message(row) for row in page],
        chosen=kept, months=choices, states=rows_of.as_choices(dict(MESSAGE_STATE_NAMES)),
        purposes=[(purpose, name) for name, purpose in PURPOSE_CHOICES.items()],
        agencies=_agencies(visit), **_pages(SENT, after, last, "created_at", "id", kept),
    )  # fmt: skip


def _agencies(visit: Visit) -> list[tuple[str, str]]:
    regions = catalogue().within(visit.member.region_code)
    mine = (a for a in catalogue().agencies.values() if a.region_code in regions)
    return sorted(((a.code, a.name) for a in mine), key=lambda choice: choice[1])


def _pages(
    tab: str, after: Any, last: Any, at: str, key: str, kept: dict[str, str] | None = None
) -> dict[str, Any]:
    """Where the first and the next page are, if this is neither."""
    kept = kept or {}
    following = _address(tab, **kept, cursor=paging.cursor(last[at], last[key])) if last else ""
    return {"first": _address(tab, **kept) if after else "", "following": following}


@blueprint.get(f"{ROOM}/{DEAD}", name="dead")
@staff_only(*SEES_MESSAGES)
async def dead(request: Request, visit: Visit) -> HTTPResponse:
    try:
        after = paging.after(request, UUID)
    except BadQuery:
        return see_other(_address(DEAD))
    found = await desk.dead_letters(Sight.of(visit.member), clock.now(), after, PAGE + 1)
    page, last = paging.cut(found, PAGE)
    return await _show(
        request, visit, DEAD, "dead", rows=[rows_of.message(row) for row in page], now=clock.now(),
        **_pages(DEAD, after, last, "created_at", "id"),
    )  # fmt: skip


@blueprint.post(f"{ROOM}/{DEAD}/resend")
@staff_only(Role.ADMIN)
async def resend(request: Request, visit: Visit) -> HTTPResponse:
    try:
        message_id = UUID(visit.form.get("id", ""))
    except ValueError:
        raise UnknownItem from None
    if not await desk.is_in_sight(Sight.of(visit.member), message_id):
        raise UnknownItem
    await delivery.resend(message_id, visit.member.id, clock.now())
    return see_other(_address(DEAD, done="resend"))


@blueprint.get(f"{ROOM}/{REPLIES}", name="replies")
@staff_only(*SEES_MESSAGES)
async def replies(request: Request, visit: Visit) -> HTTPResponse:
    return await _replies(request, visit)


async def _replies(
    request: Request, visit: Visit, status: int = 200, **attempt: str
) -> HTTPResponse:
    try:
        after = paging.after(request, int)
    except BadQuery:
        return see_other(_address(REPLIES))
    found = await desk.unmatched_replies(Sight.of(visit.member), after, PAGE + 1)
    page, last = paging.cut(found, PAGE)
    if page:
        shown = f"{page[0]['id']}–{page[-1]['id']}，{len(page)} 条"
        await note_access(visit.member, "read_replies", shown, "短信回复一览")
    return await _show(
        request, visit, REPLIES, "replies", status, rows=await rows_of.replies(page),
        attempt=attempt, limit=NOTE_LIMIT, **_pages(REPLIES, after, last, "received_at", "id"),
    )  # fmt: skip


@blueprint.post(f"{ROOM}/{REPLIES}/handle", name="handle_reply")
@staff_only(Role.ADMIN)
async def handle_reply(request: Request, visit: Visit) -> HTTPResponse:
    """A note, and no more: a level comes only from the citizen."""
    number, note = _number(visit), visit.form.get("text", "").strip()
    fault = _fault(note, "请写明怎样处理的", NOTE_LIMIT)
    if fault:
        return await _replies(request, visit, 422, id=str(number), text=note, fault=fault)
    await desk.handle_reply(Sight.of(visit.member), number, visit.member, note, clock.now())
    return see_other(_address(REPLIES, done="handle"))


def _number(visit: Visit) -> int:
    text = visit.form.get("id", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UnknownItem
    return int(text)


def _fault(text: str, blank: str, limit: int) -> str:
    if is_blank(text):
        return blank
    return f"最多 {limit} 字" if len(text) > limit else ""


@blueprint.get(f"{ROOM}/{ASIDE}", name="aside")
@staff_only(*SEES_MESSAGES)
async def set_aside(request: Request, visit: Visit) -> HTTPResponse:
    try:
        after = paging.after(request, int)
    except BadQuery:
        return see_other(_address(ASIDE))
    found = await desk.set_aside(Sight.of(visit.member), after, PAGE + 1)
    page, last = paging.cut(found, PAGE)
    if page:
        shown = f"{page[0]['id']}–{page[-1]['id']}，{len(page)} 条"
        await note_access(visit.member, "read_set_aside", shown, "无法读取的条目一览")
    return await _show(
        request, visit, ASIDE, "aside", rows=[rows_of.set_aside(row) for row in page],
        **_pages(ASIDE, after, last, "received_at", "id"),
    )  # fmt: skip


@blueprint.post(f"{ROOM}/{ASIDE}/handle", name="handle_aside")
@staff_only(Role.ADMIN)
async def handle_set_aside(request: Request, visit: Visit) -> HTTPResponse:
    await desk.handle_set_aside(Sight.of(visit.member), _number(visit), visit.member, clock.now())
    return see_other(_address(ASIDE, done="handle"))


@blueprint.get(f"{ROOM}/{OUT}", name="out")
@staff_only(*SEES_MESSAGES)
async def opt_outs(request: Request, visit: Visit) -> HTTPResponse:
    return await _opt_outs(request, visit)


async def _opt_outs(
    request: Request, visit: Visit, status: int = 200, **attempt: str
) -> HTTPResponse:
    try:
        after = paging.after(request, str)
    except BadQuery:
        return see_other(_address(OUT))
    found = await desk.opted_out(Sight.of(visit.member), after, PAGE + 1)
    page, last = paging.cut(found, PAGE)
    return await _show(
        request, visit, OUT, "out", status, rows=page, attempt=attempt, limit=REASON_LIMIT,
        **_pages(OUT, after, last, "opted_out_at", "phone_key"),
    )  # fmt: skip


@blueprint.post(f"{ROOM}/{OUT}/restore")
@staff_only(Role.ADMIN)
async def restore(request: Request, visit: Visit) -> HTTPResponse:
    key, reason = visit.form.get("id", ""), visit.form.get("text", "").strip()
    fault = _fault(reason, "请写明恢复的理由，例如本人来电要求", REASON_LIMIT)
    if fault:
        return await _opt_outs(request, visit, 422, id=key, text=reason, fault=fault)
    async with transaction():
        phone = await desk.restore(Sight.of(visit.member), key)
        await note_access(visit.member, "restore_phone", phone, reason)
    return see_other(_address(OUT, done="restore"))


@blueprint.get(f"{ROOM}/{COSTS}", name="costs")
@staff_only(*SEES_MESSAGES)
async def costs(request: Request, visit: Visit) -> HTTPResponse:
    """A month with its agencies, or an agency with its months."""
    sight, choices = Sight.of(visit.member), rows_of.months(clock.now())
    month = rows_of.chosen_month(request.args.get("month") or "", choices)
    agency = (request.args.get("agency") or "")[:18]
    if agency:
        found = await desk.sums_of_months(sight, choices[-1].since, choices[0].until, agency)
        rows, total = rows_of.sums(found, rows_of.named_month)
        rows.sort(key=lambda row: row.key, reverse=True)
    else:
        found = await desk.sums_of_agencies(sight, month.since, month.until)
        rows, total = rows_of.sums(found, catalogue().agency_name)
    return await _show(
        request, visit, COSTS, "costs", rows=rows, total=total, month=month, months=choices,
        agency=agency, agency_name=catalogue().agency_name(agency) if agency else "",
    )  # fmt: skip
