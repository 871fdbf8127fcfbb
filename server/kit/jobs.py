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
