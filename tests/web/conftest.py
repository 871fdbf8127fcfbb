"""The application of the tests on a real port, and a browser that reaches nothing else."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from server.app import create_app
from server.settings import Settings

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
]  # fmt: skip


@pytest.fixture(scope="session")
async def live(app: object, servers: Settings) -> AsyncIterator[str]:
    """Base URL of a second application in this process: one pool, one clock, one catalogue with `http`."""
    second = create_app(servers, name="live")
    second.config.TOUCHUP = False  # Sanic rewrites its own methods once a process
    door = socket.create_server(("127.0.0.1", 0))
    server = await second.create_server(sock=door, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.close()
    await server.wait_closed()
    await second.ctx.limiter.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(
            "needs Chromium: apt-get install --no-install-recommends chromium fonts-noto-cjk"
        )
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()
