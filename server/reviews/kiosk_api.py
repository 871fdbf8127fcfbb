"""A window's system shows a receipt on the window's tablet, and learns nothing."""

from typing import Annotated
from urllib.parse import unquote

from msgspec import Meta, Struct
from sanic import Request

from server.kit.forms import Form
from server.kit.web import Door
from server.people.guard import AGENCY_SYSTEM
from server.people.service import Caller
from server.receipts.service import UnknownReceipt
from server.reviews import kiosks

door = Door("kiosks")


class AskForm(Form):
    receipt_id: Annotated[str, Meta(min_length=1, max_length=20)]


class Asked(Struct):
    """Empty: whether the receipt can still be rated, or was, is not the window's business."""


@door.post(
    "/api/v1/windows/<window_code>/ask", guard=AGENCY_SYSTEM, form=AskForm, answers={202: Asked},
    refusals=(
        kiosks.UnknownWindow, UnknownReceipt, kiosks.ReceiptOfAnotherWindow, kiosks.NoKiosk,
    ),
    summary="在窗口的评价器上显示一张回执；是否评价、如何评价，从不告知",
)  # fmt: skip
async def ask_on_kiosk(
    request: Request, who: Caller, window_code: str, form: AskForm
) -> tuple[int, Asked]:
    await kiosks.ask(who.agency_code, unquote(window_code), form.receipt_id)
    return 202, Asked()
