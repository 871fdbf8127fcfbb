"""The demo hall: choose, print, scan, and come out at the review's page."""

import asyncio
import dataclasses
import json
import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pyotp
import pytest
import zxingcpp
from factories import (
    COMMON_MATTER,
    DESK,
    HOUSING,
    LABOUR,
    LABOUR_MATTER,
    MATTER,
    PASSWORD,
    TOTP,
    City,
)
from PIL import Image
from playwright.async_api import Browser, Error, Page

from server.app import create_app
from server.catalogue import service as catalogue
from server.kit import sql
from server.kit.clock import clock
from server.settings import Settings

HTML = {"Accept": "text/html"}
WINDOW = f"{HOUSING}-A1"


async def printed(http: httpx.AsyncClient, **changed: str) -> httpx.Response:
    return await http.post(
        "/demo", headers=HTML, data={"window": WINDOW, "matter": MATTER, "phone": ""} | changed
    )


@pytest.fixture
def accounts(servers: Settings) -> object:
    """What `seed` would have written for this city."""
    path = Path(servers.var) / "demo.json"
    people = [
        ("handler", "handler", HOUSING),
        ("desk", "handler", DESK),
        ("supervisor", "supervisor", None),
    ]
    path.write_text(json.dumps({"staff": [
        {"username": name, "password": PASSWORD, "totp_secret": TOTP, "role": role, "agency_code": code}
        for name, role, code in people
    ]}))  # fmt: skip
    yield path
    path.unlink()


async def test_a_window_offers_its_agencys_matters_and_those_of_nobody(
    http: httpx.AsyncClient, city: City
) -> None:
    first = (await http.get("/demo")).text
    assert f'value="{MATTER}"' in first and f'value="{COMMON_MATTER}"' in first
    assert LABOUR_MATTER not in first

    other = (await http.get("/demo", params={"window": f"{LABOUR}-B1"})).text

    assert f'value="{LABOUR_MATTER}"' in other and f'value="{MATTER}"' not in other
    assert "虚构" in first


async def test_the_printed_code_leads_to_the_review(http: httpx.AsyncClient, city: City) -> None:
    answer = await printed(http, phone="199 0000 0001")

    assert answer.status_code == 303
    slip = await http.get(answer.headers["location"])
    assert slip.status_code == 200
    for text in ("办 事 回 执", "住房保障局", "公租房申请", "市民中心 1号窗口"):
        assert text in slip.text
    (png,) = re.findall(r'href="(/e/[^"]+/qr\.png)"', slip.text)
    (decoded,) = zxingcpp.read_barcodes(Image.open(BytesIO((await http.get(png)).content)))
    assert decoded.text == f"http://pj.test{png.removesuffix('/qr.png')}"
    review = await http.get(decoded.text, headers=HTML)
    assert review.status_code == 200 and "公租房申请" in review.text
    (row,) = await sql.fetch("SELECT * FROM receipts")
    assert (row["agency_code"], row["channel"], row["window_code"]) == (HOUSING, "window", "A1")
    assert row["phone_key"]


async def test_every_click_is_a_new_case(http: httpx.AsyncClient, city: City) -> None:
    first, second = await printed(http), await printed(http)

    assert first.headers["location"] != second.headers["location"]


async def test_a_wrong_phone_is_named_and_nothing_is_lost(
    http: httpx.AsyncClient, city: City
) -> None:
    answer = await printed(http, phone="12345", matter=COMMON_MATTER)

    assert answer.status_code == 422
    assert "11 位手机号" in answer.text and 'value="12345"' in answer.text
    assert f'value="{COMMON_MATTER}" selected' in answer.text


@pytest.mark.parametrize("changed", [
    {"window": ""}, {"window": "nowhere"}, {"matter": ""}, {"matter": LABOUR_MATTER},
    {"matter": "9" * 400}, {"phone": "1" * 400},
])  # fmt: skip
async def test_what_does_not_fit_together_prints_nothing(
    http: httpx.AsyncClient, city: City, changed: dict[str, str]
) -> None:
    assert (await printed(http, **changed)).status_code == 422
    assert await sql.fetch("SELECT 1 FROM receipts") == []


