"""The page behind a code on a wall: rate a hall or a window, without a slip and without JavaScript."""

import secrets
from dataclasses import dataclass
from urllib.parse import quote

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.kit import idempotency
from server.kit.errors import Conflict, Denied, Invalid, Limited, Refusal
from server.kit.idempotency import IdempotencyConflict
from server.kit.wechat import NoMiniProgram
from server.reviews import rules, service, walls
from server.reviews.snapshot import Verdict
from server.reviews.walls import Place
from server.reviews.walls_api import (
    SEARCH_LIMIT,
    MatterShown,
    attempt_of,
    matter_shown,
    place_at,
    visitor_of,
    wall_shown,
)
from server.web import citizen, device
from server.web.citizen import Typed, new_attempt, typed_of
from server.web.page import page, refused, see_other
from server.web.typed import Fields, fields, only

blueprint = Blueprint("wall")
SCAN_PAGE = "/pages/scan/scan"
VISITOR, VISITOR_SECONDS = "visitor", 2 * 86_400
"""A random name for this browser, to count by; worth nothing elsewhere, and gone when it has counted."""
READ_AT_A_GLANCE = 12
"""So many matters need no search."""


class FromElsewhere(Denied):
    code = "stale_page"
    title = "请重新扫码打开这个页面，再评价"


class SentBefore(Conflict):
    code = "idempotency_conflict"
    title = "您刚才在这个页面上的评价已经收到。要评另一次服务，请再按一次提交"


@dataclass(frozen=True)
class Chosen:
    """What the citizen wrote of his visit, to be shown again."""

    matter_code: str = ""
    case_number: str = ""
    search: str = ""


def _chosen(given: Fields) -> Chosen:
    case_number = "".join(c for c in only(given, "case_number") if c.isprintable())
    search = only(given, "q").strip()[:SEARCH_LIMIT]
    return Chosen(only(given, "matter_code")[:33], case_number.strip()[:64], search)


@blueprint.exception(Refusal)
async def refuse(request: Request, refusal: Refusal) -> HTTPResponse:
    """In words, whatever the caller says he accepts."""
    return refused(request, refusal)


@blueprint.get("/h/<name:ext=txt>", name="check_file")
async def wechat_check_file(request: Request, name: str, ext: str) -> HTTPResponse:
    """The rule for codes on walls is a rule of its own, with the same file."""
    return citizen.check_file(request, f"{name}.{ext}")


@blueprint.get("/h/<hall>", name="hall")
async def form_of_hall(request: Request, hall: str) -> HTTPResponse:
    return await _shown(request, place_at(hall))


@blueprint.get("/h/<hall>/<window>", name="window")
async def form_of_window(request: Request, hall: str, window: str) -> HTTPResponse:
    return await _shown(request, place_at(hall, window))


@blueprint.post("/h/<hall>", name="hall_sent")
async def hall_sent(request: Request, hall: str) -> HTTPResponse:
    return await _sent(request, place_at(hall))


@blueprint.post("/h/<hall>/<window>", name="window_sent")
async def window_sent(request: Request, hall: str, window: str) -> HTTPResponse:
    return await _sent(request, place_at(hall, window))


async def _shown(request: Request, place: Place) -> HTTPResponse:
    if request.args.get("open") == "wechat":
        return await _in_wechat(request, place)
    response = _form(request, place, Typed(attempt=new_attempt()), Chosen())
    if not request.cookies.get(VISITOR):
        response.add_cookie(
            VISITOR, secrets.token_urlsafe(12), path="/h", max_age=VISITOR_SECONDS, httponly=True,
            samesite="Lax", secure=request.app.ctx.settings.base_url.startswith("https"),
        )  # fmt: skip
    return device.named(request, response)


async def _sent(request: Request, place: Place) -> HTTPResponse:
    """A bad one is asked once more; the same form sent twice is the same review."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise FromElsewhere  # no code protects this form: another site could send it for its visitors
    given = fields(request)
    typed, chosen = typed_of(given), _chosen(given)
    if typed.step in ("edit", "find"):
        return _form(request, place, typed, chosen)
    try:
        said = walls.about(place, chosen.matter_code, chosen.case_number)
        verdict = service.checked(typed.verdict(), walls.NOBODY)
        if rules.is_bad(verdict.level) and typed.step != "confirm":
            return _confirmation(request, place, typed, chosen, verdict)
        digest = idempotency.digest("POST", "/h", repr((verdict, chosen)).encode(errors="replace"))
        taken = await walls.submit(
            place, said, verdict, visitor_of(request, _visitor(request)),
            attempt=attempt_of(place, typed.attempt, digest), device_key=device.key_of(request),
        )  # fmt: skip
    except IdempotencyConflict:
        return _form(request, place, typed_of(given | {"attempt": [""]}), chosen, SentBefore())
    except (Invalid, Limited) as refusal:
        return _form(request, place, typed, chosen, refusal)
    return see_other(f"/t/{taken.review.query_code}")


def _visitor(request: Request) -> str:
    kept = str(request.cookies.get(VISITOR) or "")
    return f"visitor {kept}" if kept else ""


def _form(
    request: Request, place: Place, typed: Typed, chosen: Chosen, refusal: Refusal | None = None
) -> HTTPResponse:
    wall = wall_shown(place, chosen.search)
    groups: dict[str, list[MatterShown]] = {}
    for matter in [*_kept(place, chosen, wall.matters), *wall.matters]:
        groups.setdefault(matter.agency, []).append(matter)
    response = page(
        request, "wall.html", refusal.status if refusal else 200, refusal=refusal, typed=typed,
        has_phone=False, levels=wall.levels, wall=wall, place=place, groups=groups, about=chosen,
        search=chosen.search, in_wechat=_offers_wechat(request),
        searchable=bool(chosen.search) or len(wall.matters) > READ_AT_A_GLANCE,
    )  # fmt: skip
    if refusal and refusal.retry_after:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _kept(place: Place, chosen: Chosen, listed: list[MatterShown]) -> list[MatterShown]:
    """What was chosen stays chosen when something else is searched for."""
    if chosen.matter_code in {"", *(matter.code for matter in listed)}:
        return []
    found = [matter for matter in walls.matters(place) if matter.code == chosen.matter_code]
    return [matter_shown(matter) for matter in found]


def _confirmation(
    request: Request, place: Place, typed: Typed, chosen: Chosen, verdict: Verdict
) -> HTTPResponse:
    matter = catalogue().matters.get(chosen.matter_code)
    return page(
        request, "wall_confirm.html", typed=typed, verdict=verdict, place=place, about=chosen,
        matter=matter.name if matter else "", level_name=rules.LEVEL_NAMES[verdict.level],
        tag_texts=[catalogue().tag_text(code) for code in verdict.tags],
        undo_minutes=catalogue().policy(place.hall.region_code).undo_minutes,
    )  # fmt: skip


def _offers_wechat(request: Request) -> bool:
    """To a phone's browser outside WeChat; inside it the code itself opens the mini-program."""
    app, agent = request.app.ctx, request.headers.get("user-agent", "")
    allowed = app.settings.wechat_url_link and app.wechat is not None
    return allowed and "Mobile" in agent and "MicroMessenger" not in agent


async def _in_wechat(request: Request, place: Place) -> HTTPResponse:
    """Asked of WeChat only when somebody wants to go there; the page itself waits for nobody."""
    app = request.app.ctx
    if not app.settings.wechat_url_link or app.wechat is None:
        raise NoMiniProgram
    address = quote(f"{app.settings.base_url}/{place.path}", safe="")
    return see_other(await app.wechat.link_to(SCAN_PAGE, f"q={address}"))
