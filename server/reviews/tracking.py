"""Following a review by its query code: what happened, and what the citizen has to say to it."""

from datetime import datetime
from typing import Literal

from asyncpg import Record
from msgspec import Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.web import ANYONE, Door, local
from server.reviews import codes, questionnaire, rules, service
from server.reviews.api import count_unknown, receipt_shown
from server.reviews.models import Review
from server.reviews.rules import LEVEL_NAMES
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import BlankText, IllegalMove, State

door = Door("track")


class SupplementForm(Form):
    comment: str


class ConfirmationForm(Form):
    satisfied: bool
    comment: str = ""


class ReviewShown(Struct):
    level: int
    level_name: str
    tags: list[str]
    tag_texts: list[str]
    comment: str
    channel: str
    state: str
    real_name: bool
    agency: str
    matter: str
    window: str
    at: datetime
    undo_until: datetime
    supplement: str | None


class StepShown(Struct):
    at: datetime
    what: str
    words: str


class OrderTracked(Struct):
    number: str
    state: str
    agency: str
    due_at: datetime
    provisional: bool
    """The holidays of that year are not known yet; the date may move."""
    steps: list[StepShown]


class Track(Struct):
    review: ReviewShown
    work_order: OrderTracked | None
    awaiting_you: Literal["confirmation", "answer"] | None
    questionnaire: Literal["open", "answered"] | None
    """Null where nothing more is asked, or not any more."""


async def review_behind(request: Request, query_code: str) -> Review:
    try:
        return await service.review_of(query_code)
    except codes.UnknownQueryCode:
        await count_unknown(request, "unknown_query_code")
        raise


@door.get(
    "/api/v1/track/<query_code>", guard=ANYONE, answers={200: Track},
    refusals=(codes.UnknownQueryCode, Limited), summary="凭查询编码查看评价与办理进度",
)  # fmt: skip
async def track(request: Request, query_code: str) -> Track:
    return await tracked(await review_behind(request, query_code))


@door.post(
    "/api/v1/track/<query_code>/supplement", guard=ANYONE, form=SupplementForm, answers={200: Track},
    refusals=(
        codes.UnknownQueryCode, rules.BlankComment, rules.CommentTooLong, rules.SupplementTooEarly,
        rules.AlreadySupplemented, rules.AlreadyReviewed, Limited,
    ),
    summary="补充评价（过了撤回时间，一次）",
)  # fmt: skip
async def supplement_review(request: Request, query_code: str, form: SupplementForm) -> Track:
    review = await review_behind(request, query_code)
    await service.supplement(review, form.comment)
    return await tracked(await service.review_of(query_code))


@door.post(
    "/api/v1/track/<query_code>/confirmation", guard=ANYONE, form=ConfirmationForm,
    answers={200: Track},
    refusals=(
        codes.UnknownQueryCode, rules.NothingToJudge, rules.CommentTooLong, BlankText, IllegalMove,
        Limited,
    ),
    summary="对答复是否认可；不认可须说明",
)  # fmt: skip
async def confirm_answer(request: Request, query_code: str, form: ConfirmationForm) -> Track:
    review = await review_behind(request, query_code)
    await service.judge(review, satisfied=form.satisfied, comment=form.comment)
    return await tracked(await service.review_of(query_code))


async def tracked(review: Review) -> Track:
    """Everything that happened, in the citizen's words, with the date until which he may wait."""
    order = await WorkOrder.get_or_none(number=review.order_number or "")
    steps = await Step.filter(order_id=review.order_number or "").order_by("id")
    receipt = await receipt_row(review)
    return Track(
        _review_shown(review, receipt),
        _order_tracked(order, steps, review) if order else None,
        _AWAITED.get(State(order.state)) if order else None,
        await questionnaire.offered(review, receipt["matter_code"]),
    )


_AWAITED: dict[State, Literal["confirmation", "answer"]] = {
    State.ANSWERED: "confirmation",
    State.ASKING: "answer",
}


def _order_tracked(order: WorkOrder, steps: list[Step], review: Review) -> OrderTracked:
    return OrderTracked(
        order.number,
        order.state,
        catalogue().agency_name(order.agency_code),
        local(order.due_at),
        order.provisional,
        [_step(step, review) for step in steps],
    )


async def receipt_row(review: Review) -> Record:
    (row,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", review.receipt_id)
    return row


def _review_shown(review: Review, receipt: Record) -> ReviewShown:
    shown = receipt_shown(receipt)
    return ReviewShown(
        level=review.level, level_name=LEVEL_NAMES[review.level], tags=review.tags,
        tag_texts=[catalogue().tag_text(code) for code in review.tags], comment=review.comment,
        channel=review.channel, state=review.state, real_name=review.real_name,
        agency=shown.agency, matter=shown.matter, window=shown.window, at=local(review.at),
        undo_until=local(review.undo_until), supplement=review.supplement,
    )  # fmt: skip


CITIZEN_WORDS = {
    "open": "差评已成为工单，派给责任部门",
    "accept": "责任部门已受理",
    "answer": "责任部门已答复",
    "confirm": "您已认可答复，工单办结",
    "contest": "您不认可答复，转督办",
    "withdraw": "您已撤回评价，工单随之撤回",
    "supplement": "您补充了说明",
}


def _step(step: Step, review: Review) -> StepShown:
    # The agency's first step lies at the end of the undo time; the citizen's at his own submission.
    at = review.at if step.move == "open" else step.at
    return StepShown(local(at), CITIZEN_WORDS.get(step.move, "办理中"), step.words)
