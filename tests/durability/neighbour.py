"""A second process beside the tests' own application, on the same database."""

import asyncio
import base64
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx

from server.embedded import Child
from server.settings import Settings


@asynccontextmanager
async def neighbour(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = environment_of(settings) | {"HOST": "127.0.0.1", "PORT": str(port)}
    log = Path(settings.var) / "log" / "neighbour.log"
    server = Child("neighbour", (sys.executable, "-m", "server", "serve"), log, environment)
    server.begin()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            await _answering(client, server)
            yield client
    finally:
        server.stop()


def environment_of(settings: Settings) -> dict[str, str]:
    keys = ",".join(f"{k}:{base64.b64encode(key).decode()}" for k, key in settings.keys.items())
    return {
        "PATH": os.environ["PATH"], "DATABASE_URL": settings.database_url, "KEYS": keys,
        "REDIS_URL": settings.redis_url, "BASE_URL": settings.base_url, "VAR": str(settings.var),
        "SMS_CALLBACK_SECRET": settings.sms_callback_secret or "",
    }  # fmt: skip


@contextmanager
def hired_worker(settings: Settings) -> Iterator[Child]:
    """A worker beside the tests' own application, on the same database."""
    log = Path(settings.var) / "log" / "hired.log"
    worker = Child("hired", (sys.executable, "-m", "server", "work"), log, environment_of(settings))
    worker.begin()
    try:
        yield worker
    finally:
        worker.stop()


async def _answering(client: httpx.AsyncClient, server: Child) -> None:
    end = time.monotonic() + 20
    while True:
        with suppress(httpx.TransportError):
            if (await client.get("/readyz")).status_code == 200:
                return
        assert server.alive() and time.monotonic() < end, server.words()[-2000:]
        await asyncio.sleep(0.05)