async def test_the_slip_shows_the_answering_handler_with_a_code_that_works(
    http: httpx.AsyncClient, city: City, accounts: object
) -> None:
    slip = (await http.get((await printed(http)).headers["location"])).text
    assert "住房保障局</h3>" in slip and ">supervisor<" in slip

    clock.advanced += timedelta(days=3)
    later = (await http.get((await printed(http, matter=COMMON_MATTER)).headers["location"])).text

    assert ">desk<" in later and ">handler<" not in later
    codes = re.findall(r">(\d{6})<", later)
    assert pyotp.TOTP(TOTP).verify(codes[0], for_time=clock.now(), valid_window=1)
    login = {"username": "desk", "password": PASSWORD, "totp": codes[0]}
    assert (await http.post("/api/v1/staff/login", json=login)).status_code == 200


async def test_without_the_accounts_the_slip_says_so(http: httpx.AsyncClient, city: City) -> None:
    slip = await http.get((await printed(http)).headers["location"])

    assert slip.status_code == 200 and "python -m server seed" in slip.text


async def test_the_button_moves_the_clock_and_comes_back(
    http: httpx.AsyncClient, city: City
) -> None:
    address = (await printed(http)).headers["location"]
    before = clock.now()

    answer = await http.post("/demo/clock", data={"code": address.rpartition("/")[2]})

    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert timedelta(minutes=15) <= clock.now() - before < timedelta(minutes=16)
    elsewhere = await http.post("/demo/clock", data={"code": "//evil.test"}, headers=HTML)
    assert elsewhere.status_code == 404


async def test_programs_move_the_clock_as_the_contract_says(
    http: httpx.AsyncClient, city: City
) -> None:
    before = clock.now()

    moved = await http.post("/demo/clock", json={"advance_seconds": 3600})

    assert moved.status_code == 200 and clock.now() - before >= timedelta(hours=1)
    assert (await http.post("/demo/clock", json={"advance_seconds": -1})).status_code == 422


async def test_a_forged_slip_is_unknown(http: httpx.AsyncClient, city: City) -> None:
    assert (await http.get("/demo/slip/" + "a" * 25, headers=HTML)).status_code == 404


async def test_a_city_without_windows_says_how_to_get_one(
    http: httpx.AsyncClient, city: City
) -> None:
    await sql.fetch("TRUNCATE windows")
    await catalogue.load()

    assert "python -m server seed" in (await http.get("/demo")).text
    assert (await printed(http)).status_code == 422


async def test_outside_the_demo_there_is_no_hall(servers: Settings) -> None:
    plain = create_app(dataclasses.replace(servers, demo=False), name="plain")

    assert not [route.path for route in plain.router.routes if route.path.startswith("demo")]


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_code_on_the_screen_can_be_scanned(
    live: str, browser: Browser, http: httpx.AsyncClient, city: City, accounts: object, width: int
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 850}, java_script_enabled=False
    )
    page = await context.new_page()
    await page.goto(f"{live}/demo")
    await page.click("text=办结并打印回执")

    assert await scanned(page) == await review_of(page)
    box = await page.locator(".slip").bounding_box()
    assert box and 290 <= box["width"] <= 304, "80 mm"
    await page.emulate_media(media="print")
    assert await scanned(page) == await review_of(page)
    assert (
        await page.locator("header, footer, .screen-only, .demo-mark")
        .locator("visible=true")
        .count()
        == 0
    )
    await context.close()


async def photograph(page: Page) -> bytes:
    """Chromium on a busy machine has sometimes no picture yet."""
    for _ in range(4):
        try:
            return await page.screenshot()
        except Error:
            await asyncio.sleep(0.5)
    return await page.screenshot()


async def scanned(page: Page) -> str:
    (decoded,) = zxingcpp.read_barcodes(Image.open(BytesIO(await photograph(page))))
    return decoded.text


async def review_of(page: Page) -> str:
    return f"http://pj.test/e/{page.url.rpartition('/')[2]}"
