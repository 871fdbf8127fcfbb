"""The door for who has no receipt: 找茬 and 办不成事. Clerks have a room of their own."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct
from sanic import Request

from server.catalogue.service import catalogue
from server.grievances import about, admission, rules, service
from server.grievances.rules import Channel, Function, Kind, Source
from server.grievances.service import BadPhone, ContactRequired, Entry, Taken
from server.kit import idempotency
from server.kit.errors import Limited
from server.kit.forms import Form
from server.kit.idempotency import Attempt, IdempotencyConflict
from server.kit.privacy import vault
from server.kit.web import Door, local
from server.people.citizens import Rater
from server.people.guard import ANYONE_OR_CITIZEN

door = Door("grievances")
UNGUESSABLE = 20
"""Characters of an Idempotency-Key that nobody else has by chance."""
Code = Annotated[str, Meta(max_length=33)]


class WhoSpeaks(Form):
    name: Annotated[str, Meta(max_length=100)] = ""
    phone: Annotated[str, Meta(max_length=24)] | None = None


class GrievanceForm(Form):
    source: Literal["faults", "stuck"]
    kind: Kind
    """faults: correction, consultation, suggestion; stuck: cannot, hard, refused."""
    text: str
    function: Function | None = None
    """Of faults only."""
    matter_code: Code | None = None
    hall_code: Code | None = None
    window_code: Code | None = None
    contact: WhoSpeaks | None = None
    """Where news is sent to; the agency never sees it, unless `real_name`."""
    real_name: bool = False


class OrderPromised(Struct):
    number: str
    agency: str
    due_at: datetime


class GrievanceTaken(Struct):
    query_code: str
    work_order: OrderPromised


REFUSALS = (
    rules.BlankWords, rules.WordsTooLong, rules.WrongKind, about.UnknownMatter, about.UnknownHall,
    about.NoDesk, BadPhone, ContactRequired, IdempotencyConflict, Limited,
)  # fmt: skip


@door.post(
    "/api/v1/grievances", guard=ANYONE_OR_CITIZEN, form=GrievanceForm, answers={201: GrievanceTaken},
    refusals=REFUSALS, keeps_key=True,
    summary="不用回执：找茬（纠错、咨询、建议），或反映办不成的事；得到查询编码和工单",
)  # fmt: skip
async def submit_grievance(
    request: Request, form: GrievanceForm, who: Rater | None
) -> GrievanceTaken:
    entry = _entry(form, who, _attempt(request, who))
    person = f"citizen {who.id}" if who else ""
    return shown(await admitted(entry, admission.visitor_of(request, person)))


async def admitted(entry: Entry, visitor: admission.Visitor) -> Taken:
    """The same request once more is answered as the first was, and not counted again."""
    entry = service.checked(entry)
    if entry.attempt and (before := await service.earlier(entry.attempt)):
        return before
    await admission.admit(visitor)
    return await service.take(entry)


def _entry(form: GrievanceForm, who: Rater | None, attempt: Attempt | None) -> Entry:
    contact = form.contact or WhoSpeaks()
    return Entry(
        source=Source(form.source), words=form.text, kind=form.kind, function=form.function,
        about=about.find(form.hall_code, form.window_code, form.matter_code),
        contact_name=contact.name, contact_phone=contact.phone, real_name=form.real_name,
        channel=Channel.MINI_PROGRAM if who else Channel.WEB, citizen_id=who.id if who else None,
        attempt=attempt,
    )  # fmt: skip


def shown(taken: Taken) -> GrievanceTaken:
    order = taken.order
    return GrievanceTaken(
        taken.query_code,
        OrderPromised(
            order.number, catalogue().agency_name(order.agency_code), local(order.due_at)
        ),
    )


def _attempt(request: Request, who: Rater | None) -> Attempt | None:
    """Nobody here has a code of his own: a short key names the request together with the caller's
    address."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    idempotency.check_key(key)
    address = str(request.remote_addr or request.ip) if len(key) < UNGUESSABLE else ""
    caller = who.scope if who else address
    return attempt_of(f"{caller}\n{key}", idempotency.digest("POST", request.path, request.body))


def attempt_of(key: str, digest: str) -> Attempt:
    return Attempt(vault().fingerprint(f"grievance\n{key}", "idempotency"), digest)
