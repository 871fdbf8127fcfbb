"""Behind the query code: thanks, undo, every step, and the citizen's word on the answer."""

from typing import Any
from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.integrity import objections, pressures
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.errors import Conflict, Fault, Gone, Invalid, Refusal
from server.receipts.codes import code_of
from server.reviews import callbacks, relay, service
from server.reviews.models import Review
from server.reviews.progress import CITIZEN_WORDS, FOLLOWED
from server.reviews.replacing import openness
from server.reviews.rules import (
    COUNTING,
    NoCallBack,
    ReviewChannel,
    ReviewState,
    TooManyMessages,
    shown,
)
from server.reviews.tracking import (
    NotKeyedIn,
    Track,
    receipt_row,
    review_behind,
    told,
    tracked,
    voice_behind,
)
from server.reviews.voices import Voice
from server.web.page import page, refused, see_other
from server.web.track_appeal import heard
from server.web.typed import fields, only
from server.workorders.rules import AT_THE_AGENCY, BlankText, State, is_blank

blueprint = Blueprint("track_pages")
STATES = {
    State.ASSIGNED: "等待部门受理", State.ACCEPTED: "办理中", State.RETURNED: "正在确定责任部门",
    State.ASKING: "等您补充说明", State.PLANNED: "限期整改中", State.ANSWERED: "已答复，等您确认",
    State.CONTESTED: "您不认可，等待督办", State.SUPERVISED: "督办中", State.CLOSED: "已办结",
    State.DISMISSED: "不予采纳", State.WITHDRAWN: "已撤回", State.MERGED: "已并入另一张工单",
}  # fmt: skip
"""The states in words for the one who waits."""
_YES_OR_NO = {"1": True, "0": False}
_TYPED = {"comment": "", "more": "", "text": "", "said": ""}
_JUDGED = {True: {State.CLOSED}, False: {State.CONTESTED, State.SUPERVISED}}


class VerdictRequired(Invalid):
    code = "verdict_required"
    title = "请按“满意”或“不满意”"


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    if isinstance(refusal, NotKeyedIn):
        return page(request, "not_keyed_in.html", refusal.status)
    if isinstance(refusal, codes.UnknownQueryCode):
        return page(request, "track_form.html", refusal.status, refusal=refusal)
    return refused(request, refusal)


@blueprint.get("/")
async def home(request: Request) -> HTTPResponse:
    return page(request, "home.html")


@blueprint.get("/track")
async def track_form(request: Request) -> HTTPResponse:
    return page(request, "track_form.html", refusal=None)


@blueprint.post("/track", name="track_typed")
async def track_typed(request: Request) -> HTTPResponse:
    typed = only(fields(request), "code")
    try:
        code = codes.typed(typed)
        return see_other(f"/p/{code}" if await pressures.is_known(code) else f"/t/{code}")
    except codes.UnknownQueryCode as refusal:
        return page(
            request, "track_form.html", refusal.status, refusal=refusal, typed_code=typed[:40]
        )


@blueprint.get("/t/<query_code>", name="tracked", unquote=True)
async def show(request: Request, query_code: str) -> HTTPResponse:
    return await _shown(request, await voice_behind(request, query_code))


@blueprint.get("/t/<query_code>/taken", name="grievance_taken", unquote=True)
async def grievance_taken(request: Request, query_code: str) -> HTTPResponse:
    """Once, after a grievance was sent: the code, and until when there is an answer."""
    voice = await voice_behind(request, query_code)
    if isinstance(voice, Review):
        return _back(query_code)
    code = codes.code_of_key(voice.id, voice.query_key)
    return page(
        request, "grievance_taken.html", track=await tracked(voice), code=code,
        grouped=codes.grouped(code),
    )  # fmt: skip


@blueprint.post("/t/<query_code>/undo", unquote=True)
async def undo(request: Request, query_code: str) -> HTTPResponse:
    review = await review_behind(request, query_code)
    try:
        await service.undo(review)
    except (Conflict, Gone) as refusal:
        if review.state != ReviewState.UNDONE:
            return await _shown(request, review, refusal)
    return _back(query_code)


@blueprint.post("/t/<query_code>/supplement", unquote=True)
async def supplement(request: Request, query_code: str) -> HTTPResponse:
    comment = only(fields(request), "more")
    review = await review_behind(request, query_code)
    try:
        if is_blank(comment):
            raise BlankText(errors=[Fault("more", "blank_text", "请写下要补充的话")])
        await service.supplement(review, comment)
    except (Invalid, Conflict) as refusal:
        if review.supplement is None or review.supplement != comment.strip():
            return await _shown(request, review, _at_field(refusal, "more"), more=comment)
    return _back(query_code)


