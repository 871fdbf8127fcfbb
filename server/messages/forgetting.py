"""What was said by SMS is kept for the policy's days; then phones and words go, and what became of
them stays."""

import logging
from datetime import datetime, timedelta
from typing import Any

from server.catalogue.service import catalogue
from server.kit import sql
from server.messages.rules import TO_DO

log = logging.getLogger(__name__)
_AT_ONCE = 2000

_MESSAGES = """
UPDATE sms_messages m SET content = NULL, phone_key = NULL, next_at = NULL,
  state = CASE WHEN state = ANY($1) THEN 'cancelled' ELSE state END,
  code = CASE WHEN state = ANY($1) THEN 'forgotten' ELSE code END
WHERE id IN (
  SELECT o.id FROM sms_messages o
  LEFT JOIN unnest($3::text[], $4::timestamptz[]) AS r(code, before) ON r.code = o.region_code
  WHERE o.created_at < $5 AND o.created_at < coalesce(r.before, $2) AND o.content IS NOT NULL
  ORDER BY o.created_at LIMIT $6 FOR UPDATE OF o SKIP LOCKED)
RETURNING 1
"""
"""One that could never be sent is not sent after that time either."""
_REPLIES = """
UPDATE sms_replies SET content = NULL WHERE id IN (
  SELECT id FROM sms_replies WHERE received_at < $1 AND content IS NOT NULL AND outcome <> 'new'
  ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING 1
"""
_SET_ASIDE = """
UPDATE sms_set_aside SET item = NULL WHERE id IN (
  SELECT a.id FROM sms_set_aside a JOIN sms_pushes p ON p.id = a.push_id
  WHERE p.received_at < $1 AND a.item IS NOT NULL LIMIT $2 FOR UPDATE OF a SKIP LOCKED)
RETURNING 1
"""
_PUSHES = """
UPDATE sms_pushes SET body = NULL WHERE id IN (
  SELECT id FROM sms_pushes
  WHERE received_at < $1 AND body IS NOT NULL AND read_at IS NOT NULL
  LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING 1
"""


async def forget(now: datetime) -> dict[str, int]:
    """Table → rows that were emptied. What nobody has read yet is left."""
    longest = now - timedelta(days=longest_days())
    regions, before = _of_regions(now)
    done = {
        "sms_messages": await _empty(
            _MESSAGES, list(TO_DO), longest, regions, before, max([longest, *before])
        ),
        "sms_replies": await _empty(_REPLIES, longest),
        "sms_set_aside": await _empty(_SET_ASIDE, longest),
        "sms_pushes": await _empty(_PUSHES, longest),
    }
    told = ", ".join(f"{table} {count}" for table, count in done.items())
    log.info("messages forgotten", extra={"count": sum(done.values()), "reason": told})
    return done


def longest_days() -> int:
    """For what belongs to no region: nobody's days are cut short."""
    known = catalogue()
    days = [policy.message_days for policy in known.policies.values()]
    return max(days) if days else known.policy("").message_days


def _of_regions(now: datetime) -> tuple[list[str], list[datetime]]:
    known = catalogue()
    regions = list(known.regions)
    days = (known.policy(region).message_days for region in regions)
    return regions, [now - timedelta(days=kept) for kept in days]


async def _empty(statement: str, *values: Any) -> int:
    """Bit by bit: a large backlog holds up nobody."""
    done = 0
    while True:
        rows = await sql.fetch(statement, *values, _AT_ONCE)
        done += len(rows)
        if len(rows) < _AT_ONCE:
            return done
