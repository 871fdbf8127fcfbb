"""Every form of an order's page, each behind a door of its own: POST, then the order anew."""

from collections.abc import Awaitable, Callable
from datetime import date

from sanic import Blueprint, HTTPResponse, Request

from server.kit.errors import Conflict, Invalid, Missing
from server.people.rules import Role
from server.people.service import Member
from server.reviews import callbacks, verification
from server.reviews.callbacks import Talk
from server.reviews.verification import Person
from server.web import desk_forms, order_words
from server.web.console import staff_only
from server.web.desk_forms import ACTS, Act, Typed
from server.web.order_page import ORDERS, Attempt, find, order_page
from server.web.page import see_other
from server.web.visit import Visit
from server.workorders import alerts, flags, handling, merging, ruling, service, supervision
from server.workorders.accountability import Why
from server.workorders.handling import Verified
from server.workorders.rules import Disposition, Finding, Ruling, State

blueprint = Blueprint("console_acts")


class UnknownChoice(Invalid):
    code = "unknown_choice"
    title = "请重新选择"


def _verify(who: Member, number: str, t: Typed) -> Awaitable[object]:
    return handling.verify(who, number, Verified(Finding(t["finding"]), t["how"], t["text"]))


def _call_back(who: Member, number: str, t: Typed) -> Awaitable[object]:
    reached = t["result"] != "unreached"
    talk = Talk(
        reached=reached, satisfied=t["result"] == "satisfied" if reached else None,
        told_answer=bool(t["told_answer"]) and reached, text=t["text"],
    )  # fmt: skip
    return callbacks.record(who, number, talk)


def _list_accountable(who: Member, number: str, t: Typed) -> Awaitable[object]:
    if t["why"] not in set(Why):
        raise UnknownChoice
    return supervision.put_on_list(who, number, Why(t["why"]), t["text"])


Run = Callable[[Member, str, Typed], Awaitable[object]]
RUN: dict[str, Run] = {
    "accept": lambda who, number, _: service.accept(who, number),
    "answer": lambda who, number, t: service.answer(
        who, number, disposition=Disposition(t["disposition"]), text=t["text"],
        legal_basis=t["legal_basis"],
    ),
    "part": lambda who, number, t: handling.part(who, number, text=t["text"]),
    "call-back": _call_back,
    "ask": lambda who, number, t: handling.ask(who, number, text=t["text"]),
    "plan": lambda who, number, t: handling.plan(
        who, number, text=t["text"], until=date.fromisoformat(t["until"].strip())
    ),
    "extend": lambda who, number, t: handling.extend(
        who, number, working_days=int(t["working_days"]), reason=t["reason"]
    ),
    "return": lambda who, number, t: handling.give_back(
        who, number, agency_code=t["agency_code"], reason=t["reason"]
    ),
    "verify": _verify,
    "verifier": lambda who, number, t: verification.name_verifier(who, number, t["username"]),
    "reveal": lambda who, number, t: verification.reveal(who, number, t["reason"]),
    "message": lambda who, number, t: handling.message(who, number, text=t["text"]),
    "flag": lambda who, number, t: flags.flag(who, number, int(t["step_id"]), t["reason"]),
    "reassign": lambda who, number, t: ruling.reassign(who, number, agency_code=t["agency_code"]),
    "refuse": lambda who, number, t: ruling.refuse(who, number, reason=t["reason"]),
    "supervise": lambda who, number, t: ruling.supervise(who, number, text=t["text"]),
    "rule": lambda who, number, t: ruling.rule(
        who, number, finding=Ruling(t["finding"]), text=t["text"]
    ),
    "urge": lambda who, number, t: ruling.urge(who, number, text=t["text"]),
    "release": lambda who, number, t: ruling.release(
        who, number, agency_code=t["agency_code"], reason=t["reason"]
    ),
    "takeover": lambda who, number, t: ruling.takeover(who, number, reason=t["reason"]),
    "flag-ruling": lambda who, number, t: flags.rule(
        who, number, int(t["step_id"]), t["upheld"] == "yes"
    ),
    "accountability": _list_accountable,
    "merge": lambda who, number, t: merging.merge(who, number, into=t["into"].strip().upper()),
}  # fmt: skip


async def _act(request: Request, visit: Visit, number: str, act: Act) -> HTTPResponse:
    order = await find(visit, number)
    typed = desk_forms.read(act, visit.form)
    faults = desk_forms.faults(act, typed)
    preview = act.key == "answer" and "preview" in visit.form
    if faults or preview:
        tried = Attempt(act.key, typed, faults, preview=preview and not faults)
        return await order_page(request, visit, order, 422 if faults else 200, attempt=tried)
    try:
        done = await RUN[act.key](visit.member, order.number, typed)
    except Invalid as refusal:
        tried = Attempt(act.key, typed, _faults_of(act, refusal))
        return await order_page(request, visit, order, 422, attempt=tried)
    except Conflict as refusal:
        return await _too_late(request, visit, number, Attempt(act.key, typed), refusal.detail)
    except Missing as refusal:
        return await _no_such_thing(request, visit, number, Attempt(act.key, typed), refusal)
    await _read(visit.member, number)
    if isinstance(done, Person):
        now = await find(visit, number)
        return await order_page(request, visit, now, attempt=Attempt(person=done))
    return see_other(f"{ORDERS}/{order.number}?done={act.key}")


async def _read(member: Member, number: str) -> None:
    """Who has acted need not be reminded of what led him there."""
    told = await alerts.alerts_of(member)
    await alerts.seen(member, [alert.id for alert in told if alert.order_number == number])


def _faults_of(act: Act, refusal: Invalid) -> dict[str, str]:
    """In this form's own fields; what names none stands at the last one that is seen."""
    seen = [field.name for field in act.fields if field.kind != "hidden"]
    named = {fault.field: fault.detail for fault in refusal.errors if fault.field in seen}
    return named or {seen[-1]: refusal.detail}


async def _too_late(
    request: Request, visit: Visit, number: str, tried: Attempt, why: str
) -> HTTPResponse:
    """Somebody was faster: the order as it is now, and what was typed."""
    order = await find(visit, number)
    faster = order_words.not_done(ACTS[tried.act].title, State(order.state), why)
    now = Attempt(tried.act, tried.typed, faster=faster)
    return await order_page(request, visit, order, 409, attempt=now)


async def _no_such_thing(
    request: Request, visit: Visit, number: str, tried: Attempt, refusal: Missing
) -> HTTPResponse:
    """What the form names is not there; or the order itself has just gone to somebody else."""
    order = await find(visit, number)
    if tried.act != "merge":
        raise refusal
    tried.faults["into"] = refusal.detail
    return await order_page(request, visit, order, 422, attempt=tried)


def _hang(act: Act) -> None:
    @staff_only(*map(Role, sorted(act.roles)))
    async def enter(request: Request, visit: Visit, number: str) -> HTTPResponse:
        return await _act(request, visit, number, act)

    name = act.key.replace("-", "_")
    blueprint.add_route(enter, f"{ORDERS}/<number>/{act.key}", methods=["POST"], name=name)


for _each in ACTS.values():
    _hang(_each)