@blueprint.post("/t/<query_code>/confirmation", unquote=True)
async def confirmation(request: Request, query_code: str) -> HTTPResponse:
    given = fields(request)
    choice, comment = only(given, "satisfied"), only(given, "comment")
    desk = _YES_OR_NO.get(only(given, "desk"))
    voice = await voice_behind(request, query_code)
    try:
        if choice not in ("1", "0"):
            raise VerdictRequired
        if choice == "0" and is_blank(comment):
            raise BlankText(errors=[Fault("comment", "blank_text", "不满意，请写下哪里没有解决")])
        await service.judge(voice, satisfied=choice == "1", comment=comment, desk_satisfied=desk)
    except (Invalid, Conflict) as refusal:
        return await _shown(request, voice, refusal, comment=comment, judged=choice == "1")
    return _back(query_code)


@blueprint.post("/t/<query_code>/messages", unquote=True)
async def write(request: Request, query_code: str) -> HTTPResponse:
    text = only(fields(request), "text")
    voice = await voice_behind(request, query_code)
    try:
        if is_blank(text):
            raise BlankText(errors=[Fault("text", "blank_text", "请写下要告诉部门的话")])
        await relay.say(voice, text)
    except (Invalid, Conflict, TooManyMessages) as refusal:
        return await _shown(request, voice, _at_field(refusal, "text"), text=text)
    return _back(query_code, "#talk")


@blueprint.post("/t/<query_code>/call-back", unquote=True)
async def answer_call_back(request: Request, query_code: str) -> HTTPResponse:
    given = fields(request)
    satisfied, said = _YES_OR_NO.get(only(given, "satisfied")), only(given, "said")
    voice = await voice_behind(request, query_code)
    try:
        if satisfied is None:
            raise VerdictRequired
        await callbacks.answer(
            voice, satisfied=satisfied, comment=said, channel=ReviewChannel(voice.channel)
        )
    except NoCallBack:
        return _back(query_code)  # the same button pressed twice, or too late
    except Invalid as refusal:
        return await _shown(request, voice, _at_field(refusal, "said"), said=said)
    return _back(query_code)


def _at_field(refusal: Refusal, name: str) -> Refusal:
    """The same refusal, pointing at the field of this page."""
    refusal.errors = [fault._replace(field=name) for fault in refusal.errors]
    return refusal


def _back(query_code: str, to: str = "") -> HTTPResponse:
    return see_other(f"/t/{quote(codes.typed(query_code))}{to}")


async def _shown(
    request: Request, voice: Voice, refusal: Refusal | None = None, *,
    judged: bool | None = None, **typed: str,
) -> HTTPResponse:  # fmt: skip
    """As it stands now: still to be undone, undone, or on its way; with what he typed."""
    await told(voice)
    track = await tracked(voice)
    code = codes.code_of_key(voice.id, voice.query_key)
    if isinstance(refusal, Conflict) and _has_judged(track, judged):
        return _back(code)  # the same button pressed twice: he has what he wanted
    facts = await _facts(voice, track) if isinstance(voice, Review) else {"hearing": None}
    return page(
        request, _template(voice), refusal.status if refusal else 200, track=track, refusal=refusal,
        code=code, grouped=codes.grouped(code), answered=(CITIZEN_WORDS["answer"], FOLLOWED),
        **_TYPED | typed, **_standing(track), **facts,
    )  # fmt: skip


def _has_judged(track: Track, satisfied: bool | None) -> bool:
    if satisfied is None or track.work_order is None:
        return False
    waits_for_others = satisfied and track.awaiting_you is None
    state = State(track.work_order.state)
    return state in _JUDGED[satisfied] or (state is State.ANSWERED and waits_for_others)


def _template(voice: Voice) -> str:
    if not isinstance(voice, Review):
        return "grievance.html"
    if voice.state == ReviewState.UNDONE:
        return "undone.html"
    return "thanks.html" if clock.now() < voice.undo_until else "track.html"


def _standing(track: Track) -> dict[str, Any]:
    order = track.work_order
    late = order and State(order.state) in AT_THE_AGENCY and order.due_at < clock.now()
    return {"state_name": STATES[State(order.state)] if order else "", "overdue": bool(late)}


async def _facts(review: Review, track: Track) -> dict[str, Any]:
    receipt, now = review.receipt, clock.now()
    standing = shown(review.state) in COUNTING
    return {
        "working_days": catalogue().policy(receipt.region_code).simple_days,
        "may_undo": await service.may_undo(review),
        "may_supplement": standing and review.supplement is None and now >= review.undo_until,
        "hearing": await heard(review),
        "rate_again": await _rate_again(review),
    }


async def _rate_again(review: Review) -> str | None:
    """With the code by which he rated, and no newer one: that was given to somebody else."""
    held = await objections.generation_of(review)
    if (await openness(await receipt_row(review), held)).state != "open":
        return None
    return f"/e/{code_of(review.receipt_id, held)}"
