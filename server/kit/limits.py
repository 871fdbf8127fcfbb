"""Counts per minute in Redis. They fail open: a lost Redis must not lock a city out."""

import asyncio
import logging
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.kit import metrics
from server.kit.clock import clock
from server.kit.errors import Limited
from server.kit.privacy import vault

log = logging.getLogger(__name__)
ANSWER_SECONDS = 0.25


def client(url: str) -> Redis:
    """One attempt, short waits: whoever asks can go on without the answer."""
    return Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS, max_connections=32,
    )  # fmt: skip


class Limiter:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count(self, limit: str, key: str, per_minute: int) -> None:
        """Counts one, raises Limited above `per_minute`. `key` never holds personal data."""
        minute = int(clock.now().timestamp()) // 60
        name = f"limit:{limit}:{key}:{minute}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                pipe = self._redis.pipeline(transaction=False)
                pipe.incr(name)
                pipe.expire(name, 120)
                used, _ = await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            metrics.limits_open.inc()
            log.warning("limits fail open: Redis did not answer")
            return
        if used > per_minute:
            metrics.limited.labels(limit).inc()
            raise Limited

    async def answers(self) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return bool(await self._redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def close(self) -> None:
        await self._redis.aclose()


async def count_unknown(request: Any, limit: str) -> None:
    """A wrong code, by network address and agent together: many people share either."""
    agent = request.headers.get("user-agent", "")[:200]
    caller = vault().fingerprint(f"{request.remote_addr or request.ip} {agent}", "limit")
    settings = request.app.ctx.settings
    await request.app.ctx.limiter.count(limit, caller, settings.unknown_codes_per_minute)
