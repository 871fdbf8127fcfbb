"""Keying in paper forms: ten at once, without JavaScript; what is good is stored, what is not comes back."""

import re
from dataclasses import dataclass, field, fields
from datetime import datetime, time
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.errors import Fault, Refusal
from server.receipts import blanks
from server.reviews import paper, walls
from server.reviews.paper_rules import Row
from server.reviews.rules import COMMENT_LIMIT, LEVEL_NAMES
from server.reviews.walls import Place
from server.web.console import show, staff_only
from server.web.page import see_other
from server.web.paper_doors import ENTRY as ROOM
from server.web.paper_doors import KEYS_IN, halls
from server.web.visit import Visit

blueprint = Blueprint("console_paper_entry")
ROWS = 10
MOST_MATTERS = 300
LONGEST = 2000
"""Of one field; what is right of it is judged by the rules."""
_NAMES = [one.name for one in fields(Row) if one.name != "no_reason"]
_MINE = """
SELECT id, key, hall_code, window_code, entered_at FROM paper_forms
WHERE entered_by = $1 AND entered_at >= $2 ORDER BY entered_at DESC LIMIT 50
"""


@dataclass
class Shown:
    """One row of the page."""

    row: Row = field(default_factory=Row)
    faults: dict[str, str] = field(default_factory=dict)
    """By field."""
    place: str = ""
    """Where the form is from, once its code was recognised."""


@blueprint.get(ROOM)
@staff_only(*KEYS_IN)
async def form(request: Request, visit: Visit) -> HTTPResponse:
    done = re.fullmatch(r"\d{1,2}", request.args.get("done") or "", re.ASCII)
    return await _page(request, visit, [], done=int(done[0]) if done else 0)


@blueprint.post(ROOM, name="sent")
@staff_only(*KEYS_IN)
async def sent(request: Request, visit: Visit) -> HTTPResponse:
    """Enter, which every scanner types, only looks the codes up; the button below stores."""
    halls(visit.member)
    rows = [_typed(visit.form, number) for number in range(ROWS)]
    if visit.form.get("step") != "store":
        return await _page(request, visit, [await _looked_up(row, visit) for row in rows])
    if all(row.is_empty for row in rows):
        return await _page(request, visit, [], 422, nothing=True)
    shown, stored = [], 0
    for row in rows:
        one = Shown() if row.is_empty else await _entered(row, visit)
        stored += not row.is_empty and not one.faults
        shown.append(one)
    if any(one.faults for one in shown):
        return await _page(request, visit, shown, 422, done=stored)
    return see_other(f"{ROOM}?done={stored}")


def _typed(form: dict[str, str], number: int) -> Row:
    values = {name: form.get(f"{name}_{number}", "")[:LONGEST] for name in _NAMES}
    blank = {name: value if value.strip() else "" for name, value in values.items()}
    return Row(**blank, no_reason=form.get(f"no_reason_{number}") == "1")


async def _looked_up(row: Row, visit: Visit) -> Shown:
    if not row.code:
        return Shown(row)
    try:
        form, place = await paper.form_behind(row.code, visit.member)
        if form["entered_at"]:
            raise paper.PaperFormEntered
    except Refusal as refusal:
        return Shown(row, {"code": refusal.detail})
    return Shown(row, place=_name(place))


async def _entered(row: Row, visit: Visit) -> Shown:
    """An empty row if it is stored."""
    try:
        await paper.enter(row, visit.member)
    except paper.BadPaperForm as refusal:
        one = await _looked_up(row, visit)
        one.faults |= _by_field(refusal.errors)
        return one
    except (blanks.UnknownPaperForm, paper.PaperFormEntered, paper.OwnPaperForm) as refusal:
        return Shown(row, {"code": refusal.detail})
    return Shown()


def _by_field(faults: list[Fault]) -> dict[str, str]:
    found: dict[str, str] = {}
    for fault in faults:
        found.setdefault(fault.field, fault.detail)
    return found


def _name(place: Place) -> str:
    return place.name if place.window else f"{place.hall.name}（全大厅）"


async def _page(
    request: Request, visit: Visit, rows: list[Shown], status: int = 200, *, done: int = 0,
    nothing: bool = False,
) -> HTTPResponse:  # fmt: skip
    seen = halls(visit.member)
    rows = rows or [Shown() for _ in range(ROWS)]
    names = {matter.name: None for hall in seen for matter in walls.matters(Place(hall, None))}
    return show(
        request, "paper_entry.html", status, rows=rows, room=ROOM, done=done, nothing=nothing,
        bad=[(number, one) for number, one in enumerate(rows) if one.faults and status == 422],
        focus=_focus(rows), halls=seen, levels=LEVEL_NAMES, limit=COMMENT_LIMIT,
        matters=list(names)[:MOST_MATTERS], mine=await _mine(visit),
    )  # fmt: skip


def _focus(rows: list[Shown]) -> str:
    """Where the clerk goes on: what is wrong, the level of a form just scanned, or the next code."""
    for number, one in enumerate(rows):
        if one.faults:
            return f"{next(iter(one.faults))}_{number}"
    for number, one in enumerate(rows):
        if one.place and not one.row.level:
            return f"level_{number}"
    return next((f"code_{n}" for n, one in enumerate(rows) if not one.row.code), "")


async def _mine(visit: Visit) -> list[dict[str, Any]]:
    """What he keyed in today, to sort his pile by."""
    midnight = datetime.combine(clock.now().date(), time(0), BEIJING)
    rows = await sql.fetch(_MINE, visit.member.id, midnight)
    numbers = blanks.numbers_of(rows)
    return [{"number": numbers.get(row["id"], "—"), "at": row["entered_at"]} for row in rows]
