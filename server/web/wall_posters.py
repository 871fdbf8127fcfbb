"""The console's room of codes on walls: a poster for each hall and each window, to be printed."""

import asyncio
import re
from typing import Any
from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.models import Hall
from server.catalogue.service import catalogue
from server.kit.errors import Limited
from server.kit.wechat import WeChat
from server.kit.wechat_wire import WeChatRefused, WeChatSilent
from server.people.rules import Role
from server.people.service import Member
from server.receipts import qr
from server.reviews.walls import Place, UnknownPlace
from server.reviews.walls_api import place_at
from server.web.console import show, staff_only
from server.web.visit import SEES_WALLS, Visit

blueprint = Blueprint("console_walls")
ROOM = "/console/walls"
SCAN_PAGE = "pages/scan/scan"
PATIENCE = 1.8
"""Seconds for WeChat; the poster with the plain code is worth showing without it."""
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@._~-]{1,32}", re.ASCII)
TOO_LONG = "大厅或窗口的编号太长，或含有小程序码不支持的字（最多 32 个数字、字母和部分符号）"
TOO_MANY = "一分钟内取的小程序码太多，请过一分钟再打开这一页"
NO_ANSWER = "现在取不到小程序码：微信没有回应，请稍后再打开这一页"


@blueprint.get(ROOM)
@staff_only(*SEES_WALLS)
async def halls(request: Request, visit: Visit) -> HTTPResponse:
    seen = _halls(visit.member)
    chosen = next((hall for hall in seen if hall.code == request.args.get("hall")), None)
    if chosen is None and len(seen) == 1:
        chosen = seen[0]
    return show(
        request, "walls.html", halls=seen, hall=chosen, room=ROOM,
        places=_places(visit.member, chosen) if chosen else [],
    )  # fmt: skip


@blueprint.get(f"{ROOM}/<hall>")
@staff_only(*SEES_WALLS)
async def hall_poster(request: Request, visit: Visit, hall: str) -> HTTPResponse:
    return await _poster(request, visit, place_at(hall))


@blueprint.get(f"{ROOM}/<hall>/<window>")
@staff_only(*SEES_WALLS)
async def window_poster(request: Request, visit: Visit, hall: str, window: str) -> HTTPResponse:
    return await _poster(request, visit, place_at(hall, window))


async def _poster(request: Request, visit: Visit, place: Place) -> HTTPResponse:
    """The page, or one of the two pictures on it."""
    if not _may_print(visit.member, place):
        raise UnknownPlace
    app, picture = request.app.ctx, request.args.get("picture")
    address = f"{app.settings.base_url}/{place.path}"
    if picture == "plain":
        return HTTPResponse(qr.svg(address), content_type="image/svg+xml")
    drawn, why_not = await _mini_program_code(app.wechat, place)
    if picture == "wechat" and drawn:
        kind = "image/png" if drawn.startswith(b"\x89PNG") else "image/jpeg"
        return HTTPResponse(drawn, content_type=kind)
    return show(
        request, "wall_poster.html", 404 if picture else 200, place=place, address=address,
        list=_list_of(place.hall), in_wechat=bool(drawn), why_not=why_not,
    )  # fmt: skip


async def _mini_program_code(wechat: WeChat | None, place: Place) -> tuple[bytes, str]:
    """The picture, or why there is none; neither where there is no mini-program."""
    if wechat is None:
        return b"", ""
    scene = "/".join(["h", place.hall.code, *([place.window.code] if place.window else [])])
    if not _SCENE.fullmatch(scene):
        return b"", TOO_LONG
    try:
        async with asyncio.timeout(PATIENCE):
            return await wechat.kept_picture_of(scene, SCAN_PAGE), ""
    except Limited:
        return b"", TOO_MANY
    except (WeChatRefused, WeChatSilent, TimeoutError):
        return b"", NO_ANSWER


def _may_print(member: Member, place: Place) -> bool:
    """A lead: of the agency's own windows. Others: in their region."""
    if member.role is Role.AGENCY_LEAD:
        return place.window is not None and place.window.agency_code == member.agency_code
    return place.hall.region_code in catalogue().within(member.region_code)


def _halls(member: Member) -> list[Hall]:
    known = catalogue()
    seen = (hall for hall in known.halls.values() if _places(member, hall))
    return sorted(seen, key=lambda hall: (hall.region_code, hall.code))


def _places(member: Member, hall: Hall) -> list[dict[str, Any]]:
    """The hall itself and its windows, as far as he prints them."""
    windows = sorted(catalogue().seats.get(hall.code, {}).values(), key=lambda w: w.code)
    every = [Place(hall, None), *(Place(hall, window) for window in windows)]
    return [
        {
            "name": place.window.name if place.window else f"{hall.name}（全大厅）",
            "agency": catalogue().agency_name(place.window.agency_code) if place.window else "",
            "poster": f"{ROOM}/{place.path.removeprefix('h/')}", "page": f"/{place.path}",
        }
        for place in every if _may_print(member, place)
    ]  # fmt: skip


def _list_of(hall: Hall) -> str:
    return f"{ROOM}?hall={quote(hall.code, safe='')}"
