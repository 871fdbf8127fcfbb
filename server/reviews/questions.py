"""The questions that phones are asked: their rows, and the messages that ask them."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING
from server.kit.ids import new_id
from server.kit.privacy import BrokenSeal, vault
from server.messages.rules import Purpose
from server.messages.service import Post
from server.receipts import visits
from server.receipts.rules import Channel
from server.reviews import said
from server.reviews.rules import QuestionState

_SEAL = "phone"
LETTERS = 8
"""A to H: as many reasons as the message lists."""
_REMOTE = frozenset({Channel.ONLINE, Channel.MOBILE})


@dataclass(frozen=True, kw_only=True)
class New:
    """A question that waits for its turn."""

    receipt: Any
    phone: str = field(repr=False)
    asking: Literal["level", "reason", "verdict", "recall", "message"]
    due_at: datetime
    give_up_at: datetime
    reminder: bool = False
    review_id: UUID | None = None


async def add(new: Sequence[New]) -> None:
    """In the caller's transaction."""
    if not new:
        return
    phones = [n.phone for n in new]
    await sql.fetch(
        "INSERT INTO questions (id, region_code, agency_code, receipt_id, review_id, phone_key, phone,"
        " asking, state, reminder, options, due_at, give_up_at) "
        "SELECT id, region_code, agency_code, receipt_id, review_id, phone_key, phone, asking,"
        " 'waiting', reminder, '{}', due_at, give_up_at "
        "FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::text[],"
        " $7::bytea[], $8::text[], $9::bool[], $10::timestamptz[], $11::timestamptz[])"
        " AS n(id, region_code, agency_code, receipt_id, review_id, phone_key, phone, asking,"
        " reminder, due_at, give_up_at)",
        [new_id() for _ in new], [n.receipt["region_code"] for n in new],
        [n.receipt["agency_code"] for n in new], [n.receipt["id"] for n in new],
        [n.review_id for n in new], vault().fingerprints_of(phones, "phone"),
        vault().seal_all([phone.encode() for phone in phones], _SEAL), [n.asking for n in new],
        [n.reminder for n in new], [n.due_at for n in new], [n.give_up_at for n in new],
    )  # fmt: skip


def phone_of(receipt: Any) -> str | None:
    """The applicant's, in the clear; None without one, or if its key was withdrawn."""
    if not receipt["applicant"]:
        return None
    try:
        return json.loads(vault().unseal(receipt["applicant"], "applicant")).get("phone")
    except BrokenSeal:
        return None


def unsealed(phone: bytes | None) -> str | None:
    try:
        return vault().unseal(phone, _SEAL).decode() if phone else None
    except BrokenSeal:
        return None


def keys_of(phones: Collection[str]) -> dict[str, str]:
    """Key → phone, under every master key: what was asked before a change of keys is not forgotten."""
    return {key: phone for phone in phones for key in vault().fingerprints(phone, "phone")}


@dataclass
class Busy:
    """What holds a phone."""

    until: datetime | None = None
    """It is being asked something, or may still correct what it said."""
    reason_until: datetime | None = None
    """It is to be asked for a reason before anything else."""


_UNENDED = timedelta(seconds=1)
"""An open question holds its phone until it was ended, and that is soon."""


async def busy(phones: Collection[str], now: datetime) -> defaultdict[str, Busy]:
    of_key, found = keys_of(phones), defaultdict[str, Busy](Busy)
    rows = await sql.fetch(
        "SELECT phone_key,"
        " max(CASE state WHEN 'open' THEN greatest(open_until, $3) ELSE held_until END)"
        "  FILTER (WHERE state <> 'waiting') AS until,"
        " max(give_up_at) FILTER (WHERE state = 'waiting') AS reason_until "
        "FROM questions WHERE phone_key = ANY($1) AND (state = 'open' OR held_until > $2"
        " OR state = 'waiting' AND asking = 'reason') GROUP BY 1",
        list(of_key), now, now + _UNENDED,
    )  # fmt: skip
    for row in rows:
        known = found[of_key[row["phone_key"]]]
        known.until = _later(known.until, row["until"])
        known.reason_until = _later(known.reason_until, row["reason_until"])
    return found


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


async def receipts_of(numbers: Collection[int]) -> dict[int, Record]:
    rows = await sql.fetch("SELECT * FROM receipts WHERE id = ANY($1)", list(numbers))
    return {row["id"]: row for row in rows}


async def open_now(
    question: Record, receipt: Record, phone: str, now: datetime
) -> tuple[datetime, Post]:
    """Opens it and writes its message; gives until when it is open. In the caller's transaction."""
    policy = catalogue().policy(question["region_code"])
    hours = policy.reason_hours if question["asking"] == "reason" else policy.question_hours
    until = min(now + timedelta(hours=hours), question["give_up_at"])
    purpose, values, options = await _message(question, receipt)
    await sql.fetch(
        "UPDATE questions SET state = 'open', asked_at = $2, open_until = $3, options = $4 "
        "WHERE id = $1",
        question["id"], now, until, options,
    )  # fmt: skip
    return until, Post(
        region_code=question["region_code"], agency_code=question["agency_code"], purpose=purpose,
        phone=phone, values=values, about=question["id"], not_before=now, not_after=until,
    )  # fmt: skip


