"""The other doors: a grievance is taken in with its order and its query code, or not at all."""

import json
import secrets
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import asyncpg

from server.catalogue.service import catalogue
from server.grievances import rules
from server.grievances.about import About
from server.grievances.models import Grievance
from server.grievances.rules import Channel, Function, Kind, Source, TicketKnown
from server.kit import metrics, sql
from server.kit import query_codes as codes
from server.kit.clock import BEIJING, clock
from server.kit.errors import Fault, Invalid
from server.kit.idempotency import Attempt, IdempotencyConflict
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.kit.redaction import redact
from server.kit.transaction import transaction
from server.receipts.rules import GRIEVANCE
from server.receipts.visits import UNNAMED
from server.workorders import opening as orders
from server.workorders import to_call
from server.workorders.models import WorkOrder
from server.workorders.opening import Opening, Promise, Snapshot, open_order
from sms.phone import normalise

_SEAL = "contact"


class BadPhone(Invalid):
    code = "invalid_phone"
    title = "手机号须是 11 位，或带国家码"


class ContactRequired(Invalid):
    code = "contact_required"
    title = "实名反映需要留下手机号"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one citizen has to say, through whatever door."""

    source: Source
    words: str = field(repr=False)
    kind: Kind | None = None
    function: Function | None = None
    """Only of 找茬."""
    about: About
    """From `about.find(hall_code, window_code, matter_code, agency_code)`, each of them optional."""
    contact_name: str = field(default="", repr=False)
    contact_phone: str | None = field(default=None, repr=False)
    """As it was typed."""
    real_name: bool = False
    channel: Channel = Channel.WEB
    entered_by: int | None = None
    """The clerk. Required unless the citizen himself is at the door."""
    first_asked_id: int | None = None
    """首问负责: whom the citizen asked."""
    external_number: str | None = None
    """Of another system's ticket; one grievance each."""
    came_on: date | None = None
    """The day of the call or letter, if it is entered later."""
    citizen_id: UUID | None = None
    """Who is signed in."""
    attempt: Attempt | None = None
    """The same request once more is answered as the first was."""


@dataclass(frozen=True)
class Taken:
    """What the citizen takes home."""

    id: UUID
    query_code: str
    order: Promise


# Neither the receipt nor the grievance looks out for conflicts: one that is refused by a constraint
# leaves nothing behind.
_FILED = """filed AS (
  INSERT INTO receipts (region_code, agency_code, case_number, service_number, matter_code, window_code,
    hall_code, channel, handled_at, issued_at, open_until, digest)
  VALUES ({its_region}, {its_place_agency}, {its_case_number}, 1, {its_matter}, {its_window_code},
    {its_hall_code}, {its_door}, {its_handled_at}, {its_at}, {its_handled_at}, {its_receipt_digest})
  RETURNING id
)"""
_GRIEVED = """grieved AS (
  INSERT INTO grievances (id, region_code, agency_code, receipt_id, source, kind, function, words, channel,
    real_name, contact, contact_key, citizen_id, at, came_on, order_number, query_key, request_key,
    request_digest, entered_by, external_number)
  SELECT {its_grievance}, {its_region}, {its_lead}, filed.id, {its_source}, {its_kind}, {its_function},
    {its_said}, {its_channel}, {its_real_name}, {its_contact}, {its_contact_key},
    (SELECT id FROM citizens WHERE id = {its_citizen} AND erased_at IS NULL FOR SHARE), {its_at},
    {its_came_on}, {its_order_number}, {its_query_key}, {its_request_key}, {its_request_digest},
    {its_entered_by}, {its_external_number}
  FROM filed RETURNING id
)"""


async def take(entry: Entry) -> Taken:
    """One statement: receipt, grievance, order with its first step, and who is to be called back.

    The order is visible at once: nothing was rated, so that nothing can be undone. Inside the caller's
    transaction if there is one."""
    entry = checked(entry)
    made = _Made.of(entry, clock.now())
    openings = [made.opening]
    parts = [
        sql.Part(_FILED, made.receipt), sql.Part(_GRIEVED, made.grievance),
        *orders.stored(openings, after="grieved"), *to_call.stored(openings, after="grieved"),
    ]  # fmt: skip
    try:
        async with transaction():
            await sql.together(parts, "SELECT id FROM grieved")
    except asyncpg.UniqueViolationError as error:
        return await _again(entry, error)
    metrics.grievances.labels(entry.source).inc()
    return Taken(made.id, made.query_code, Promise.of(made.opening))


