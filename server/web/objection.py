"""“不是我评的”: the page on which the phone's owner proves himself, and goes on to the ordinary form."""

from asyncpg import Record
from sanic import Blueprint, HTTPResponse, Request

from server.integrity import objections, proofs
from server.integrity.objections_api import phone_of, receipt_to_object
from server.integrity.proofs import ProofTooSoon
from server.kit.errors import Conflict, Gone, Invalid, Limited, Refusal
from server.reviews.api import receipt_behind, receipt_shown
from server.web.page import page, refused, see_other
from server.web.typed import fields, only

blueprint = Blueprint("objection_pages")
_MINUTES = int(proofs.VALID.total_seconds() // 60)


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    return refused(request, refusal)


@blueprint.get("/e/<code>/objection", name="objection_form")
async def form(request: Request, code: str) -> HTTPResponse:
    return _form(request, code, await receipt_behind(request, code))


@blueprint.post("/e/<code>/objection", name="objection_sent")
async def sent(request: Request, code: str) -> HTTPResponse:
    """First the phone, then what it was sent; what he typed stays, whatever was wrong with it."""
    given = fields(request)
    phone, proof = only(given, "phone").strip()[:24], only(given, "proof").strip()[:24]
    wants_proof, asked = only(given, "step") != "prove", only(given, "asked") == "1"
    receipt = await receipt_to_object(request, code)
    try:
        number = phone_of(phone)
        if wants_proof:
            await objections.ask(receipt, number)
            return _form(request, code, receipt, phone=phone, asked=True)
        reopened = await objections.disown(receipt, number, proof)
    except (Invalid, Conflict, Gone, Limited) as refusal:
        asked = asked or isinstance(refusal, ProofTooSoon)
        return _form(request, code, receipt, phone=phone, proof=proof, asked=asked, refusal=refusal)
    return see_other(f"/e/{reopened.code}")


def _form(
    request: Request, code: str, receipt: Record, *, phone: str = "", proof: str = "",
    asked: bool = False, refusal: Refusal | None = None,
) -> HTTPResponse:  # fmt: skip
    response = page(
        request, "objection.html", refusal.status if refusal else 200, code=code, phone=phone,
        proof=proof, asked=asked, refusal=refusal, receipt=receipt_shown(receipt), minutes=_MINUTES,
    )  # fmt: skip
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response
