"""WeChat on loopback, and our way to it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis
from wechat.provider import APP_ID, SECRET, WeChatDesk

from server.kit import wechat_wire
from server.kit.wechat import WeChat
from server.settings import Settings

TEMPLATES = {
    "accepted": ("TMPL_ACCEPTED", {"matter": "thing1", "state": "phrase2", "at": "time3"}),
    "answered": (
        "TMPL_ANSWERED",
        {"matter": "thing1", "agency": "thing4", "state": "phrase2", "number": "character_string5"},
    ),
    "asked": ("TMPL_ASKED", {"matter": "thing1", "agency": "thing4", "state": "phrase2"}),
    "closed": ("TMPL_CLOSED", {"matter": "thing1", "state": "phrase2"}),
}


@pytest.fixture
def desk() -> Iterator[WeChatDesk]:
    desk = WeChatDesk({name: list(keys.values()) for name, keys in TEMPLATES.values()})
    yield desk
    desk.stop()


@pytest.fixture
def with_wechat(servers: Settings, desk: WeChatDesk) -> Settings:
    return replace(
        servers, wechat_app_id=APP_ID, wechat_app_secret=SECRET, wechat_api_url=desk.url,
        wechat_templates=TEMPLATES,
    )  # fmt: skip


@pytest.fixture
async def wechat(
    app: object, with_wechat: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[WeChat]:
    monkeypatch.setattr(wechat_wire, "READ_SECONDS", 0.5)
    redis: Any = Redis.from_url(with_wechat.redis_url)
    await redis.flushall()
    await redis.aclose()
    wechat = WeChat(with_wechat)
    yield wechat
    await wechat.close()
