"""Only in the demo: its hall, where receipts are printed, and its clock."""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

import pyotp
from asyncpg import Record
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request
from sanic import json as json_answer

from server.catalogue.models import Matter, Window
from server.catalogue.service import catalogue
from server.kit import beacon, forms
from server.kit.clock import clock
from server.kit.errors import Invalid, Refusal
from server.kit.forms import Form
from server.kit.privacy import vault
from server.kit.web import local
from server.people.rules import ROLE_NAMES, Role
from server.receipts import service as receipts
from server.receipts.codes import code_of, number_of
from server.receipts.rules import Channel, Stage
from server.receipts.service import ApplicantForm, ReceiptForm
from server.reviews import kiosks, walls
from server.reviews.api import receipt_shown
from server.reviews.walls import UnknownPlace
from server.settings import Settings
from server.web.page import page, see_other
from server.web.typed import fields, only
from server.workorders.rules import route

CLOCK = "demo_clock"
LONGEST_STEP = 10 * 366 * 86400
STEP_MINUTES = 15
ACCOUNTS = "demo.json"
blueprint = Blueprint("demo")


class ClockForm(Form):
    advance_seconds: Annotated[int, Meta(ge=0, le=LONGEST_STEP)]


_clock_form = forms.decoder(ClockForm)


async def follow_clock(seconds: int) -> None:
    """The watcher of the clock's beacon in every process. Never backwards."""
    clock.advanced = max(clock.advanced, timedelta(seconds=seconds))


@blueprint.post("/demo/clock")
async def advance(request: Request) -> HTTPResponse:
    """As JSON for programs; as the slip's form for people, who come back to their slip."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return await _advance_and_return(request)
    form = forms.decode(_clock_form, request.body, request.headers.get("content-type", ""))
    await follow_clock(await beacon.raise_by(CLOCK, form.advance_seconds))
    return json_answer({"now": clock.now().isoformat(timespec="seconds")})


async def _advance_and_return(request: Request) -> HTTPResponse:
    given = fields(request)
    code = only(given, "code")
    number_of(code)
    await follow_clock(await beacon.raise_by(CLOCK, STEP_MINUTES * 60))
    return see_other(f"/demo/slip/{code}")


class ChooseWindow(Invalid):
    code = "choose_window"
    title = "请先选择窗口，再选择这个窗口的事项"


@dataclass(frozen=True)
class Choice:
    """What is chosen in the hall."""

    window: Window
    matters: list[Matter]
    matter_code: str = ""
    phone: str = ""


@blueprint.get("/demo", name="hall")
async def hall(request: Request) -> HTTPResponse:
    return _hall(request, _choice(request.args.get("window") or ""))


@blueprint.post("/demo", name="print")
async def handle_and_print(request: Request) -> HTTPResponse:
    """What a window's system does when a case is done."""
    given = fields(request)
    chosen = _choice(
        only(given, "window"), only(given, "matter"), only(given, "phone").strip()[:24]
    )
    if chosen is None or only(given, "window") != _key(chosen.window):
        return _hall(request, chosen, ChooseWindow())
    (issued,) = await receipts.issue(chosen.window.agency_code, [_receipt(chosen)])
    if isinstance(issued, Refusal):
        return _hall(request, chosen, issued)
    return see_other(f"/demo/slip/{code_of(issued.id)}")


@blueprint.get("/demo/wall", name="wall")
async def wall(request: Request) -> HTTPResponse:
    """To the page behind the code on the wall of that window."""
    chosen = _choice(request.args.get("window") or "")
    if chosen is None:
        raise UnknownPlace
    return see_other(f"/{walls.find(chosen.window.hall_code, chosen.window.code).path}")


@blueprint.get("/demo/kiosk", name="kiosk")
async def kiosk(request: Request) -> HTTPResponse:
    """To the tablet of that window, with its key."""
    chosen = _choice(request.args.get("window") or "")
    windows = _seeded(request.app.ctx.settings).get("windows", [])
    place = (chosen.window.agency_code, chosen.window.code) if chosen else ()
    for window in windows:
        if (window["agency_code"], window["window_code"]) == place and "kiosk_url" in window:
            return see_other(urlsplit(window["kiosk_url"]).path)
    raise kiosks.NoKiosk


@blueprint.post("/demo/ask", name="ask")
async def ask(request: Request) -> HTTPResponse:
    """What a window's system does by API when a case is done."""
    code = only(fields(request), "code")
    receipt = await receipts.by_code(code)
    window = receipt["window_code"] or ""
    await kiosks.ask(receipt["agency_code"], window, str(receipt["id"]))
    return see_other(f"/demo/slip/{code}?asked=1")