def checked(entry: Entry) -> Entry:
    """Every rule that needs no database. Gives the entry as it will be stored."""
    rules.check_kind(entry.source, entry.kind, entry.function)
    words = rules.check_words(entry.words)
    phone = normalise(entry.contact_phone) if entry.contact_phone else None
    if entry.contact_phone and phone is None:
        raise BadPhone(errors=[Fault("contact.phone", BadPhone.code, BadPhone.title)])
    if entry.real_name and phone is None:
        raise ContactRequired(
            errors=[Fault("contact.phone", ContactRequired.code, ContactRequired.title)]
        )
    return replace(
        entry, words=words, contact_phone=phone, contact_name=entry.contact_name.strip(),
        external_number=(entry.external_number or "").strip() or None,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Everything that the statement stores."""

    id: UUID
    query_code: str
    opening: Opening
    receipt: dict[str, Any] = field(repr=False)
    grievance: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> "_Made":
        grievance_id = new_id()
        code = codes.query_code(grievance_id)
        policy = catalogue().policy(entry.about.region_code)
        opening = open_order(
            _snapshot(entry, grievance_id, now), policy,
            answer_days=rules.answer_days(entry.kind, policy),
        )  # fmt: skip
        grievance = _columns(entry) | {
            "its_grievance": grievance_id, "its_lead": entry.about.lead, "its_at": now,
            "its_order_number": opening.number, "its_query_key": codes.query_key(code),
        }  # fmt: skip
        return cls(
            id=grievance_id, query_code=code, opening=opening, receipt=_receipt(entry, now),
            grievance=grievance,
        )  # fmt: skip


def _snapshot(entry: Entry, grievance_id: UUID, now: datetime) -> Snapshot:
    about = entry.about
    known = (
        entry.contact_name,
        (entry.contact_phone or "").removeprefix("+"),
        entry.external_number or "",
    )
    return Snapshot(
        origin=str(entry.source), origin_key=grievance_id, region_code=about.region_code,
        agency_code=about.lead, co_agency_codes=about.co_agencies,
        matter_code=about.matter.code if about.matter else None,
        matter=about.matter.name if about.matter else UNNAMED[GRIEVANCE],
        hall=about.hall.name if about.hall else "", window=about.window.name if about.window else "",
        tags=[str(chosen) for chosen in (entry.kind, entry.function) if chosen],
        words=redact(entry.words, known=known), real_name=entry.real_name,
        opened_on=now.astimezone(BEIJING).date(), visible_from=now,
        first_asked_id=entry.first_asked_id,
    )  # fmt: skip


def _receipt(entry: Entry, now: datetime) -> dict[str, Any]:
    """It can never be rated: its time is over when it comes."""
    about, number = entry.about, secrets.token_urlsafe(16)
    came_at = now
    if entry.came_on:
        came_at = min(now, datetime.combine(entry.came_on, time(12), BEIJING))
    return {
        "its_region": about.region_code, "its_case_number": number,
        "its_place_agency": about.window.agency_code if about.window else about.lead,
        "its_matter": about.matter.code if about.matter else "",
        "its_window_code": about.window.code if about.window else None,
        "its_hall_code": about.hall.code if about.hall else None, "its_door": GRIEVANCE,
        "its_handled_at": came_at, "its_receipt_digest": vault().fingerprint(number, "receipt"),
    }  # fmt: skip


def _columns(entry: Entry) -> dict[str, Any]:
    phone, attempt = entry.contact_phone, entry.attempt
    return {
        "its_source": str(entry.source), "its_kind": str(entry.kind or ""),
        "its_function": str(entry.function or ""), "its_said": entry.words, "its_channel": str(entry.channel),
        "its_real_name": entry.real_name, "its_contact": _sealed(entry),
        "its_contact_key": vault().fingerprint(phone, "phone") if phone else None,
        "its_citizen": entry.citizen_id, "its_came_on": entry.came_on,
        "its_request_key": attempt.key if attempt else None,
        "its_request_digest": attempt.digest if attempt else None,
        "its_entered_by": entry.entered_by, "its_external_number": entry.external_number,
    }  # fmt: skip


def _sealed(entry: Entry) -> bytes | None:
    if not (entry.contact_phone or entry.contact_name):
        return None
    contact = {"name": entry.contact_name, "phone": entry.contact_phone}
    return vault().seal(json.dumps(contact, ensure_ascii=False).encode(), _SEAL)


async def _again(entry: Entry, refused: asyncpg.UniqueViolationError) -> Taken:
    """The first answer if this is the same request once more; else why it was not stored."""
    attempt = entry.attempt
    if attempt and (before := await earlier(attempt)):
        return before
    if entry.external_number is None:
        raise refused
    known = await Grievance.get_or_none(
        region_code=entry.about.region_code, source=entry.source, external_number=entry.external_number
    )  # fmt: skip
    if known is None:
        raise refused
    raise TicketKnown(f"这个外部单号已经登记过：工单 {known.order_number}")


async def earlier(attempt: Attempt) -> Taken | None:
    """What this request has left behind already: it is not counted again."""
    before = await Grievance.get_or_none(request_key=attempt.key)
    if before is None:
        return None
    if before.request_digest != attempt.digest:
        raise IdempotencyConflict
    return await taken(before)


async def taken(grievance: Grievance) -> Taken:
    order = await WorkOrder.get(number=grievance.order_number)
    code = codes.code_of_key(grievance.id, grievance.query_key)
    return Taken(grievance.id, code, Promise(order.number, order.agency_code, order.due_at))


async def grievance_of(query_code: str) -> Grievance | None:
    """By the citizen's query code, as he typed it; None if it is none of a grievance."""
    keys = vault().fingerprints(codes.typed(query_code), "query")
    return await Grievance.get_or_none(query_key__in=keys)