async def _message(question: Any, receipt: Record) -> tuple[Purpose, dict[str, str], list[str]]:
    """What it is for, its values, and the tags that its letters stand for."""
    values = values_of(receipt)
    if question["asking"] == "level":
        return (Purpose.REMINDER if question["reminder"] else Purpose.NOTICE), values, []
    if question["asking"] == "verdict":
        return Purpose.ANSWER, values | await said.answer(question["review_id"]), []
    if question["asking"] == "recall":
        return Purpose.RECALL, values, []
    if question["asking"] == "message":
        return Purpose.ASK, values | await said.word(question["review_id"]), []
    (review,) = await sql.fetch("SELECT level FROM reviews WHERE id = $1", question["review_id"])
    tags = catalogue().tags_of_level(review["level"])[:LETTERS]
    if len(tags) < LETTERS:
        return Purpose.REASON_OPEN, values, []
    listed = {chr(ord("a") + place): tag.text for place, tag in enumerate(tags)}
    return Purpose.REASON, values | listed, [tag.code for tag in tags]


def values_of(receipt: Any) -> dict[str, str]:
    """What every message may say of the service."""
    hall, _ = visits.place_of(receipt)
    day = receipt["handled_at"].astimezone(BEIJING)
    place = "网上" if receipt["channel"] in _REMOTE else ""
    return {
        "date": f"{day.month}月{day.day}日", "hall": hall.name if hall else place,
        "item": visits.matter_name(receipt), "agency": catalogue().agency_name(receipt["agency_code"]),
    }  # fmt: skip


_AGAIN = {
    "level": Purpose.UNCLEAR, "verdict": Purpose.UNCLEAR_VERDICT, "recall": Purpose.UNCLEAR_RECALL,
}  # fmt: skip
"""The list of reasons is simply sent once more."""


async def ask_again(question: Record, phone: str, now: datetime) -> Post:
    """The one question back when a reply was not understood. In the caller's transaction."""
    receipts = await receipts_of([question["receipt_id"]])
    purpose, values, options = await _message(question, receipts[question["receipt_id"]])
    purpose = _AGAIN.get(question["asking"], purpose)
    await sql.fetch(
        "UPDATE questions SET clarified_at = $2, options = $3 WHERE id = $1",
        question["id"], now, options,
    )  # fmt: skip
    return Post(
        region_code=question["region_code"], agency_code=question["agency_code"], purpose=purpose,
        phone=phone, values=values, about=question["id"], not_before=now,
        not_after=question["open_until"],
    )  # fmt: skip


async def end(question_id: UUID, state: QuestionState, at: datetime) -> None:
    await sql.fetch(
        "UPDATE questions SET state = $2, ended_at = $3, held_until = NULL WHERE id = $1",
        question_id, state, at,
    )  # fmt: skip


async def leave(review_id: UUID, at: datetime) -> None:
    """Nothing more is asked about this review."""
    await sql.fetch(
        "UPDATE questions SET state = 'needless', ended_at = $2, held_until = NULL "
        "WHERE review_id = $1 AND state IN ('waiting', 'open')",
        review_id, at,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class End:
    """How a question of a phone ends."""

    question: Record
    state: QuestionState
    at: datetime
    phone: str = field(repr=False)
    review_id: UUID | None = None
    held_until: datetime | None = None


_ENDED = """ended AS (
  UPDATE questions q SET state = e.state, ended_at = e.at, held_until = e.held_until,
    review_id = coalesce(e.review_id, q.review_id)
  FROM unnest({ended}::uuid[], {end_state}::text[], {ended_at}::timestamptz[],
    {ended_by}::uuid[], {held_until}::timestamptz[]) AS e(id, state, at, review_id, held_until)
  WHERE q.id = e.id
)"""
# One statement updates a row once: what ends is not woken.
_WOKEN = """woken AS (
  UPDATE questions q SET due_at = w.at
  FROM unnest({woken}::text[], {woken_at}::timestamptz[]) AS w(phone_key, at)
  WHERE q.phone_key = w.phone_key AND q.state = 'waiting' AND q.due_at > w.at
    AND q.id <> ALL({ended}::uuid[])
)"""


def ended(ends: Sequence[End], now: datetime) -> tuple[sql.Part, ...]:
    """Their part in a statement. What else waits at their phones is looked at again at once, or when
    nothing can be corrected any more."""
    if not ends:
        return ()
    woken = [
        (key, end.held_until or now)
        for end in ends for key in vault().fingerprints(end.phone, "phone")
    ]  # fmt: skip
    values = {
        "ended": [e.question["id"] for e in ends], "end_state": [e.state for e in ends],
        "ended_at": [e.at for e in ends], "ended_by": [e.review_id for e in ends],
        "held_until": [e.held_until for e in ends],
    }  # fmt: skip
    waking = {"woken": [key for key, _ in woken], "woken_at": [at for _, at in woken]}
    return sql.Part(_ENDED, values), sql.Part(_WOKEN, waking)


async def put_off(question_id: UUID, until: datetime) -> None:
    await sql.fetch("UPDATE questions SET due_at = $2 WHERE id = $1", question_id, until)


async def wake(phones: Collection[str], at: datetime) -> None:
    """What waits at these phones is looked at again then."""
    if not phones:
        return
    await sql.fetch(
        "UPDATE questions SET due_at = $2 WHERE phone_key = ANY($1) AND state = 'waiting' "
        "AND due_at > $2",
        list(keys_of(phones)), at,
    )  # fmt: skip


async def forget(before: datetime) -> int:
    """Numbers of questions that ended before that day; the keyed hash stays."""
    rows = await sql.fetch(
        "UPDATE questions SET phone = NULL WHERE phone IS NOT NULL AND ended_at < $1 RETURNING 1",
        before,
    )
    return len(rows)
