"""A PostgreSQL of our own, migrated and empty."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from server import database
from server.embedded import Postgres
from server.kit import sql
from server.settings import Settings

TABLES = "regions, policies, agencies, halls, windows, officers, matters, tags, calendar_years"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = Postgres(Path(tmp_path_factory.mktemp("postgres")), durable=False)
    server.start()
    yield server.dsn
    server.stop()


@pytest_asyncio.fixture(scope="session")
async def migrated(postgres: str) -> AsyncIterator[None]:
    settings = Settings(database_url=postgres, redis_url="", base_url="", keys={}, pool_size=8)
    await database.migrate(settings)
    await database.connect(settings)
    yield
    await database.disconnect()


@pytest_asyncio.fixture
async def db(migrated: None) -> None:
    await sql.fetch(f"TRUNCATE {TABLES}, beacons RESTART IDENTITY")
