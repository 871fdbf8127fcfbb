"""评价器: which window has a tablet, and the key that makes a device one."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from markupsafe import Markup
from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.models import Window
from server.catalogue.service import catalogue
from server.kit.clock import clock
from server.people.rules import Role
from server.people.service import Member
from server.receipts import qr
from server.reviews import kiosks
from server.web.console import show, staff_only
from server.web.page import see_other
from server.web.visit import KEEPS_KIOSKS, Visit
from server.web.visit import KIOSKS as ROOM

blueprint = Blueprint("console_kiosks")
PAGE = 50
_DONE = {"revoke": "已停用。那台评价器马上显示“没有启用”。"}
Place = tuple[str, str, str]
"""Of a window in the list: its hall, its code, its agency."""


def _windows(member: Member) -> dict[Place, Window]:
    """Those whose tablets he keeps, in the order of the list."""
    known, regions = catalogue(), catalogue().within(member.region_code)
    found = {}
    for window in known.windows.values():
        agency, hall = known.agencies.get(window.agency_code), known.halls.get(window.hall_code)
        mine = (
            window.agency_code == member.agency_code
            if member.role is Role.AGENCY_LEAD
            else agency is not None and agency.region_code in regions
        )
        if mine:
            found[hall.name if hall else "", window.code, window.agency_code] = window
    return dict(sorted(found.items()))


@blueprint.get(ROOM, name="list")
@staff_only(*KEEPS_KIOSKS)
async def listed(request: Request, visit: Visit) -> HTTPResponse:
    search = (request.args.get("q") or "").strip()[:40]
    text = request.args.get("page") or ""
    number = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 else 1
    windows = _windows(visit.member)
    standing = await kiosks.standing({window.agency_code for window in windows.values()})
    named = [(place, window, _words(place, window)) for place, window in windows.items()]
    found = [one for one in named if all(word in one[2] for word in search.split())]
    rows = [_row(place[0], window, standing) for place, window, _ in found]
    shown = rows[(number - 1) * PAGE : number * PAGE]
    return show(
        request, "kiosks.html", rows=shown, count=len(rows), search=search,
        with_kiosk=sum(bool(row["id"]) for row in rows), done=_DONE.get(request.args.get("done") or "", ""),
        first=_address(search) if number > 1 else "",
        following=_address(search, number + 1) if len(rows) > number * PAGE else "",
    )  # fmt: skip


def _words(place: Place, window: Window) -> str:
    return " ".join((*place, window.name, catalogue().agency_name(window.agency_code)))


def _address(search: str, page: int = 1) -> str:
    kept = ({"q": search} if search else {}) | ({"page": page} if page > 1 else {})
    return f"{ROOM}?{urlencode(kept)}" if kept else ROOM


def _row(hall: str, window: Window, standing: dict[tuple[str, str], Any]) -> dict[str, Any]:
    kiosk = standing.get((window.agency_code, window.code))
    seen = kiosk["seen_at"] if kiosk else None
    return {
        "hall": hall, "name": window.name, "code": window.code,
        "agency": catalogue().agency_name(window.agency_code),
        "window": f"{window.agency_code}-{window.code}", "id": kiosk["id"].hex if kiosk else "",
        "issued": kiosk["issued_at"] if kiosk else None, "seen": seen,
        "online": bool(seen and clock.now() - seen < kiosks.ONLINE),
    }  # fmt: skip


def _chosen(visit: Visit) -> Window:
    agency_code, _, code = visit.form.get("window", "").partition("-")
    window = catalogue().windows.get((agency_code, code))
    if window is None or window not in _windows(visit.member).values():
        raise kiosks.UnknownWindow
    return window


def _seen(visit: Visit) -> UUID | None:
    """The tablet that stood in the list he looked at."""
    text = visit.form.get("id", "")
    try:
        return UUID(hex=text) if text else None
    except ValueError:
        raise kiosks.KioskChanged from None


@blueprint.post(f"{ROOM}/issue")
@staff_only(*KEEPS_KIOSKS)
async def issue(request: Request, visit: Visit) -> HTTPResponse:
    """Answers with the key itself: no address may hold it, and it is never shown again. The same
    form once more is refused, since another tablet stands there now."""
    window = _chosen(visit)
    key = await kiosks.issue(
        window.agency_code, window.code, instead_of=await _his(visit, window), by=visit.member.id
    )
    address = kiosks.address(request.app.ctx.settings.base_url, key)
    hall = catalogue().halls.get(window.hall_code)
    return show(
        request, "kiosk_key.html", address=address, hall=hall.name if hall else "",
        name=window.name, picture=Markup(qr.svg(address)),  # noqa: S704  drawn by us
    )  # fmt: skip


@blueprint.post(f"{ROOM}/revoke")
@staff_only(*KEEPS_KIOSKS)
async def revoke(request: Request, visit: Visit) -> HTTPResponse:
    kiosk = await _his(visit, _chosen(visit))
    if kiosk is None:
        raise kiosks.KioskChanged
    await kiosks.revoke(kiosk, visit.member.id)
    return see_other(f"{ROOM}?done=revoke")


async def _his(visit: Visit, window: Window) -> UUID | None:
    """The tablet he saw, if it is this window's."""
    standing = await kiosks.standing([window.agency_code])
    row, seen = standing.get((window.agency_code, window.code)), _seen(visit)
    if seen and (row is None or row["id"] != seen):
        raise kiosks.KioskChanged
    return seen
