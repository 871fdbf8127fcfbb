"""Two desks, one for each gateway: the same tests ask both."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

# `tests/sms` as a folder of modules: as a package it would hide the library of the same name.
sys.path.append(str(Path(__file__).parent))

from provider import CHINA, FakeClock, Provider

from sms.aliyun import Aliyun
from sms.gateway import Gateway
from sms.pocket import Pocket

TEMPLATES = {
    "SMS_ASK": "您${date}在${hall}办理的${item}已办结。请回复数字评价服务：5非常满意4满意3基本满意"
    "2不满意1非常不满意",
    "SMS_THANKS": "已收到您的评价，感谢您的参与。",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 21, 10, 8, tzinfo=CHINA))


@pytest.fixture
def provider(clock: FakeClock) -> Iterator[Provider]:
    provider = Provider(TEMPLATES, clock=clock)
    yield provider
    provider.stop()


@pytest.fixture
def aliyun_with(provider: Provider) -> Callable[..., Aliyun]:
    def build(**changes: object) -> Aliyun:
        given: dict[str, object] = {
            "key_id": provider.key_id, "secret": provider.secret, "domain": provider.domain,
            "protocol": "http", "connect_seconds": 0.5, "read_seconds": 1.0,
        }  # fmt: skip
        return Aliyun(**{**given, **changes})  # type: ignore[arg-type]

    return build


@pytest.fixture
def aliyun(aliyun_with: Callable[..., Aliyun]) -> Aliyun:
    return aliyun_with()


@dataclass
class Desk:
    """A gateway and what stands behind it."""

    gateway: Gateway
    clock: FakeClock
    behind: Provider | Pocket = field(repr=False)

    def texts(self, phone: str) -> list[str]:
        if isinstance(self.behind, Pocket):
            return [shown.text for shown in self.behind.messages(phone)]
        return self.behind.texts(phone)

    async def reports(self) -> bytes:
        if isinstance(self.behind, Pocket):
            return self.behind.reports()
        for taken in self.behind.accepted:
            self.behind.report(taken)
        return await self._pushed()

    async def reply(self, phone: str, text: str) -> bytes:
        if isinstance(self.behind, Pocket):
            return self.behind.reply(phone, text)
        self.behind.reply(phone, text)
        return await self._pushed()

    async def _pushed(self) -> bytes:
        bodies: list[bytes] = []

        async def post(kind: str, body: bytes) -> tuple[int, bytes]:
            bodies.append(body)
            return 200, b'{"code": 0}'

        assert isinstance(self.behind, Provider)
        await self.behind.push(post)
        return bodies[0]


@pytest.fixture(params=["aliyun", "pocket"])
def desk(request: pytest.FixtureRequest, clock: FakeClock) -> Desk:
    if request.param == "pocket":
        pocket = Pocket(TEMPLATES, clock)
        return Desk(pocket, clock, pocket)
    provider = request.getfixturevalue("provider")
    return Desk(request.getfixturevalue("aliyun"), clock, provider)
