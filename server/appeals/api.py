"""Doors of the reviewed side and of those who rule."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from sanic import Request

from server.appeals import adjudication, cases, register, service
from server.appeals import refusals as no
from server.appeals.rules import AppealState, Ballot
from server.appeals.shown import (
    AppealShown,
    CaseListed,
    CaseShown,
    appeal_shown,
    case_shown,
    cases_listed,
)
from server.kit import web
from server.kit.errors import Denied
from server.kit.forms import Form
from server.kit.web import BadQuery, Door, bad_query, flag, local
from server.people.guard import StaffWith
from server.people.service import Member
from server.reviews.rules import Excluded
from server.workorders import moves
from server.workorders.api import DESK, NothingForm, cursor_of, read_cursor
from server.workorders.moves import UnknownOrder
from server.workorders.rules import BlankText, WrongRole

door = Door("appeals")
READERS = StaffWith(*sorted(cases.SEES))
Text = Annotated[str, Meta(max_length=2000)]
ORDER, CASE = "/api/v1/work-orders/<number>/appeal", "/api/v1/appeals/<appeal_id>"


class AppealForm(Form):
    ground: Literal["mistaken", "malicious", "not_ours"]
    text: Text
    officer_number: Annotated[str, Meta(max_length=32)] | None = None


class VoteForm(Form):
    upheld: bool
    text: Text
    reason: Literal["mistaken", "malicious", "not_ours"] | None = None


class RecusalForm(Form):
    reason: Annotated[str, Meta(max_length=1000)]


class FindingForm(Form):
    upheld: bool
    text: Text


class AppealsOfOrder(Struct):
    items: list[AppealShown]
    until: datetime
    may_appeal: bool
    why_not: str
    may_withdraw: bool


class CasePage(Struct):
    items: list[CaseListed]
    next_cursor: str | None


# The reviewed side


@door.post(
    ORDER, guard=DESK, form=AppealForm, answers={201: AppealShown},
    refusals=(
        UnknownOrder, WrongRole, no.NotAppealable, no.AppealClosed, no.AlreadyAppealed,
        no.UnknownOfficer, BlankText,
    ),
    summary="申诉：牵头部门对一条差评，一次；工单照常办理，评价在裁定前照常计入",
)  # fmt: skip
async def appeal_review(
    request: Request, who: Member, number: str, form: AppealForm
) -> AppealShown:
    filing = service.Filing(
        ground=Excluded(form.ground), text=form.text, officer_number=form.officer_number
    )
    return appeal_shown(await service.file(who, number, filing))


@door.post(
    f"{ORDER}/withdraw", guard=DESK, form=NothingForm, answers={200: AppealShown},
    refusals=(UnknownOrder, WrongRole, no.NoOpenAppeal), summary="撤回申诉（裁定之前）",
)  # fmt: skip
async def withdraw_appeal(
    request: Request, who: Member, number: str, form: NothingForm
) -> AppealShown:
    return appeal_shown(await service.withdraw(who, number))


@door.get(
    ORDER, guard=DESK, answers={200: AppealsOfOrder}, refusals=(UnknownOrder, WrongRole, Denied),
    summary="一张工单的申诉，和现在能不能申诉",
)  # fmt: skip
async def appeals_of_order(request: Request, who: Member, number: str) -> AppealsOfOrder:
    side = await service.of_order(who, await moves.find(who, number))
    return AppealsOfOrder(
        [appeal_shown(appeal) for appeal in side.cases], local(side.until), not side.refusal,
        side.refusal, side.may_withdraw,
    )  # fmt: skip


# Those who rule


@door.get(
    "/api/v1/appeals", guard=READERS, answers={200: CasePage}, refusals=(BadQuery, Denied),
    query={
        "state": "open、confirming、upheld、refused 或 withdrawn", "overdue": "true：只看超过期限的",
        "limit": "1–200，默认 50", "cursor": "上一页的 next_cursor",
    },
    summary="本地区的申诉和异议，按裁定期限",
)  # fmt: skip
async def list_appeals(request: Request, who: Member) -> CasePage:
    limit = web.whole(request, "limit", default=50, low=1, high=200)
    state = request.args.get("state") or None
    if state is not None and state not in set(AppealState):
        raise bad_query("state", f"须是 {'、'.join(AppealState)} 之一")
    late = register.LATE if flag(request, "overdue") else None
    found = await register.listed(who, state=state, view=late, after=place(request), limit=limit)
    last = found[limit - 1] if len(found) > limit else None
    items = await cases_listed(who, found[:limit])
    return CasePage(items, cursor_of(last.due_at, str(last.id)) if last else None)


def place(request: Request) -> register.Place | None:
    cursor = request.args.get("cursor") or ""
    if not cursor:
        return None
    at, number = read_cursor(cursor)
    try:
        return at, str(UUID(number))
    except ValueError:
        raise bad_query("cursor", "不是本接口给出的 next_cursor") from None


@door.get(
    CASE, guard=READERS, answers={200: CaseShown},
    refusals=(no.UnknownAppeal, no.NotImpartial, Denied), summary="一件申诉的全部案情",
)  # fmt: skip
async def one_appeal(request: Request, who: Member, appeal_id: str) -> CaseShown:
    return await case_shown(who, await cases.find(who, appeal_id))


@door.post(
    f"{CASE}/vote", guard=READERS, form=VoteForm, answers={200: CaseShown},
    refusals=(
        no.UnknownAppeal, WrongRole, no.NotImpartial, no.AppealEnded, no.AlreadyVoted,
        no.StatementPending, no.NotCalledBack, no.ReasonMismatch, BlankText,
    ),
    summary="写明意见：两名复核员各自独立；第二份意见写下即裁定",
)  # fmt: skip
async def vote_on_appeal(
    request: Request, who: Member, appeal_id: str, form: VoteForm
) -> CaseShown:
    reason = Excluded(form.reason) if form.reason else None
    ballot = Ballot(form.upheld, reason)
    return await case_shown(who, await adjudication.vote(who, appeal_id, ballot, form.text))


@door.post(
    f"{CASE}/recusal", guard=READERS, form=RecusalForm, answers={200: CaseListed},
    refusals=(
        no.UnknownAppeal, WrongRole, no.NotImpartial, no.AppealEnded, no.AlreadyVoted, BlankText,
    ),
    summary="回避，写明理由，由别的复核员裁定",
)  # fmt: skip
async def stand_back(
    request: Request, who: Member, appeal_id: str, form: RecusalForm
) -> CaseListed:
    appeal = await adjudication.recuse(who, appeal_id, form.reason)
    return (await cases_listed(who, [appeal]))[0]


@door.post(
    f"{CASE}/confirmation", guard=READERS, form=FindingForm, answers={200: CaseShown},
    refusals=(no.UnknownAppeal, WrongRole, no.NotConfirming, no.NotImpartial, BlankText),
    summary="督办员确认：同一人再次被认定恶意评价时",
)  # fmt: skip
async def confirm_finding(
    request: Request, who: Member, appeal_id: str, form: FindingForm
) -> CaseShown:
    appeal = await adjudication.confirm(who, appeal_id, form.upheld, form.text)
    return await case_shown(who, appeal)
