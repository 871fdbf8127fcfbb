"""“不是我评的”: behind the receipt's code, and proven by the receipt's phone."""

from datetime import datetime
from typing import Annotated, Literal

from asyncpg import Record
from msgspec import Meta, Struct
from sanic import Request

from server.integrity import objections, proofs
from server.integrity.objections import NothingToObject, ObjectionClosed, TooManyObjections
from server.integrity.proofs import ProofOver, ProofsSpent, ProofTooSoon, WrongProof
from server.kit.errors import Fault, Limited
from server.kit.forms import Form
from server.kit.limits import count_unknown
from server.kit.web import ANYONE, Door, local
from server.receipts.codes import UnknownCode
from server.reviews.api import BadPhone, receipt_behind
from sms.phone import normalise

door = Door("objections")


class ObjectionForm(Form):
    phone: Annotated[str, Meta(max_length=24)]
    proof: Annotated[str, Meta(max_length=24)] | None = None
    """Empty: a code is to be sent."""


class ProofAsked(Struct):
    """The same for every phone: it is sent only if it is the receipt's."""

    valid_seconds: int
    again_after_seconds: int
    state: Literal["asked"] = "asked"


class Disowned(Struct):
    review_code: str
    review_url: str
    open_until: datetime


REFUSALS = (
    UnknownCode, BadPhone, NothingToObject, ObjectionClosed, TooManyObjections, WrongProof, ProofOver,
    ProofTooSoon, ProofsSpent, Limited,
)  # fmt: skip


def phone_of(typed: str) -> str:
    phone = normalise(typed)
    if phone is None:
        raise BadPhone(errors=[Fault("phone", "invalid_phone", BadPhone.title)])
    return phone


async def receipt_to_object(request: Request, code: str) -> Record:
    """Every call counts by address, right or wrong: from a limit that only wrong ones meet somebody
    could learn which phone is the receipt's."""
    receipt = await receipt_behind(request, code)
    await count_unknown(request, "objection")
    return receipt


@door.post(
    "/api/v1/e/<code>/objection", guard=ANYONE, form=ObjectionForm,
    answers={201: Disowned, 202: ProofAsked}, refusals=REFUSALS,
    summary="“不是我评的”：先用办事时登记的手机号获取验证码，再凭验证码取得本人的评价码",
)  # fmt: skip
async def object_to_review(
    request: Request, code: str, form: ObjectionForm
) -> tuple[int, ProofAsked | Disowned]:
    receipt, phone = await receipt_to_object(request, code), phone_of(form.phone)
    if form.proof is None:
        await objections.ask(receipt, phone)
        valid, again = proofs.VALID.total_seconds(), proofs.AGAIN.total_seconds()
        return 202, ProofAsked(int(valid), int(again))
    reopened = await objections.disown(receipt, phone, form.proof)
    address = f"{request.app.ctx.settings.base_url}/e/{reopened.code}"
    return 201, Disowned(reopened.code, address, local(reopened.until))
