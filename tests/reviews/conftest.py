"""A hall in the morning and a phone, for the channel by SMS; WeChat on loopback."""

from collections.abc import AsyncIterator

import pytest
from factories import City
from phones import Handset, at_o_clock, policy
from wechat.desk import desk, wechat, with_wechat  # noqa: F401

from server.catalogue.sheets import import_sheets, national_tags
from server.kit import sql
from server.kit.clock import clock


@pytest.fixture
async def hall(city: City) -> AsyncIterator[City]:
    """Ten o'clock, the national reasons, and invitations go out at once."""
    clock.advanced += at_o_clock(10)
    await sql.fetch("DELETE FROM tags")
    await import_sheets({"tags": national_tags()}, by="test")
    await policy(invite_minutes=0)
    yield city


@pytest.fixture
def phone() -> Handset:
    return Handset()
