"""The window's tablet: it faces the citizen, shows his receipt's QR code and, on a touch, the form.

Nothing of a citizen stands in an address, and none of these pages may be kept: whoever comes next
finds the welcome. It never runs where staff are signed in.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sanic import Blueprint, HTTPResponse, Request
from sanic import json as json_answer

from server.catalogue.service import catalogue
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.errors import Conflict, Denied, Gone, Invalid, Refusal
from server.kit.failures import DOWN, refusal_of
from server.kit.limits import count_unknown
from server.receipts import qr
from server.receipts import service as receipts
from server.receipts.codes import code_of
from server.reviews import kiosks, rules, service
from server.reviews.api import levels_shown, receipt_shown
from server.reviews.kiosks import KioskOff, Screen, Shown
from server.reviews.rules import ReviewChannel
from server.web.citizen import Typed, typed_of
from server.web.console import SESSION
from server.web.cookies import cookie, set_cookie
from server.web.kiosk_watch import Watch, streamed
from server.web.page import page, see_other
from server.web.typed import fields, only

blueprint = Blueprint("kiosk")
HOME = "/kiosk"
KEY = "kiosk"
KEPT_SECONDS = 31_536_000
IDLE_SECONDS = 90
"""Whoever touches nothing for so long has gone; what he typed goes with him."""
OVER_SECONDS = 8
"""A page that says that something has ended."""


class OnStaffScreen(Denied):
    code = "kiosk_on_staff_screen"
    title = "这台设备登录着工作台，不能当评价器用"

    def __init__(self) -> None:
        super().__init__(
            "评价器要面向群众，不能开在工作人员自己的屏幕上。请先退出工作台，或换一台设备"
        )


class AskEnded(Gone):
    code = "ask_ended"
    title = "这次评价已经结束，什么都没有提交"

    def __init__(self) -> None:
        super().__init__("还想评价，请用手机扫回执上的二维码，回执几天内都有效")


def set_up(app: Any) -> None:
    app.blueprint(blueprint)
    app.ctx.kiosks = Watch()
    app.before_server_stop(app.ctx.kiosks.close)


@blueprint.exception(Refusal, *DOWN)
async def refuse(request: Request, error: Exception) -> HTTPResponse:
    """In the tablet's own frame, whose script looks again: nobody stands there to press a button."""
    refusal = refusal_of(error)
    over = isinstance(refusal, AskEnded)
    return page(
        request, "kiosk/off.html", refusal.status, refusal=refusal, idle=None,
        name="over" if over else Screen.OFF, left=OVER_SECONDS if over else None,
        staff=isinstance(refusal, OnStaffScreen), away=_away(None),
    )  # fmt: skip


def _away(kiosk: Any) -> dict[str, str]:
    """Where the tablet stands."""
    if kiosk is None:
        return {"agency": "", "place": ""}
    known, agency = catalogue(), kiosk["agency_code"]
    window = known.windows.get((agency, kiosk["window_code"]))
    hall = known.halls.get(window.hall_code) if window else None
    return {
        "agency": known.agency_name(agency),
        "place": " ".join(found.name for found in (hall, window) if found),
    }


async def _tablet(request: Request) -> Any:
    if cookie(request, SESSION):
        raise OnStaffScreen
    key = cookie(request, KEY)
    if not key:
        raise KioskOff
    return await kiosks.of_key(key)


@blueprint.get("/kiosk/open/<key>")
async def open_with(request: Request, key: str) -> HTTPResponse:
    """The key goes into a cookie and out of the address."""
    if cookie(request, SESSION):
        raise OnStaffScreen
    try:
        await kiosks.of_key(key)
    except KioskOff:
        await count_unknown(request, "unknown_kiosk")
        raise
    response = see_other(HOME)
    set_cookie(request, response, KEY, key, KEPT_SECONDS)
    return response


@blueprint.get(HOME, name="screen")
async def screen(request: Request) -> HTTPResponse:
    kiosk, now = await _tablet(request), clock.now()
    shown = kiosks.shown(kiosk, now)
    if shown.screen is Screen.ASKED:
        response = await _asked(request, kiosk, shown)
    elif shown.screen is Screen.THANKS:
        code = kiosks.query_code(kiosk, now)
        address = f"{request.app.ctx.settings.base_url}/t/{code}"
        response = _show(
            request, "thanks.html", kiosk, shown, code=codes.grouped(code) if code else "",
            picture=Markup(qr.svg(address)) if code else "",  # noqa: S704  drawn by us
        )  # fmt: skip
    else:
        response = _show(request, "welcome.html", kiosk, shown)
    set_cookie(request, response, KEY, cookie(request, KEY), KEPT_SECONDS)
    return response


