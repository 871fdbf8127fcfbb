"""The rows of the outbox: who may touch one, and what is written down.

`next_at` says when somebody may touch a row again; each who takes it sets another one, so that who
was held up in the meantime changes nothing any more."""

import logging
from datetime import datetime
from typing import Any

from asyncpg import Record

from server.kit import metrics, sql
from server.kit.clock import clock
from server.messages.rules import MessageState
from server.messages.steps import Step

log = logging.getLogger(__name__)
_BATCH = 500


async def take_until(row: Record, until: datetime) -> Record | None:
    """The row with its new `next_at`; None if somebody else was faster."""
    return await sql.fetch_one(
        "UPDATE sms_messages SET next_at = $3 WHERE id = $1 AND next_at = $2 RETURNING *",
        row["id"], row["next_at"], until,
    )  # fmt: skip


async def put(row: Record, step: Step) -> bool:
    """False if the row has changed since it was taken: then what we know of it is old."""
    done = await sql.fetch(
        "UPDATE sms_messages SET state = $3, code = $4, next_at = $5, "
        "sent_at = CASE WHEN $6 THEN sent_at END, "
        "settled_at = CASE WHEN $5::timestamptz IS NULL THEN $7::timestamptz END "
        "WHERE id = $1 AND next_at = $2 RETURNING 1",
        row["id"], row["next_at"], step.state, step.code, step.next_at, step.perhaps_sent,
        clock.now(),
    )  # fmt: skip
    if done:
        _count(row, step.state)
        if step.state is MessageState.DEAD:
            log.warning("a message waits for a person", extra={"reason": step.code})
    return bool(done)


async def record_sent(row: Record, provider_id: str | None) -> None:
    """True whoever says it and however late; a report that was faster stays."""
    await sql.fetch(
        "UPDATE sms_messages SET provider_id = coalesce($2, provider_id), "
        "sent_at = coalesce(sent_at, $3), state = CASE WHEN open THEN 'sent' ELSE state END, "
        "next_at = CASE WHEN open THEN NULL ELSE next_at END, "
        "code = CASE WHEN open THEN NULL ELSE code END, "
        "settled_at = CASE WHEN open THEN NULL ELSE settled_at END "
        "FROM (SELECT state IN ('queued', 'sending', 'lost', 'dead') AS open "
        "FROM sms_messages WHERE id = $1 FOR UPDATE) AS found WHERE id = $1",
        row["id"], provider_id, row["sent_at"],
    )  # fmt: skip
    _count(row, MessageState.SENT)


def _count(row: Any, state: MessageState) -> None:
    outcome = "postponed" if state is MessageState.QUEUED else str(state)
    metrics.messages.labels(row["purpose"], outcome).inc()


_FIND_DUE = """
INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key)
SELECT 0, 'queued', 'send', convert_to('{"message": "' || due.name || '"}', 'UTF8'), due.key
FROM (
  SELECT m.name, 'send:' || m.name AS key FROM (
    SELECT replace(id::text, '-', '') AS name, next_at FROM sms_messages
    WHERE next_at <= $1 AND state IN ('queued', 'sending', 'lost')) m
  WHERE NOT EXISTS (SELECT 1 FROM pgqueuer j WHERE j.dedupe_key = 'send:' || m.name
    AND j.status IN ('queued', 'picked'))
  ORDER BY m.next_at LIMIT $2) due
WHERE (SELECT count(*) FROM (SELECT 1 FROM pgqueuer
  WHERE entrypoint = 'send' AND status = 'queued' LIMIT $2) busy) < $2
ON CONFLICT DO NOTHING RETURNING 1
"""


async def find_due() -> int:
    """Messages whose time has come, or whose job was lost, get one; not while many wait anyway."""
    return len(await sql.fetch(_FIND_DUE, clock.now(), _BATCH))
