"""The one statement of a hot path, on Tortoise's pool or inside Tortoise's transaction."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg
from tortoise import connections

ACQUIRE_SECONDS = 1.0
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


async def fetch(statement: str, *values: Any) -> list[asyncpg.Record]:
    """asyncpg's own errors come through, so that a caller can name the constraint."""
    client: Any = connections.get("default")
    if hasattr(client, "_finalized") or client._pool is None:
        # Inside a transaction, or before the first connection of this process.
        async with client.acquire_connection() as connection:
            return await connection.fetch(statement, *values)
    async with client._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
        return await connection.fetch(statement, *values)


async def fetch_one(statement: str, *values: Any) -> asyncpg.Record | None:
    rows = await fetch(statement, *values)
    return rows[0] if rows else None


@dataclass(frozen=True, slots=True)
class Part:
    """One named step of a statement, `name AS (…)`, with `{placeholders}` for its values."""

    text: str
    values: Mapping[str, Any]


@lru_cache(maxsize=64)
def _joined(texts: tuple[str, ...], last: str) -> tuple[str, tuple[str, ...]]:
    """The statement with $1, $2 … and the placeholders in that order."""
    places: dict[str, int] = {}
    joined = f"WITH {', '.join(texts)} {last}"
    numbered = _PLACEHOLDER.sub(lambda m: f"${places.setdefault(m[1], len(places) + 1)}", joined)
    return numbered, tuple(places)


async def together(parts: Sequence[Part], last: str) -> list[asyncpg.Record]:
    """Runs the parts as one statement and so in one commit; `last` says what comes back."""
    statement, places = _joined(tuple(part.text for part in parts), last)
    values = {name: value for part in parts for name, value in part.values.items()}
    return await fetch(statement, *(values[name] for name in places))
