"""“被要求好评”: one small page to report it, from the slip or behind the query code, and one to follow."""

from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request

from server.integrity import pressures
from server.integrity.pressures import STATE_WORDS
from server.integrity.pressures_api import pressure_behind
from server.integrity.rules import HOW_NAMES, How
from server.kit import query_codes as codes
from server.kit.errors import Conflict, Invalid, Refusal
from server.kit.web import local
from server.reviews.api import receipt_behind, receipt_shown
from server.reviews.tracking import receipt_row, review_behind
from server.web.page import page, refused, see_other
from server.web.typed import Fields, fields, only

blueprint = Blueprint("pressure_pages")


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    if isinstance(refusal, codes.UnknownQueryCode):
        return page(request, "track_form.html", refusal.status, refusal=refusal)
    return refused(request, refusal)


@blueprint.get("/e/<code>/pressure", name="pressure_form")
async def form(request: Request, code: str) -> HTTPResponse:
    return _form(request, f"/e/{code}", await receipt_behind(request, code), {})


@blueprint.post("/e/<code>/pressure", name="pressure_sent")
async def sent(request: Request, code: str) -> HTTPResponse:
    given = fields(request)
    return await _report(request, f"/e/{code}", await receipt_behind(request, code), given)


@blueprint.get("/t/<query_code>/pressure", name="pressure_form_after", unquote=True)
async def form_after(request: Request, query_code: str) -> HTTPResponse:
    receipt = await receipt_row(await review_behind(request, query_code))
    return _form(request, f"/t/{quote(query_code)}", receipt, {})


@blueprint.post("/t/<query_code>/pressure", name="pressure_sent_after", unquote=True)
async def sent_after(request: Request, query_code: str) -> HTTPResponse:
    given = fields(request)
    receipt = await receipt_row(await review_behind(request, query_code))
    return await _report(request, f"/t/{quote(query_code)}", receipt, given)


async def _report(request: Request, back: str, receipt: object, given: Fields) -> HTTPResponse:
    how = [How(one) for one in given.get("how", []) if one in set(How)]
    try:
        code = await pressures.report(receipt, how, only(given, "words"))
    except (Invalid, Conflict) as refusal:
        return _form(request, back, receipt, given, refusal)
    return see_other(f"/p/{code}")


def _form(
    request: Request, back: str, receipt: object, given: Fields, refusal: Refusal | None = None
) -> HTTPResponse:
    return page(
        request, "pressure.html", refusal.status if refusal else 200, back=back, refusal=refusal,
        choices=HOW_NAMES, how=given.get("how", []), words=only(given, "words"),
        receipt=receipt_shown(receipt),
    )  # fmt: skip


@blueprint.get("/p/<query_code>", name="pressure_shown", unquote=True)
async def shown(request: Request, query_code: str) -> HTTPResponse:
    found = await pressure_behind(request, query_code)
    code = codes.typed(query_code)
    return page(
        request, "pressure_followed.html", code=code, grouped=codes.grouped(code),
        receipt=receipt_shown(found.receipt), state=found.state, words=STATE_WORDS[found.state],
        how=[HOW_NAMES[How(one)] for one in found.how], reported_at=local(found.reported_at),
        due_at=local(found.due_at),
    )  # fmt: skip
