"""An empty catalogue in the tests' database."""

import pytest

from server.kit import sql
from server.settings import Settings

TABLES = (
    "questionnaires, regions, policies, agencies, halls, windows, officers, matters, tags, wordings, "
    "calendar_years"
)


@pytest.fixture
async def db(app: object) -> None:
    await sql.fetch(f"TRUNCATE {TABLES}, beacons, pgqueuer RESTART IDENTITY")


@pytest.fixture
def postgres(servers: Settings) -> str:
    """For a connection that is not the application's."""
    return servers.database_url
