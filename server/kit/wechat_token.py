"""The access token of the app: one for all processes, in Redis, and none the less without it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.kit.limits import ANSWER_SECONDS
from server.kit.privacy import BrokenSeal, vault

log = logging.getLogger(__name__)
_EARLY = 300.0
"""So long before its end WeChat gives a new one, and the old one still works."""
_SEAL = "wechat-token"
_AWAY = (RedisError, OSError, TimeoutError)


class SharedToken:
    def __init__(
        self, redis: Redis, app_id: str, fetch: Callable[[], Awaitable[tuple[str, int]]]
    ) -> None:
        """`fetch` asks WeChat: the token and its life in seconds."""
        self._redis = redis
        self._name = f"wechat:token:{app_id}"
        self._fetch = fetch
        self._token = ""
        self._until = 0.0
        self._renewal: asyncio.Task[str] | None = None

    async def get(self, *, refused: str | None = None) -> str:
        """One that is not known to be `refused`. Of many who ask at once one asks WeChat."""
        if self._token != refused and time.monotonic() < self._until:
            return self._token
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renewed(refused))
        return await asyncio.shield(self._renewal)

    async def _renewed(self, refused: str | None) -> str:
        token, seconds = await self._shared()
        if not token or token == refused:
            token, seconds = await self._fetch()
            seconds -= min(_EARLY, seconds / 2)
            await self._share(token, seconds)
        self._token, self._until = token, time.monotonic() + seconds
        return token

    async def _shared(self) -> tuple[str, float]:
        with suppress(*_AWAY, BrokenSeal):
            async with asyncio.timeout(ANSWER_SECONDS):
                sealed: Any = await self._redis.get(self._name)
                left = await self._redis.pttl(self._name)
            if sealed and left > 0:
                return vault().unseal(sealed, _SEAL).decode(), left / 1000
        return "", 0.0

    async def _share(self, token: str, seconds: float) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                sealed = vault().seal(token.encode(), _SEAL)
                await self._redis.set(self._name, sealed, px=max(1, int(seconds * 1000)))
        except _AWAY:
            log.warning("WeChat's token is not shared: Redis did not answer")
