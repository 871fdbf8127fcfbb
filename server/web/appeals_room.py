"""申诉: the room of those who rule, and of the supervisor who confirms."""

from collections.abc import Awaitable, Callable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.appeals import adjudication, cases, register
from server.appeals.api import place
from server.appeals.models import Appeal
from server.appeals.rules import AppealState, Ballot, Round
from server.appeals.shown import CaseShown, case_shown, cases_listed
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Conflict, Invalid, Refusal
from server.people.rules import Role
from server.people.service import Member
from server.reviews.rules import LEVEL_NAMES, Excluded
from server.web import appeal_words as words
from server.web.console import show, staff_only
from server.web.evidence import evidence_shown
from server.web.page import see_other
from server.web.visit import Visit
from server.workorders.api import cursor_of
from server.workorders.rules import is_blank

blueprint = Blueprint("console_appeals")
ROOM = "/console/appeals"
PAGE, TEXT_LIMIT = 30, 2000
VIEW_NAMES = {register.TO_RULE: "待裁定", register.LATE: "超过期限", register.DONE: "已裁定"}
DONE = {
    "vote": "您的意见已经写下，不能再改。", "recusal": "已登记回避，由别的复核员裁定。",
    "confirmation": "已确认。",
}  # fmt: skip


@blueprint.get(ROOM)
@staff_only(*sorted(cases.SEES))
async def appeals(request: Request, visit: Visit) -> HTTPResponse:
    return await listed(request, visit, [])


async def listed(
    request: Request,
    visit: Visit,
    alerts: list[dict[str, Any]],
    waits: dict[str, int] | None = None,
) -> HTTPResponse:
    """Also what an adjudicator sees first, with what he was told and what else waits for him."""
    view = request.args.get("show") or register.TO_RULE
    view = view if view in VIEW_NAMES else register.TO_RULE
    try:
        after = place(request)
    except Refusal:
        return see_other(f"{ROOM}?show={view}")
    found = await register.listed(visit.member, view=view, after=after, limit=PAGE)
    last = found[PAGE - 1] if len(found) > PAGE else None
    cursor = cursor_of(_time(last, view), str(last.id)) if last else ""
    return show(
        request, "appeals.html", alerts=alerts, waits=waits, view=view, views=VIEW_NAMES,
        rows=await cases_listed(visit.member, found[:PAGE]), counts=await _counts(visit.member),
        words=words, done=DONE.get(request.args.get("done") or "", ""),
        first=f"{ROOM}?show={view}" if after else "",
        following=f"{ROOM}?show={view}&cursor={cursor}" if cursor else "",
    )  # fmt: skip


def _time(case: Appeal, view: str) -> Any:
    return case.ruled_at if view == register.DONE else case.due_at


async def _counts(member: Member) -> dict[str, int]:
    where, values = cases.visible_to(member)
    columns = ", ".join(
        f'count(*) FILTER (WHERE {register.condition(view, "$2")}) AS "{view}"'
        for view in VIEW_NAMES
    )
    (row,) = await sql.fetch(
        f"SELECT {columns} FROM appeals WHERE {where} AND $2::timestamptz IS NOT NULL",  # noqa: S608
        *values, clock.now(),
    )  # fmt: skip
    return dict(row)


@blueprint.get(f"{ROOM}/<appeal_id>", name="case")
@staff_only(*sorted(cases.SEES))
async def one(request: Request, visit: Visit, appeal_id: str) -> HTTPResponse:
    appeal = await cases.find(visit.member, appeal_id)
    return await case_page(request, visit, appeal, done=request.args.get("done") or "")


async def case_page(
    request: Request, visit: Visit, appeal: Appeal, status: int = 200, *, tried: str = "",
    typed: dict[str, str] | None = None, fault: str = "", done: str = "",
) -> HTTPResponse:  # fmt: skip
    shown = await case_shown(visit.member, appeal)
    return show(
        request, "appeal.html", status, case=shown, appeal=appeal, words=words, tried=tried,
        typed=typed or {}, fault=fault, done=DONE.get(done, "") if _acted(visit, shown) else "",
        level_name=LEVEL_NAMES[shown.level], limit=TEXT_LIMIT, address=f"{ROOM}/{appeal.id}",
        may_confirm=visit.member.role is Role.SUPERVISOR and shown.state == AppealState.CONFIRMING,
        is_appeal=shown.round == Round.APPEAL, **await evidence_shown(visit, await _claim(appeal)),
    )  # fmt: skip


