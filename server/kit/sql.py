"""The one statement of a hot path, on Tortoise's pool or inside Tortoise's transaction."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import asyncpg
from tortoise import connections

from server.kit.lanes import Lanes

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


_lanes: Lanes | None = None


def open_lanes(lanes: Lanes) -> None:
    """Once, when the process connects."""
    global _lanes
    _lanes = lanes


async def close_lanes() -> None:
    global _lanes
    if _lanes:
        await _lanes.close()
    _lanes = None


async def fetch(statement: str, *values: Any) -> list[asyncpg.Record]:
    """In the caller's transaction if there is one. asyncpg's own errors come through, so that a
    caller can name the constraint."""
    client: Any = connections.get("default")
    if hasattr(client, "_finalized"):
        async with client.acquire_connection() as connection:
            return await connection.fetch(statement, *values)
    return await fetch_alone(statement, *values)


async def fetch_alone(statement: str, *values: Any) -> list[asyncpg.Record]:
    """Outside any transaction."""
    if _lanes is None:
        raise RuntimeError("the process is not connected to the database")
    return await _lanes.fetch(statement, values)


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
