"""Issuing receipts: one statement for one or a thousand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

from server.catalogue.service import Catalogue, catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Fault, Missing, Refusal
from server.kit.forms import Form
from server.kit.lanes import Gathered
from server.kit.privacy import vault
from server.receipts.codes import UnknownCode, number_of
from server.receipts.models import Receipt
from server.receipts.rules import (
    BadReceipt,
    Channel,
    Kind,
    ReceiptConflict,
    Stage,
    canonical,
    open_until,
    time_fault,
)
from sms.phone import normalise

Number = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^\S([^\x00-\x1f\x7f-\x9f]*\S)?\Z")
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


@dataclass(frozen=True)
class Issued:
    """A receipt that stands; `new` tells a first push from a repetition."""

    id: int
    open_until: datetime
    new: bool


@dataclass(frozen=True)
class _Row:
    """A form that passed every rule, as it will be stored."""

    form: ReceiptForm
    region_code: str
    open_until: datetime
    applicant: bytes | None
    phone_key: str | None
    content: str

    @property
    def digest(self) -> str:
        return vault().fingerprint(self.content, "receipt")


_ISSUE = """
WITH pushed AS (
  SELECT * FROM unnest($4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[],
                       $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bytea[],
                       $14::text[], $15::text[])
         WITH ORDINALITY AS p(case_number, service_number, matter_code, window_code, officer_number,
                              stage, channel, handled_at, open_until, applicant, phone_key, digest, place)
), issued AS (
  INSERT INTO receipts (region_code, agency_code, case_number, service_number, matter_code, window_code,
                        officer_number, stage, channel, handled_at, issued_at, open_until, applicant,
                        phone_key, digest)
  SELECT $1, $2, case_number, service_number, matter_code, window_code, officer_number, stage, channel,
         handled_at, $3, open_until, applicant, phone_key, digest
  FROM pushed ORDER BY place
  ON CONFLICT (region_code, agency_code, case_number, service_number) DO NOTHING
  RETURNING id, case_number, service_number, open_until, digest
)
SELECT * FROM issued
"""
_STANDING = """
SELECT r.id, r.case_number, r.service_number, r.open_until, r.digest
FROM unnest($3::text[], $4::int[]) AS p(case_number, service_number)
JOIN receipts r ON r.region_code = $1 AND r.agency_code = $2
 AND r.case_number = p.case_number AND r.service_number = p.service_number
"""


async def issue(agency_code: str, forms: Sequence[ReceiptForm]) -> list[Issued | Refusal]:
    """Stores what is right in one commit; gives for every form its receipt or its own refusal."""
    now = clock.now()
    rows = [check(agency_code, form, now) for form in forms]
    good = [row for row in rows if isinstance(row, _Row)]
    # Of two rows for one service in one batch the first is issued; the second is then compared with it.
    firsts = list({(r.form.case_number, r.form.service_number): r for r in reversed(good)}.values())
    region_code = _region_of(agency_code)
    found: dict[tuple[str, int], Any] = {}
    if firsts:
        for record in await _insert(region_code, agency_code, now, firsts):
            found[record["case_number"], record["service_number"]] = record
    missing = [
        row for row in firsts if (row.form.case_number, row.form.service_number) not in found
    ]
    if missing:
        for record in await sql.fetch(
            _STANDING, region_code, agency_code,
            [row.form.case_number for row in missing], [row.form.service_number for row in missing],
        ):  # fmt: skip
            found[record["case_number"], record["service_number"]] = record
    fresh = {id(row) for row in firsts} - {id(row) for row in missing}
    return [
        row if isinstance(row, Refusal)
        else _result(row, found[row.form.case_number, row.form.service_number], id(row) in fresh)
        for row in rows
    ]  # fmt: skip


def redeem(receipt_id: int, now: datetime) -> sql.Part:
    """The receipt's part in a submission: it is there, not voided, and its time has not passed."""
    return sql.Part(
        "redeemed AS (SELECT id, region_code FROM receipts WHERE id = {receipt} "
        "AND voided_at IS NULL AND open_until >= {redeemed_at})",
        {"receipt": receipt_id, "redeemed_at": now},
    )


