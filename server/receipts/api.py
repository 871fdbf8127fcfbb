"""Window systems and online platforms hand over receipts; anybody who holds a code may draw it."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from sanic import HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit import forms
from server.kit.errors import Fault, Refusal, TooLarge
from server.kit.forms import BadBody, Form
from server.kit.web import ANYONE, BATCH_LIMIT, Door, local
from server.people.guard import AGENCY_SYSTEM
from server.people.service import Caller
from server.receipts import qr, service, voiding
from server.receipts.codes import UnknownCode, code_of, codes_of, number_of
from server.receipts.rules import BadReceipt, Kind, ReceiptConflict
from server.receipts.service import ApplicantForm, Issued, ReceiptForm, UnknownReceipt

door = Door("receipts")
BATCH_ROWS = 1000


class QrAddresses(Struct):
    svg: str
    png: str
    escpos: str


class ReceiptIssued(Struct):
    receipt_id: str
    review_url: str
    open_until: datetime
    qr: QrAddresses


class ReceiptState(Struct):
    receipt_id: str
    open_until: datetime
    voided: bool


@forms.rows_stay_raw
class BatchForm(Form):
    receipts: list[Raw]
    """Read one by one: a row that cannot be read spoils no other."""


class VoidForm(Form):
    reason: Annotated[str, Meta(max_length=1000)]


class VoidAsked(Struct):
    receipt_id: str


class RowError(Struct):
    code: str
    detail: str
    errors: list[Fault]


class RowResult(Struct, omit_defaults=True):
    index: int
    status: int
    receipt_id: str | UnsetType = UNSET
    review_url: str | UnsetType = UNSET
    open_until: datetime | UnsetType = UNSET
    qr: QrAddresses | UnsetType = UNSET
    error: RowError | UnsetType = UNSET


class BatchAnswer(Struct):
    results: list[RowResult]


class BatchTooLong(TooLarge):
    code = "too_many_receipts"
    title = f"一批最多 {BATCH_ROWS} 张回执"


_row_reader = forms.decoder(ReceiptForm)


@door.post(
    "/api/v1/receipts", guard=AGENCY_SYSTEM, form=ReceiptForm,
    answers={201: ReceiptIssued, 200: ReceiptIssued}, refusals=(BadReceipt, ReceiptConflict),
    summary="登记一次服务，取得回执与评价二维码（同样内容重复提交得到同一张）",
)  # fmt: skip
async def issue_receipt(
    request: Request, who: Caller, form: ReceiptForm
) -> tuple[int, ReceiptIssued]:
    (result,) = await service.issue(who.agency_code, [form])
    if isinstance(result, Refusal):
        raise result
    base = request.app.ctx.settings.base_url
    described = _described(base, code_of(result.id), result)
    return (201 if result.new else 200), ReceiptIssued(*described)


def _described(base: str, code: str, issued: Issued) -> tuple[str, str, datetime, QrAddresses]:
    address = f"{base}/e/{code}"
    drawings = QrAddresses(
        f"{address}/qr.svg", f"{address}/qr.png", f"{base}/api/v1/receipts/{issued.id}/escpos"
    )
    # A new one's time is in UTC+8 already; one from the database is not.
    until = issued.open_until if issued.new else local(issued.open_until)
    return str(issued.id), address, until, drawings


@door.post(
    "/api/v1/receipts/batch", guard=AGENCY_SYSTEM, form=BatchForm, answers={200: BatchAnswer},
    refusals=(BatchTooLong,), limit=BATCH_LIMIT, seconds=10,
    summary="一次登记最多 1000 张回执；一行有误不影响其他行",
)  # fmt: skip
async def issue_receipts(request: Request, who: Caller, form: BatchForm) -> BatchAnswer:
    if len(form.receipts) > BATCH_ROWS:
        raise BatchTooLong
    read = _read_together(request.body) or [_read_row(raw) for raw in form.receipts]
    issued = iter(
        await service.issue(who.agency_code, [r for r in read if isinstance(r, ReceiptForm)])
    )
    results = [next(issued) if isinstance(row, ReceiptForm) else row for row in read]
    return BatchAnswer(_row_results(request.app.ctx.settings.base_url, results))


class _FullApplicant(ApplicantForm):
    kind: Kind
    name: Annotated[str, Meta(max_length=100)]


class _FullRow(ReceiptForm):
    applicant: _FullApplicant | None = None


class _GoodBatch(Form):
    receipts: list[_FullRow]


_batch_reader = forms.decoder(_GoodBatch)


def _read_together(body: bytes) -> Sequence[ReceiptForm | Refusal]:
    """All rows at once if every one is right and certainly names no field twice; else nothing.

    Half the time of reading them one by one. Without escapes every key and every text has two
    quotation marks, so a doubled or unknown key shows in their number; whatever makes the number
    differ is left to the careful way.
    """
    if b"\\" in body:
        return []
    try:
        rows = _batch_reader.decode(body).receipts
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []
    return rows if body.count(b'"') == 2 + sum(map(_quotation_marks, rows)) else []


def _quotation_marks(row: _FullRow) -> int:
    """Of five keys and four texts that must be, and of what may be."""
    optional = (row.window_code, row.officer_number, row.stage)
    marks = 18 + 4 * (3 - optional.count(None))
    if row.applicant:
        marks += 8 if row.applicant.phone is None else 12
    return marks


def _read_row(raw: Raw) -> ReceiptForm | Refusal:
    try:
        return forms.read(_row_reader, bytes(raw))
    except BadBody as refusal:
        return refusal


def _row_results(base: str, results: list[Issued | Refusal]) -> list[RowResult]:
    codes = iter(codes_of(result.id for result in results if isinstance(result, Issued)))
    return [
        RowResult(
            index, 201 if result.new else 200, *_described(base, next(codes), result)
        ) if isinstance(result, Issued)
        else RowResult(index, result.status, error=_row_error(result))
        for index, result in enumerate(results)
    ]  # fmt: skip


def _row_error(refusal: Refusal) -> RowError:
    return RowError(refusal.code, refusal.detail, refusal.errors)


@door.get(
    "/api/v1/receipts/<receipt_id>", guard=AGENCY_SYSTEM, answers={200: ReceiptState},
    refusals=(UnknownReceipt,),
    summary="回执是否仍可评价；是否已被评价、如何评价，从不告知",
)  # fmt: skip
async def receipt_state(request: Request, who: Caller, receipt_id: str) -> ReceiptState:
    receipt = await service.of_agency(who.agency_code, receipt_id)
    return ReceiptState(str(receipt.id), local(receipt.open_until), receipt.voided_at is not None)


@door.post(
    "/api/v1/receipts/<receipt_id>/void", guard=AGENCY_SYSTEM, form=VoidForm,
    answers={202: VoidAsked},
    refusals=(UnknownReceipt, voiding.ReasonMissing, voiding.ReasonTooLong),
    summary="申请作废回执，由本部门另一位负责人决定；回答总是一样，是否已被评价从不告知",
)  # fmt: skip
async def ask_to_void(request: Request, who: Caller, receipt_id: str, form: VoidForm) -> VoidAsked:
    return VoidAsked(str((await voiding.ask(who, receipt_id, form.reason)).id))


@door.get(
    "/api/v1/receipts/<receipt_id>/escpos", guard=AGENCY_SYSTEM,
    answers={200: "application/octet-stream"}, refusals=(UnknownReceipt,),
    summary="小票打印机的字节（ESC/POS 原生二维码，汉字 GB18030）",
)  # fmt: skip
async def receipt_escpos(request: Request, who: Caller, receipt_id: str) -> HTTPResponse:
    receipt = await service.of_agency(who.agency_code, receipt_id)
    known = catalogue()
    matter = known.matters.get(receipt.matter_code)
    window = known.windows.get((receipt.agency_code, receipt.window_code or ""))
    hall = known.halls.get(window.hall_code) if window else None
    slip = qr.Slip(
        agency=known.agency_name(receipt.agency_code),
        matter=matter.name if matter else receipt.matter_code,
        place=f"{hall.name if hall else ''} {window.name}".strip() if window else "",
        handled_at=f"{local(receipt.handled_at):%Y-%m-%d %H:%M}",
        url=f"{request.app.ctx.settings.base_url}/e/{code_of(receipt.id)}",
        open_until=f"{local(receipt.open_until):%Y-%m-%d}",
    )
    return HTTPResponse(qr.escpos(slip), content_type="application/octet-stream")


@door.get(
    "/e/<code>/qr.svg", guard=ANYONE, answers={200: "image/svg+xml"}, refusals=(UnknownCode,),
    summary="评价二维码（SVG）",
)  # fmt: skip
async def qr_svg(request: Request, code: str) -> HTTPResponse:
    return _drawn(request, code, lambda url: qr.svg(url).encode(), "image/svg+xml")


@door.get(
    "/e/<code>/qr.png", guard=ANYONE, answers={200: "image/png"}, refusals=(UnknownCode,),
    summary="评价二维码（PNG，203 dpi，每模块 6 点）",
)  # fmt: skip
async def qr_png(request: Request, code: str) -> HTTPResponse:
    return _drawn(request, code, qr.png, "image/png")


def _drawn(
    request: Request, code: str, draw: Callable[[str], bytes], content_type: str
) -> HTTPResponse:
    """Drawn on demand; the address names the content, so that a printer's cache may keep it."""
    number_of(code)
    url = f"{request.app.ctx.settings.base_url}/e/{code}"
    etag = f'"{hashlib.sha256(url.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=86400"}
    if request.headers.get("if-none-match") == etag:
        return HTTPResponse(status=304, headers=headers, content_type=content_type)
    return HTTPResponse(draw(url), 200, headers, content_type=content_type)
