"""不予采纳登记: what was excluded, for the office of this level (N32); and the public's own count."""

from sanic import Blueprint, HTTPResponse, Request

from server.appeals import register
from server.appeals.api import place
from server.appeals.exclusions_api import exclusion_listed, figures_asked
from server.catalogue.service import catalogue
from server.kit.errors import Refusal
from server.kit.web import BadQuery
from server.reviews.rules import EXCLUDED_NAMES, LEVEL_NAMES, Excluded
from server.web.console import show, staff_only
from server.web.page import page, refused, see_other
from server.web.visit import Visit
from server.workorders.api import cursor_of

blueprint = Blueprint("exclusions_pages")
ROOM, PUBLIC = "/console/exclusions", "/public/exclusions"
PAGE = 30


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    return refused(request, refusal)


@blueprint.get(ROOM, name="register")
@staff_only(*sorted(register.READS))
async def exclusions(request: Request, visit: Visit) -> HTTPResponse:
    try:
        before = place(request)
    except Refusal:
        return see_other(ROOM)
    rows = await register.exclusions(visit.member, before=before, limit=PAGE)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    cursor = cursor_of(last["at"], str(last["id"])) if last else ""
    return show(
        request, "exclusions.html", rows=[exclusion_listed(row, visit.member) for row in rows[:PAGE]],
        levels=LEVEL_NAMES, reasons=EXCLUDED_NAMES, first=ROOM if before else "",
        following=f"{ROOM}?cursor={cursor}" if cursor else "",
    )  # fmt: skip


@blueprint.get(PUBLIC, name="public")
async def counted(request: Request) -> HTTPResponse:
    fault, status = "", 200
    try:
        figures = await figures_asked(request)
    except BadQuery as refusal:
        fault, status, figures = next(one.detail for one in refusal.errors), 422, None
    known = catalogue().regions
    return page(
        request, "public_exclusions.html", status, figures=figures, fault=fault,
        regions=[(region.code, region.name) for region in known.values()],
        region_name=known[figures.region].name if figures and figures.region else "",
        reasons=[(str(reason), EXCLUDED_NAMES[reason]) for reason in Excluded],
        asked={name: (request.args.get(name) or "")[:12] for name in ("region", "from", "to")},
    )  # fmt: skip