async def _insert(region_code: str, agency_code: str, now: datetime, rows: list[_Row]) -> list[Any]:
    # In the order of the unique key, so that two batches with the same services cannot deadlock.
    rows = sorted(rows, key=lambda row: (row.form.case_number, row.form.service_number))
    return await sql.fetch(
        _ISSUE, region_code, agency_code, now,
        [r.form.case_number for r in rows], [r.form.service_number for r in rows],
        [r.form.matter_code for r in rows], [r.form.window_code for r in rows],
        [r.form.officer_number for r in rows], [r.form.stage for r in rows],
        [r.form.channel for r in rows], [r.form.handled_at for r in rows],
        [r.open_until for r in rows], [r.applicant for r in rows],
        [r.phone_key for r in rows], [r.digest for r in rows],
    )  # fmt: skip


def _result(row: _Row, record: Any, new: bool) -> Issued | Refusal:
    # A receipt from before a change of keys has its digest under an older one.
    if not new and record["digest"] not in vault().fingerprints(row.content, "receipt"):
        return ReceiptConflict()
    return Issued(record["id"], record["open_until"], new)


def _region_of(agency_code: str) -> str:
    agency = catalogue().agencies.get(agency_code)
    return agency.region_code if agency else ""


def check(agency_code: str, form: ReceiptForm, now: datetime) -> _Row | Refusal:
    faults = _faults(catalogue(), agency_code, form, now)
    phone = None
    if form.applicant and form.applicant.phone:
        phone = normalise(form.applicant.phone)
        if phone is None:
            faults.append(
                Fault("applicant.phone", "invalid_phone", "须是 11 位手机号或 E.164 号码")
            )
    if faults:
        return BadReceipt(errors=faults)
    region_code = _region_of(agency_code)
    policy = catalogue().policy(region_code)
    sealed = None
    if form.applicant:
        person = {"kind": form.applicant.kind, "name": form.applicant.name.strip(), "phone": phone}
        sealed = vault().seal(json.dumps(person, ensure_ascii=False).encode(), "applicant")
    return _Row(
        form, region_code, open_until(form.handled_at, policy.review_days), sealed,
        vault().fingerprint(phone, "phone") if phone else None,
        _content(form, phone),
    )  # fmt: skip


def _content(form: ReceiptForm, phone: str | None) -> str:
    applicant = form.applicant
    person = [applicant.kind, applicant.name.strip(), phone] if applicant else None
    return canonical({
        "case": form.case_number, "service": form.service_number, "matter": form.matter_code,
        "at": form.handled_at.timestamp(), "channel": form.channel, "window": form.window_code,
        "officer": form.officer_number, "stage": form.stage, "applicant": person,
    })  # fmt: skip


def _faults(known: Catalogue, agency_code: str, form: ReceiptForm, now: datetime) -> list[Fault]:
    """Unknown and foreign are told alike: whose window a code is, is not the caller's business."""
    faults = []
    matter = known.matters.get(form.matter_code)
    ours = matter and agency_code in {matter.agency_code or agency_code, *matter.co_agency_codes}
    if not ours:
        faults.append(Fault("matter_code", "unknown_matter", "没有这个事项，或不属于本部门"))
    if form.window_code is not None and (agency_code, form.window_code) not in known.windows:
        faults.append(Fault("window_code", "unknown_window", "没有这个窗口，或不属于本部门"))
    if form.officer_number is not None and (agency_code, form.officer_number) not in known.officers:
        faults.append(Fault("officer_number", "unknown_officer", "没有这名经办人，或不属于本部门"))
    if fault := time_fault(form.handled_at, now):
        faults.append(fault)
    return faults


_by_number = Gathered("SELECT * FROM receipts WHERE id = ANY($1::bigint[])", sql.fetch_alone)


async def by_code(code: str) -> Any:
    """The receipt behind a code, whatever its state; UnknownCode if there is none."""
    record = await _by_number.get(number_of(code))
    if record is None:
        raise UnknownCode
    return record


async def of_agency(agency_code: str, receipt_id: str) -> Receipt:
    """The agency's own receipt; another agency's does not exist for it."""
    if not (receipt_id.isascii() and receipt_id.isdigit() and len(receipt_id) < 19):
        raise UnknownReceipt
    receipt = await Receipt.get_or_none(id=int(receipt_id), agency_code=agency_code)
    if receipt is None:
        raise UnknownReceipt
    return receipt
