"""Visits without a slip: somebody scanned the code on a wall, and nobody vouches that he was served.

A visit lies among the receipts so that tracking, undo, orders and claims need not know of it. But it
is unverified: no system issued it and none may read it, nobody is invited or reminded for it, it is
never rated by default, and it is no service in any figure. Its review has the channel `static_qr`
whoever gave it and is counted apart. The case number that a citizen typed is his claim: it is sealed,
shown to the auditor alone, and opens no receipt of that case.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from server.catalogue.models import Hall, Window
from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.privacy import BrokenSeal, vault
from server.receipts.rules import GRIEVANCE, WALL, open_until

UNNAMED = {WALL: "大厅服务（未选事项）", GRIEVANCE: "诉求（未选事项）"}
"""In the place of a matter that nobody chose."""
_SEAL = "applicant"


@dataclass(frozen=True, kw_only=True)
class Visit:
    agency_code: str
    """Whose service desk or window it was, as far as is known."""
    hall_code: str
    window_code: str | None
    matter_code: str
    claimed_case: str
    key: str
    """Names the visit, so that the same request once more finds it; empty: a new one each time."""


_RECORD = """
INSERT INTO receipts (region_code, agency_code, case_number, service_number, matter_code, window_code,
  hall_code, channel, handled_at, issued_at, open_until, applicant, digest)
VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $8, $9, $10, $11)
ON CONFLICT DO NOTHING RETURNING *
"""


async def record(visit: Visit, now: datetime) -> asyncpg.Record | None:
    """In the caller's transaction, with its review; None if this visit was recorded before."""
    known = catalogue()
    agency = known.agencies.get(visit.agency_code)
    region_code = agency.region_code if agency else known.halls[visit.hall_code].region_code
    number = visit.key or secrets.token_urlsafe(16)
    claimed = json.dumps({"case_number": visit.claimed_case}).encode()
    return await sql.fetch_one(
        _RECORD, region_code, visit.agency_code, number, visit.matter_code, visit.window_code,
        visit.hall_code, WALL, now, open_until(now, known.policy(region_code).review_days),
        vault().seal(claimed, _SEAL) if visit.claimed_case else None,
        vault().fingerprint(number, "receipt"),
    )  # fmt: skip


async def earlier(key: str) -> asyncpg.Record | None:
    """The visit of this name."""
    return await sql.fetch_one(
        "SELECT * FROM receipts WHERE case_number = $1 AND channel = $2", key, WALL
    )


def is_visit(receipt: Any) -> bool:
    return bool(receipt["channel"] == WALL)


def claimed_case(sealed: bytes | None) -> str:
    """What the citizen says his case number is; for the auditor's eyes."""
    try:
        return (
            str(json.loads(vault().unseal(sealed, _SEAL)).get("case_number", "")) if sealed else ""
        )
    except BrokenSeal:
        return ""


def place_of(receipt: Any) -> tuple[Hall | None, Window | None]:
    """Where it was, as the catalogue knows it today."""
    known = catalogue()
    window = known.windows.get((receipt["agency_code"], receipt["window_code"] or ""))
    hall_code = receipt["hall_code"] or (window.hall_code if window else "")
    return known.halls.get(hall_code), window


def matter_name(receipt: Any) -> str:
    matter = catalogue().matters.get(receipt["matter_code"])
    if matter:
        return matter.name
    return "" if receipt["matter_code"] else UNNAMED.get(receipt["channel"], "")
