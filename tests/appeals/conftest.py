import httpx
import pytest
from appeals.court import Court
from factories import City


@pytest.fixture
async def court(http: httpx.AsyncClient, city: City) -> Court:
    return await Court(http, city).sits()
