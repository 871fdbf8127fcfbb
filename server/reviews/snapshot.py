"""What a citizen says, and the part of it that the agency may see."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.kit.clock import BEIJING
from server.kit.idempotency import Attempt
from server.kit.privacy import BrokenSeal, vault
from server.kit.redaction import redact
from server.receipts import visits
from server.reviews.rules import ReviewChannel
from server.workorders import rules as orders_rules
from server.workorders.opening import Snapshot

ORIGIN = "review"
CALL_BACK = "callback"
"""A bad review by SMS whose reason nobody wrote: a person is to ask for it."""
ON_THE_WALL = "static_qr"
"""Of a visit without a slip: the agency is told that nobody vouches for it."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a citizen says, on whatever channel."""

    level: int
    tags: list[str]
    comment: str = ""
    real_name: bool = False
    contact_name: str = ""
    contact_phone: str | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """A verdict that passed every rule, at the moment it was given."""

    id: UUID
    query_code: str
    receipt: Any
    verdict: Verdict
    contact: bytes | None
    """Sealed."""
    channel: ReviewChannel
    policy: Policy
    at: datetime
    undo_until: datetime
    attempt: Attempt | None = None
    rater: UUID | None = None
    """Who signed in, if he did: it goes into his history, and nowhere else."""
    device_key: str | None = None
    """Keyed hash of the browser's random name; of the web form alone."""


def snapshot_of(given: Given, origin: str = ORIGIN) -> Snapshot:
    """What the agency may see: matter, place, day, level, reasons, redacted words."""
    receipt, verdict = given.receipt, given.verdict
    matter = catalogue().matters.get(receipt["matter_code"])
    hall, window = visits.place_of(receipt)
    on_the_wall = visits.is_visit(receipt)
    # Of a visit without a matter all that is known is the window: whoever sits there answers.
    seated = window.agency_code if on_the_wall and window and not matter else None
    lead, co_agencies = orders_rules.route(
        matter_agency=matter.agency_code if matter else seated,
        co_agencies=matter.co_agency_codes if matter else [],
        hall_desk=hall.desk_agency_code if hall else None,
        issuer=receipt["agency_code"],
    )
    return Snapshot(
        origin=ON_THE_WALL if on_the_wall and origin == ORIGIN else origin, origin_key=given.id,
        region_code=receipt["region_code"], agency_code=lead, co_agency_codes=co_agencies,
        matter_code=receipt["matter_code"] or None, matter=visits.matter_name(receipt),
        hall=hall.name if hall else "", window=window.name if window else "", level=verdict.level,
        tags=verdict.tags,
        words=redact(verdict.comment, known=known_to_us(receipt, given.contact)) if verdict.comment else "",
        real_name=verdict.real_name, opened_on=given.at.astimezone(BEIJING).date(),
        visible_from=given.undo_until,
    )  # fmt: skip


def known_to_us(receipt: Any, contact: bytes | None) -> tuple[str, ...]:
    """Names and numbers of the rater that his own words might repeat."""
    persons = [_opened(receipt["applicant"], "applicant"), _opened(contact, "contact")]
    said = (person.get(key) or "" for person in persons for key in ("name", "phone", "case_number"))
    # +852… may be written 00852….
    return (receipt["case_number"], *(one.removeprefix("+") for one in said))


def _opened(sealed: bytes | None, purpose: str) -> dict[str, Any]:
    if not sealed:
        return {}
    try:
        return json.loads(vault().unseal(sealed, purpose))
    except BrokenSeal:
        return {}  # sealed under a key that was withdrawn: nothing to compare with


def sealed_contact(verdict: Verdict) -> bytes | None:
    if not (verdict.contact_phone or verdict.contact_name):
        return None
    contact = {"name": verdict.contact_name, "phone": verdict.contact_phone}
    return vault().seal(json.dumps(contact, ensure_ascii=False).encode(), "contact")
