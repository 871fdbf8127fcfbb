"""Handing work to the worker, in the same commit as its cause. A job carries an id, the row the truth."""

import json
from typing import Any

from server.kit import sql


async def enqueue(job: str, *, once_as: str | None = None, **payload: Any) -> None:
    """Joins the caller's transaction. With `once_as` a job that already waits is not doubled."""
    await sql.fetch(insert(1), *row(job, once_as, **payload))


def insert(first: int) -> str:
    """As a part of a larger statement: its values begin at that placeholder."""
    return (
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key) "  # noqa: S608
        f"VALUES (0, 'queued', ${first}, ${first + 1}, ${first + 2}) ON CONFLICT DO NOTHING"
    )


def row(job: str, once_as: str | None = None, **payload: Any) -> tuple[Any, ...]:
    return job, json.dumps(payload).encode(), once_as


_FIND_LOST = """
WITH parked AS (
  SELECT f.id, EXISTS (SELECT 1 FROM pgqueuer o WHERE o.dedupe_key = f.dedupe_key AND o.id <> f.id
    AND (o.status IN ('queued', 'picked')
      OR o.status = 'failed' AND o.attempts < $1 AND o.id > f.id)) AS doubled
  FROM pgqueuer f WHERE f.status = 'failed' AND f.attempts < $1
), dropped AS (
  DELETE FROM pgqueuer WHERE id IN (SELECT id FROM parked WHERE doubled)
)
UPDATE pgqueuer SET status = 'queued', slot = NULL, queue_manager_id = NULL,
  attempts = attempts + 1, execute_after = created
WHERE id IN (SELECT id FROM parked WHERE NOT doubled) RETURNING 1
"""


async def find_lost(attempts: int) -> int:
    """Queues again what was parked although it had attempts left; not beside another of its key.

    pgqueuer parks a job as failed when the statement that should have queued it again found no
    database. Such a row has fewer attempts than one that was given up.
    """
    return len(await sql.fetch(_FIND_LOST, attempts))
