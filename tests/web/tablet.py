"""A tablet at a window, and the citizens before it."""

import asyncio
import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO

import httpx
import zxingcpp
from factories import HOUSING, City
from PIL import Image
from playwright.async_api import Browser, Locator, Page, expect

from server.reviews import kiosks
from server.settings import Settings

SIZES = {"landscape": (1024, 600), "portrait": (800, 1280)}


async def a_key(window: str = "A1", agency: str = HOUSING) -> str:
    return await kiosks.issue(agency, window, instead_of=None, by=None)


@dataclass
class Window:
    """The window's system."""

    http: httpx.AsyncClient
    city: City

    async def asks(self) -> str:
        """Shows a new receipt; gives its code."""
        receipt = await self.city.receipt(self.http)
        await self.shows(receipt["receipt_id"])
        return str(receipt["review_url"]).rpartition("/")[2]

    async def shows(self, receipt_id: str) -> None:
        answer = await self.http.post(
            "/api/v1/windows/A1/ask", json={"receipt_id": receipt_id},
            headers=await self.city.system(self.http),
        )  # fmt: skip
        assert (answer.status_code, answer.content) == (202, b"{}")


@asynccontextmanager
async def a_tablet(
    browser: Browser, live: str, key: str, size: str = "landscape", **options: object
) -> AsyncIterator[Page]:
    width, height = SIZES[size]
    context = await browser.new_context(
        base_url=live, viewport={"width": width, "height": height}, has_touch=True,
        reduced_motion="reduce", **options,  # type: ignore[arg-type]
    )  # fmt: skip
    context.set_default_timeout(8_000)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: faults.append(r.url) if not r.url.startswith(live) else None)
    await page.goto(f"/kiosk/open/{key}")
    yield page
    assert faults == []
    await context.close()


def heading(page: Page) -> Locator:
    return page.locator("main h1")


async def welcomed(page: Page) -> None:
    await expect(page.get_by_text("请稍候，办完事可以在这里评价")).to_be_visible()


async def opened(page: Page) -> None:
    """The form, at a touch."""
    await page.get_by_role("button", name="在这里评价").tap()
    await expect(heading(page)).to_contain_text("满意吗")


async def chosen(page: Page, level: int, tag: str = "", words: str = "") -> None:
    await page.locator(f"label[for=l{level}]").tap()
    if tag:
        await page.get_by_label(tag, exact=True).check()
    if words:
        await page.get_by_label("想说的话").fill(words)


async def sent(page: Page, *, bad: bool = False) -> None:
    await page.get_by_role("button", name="提交评价").tap()
    if bad:
        await page.get_by_role("button", name="确认提交").tap()


async def thanked(page: Page) -> str:
    """Gives the query code."""
    await expect(heading(page)).to_have_text("谢谢您的评价")
    return (await page.locator(".code").inner_text()).replace(" ", "")


async def scanned(page: Page) -> str:
    """What a phone reads."""
    picture = await page.locator(".picture").screenshot()
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
    return found.text


class ServerProcess:
    """A server of its own beside the tests' application, with the same database."""

    def __init__(self, servers: Settings) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        keys = ",".join(f"{k}:{base64.b64encode(v).decode()}" for k, v in servers.keys.items())
        self._environment = {
            "PATH": os.environ["PATH"], "DATABASE_URL": servers.database_url,
            "REDIS_URL": servers.redis_url, "BASE_URL": servers.base_url, "KEYS": keys,
            "PORT": str(self.port),
        }  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    async def up(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
        )
        async with httpx.AsyncClient(base_url=self.address) as client:
            for _ in range(200):
                with suppress(httpx.TransportError):
                    if (await client.get("/healthz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise AssertionError("no server")

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def down(self) -> float:
        """Gives how many seconds it took to end."""
        began = time.monotonic()
        if self._process:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(self._process.wait, 10)
            self._process = None
        return time.monotonic() - began
