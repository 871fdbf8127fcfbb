"""Following a review by its query code: what happened, and what the citizen has to say to it."""

from datetime import datetime
from typing import Literal

from asyncpg import Record
from msgspec import UNSET, Struct, UnsetType
from sanic import Request

from server.catalogue.service import catalogue
from server.grievances.models import Grievance
from server.grievances.rules import SOURCE_NAMES, Source
from server.kit import query_codes as codes
from server.kit import sql
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.web import ANYONE, Door, local
from server.receipts import blanks
from server.reviews import callbacks, closing, questionnaire, relay, rules, service, voices
from server.reviews.api import count_unknown, receipt_shown
from server.reviews.models import Review
from server.reviews.progress import (
    Course,
    MessageShown,
    StepShown,
    awaited_of,
    course_of,
    messages_shown,
    next_step,
    steps_shown,
)
from server.reviews.rules import LEVEL_NAMES
from server.reviews.ties import order_of
from server.reviews.voices import NotAReview, Voice
from server.workorders.models import WorkOrder
from server.workorders.origins import CHOSEN_NAMES
from server.workorders.rules import FINAL, BlankText, IllegalMove

door = Door("track")


class NotKeyedIn(codes.UnknownQueryCode):
    """The code on the stub of a paper form; there is no review yet."""

    title = "这张评价表还没有录入，录入以后凭这个编码就能查到"


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
    merged: bool
    """Dealt with together with what another citizen said about the same: state, dates and steps are those
    of both."""
    steps: list[StepShown]


class CallBackShown(Struct):
    asked_at: datetime
    question: str


class GrievanceShown(Struct):
    """Nothing was rated."""

    source: str
    source_name: str
    kind: str
    kind_name: str
    function: str
    function_name: str
    text: str
    real_name: bool
    agency: str
    matter: str
    window: str
    at: datetime


class Track(Struct, kw_only=True):
    """Of a review or of a grievance: one of the two is there."""

    review: ReviewShown | UnsetType = UNSET
    grievance: GrievanceShown | UnsetType = UNSET
    work_order: OrderTracked | None
    awaiting_you: Literal["confirmation", "answer"] | None
    questionnaire: Literal["open", "answered"] | None
    """Null where nothing more is asked, or not any more."""
    messages: list[MessageShown]
    rates: list[Literal["agency", "desk"]]
    """Whom his confirmation judges."""
    call_back: CallBackShown | None


async def voice_behind(request: Request, query_code: str) -> Voice:
    try:
        return await voices.behind(query_code)
    except codes.UnknownQueryCode:
        if await blanks.waits(query_code):
            raise NotKeyedIn from None
        await count_unknown(request, "unknown_query_code")
        raise


async def review_behind(request: Request, query_code: str) -> Review:
    """For what only a rating has."""
    return voices.as_review(await voice_behind(request, query_code))


@door.get(
    "/api/v1/track/<query_code>", guard=ANYONE, answers={200: Track},
    refusals=(codes.UnknownQueryCode, Limited), summary="凭查询编码查看评价或诉求，与办理进度",
)  # fmt: skip
async def track(request: Request, query_code: str) -> Track:
    voice = await voice_behind(request, query_code)
    await told(voice)
    return await tracked(voice)


async def told(voice: Voice) -> None:
    """He opens his page: an answer that stands there has reached him."""
    own = await WorkOrder.get_or_none(number=await order_of(voice) or "")
    if own:
        await closing.seen(own)


