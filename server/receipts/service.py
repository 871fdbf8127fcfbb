"""Issuing receipts: one statement for one or a thousand, unless some of them stand already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import asyncpg
import msgspec
from msgspec import Meta

from server.catalogue.models import Policy
from server.catalogue.service import Catalogue, catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Fault, Missing, Refusal
from server.kit.forms import Form
from server.kit.lanes import Gathered
from server.kit.privacy import vault
from server.receipts.codes import Held, UnknownCode, held
from server.receipts.models import Receipt
from server.receipts.rules import (
    UNISSUED,
    BadReceipt,
    Channel,
    Kind,
    ReceiptConflict,
    Stage,
    beijing,
    open_until,
    time_fault,
)
from sms.phone import normalise

_json = msgspec.json.Encoder()
Number = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^\S([^\x00-\x1f\x7f-\x9f]*\S)?(?![\s\S])")
]
Code = Annotated[str, Meta(min_length=1, max_length=33)]


class ApplicantForm(Form):
    kind: Kind = Kind.PERSON
    name: Annotated[str, Meta(max_length=100)] = ""
    phone: Annotated[str, Meta(max_length=24)] | None = None


class ReceiptForm(Form):
    case_number: Number
    service_number: Annotated[int, Meta(ge=1, le=1_000_000)]
    matter_code: Code
    handled_at: Annotated[datetime, Meta(tz=True)]
    channel: Channel
    window_code: Code | None = None
    officer_number: Code | None = None
    stage: Stage | None = None
    applicant: ApplicantForm | None = None


class UnknownReceipt(Missing):
    code = "unknown_receipt"
    title = "没有找到这张回执"


@dataclass(slots=True)
class Issued:
    """A receipt that stands; `new` tells a first push from a repetition."""

    id: int
    open_until: datetime
    new: bool


@dataclass(slots=True)
class Checked:
    """A form that passed every rule, as it will be stored."""

    form: ReceiptForm
    service: tuple[str, int]
    """What makes it one receipt among the agency's."""
    handled_at: datetime
    """In UTC+8, wherever the caller's clock stands."""
    open_until: datetime
    applicant: bytes | None
    """JSON, not sealed yet."""
    phone: str | None
    content: bytes
    """Equal for two pushes that say the same, however they are written."""


_ISSUE = """
INSERT INTO receipts (region_code, agency_code, issued_at, case_number, service_number, matter_code,
  window_code, officer_number, stage, channel, handled_at, open_until, applicant, phone_key, digest,
  invite_at, default_at)
SELECT $1, $2, $3, r.*, CASE WHEN r.phone_key IS NOT NULL THEN $16::timestamptz END,
  CASE WHEN $17 AND r.open_until > $3 THEN r.open_until END
FROM unnest($4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
  $11::timestamptz[], $12::timestamptz[], $13::bytea[], $14::text[], $15::text[])
  AS r(case_number, service_number, matter_code, window_code, officer_number, stage, channel,
    handled_at, open_until, applicant, phone_key, digest)
{}RETURNING id, case_number, service_number
"""
_ALL_NEW = _ISSUE.format("")
_SOME_NEW = _ISSUE.format(
    "ON CONFLICT (region_code, agency_code, case_number, service_number) DO NOTHING\n"
)
_STANDING = """
SELECT r.id, r.case_number, r.service_number, r.open_until, r.digest
FROM unnest($3::text[], $4::int[]) AS p(case_number, service_number)
JOIN receipts r ON r.region_code = $1 AND r.agency_code = $2
 AND r.case_number = p.case_number AND r.service_number = p.service_number
"""


async def issue(agency_code: str, forms: Sequence[ReceiptForm]) -> list[Issued | Refusal]:
    """Stores what is right in one commit; gives for every form its receipt or its own refusal."""
    desk = Desk.of(agency_code)
    now = clock.now()
    rows = [desk.check(form, now) for form in forms]
    # Of two rows for one service in one batch the first is issued; the second is compared with it.
    firsts: dict[tuple[str, int], Checked] = {}
    for row in rows:
        if isinstance(row, Checked):
            firsts.setdefault(row.service, row)
    # In the order of the unique key, so that two batches with the same services cannot deadlock.
    new = await _insert(desk, now, [firsts[service] for service in sorted(firsts)])
    found = await _standing(desk, [service for service in firsts if service not in new])
    found |= {service: (number, firsts[service]) for service, number in new.items()}
    return [row if isinstance(row, Refusal) else _told(row, *found[row.service]) for row in rows]


def _told(row: Checked, number: int, stored: "Checked | Mapping[str, Any]") -> Issued | Refusal:
    """The receipt that now stands for this row's service, as the one who pushed the row learns it."""
    if stored is row:
        return Issued(number, row.open_until, True)
    if isinstance(stored, Checked):
        same, until = stored.content == row.content, stored.open_until
    else:
        # A receipt from before a change of keys has its digest under an older one.
        same = stored["digest"] in vault().fingerprints(row.content, "receipt")
        until = stored["open_until"]
    return Issued(number, until, False) if same else ReceiptConflict()


async def _insert(desk: "Desk", now: datetime, rows: list[Checked]) -> dict[tuple[str, int], int]:
    """Service → id of the receipts that are new."""
    if not rows:
        return {}
    forms = [row.form for row in rows]
    columns = (
        desk.region_code, desk.agency_code, now,
        [form.case_number for form in forms], [form.service_number for form in forms],
        [form.matter_code for form in forms], [form.window_code for form in forms],
        [form.officer_number for form in forms], [form.stage for form in forms],
        [form.channel for form in forms], [row.handled_at for row in rows],
        [row.open_until for row in rows], *under_keys(rows), desk.invite_at(now),
        desk.policy.default_rating,
    )  # fmt: skip
    try:
        # Looking out for conflicts costs every row a quarter more, and nearly all rows are new.
        inserted = await sql.fetch_alone(_ALL_NEW, *columns)
    except asyncpg.UniqueViolationError:
        inserted = await sql.fetch_alone(_SOME_NEW, *columns)
    return {(record["case_number"], record["service_number"]): record["id"] for record in inserted}


