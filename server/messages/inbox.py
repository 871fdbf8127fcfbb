"""What the provider pushes: stored as it came and answered, read afterwards item by item."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Literal

from asyncpg import Record

from server.kit import sql
from server.kit.clock import clock
from server.kit.failures import DOWN
from server.kit.privacy import BrokenSeal, vault
from server.kit.transaction import transaction
from server.messages.reports import apply_reports
from sms.callbacks import (
    Malformed,
    NotAnArray,
    identity,
    origin,
    read_replies,
    read_reports,
)
from sms.gateway import Reply, Report
from sms.phone import mask

log = logging.getLogger(__name__)
PUSH, REPLY = "push", "reply"
"""Purposes of the seals."""
WHOLE = -1
"""The place of a push that is set aside as a whole; its body stays with it."""
UNREAD_FOR = timedelta(seconds=1)
"""Longer than a push usually waits; then another job is given."""
JOBS_A_SECOND = 10
_AT_ONCE = 32

_KEEP = """
WITH pushed AS (INSERT INTO sms_pushes (kind, body, received_at) VALUES ($1, $2, $3))
INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key)
VALUES (0, 'queued', 'read_push', '{}', $4) ON CONFLICT DO NOTHING
"""
_storing: set[asyncio.Task[Any]] = set()


async def keep(kind: Literal["up", "report"], body: bytes) -> None:
    """Stored when this returns. The provider hangs up after 0.7 s and comes a few times at most:
    what was begun for it is finished without it."""
    now, sealed = clock.now(), vault().seal(body, PUSH)
    storing = asyncio.create_task(sql.fetch_alone(_KEEP, kind, sealed, now, _job_at(now)))
    _storing.add(storing)
    storing.add_done_callback(_storing.discard)
    await asyncio.shield(storing)


def _job_at(now: datetime) -> str:
    """The pushes of one moment share a job: in a storm, jobs would cost more than what they do."""
    return f"read_push:{int(now.timestamp() * JOBS_A_SECOND)}"


async def find_unread() -> int:
    """A job for what was left: its own was lost, or had already looked when it came."""
    now = clock.now()
    rows = await sql.fetch(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key) "
        "SELECT 0, 'queued', 'read_push', '{}', $2 WHERE EXISTS ("
        "SELECT 1 FROM sms_pushes WHERE read_at IS NULL AND received_at <= $1) "
        "ON CONFLICT DO NOTHING RETURNING 1",
        now - UNREAD_FOR, _job_at(now),
    )  # fmt: skip
    return len(rows)


async def read() -> int:
    """The job: all that waits and is in nobody's hands; gives how many replies and reports were
    news."""
    news, taken = 0, _AT_ONCE
    while taken == _AT_ONCE:
        try:
            taken, new = await _read_together()
        except DOWN:
            raise
        except Exception:
            # One of them is at fault; the others must not pay for it.
            taken, new = await _read_apart()
        news += new
    return news


async def _read_together() -> tuple[int, int]:
    async with transaction():
        pushes = await _waiting()
        return len(pushes), await _take(pushes) if pushes else 0


async def _read_apart() -> tuple[int, int]:
    async with transaction():
        pushes = await _waiting()
        return len(pushes), sum([await _read_alone(push) for push in pushes])


async def _read_alone(push: Record) -> int:
    try:
        async with transaction():
            return await _take([push])
    except DOWN:
        raise
    except Exception as error:
        log.exception("a push cannot be read")
        reason = f"cannot be stored: {type(error).__name__}"
        whole = Malformed(WHOLE, reason, "")
        return await _store(Found([push["id"]], malformed=[(push["id"], whole)]))


async def _waiting() -> list[Record]:
    return await sql.fetch(
        "SELECT id, kind, body FROM sms_pushes WHERE read_at IS NULL "
        "ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
        _AT_ONCE,
    )


@dataclass
class Found:
    """What pushes hold, with the push of every item, in the order in which they came."""

    pushes: list[int] = field(default_factory=list)
    replies: list[tuple[int, Reply]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    malformed: list[tuple[int, Malformed]] = field(default_factory=list)

    def add(self, push: int, items: Sequence[Reply | Report | Malformed]) -> None:
        self.pushes.append(push)
        self.replies += [(push, item) for item in items if isinstance(item, Reply)]
        self.reports += [item for item in items if isinstance(item, Report)]
        self.malformed += [(push, item) for item in items if isinstance(item, Malformed)]


def _items(kind: str, body: bytes) -> Sequence[Reply | Report | Malformed]:
    try:
        plain = vault().unseal(body, PUSH)
        return read_replies(plain) if kind == "up" else read_reports(plain)
    except BrokenSeal:
        return [Malformed(WHOLE, "sealed with a key that was withdrawn", "")]
    except NotAnArray:
        return [Malformed(WHOLE, "no JSON array", "")]


async def _take(pushes: Sequence[Record]) -> int:
    found = Found()
    for push in pushes:
        found.add(push["id"], _items(push["kind"], push["body"]))
    found.replies = await _unheard(found.replies)
    settled = await apply_reports(found.reports) if found.reports else 0
    return settled + await _store(found)


_STORE = """
WITH phones AS (
  INSERT INTO sms_phones (phone_key, masked)
  SELECT * FROM unnest($3::text[], $4::text[]) ORDER BY 1 ON CONFLICT DO NOTHING
), replies AS (
  INSERT INTO sms_replies (id, identity_key, origin_key, phone_key, content, at, received_at,
    outcome, note)
  SELECT n.id, n.identity_key, n.origin_key, n.phone_key, n.content, n.at, p.received_at, 'new', ''
  FROM (
    SELECT nextval(pg_get_serial_sequence('sms_replies', 'id')) AS id, r.*
    FROM unnest($5::bigint[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::timestamptz[])
      AS r(push_id, identity_key, origin_key, phone_key, content, at)
  ) n JOIN sms_pushes p ON p.id = n.push_id
  ORDER BY n.origin_key, n.id ON CONFLICT DO NOTHING RETURNING 1
), aside AS (
  INSERT INTO sms_set_aside (push_id, place, reason, item)
  SELECT * FROM unnest($11::bigint[], $12::int[], $13::text[], $14::bytea[])
  ON CONFLICT DO NOTHING
), done AS (
  UPDATE sms_pushes SET read_at = $2 WHERE id = ANY($1)
)
SELECT count(*) AS new FROM replies
"""
"""Ids follow the order of coming, since a phone's two replies may name the same second; what is
unique is written in an order of its own, so that two who store the same replies wait, and do not
block, each other."""


async def _store(found: Found) -> int:
    keys, replies = vault(), [reply for _, reply in found.replies]
    phones = {reply.phone for reply in replies}
    contents = [
        json.dumps({"phone": r.phone, "text": r.text}, ensure_ascii=False).encode() for r in replies
    ]
    aside = [item for _, item in found.malformed]
    (row,) = await sql.fetch(
        _STORE, found.pushes, clock.now(),
        keys.fingerprints_of(phones, "phone"), [mask(phone) for phone in phones],
        [push for push, _ in found.replies],
        keys.fingerprints_of(map(_identity, replies), REPLY),
        keys.fingerprints_of(map(_origin, replies), REPLY),
        keys.fingerprints_of([reply.phone for reply in replies], "phone"),
        keys.seal_all(contents, REPLY), [reply.at for reply in replies],
        [push for push, _ in found.malformed],
        [item.index for item in aside], [item.reason for item in aside],
        [keys.seal(item.raw.encode(), PUSH) if item.raw else None for item in aside],
    )  # fmt: skip
    return int(row["new"])


def _identity(reply: Reply) -> str:
    return "\n".join(identity(reply))


def _origin(reply: Reply) -> str:
    return "\n".join(origin(reply))


async def _unheard(replies: list[tuple[int, Reply]]) -> list[tuple[int, Reply]]:
    """Without those that were stored under an older key, where no constraint sees them."""
    keys = vault()
    if not replies or len(keys.key_ids) == 1:
        return replies
    names = [
        [name for text in (_identity(r), _origin(r)) for name in keys.fingerprints(text, REPLY)]
        for _, r in replies
    ]
    rows = await sql.fetch(
        "SELECT identity_key AS name FROM sms_replies WHERE identity_key = ANY($1) "
        "UNION ALL SELECT origin_key FROM sms_replies WHERE origin_key = ANY($1)",
        list(chain.from_iterable(names)),
    )
    heard = {row["name"] for row in rows}
    return [reply for reply, its in zip(replies, names, strict=True) if heard.isdisjoint(its)]
