"""One order with all that may be done to it."""

from dataclasses import dataclass, field, replace
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from server.catalogue.service import catalogue
from server.grievances import doubles as contacts_of
from server.kit.clock import clock
from server.kit.web import local
from server.people.models import Staff
from server.people.rules import OF_AN_AGENCY, ROLE_NAMES, SEES_ORDERS, Role
from server.reviews.progress import CITIZEN_WORDS
from server.reviews.verification import Person
from server.web import desk_words, order_words
from server.web.appeal_card import card
from server.web.console import show, staff_only
from server.web.desk_forms import ACTS, Act, Typed
from server.web.visit import Visit
from server.workorders import doubles, joined, moves, service, shown, timing
from server.workorders.accountability import WHY_NAMES, Why
from server.workorders.models import Accountability, Opinion, WorkOrder
from server.workorders.rules import STATE_NAMES, State
from server.workorders.shown import OrderShown, Whole

blueprint = Blueprint("console_order")
ORDERS = "/console/orders"


@dataclass(frozen=True)
class Attempt:
    """What was just tried, and why it is not done (yet)."""

    act: str = ""
    typed: Typed = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    faster: str = ""
    """Somebody else's move came first."""
    preview: bool = False
    person: Person | None = None
    """Who the citizen is: in the answer to the question alone."""


async def find(visit: Visit, number: str) -> WorkOrder:
    if not (number.isascii() and number.isalnum()):
        raise service.UnknownOrder
    return await service.find(visit.member, number)


@blueprint.get(f"{ORDERS}/<number>")
@staff_only(*SEES_ORDERS)
async def one_order(request: Request, visit: Visit, number: str) -> HTTPResponse:
    order = await find(visit, number)
    return await order_page(request, visit, order, done=request.args.get("done") or "")


async def order_page(
    request: Request, visit: Visit, order: WorkOrder, status: int = 200, *,
    attempt: Attempt | None = None, done: str = "",
) -> HTTPResponse:  # fmt: skip
    of, attempt = await shown.whole(order), attempt or Attempt()
    told, now = shown.shown(of, visit.member), clock.now()
    names = await _names(of)
    history = _history(of, told, names)
    rights = _acts(visit, of, told)
    forms = rights | {
        "attempt": attempt, "address": f"{ORDERS}/{order.number}", "visit": visit, "acts": ACTS,
        "hints": _hints(of), "choices": await _choices(visit, of),
    }  # fmt: skip
    return show(
        request, "order.html", status, order=order, whole=told, attempt=attempt, form_of=forms,
        names=names, agency=catalogue().agency_name,
        row=desk_words.row(order, now, catalogue(), visit.member.agency_code),
        doubles=await _doubles(order) if "merge" in told.may else [],
        first_asked=await _first_asked(order), merged=await joined.merged(order.number),
        timeline=history, talk=[entry for entry in history if order_words.is_said(entry["step"])],
        done=ACTS[done].done if done in ACTS and _is_done(done, of) else "",
        opinions=order_words.opinions_shown(
            await Opinion.filter(order_id=order.number).order_by("id"), catalogue().agency_name
        ),
        records=await _records(visit, order), words=order_words, citizen_reads=CITIZEN_WORDS,
        acts=ACTS, address=forms["address"], appeal_card=await card(visit.member, order), **rights,
    )  # fmt: skip


def _acts(visit: Visit, of: Whole, told: OrderShown) -> dict[str, Any]:
    """What is open, what is a click away, and what stands beside the citizen's words."""
    member, order = visit.member, of.order
    offered = {*told.may, *told.may_record, *order_words.beside_the_table(of, member)}
    main = order_words.main_acts(State(order.state), member.role, offered)
    ours = member.role in OF_AN_AGENCY and member.agency_code == order.agency_code
    rest = [key for key in ACTS if key in offered and key not in (*main, "message")]
    return {
        "main": [_now(key, order) for key in main], "others": [_now(key, order) for key in rest],
        "may_talk": "message" in offered, "may_flag": ours,
        "may_rule_flags": member.role is Role.SUPERVISOR,
        "waiting_for": order_words.waiting_for(
            order, told, member, catalogue().agency_name(order.agency_code)
        ),
    }  # fmt: skip


def _now(key: str, order: WorkOrder) -> Act:
    """Nobody can have been told an answer that there is not."""
    act = ACTS[key]
    if order.state == State.ANSWERED:
        return act
    return replace(act, fields=tuple(field for field in act.fields if field.name != "told_answer"))


async def _names(of: Whole) -> dict[int, str]:
    ids = {step.actor_id for step in of.steps} | {of.order.owner_id, of.order.verifier_id}
    ids |= moves.first_asked(of.order)
    found = await Staff.filter(id__in=ids - {None})
    return {staff.id: staff.name for staff in found}


MOST_DOUBLES = 5


