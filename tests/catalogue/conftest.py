"""An empty catalogue in the tests' database."""

import pytest

from server.kit import sql

TABLES = "regions, policies, agencies, halls, windows, officers, matters, tags, calendar_years"


@pytest.fixture
async def db(app: object) -> None:
    await sql.fetch(f"TRUNCATE {TABLES}, beacons, pgqueuer RESTART IDENTITY")
