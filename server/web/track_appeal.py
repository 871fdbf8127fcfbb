"""On the citizen's page: that his review is contested, his one statement, his one objection."""

from collections.abc import Awaitable, Callable

from sanic import Blueprint, HTTPResponse, Request

from server.appeals import hearing
from server.appeals.hearing_api import HearingShown, hearing_shown
from server.kit import query_codes as codes
from server.kit.errors import Conflict, Fault, Gone, Invalid, Refusal
from server.reviews.models import Review
from server.reviews.tracking import review_behind
from server.web.page import page, refused, see_other
from server.web.typed import fields, only
from server.workorders.rules import BlankText, is_blank

blueprint = Blueprint("track_appeal_pages")
Say = Callable[[Review, str], Awaitable[None]]


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    if isinstance(refusal, codes.UnknownQueryCode):
        return page(request, "track_form.html", refusal.status, refusal=refusal)
    return refused(request, refusal)


async def heard(review: Review) -> HearingShown | None:
    """For the page of his review."""
    of = await hearing.of(review)
    return hearing_shown(of) if of else None


@blueprint.post("/t/<query_code>/statement", name="stated", unquote=True)
async def state(request: Request, query_code: str) -> HTTPResponse:
    return await _said(request, query_code, hearing.state, "请写下当时是怎样的")


@blueprint.post("/t/<query_code>/objection", name="objected", unquote=True)
async def object_to(request: Request, query_code: str) -> HTTPResponse:
    return await _said(request, query_code, hearing.object_to, "请写下您为什么不同意")


async def _said(request: Request, query_code: str, say: Say, missing: str) -> HTTPResponse:
    text = only(fields(request), "said_of_appeal")
    review = await review_behind(request, query_code)
    code = codes.code_of_key(review.id, review.query_key)
    try:
        if is_blank(text):
            raise BlankText(errors=[Fault("said_of_appeal", BlankText.code, missing)])
        await say(review, text)
    except (Invalid, Conflict, Gone) as refusal:
        refusal.errors = [fault._replace(field="said_of_appeal") for fault in refusal.errors]
        return await _again(request, review, code, refusal, text)
    return see_other(f"/t/{code}#appeal")


async def _again(
    request: Request, review: Review, code: str, refusal: Refusal, text: str
) -> HTTPResponse:
    """With what he typed, where he can still send it."""
    return page(
        request, "track_appeal.html", refusal.status, hearing=await heard(review), code=code,
        refusal=refusal, said_of_appeal=text,
    )  # fmt: skip