async def _claim(appeal: Appeal) -> Appeal:
    """Whose papers are ruled on: an objection has none of its own."""
    if appeal.round == Round.APPEAL:
        return appeal
    first = Appeal.filter(review_id=appeal.review_id, round=Round.APPEAL)
    return await first.exclude(state=AppealState.WITHDRAWN).get()


def _acted(visit: Visit, shown: CaseShown) -> bool:
    """A notice of success is no invention of the address."""
    return any(vote.mine for vote in shown.votes) or visit.member.role is Role.SUPERVISOR


# What is done there

Typed = dict[str, str]
_MISSING = {
    "vote": "请写明理由", "recusal": "请写明为何回避", "confirmation": "请写明理由",
}  # fmt: skip
_YES_OR_NO = {"yes": True, "no": False}


def _vote(who: Member, appeal: Appeal, typed: Typed) -> Awaitable[Appeal]:
    """The choice names the reason with it, so that nobody picks a reason for a no."""
    choice = typed["upheld"]
    reason = Excluded(choice) if choice in set(Excluded) else None
    ballot = Ballot(reason is not None or choice == "yes", reason)
    return adjudication.vote(who, str(appeal.id), ballot, typed["text"])


def _recuse(who: Member, appeal: Appeal, typed: Typed) -> Awaitable[Appeal]:
    return adjudication.recuse(who, str(appeal.id), typed["text"])


def _confirm(who: Member, appeal: Appeal, typed: Typed) -> Awaitable[Appeal]:
    return adjudication.confirm(who, str(appeal.id), _YES_OR_NO[typed["upheld"]], typed["text"])


async def _act(
    request: Request, visit: Visit, appeal_id: str, act: str,
    run: Callable[[Member, Appeal, Typed], Awaitable[Appeal]],
) -> HTTPResponse:  # fmt: skip
    appeal = await cases.find(visit.member, appeal_id)
    typed = {name: visit.form.get(name, "") for name in ("upheld", "text")}
    fault = _fault(act, appeal, typed)
    status = 422
    if not fault:
        try:
            await run(visit.member, appeal, typed)
        except (Invalid, Conflict) as refusal:
            fault, status = refusal.detail, refusal.status
        else:
            room = ROOM if act == "recusal" else f"{ROOM}/{appeal.id}"
            return see_other(f"{room}?done={act}")
    now = await cases.find(visit.member, appeal_id)
    return await case_page(request, visit, now, status, tried=act, typed=typed, fault=fault)


def _fault(act: str, appeal: Appeal, typed: Typed) -> str:
    choices = {"no", "yes"}
    if act == "vote" and appeal.round == Round.APPEAL:
        choices = {"no", *(str(ground) for ground, _ in words.GROUNDS)}
    if act != "recusal" and typed["upheld"] not in choices:
        return "请选择支持还是不支持"
    if is_blank(typed["text"]):
        return _MISSING[act]
    long = len(typed["text"])
    return f"理由最多 {TEXT_LIMIT} 字，现在是 {long} 字" if long > TEXT_LIMIT else ""


@blueprint.post(f"{ROOM}/<appeal_id>/vote", name="vote")
@staff_only(Role.ADJUDICATOR)
async def vote(request: Request, visit: Visit, appeal_id: str) -> HTTPResponse:
    return await _act(request, visit, appeal_id, "vote", _vote)


@blueprint.post(f"{ROOM}/<appeal_id>/recusal", name="recusal")
@staff_only(Role.ADJUDICATOR)
async def recuse(request: Request, visit: Visit, appeal_id: str) -> HTTPResponse:
    return await _act(request, visit, appeal_id, "recusal", _recuse)


@blueprint.post(f"{ROOM}/<appeal_id>/confirmation", name="confirmation")
@staff_only(Role.SUPERVISOR)
async def confirm(request: Request, visit: Visit, appeal_id: str) -> HTTPResponse:
    return await _act(request, visit, appeal_id, "confirmation", _confirm)
