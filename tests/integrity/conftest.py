"""Suspicions of these tests, and who looks at them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from factories import City
from kit.calls import Scene

from server.people.models import Staff
from server.people.rules import Role


@pytest.fixture
async def scene(http: httpx.AsyncClient, city: City) -> AsyncIterator[Scene]:
    """With a second supervisor, an adjudicator, and a supervisor of the region next door."""
    (row,) = await Staff.filter(username="supervisor").values()
    del row["id"]
    for username, changed in (
        ("second", {}), ("adjudicator", {"role": Role.ADJUDICATOR}),
        ("elsewhere", {"region_code": "990102000000"}),
    ):  # fmt: skip
        values: dict[str, Any] = row | changed | {"username": username, "name": username}
        await Staff.create(**values)
    yield Scene(http, city)
