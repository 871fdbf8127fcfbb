"""Handing work to the worker, in the same commit as its cause. A job carries an id, the row the truth."""

import json
from typing import Any

from server.kit import sql


async def enqueue(job: str, *, once_as: str | None = None, **payload: Any) -> None:
    """Joins the caller's transaction. With `once_as` a job that already waits is not doubled."""
    await sql.fetch(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key) "
        "VALUES (0, 'queued', $1, $2, $3) ON CONFLICT DO NOTHING",
        job, json.dumps(payload).encode(), once_as,
    )  # fmt: skip


async def find_lost(attempts: int) -> int:
    """Queues again what was parked although it had attempts left.

    pgqueuer parks a job as failed when the statement that should have queued it again found no
    database. Such a row has fewer attempts than one that was given up.
    """
    rows = await sql.fetch(
        "UPDATE pgqueuer SET status = 'queued', slot = NULL, queue_manager_id = NULL, "
        "attempts = attempts + 1, execute_after = created "
        "WHERE status = 'failed' AND attempts < $1 RETURNING 1",
        attempts,
    )
    return len(rows)
