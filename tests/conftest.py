"""Real servers of the tests' own: one PostgreSQL, one Redis-compatible server, one application."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from factories import SMS_SECRET, City, a_city, run_sql
from playwright.async_api import Browser, async_playwright, expect

from server import database
from server.app import create_app
from server.embedded import Postgres, Valkey
from server.kit.clock import clock
from server.settings import Settings

expect.set_options(timeout=15_000)  # two files run side by side
KEYS = {"a": b"test-key-test-key-test-key-test!"}
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones last: a rule that is broken should not wait for a browser."""
    items.sort(key=lambda item: any(item.get_closest_marker(m) for m in ("browser", "long")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def servers() -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="haochaping-tests-") as folder:
        postgres = Postgres(Path(folder), durable=False)
        valkey = Valkey(Path(folder), durable=False)
        postgres.start()
        valkey.start()
        try:
            yield Settings(
                database_url=postgres.dsn, redis_url=valkey.url, base_url="http://pj.test",
                keys=KEYS, demo=True, var=Path(folder), metrics_public=True,
                unknown_codes_per_minute=300, sms_callback_secret=SMS_SECRET,
            )  # fmt: skip
        finally:
            valkey.stop()
            postgres.stop()


@pytest.fixture(scope="session")
async def app(servers: Settings) -> AsyncIterator[object]:
    """The application behind ASGI, with one lifespan for all tests."""
    await database.migrate(servers)
    application = create_app(servers)
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    up, down = asyncio.Event(), asyncio.Event()

    async def told(message: dict[str, str]) -> None:
        (up if message["type"].startswith("lifespan.startup") else down).set()

    await inbox.put({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(application(scope, inbox.get, told))
    await asyncio.wait({task, asyncio.create_task(up.wait())}, return_when="FIRST_COMPLETED")
    yield application
    await inbox.put({"type": "lifespan.shutdown"})
    await down.wait()
    await task


@pytest.fixture(scope="session")
async def http(app: object) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://pj.test") as client:
        yield client


@pytest.fixture
async def city(app: object) -> AsyncIterator[City]:
    """An empty database with two agencies, and the clock where it is."""
    await run_sql("emptied")
    clock.advanced *= 0
    yield await a_city()
    clock.advanced *= 0


@pytest.fixture(scope="session")
async def live(app: object, servers: Settings) -> AsyncIterator[str]:
    """Base URL of a second application in this process: one pool, one clock, one catalogue with `http`."""
    second = create_app(servers, name="live")
    second.config.TOUCHUP = False  # Sanic rewrites its own methods once a process
    door = socket.create_server(("127.0.0.1", 0))
    server = await second.create_server(sock=door, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.close()
    await server.wait_closed()
    await second.ctx.limiter.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(
            "needs Chromium: apt-get install --no-install-recommends chromium fonts-noto-cjk"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()
