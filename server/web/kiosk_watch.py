"""What wakes the tablets: one query a second for all that hang on this process, and none without them.

An event only says “look again”. Between two looks nothing can be lost, since what is compared is the
state itself: a new receipt, a rating on a phone, the end of a time, a revoked key.
"""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any
from uuid import UUID

import asyncpg
from sanic import Request

from server.kit.errors import Limited
from server.kit.failures import DOWN
from server.reviews import kiosks

log = logging.getLogger(__name__)
PERIOD_SECONDS = 1.0
BEAT_SECONDS = 10.0
"""Less than the 15 that tablets are promised, and than the 12 after which Sanic ends a silent answer."""
STREAMS = 8
"""Of one tablet in one process: whoever opens more has lost count of them."""
AGAIN_MILLISECONDS = (1000, 4000)
"""After how long a tablet comes back: not all of them at one moment when a server starts again."""


class Watch:
    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._shown: dict[UUID, str] = {}
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    @contextmanager
    def waiting(self, kiosk: UUID) -> Iterator[asyncio.Event]:
        """Set when what it shows has changed since the last look, and after the first one."""
        mine, event = self._waiting.setdefault(kiosk, set()), asyncio.Event()
        if len(mine) >= STREAMS:
            raise Limited
        mine.add(event)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on(), context=Context())
        try:
            yield event
        finally:
            mine.discard(event)
            if not mine:
                self._waiting.pop(kiosk, None)
                self._shown.pop(kiosk, None)

    async def _look_on(self) -> None:
        while self._waiting:
            try:
                await self._look()
            except (*DOWN, asyncpg.PostgresError):
                log.warning("the database does not answer; the tablets wait")
            await asyncio.sleep(PERIOD_SECONDS)

    async def _look(self) -> None:
        found = await kiosks.all_shown(self._waiting)
        for kiosk, name in found.items():
            if kiosk in self._waiting and self._shown.get(kiosk) != name:
                self._shown[kiosk] = name
                for event in self._waiting[kiosk]:
                    event.set()

    async def close(self, _: Any = None) -> None:
        """Ends the streams, which would hold up the end of the process."""
        self.closed = True
        for events in self._waiting.values():
            for event in events:
                event.set()
        for _ in range(20):
            if not self._waiting:
                break
            await asyncio.sleep(0.02)
        if self._task:
            self._task.cancel()


async def streamed(request: Request, watch: Watch, kiosk: UUID) -> None:
    with watch.waiting(kiosk) as changed:
        response = await request.respond(
            content_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )
        low, high = AGAIN_MILLISECONDS
        await response.send(f"retry: {low + secrets.randbelow(high - low)}\n\n")
        while not watch.closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await changed.wait()
            named = "" if changed.is_set() else "event: beat\n"
            changed.clear()
            await response.send(f"{named}data: look\n\n")
        await response.eof()
