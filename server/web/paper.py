"""The console's room of paper forms: blanks to be printed, and the list of what was keyed in."""

import asyncio
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.models import Tag
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Invalid
from server.kit.query_codes import grouped
from server.people.rules import Role
from server.receipts import blanks, qr
from server.receipts.blanks import MOST, Blank
from server.reviews import paper, walls
from server.reviews.rules import LEVEL_NAMES, ReviewState
from server.reviews.walls import Place
from server.web import paging
from server.web.console import show, staff_only
from server.web.paper_doors import ENTERED, PAPER, PRINTS, SEES_ENTERED, halls
from server.web.visit import Visit

blueprint = Blueprint("console_paper")
PAGE = 50
USUAL = 10
_KEYED_IN = """
SELECT f.*, s.name, s.role, s.agency_code, r.receipt_id, r.order_number, r.state,
  r.supplement IS NOT NULL AS supplemented
FROM paper_forms f JOIN reviews r ON r.id = f.review_id JOIN staff s ON s.id = f.entered_by
WHERE f.region_code = ANY($1::text[]) AND f.entered_at IS NOT NULL
  AND ($2::timestamptz IS NULL OR (f.entered_at, f.id) < ($2, $3::uuid))
ORDER BY f.entered_at DESC, f.id DESC LIMIT $4
"""
_PILES = """
SELECT f.printed_at, f.hall_code, f.window_code, s.name, count(*) AS printed, count(f.entered_at) AS entered
FROM paper_forms f JOIN staff s ON s.id = f.printed_by
WHERE f.region_code = ANY($1::text[])
GROUP BY f.printed_at, f.hall_code, f.window_code, s.name ORDER BY f.printed_at DESC LIMIT 20
"""


class BadCount(Invalid):
    code = "bad_count"
    title = f"张数须是 1 到 {MOST} 的整数"


@blueprint.get(PAPER)
@staff_only(*PRINTS)
async def room(request: Request, visit: Visit) -> HTTPResponse:
    return _room(request, visit)


def _room(
    request: Request, visit: Visit, status: int = 200, *, fault: str = "", chosen: str = "",
    count: str = str(USUAL),
) -> HTTPResponse:  # fmt: skip
    places = [
        (hall.name, [(_value(place), _label(place)) for place in paper.places_of(visit.member, hall)])
        for hall in halls(visit.member)
    ]  # fmt: skip
    return show(
        request, "paper.html", status, halls=places, most=MOST, fault=fault, chosen=chosen,
        count=count,
    )  # fmt: skip


def _value(place: Place) -> str:
    return place.path.removeprefix("h/")


def _label(place: Place) -> str:
    if place.window is None:
        return "全大厅（窗口由群众填写）"
    return f"{place.window.name}（{catalogue().agency_name(place.window.agency_code)}）"


@blueprint.post(PAPER, name="printed")
@staff_only(*PRINTS)
async def printed(request: Request, visit: Visit) -> HTTPResponse:
    """Answers with the blanks themselves: no address may hold their codes, and they are never shown
    again. The same form once more prints others."""
    chosen, typed = visit.form.get("place", ""), visit.form.get("count", "").strip()
    place = next(
        (place for hall in halls(visit.member) for place in paper.places_of(visit.member, hall)
         if _value(place) == chosen), None,
    )  # fmt: skip
    if place is None:
        raise walls.UnknownPlace
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 4 else 0
    if not 1 <= number <= MOST:
        return _room(request, visit, 422, fault=BadCount.title, chosen=chosen, count=typed[:4])
    made = await paper.print_blanks(place, number, visit.member)
    address = request.app.ctx.settings.base_url
    return show(
        request, "paper_print.html", place=place, levels=LEVEL_NAMES, address=address,
        blanks=await asyncio.to_thread(_drawn, made, address), reasons=_reasons(),
        host=address.partition("://")[2],
    )  # fmt: skip


def _drawn(made: list[Blank], address: str) -> list[dict[str, Any]]:
    """The code on the form goes through a scanner into a field; that on the stub opens its page."""
    return [
        {
            "code": grouped(blank.code), "picture": Markup(qr.svg(blank.code)),  # noqa: S704  drawn by us
            "stub": grouped(blank.stub),
            "stub_picture": Markup(qr.svg(f"{address}/t/{blank.stub}")),  # noqa: S704
        }
        for blank in made
    ]  # fmt: skip


def _reasons() -> list[tuple[str, list[Tag]]]:
    """Of the two bad levels; the first ones first."""
    return [
        (LEVEL_NAMES[level], sorted(catalogue().tags_of_level(level), key=lambda tag: not tag.primary)[:8])
        for level in (2, 1)
    ]  # fmt: skip


@blueprint.get(ENTERED)
@staff_only(*SEES_ENTERED)
async def entered(request: Request, visit: Visit) -> HTTPResponse:
    """Who keyed in what, when; what the citizen said is for the auditor's room."""
    regions = sorted(catalogue().within(visit.member.region_code))
    at, last = paging.after(request, UUID) or (None, None)
    found = await sql.fetch(_KEYED_IN, regions, at, last, PAGE + 1)
    rows, more = paging.cut(found, PAGE)
    numbers = blanks.numbers_of(rows)
    piles = [] if at else await sql.fetch(_PILES, regions)
    return show(
        request, "paper_entered.html", rows=[_row(row, numbers) for row in rows],
        piles=[dict(pile) | {"where": _where(pile)} for pile in piles],
        audits=visit.member.role is Role.AUDITOR, today=clock.now().date(), first=ENTERED if at else "",
        following=f"{ENTERED}?cursor={paging.cursor(more['entered_at'], more['id'])}" if more else "",
    )  # fmt: skip


def _row(row: Any, numbers: dict[Any, str]) -> dict[str, Any]:
    return {
        "at": row["entered_at"], "by": row["name"], "number": numbers.get(row["id"], "—"),
        "agency": catalogue().agency_name(row["agency_code"]), "where": _where(row),
        "receipt": row["receipt_id"], "order": row["order_number"],
        "undone": row["state"] == ReviewState.UNDONE, "supplemented": row["supplemented"],
    }  # fmt: skip


def _where(row: Any) -> str:
    hall = catalogue().halls.get(row["hall_code"])
    window = catalogue().seats.get(row["hall_code"], {}).get(row["window_code"] or "")
    names = [hall.name if hall else row["hall_code"], window.name if window else "全大厅"]
    return " ".join(names)