@door.post(
    "/api/v1/track/<query_code>/supplement", guard=ANYONE, form=SupplementForm, answers={200: Track},
    refusals=(
        codes.UnknownQueryCode, rules.BlankComment, rules.CommentTooLong, rules.SupplementTooEarly,
        rules.AlreadySupplemented, rules.AlreadyReviewed, NotAReview, Limited,
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
    voice = await voice_behind(request, query_code)
    await service.judge(
        voice, satisfied=form.satisfied, comment=form.comment, desk_satisfied=form.desk_satisfied
    )
    return await tracked(voice)


@door.post(
    "/api/v1/track/<query_code>/messages", guard=ANYONE, form=MessageForm, answers={200: Track},
    refusals=(
        codes.UnknownQueryCode, rules.NobodyToTalkTo, rules.CommentTooLong, rules.SupplementTooEarly,
        rules.TooManyMessages, BlankText, IllegalMove, Limited,
    ),
    summary="给办理部门留言，或回答部门的问题；由平台隐去个人信息后转达",
)  # fmt: skip
async def write_message(request: Request, query_code: str, form: MessageForm) -> Track:
    voice = await voice_behind(request, query_code)
    await relay.say(voice, form.text)
    return await tracked(voice)


@door.post(
    "/api/v1/track/<query_code>/call-back", guard=ANYONE, form=CallBackForm, answers={200: Track},
    refusals=(codes.UnknownQueryCode, rules.NoCallBack, rules.CommentTooLong, Limited),
    summary="回答回访；不满意的转成工单核实，原来的评价不变",
)  # fmt: skip
async def answer_call_back(request: Request, query_code: str, form: CallBackForm) -> Track:
    voice = await voice_behind(request, query_code)
    await callbacks.answer(
        voice, satisfied=form.satisfied, comment=form.comment,
        channel=rules.ReviewChannel(voice.channel),
    )  # fmt: skip
    return await tracked(voice)


async def tracked(voice: Voice) -> Track:
    """Everything that happened, in the citizen's words, with the date until which he may wait."""
    own = await WorkOrder.get_or_none(number=await order_of(voice) or "")
    course = await course_of(own) if own else None
    asked = await callbacks.waiting(voice)
    receipt = await receipt_row(voice)
    track = Track(
        work_order=_order_tracked(course, voice) if course else None,
        awaiting_you=(awaited := await awaited_of(course) if course else None), questionnaire=None,
        messages=messages_shown(course.steps) if course else [],
        rates=_rates(course) if course and awaited == "confirmation" else [],
        call_back=CallBackShown(local(asked["made_at"]), CALL_BACK_QUESTION) if asked else None,
    )  # fmt: skip
    if isinstance(voice, Review):
        track.review = _review_shown(voice, receipt)
        track.questionnaire = await questionnaire.offered(voice, receipt["matter_code"])
    else:
        track.grievance = _grievance_shown(voice, receipt)
    return track


CALL_BACK_QUESTION = "回访：这次服务您确实满意吗？"


def _rates(course: Course) -> list[Literal["agency", "desk"]]:
    return ["agency", "desk"] if course.own.desk_agency_code else ["agency"]


def _order_tracked(course: Course, voice: Voice) -> OrderTracked:
    known, order = catalogue(), course.order
    return OrderTracked(
        number=course.own.number, state=order.state, agency=known.agency_name(order.agency_code),
        due_at=local(order.due_at), provisional=order.provisional,
        next_due_at=local(order.next_due_at) if order.next_due_at else None,
        next_step=next_step(order), desk=known.agency_name(course.own.desk_agency_code) or None,
        open=order.state not in FINAL, merged=course.own is not order,
        steps=steps_shown(course, voice),
    )  # fmt: skip


async def receipt_row(voice: Voice) -> Record:
    (row,) = await sql.fetch("SELECT * FROM receipts WHERE id = $1", voice.receipt_id)
    return row


def _grievance_shown(grievance: Grievance, receipt: Record) -> GrievanceShown:
    shown = receipt_shown(receipt)
    return GrievanceShown(
        source=grievance.source, source_name=SOURCE_NAMES[Source(grievance.source)],
        kind=grievance.kind, kind_name=CHOSEN_NAMES.get(grievance.kind, ""),
        function=grievance.function, function_name=CHOSEN_NAMES.get(grievance.function, ""),
        text=grievance.words, real_name=grievance.real_name,
        agency=catalogue().agency_name(grievance.agency_code), matter=shown.matter,
        window=shown.window, at=local(grievance.at),
    )  # fmt: skip


def _review_shown(review: Review, receipt: Record) -> ReviewShown:
    shown = receipt_shown(receipt)
    return ReviewShown(
        level=review.level, level_name=LEVEL_NAMES[review.level], tags=review.tags,
        tag_texts=[catalogue().tag_text(code) for code in review.tags], comment=review.comment,
        channel=review.channel, state=rules.shown(review.state), real_name=review.real_name,
        agency=shown.agency, matter=shown.matter, window=shown.window, at=local(review.at),
        undo_until=local(review.undo_until), supplement=review.supplement,
    )  # fmt: skip
