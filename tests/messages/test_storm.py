"""The same replies again and again, shuffled, split, under other ids, at once, at two servers and
under several readers: one row for every reply, one review for every receipt, no message too many."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from durability.neighbour import hired_worker, neighbour
from factories import REGION, City, a_city, a_receipt, run_sql
from messages.pushes import UP, a_reply, count, provider_time, unread
from phones import tick

from server.catalogue.models import Policy
from server.catalogue.service import load
from server.kit import sql
from server.messages import inbox
from server.reviews import replies
from server.settings import Settings

TIMES = 50
PHONES = [f"138{n:08d}" for n in range(24)]
BAD, GOOD = PHONES[::2], PHONES[1::2]
Doors = tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture(scope="module")
async def second(servers: Settings, app: object) -> AsyncIterator[httpx.AsyncClient]:
    """Another server process on the same database."""
    await run_sql("emptied")
    await a_city()  # it reads the catalogue when it starts
    async with neighbour(servers) as client:
        yield client


@pytest.fixture
async def doors(second: httpx.AsyncClient, http: httpx.AsyncClient, city: City) -> Doors:
    """Open day and night, so that the clocks of all processes may stay what they are."""
    policy = {"invite_minutes": 0, "hour_from": 0, "hour_to": 24}
    await Policy.filter(region_code=REGION).update(**policy)
    await load()
    return http, second


async def everybody_is_asked(door: httpx.AsyncClient, city: City) -> None:
    receipts = [
        a_receipt(applicant={"kind": 1, "name": "王小明", "phone": phone}) for phone in PHONES
    ]
    answer = await door.post(
        "/api/v1/receipts/batch", json={"receipts": receipts}, headers=await city.system(door)
    )
    assert all("receipt_id" in row for row in answer.json()["results"])
    await tick()
    assert await count("questions WHERE state = 'open'") == len(PHONES)


def said(text: str, phone: str) -> dict[str, Any]:
    return a_reply(text, phone, send_time=provider_time(ago=timedelta(seconds=-1)))


def storm(batch: list[dict[str, Any]], luck: random.Random) -> list[list[dict[str, Any]]]:
    """The batch so many times, as pushes."""
    pushes = []
    for turn in range(TIMES):
        items = [item | luck.choice(_disguises(item, turn, luck)) for item in batch]
        items += luck.choices(items, k=3)
        luck.shuffle(items)
        cuts = sorted(luck.sample(range(len(items)), k=luck.randint(0, 4)))
        pushes += [items[a:b] for a, b in zip([0, *cuts], [*cuts, len(items)], strict=True)]
    luck.shuffle(pushes)
    return pushes


def _disguises(item: dict[str, Any], turn: int, luck: random.Random) -> list[dict[str, Any]]:
    return [
        {}, {"sequence_id": int(item["sequence_id"])}, {"sequence_id": f"{turn}-{luck.random()}"},
        {"sequence_id": None}, {"phone_number": f"86{item['phone_number']}", "unknown": turn},
    ]  # fmt: skip


async def rage(doors: Doors, pushes: list[list[dict[str, Any]]]) -> None:
    """All at once at both doors, and read while they come in."""
    done = asyncio.Event()
    async with asyncio.TaskGroup() as readers:
        for _ in range(3):
            readers.create_task(_read_until(done))
        await asyncio.gather(*(_insist(doors[n % 2], items) for n, items in enumerate(pushes)))
        async with asyncio.timeout(60):
            while await unread() or await count("sms_replies WHERE outcome = 'new'"):
                await asyncio.sleep(0.1)
        done.set()


async def _insist(door: httpx.AsyncClient, items: list[dict[str, Any]]) -> None:
    """As the provider does; on two cores a storm may find us busy, and never locked."""
    for _ in range(4):
        answer = await door.post(UP, json=items)
        if answer.status_code == 200:
            return
        assert answer.status_code == 503
    raise AssertionError("not stored in four tries")


async def _read_until(done: asyncio.Event) -> None:
    while not done.is_set():
        await inbox.read()
        await replies.converse()
        await asyncio.sleep(0.01)


async def by_phone(table: str, what: str) -> dict[str, list[str]]:
    rows = await sql.fetch(
        f"SELECT phone_key, array_agg({what} ORDER BY id) AS found FROM {table} GROUP BY 1"
    )
    return {row["phone_key"]: row["found"] for row in rows}


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_storm_leaves_one_reply_one_review_and_the_messages_that_are_due(
    doors: Doors, city: City, servers: Settings, seed: int
) -> None:
    luck = random.Random(seed)
    await everybody_is_asked(doors[0], city)
    levels = [said("1", phone) for phone in BAD] + [said("5", phone) for phone in GOOD]
    with hired_worker(servers):
        await rage(doors, storm(levels, luck))
        assert await count("sms_replies") == len(levels)
        assert await count("reviews WHERE state = 'awaiting_reason'") == len(BAD)
        assert await count("work_orders") == 0

        async with asyncio.timeout(10):
            while await count("questions WHERE asking = 'reason' AND state = 'open'") < len(BAD):
                await asyncio.sleep(0.1)
        reasons = [said("排队两个小时", phone) for phone in BAD]
        await rage(doors, storm(levels + reasons, luck))

    assert await count("sms_replies") == len(levels) + len(reasons)
    assert await count("sms_set_aside") == 0
    (row,) = await sql.fetch("SELECT count(*), count(DISTINCT receipt_id) AS receipts FROM reviews")
    assert tuple(row) == (len(PHONES), len(PHONES))
    assert await count("reviews WHERE state = 'standing' AND level = 1") == len(BAD)
    assert await count("work_orders") == len(BAD)
    outcomes = await by_phone("sms_replies", "outcome")
    assert Counter(map(tuple, outcomes.values())) == {
        ("rated", "reasoned"): len(BAD), ("rated",): len(GOOD),
    }  # fmt: skip
    sent = await by_phone("sms_messages", "purpose")
    assert Counter(map(tuple, sent.values())) == {
        ("notice", "reason_open"): len(BAD), ("notice",): len(GOOD),
    }  # fmt: skip
