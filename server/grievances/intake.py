"""A clerk takes in what a citizen tells him: at the window, on the phone, in a letter. He is the first
asked, and stays it."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from server.grievances import about, doubles, service
from server.grievances.doubles import Known
from server.grievances.rules import Channel, Function, Kind, Source
from server.grievances.service import Entry, Taken
from server.kit.clock import BEIJING, clock
from server.kit.errors import Conflict, Fault, Invalid
from server.kit.idempotency import Attempt
from server.kit.transaction import transaction
from server.people.service import Member
from server.workorders import service as orders
from server.workorders.rules import Disposition, State, Told, check_text

OF_CLERKS = (Source.STUCK, Source.FAULTS, Source.HOTLINE, Source.LETTER, Source.VISIT)
"""The national platform comes by file."""
ON_THE_SPOT = frozenset({Source.FAULTS, Source.STUCK, Source.VISIT})
"""Where the citizen stands before the clerk."""
OLDEST = timedelta(days=366)
TICKET_LIMIT, NAME_LIMIT = 64, 100
_CHANNELS = {Source.HOTLINE: Channel.PHONE, Source.LETTER: Channel.PAPER}


class BadDay(Invalid):
    code = "bad_day"
    title = "来电、来信、来访的日期不能晚于今天，也不能早于一年前"


class NotOnTheSpot(Conflict):
    code = "not_on_the_spot"
    title = "当场答复只用于群众在窗口、且由本部门办理的事；别的请先登记，由责任部门答复"


class LooksKnown(Conflict):
    code = "looks_known"
    title = "这件事可能已经登记过，请先核对；确实不是同一件事，再继续登记"


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """An answer given to the citizen's face."""

    disposition: Disposition
    text: str
    legal_basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """What the clerk writes down."""

    source: Source
    words: str = field(repr=False)
    kind: Kind | None = None
    function: Function | None = None
    hall_code: str | None = None
    window_code: str | None = None
    matter_code: str | None = None
    agency_code: str | None = None
    came_on: date | None = None
    external_number: str | None = None
    name: str = field(default="", repr=False)
    phone: str | None = field(default=None, repr=False)
    real_name: bool = False
    on_the_spot: Spoken | None = None


def entry_of(member: Member, call: Call, attempt: Attempt | None = None) -> Entry:
    """Checked by every rule that needs no database."""
    if call.source not in OF_CLERKS:
        raise NotOfClerks
    today = clock.now().astimezone(BEIJING).date()
    if call.came_on and not today - OLDEST <= call.came_on <= today:
        raise BadDay(errors=[Fault("came_on", BadDay.code, BadDay.title)])
    found = about.find(call.hall_code, call.window_code, call.matter_code, call.agency_code)
    if call.on_the_spot:
        check_text(call.on_the_spot.text)
        if call.source not in ON_THE_SPOT or found.lead != member.agency_code:
            raise NotOnTheSpot
    return service.checked(Entry(
        source=call.source, words=call.words, kind=call.kind, function=call.function, about=found,
        contact_name=call.name, contact_phone=call.phone or None, real_name=call.real_name,
        channel=_CHANNELS.get(call.source, Channel.WEB), entered_by=member.id,
        first_asked_id=member.id, external_number=call.external_number, came_on=call.came_on,
        attempt=attempt,
    ))  # fmt: skip


class NotOfClerks(Invalid):
    code = "unknown_source"
    title = "没有这个来源；国家平台的诉求用文件导入"


async def take(
    member: Member, call: Call, *, attempt: Attempt | None = None, anyway: bool = False
) -> Taken:
    """`anyway`: the clerk has looked at what may be the same, and it is not."""
    entry = entry_of(member, call, attempt)
    if attempt and (before := await service.earlier(attempt)):
        return before
    if not anyway and (known := await doubles.of(entry)):
        raise LooksKnown(_of(known))
    async with transaction():
        taken = await service.take(entry)
        if call.on_the_spot:
            await _answer(member, taken, call.on_the_spot)
    return taken


def _of(known: list[Known]) -> str:
    told = "；".join(f"{one.order_number}（{one.why}，{one.agency}）" for one in known)
    return f"可能已经登记过：{told}"


async def _answer(member: Member, taken: Taken, spoken: Spoken) -> None:
    """简单问题当场解决. Told to his face is proof that he knows; whether he is content he alone says."""
    number = taken.order.number
    if (await orders.find(member, number)).state != State.ASSIGNED:
        return  # the same button twice: the first has answered
    await orders.accept(member, number)
    await orders.answer(
        member, number, disposition=spoken.disposition, text=spoken.text,
        legal_basis=spoken.legal_basis,
    )  # fmt: skip
    await orders.told(number, Told.IN_PERSON, clock.now())
