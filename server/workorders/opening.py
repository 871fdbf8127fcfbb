"""How an order comes to be: a snapshot, a number, due times, and a part in its origin's statement."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from server.catalogue.models import Policy
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.query_codes import CROCKFORD
from server.workorders.deadlines import Due, Unit, due_or_provisional

_SHIFTS = range(45, -1, -5)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that the agency will ever see of what the order came from."""

    origin: str
    origin_key: UUID
    region_code: str
    agency_code: str
    co_agency_codes: list[str]
    matter_code: str | None = None
    matter: str = ""
    hall: str = ""
    window: str = ""
    level: int | None = None
    tags: list[str] = field(default_factory=list)
    words: str = ""
    """Already redacted."""
    real_name: bool = False
    opened_on: date
    visible_from: datetime
    """Until then the citizen may undo in peace: nobody at the agency sees the order, no clock runs."""
    first_asked_id: int | None = None
    """首问负责: the clerk who took it in and follows it to the end."""


@dataclass(frozen=True)
class Opening:
    """An order that will exist with the statement that it is part of."""

    number: str
    snapshot: Snapshot
    contact: Due
    answer: Due
    answer_days: int


@dataclass(frozen=True)
class Promise:
    """The order as the citizen is told of it."""

    number: str
    agency_code: str
    due_at: datetime

    @classmethod
    def of(cls, opening: Opening) -> "Promise":
        return cls(opening.number, opening.snapshot.agency_code, opening.answer.at)


def new_number(opened_on: date) -> str:
    """Year and ten random characters: it says neither how many orders there are nor when it came."""
    random = secrets.randbits(50)
    return f"{opened_on.year}{''.join(CROCKFORD[random >> shift & 31] for shift in _SHIFTS)}"


def working(start: datetime, days: int) -> Due:
    return due_or_provisional(start, days, Unit.WORKING, catalogue().calendar)


def open_order(snapshot: Snapshot, policy: Policy, *, answer_days: int | None = None) -> Opening:
    """Number and due times; `stored` puts it into the statement of its origin."""
    days = answer_days or policy.simple_days
    return Opening(
        new_number(snapshot.opened_on),
        snapshot,
        working(snapshot.visible_from, policy.contact_days),
        working(snapshot.visible_from, days),
        days,
    )


OWNER = (
    "(SELECT id FROM staff WHERE staff.agency_code = {} AND active"
    " AND role IN ('handler', 'agency_lead') ORDER BY role DESC, id LIMIT 1)"
)
"""首问负责: the agency's handler, or its lead where it has none."""
# An order has its owner from the first commit. Lists travel as text: PostgreSQL's unnest flattens
# lists of lists.
_OPENED = """ordered AS (
  INSERT INTO work_orders (number, region_code, origin, origin_key, state, agency_code,
    co_agency_codes, owner_id, matter_code, matter, hall, "window", level, tags, words, real_name,
    opened_on, visible_from, contact_due_at, due_at, provisional, next_due_at, contests,
    answer_days, first_asked_id)
  SELECT o.number, o.region_code, o.origin, o.origin_key, 'assigned', o.agency_code,
    string_to_array(o.co_agency_codes, ','),
    %(owner)s, o.matter_code, o.matter, o.hall, o."window", o.level, string_to_array(o.tags, ','), o.words,
    o.real_name, o.opened_on, o.visible_from, o.contact_due_at, o.due_at, o.provisional,
    o.contact_due_at, 0, o.answer_days, o.first_asked_id
  FROM unnest({number}::text[], {order_region}::text[], {origin}::text[], {origin_key}::uuid[],
    {agency}::text[], {co_agencies}::text[], {matter_code}::text[], {matter}::text[], {hall}::text[],
    {window}::text[], {order_level}::smallint[], {order_tags}::text[], {words}::text[],
    {order_real_name}::bool[], {opened_on}::date[], {visible_from}::timestamptz[],
    {contact_due_at}::timestamptz[], {due_at}::timestamptz[], {provisional}::bool[],
    {answer_days}::smallint[], {first_asked_id}::int[])
    AS o(number, region_code, origin, origin_key, agency_code, co_agency_codes, matter_code, matter,
      hall, "window", level, tags, words, real_name, opened_on, visible_from, contact_due_at, due_at,
      provisional, answer_days, first_asked_id)
  JOIN %(origins)s AS origins ON origins.id = o.origin_key
  RETURNING number, visible_from, co_agency_codes
)"""
_FIRST_STEP = """stepped AS (
  INSERT INTO work_order_steps (order_id, at, move, state, actor, words)
  SELECT number, visible_from, 'open', 'assigned', 'system', '' FROM ordered
)"""
_PARTED = """parted AS (
  INSERT INTO order_parts (order_id, agency_code)
  SELECT number, unnest(co_agency_codes) FROM ordered
)"""


def stored(openings: Sequence[Opening], *, after: str) -> tuple[sql.Part, ...]:
    """The orders' part in the statement of their origins: one for every row of the part `after`
    whose `id` is its origin."""
    if not openings:
        return ()
    shots = [opening.snapshot for opening in openings]
    values = {
        "number": [o.number for o in openings], "order_region": [s.region_code for s in shots],
        "origin": [s.origin for s in shots], "origin_key": [s.origin_key for s in shots],
        "agency": [s.agency_code for s in shots],
        "co_agencies": [",".join(s.co_agency_codes) for s in shots],
        "matter_code": [s.matter_code for s in shots], "matter": [s.matter for s in shots],
        "hall": [s.hall for s in shots], "window": [s.window for s in shots],
        "order_level": [s.level for s in shots], "order_tags": [",".join(s.tags) for s in shots],
        "words": [s.words for s in shots], "order_real_name": [s.real_name for s in shots],
        "opened_on": [s.opened_on for s in shots], "visible_from": [s.visible_from for s in shots],
        "contact_due_at": [o.contact.at for o in openings], "due_at": [o.answer.at for o in openings],
        "provisional": [o.contact.provisional or o.answer.provisional for o in openings],
        "answer_days": [o.answer_days for o in openings],
        "first_asked_id": [s.first_asked_id for s in shots],
    }  # fmt: skip
    opened = _OPENED % {"owner": OWNER.format("o.agency_code"), "origins": after}
    shared = [sql.Part(_PARTED, {})] if any(s.co_agency_codes for s in shots) else []
    return sql.Part(opened, values), sql.Part(_FIRST_STEP, {}), *shared