def under_keys(
    rows: Sequence[Checked],
) -> tuple[list[bytes | None], list[str | None], list[str]]:
    """The columns applicant, phone_key and digest."""
    keys = vault()
    sealed = iter(keys.seal_all([row.applicant for row in rows if row.applicant], "applicant"))
    phones = iter(keys.fingerprints_of([row.phone for row in rows if row.phone], "phone"))
    return (
        [next(sealed) if row.applicant else None for row in rows],
        [next(phones) if row.phone else None for row in rows],
        keys.fingerprints_of([row.content for row in rows], "receipt"),
    )


async def _standing(
    desk: "Desk", services: list[tuple[str, int]]
) -> dict[tuple[str, int], tuple[int, "Checked | Mapping[str, Any]"]]:
    """Receipts of an earlier push, or of one that was faster."""
    if not services:
        return {}
    cases, numbers = zip(*services, strict=True)
    records = await sql.fetch_alone(_STANDING, desk.region_code, desk.agency_code, cases, numbers)
    return {(r["case_number"], r["service_number"]): (r["id"], r) for r in records}


@dataclass(frozen=True)
class Desk:
    """An agency that issues receipts, and what the catalogue says of it."""

    agency_code: str
    region_code: str
    policy: Policy
    known: Catalogue

    @classmethod
    def of(cls, agency_code: str) -> "Desk":
        known = catalogue()
        agency = known.agencies.get(agency_code)
        region_code = agency.region_code if agency else ""
        return cls(agency_code, region_code, known.policy(region_code), known)

    def invite_at(self, now: datetime) -> datetime | None:
        """When a citizen with a phone is to be asked by SMS; the hour is looked at again then."""
        return now + timedelta(minutes=self.policy.invite_minutes) if self.policy.sms else None

    def check(self, form: ReceiptForm, now: datetime) -> Checked | Refusal:
        faults, handled_at = self._faults(form), beijing(form.handled_at)
        if fault := time_fault(handled_at, now):
            faults.append(fault)
        applicant, phone = form.applicant, None
        if applicant and applicant.phone:
            phone = normalise(applicant.phone)
            if phone is None:
                faults.append(
                    Fault("applicant.phone", "invalid_phone", "须是 11 位手机号或 E.164 号码")
                )
        if faults:
            return BadReceipt(errors=faults)
        person = None
        if applicant:
            person = _json.encode(
                {"kind": applicant.kind, "name": applicant.name.strip(), "phone": phone}
            )
        return Checked(
            form, (form.case_number, form.service_number), handled_at,
            open_until(handled_at, self.policy.review_days), person, phone,
            _content(form, handled_at, person),
        )  # fmt: skip

    def _faults(self, form: ReceiptForm) -> list[Fault]:
        """Unknown and foreign are told alike: whose window a code is, is not the caller's business."""
        faults = []
        known, ours = self.known, self.agency_code
        window, officer = form.window_code, form.officer_number
        matter = known.matters.get(form.matter_code)
        if matter is None or not (
            matter.agency_code in (ours, None) or ours in matter.co_agency_codes
        ):
            faults.append(Fault("matter_code", "unknown_matter", "没有这个事项，或不属于本部门"))
        if window is not None and (ours, window) not in known.windows:
            faults.append(Fault("window_code", "unknown_window", "没有这个窗口，或不属于本部门"))
        if officer is not None and (ours, officer) not in known.officers:
            faults.append(
                Fault("officer_number", "unknown_officer", "没有这名经办人，或不属于本部门")
            )
        return faults


def _content(form: ReceiptForm, handled_at: datetime, person: bytes | None) -> bytes:
    said = (
        form.case_number, form.service_number, form.matter_code, handled_at,
        form.channel, form.window_code, form.officer_number, form.stage,
    )  # fmt: skip
    return _json.encode(said) + (person or b"")


# `held` is the generation of the code that leads here; of one that we never handed out there is nothing.
_HELD = """
SELECT r.*, c.held FROM unnest($1::bigint[], $2::smallint[]) AS c(number, held)
JOIN receipts r ON r.id = c.number AND c.held <= r.generation
"""


async def _by_code(codes: list[Held]) -> list[asyncpg.Record | None]:
    numbers, generations = zip(*codes, strict=True)
    rows = await sql.fetch_alone(_HELD, numbers, generations)
    found = {(row["id"], row["held"]): row for row in rows}
    return [found.get(code) for code in codes]


_look_up = Gathered(_by_code)


async def by_code(code: str) -> Any:
    """The receipt behind a code, whatever its state, with the code's generation as `held`; UnknownCode
    if there is none."""
    record = await _look_up.ask(held(code))
    if record is None:
        raise UnknownCode
    return record


async def of_agency(agency_code: str, receipt_id: str) -> Receipt:
    """A receipt that the agency issued; another's does not exist for it, nor what nobody issued."""
    if not (receipt_id.isascii() and receipt_id.isdigit() and len(receipt_id) < 19):
        raise UnknownReceipt
    receipt = await Receipt.get_or_none(id=int(receipt_id), agency_code=agency_code)
    if receipt is None or receipt.channel in UNISSUED:
        raise UnknownReceipt
    return receipt
