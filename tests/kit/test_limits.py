"""Counts fail open, count only what is wrong, and say when to come again."""

import asyncio
import time
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient

from server.kit import limits, metrics
from server.kit.errors import Limited
from server.kit.limits import Limiter

WRONG = "a" + "A" * 24


@pytest.fixture
def limiter(app: Any) -> Limiter:
    return app.ctx.limiter


def opened() -> float:
    return metrics.limits_open._value.get()


async def test_the_one_above_the_limit_is_refused_and_others_are_not(limiter: Limiter) -> None:
    await _same_minute()
    for _ in range(3):
        await limiter.count("test", "one", 3)
    with pytest.raises(Limited):
        await limiter.count("test", "one", 3)
    await limiter.count("test", "other", 3)
    await limiter.count("test2", "one", 3)


async def _same_minute() -> None:
    """A count that straddles a minute is two counts: not in the last second of one."""
    if time.time() % 60 > 58:
        await asyncio.sleep(2.1)


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:1/0", "redis://192.0.2.1:6379/0", "redis://nowhere.invalid:6379/0"]
)
async def test_limits_are_open_within_half_a_second_when_redis_is_gone(url: str) -> None:
    limiter = Limiter(limits.client(url))
    before, started = opened(), time.perf_counter()
    await limiter.count("test", "one", 0)
    assert opened() == before + 1, "an operator sees it"
    assert not await limiter.answers()
    assert time.perf_counter() - started < 1
    await limiter.close()


async def test_a_citizen_rates_without_redis(http: AsyncClient, city: City, app: Any) -> None:
    code = await city.code(http)
    real, app.ctx.limiter = app.ctx.limiter, Limiter(limits.client("redis://127.0.0.1:1/0"))
    try:
        assert (await http.get(f"/api/v1/e/{WRONG}")).status_code == 404
        assert (await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())).status_code == 201
    finally:
        await app.ctx.limiter.close()
        app.ctx.limiter = real


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/api/v1/e/{WRONG}", None),
        ("POST", f"/api/v1/e/{WRONG}/review", {"level": 5}),
        ("GET", "/api/v1/track/0000000000000000", None),
        ("POST", "/api/v1/track/0000000000000000/supplement", {"comment": "x"}),
        ("POST", f"/api/v1/e/{WRONG}/undo", {"query_code": "0000000000000000"}),
    ],
)
async def test_guessing_codes_ends_in_429_with_retry_after(
    http: AsyncClient, city: City, app: Any, method: str, path: str, body: Any
) -> None:
    await _same_minute()
    agent = {"User-Agent": f"guesser {method} {path} {time.time()}"}
    limit = app.ctx.settings.unknown_codes_per_minute
    statuses = []
    while 429 not in statuses and len(statuses) <= 2 * limit:
        answer = await http.request(method, path, json=body, headers=agent)
        statuses.append(answer.status_code)
    assert set(statuses[:-1]) == {404}
    assert len(statuses) >= limit
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] == "too_many_requests"
    right = await city.code(http)
    assert (await http.get(f"/api/v1/e/{right}", headers=agent)).status_code == 200, (
        "a right code is never shut out"
    )


async def test_right_codes_are_not_counted(http: AsyncClient, city: City, app: Any) -> None:
    code, agent = await city.code(http), {"User-Agent": f"hall {time.time()}"}
    for _ in range(app.ctx.settings.unknown_codes_per_minute + 5):
        assert (await http.get(f"/api/v1/e/{code}", headers=agent)).status_code == 200
    assert (await http.get(f"/api/v1/e/{WRONG}", headers=agent)).status_code == 404


async def test_what_stands_in_redis_names_nobody(http: AsyncClient, city: City, app: Any) -> None:
    await http.get(f"/api/v1/e/{WRONG}", headers={"User-Agent": "王小明的手机".encode()})
    found = await app.ctx.limiter._redis.keys("*")
    keys = [key.decode() for key in found]
    assert keys
    assert not any("127.0.0.1" in key or "王" in key or WRONG in key for key in keys)
    for key in keys:
        longest = limits.DAY if key.startswith("limit:wall:") else limits.MINUTE
        assert 0 < await app.ctx.limiter._redis.ttl(key) <= longest + 60
