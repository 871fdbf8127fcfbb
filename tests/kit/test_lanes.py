"""Connections for single statements, and statements that are shared."""

import asyncio
from typing import Any

import asyncpg
import pytest
from tortoise.transactions import in_transaction

from server import database
from server.kit import sql
from server.kit.lanes import Gathered, Lanes
from server.settings import Settings


@pytest.fixture
async def lanes(servers: Settings) -> Any:
    where = database.credentials(servers.database_url)
    two = Lanes(lambda: asyncpg.connect(**where, command_timeout=5), 2)
    yield two
    await two.close()


async def test_many_statements_share_a_few_connections(lanes: Lanes) -> None:
    backends = await asyncio.gather(
        *(lanes.fetch("SELECT pg_backend_pid() AS pid, pg_sleep(0.01)", ()) for _ in range(20))
    )

    assert len({rows[0]["pid"] for rows in backends}) == 2


async def test_a_statement_at_fault_leaves_its_connection_to_the_next(lanes: Lanes) -> None:
    for _ in range(5):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await lanes.fetch("SELECT 1/0", ())

    assert (await lanes.fetch("SELECT 7 AS n", ()))[0]["n"] == 7


async def test_a_lost_connection_is_replaced(lanes: Lanes) -> None:
    for _ in range(4):
        with pytest.raises(asyncpg.PostgresError):
            await lanes.fetch("SELECT pg_terminate_backend(pg_backend_pid())", ())

    assert (await lanes.fetch("SELECT 7 AS n", ()))[0]["n"] == 7


async def test_a_cancelled_statement_frees_its_place(lanes: Lanes) -> None:
    slow = [asyncio.create_task(lanes.fetch("SELECT pg_sleep(5)", ())) for _ in range(2)]
    await asyncio.sleep(0.2)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)

    assert (await lanes.fetch("SELECT 7 AS n", ()))[0]["n"] == 7


async def test_whoever_waits_too_long_for_a_connection_is_told(lanes: Lanes) -> None:
    slow = [asyncio.create_task(lanes.fetch("SELECT pg_sleep(1.5)", ())) for _ in range(2)]
    await asyncio.sleep(0.1)

    with pytest.raises(TimeoutError):
        await lanes.fetch("SELECT 1", ())

    await asyncio.gather(*slow)
    assert (await lanes.fetch("SELECT 7 AS n", ()))[0]["n"] == 7


async def test_what_comes_together_is_done_together_and_answered_one_by_one() -> None:
    turns: list[list[int]] = []

    async def doubled(numbers: list[int]) -> list[int]:
        turns.append(numbers)
        return [2 * number for number in numbers]

    ask = Gathered(doubled).ask

    assert await asyncio.gather(*(ask(n) for n in (1, 2, 2, 3))) == [2, 4, 4, 6]
    assert await ask(9) == 18
    assert turns == [[1, 2, 2, 3], [9]]


async def test_one_at_fault_does_not_spoil_the_others() -> None:
    async def choosy(numbers: list[int]) -> list[int]:
        if 13 in numbers:
            raise ValueError("thirteen")
        return numbers

    ask = Gathered(choosy).ask

    told = await asyncio.gather(*(ask(n) for n in (1, 13, 3)), return_exceptions=True)
    assert [str(one) for one in told] == ["1", "thirteen", "3"]


async def test_one_who_no_longer_waits_does_not_take_the_others_along() -> None:
    async def slow(numbers: list[int]) -> list[int]:
        await asyncio.sleep(0.05)
        return numbers

    ask = Gathered(slow).ask
    gone, stays = asyncio.create_task(ask(1)), asyncio.create_task(ask(2))
    await asyncio.sleep(0.01)
    gone.cancel()

    assert await stays == 2


async def test_a_shared_statement_is_in_nobodys_transaction(app: object) -> None:
    async def transaction(_: list[int]) -> list[int]:
        return [int((await sql.fetch("SELECT txid_current()"))[0][0])]

    async with in_transaction():
        ours = (await sql.fetch("SELECT txid_current()"))[0][0]
        assert await Gathered(transaction).ask(1) != ours
