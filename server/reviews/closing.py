"""销号: an answered order ends without the citizen's word only if it is known that he was told."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.errors import Unavailable
from server.kit.failures import refusal_of
from server.workorders import service as orders
from server.workorders.deadlines import Unit, due_or_provisional
from server.workorders.models import WorkOrder
from server.workorders.rules import IllegalMove, State, Told

log = logging.getLogger(__name__)
_BATCH = 200

# The answer's own step, who stands behind the order, and whatever proves that the answer reached him.
# A question that the phone's owner, or the region's policy, does not want is no way to reach him.
_PROOFS = """
SELECT o.number, o.region_code, o.next_due_at, o.climb_due, o.told_at, o.told_how,
  o.real_name AND o.called_back_at IS NULL AS must_be_called,
  (SELECT min(m.settled_at) FROM questions q JOIN sms_messages m
     ON m.phone_key = q.phone_key AND m.about = q.id
   WHERE q.review_id = r.id AND q.asking = 'verdict' AND m.state = 'delivered'
     AND m.created_at >= a.at) AS sms_at,
  (SELECT n.settled_at FROM wechat_notices n WHERE n.about = a.id AND n.state = 'sent') AS wechat_at,
  (r.contact IS NULL AND r.channel <> 'sms' OR EXISTS (SELECT 1 FROM questions q
      WHERE q.review_id = r.id AND q.asking = 'verdict' AND q.state = 'needless'
        AND q.due_at >= a.at))
    AND NOT EXISTS (SELECT 1 FROM wechat_notices n WHERE n.about = a.id
      AND n.state IN ('queued', 'sending')) AS no_channel
FROM work_orders o
LEFT JOIN LATERAL (SELECT s.id, s.at FROM work_order_steps s
  WHERE s.order_id = o.number AND s.move = 'answer' ORDER BY s.id DESC LIMIT 1) a ON TRUE
LEFT JOIN voices r ON r.id = o.origin_key
WHERE o.state = 'answered' AND o.next_due_at < $1
"""
_TO_CLOSE = f"""
SELECT * FROM ({_PROOFS}) AS p WHERE NOT must_be_called
  AND (told_at IS NOT NULL OR sms_at IS NOT NULL OR wechat_at IS NOT NULL OR no_channel)
ORDER BY next_due_at LIMIT $2
"""  # noqa: S608
_TO_CLIMB = f"""
UPDATE work_orders SET climb_due = next_due_at, climbs_at = next_due_at
WHERE state = 'answered' AND next_due_at < $1 AND climb_due IS DISTINCT FROM next_due_at
  AND number IN (SELECT number FROM ({_PROOFS}) AS p WHERE must_be_called
    OR NOT (told_at IS NOT NULL OR sms_at IS NOT NULL OR wechat_at IS NOT NULL
      OR coalesce(no_channel, FALSE)))
RETURNING number
"""  # noqa: S608


@dataclass(frozen=True)
class Proof:
    how: Told
    at: datetime | None = None
    """Empty where his page is the only channel: it could be read from the answer on."""


def proof_of(row: Any) -> Proof | None:
    """The first by which he can have known (no database)."""
    found = [
        Proof(how, at)
        for how, at in ((Told.SMS, row["sms_at"]), (Told.WECHAT, row["wechat_at"]))
        if at
    ]
    if row["told_at"]:
        found.append(Proof(Told(row["told_how"]), row["told_at"]))
    if found:
        return min(found, key=lambda proof: proof.at or row["next_due_at"])
    return Proof(Told.NO_CHANNEL) if row["no_channel"] else None


def told_late(proof: Proof, until: datetime, silence_days: int) -> datetime | None:
    """Who was told only after his days were over has them from then on."""
    if proof.at is None or proof.at <= until:
        return None
    return due_or_provisional(proof.at, silence_days, Unit.NATURAL, catalogue().calendar).at


async def close_silent() -> int:
    """The tick: closes what may be closed; what may not climbs like an overdue order."""
    now = clock.now()
    closed = 0
    for row in await sql.fetch(_TO_CLOSE, now, _BATCH):
        closed += await _end(row, now)
    return closed + len(await sql.fetch(_TO_CLIMB, now))


async def _end(row: Record, now: datetime) -> int:
    try:
        return await _close(row, now)
    except IllegalMove:
        return 0  # he has spoken in this very second, or another worker was here
    except Exception as error:
        if isinstance(refusal_of(error), Unavailable):
            raise
        log.exception("an order could not be closed", extra={"job": "close_silent"})
        return 0


async def _close(row: Record, now: datetime) -> int:
    proof = proof_of(row)
    if proof is None:
        return 0
    days = catalogue().policy(row["region_code"]).silence_days
    if until := told_late(proof, row["next_due_at"], days):
        moved = await sql.fetch(
            "UPDATE work_orders SET next_due_at = $3, told_at = $4, told_how = $5 WHERE number = $1 "
            "AND state = 'answered' AND next_due_at = $2 RETURNING 1",
            row["number"], row["next_due_at"], until, proof.at, proof.how,
        )  # fmt: skip
        return len(moved)
    await orders.silence(row["number"], proof.how, now)
    metrics.closed_silently.labels(proof.how).inc()
    return 1


async def seen(order: WorkOrder) -> None:
    """He has opened his page after the answer; the first time costs one statement, later none."""
    if order.state == State.ANSWERED and order.told_at is None:
        await orders.told(order.number, Told.PAGE, clock.now())