async def _doubles(order: WorkOrder) -> list[dict[str, Any]]:
    """Held out to a person, who merges or does not."""
    contacts = await contacts_of.same_contact(order.number)
    found = await doubles.of(order, clock.now(), contacts)
    return [
        {
            "order": double.order, "why": double.why, "state": STATE_NAMES[State(double.order.state)],
            "words": desk_words.shortened(double.order.words),
        }
        for double in found[:MOST_DOUBLES]
    ]  # fmt: skip


async def _first_asked(order: WorkOrder) -> list[str]:
    """With his agency: he need not be of the one that answers."""
    found = await Staff.filter(id__in=moves.first_asked(order)).order_by("id")
    return [
        f"{staff.name}（{catalogue().agency_name(staff.agency_code) or ROLE_NAMES[Role(staff.role)]}）"
        for staff in found
    ]


def _history(of: Whole, told: OrderShown, names: dict[int, str]) -> list[dict[str, Any]]:
    """Steps of colleagues with name and minute, of citizens with the day alone."""
    return [
        {
            "step": step, "flag": of.flags.get(row.id), "of_citizen": row.actor == "citizen",
            "by": f"{step.by} {names.get(row.actor_id or 0, '')}".strip(),
            "when": desk_words.moment(step.at) if row.actor_id
            else desk_words.day(local(step.at).date()),
            "what": order_words.opened_words(row.move, step.what, desk_words.door_of(of.order)),
            "disposition": order_words.DISPOSITION_NAMES.get(step.disposition or "", ""),
        }
        for row, step in zip(of.steps, told.steps, strict=True)
    ]  # fmt: skip


def _is_done(act: str, of: Whole) -> bool:
    """A notice of success is no invention of the address."""
    if act in ("flag", "flag-ruling"):
        return any(act == "flag" or flag.upheld is not None for flag in of.flags.values())
    return bool(of.steps) and of.steps[-1].move == ACTS[act].step


async def _records(visit: Visit, order: WorkOrder) -> list[dict[str, Any]]:
    if visit.member.role is not Role.SUPERVISOR:
        return []
    found = await Accountability.filter(order_number=order.number).order_by("id")
    return [{"record": record, "why": WHY_NAMES[Why(record.why)]} for record in found]


def _hints(of: Whole) -> dict[str, str]:
    """What a form says of this order's own limits."""
    order = of.order
    policy = catalogue().policy(order.region_code)
    until = desk_words.day(local(order.due_at).date())
    return {
        "accept": f"受理后由您负责到底，并在{until}前答复。群众的查询页会显示“{CITIZEN_WORDS['accept']}”，"
        "不显示您的姓名。",
        "ask": f"等候期间停表，整张工单最多还可以停 {timing.ask_days_left(order, of.steps)} 个工作日。",
        "plan": f"最迟到{desk_words.day(timing.latest_plan(order, of.steps))}；到那一天为止要答复。",
        "part": f"由{catalogue().agency_name(order.agency_code)}牵头办理和答复，本单位协办；"
        f"全部意见到齐后才能答复群众，{until}到期。",
        "extend": f"最多 {policy.extension_days} 个工作日，从现在的期限{until}起算；期限之内才能提出。",
    }  # fmt: skip


async def _choices(visit: Visit, of: Whole) -> dict[str, list[tuple[str, list[tuple[str, str]]]]]:
    """Of the fields whose choices are of this order: groups of value and words, by act."""
    order = of.order
    agencies = _agencies(order)
    waiting = [part.agency_code for part in of.parts if part.state == "waiting"]
    return {
        "return": agencies, "reassign": agencies,
        "release": [("", [(code, catalogue().agency_name(code)) for code in waiting])],
        "accountability": [("", [(str(why), name) for why, name in WHY_NAMES.items()])],
        "verifier": [("", await _colleagues(visit, order))],
    }  # fmt: skip


def _agencies(order: WorkOrder) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every other agency of the place, by region, the order's own region first."""
    known, regions = catalogue(), list(catalogue().upward(order.region_code))
    below = sorted(known.within(regions[-1]) - set(regions)) if regions else []
    found = []
    for code in [*regions, *below]:
        here = sorted(
            (agency.name, agency.code) for agency in known.agencies.values()
            if agency.region_code == code and agency.code != order.agency_code
        )  # fmt: skip
        if here:
            name = known.regions[code].name if code in known.regions else code
            found.append((name, [(agency, title) for title, agency in here]))
    return found


async def _colleagues(visit: Visit, order: WorkOrder) -> list[tuple[str, str]]:
    if visit.member.role is not Role.AGENCY_LEAD:
        return []
    found = await Staff.filter(
        agency_code=order.agency_code, role__in=list(OF_AN_AGENCY), active=True
    ).order_by("name", "id")
    return [(staff.username, f"{staff.name}（{ROLE_NAMES[Role(staff.role)]}）") for staff in found]
