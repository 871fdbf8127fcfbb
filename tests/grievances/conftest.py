"""Ten o'clock in a hall, a phone, and the desks over HTTP."""

from collections.abc import AsyncIterator

import pytest
from factories import City
from httpx import AsyncClient
from kit.calls import Scene
from phones import Handset, at_o_clock

from server.kit.clock import clock


@pytest.fixture
async def scene(http: AsyncClient, city: City) -> AsyncIterator[Scene]:
    clock.advanced += at_o_clock(10)
    yield Scene(http, city)


@pytest.fixture
def phone() -> Handset:
    return Handset()
