"""The API's doors to the evidence of an appeal: give it, list it, open it."""

from datetime import date
from urllib.parse import quote

from msgspec import Struct
from sanic import HTTPResponse, Request

from server.appeals import evidence, service
from server.appeals.models import Evidence
from server.kit import files, pdf, uploads
from server.kit.errors import Denied, NotJson, TooLarge
from server.kit.forms import BadBody
from server.kit.web import Door, local
from server.people.guard import StaffWith
from server.people.rules import OF_AN_AGENCY
from server.people.service import Member

door = Door("evidence")
PLACE = "/api/v1/appeals/<appeal_id>/evidence"
BYTES = "application/octet-stream"
READERS = StaffWith(*evidence.KNOWS)
_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
"""Whatever a browser believes to see in it, nothing in it acts."""


class EvidenceShown(Struct):
    id: str
    name: str
    kind: files.Kind
    size: int
    day: date


class EvidenceList(Struct):
    items: list[EvidenceShown]
    most: int
    may_add: bool
    may_open: bool


def _shown(row: Evidence) -> EvidenceShown:
    return EvidenceShown(
        str(row.id), row.name, files.Kind(row.kind), row.size, local(row.at).date()
    )


def handed_out(row: Evidence, content: bytes, media_type: str, *, inline: bool) -> HTTPResponse:
    plain = f"evidence.{row.name.rpartition('.')[2]}"
    names = f"filename=\"{plain}\"; filename*=UTF-8''{quote(row.name, safe='')}"
    how = f"{'inline' if inline else 'attachment'}; {names}"
    return HTTPResponse(
        content, headers=_HARMLESS | {"Content-Disposition": how}, content_type=media_type
    )


@door.post(
    PLACE, guard=StaffWith(*OF_AN_AGENCY), raw=uploads.FileForm, media=uploads.MULTIPART, once=False,
    seconds=uploads.WHOLE_SECONDS, answers={201: EvidenceShown, 200: EvidenceShown},
    refusals=(
        evidence.UnknownAppeal, Denied, evidence.AppealIsOver, evidence.TooManyFiles, BadBody, NotJson,
        TooLarge, files.NotTaken, files.HugeImage, pdf.Unreadable, pdf.LockedPdf, pdf.ActivePdf,
    ),
    summary="给申诉补充一份材料：JPEG、PNG 或 PDF，最大 8 MB，最多 5 份；同一份再传得到 200",
)  # fmt: skip
async def add_evidence(request: Request, who: Member, appeal_id: str) -> tuple[int, EvidenceShown]:
    await evidence.check_place(who, appeal_id)
    upload = await uploads.receive(request)
    row, new = await evidence.add(who, appeal_id, upload.name, upload.file)
    return 201 if new else 200, _shown(row)


@door.get(
    PLACE, guard=READERS, answers={200: EvidenceList}, refusals=(evidence.UnknownAppeal, Denied),
    summary="申诉的材料：名称、类型、大小、日期",
)  # fmt: skip
async def list_evidence(request: Request, who: Member, appeal_id: str) -> EvidenceList:
    appeal = await evidence.find(who, appeal_id)
    rows = [_shown(row) for row in await evidence.listed(appeal)]
    return EvidenceList(
        rows, evidence.MOST, evidence.may_add(who, appeal), await service.sees_evidence(who, appeal)
    )


@door.get(
    f"{PLACE}/<evidence_id>", guard=READERS, answers={200: BYTES},
    refusals=(
        evidence.UnknownAppeal, evidence.UnknownEvidence, evidence.ForRulersOnly, Denied,
    ),
    seconds=10, summary="裁决的人与审计员下载一份材料（每次留痕）",
)  # fmt: skip
async def open_evidence(
    request: Request, who: Member, appeal_id: str, evidence_id: str
) -> HTTPResponse:
    row, content = await evidence.opened(who, appeal_id, evidence_id)
    return handed_out(row, content, BYTES, inline=False)
