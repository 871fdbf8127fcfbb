from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from durability.household import Household

Founder = Callable[[Mapping[str, str]], Awaitable[Household]]


@pytest.fixture
async def found(tmp_path: Path) -> AsyncIterator[Founder]:
    """Founds households with PostgreSQL settings of their own, and ends them."""
    founded: list[Household] = []

    async def found(postgres_settings: Mapping[str, str]) -> Household:
        household = Household(tmp_path, postgres_settings)
        founded.append(household)
        await household.open()
        return household

    yield found
    for household in founded:
        await household.close()
