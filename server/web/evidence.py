"""The evidence of an appeal in the console: given with a form, opened by those who rule."""

from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.appeals import evidence, service
from server.appeals.evidence_api import handed_out
from server.appeals.models import Appeal, Evidence
from server.kit.files import KIND_NAMES, MEDIA_TYPES, Kind
from server.kit.uploads import FILE_LIMIT
from server.people.rules import OF_AN_AGENCY
from server.web.console import staff_only
from server.web.order_page import ORDERS
from server.web.page import see_other
from server.web.visit import Visit

blueprint = Blueprint("console_evidence")
APPEALS = "/console/appeals"


async def evidence_shown(visit: Visit, appeal: Appeal) -> dict[str, Any]:
    """What `console/_evidence.html` needs beside `visit`, for the page that includes it."""
    rows = await evidence.listed(appeal)
    return {
        "evidence_at": f"{APPEALS}/{appeal.id}/evidence",
        "evidence": [_row(row) for row in rows],
        "evidence_left": evidence.MOST - len(rows),
        "evidence_limit": f"{FILE_LIMIT // 1024 // 1024} MB",
        "may_add": evidence.may_add(visit.member, appeal),
        "may_open": await service.sees_evidence(visit.member, appeal),
    }


def _row(row: Evidence) -> dict[str, Any]:
    kind = Kind(row.kind)
    return {
        "id": row.id, "name": row.name, "kind": KIND_NAMES[kind], "picture": kind is not Kind.PDF,
        "size": _size(row.size), "day": row.at,
    }  # fmt: skip


def _size(size: int) -> str:
    return (
        f"{max(1, round(size / 1024))} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"
    )


@blueprint.post(f"{APPEALS}/<appeal_id>/evidence", stream=True)
@staff_only(*OF_AN_AGENCY, file_after=evidence.check_place)
async def add_evidence(request: Request, visit: Visit, appeal_id: str) -> HTTPResponse:
    assert visit.upload  # its door reads it
    await evidence.add(visit.member, appeal_id, visit.upload.name, visit.upload.file)
    appeal = await evidence.find(visit.member, appeal_id)
    return see_other(f"{ORDERS}/{appeal.order_number}/appeal#evidence")


@blueprint.get(f"{APPEALS}/<appeal_id>/evidence/<evidence_id>")
@staff_only(*evidence.KNOWS)
async def open_evidence(
    request: Request, visit: Visit, appeal_id: str, evidence_id: str
) -> HTTPResponse:
    """A picture in the window, alone; a PDF only as a file."""
    row, content = await evidence.opened(visit.member, appeal_id, evidence_id)
    kind = Kind(row.kind)
    return handed_out(row, content, MEDIA_TYPES[kind], inline=kind is not Kind.PDF)
