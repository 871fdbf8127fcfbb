"""Callbacks need no Redis: stopped, killed or emptied in their midst, it costs no reply and no time."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from durability.household import Household, kill
from durability.wire import Line
from factories import SMS_SECRET
from redis.asyncio import Redis

from server.kit.clock import BEIJING

UP = f"/callbacks/sms/{SMS_SECRET}/up"
PUSHES, ITEMS, SECONDS = 120, 3, 4.0
PROVIDER_WAITS = 0.7


@pytest.fixture(scope="module")
async def household(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Household]:
    household = Household(Path(tmp_path_factory.mktemp("sms-redis")))
    try:
        await household.open()
        yield household
    finally:
        await household.close()


def replies(number: int) -> list[dict[str, Any]]:
    now = datetime.now(BEIJING)
    return [
        {
            "phone_number": f"138{number:06d}{n:02d}", "content": "不满意",
            "send_time": f"{now:%Y-%m-%d %H:%M:%S}", "sequence_id": f"{number}-{n}",
        }
        for n in range(ITEMS)
    ]  # fmt: skip


async def push_all(household: Household, first: int) -> tuple[Counter[int], float]:
    """At an even pace, every push a second time; gives the statuses and the longest time to answer."""
    statuses: Counter[int] = Counter()
    slowest, loop = 0.0, asyncio.get_running_loop()

    async def push(number: int) -> None:
        nonlocal slowest
        await asyncio.sleep(number * SECONDS / PUSHES)
        line, items = Line(household.port), replies(first + number)
        for _ in range(2):
            began = loop.time()
            statuses[(await line.ask("POST", UP, items)).status] += 1
            slowest = max(slowest, loop.time() - began)
        line.hang_up()

    await asyncio.gather(*(push(number) for number in range(PUSHES)))
    return statuses, slowest


async def frozen(household: Household) -> None:
    assert household.valkey.process
    kill([household.valkey.process.pid], signal.SIGSTOP)
    await asyncio.sleep(SECONDS / 2)
    kill([household.valkey.process.pid], signal.SIGCONT)


async def killed(household: Household) -> None:
    assert household.valkey.process
    kill([household.valkey.process.pid])
    await asyncio.sleep(SECONDS / 2)
    household.valkey.begin()


async def emptied(household: Household) -> None:
    redis = Redis.from_url(household.valkey.url)
    for _ in range(20):
        await redis.flushall()
        await asyncio.sleep(SECONDS / 40)
    await redis.aclose()


@pytest.mark.parametrize("trouble", [frozen, killed, emptied], ids=lambda f: f.__name__)
async def test_trouble_with_redis_costs_no_reply_and_locks_nobody_out(
    household: Household, trouble: Callable[[Household], Awaitable[None]]
) -> None:
    await household.answering(10)
    (before,) = await household.sql("SELECT count(*) FROM sms_replies")
    pushing = asyncio.create_task(push_all(household, before[0] // ITEMS))
    await asyncio.sleep(SECONDS / 4)
    await trouble(household)
    statuses, slowest = await pushing

    print(f"\n{dict(statuses)}, slowest {slowest * 1000:.0f} ms")
    assert statuses == {200: 2 * PUSHES}
    assert slowest < PROVIDER_WAITS
    async with asyncio.timeout(20):
        while await household.sql("SELECT 1 FROM sms_pushes WHERE read_at IS NULL"):
            await asyncio.sleep(0.1)
    (after,) = await household.sql("SELECT count(*) FROM sms_replies")
    assert after[0] - before[0] == PUSHES * ITEMS
