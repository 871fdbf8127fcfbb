"""销号: an answered order ends without the citizen's word only if it is known that he was told."""

import logging
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.errors import Unavailable
from server.kit.failures import refusal_of
from server.kit.transaction import transaction
from server.workorders import service as orders
from server.workorders.deadlines import Unit, due_or_provisional
from server.workorders.models import WorkOrder
from server.workorders.rules import IllegalMove, State, Told

log = logging.getLogger(__name__)
_BATCH = 200

# Of every citizen behind an order: the answer's own step, and whatever proves that it reached him.
# A question that the phone's owner, or the region's policy, does not want is no way to reach him.
# Whose review counts no more waits for no answer, if the order goes on for others.
_PROOFS = """
SELECT o.number, o.region_code, o.next_due_at, o.climb_due, own.number AS own, own.told_at, own.told_how,
  own.real_name AND own.called_back_at IS NULL AS must_be_called,
  (SELECT min(m.settled_at) FROM questions q JOIN sms_messages m
     ON m.phone_key = q.phone_key AND m.about = q.id
   WHERE q.review_id = r.id AND q.asking = 'verdict' AND m.state = 'delivered'
     AND m.created_at >= a.at) AS sms_at,
  (SELECT n.settled_at FROM wechat_notices n WHERE n.about = a.id AND n.order_number = own.number
     AND n.state = 'sent') AS wechat_at,
  (r.contact IS NULL AND r.channel <> 'sms' OR EXISTS (SELECT 1 FROM questions q
      WHERE q.review_id = r.id AND q.asking = 'verdict' AND q.state = 'needless'
        AND q.due_at >= a.at))
    AND NOT EXISTS (SELECT 1 FROM wechat_notices n WHERE n.about = a.id
      AND n.order_number = own.number AND n.state IN ('queued', 'sending')) AS no_channel
FROM work_orders o JOIN work_orders own ON own.number = o.number OR own.merged_into = o.number
LEFT JOIN LATERAL (SELECT s.id, s.at FROM work_order_steps s
  WHERE s.order_id = o.number AND s.move = 'answer' ORDER BY s.id DESC LIMIT 1) a ON TRUE
LEFT JOIN voices r ON r.id = own.origin_key
WHERE o.state = 'answered' AND o.next_due_at < $1
  AND NOT EXISTS (SELECT 1 FROM work_order_steps l WHERE l.order_id = o.number AND l.move = 'left'
    AND coalesce(l.of_order, o.number) = own.number)
"""
_READY = """NOT must_be_called
  AND (told_at IS NOT NULL OR sms_at IS NOT NULL OR wechat_at IS NOT NULL OR coalesce(no_channel, FALSE))"""
_TO_CLOSE = f"""
WITH p AS MATERIALIZED ({_PROOFS})
SELECT * FROM p WHERE number IN (
  SELECT number FROM p GROUP BY number HAVING bool_and({_READY}) ORDER BY min(next_due_at) LIMIT $2)
ORDER BY next_due_at, number
"""  # noqa: S608
_TO_CLIMB = f"""
UPDATE work_orders SET climb_due = next_due_at, climbs_at = next_due_at
WHERE state = 'answered' AND next_due_at < $1 AND climb_due IS DISTINCT FROM next_due_at
  AND number IN (SELECT number FROM ({_PROOFS}) AS p WHERE NOT ({_READY}))
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
    found = await sql.fetch(_TO_CLOSE, now, _BATCH)
    for _, rows in groupby(found, key=lambda row: row["number"]):
        closed += await _end(list(rows), now)
    return closed + len(await sql.fetch(_TO_CLIMB, now))


async def _end(rows: list[Record], now: datetime) -> int:
    try:
        return await _close(rows, now)
    except IllegalMove:
        return 0  # he has spoken in this very second, or another worker was here
    except Exception as error:
        if isinstance(refusal_of(error), Unavailable):
            raise
        log.exception("an order could not be closed", extra={"job": "close_silent"})
        return 0


async def _close(rows: list[Record], now: datetime) -> int:
    """`rows`: one for every citizen behind the order. All were told, and the last of them has had his
    days."""
    first = rows[0]
    proofs = {row["own"]: proof_of(row) for row in rows}
    known = {own: proof for own, proof in proofs.items() if proof}
    if len(known) < len(rows):
        return 0
    days = catalogue().policy(first["region_code"]).silence_days
    late = {
        own: until for own, proof in known.items()
        if (until := told_late(proof, first["next_due_at"], days))
    }  # fmt: skip
    if late:
        return await _wait(first, max(late.values()), [(own, known[own]) for own in late])
    async with transaction():
        for own, proof in known.items():
            await orders.told(own, proof.how, now)
        await orders.silence(
            first["number"], known.get(first["number"], next(iter(known.values()))).how, now
        )
    metrics.closed_silently.labels(next(iter(known.values())).how).inc()
    return 1


async def _wait(row: Record, until: datetime, told: list[tuple[str, Proof]]) -> int:
    async with transaction():
        moved = await sql.fetch(
            "UPDATE work_orders SET next_due_at = $3 WHERE number = $1 "
            "AND state = 'answered' AND next_due_at = $2 RETURNING 1",
            row["number"], row["next_due_at"], until,
        )  # fmt: skip
        for own, proof in told if moved else []:
            await sql.fetch(
                "UPDATE work_orders SET told_at = $2, told_how = $3 WHERE number = $1",
                own, proof.at, proof.how,
            )  # fmt: skip
    return len(moved)


async def seen(own: WorkOrder) -> None:
    """He has opened his page after the answer; the first time costs one statement, later none."""
    if own.told_at is None and (await orders.followed(own)).state == State.ANSWERED:
        await orders.told(own.number, Told.PAGE, clock.now())
