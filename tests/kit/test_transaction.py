"""A transaction gives back what it took, whatever happens to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from tortoise import connections

from server import database
from server.kit import sql
from server.kit.failures import DOWN
from server.kit.transaction import transaction
from server.settings import Settings

TIMES = 40
"""More often than the pool has connections."""


@pytest.fixture
async def killer(servers: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(**database.credentials(servers.database_url))
    yield connection
    await connection.close()


async def kill_all(killer: asyncpg.Connection) -> None:
    await killer.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'haochaping' AND pid <> pg_backend_pid()"
    )


def outside() -> bool:
    client: Any = connections.get("default")
    return not hasattr(client, "_finalized")


async def works() -> None:
    async with asyncio.timeout(2), transaction():
        assert (await sql.fetch("SELECT 7 AS n"))[0]["n"] == 7


async def test_a_transaction_that_cannot_begin_takes_nothing_from_the_pool(
    app: object, killer: asyncpg.Connection
) -> None:
    failed = 0
    for _ in range(TIMES):
        await kill_all(killer)
        try:
            async with transaction():
                await sql.fetch("SELECT 1")
        except DOWN:
            failed += 1
        assert outside()

    assert failed > 0
    # A killed connection is found out when it is used; there are no more of them than the pool holds.
    for _ in range(TIMES):
        with contextlib.suppress(*DOWN):
            await works()
    await asyncio.gather(*(works() for _ in range(TIMES)))


async def test_a_transaction_cancelled_at_any_moment_leaves_pool_and_task_as_they_were(
    app: object,
) -> None:
    async def once(wait: float) -> None:
        try:
            async with asyncio.timeout(wait), transaction():
                await sql.fetch("SELECT pg_sleep(0.002)")
        except TimeoutError:
            pass
        assert outside()

    await asyncio.gather(*(once(0.0002 * n) for n in range(TIMES)))
    for n in range(TIMES):
        await once(0.0002 * n)

    await asyncio.gather(*(works() for _ in range(TIMES)))


async def test_an_error_inside_rolls_back_and_an_inner_one_is_a_savepoint(city: object) -> None:
    insert = "INSERT INTO beacons (name, value) VALUES ($1, 1)"
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await sql.fetch(insert, "outer")
            raise ZeroDivisionError
    async with transaction():
        await sql.fetch(insert, "kept")
        with pytest.raises(ZeroDivisionError):
            async with transaction():
                await sql.fetch(insert, "inner")
                raise ZeroDivisionError

    rows = await sql.fetch("SELECT name FROM beacons")
    assert {"kept"} == {row["name"] for row in rows} - {"catalogue", "demo_clock"}
