"""Real servers of the tests' own: one PostgreSQL, one Redis-compatible server, one application."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from factories import SMS_SECRET, City, a_city, run_sql

from server import database
from server.app import create_app
from server.embedded import Postgres, Valkey
from server.kit.clock import clock
from server.settings import Settings

KEYS = {"a": b"test-key-test-key-test-key-test!"}


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
