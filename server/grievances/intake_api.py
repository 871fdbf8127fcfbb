"""The clerks' door: what the hotline's own system, or a clerk, enters for a citizen."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.grievances import about, intake, rules
from server.grievances.intake import Call, Spoken
from server.grievances.rules import Function, Kind, Source
from server.grievances.service import BadPhone, ContactRequired
from server.kit.forms import Form
from server.kit.web import Door, local
from server.people.guard import StaffWith
from server.people.rules import SEES_ORDERS
from server.people.service import Member
from server.workorders.models import WorkOrder
from server.workorders.rules import BlankText, Disposition, IllegalMove

door = Door("intake")
CLERKS = StaffWith(*sorted(SEES_ORDERS))
Code = Annotated[str, Meta(max_length=33)]


class WhoAsked(Form):
    name: Annotated[str, Meta(max_length=intake.NAME_LIMIT)] = ""
    phone: Annotated[str, Meta(max_length=24)] | None = None


class OnTheSpotForm(Form):
    disposition: Disposition
    text: Annotated[str, Meta(max_length=2000)]
    legal_basis: Annotated[str, Meta(max_length=1000)] | None = None


class IntakeForm(Form):
    source: Literal["stuck", "faults", "hotline", "letter", "visit"]
    text: str
    kind: Kind | None = None
    """faults: correction, consultation, suggestion; stuck: cannot, hard, refused."""
    function: Function | None = None
    """Of faults only."""
    matter_code: Code | None = None
    hall_code: Code | None = None
    window_code: Code | None = None
    agency_code: Annotated[str, Meta(max_length=18)] | None = None
    """Whose it is, where no matter says it."""
    came_on: date | None = None
    """The day of the call, letter or visit, if it was not today."""
    external_number: Annotated[str, Meta(max_length=intake.TICKET_LIMIT)] | None = None
    """Of the other system's own ticket: taken once for each source."""
    contact: WhoAsked | None = None
    real_name: bool = False
    """He agrees to be called back; of the hotline every one who is not anonymous."""
    on_the_spot: OnTheSpotForm | None = None
    """A simple one, answered to his face by the agency whose it is."""
    not_a_double: bool = False
    """The clerk has looked at the orders that a `looks_known` named."""


class IntakeTaken(Struct):
    number: str
    query_code: str
    """For the citizen: by it he follows his order, and gives his own verdict on the answer."""
    agency: str
    state: str
    due_at: datetime


@door.post(
    "/api/v1/intake", guard=CLERKS, form=IntakeForm, answers={201: IntakeTaken},
    refusals=(
        rules.BlankWords, rules.WordsTooLong, rules.KindRequired, rules.WrongKind, rules.TicketKnown,
        about.UnknownMatter, about.UnknownHall, about.UnknownAgency, about.NoDesk, BadPhone,
        ContactRequired, BlankText, IllegalMove, intake.BadDay, intake.NotOnTheSpot, intake.LooksKnown,
        intake.NotOfClerks,
    ),
    summary="登记群众在窗口、热线、来信、来访中反映的事；登记的人是首问负责人",
)  # fmt: skip
async def take_in(request: Request, who: Member, form: IntakeForm) -> IntakeTaken:
    taken = await intake.take(who, _call(form), anyway=form.not_a_double)
    order = await WorkOrder.get(number=taken.order.number)
    return IntakeTaken(
        order.number, taken.query_code, catalogue().agency_name(order.agency_code), order.state,
        local(order.due_at),
    )  # fmt: skip


def _call(form: IntakeForm) -> Call:
    contact, spot = form.contact or WhoAsked(), form.on_the_spot
    return Call(
        source=Source(form.source), words=form.text, kind=form.kind, function=form.function,
        hall_code=form.hall_code, window_code=form.window_code, matter_code=form.matter_code,
        agency_code=form.agency_code, came_on=form.came_on, external_number=form.external_number,
        name=contact.name, phone=contact.phone, real_name=form.real_name,
        on_the_spot=Spoken(
            disposition=spot.disposition, text=spot.text, legal_basis=spot.legal_basis
        ) if spot else None,
    )  # fmt: skip