async def _asked(request: Request, kiosk: Any, shown: Shown) -> HTTPResponse:
    code = code_of(kiosk["receipt_id"])
    picture = qr.svg(f"{request.app.ctx.settings.base_url}/e/{code}")
    return _show(
        request, "asked.html", kiosk, shown, receipt=receipt_shown(await receipts.by_code(code)),
        picture=Markup(picture),  # noqa: S704  drawn by us
    )  # fmt: skip


def _show(
    request: Request, template: str, kiosk: Any, shown: Shown, status: int = 200, **more: Any
) -> HTTPResponse:
    left = int((shown.until - clock.now()).total_seconds()) + 1 if shown.until else None
    more.setdefault("idle", None)
    return page(
        request, f"kiosk/{template}", status, name=shown.name, left=left, away=_away(kiosk),
        ask=shown.ask.hex if shown.ask else "", **more,
    )  # fmt: skip


@blueprint.get("/kiosk/state")
async def state(request: Request) -> HTTPResponse:
    """The name of what is to be shown; whoever shows something else loads it."""
    kiosk = await _tablet(request)
    return json_answer({"screen": kiosks.shown(kiosk, clock.now()).name})


@blueprint.get("/kiosk/events")
async def events(request: Request) -> None:
    kiosk = await _tablet(request)
    await streamed(request, request.app.ctx.kiosks, kiosk["id"])


def _ask_of(given: dict[str, list[str]]) -> UUID | None:
    try:
        return UUID(hex=only(given, "ask"))
    except ValueError:
        return None


@blueprint.post("/kiosk/begin")
async def begin(request: Request) -> HTTPResponse:
    kiosk, ask = await _tablet(request), _ask_of(fields(request))
    shown = kiosks.shown(kiosk, clock.now())
    if ask is None or ask != shown.ask:
        raise AskEnded
    if shown.screen is not Screen.ASKED:
        return see_other(HOME)
    await kiosks.begin(kiosk["id"], ask)
    return see_other("/kiosk/rate")


@blueprint.get("/kiosk/rate", name="form")
async def form(request: Request) -> HTTPResponse:
    kiosk = await _tablet(request)
    shown = kiosks.shown(kiosk, clock.now())
    if shown.screen is not Screen.ASKED:
        return see_other(HOME)
    return await _form(request, kiosk, shown, typed_of({}))


async def _form(
    request: Request, kiosk: Any, shown: Shown, typed: Typed, refusal: Refusal | None = None
) -> HTTPResponse:
    receipt = await receipts.by_code(code_of(kiosk["receipt_id"]))
    return _show(
        request, "form.html", kiosk, shown, refusal.status if refusal else 200, idle=IDLE_SECONDS,
        receipt=receipt_shown(receipt), levels=levels_shown(), typed=typed, refusal=refusal,
    )  # fmt: skip


@blueprint.post("/kiosk/review")
async def rate(request: Request) -> HTTPResponse:
    """A bad one is asked once more, as everywhere; without a name, as only here."""
    kiosk, given = await _tablet(request), fields(request)
    shown, ask = kiosks.shown(kiosk, clock.now()), _ask_of(given)
    if ask is None or ask != shown.ask:
        raise AskEnded
    if shown.screen is Screen.THANKS:
        return see_other(HOME)
    typed = replace(typed_of(given), real_name=False, name="", phone="")
    if typed.step == "edit":
        return await _form(request, kiosk, shown, typed)
    try:
        return await _submitted(request, kiosk, shown, ask, typed)
    except Conflict:
        return see_other(HOME)  # somebody was faster: it is rated
    except Invalid as refusal:
        return await _form(request, kiosk, shown, typed, refusal)


async def _submitted(
    request: Request, kiosk: Any, shown: Shown, ask: UUID, typed: Typed
) -> HTTPResponse:
    code = code_of(kiosk["receipt_id"])
    receipt = await receipts.by_code(code)
    verdict = service.checked(typed.verdict(), receipt)
    if rules.is_bad(verdict.level) and typed.step != "confirm":
        return _show(
            request, "confirm.html", kiosk, shown, idle=IDLE_SECONDS, typed=typed, verdict=verdict,
            level_name=rules.LEVEL_NAMES[verdict.level],
            tag_texts=[catalogue().tag_text(tag) for tag in verdict.tags],
            undo_minutes=catalogue().policy(receipt["region_code"]).undo_minutes,
        )  # fmt: skip
    await service.submit(
        code, verdict, channel=ReviewChannel.KIOSK, attempt=kiosks.attempt_of(ask, verdict)
    )
    return see_other(HOME)


@blueprint.post("/kiosk/done")
async def done(request: Request) -> HTTPResponse:
    """He has gone, or does not want to."""
    kiosk, ask = await _tablet(request), _ask_of(fields(request))
    if ask:
        await kiosks.end(kiosk["id"], ask)
    return see_other(HOME)
