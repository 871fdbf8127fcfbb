"""What was fetched from elsewhere, in Redis for a time: without it, it is fetched anew."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.kit.limits import ANSWER_SECONDS

_AWAY = (RedisError, OSError, TimeoutError)


class Kept:
    def __init__(self, redis: Redis, names: str) -> None:
        """`names`: what all keys begin with."""
        self._redis = redis
        self._names = names

    async def once(self, name: str, seconds: int, fetch: Callable[[], Awaitable[bytes]]) -> bytes:
        """The value that any process fetched before. It never holds personal data."""
        key = f"{self._names}:{name}"
        with suppress(*_AWAY):
            async with asyncio.timeout(ANSWER_SECONDS):
                kept: Any = await self._redis.get(key)
            if kept:
                return bytes(kept)
        value = await fetch()
        with suppress(*_AWAY):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._redis.set(key, value, ex=seconds)
        return value
