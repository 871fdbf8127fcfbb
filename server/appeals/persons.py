"""The same person again, known by keyed hashes alone, and only where a review was found malicious."""

import json
from typing import Any

from asyncpg import Record

from server.kit import sql
from server.kit.privacy import BrokenSeal, vault
from server.reviews.models import Review

_OF = """
SELECT r.contact, c.phone_key, l.citizen_id FROM reviews r JOIN receipts c ON c.id = r.receipt_id
LEFT JOIN claims l ON l.review_id = r.id WHERE r.id = $1
"""
# Not lifted, of another review, and the same phone or the same signed-in citizen.
_EARLIER = """
SELECT count(*) AS n FROM exclusions e JOIN reviews r ON r.id = e.review_id
JOIN receipts c ON c.id = r.receipt_id LEFT JOIN claims l ON l.review_id = r.id
WHERE e.person_key IS NOT NULL AND e.reason = 'malicious' AND e.lifted_at IS NULL AND r.id <> $1
  AND (e.person_key = ANY($2) OR c.phone_key = ANY($2) OR l.citizen_id = $3)
"""


async def key_of(review: Review) -> str | None:
    """Under which an exclusion remembers him: the phone he gave, that of the receipt, or himself."""
    row = await _row(review)
    phone = _phone(row["contact"])
    if phone:
        return vault().fingerprint(phone, "phone")
    if row["phone_key"]:
        return str(row["phone_key"])
    return vault().fingerprint(row["citizen_id"].bytes, "person") if row["citizen_id"] else None


async def earlier_findings(review: Review) -> int:
    """How many other reviews of this person stand excluded as malicious."""
    row = await _row(review)
    phone = _phone(row["contact"])
    keys = set(vault().fingerprints(phone, "phone")) if phone else set()
    if row["phone_key"]:
        keys.add(row["phone_key"])
    if row["citizen_id"]:
        keys |= set(vault().fingerprints(row["citizen_id"].bytes, "person"))
    (found,) = await sql.fetch(_EARLIER, review.id, sorted(keys), row["citizen_id"])
    return int(found["n"])


async def _row(review: Review) -> Record:
    (row,) = await sql.fetch(_OF, review.id)
    return row


def _phone(contact: Any) -> str | None:
    try:
        return json.loads(vault().unseal(contact, "contact"))["phone"] if contact else None
    except BrokenSeal:
        return None  # under a key that was withdrawn
