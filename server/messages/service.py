"""Writing to somebody: a row in the commit of its cause, and a job that will send it."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from server.kit import sql
from server.kit.ids import new_id
from server.kit.privacy import vault
from server.messages import wording
from server.messages.rules import Purpose, start_of_day
from sms.phone import mask

SEAL = "message"


@dataclass(frozen=True, kw_only=True)
class Post:
    """One message as a desk wants it written."""

    region_code: str
    agency_code: str
    purpose: Purpose
    phone: str = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    about: UUID | None = None
    not_before: datetime
    not_after: datetime | None = None


_POST = """
WITH posted AS (
  INSERT INTO sms_messages (id, region_code, agency_code, purpose, about, phone_key, content, parts,
    state, tries, created_at, next_at, not_after)
  SELECT m.id, m.region_code, m.agency_code, m.purpose, m.about, m.phone_key, m.content, m.parts,
    'queued', 0, $1, m.next_at, m.not_after
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::bytea[],
    $9::smallint[], $10::timestamptz[], $11::timestamptz[])
    AS m(id, region_code, agency_code, purpose, about, phone_key, content, parts, next_at, not_after)
)
INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key)
SELECT 0, 'queued', 'send', convert_to(j.payload, 'UTF8'), j.dedupe_key
FROM unnest($12::text[], $13::text[]) AS j(payload, dedupe_key)
ON CONFLICT DO NOTHING
"""


async def post(posts: Sequence[Post], now: datetime) -> list[UUID]:
    """In the caller's transaction; what is due is sent as soon as that has committed."""
    if not posts:
        return []
    ids = [new_id() for _ in posts]
    composed = [wording.compose(p.region_code, p.purpose, p.values) for p in posts]
    contents = [content_of(p.phone, c) for p, c in zip(posts, composed, strict=True)]
    due = [i.hex for i, p in zip(ids, posts, strict=True) if p.not_before <= now]
    await sql.fetch(
        _POST, now, ids, [p.region_code for p in posts], [p.agency_code for p in posts],
        [p.purpose for p in posts], [p.about for p in posts],
        vault().fingerprints_of([p.phone for p in posts], "phone"),
        vault().seal_all(contents, SEAL), [c.parts for c in composed],
        [p.not_before for p in posts], [p.not_after for p in posts],
        [json.dumps({"message": name}) for name in due], [f"send:{name}" for name in due],
    )  # fmt: skip
    return ids


def content_of(phone: str, composed: wording.Composed) -> bytes:
    return json.dumps(
        {
            "phone": phone, "sign": composed.sign, "template": composed.template,
            "variables": dict(composed.variables), "text": composed.text,
        },
        ensure_ascii=False,
    ).encode()  # fmt: skip


@dataclass(frozen=True)
class Locked:
    """What is known of a phone while its row is locked."""

    opted_out: bool
    sent_today: int


async def lock(phones: Collection[str], now: datetime) -> dict[str, Locked]:
    """Phone → what is known of it; until the end of the caller's transaction nobody else decides
    anything about it."""
    if not phones:
        return {}
    keys = vault()
    await sql.fetch(
        "INSERT INTO sms_phones (phone_key, masked) SELECT * FROM unnest($1::text[], $2::text[]) "
        "ORDER BY 1 ON CONFLICT DO NOTHING",
        keys.fingerprints_of(phones, "phone"), [mask(phone) for phone in phones],
    )  # fmt: skip
    # Also what they said, and were sent, before a change of keys.
    of_key = {key: phone for phone in phones for key in keys.fingerprints(phone, "phone")}
    rows = await sql.fetch(
        "SELECT phone_key, opted_out_at FROM sms_phones WHERE phone_key = ANY($1) "
        "ORDER BY phone_key FOR UPDATE",
        list(of_key),
    )
    out = {of_key[row["phone_key"]] for row in rows if row["opted_out_at"]}
    rows = await sql.fetch(
        "SELECT phone_key, count(*) AS messages FROM sms_messages "
        "WHERE phone_key = ANY($1) AND created_at >= $2 AND state <> 'cancelled' GROUP BY 1",
        list(of_key), start_of_day(now),
    )  # fmt: skip
    sent = Counter[str]()
    for row in rows:
        sent[of_key[row["phone_key"]]] += row["messages"]
    return {phone: Locked(phone in out, sent[phone]) for phone in phones}


async def opt_out(phones: Collection[str], now: datetime) -> None:
    """In the caller's transaction, which has locked them."""
    await sql.fetch(
        "UPDATE sms_phones SET opted_out_at = coalesce(opted_out_at, $2) WHERE phone_key = ANY($1)",
        [vault().fingerprint(phone, "phone") for phone in phones], now,
    )  # fmt: skip
