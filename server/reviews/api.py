"""The citizen's doors: a code opens them, no account does."""

from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Record
from msgspec import Meta, Struct, field
from sanic import Request

from server.catalogue.service import catalogue
from server.kit import idempotency
from server.kit import query_codes as codes
from server.kit.errors import Fault, Invalid, Limited, Missing
from server.kit.forms import Form
from server.kit.limits import count_unknown
from server.kit.privacy import vault
from server.kit.web import ANYONE, Door, local
from server.people.citizens import Rater
from server.people.guard import ANYONE_OR_CITIZEN
from server.receipts import service as receipts
from server.receipts import visits
from server.receipts.codes import UnknownCode
from server.receipts.rules import ReviewClosed
from server.reviews import rules, service
from server.reviews.rules import LEVEL_NAMES, ContactRequired
from server.workorders.rules import IllegalMove
from sms.phone import normalise

door = Door("reviews")


class ReceiptShown(Struct):
    agency: str
    matter: str
    window: str
    handled_at: datetime


class TagShown(Struct):
    code: str
    text: str
    primary: bool


class LevelShown(Struct):
    level: int
    name: str
    tags: list[TagShown]


class Invitation(Struct):
    state: Literal["open", "reviewed", "closed"]
    receipt: ReceiptShown
    levels: list[LevelShown]
    open_until: datetime


class ContactForm(Form):
    name: Annotated[str, Meta(max_length=100)] = ""
    phone: Annotated[str, Meta(max_length=24)] | None = None


class ReviewForm(Form):
    level: Annotated[int, Meta(ge=1, le=5)]
    tags: Annotated[list[Annotated[str, Meta(max_length=8)]], Meta(max_length=20)] = field(
        default_factory=list
    )
    comment: str = ""
    real_name: bool = False
    contact: ContactForm | None = None


class OrderTaken(Struct):
    number: str
    agency: str
    due_at: datetime


class ReviewTaken(Struct):
    query_code: str
    level: int
    undo_until: datetime
    work_order: OrderTaken | None


class UndoForm(Form):
    query_code: Annotated[str, Meta(max_length=40)]


class Undone(Struct):
    state: Literal["open"] = "open"


REASONS = (
    rules.ReasonRequired, rules.TagNotOfLevel, rules.CommentTooLong, ContactRequired,
)  # fmt: skip


async def receipt_behind(request: Request, code: str) -> Record:
    """Only wrong codes are counted, so that a hall behind one address is never shut out."""
    try:
        return await receipts.by_code(code)
    except UnknownCode:
        await count_unknown(request, "unknown_code")
        raise


def receipt_shown(receipt: Record) -> ReceiptShown:
    return ReceiptShown(
        catalogue().agency_name(receipt["agency_code"]), visits.matter_name(receipt),
        " ".join(place.name for place in visits.place_of(receipt) if place),
        local(receipt["handled_at"]),
    )  # fmt: skip


def levels_shown() -> list[LevelShown]:
    return [
        LevelShown(
            level, name,
            [TagShown(t.code, t.text, t.primary) for t in catalogue().tags_of_level(level)],
        )
        for level, name in LEVEL_NAMES.items()
    ]  # fmt: skip


@door.get(
    "/api/v1/e/<code>", guard=ANYONE, answers={200: Invitation}, refusals=(UnknownCode, Limited),
    summary="凭评价码查看是哪次服务、还能不能评价",
)  # fmt: skip
async def invitation(request: Request, code: str) -> Invitation:
    receipt = await receipt_behind(request, code)
    open_ = await service.openness_of(receipt)
    return Invitation(open_.state, receipt_shown(receipt), levels_shown(), local(open_.until))


@door.post(
    "/api/v1/e/<code>/review", guard=ANYONE_OR_CITIZEN, form=ReviewForm, answers={201: ReviewTaken},
    refusals=(*REASONS, UnknownCode, rules.AlreadyReviewed, ReviewClosed, Limited), keeps_key=True,
    summary="评价一次服务；差评在同一次提交中成为差评工单",
)  # fmt: skip
async def submit_review(
    request: Request, code: str, form: ReviewForm, who: Rater | None
) -> ReviewTaken:
    try:
        taken = await service.submit(
            code, verdict_of(form), attempt=_attempt(request, code),
            channel=rules.ReviewChannel.MINI_PROGRAM if who else None, rater=who.id if who else None,
        )  # fmt: skip
    except UnknownCode:
        await count_unknown(request, "unknown_code")
        raise
    return ReviewTaken(taken.query_code, taken.level, local(taken.undo_until), order_taken(taken))


def order_taken(taken: service.Submitted) -> OrderTaken | None:
    if taken.order is None:
        return None
    agency = catalogue().agency_name(taken.order.agency_code)
    return OrderTaken(taken.order.number, agency, local(taken.order.due_at))


def _attempt(request: Request, code: str) -> service.Attempt | None:
    """The key is kept with the review itself, in the same statement, instead of a row of its own."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    idempotency.check_key(key)
    return service.Attempt(
        vault().fingerprint(f"{code}\n{key}", "idempotency"),
        idempotency.digest(request.method, request.path, request.body),
    )


class BadPhone(Invalid):
    code = "invalid_phone"
    title = "手机号须是 11 位，或带国家码"


def verdict_of(form: ReviewForm) -> service.Verdict:
    contact = form.contact or ContactForm()
    phone = normalise(contact.phone) if contact.phone else None
    if contact.phone and phone is None:
        raise BadPhone(errors=[Fault("contact.phone", "invalid_phone", BadPhone.title)])
    return service.Verdict(
        level=form.level, tags=form.tags, comment=form.comment, real_name=form.real_name,
        contact_name=contact.name.strip(), contact_phone=phone,
    )  # fmt: skip


@door.post(
    "/api/v1/e/<code>/undo", guard=ANYONE, form=UndoForm, answers={200: Undone},
    refusals=(
        UnknownCode, codes.UnknownQueryCode, rules.UndoClosed, rules.AlreadyUndone, IllegalMove, Limited,
    ),
    summary="撤回评价（时限内，一次）；回执重新可评",
)  # fmt: skip
async def undo_review(request: Request, code: str, form: UndoForm) -> Undone:
    try:
        await service.undo_of_code(code, form.query_code)
    except Missing as refusal:
        await count_unknown(request, refusal.code)
        raise
    return Undone()
