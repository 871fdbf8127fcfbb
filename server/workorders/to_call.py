"""百分百回访: the call-back of whoever gave his real name, with a bad review or a grievance, is made in the
statement that opens the order."""

from collections.abc import Sequence

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.ids import new_id
from server.workorders.opening import Opening, working

# An order that was not opened, since its origin came second, has nobody to be called.
_TO_CALL = """to_call AS (
  INSERT INTO call_backs (id, region_code, agency_code, review_id, order_number, kind, state, made_at,
    due_at)
  SELECT c.id, c.region_code, c.agency_code, c.review_id, c.number, 'real_name', 'waiting', c.made_at,
    c.due_at
  FROM unnest({to_call}::uuid[], {call_region}::text[], {call_agency}::text[], {call_review}::uuid[],
    {call_number}::text[], {call_made}::timestamptz[], {call_due}::timestamptz[])
    AS c(id, region_code, agency_code, review_id, number, made_at, due_at)
  JOIN %s AS origins ON origins.id = c.review_id
)"""


def stored(openings: Sequence[Opening], *, after: str) -> tuple[sql.Part, ...]:
    """As `opening.stored`; it is made when the agency sees the order."""
    named = [opening for opening in openings if opening.snapshot.real_name]
    if not named:
        return ()
    shots = [opening.snapshot for opening in named]
    values = {
        "to_call": [new_id() for _ in named], "call_region": [s.region_code for s in shots],
        "call_agency": [s.agency_code for s in shots], "call_review": [s.origin_key for s in shots],
        "call_number": [o.number for o in named], "call_made": [s.visible_from for s in shots],
        "call_due": [
            working(s.visible_from, catalogue().policy(s.region_code).callback_days).at
            for s in shots
        ],
    }  # fmt: skip
    return (sql.Part(_TO_CALL % after, values),)
