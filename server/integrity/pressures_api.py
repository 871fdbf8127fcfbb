"""“被要求好评”: from the slip, before or after rating, or from behind the query code of a review."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field
from sanic import Request

from server.integrity import pressures
from server.integrity.pressures import STATE_WORDS, AlreadyReported, HowRequired, State
from server.integrity.rules import How
from server.kit import query_codes as codes
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.limits import count_unknown
from server.kit.web import ANYONE, Door, local
from server.receipts.codes import UnknownCode
from server.reviews.api import receipt_behind, receipt_shown
from server.reviews.rules import CommentTooLong
from server.reviews.tracking import receipt_row, review_behind

door = Door("pressures")


class PressureForm(Form):
    how: Annotated[list[How], Meta(max_length=20)] = field(default_factory=list)
    words: str = ""


class PressureTaken(Struct):
    query_code: str


class PressureFollowed(Struct):
    state: State
    words: str
    agency: str
    matter: str
    reported_at: datetime
    due_at: datetime


_REFUSALS = (HowRequired, CommentTooLong, AlreadyReported, Limited)


@door.post(
    "/api/v1/e/<code>/pressure", guard=ANYONE, form=PressureForm, answers={201: PressureTaken},
    refusals=(UnknownCode, *_REFUSALS),
    summary="“被要求好评”：评价前后都可反映，一次；窗口和部门看不到",
)  # fmt: skip
async def report_pressure(request: Request, code: str, form: PressureForm) -> PressureTaken:
    receipt = await receipt_behind(request, code)
    return PressureTaken(await pressures.report(receipt, form.how, form.words))


@door.post(
    "/api/v1/track/<query_code>/pressure", guard=ANYONE, form=PressureForm,
    answers={201: PressureTaken}, refusals=(codes.UnknownQueryCode, *_REFUSALS),
    summary="“被要求好评”：凭评价的查询编码反映",
)  # fmt: skip
async def report_pressure_after(
    request: Request, query_code: str, form: PressureForm
) -> PressureTaken:
    receipt = await receipt_row(await review_behind(request, query_code))
    return PressureTaken(await pressures.report(receipt, form.how, form.words))


async def pressure_behind(request: Request, query_code: str) -> pressures.Followed:
    try:
        return await pressures.followed(query_code)
    except codes.UnknownQueryCode:
        await count_unknown(request, "unknown_query_code")
        raise


@door.get(
    "/api/v1/pressure/<query_code>", guard=ANYONE, answers={200: PressureFollowed},
    refusals=(codes.UnknownQueryCode, Limited), summary="“被要求好评”核查到哪一步",
)  # fmt: skip
async def pressure_followed(request: Request, query_code: str) -> PressureFollowed:
    found = await pressure_behind(request, query_code)
    shown = receipt_shown(found.receipt)
    return PressureFollowed(
        found.state, STATE_WORDS[found.state], shown.agency, shown.matter,
        local(found.reported_at), local(found.due_at),
    )  # fmt: skip
