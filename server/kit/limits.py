"""Counts in Redis, per minute, hour or day. They fail open: a lost Redis must not lock a city out."""

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
MINUTE, HOUR, DAY = 60, 3600, 86_400
_UTC_8 = 8 * HOUR


def client(url: str) -> Redis:
    """One attempt, short waits: whoever asks can go on without the answer."""
    return Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS, max_connections=32,
    )  # fmt: skip


class Limiter:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def count(self, limit: str, key: str, most: int, seconds: int = MINUTE) -> None:
        """Counts one, raises Limited above `most` in this minute, hour or day of UTC+8. `key` never
        holds personal data."""
        period, gone = divmod(int(clock.now().timestamp()) + _UTC_8, seconds)
        name = f"limit:{limit}:{key}:{period}"
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                pipe = self._redis.pipeline(transaction=False)
                pipe.incr(name)
                pipe.expire(name, seconds - gone + MINUTE)
                used, _ = await pipe.execute()
        except (RedisError, OSError, TimeoutError):
            metrics.limits_open.inc()
            log.warning("limits fail open: Redis did not answer")
            return
        if used > most:
            metrics.limited.labels(limit).inc()
            refusal = Limited()
            refusal.retry_after = MINUTE if seconds == MINUTE else seconds - gone
            raise refusal

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
