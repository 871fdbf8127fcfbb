"""Following a review by its query code: what happened, and what the citizen has to say to it."""

from datetime import datetime
from typing import Literal

from asyncpg import Record
from msgspec import Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.kit import query_codes as codes
from server.kit import sql
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.web import ANYONE, Door, local
from server.reviews import callbacks, closing, questionnaire, relay, rules, service
from server.reviews.api import count_unknown, receipt_shown
from server.reviews.models import Review
from server.reviews.progress import (
    MessageShown,
    StepShown,
    messages_shown,
    next_step,
    steps_shown,
)
from server.reviews.rules import LEVEL_NAMES
from server.reviews.ties import order_of
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import FINAL, BlankText, IllegalMove, State

door = Door("track")


class SupplementForm(Form):
    comment: str


class ConfirmationForm(Form):
    satisfied: bool
    comment: str = ""
    desk_satisfied: bool | None = None
    """Of the service desk that had the matter first; only if `rates` names it."""


class MessageForm(Form):
    text: str


class CallBackForm(Form):
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


class OrderTracked(Struct):
    number: str
    state: str
    agency: str
    due_at: datetime
    provisional: bool
    """The holidays of that year are not known yet; the date may move."""
    next_due_at: datetime | None
    """When the next act is due, whoever's it is."""
    next_step: str
    """The same in words, where that act is not the answer."""
    desk: str | None
    """The service desk that had the matter before the agency."""
    open: bool
    """It has not ended: he may write to the agency."""
    steps: list[StepShown]


class CallBackShown(Struct):
    asked_at: datetime
    question: str


class Track(Struct):
    review: ReviewShown
    work_order: OrderTracked | None
    awaiting_you: Literal["confirmation", "answer"] | None
    questionnaire: Literal["open", "answered"] | None
    """Null where nothing more is asked, or not any more."""
    messages: list[MessageShown]
    rates: list[Literal["agency", "desk"]]
    """Whom his confirmation judges."""
    call_back: CallBackShown | None


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
    review = await review_behind(request, query_code)
    await told(review)
    return await tracked(review)


async def told(review: Review) -> None:
    """He opens his page: an answer that stands there has reached him."""
    order = await WorkOrder.get_or_none(number=await order_of(review) or "")
    if order:
        await closing.seen(order)


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
    await service.judge(
        review, satisfied=form.satisfied, comment=form.comment, desk_satisfied=form.desk_satisfied
    )
    return await tracked(review)


@door.post(
    "/api/v1/track/<query_code>/messages", guard=ANYONE, form=MessageForm, answers={200: Track},
    refusals=(
        codes.UnknownQueryCode, rules.NobodyToTalkTo, rules.CommentTooLong, rules.SupplementTooEarly,
        rules.TooManyMessages, BlankText, IllegalMove, Limited,
    ),
    summary="给办理部门留言，或回答部门的问题；由平台隐去个人信息后转达",
)  # fmt: skip
async def write_message(request: Request, query_code: str, form: MessageForm) -> Track:
    review = await review_behind(request, query_code)
    await relay.say(review, form.text)
    return await tracked(review)


@door.post(
    "/api/v1/track/<query_code>/call-back", guard=ANYONE, form=CallBackForm, answers={200: Track},
    refusals=(codes.UnknownQueryCode, rules.NoCallBack, rules.CommentTooLong, Limited),
    summary="回答回访；不满意的转成工单核实，原来的评价不变",
)  # fmt: skip
async def answer_call_back(request: Request, query_code: str, form: CallBackForm) -> Track:
    review = await review_behind(request, query_code)
    await callbacks.answer(
        review, satisfied=form.satisfied, comment=form.comment,
        channel=rules.ReviewChannel(review.channel),
    )  # fmt: skip
    return await tracked(review)


async def tracked(review: Review) -> Track:
    """Everything that happened, in the citizen's words, with the date until which he may wait."""
    order = await WorkOrder.get_or_none(number=await order_of(review) or "")
    steps = await Step.filter(order_id=order.number).order_by("id") if order else []
    asked = await callbacks.waiting(review)
    receipt = await receipt_row(review)
    return Track(
        _review_shown(review, receipt),
        await _order_tracked(order, steps, review) if order else None,
        _AWAITED.get(State(order.state)) if order else None,
        await questionnaire.offered(review, receipt["matter_code"]),
        messages_shown(steps),
        _rates(order),
        CallBackShown(local(asked["made_at"]), CALL_BACK_QUESTION) if asked else None,
    )


_AWAITED: dict[State, Literal["confirmation", "answer"]] = {
    State.ANSWERED: "confirmation",
    State.ASKING: "answer",
}
CALL_BACK_QUESTION = "回访：这次服务您确实满意吗？"


def _rates(order: WorkOrder | None) -> list[Literal["agency", "desk"]]:
    if order is None or order.state != State.ANSWERED:
        return []
    return ["agency", "desk"] if order.desk_agency_code else ["agency"]


async def _order_tracked(order: WorkOrder, steps: list[Step], review: Review) -> OrderTracked:
    known = catalogue()
    return OrderTracked(
        number=order.number, state=order.state, agency=known.agency_name(order.agency_code),
        due_at=local(order.due_at), provisional=order.provisional,
        next_due_at=local(order.next_due_at) if order.next_due_at else None,
        next_step=next_step(order), desk=known.agency_name(order.desk_agency_code) or None,
        open=order.state not in FINAL, steps=await steps_shown(order, steps, review),
    )  # fmt: skip


async def receipt_row(review: Review) -> Record:
    (row,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", review.receipt_id)
    return row


def _review_shown(review: Review, receipt: Record) -> ReviewShown:
    shown = receipt_shown(receipt)
    return ReviewShown(
        level=review.level, level_name=LEVEL_NAMES[review.level], tags=review.tags,
        tag_texts=[catalogue().tag_text(code) for code in review.tags], comment=review.comment,
        channel=review.channel, state=rules.shown(review.state), real_name=review.real_name,
        agency=shown.agency, matter=shown.matter, window=shown.window, at=local(review.at),
        undo_until=local(review.undo_until), supplement=review.supplement,
    )  # fmt: skip
