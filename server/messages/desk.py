"""What the console shows of messages and replies, and the two things a person does about them here.
Sending again is delivery's."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.errors import Conflict
from server.kit.privacy import BrokenSeal, vault
from server.messages.rules import FOR_A_PERSON, MessageState
from server.people.service import Member

PAID = (MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED)
"""Taken by the provider, whatever became of them at the phone."""
After = tuple[datetime, str] | None
"""The last row of the page before."""


class AlreadyHandled(Conflict):
    code = "already_handled"
    title = "这一条刚才已经有人处理了，或者不在您的地区"


@dataclass(frozen=True)
class Sight:
    """What a member of staff may see."""

    regions: list[str]
    top: bool
    """Nobody is above him: he also sees what belongs to no region, as a reply of an unknown phone."""

    @classmethod
    def of(cls, member: Member) -> "Sight":
        known = catalogue()
        region = known.regions.get(member.region_code)
        top = region is not None and region.parent_code not in known.regions
        return cls(sorted(known.within(member.region_code)), top)


@dataclass(frozen=True)
class Wanted:
    """A list of messages: those of a time, narrowed."""

    since: datetime
    until: datetime
    state: str | None = None
    purposes: Collection[str] | None = None
    agency_code: str | None = None


_MESSAGES = """FROM sms_messages WHERE region_code = ANY($1::text[])
  AND created_at >= $2 AND created_at < $3 AND ($4::text IS NULL OR state = $4)
  AND ($5::text[] IS NULL OR purpose = ANY($5)) AND ($6::text IS NULL OR agency_code = $6)"""


async def messages(
    sight: Sight, wanted: Wanted, after: After, limit: int
) -> tuple[int, list[asyncpg.Record]]:
    """How many there are, and one page of them, newest first."""
    values = (
        sight.regions, wanted.since, wanted.until, wanted.state,
        None if wanted.purposes is None else list(wanted.purposes), wanted.agency_code,
    )  # fmt: skip
    rows = await sql.fetch(
        f"SELECT * {_MESSAGES} AND ($7::timestamptz IS NULL OR (created_at, id) < ($7, $8::uuid)) "
        "ORDER BY created_at DESC, id DESC LIMIT $9",
        *values, *(after or (None, None)), limit,
    )  # fmt: skip
    return await _count(_MESSAGES, *values), rows


_TOO_LATE_SHOWN = timedelta(days=7)
_DEAD = """FROM sms_messages WHERE state = 'dead' AND content IS NOT NULL
  AND region_code = ANY($1::text[]) AND (not_after IS NULL OR not_after >= $2)"""
"""A forgotten one has no phone any more to be sent to; one that came too late is shown for a week,
so that nobody thinks that it went out."""


async def dead_letters(
    sight: Sight, now: datetime, after: After, limit: int
) -> list[asyncpg.Record]:
    return await sql.fetch(
        f"SELECT * {_DEAD} AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid)) "
        "ORDER BY created_at DESC, id DESC LIMIT $5",
        sight.regions, now - _TOO_LATE_SHOWN, *(after or (None, None)), limit,
    )  # fmt: skip


async def is_in_sight(sight: Sight, message_id: UUID) -> bool:
    return bool(
        await sql.fetch(
            "SELECT 1 FROM sms_messages WHERE id = $1 AND region_code = ANY($2::text[])",
            message_id,
            sight.regions,
        )
    )


_UNMATCHED = """FROM sms_replies r LEFT JOIN LATERAL (
    SELECT m.region_code FROM sms_messages m
    WHERE m.phone_key = r.phone_key AND m.about = r.about LIMIT 1) asked ON r.about IS NOT NULL
  WHERE r.outcome = ANY($1::text[]) AND r.handled_at IS NULL
  AND (asked.region_code = ANY($2::text[]) OR ($3::bool AND asked.region_code IS NULL))"""
"""A reply belongs to the region whose question it meant, if that is known."""


def _unmatched(sight: Sight) -> tuple[list[str], list[str], bool]:
    return sorted(FOR_A_PERSON), sight.regions, sight.top


async def unmatched_replies(sight: Sight, after: After, limit: int) -> list[asyncpg.Record]:
    return await sql.fetch(
        f"SELECT r.* {_UNMATCHED} "
        "AND ($4::timestamptz IS NULL OR (r.received_at, r.id) < ($4, $5::text::bigint)) "
        "ORDER BY r.received_at DESC, r.id DESC LIMIT $6",
        *_unmatched(sight), *(after or (None, None)), limit,
    )  # fmt: skip


async def handle_reply(
    sight: Sight, reply_id: int, member: Member, note: str, at: datetime
) -> None:
    """A person has dealt with it. It stays a reply: nobody but the citizen gives a level."""
    rows = await sql.fetch(
        f"UPDATE sms_replies SET handled_at = $4, handled_by = $5, note = $6 WHERE handled_at IS NULL "  # noqa: S608
        f"AND id = (SELECT r.id {_UNMATCHED} AND r.id = $7) RETURNING id",
        *_unmatched(sight), at, member.id, note, reply_id,
    )  # fmt: skip
    if not rows:
        raise AlreadyHandled


_SET_ASIDE = """FROM sms_set_aside a JOIN sms_pushes p ON p.id = a.push_id
  WHERE a.handled_at IS NULL AND $1::bool"""


async def set_aside(sight: Sight, after: After, limit: int) -> list[asyncpg.Record]:
    """Items of pushes that could not be read; they say nothing of a region."""
    return await sql.fetch(
        f"SELECT a.*, p.kind, p.received_at {_SET_ASIDE} "
        "AND ($2::timestamptz IS NULL OR (p.received_at, a.id) < ($2, $3::text::bigint)) "
        "ORDER BY p.received_at DESC, a.id DESC LIMIT $4",
        sight.top, *(after or (None, None)), limit,
    )  # fmt: skip


async def handle_set_aside(sight: Sight, item_id: int, member: Member, at: datetime) -> None:
    rows = await sql.fetch(
        "UPDATE sms_set_aside SET handled_at = $2, handled_by = $3 "
        "WHERE id = $1 AND handled_at IS NULL AND $4::bool RETURNING id",
        item_id, at, member.id, sight.top,
    )  # fmt: skip
    if not rows:
        raise AlreadyHandled


_OPTED_OUT = "FROM sms_phones WHERE opted_out_at IS NOT NULL AND $1::bool"


async def opted_out(sight: Sight, after: After, limit: int) -> list[asyncpg.Record]:
    """An opt-out holds for all regions."""
    return await sql.fetch(
        f"SELECT * {_OPTED_OUT} "
        "AND ($2::timestamptz IS NULL OR (opted_out_at, phone_key) < ($2, $3)) "
        "ORDER BY opted_out_at DESC, phone_key DESC LIMIT $4",
        sight.top, *(after or (None, None)), limit,
    )  # fmt: skip


async def restore(sight: Sight, phone_key: str) -> str:
    """In the caller's transaction. Gives the masked phone."""
    rows = await sql.fetch(
        "UPDATE sms_phones SET opted_out_at = NULL "
        "WHERE phone_key = $1 AND opted_out_at IS NOT NULL AND $2::bool RETURNING masked",
        phone_key, sight.top,
    )  # fmt: skip
    if not rows:
        raise AlreadyHandled
    return str(rows[0]["masked"])


