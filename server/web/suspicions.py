"""核查 as pages: the queue of what looks gamed, and one of them with what may be done about it."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.integrity import deciding, shown, suspicions
from server.integrity.models import Suspicion
from server.integrity.rules import OF_THE_OFFICE, RULE_NAMES, Rule, SuspicionState
from server.integrity.shown import SuspicionShown
from server.integrity.suspicions import UnknownSuspicion, Wanted
from server.integrity.suspicions_api import after, checked_id, following, wanted
from server.kit.errors import Conflict, Fault, Invalid
from server.kit.web import BadQuery
from server.people.rules import Role
from server.reviews.rules import CHANNEL_NAMES, LEVEL_NAMES, ReviewChannel, ReviewState, is_bad
from server.web.audit import STATE_NAMES as REVIEW_STATES
from server.web.console import show, staff_only
from server.web.desk_forms import TEXT_LIMIT
from server.web.page import see_other
from server.web.visit import SEES_SUSPICIONS, Visit
from server.web.visit import SUSPICIONS as ROOM
from server.workorders.rules import check_text

blueprint = Blueprint("console_suspicions")
PAGE = 30
TABS = (("", "还没有决定"), ("confirmed", "已认定"), ("cleared", "已排除"))
DONE = {
    "proposal": "已提出认定，等另一人决定。", "decision": "决定已记录。",
    "clearance": "已排除，这条评价立即重新计入排名。",
}  # fmt: skip


@blueprint.get(ROOM, name="queue")
@staff_only(*SEES_SUSPICIONS)
async def queue(request: Request, visit: Visit) -> HTTPResponse:
    try:
        of, behind = wanted(request), after(request.args.get("cursor") or "")
    except BadQuery:
        return see_other(ROOM)
    found = await suspicions.listed(visit.member, of, after=behind, limit=PAGE + 1)
    counts = await suspicions.counts(visit.member)
    more = following(found, of, PAGE)
    return show(
        request, "suspicions.html", rows=await shown.listed(found[:PAGE]), of=of, levels=LEVEL_NAMES,
        tabs=[(_address(of, state=key), name, _count(counts, key), key == _tab(of)) for key, name in TABS],
        rules=[(str(rule), name) for rule, name in RULE_NAMES.items()], agencies=await _agencies(visit),
        first=_address(of) if behind else "", following=_address(of, cursor=more) if more else "",
        bare=not (of.rule or of.agency_code),
    )  # fmt: skip


def _tab(of: Wanted) -> str:
    return of.state or "" if of.decided else ""


def _count(counts: dict[SuspicionState, int], key: str) -> int:
    if key:
        return counts[SuspicionState(key)]
    return counts[SuspicionState.OPEN] + counts[SuspicionState.PROPOSED]


def _address(of: Wanted, **other: str) -> str:
    kept = {"state": of.state, "rule": of.rule, "agency": of.agency_code} | other
    query = urlencode({name: str(value) for name, value in kept.items() if value})
    return f"{ROOM}?{query}" if query else ROOM


async def _agencies(visit: Visit) -> list[tuple[str, str]]:
    codes = await suspicions.agencies(visit.member)
    return [(code, catalogue().agency_name(code) or code) for code in codes]


@blueprint.get(f"{ROOM}/<suspicion>", name="one")
@staff_only(*SEES_SUSPICIONS)
async def one(request: Request, visit: Visit, suspicion: str) -> HTTPResponse:
    return await _page(request, visit, suspicion, done=DONE.get(request.args.get("done") or "", ""))


async def _page(
    request: Request, visit: Visit, number: str, status: int = 200, *, tried: str = "", text: str = "",
    fault: str = "", done: str = "",
) -> HTTPResponse:  # fmt: skip
    of = await shown.whole(
        await suspicions.find(visit.member, checked_id(number, UnknownSuspicion())), visit.member
    )
    return show(
        request, "suspicion.html", status, of=of, levels=LEVEL_NAMES, limit=TEXT_LIMIT, tried=tried,
        text=text, fault=fault, done=done if of.looks else "", follows=follows(of),
        review_state=REVIEW_STATES[ReviewState(of.review.state)] if of.review else "",
        channel=CHANNEL_NAMES[ReviewChannel(of.review.channel)] if of.review else "",
    )  # fmt: skip


def follows(of: SuspicionShown) -> str:
    """What confirming it does, before anybody does it."""
    office = Rule(of.rule) in OF_THE_OFFICE
    listed = "部门和经办人列入问责名单" if office else ""
    if of.review is None:
        return f"{listed or '只记录在案'}。"
    spared = office and is_bad(of.review.level)
    ends = "，它的工单终止" if of.review.order_number else ""
    review = "差评照常计入" if spared else f"这条评价原样保留，但不再计入任何统计{ends}"
    return "；".join(filter(None, (listed, review))) + "。"


Act = Callable[[Visit, int, str], Awaitable[Suspicion]]


async def _propose(visit: Visit, number: int, text: str) -> Suspicion:
    return await deciding.propose(visit.member, number, text)


async def _decide(visit: Visit, number: int, text: str) -> Suspicion:
    agree = visit.form.get("agree")
    if agree not in ("yes", "no"):
        raise Invalid("请选择同意或不同意")
    return await deciding.decide(visit.member, number, agree=agree == "yes", text=text)


async def _clear(visit: Visit, number: int, text: str) -> Suspicion:
    return await deciding.clear(visit.member, number, check_text(text))


async def _act(request: Request, visit: Visit, number: str, door: str, act: Act) -> HTTPResponse:
    text = visit.form.get("text", "")
    known: dict[str, Any] = {"tried": door, "text": text}
    try:
        if len(text) > TEXT_LIMIT:
            raise Invalid(f"最多 {TEXT_LIMIT} 字，现在是 {len(text)} 字")
        done = await act(visit, checked_id(number, UnknownSuspicion()), text)
    except Conflict as refusal:
        return await _page(request, visit, number, 409, fault=refusal.detail, **known)
    except Invalid as refusal:
        faults: list[Fault] = refusal.errors
        fault = faults[0].detail if faults else refusal.detail
        return await _page(request, visit, number, 422, fault=fault, **known)
    return see_other(f"{ROOM}/{done.id}?done={door}")


def _hang(door: str, act: Act, *roles: Role) -> None:
    @staff_only(*roles)
    async def enter(request: Request, visit: Visit, suspicion: str) -> HTTPResponse:
        return await _act(request, visit, suspicion, door, act)

    blueprint.add_route(enter, f"{ROOM}/<suspicion>/{door}", methods=["POST"], name=door)


_hang("proposal", _propose, Role.SUPERVISOR)
_hang("decision", _decide, Role.SUPERVISOR, Role.ADJUDICATOR)
_hang("clearance", _clear, Role.SUPERVISOR, Role.ADJUDICATOR)
