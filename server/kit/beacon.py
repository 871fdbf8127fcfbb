"""Numbers that every process watches, so that a change made in one is seen in all within a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import asyncpg
from tortoise.exceptions import BaseORMException

from server.kit import sql
from server.kit.failures import DOWN

log = logging.getLogger(__name__)
PERIOD_SECONDS = 1.0
_STARTING_SECONDS = 10
Watcher = Callable[[int], Awaitable[None]]


async def raise_by(name: str, step: int = 1) -> int:
    """Adds to the number, in the caller's transaction if there is one; gives the new value."""
    row = await sql.fetch_one(
        "INSERT INTO beacons (name, value) VALUES ($1, $2) "
        "ON CONFLICT (name) DO UPDATE SET value = beacons.value + excluded.value RETURNING value",
        name, step,
    )  # fmt: skip
    assert row is not None
    return int(row["value"])


class Beacons:
    """Calls a watcher whenever its number differs from what it saw last."""

    def __init__(self, watchers: dict[str, Watcher]) -> None:
        self._watchers = watchers
        self._seen: dict[str, int] = {}

    async def look(self) -> None:
        rows = await sql.fetch("SELECT name, value FROM beacons")
        values = {row["name"]: row["value"] for row in rows}
        for name, watcher in self._watchers.items():
            value = values.get(name, 0)
            if self._seen.get(name) != value:
                await watcher(value)
                self._seen[name] = value

    async def first_look(self) -> None:
        """As `look`; waits for a database that is just starting or recovering."""
        for _ in range(_STARTING_SECONDS):
            try:
                return await self.look()
            except DOWN:
                log.warning("the database does not answer yet")
                await asyncio.sleep(1)
        await self.look()

    async def watch(self) -> None:
        while True:
            try:
                await self.look()
            except (*DOWN, asyncpg.PostgresError, BaseORMException):
                log.warning("the database does not answer; the catalogue stays as it was")
            await asyncio.sleep(PERIOD_SECONDS)
