"""Whether somebody has told this already: by his phone, by the ticket of another system, by the words.

Compared are grievances alone. Who rated anonymously is not recognised by his phone, by nobody.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from server.catalogue.service import catalogue
from server.grievances.service import Entry
from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import vault
from server.kit.web import local
from server.workorders.likeness import is_like

DAYS = timedelta(days=30)
_COMPARED = 400
_SHOWN = 8


@dataclass(frozen=True)
class Known:
    """As the clerk is told of it: nothing of the person, nothing of the words."""

    order_number: str
    agency: str
    matter: str
    state: str
    came: date
    why: str


_OF = "SELECT g.words, g.at, g.came_on, o.number, o.agency_code, o.matter, o.state FROM grievances g JOIN work_orders o ON o.number = g.order_number "  # noqa: E501
_BY_PHONE = _OF + "WHERE g.contact_key = ANY($1) AND g.at > $2 ORDER BY g.at DESC LIMIT $3"
_OF_PLACE = (
    _OF
    + "WHERE g.region_code = $1 AND g.agency_code = $2 AND g.at > $3 ORDER BY g.at DESC LIMIT $4"
)


async def of(entry: Entry) -> list[Known]:
    """Of the last days; `entry` has been checked. The newest first, the same phone before like words."""
    since = clock.now() - DAYS
    found: dict[str, Known] = {}
    if entry.contact_phone:
        keys = vault().fingerprints(entry.contact_phone, "phone")
        for row in await sql.fetch(_BY_PHONE, keys, since, _SHOWN):
            found.setdefault(row["number"], _known(row, "同一个手机号"))
    rows = await sql.fetch(_OF_PLACE, entry.about.region_code, entry.about.lead, since, _COMPARED)
    for row in rows:
        if is_like(entry.words, row["words"]):
            found.setdefault(row["number"], _known(row, "内容相近"))
    return list(found.values())[:_SHOWN]


def _known(row: Any, why: str) -> Known:
    came = row["came_on"] or local(row["at"]).date()
    return Known(
        row["number"],
        catalogue().agency_name(row["agency_code"]),
        row["matter"],
        row["state"],
        came,
        why,
    )


_SAME_CONTACT = """
SELECT DISTINCT b.order_number FROM grievances a JOIN grievances b ON b.contact_key = a.contact_key
WHERE a.order_number = $1 AND b.order_number <> a.order_number AND b.at > a.at - $2::interval
  AND (a.entered_by IS NOT NULL OR a.real_name) AND (b.entered_by IS NOT NULL OR b.real_name)
"""


async def same_contact(order_number: str) -> set[str]:
    """Of those whom a clerk has spoken with, or who gave their names: the agency learns of no anonymous
    citizen that he has spoken twice."""
    rows = await sql.fetch(_SAME_CONTACT, order_number, DAYS)
    return {row["order_number"] for row in rows}
