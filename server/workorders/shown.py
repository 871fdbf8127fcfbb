"""An order as the agency and its supervisor read it. Nothing here says who the citizen is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from msgspec import Struct

from server.catalogue.service import catalogue
from server.kit.clock import BEIJING, clock
from server.kit.web import local
from server.people.rules import ROLE_NAMES
from server.people.service import Member
from server.workorders import flags
from server.workorders.models import Flag, Part, Step, WorkOrder
from server.workorders.moves import facts
from server.workorders.origins import CHOSEN_NAMES
from server.workorders.rights import may, may_record
from server.workorders.rules import STEP_NAMES, State, is_overdue


class StepShown(Struct):
    at: datetime
    """Of a citizen's step only the day: the hour could tell who he was."""
    move: str
    what: str
    state: str
    by: str
    words: str
    disposition: str | None
    legal_basis: str | None
    step_id: int
    """Its place in the history of this order: a number over all orders would tell the hour too."""
    flagged: bool
    """Held to be abuse by the agency, and not by the supervisor to be none: folded on show."""


class PartShown(Struct):
    agency_code: str
    agency: str
    state: str
    words: str


class OrderListed(Struct):
    number: str
    origin: str
    state: str
    agency_code: str
    matter: str
    window: str
    level: int | None
    opened_on: date
    due_at: datetime
    next_due_at: datetime | None
    overdue: bool


class OrderShown(OrderListed):
    co_agency_codes: list[str]
    parts: list[PartShown]
    hall: str
    tags: list[str]
    tag_texts: list[str]
    words: str
    real_name: bool
    provisional: bool
    outcome: str | None
    ruling: str | None
    returns: int
    proposed_agency_code: str | None
    desk_agency_code: str | None
    extension_days: int | None
    planned_until: date | None
    verified_as: str | None
    told_how: str | None
    merged_into: str | None
    first_asked: bool
    """首问负责: whoever reads this is the one whom the citizen asked first; he may urge."""
    may: list[str]
    """Moves of the table that would not be refused now; each is a door of its name."""
    may_record: list[str]
    """The same of what stands beside the order and moves nothing."""
    steps: list[StepShown]


@dataclass(frozen=True)
class Whole:
    """An order with all that hangs on it."""

    order: WorkOrder
    steps: Sequence[Step]
    parts: Sequence[Part] = ()
    flags: dict[int, Flag] = field(default_factory=dict)


async def whole(order: WorkOrder) -> Whole:
    steps = await Step.filter(order_id=order.number).order_by("id")
    parts = await Part.filter(order_id=order.number).order_by("id") if order.co_agency_codes else []
    said = [step for step in steps if step.actor == "citizen"]
    return Whole(order, steps, parts, await flags.flags_of(said) if said else {})


def listed(order: WorkOrder) -> dict[str, object]:
    return {
        "number": order.number, "origin": order.origin, "state": order.state,
        "agency_code": order.agency_code, "matter": order.matter, "window": order.window,
        "level": order.level, "opened_on": order.opened_on, "due_at": local(order.due_at),
        "next_due_at": local(order.next_due_at) if order.next_due_at else None,
        "overdue": is_overdue(State(order.state), order.next_due_at, clock.now()),
    }  # fmt: skip


def shown(of: Whole, member: Member) -> OrderShown:
    order, now = of.order, clock.now()
    known = facts(order, of.steps, of.parts, member)
    return OrderShown(
        **listed(order),  # type: ignore[arg-type]
        co_agency_codes=order.co_agency_codes, parts=[_part_shown(part) for part in of.parts],
        hall=order.hall, tags=order.tags,
        tag_texts=chosen_texts(order), words=order.words,
        real_name=order.real_name, provisional=order.provisional, outcome=order.outcome,
        ruling=order.ruling, returns=order.returns,
        proposed_agency_code=order.proposed_agency_code, desk_agency_code=order.desk_agency_code,
        extension_days=order.extension_days, planned_until=order.planned_until,
        verified_as=order.verified_as, told_how=order.told_how, merged_into=order.merged_into,
        first_asked=known.is_first_asked,
        may=[str(move) for move in may(known, member.role, now)],
        may_record=[str(record) for record in may_record(known, member.role, now)],
        steps=[_step_shown(step, place, of.flags) for place, step in enumerate(of.steps, 1)],
    )  # fmt: skip


def chosen_texts(order: WorkOrder) -> list[str]:
    """The reasons of a review, or what was chosen where nothing is rated."""
    return [CHOSEN_NAMES.get(code) or catalogue().tag_text(code) for code in order.tags]


def _part_shown(part: Part) -> PartShown:
    name = catalogue().agency_name(part.agency_code)
    return PartShown(part.agency_code, name, part.state, part.words)


_ROLE_WORDS = {
    "citizen": "群众",
    "system": "系统",
    **{str(r): name for r, name in ROLE_NAMES.items()},
}


def _step_shown(step: Step, place: int, flagged: dict[int, Flag]) -> StepShown:
    at = local(step.at)
    if step.actor in ("citizen", "system"):
        at = datetime(at.year, at.month, at.day, tzinfo=BEIJING)
    return StepShown(
        at, step.move, STEP_NAMES.get(step.move, ""), step.state,
        _ROLE_WORDS.get(step.actor, step.actor), step.words, step.disposition, step.legal_basis,
        place, flags.is_folded(flagged.get(step.id)),
    )  # fmt: skip
