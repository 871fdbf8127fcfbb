"""The room in which a clerk takes in what a citizen tells him, and gives him his query code."""

import json
import secrets
from typing import Any

from markupsafe import Markup
from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.grievances import doubles, intake, service
from server.grievances.doubles import Known
from server.grievances.intake import OF_CLERKS, ON_THE_SPOT, Call
from server.grievances.rules import SOURCE_NAMES, WORDS_LIMIT, Source
from server.grievances.service import Taken
from server.kit import query_codes as codes
from server.kit.clock import clock
from server.kit.errors import Conflict, Invalid
from server.kit.idempotency import Attempt
from server.kit.privacy import vault
from server.kit.web import local
from server.people.rules import OF_AN_AGENCY, SEES_ORDERS
from server.people.service import Member
from server.receipts import qr
from server.web import intake_form
from server.web.console import show, staff_only
from server.web.intake_form import FIELD_OF, Typed
from server.web.visit import Visit
from server.workorders import moves
from server.workorders.models import WorkOrder
from server.workorders.rules import STATE_NAMES, State

blueprint = Blueprint("console_intake")
ROOM = "/console/intake"
LISTED = 200
"""Matters that the browser offers while he types; every one is found by its name or code."""
SOURCE_WORDS = {
    Source.STUCK: "在窗口：办不成事", Source.FAULTS: "在窗口：找茬（纠错、咨询、建议）",
    Source.HOTLINE: "12345 热线", Source.LETTER: "来信", Source.VISIT: "来访",
}  # fmt: skip


@blueprint.get(ROOM)
@staff_only(*SEES_ORDERS)
async def empty_form(request: Request, visit: Visit) -> HTTPResponse:
    new = intake_form.typed({})
    new |= {"once": secrets.token_urlsafe(16), "agency_code": visit.member.agency_code or ""}
    return _form(request, visit, new)


@blueprint.post(ROOM, name="take")
@staff_only(*SEES_ORDERS)
async def take(request: Request, visit: Visit) -> HTTPResponse:
    """Not 303: the code is for the citizen, and no page of ours shows it again."""
    t = intake_form.typed(visit.form)
    read = intake_form.read(t, catalogue())
    if read.call is None:
        return _form(request, visit, t, 422, faults=read.faults)
    try:
        entry = intake.entry_of(visit.member, read.call)
        attempt = _attempt(visit.member, t)
        known = [] if t["anyway"] or await service.earlier(attempt) else await doubles.of(entry)
        if known:
            return _form(request, visit, t, 409, known=await _seen(visit.member, known))
        taken = await intake.take(visit.member, read.call, attempt=attempt, anyway=True)
    except Invalid as refusal:
        return _form(request, visit, t, 422, faults=_faults(refusal))
    except Conflict as refusal:
        return _form(request, visit, t, 409, refused=refusal.detail)
    return await _taken(request, read.call, taken)


def _attempt(member: Member, t: Typed) -> Attempt:
    """The page that is sent twice makes one order."""
    asked = json.dumps({k: v for k, v in t.items() if k != "anyway"}, ensure_ascii=False)
    key = f"intake {member.id}\n{t['once'] or secrets.token_urlsafe(16)}"
    return Attempt(
        vault().fingerprint(key, "idempotency"), vault().fingerprint(asked, "idempotency")
    )


def _faults(refusal: Invalid) -> dict[str, str]:
    named = {FIELD_OF.get(fault.field, fault.field): fault.detail for fault in refusal.errors}
    return named or {"text": refusal.detail}


async def _seen(member: Member, known: list[Known]) -> list[dict[str, Any]]:
    """With a link where he may read the order."""
    found = await moves.seen_of(member, [one.order_number for one in known])
    return [
        {"known": one, "state": STATE_NAMES[State(one.state)], "visible": one.order_number in found}
        for one in known
    ]


def _form(
    request: Request, visit: Visit, t: Typed, status: int = 200, *,
    faults: dict[str, str] | None = None, known: list[dict[str, Any]] | None = None, refused: str = "",
) -> HTTPResponse:  # fmt: skip
    policy = catalogue().policy(visit.member.region_code)
    return show(
        request, "intake.html", status, typed=t, faults=faults or {}, known=known or [], refused=refused,
        room=ROOM, sources=[(str(s), SOURCE_WORDS[s]) for s in OF_CLERKS],
        kinds=intake_form.kinds(policy), functions=intake_form.FUNCTIONS, words_limit=WORDS_LIMIT,
        agencies=_agencies(visit.member), halls=_halls(visit.member), matters=_matters(visit.member),
        may_answer=visit.member.role in OF_AN_AGENCY, silence_days=policy.silence_days,
        today=local(clock.now()).date().isoformat(),
        spot_sources="、".join(SOURCE_NAMES[s] for s in OF_CLERKS if s in ON_THE_SPOT),
    )  # fmt: skip


def _agencies(member: Member) -> list[tuple[str, list[tuple[str, str]]]]:
    known = catalogue()
    regions = [*known.upward(member.region_code), *sorted(known.within(member.region_code))]
    found = []
    for region in dict.fromkeys(regions):
        here = sorted((a.name, a.code) for a in known.agencies.values() if a.region_code == region)
        name = known.regions[region].name if region in known.regions else region
        if here:
            found.append((name, [(code, title) for title, code in here]))
    return found


def _halls(member: Member) -> list[tuple[str, str]]:
    known = catalogue()
    regions = {*known.upward(member.region_code), *known.within(member.region_code)}
    return sorted((h.code, h.name) for h in known.halls.values() if h.region_code in regions)


def _matters(member: Member) -> list[str]:
    """His own agency's first."""
    found = [m for m in catalogue().matters.values() if m.active]
    found.sort(key=lambda m: (m.agency_code != member.agency_code, m.name, m.code))
    return [f"{m.name}（{m.code}）" for m in found[:LISTED]]


async def _taken(request: Request, call: Call, taken: Taken) -> HTTPResponse:
    order = await WorkOrder.get(number=taken.order.number)
    address = f"{request.app.ctx.settings.base_url}/t/{taken.query_code}"
    policy = catalogue().policy(order.region_code)
    picture = qr.svg(address).replace("评价二维码", "查询二维码")
    return show(
        request, "intake_taken.html", order=order, code=codes.grouped(taken.query_code), address=address,
        picture=Markup(picture),  # noqa: S704  drawn by us from our own address
        agency=catalogue().agency_name(order.agency_code), room=ROOM, due=local(order.due_at).date(),
        source=SOURCE_NAMES[call.source], texts=bool(call.phone) and policy.sms,
        answered=order.state == State.ANSWERED, silence_days=policy.silence_days,
        day=local(clock.now()).date(),
    )  # fmt: skip