@blueprint.get("/demo/slip/<code>", name="slip")
async def slip(request: Request, code: str) -> HTTPResponse:
    receipt = await receipts.by_code(code)
    return page(
        request, "demo/slip.html", code=code, receipt=receipt_shown(receipt),
        case_number=receipt["case_number"], open_until=local(receipt["open_until"]),
        now=local(clock.now()), step_minutes=STEP_MINUTES, phone=_phone(receipt),
        window=f"{receipt['agency_code']}-{receipt['window_code']}", asked=bool(request.args.get("asked")),
        accounts=_accounts(request.app.ctx.settings, _answering(receipt)),
    )  # fmt: skip


def _phone(receipt: Record) -> str:
    """Where its notice goes."""
    sealed = receipt["applicant"]
    told = json.loads(vault().unseal(sealed, "applicant")) if sealed else {}
    return told.get("phone") or ""


def _hall(request: Request, chosen: Choice | None, refusal: Refusal | None = None) -> HTTPResponse:
    return page(
        request, "demo/hall.html", refusal.status if refusal else 200, refusal=refusal,
        seats=_seats(), chosen=chosen,
        window=_key(chosen.window) if chosen else "", now=local(clock.now()),
        var=request.app.ctx.settings.var,
    )  # fmt: skip


def _seats() -> dict[str, list[tuple[str, str]]]:
    """Hall → its windows: what the form sends, and what stands there."""
    known = catalogue()
    seats: dict[str, list[tuple[str, str]]] = {}
    for window in sorted(known.windows.values(), key=lambda w: w.code):
        house = known.halls.get(window.hall_code)
        name = f"{window.name} · {known.agency_name(window.agency_code)}"
        seats.setdefault(house.name if house else "", []).append((_key(window), name))
    return seats


def _key(window: Window) -> str:
    return f"{window.agency_code}-{window.code}"


def _choice(key: str, matter_code: str = "", phone: str = "") -> Choice | None:
    """That window, else the city's first one; None in an empty city."""
    known = catalogue()
    windows = {_key(window): window for window in known.windows.values()}
    if not windows:
        return None
    window = windows.get(key) or min(windows.values(), key=lambda w: w.code)
    mine = [m for m in known.matters.values() if window.agency_code == m.agency_code]
    common = [m for m in known.matters.values() if m.agency_code is None]
    mine.sort(key=lambda matter: matter.code)
    return Choice(window, mine + common, matter_code, phone)


def _receipt(chosen: Choice) -> ReceiptForm:
    now, agency_code = local(clock.now()), chosen.window.agency_code
    officers = (number for code, number in catalogue().officers if code == agency_code)
    return ReceiptForm(
        case_number=f"{agency_code}-{now:%Y%m%d}-{secrets.token_hex(3).upper()}", service_number=1,
        matter_code=chosen.matter_code, window_code=chosen.window.code,
        officer_number=min(officers, default=None), stage=Stage.COLLECT, channel=Channel.WINDOW,
        handled_at=now, applicant=ApplicantForm(name="", phone=chosen.phone or None),
    )  # fmt: skip


def _answering(receipt: Record) -> str:
    """The agency that a bad review of this receipt would go to."""
    known = catalogue()
    matter = known.matters.get(receipt["matter_code"])
    window = known.windows.get((receipt["agency_code"], receipt["window_code"] or ""))
    house = known.halls.get(window.hall_code) if window else None
    lead, _ = route(
        matter_agency=matter.agency_code if matter else None, co_agencies=(),
        hall_desk=house.desk_agency_code if house else None, issuer=receipt["agency_code"],
    )  # fmt: skip
    return lead


def _seeded(settings: Settings) -> dict[str, Any]:
    """What `seed` wrote."""
    try:
        return dict(json.loads((settings.var / ACCOUNTS).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _accounts(settings: Settings, agency_code: str) -> list[dict[str, Any]]:
    """The handler who answers and the supervisor behind him, with codes that are right now."""
    staff = _seeded(settings).get("staff", [])
    wanted = ((Role.HANDLER, agency_code), (Role.SUPERVISOR, None))
    found = (
        next((s for s in staff if (s["role"], s["agency_code"]) == post), None) for post in wanted
    )
    return [
        {
            "role": ROLE_NAMES[Role(member["role"])], "username": member["username"],
            "password": member["password"], "agency": catalogue().agency_name(member["agency_code"]),
            "totp": pyotp.TOTP(member["totp_secret"]).at(clock.now()),
        }
        for member in found if member
    ]  # fmt: skip