async def _count(source: str, *values: Any) -> int:
    return int((await sql.fetch(f"SELECT count(*) {source}", *values))[0]["count"])


@dataclass(frozen=True)
class Waiting:
    """How long the lists are that wait for a person, and that of the opt-outs."""

    dead: int
    replies: int
    aside: int
    out: int


async def waiting(sight: Sight, now: datetime) -> Waiting:
    return Waiting(
        await _count(_DEAD, sight.regions, now - _TOO_LATE_SHOWN),
        await _count(_UNMATCHED, *_unmatched(sight)),
        await _count(_SET_ASIDE, sight.top), await _count(_OPTED_OUT, sight.top),
    )  # fmt: skip


_SUMS = """SELECT {of} AS of, region_code, count(*) AS messages, sum(parts) AS parts
FROM sms_messages WHERE region_code = ANY($1::text[]) AND created_at >= $2 AND created_at < $3
  AND state = ANY($4::text[]) AND sent_at IS NOT NULL
  AND ($5::text IS NULL OR agency_code = $5) GROUP BY 1, 2"""


async def sums_of_agencies(sight: Sight, since: datetime, until: datetime) -> list[asyncpg.Record]:
    """By agency and region, since prices are a region's."""
    return await sql.fetch(
        _SUMS.format(of="agency_code"), sight.regions, since, until, list(PAID), None
    )


async def sums_of_months(
    sight: Sight, since: datetime, until: datetime, agency_code: str
) -> list[asyncpg.Record]:
    """Of one agency, by month in UTC+8."""
    month = "to_char(created_at AT TIME ZONE INTERVAL '+08:00', 'YYYY-MM')"
    return await sql.fetch(
        _SUMS.format(of=month), sight.regions, since, until, list(PAID), agency_code
    )


FORGOTTEN = "已按期清除"
UNREADABLE = "封存它的密钥已经停用，无法显示"


def opened(sealed: bytes | None, purpose: str) -> dict[str, Any]:
    """What was sealed as JSON; only a text that says why if it is not there to be read."""
    if sealed is None:
        return {"text": FORGOTTEN}
    try:
        found: dict[str, Any] = json.loads(vault().unseal(sealed, purpose))
        return found
    except BrokenSeal:
        return {"text": UNREADABLE}


def opened_item(sealed: bytes | None) -> str:
    """An item of a push as it came, or why it is not there to be read."""
    if sealed is None:
        return FORGOTTEN
    try:
        return vault().unseal(sealed, "push").decode("utf-8", "replace")
    except BrokenSeal:
        return UNREADABLE
