"""核查 over the API: who supervises a region, rules in it or audits it. The reviewed side has no door here,
and does not learn that there is anything behind it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from sanic import Request

from server.integrity import deciding, shown, suspicions
from server.integrity.deciding import AlreadyLooked, NotASecondPerson
from server.integrity.models import Suspicion
from server.integrity.rules import Rule, SuspicionState
from server.integrity.suspicions import UnknownSuspicion, Wanted
from server.kit.errors import Denied
from server.kit.forms import Form
from server.kit.web import BadQuery, Door, bad_query, whole
from server.people.guard import StaffWith
from server.people.rules import Role
from server.people.service import Member
from server.workorders.api import cursor_of, read_cursor
from server.workorders.rules import BlankText

door = Door("suspicions")
READERS = StaffWith(Role.SUPERVISOR, Role.ADJUDICATOR, Role.AUDITOR)
DECIDERS = StaffWith(Role.SUPERVISOR, Role.ADJUDICATOR)
PROPOSERS = StaffWith(Role.SUPERVISOR)
ROOM = "/api/v1/suspicions"
Text = Annotated[str, Meta(max_length=2000)]


class SuspicionPage(Struct):
    items: list[shown.SuspicionListed]
    next_cursor: str | None


class LookForm(Form):
    text: Text


class DecisionForm(Form):
    agree: bool
    text: Text = ""
    """Needed of who does not agree."""


def wanted(request: Request) -> Wanted:
    """What the query asks for."""
    state, rule = request.args.get("state") or None, request.args.get("rule") or None
    if state is not None and state not in set(SuspicionState):
        raise bad_query("state", f"须是 {'、'.join(SuspicionState)} 之一")
    if rule is not None and rule not in set(Rule):
        raise bad_query("rule", f"须是 {'、'.join(Rule)} 之一")
    agency = request.args.get("agency") or ""
    if len(agency) > 18 or "\0" in agency:
        raise bad_query("agency", "须是 18 位的部门代码")
    return Wanted(
        state=SuspicionState(state) if state else None, rule=Rule(rule) if rule else None,
        agency_code=agency,
    )  # fmt: skip


def after(cursor: str) -> tuple[datetime, int] | None:
    if not cursor:
        return None
    at, number = read_cursor(cursor)
    return at, checked_id(number, bad_query("cursor", "不是本接口给出的 next_cursor"))


def checked_id(text: str, otherwise: Exception) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise otherwise
    return int(text)


def following(found: Sequence[Suspicion], of: Wanted, limit: int) -> str | None:
    """The cursor behind a page, of a list that was asked for one more than the page holds."""
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return cursor_of(suspicions.moment_of(last, of), str(last.id))


@door.get(
    ROOM, guard=READERS, answers={200: SuspicionPage}, refusals=(BadQuery, Denied),
    query={
        "state": "open、proposed、confirmed、cleared；不填：还没有决定的",
        "rule": "规则", "agency": "部门代码",
        "limit": "1–200，默认 50", "cursor": "上一页的 next_cursor",
    },
    summary="可疑评价的核查：还没有决定的按期限（到期的在前），已决定的新的在前",
)  # fmt: skip
async def list_suspicions(request: Request, who: Member) -> SuspicionPage:
    limit = whole(request, "limit", default=50, low=1, high=200)
    of = wanted(request)
    found = await suspicions.listed(
        who, of, after=after(request.args.get("cursor") or ""), limit=limit + 1
    )
    return SuspicionPage(await shown.listed(found[:limit]), following(found, of, limit))


@door.get(
    f"{ROOM}/<suspicion>", guard=READERS, answers={200: shown.SuspicionShown},
    refusals=(UnknownSuspicion, Denied), summary="一条核查：证据、评价、同组的其他核查与经过",
)  # fmt: skip
async def one_suspicion(request: Request, who: Member, suspicion: str) -> shown.SuspicionShown:
    found = await suspicions.find(who, checked_id(suspicion, UnknownSuspicion()))
    return await shown.whole(found, who)


@door.post(
    f"{ROOM}/<suspicion>/proposal", guard=PROPOSERS, form=LookForm, answers={200: shown.SuspicionShown},
    refusals=(UnknownSuspicion, AlreadyLooked, BlankText, Denied),
    summary="核查后提出认定（督办员），由另一人决定",
)  # fmt: skip
async def propose_suspicion(
    request: Request, who: Member, suspicion: str, form: LookForm
) -> shown.SuspicionShown:
    of = checked_id(suspicion, UnknownSuspicion())
    return await shown.whole(await deciding.propose(who, of, form.text), who)


@door.post(
    f"{ROOM}/<suspicion>/decision", guard=DECIDERS, form=DecisionForm,
    answers={200: shown.SuspicionShown},
    refusals=(UnknownSuspicion, NotASecondPerson, AlreadyLooked, BlankText, Denied),
    summary="第二人决定：同意的，评价不再计入；不同意的写明理由，退回核查",
)  # fmt: skip
async def decide_suspicion(
    request: Request, who: Member, suspicion: str, form: DecisionForm
) -> shown.SuspicionShown:
    of = checked_id(suspicion, UnknownSuspicion())
    done = await deciding.decide(who, of, agree=form.agree, text=form.text)
    return await shown.whole(done, who)


@door.post(
    f"{ROOM}/<suspicion>/clearance", guard=DECIDERS, form=LookForm,
    answers={200: shown.SuspicionShown},
    refusals=(UnknownSuspicion, AlreadyLooked, BlankText, Denied),
    summary="核查后排除：一人写明理由，评价立即重新计入排名",
)  # fmt: skip
async def clear_suspicion(
    request: Request, who: Member, suspicion: str, form: LookForm
) -> shown.SuspicionShown:
    of = checked_id(suspicion, UnknownSuspicion())
    return await shown.whole(await deciding.clear(who, of, form.text), who)
