"""The mini-program's doors behind a citizen's own token."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from asyncpg import Record
from msgspec import Meta, Struct
from sanic import Request

from server.kit import query_codes as codes
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.privacy import BrokenSeal, vault
from server.kit.web import BadQuery, Door, bad_query, local, whole
from server.messages import grants
from server.people import citizens
from server.people.citizens import Rater
from server.people.guard import CITIZEN, CITIZEN_OR_FORGOTTEN
from server.reviews import mine, rules, word_checks
from server.reviews.api import receipt_shown
from server.reviews.models import Answers, Review
from server.reviews.tracking import Track, review_behind, tracked
from server.reviews.voices import NotAReview, Voice

door = Door("me")


class OrderOfMine(Struct):
    number: str
    state: str
    due_at: datetime


class ReviewOfMine(Struct):
    query_code: str | None
    """Null once the key that it was made with is gone."""
    level: int
    level_name: str
    state: str
    matter: str
    agency: str
    window: str
    at: datetime
    work_order: OrderOfMine | None


class ReviewsOfMine(Struct):
    items: list[ReviewOfMine]
    next_cursor: str | None


class ClaimForm(Form):
    query_code: Annotated[str, Meta(max_length=40)]


class EraseForm(Form):
    pass


class Erased(Struct):
    state: Literal["erased"] = "erased"


class AnswersKept(Struct):
    asked: list[str]
    answers: list[str]
    comment: str
    at: datetime


class ReviewKept(Struct):
    query_code: str | None
    claimed_by_code: bool
    contact: dict[str, str | None] | None
    questionnaire: AnswersKept | None
    track: Track


class GrievanceKept(Struct):
    query_code: str | None
    contact: dict[str, str | None] | None
    track: Track


class GrantKept(Struct):
    template: str
    remaining: int
    accepted: int
    rejected: int
    banned: int
    answered_at: datetime


class Kept(Struct):
    """Everything that is kept about him."""

    openid: str | None
    first_seen: datetime
    last_seen: datetime
    reviews: list[ReviewKept]
    grievances: list[GrievanceKept]
    grants: list[GrantKept]


@door.get(
    "/api/v1/me/reviews", guard=CITIZEN, answers={200: ReviewsOfMine}, refusals=(BadQuery,),
    query={
        "state": "all（默认）；open：工单还在办；closed：工单已办结",
        "limit": "1–100，默认 20", "cursor": "上一页的 next_cursor",
    },
    summary="我的评价，新的在前，以及办理结果",
)  # fmt: skip
async def my_reviews(request: Request, who: Rater) -> ReviewsOfMine:
    state = request.args.get("state") or mine.Shown.ALL
    if state not in set(mine.Shown):
        raise bad_query("state", f"须是 {'、'.join(mine.Shown)} 之一")
    await word_checks.wake(who)
    rows, cursor = await mine.history(
        who, shown=mine.Shown(state), cursor=request.args.get("cursor") or "",
        limit=whole(request, "limit", default=20, low=1, high=100),
    )  # fmt: skip
    return ReviewsOfMine([_shown(row) for row in rows], cursor)


def _shown(row: Record) -> ReviewOfMine:
    receipt = receipt_shown(row)
    order = None
    if row["number"]:
        order = OrderOfMine(row["number"], row["order_state"], local(row["due_at"]))
    return ReviewOfMine(
        query_code=_code(row["review_id"], row["query_key"]), level=row["level"],
        level_name=rules.LEVEL_NAMES[row["level"]], state=rules.shown(row["state"]),
        matter=receipt.matter, agency=receipt.agency, window=receipt.window, at=local(row["reviewed_at"]),
        work_order=order,
    )  # fmt: skip


def _code(review_id: Any, query_key: str) -> str | None:
    try:
        return codes.code_of_key(review_id, query_key)
    except codes.UnknownQueryCode:
        return None


@door.post(
    "/api/v1/me/claims", guard=CITIZEN, form=ClaimForm, answers={200: ReviewOfMine},
    refusals=(codes.UnknownQueryCode, rules.AlreadyClaimed, NotAReview, Limited),
    summary="凭查询编码把别处作的评价收进我的记录",
)  # fmt: skip
async def claim_review(request: Request, who: Rater, form: ClaimForm) -> ReviewOfMine:
    review = await review_behind(request, form.query_code)
    await mine.claim(who, review)
    return _shown(await mine.one(who, review))


@door.post(
    "/api/v1/me/erase", guard=CITIZEN_OR_FORGOTTEN, form=EraseForm, answers={200: Erased},
    summary="忘记我：账号与关联一并清除，评价留下，不再属于任何人",
)  # fmt: skip
async def erase_me(request: Request, who: Rater, form: EraseForm) -> Erased:
    await mine.erase(who)
    return Erased()


@door.get(
    "/api/v1/me/export", guard=CITIZEN, answers={200: Kept}, seconds=10.0,
    summary="导出系统保存的与我有关的全部数据",
)  # fmt: skip
async def export_me(request: Request, who: Rater) -> Kept:
    citizen = await citizens.row_of(who)
    return Kept(
        openid=citizens.openid_in(citizen["openid"]), first_seen=local(citizen["first_seen"]),
        last_seen=local(citizen["last_seen"]),
        reviews=[await _kept(review, by_code) for review, by_code in await mine.all_of(who)],
        grievances=[
            GrievanceKept(_code(g.id, g.query_key), _contact(g), await tracked(g))
            for g in await mine.grievances_of(who)
        ],
        grants=[
            GrantKept(
                row["news"], row["remaining"], row["accepted"], row["rejected"], row["banned"],
                local(row["answered_at"]),
            )
            for row in await grants.of(who)
        ],
    )  # fmt: skip


async def _kept(review: Review, by_code: bool) -> ReviewKept:
    # One that he claimed may hold another one's name and phone, and another one's words.
    contact = None if by_code else _contact(review)
    answers = None if by_code else await _answers(review)
    code = _code(review.id, review.query_key)
    return ReviewKept(code, by_code, contact, answers, await tracked(review))


async def _answers(review: Review) -> AnswersKept | None:
    row = await Answers.get_or_none(review_id=review.id)
    return AnswersKept(row.asked, row.answers, row.comment, local(row.at)) if row else None


def _contact(voice: Voice) -> dict[str, str | None] | None:
    try:
        return json.loads(vault().unseal(voice.contact, "contact")) if voice.contact else None
    except BrokenSeal:
        return None
