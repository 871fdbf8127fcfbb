"""The mini-program as it is shipped, built for Chromium and opened against the running server."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route

HERE = Path(__file__).parent
MINIPROGRAM = HERE.parents[1] / "miniprogram"
MISSING = "needs Node.js: apt-get install nodejs npm; cd tests/mpweb && npm ci --ignore-scripts"
AT = "/mp"


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if not found or not (HERE / "node_modules" / "esbuild").is_dir():
        pytest.skip(MISSING)
    return found


def build(node: str, src: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [node, HERE / "build.mjs", "--src", src, "--out", out],
        cwd=HERE, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def built(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mpweb")
    done = build(node, MINIPROGRAM, out)
    assert done.returncode == 0, done.stderr
    return out


@dataclass
class Phone:
    """One phone: what it stores outlives the pages that are closed on it."""

    context: BrowserContext
    live: str
    pages: list[Page] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    async def open(self, page: str = "scan", query: str = "", **handlers: Any) -> Page:
        """The mini-program started anew; `handlers` are what WeChat answers."""
        opened = await self.context.new_page()
        self.pages.append(opened)
        opened.on(
            "request",
            lambda r: (
                None if r.url.startswith((self.live, "data:")) else self.foreign.append(r.url)
            ),
        )
        await opened.add_init_script(f"window.__given = {json.dumps(handlers)}")
        await opened.goto(f"{self.live}{AT}/index.html#/pages/{page}/{page}?{query}")
        return opened

    async def scan(self, code: str, **handlers: Any) -> Page:
        """As WeChat opens it: the slip's address, encoded once."""
        return await self.open(
            "scan", f"q={quote(f'http://pj.test/e/{code}', safe='')}", **handlers
        )

    async def calls(self, page: Page, name: str) -> list[Any]:
        made = await page.evaluate("__mp.calls")
        return [given for called, given in made if called == name]

    async def stored(self, page: Page) -> dict[str, str]:
        return await page.evaluate("({...localStorage})")  # type: ignore[no-any-return]


@pytest.fixture
async def phone(built: Path, live: str, browser: Browser) -> AsyncIterator[Phone]:
    """Fails if the mini-program raised anything, used an unknown wx call, or fetched from elsewhere."""
    context = await browser.new_context(
        viewport={"width": 375, "height": 760}, has_touch=True,
        is_mobile=True, locale="zh-CN", reduced_motion="reduce",
    )  # fmt: skip
    context.set_default_timeout(6_000)

    async def shipped(route: Route) -> None:
        name = route.request.url.partition(f"{AT}/")[2].partition("?")[0]
        await route.fulfill(path=built / name)

    await context.route(f"{live}{AT}/**", shipped)
    holder = Phone(context, live)
    yield holder
    for page in holder.pages:
        if not page.is_closed():
            assert await page.evaluate("__mp.errors") == []
    assert holder.foreign == []
    await context.close()
