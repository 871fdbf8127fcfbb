"""Doors of the citizen whose review is contested."""

from datetime import datetime

from msgspec import Struct
from sanic import Request

from server.appeals import hearing
from server.appeals import refusals as no
from server.appeals.hearing import Hearing
from server.appeals.models import Appeal
from server.appeals.rules import AppealState
from server.catalogue.service import catalogue
from server.kit import query_codes as codes
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.web import ANYONE, Door, local
from server.reviews import rules
from server.reviews.models import Review
from server.reviews.rules import EXCLUDED_NAMES, Excluded
from server.reviews.tracking import review_behind

door = Door("hearing")
TRACK = "/api/v1/track/<query_code>"


class StatementForm(Form):
    text: str


class ExclusionObjectionForm(Form):
    text: str


class AppealHeard(Struct):
    state: str
    agency: str
    ground: str
    ground_name: str
    text: str
    at: datetime
    due_at: datetime
    statement: str | None
    statement_until: datetime | None
    ruling: str | None
    """Once it was ruled."""


class ObjectionHeard(Struct):
    state: str
    text: str
    at: datetime
    due_at: datetime
    ruling: str | None


class ExclusionHeard(Struct):
    reason: str
    reason_name: str
    words: str
    at: datetime
    lifted_at: datetime | None


class HearingShown(Struct):
    appeal: AppealHeard | None
    exclusion: ExclusionHeard | None
    objection: ObjectionHeard | None
    may_state: bool
    object_until: datetime | None
    """There while he may object."""


def hearing_shown(of: Hearing) -> HearingShown:
    excluded = of.exclusion
    return HearingShown(
        _appeal(of.appeal) if of.appeal else None,
        ExclusionHeard(
            excluded.reason, EXCLUDED_NAMES[Excluded(excluded.reason)], excluded.words,
            local(excluded.at), local(excluded.lifted_at) if excluded.lifted_at else None,
        ) if excluded else None,
        _objection(of.objection) if of.objection else None,
        of.may_state, local(of.object_until) if of.object_until else None,
    )  # fmt: skip


def _appeal(case: Appeal) -> AppealHeard:
    ground = Excluded(case.ground or Excluded.MISTAKEN)
    return AppealHeard(
        _state(case), catalogue().agency_name(case.agency_code), ground, EXCLUDED_NAMES[ground],
        case.words, local(case.at), local(case.due_at), case.statement,
        local(case.statement_until) if case.statement_until else None, case.ruling,
    )  # fmt: skip


def _objection(case: Appeal) -> ObjectionHeard:
    return ObjectionHeard(_state(case), case.words, local(case.at), local(case.due_at), case.ruling)


def _state(case: Appeal) -> str:
    """That a supervisor looks too is no news to him."""
    return AppealState.OPEN if case.state == AppealState.CONFIRMING else case.state


async def heard(review: Review) -> HearingShown:
    of = await hearing.of(review)
    if of is None:
        raise no.UnknownAppeal("这条评价没有申诉，也没有被剔除")
    return hearing_shown(of)


@door.get(
    f"{TRACK}/appeal", guard=ANYONE, answers={200: HearingShown},
    refusals=(codes.UnknownQueryCode, no.UnknownAppeal, Limited),
    summary="评价被申诉时：部门怎么说，结果怎样，您还能做什么",
)  # fmt: skip
async def hear(request: Request, query_code: str) -> HearingShown:
    return await heard(await review_behind(request, query_code))


@door.post(
    f"{TRACK}/statement", guard=ANYONE, form=StatementForm, answers={200: HearingShown},
    refusals=(
        codes.UnknownQueryCode, no.NothingToState, no.AlreadyStated, rules.BlankComment,
        rules.CommentTooLong, Limited,
    ),
    summary="对申诉说明情况（一次）；隐去个人信息后，只给复核员看",
)  # fmt: skip
async def give_statement(request: Request, query_code: str, form: StatementForm) -> HearingShown:
    review = await review_behind(request, query_code)
    await hearing.state(review, form.text)
    return await heard(review)


@door.post(
    f"{TRACK}/objection", guard=ANYONE, form=ExclusionObjectionForm, answers={200: HearingShown},
    refusals=(
        codes.UnknownQueryCode, no.NotExcluded, no.AlreadyObjected, no.ObjectionClosed,
        no.ReviewReplaced, rules.BlankComment, rules.CommentTooLong, Limited,
    ),
    summary="对不予采纳提出异议（一次）；由另外两名复核员再裁定",
)  # fmt: skip
async def object_to_exclusion(
    request: Request, query_code: str, form: ExclusionObjectionForm
) -> HearingShown:
    review = await review_behind(request, query_code)
    await hearing.object_to(review, form.text)
    return await heard(review)
