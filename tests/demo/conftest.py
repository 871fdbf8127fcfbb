"""One seeded city for the tests that only look; copies of it for those that change it."""

from pathlib import Path

import pytest
import pytest_asyncio
from demo.place import Place, a_place

from server.settings import Settings


@pytest_asyncio.fixture(scope="session")
async def empty(servers: Settings, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Migrated; a template for others."""
    place = await a_place(servers, tmp_path_factory.mktemp("empty"), "template1")
    assert place.run("migrate")[0] == 0
    return place


@pytest_asyncio.fixture(scope="session")
async def seeded(
    servers: Settings, empty: Place, tmp_path_factory: pytest.TempPathFactory
) -> Place:
    place = await a_place(servers, tmp_path_factory.mktemp("seeded"), empty.name)
    code, told = place.run()
    assert code == 0, told
    return place


@pytest_asyncio.fixture
async def fresh(servers: Settings, empty: Place, tmp_path: Path) -> Place:
    return await a_place(servers, tmp_path, empty.name)


@pytest_asyncio.fixture
async def another(servers: Settings, seeded: Place, tmp_path: Path) -> Place:
    """A city that a test may change."""
    place = await a_place(servers, tmp_path, seeded.name)
    place.callback_secret = seeded.callback_secret
    place.var.mkdir()
    (place.var / "demo.json").write_bytes((seeded.var / "demo.json").read_bytes())
    return place
