"""A provider on loopback that knows the wordings of the city, and our own gateway to it."""

import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from factories import REGION, City
from wechat.desk import desk, wechat, with_wechat  # noqa: F401

sys.path.append(str(Path(__file__).parents[1] / "sms"))  # as its own conftest does

from provider import Provider

from server.catalogue import service as catalogue
from server.catalogue.models import Wording
from server.catalogue.wordings import shipped
from server.kit.clock import BEIJING, clock
from sms.aliyun import Aliyun

MORNING = datetime(2026, 12, 1, 10, tzinfo=BEIJING)


def set_clock(at: datetime) -> None:
    clock.advanced += at - clock.now()


@pytest.fixture
async def provider(city: City) -> AsyncIterator[Provider]:
    """It is Tuesday, ten o'clock, for us and for the provider."""
    set_clock(MORNING)
    texts = {purpose: w.text for (purpose, variant), w in shipped().items() if variant == 1}
    codes = {purpose: f"SMS_{purpose}".upper() for purpose in texts}
    await Wording.bulk_create([
        Wording(region_code=REGION, purpose=p, variant=1, template_code=codes[p], text=texts[p])
        for p in texts
    ])  # fmt: skip
    await catalogue.load()
    provider = Provider({codes[p]: texts[p] for p in texts}, clock=clock.now)
    yield provider
    provider.stop()


@pytest.fixture
def aliyun(provider: Provider) -> Aliyun:
    return Aliyun(
        provider.key_id, provider.secret, domain=provider.domain, protocol="http",
        connect_seconds=0.5, read_seconds=0.5,
    )  # fmt: skip
