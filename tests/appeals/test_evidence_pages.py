"""The evidence of an appeal in the console: with forms as browsers send them, and in Chromium."""

import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from appeals.papers import an_appeal, given, member
from factories import City, credentials
from kit.odd_files import HTML, SVG, a_jpeg, a_pdf, a_photo, a_png, a_zip
from playwright.async_api import Browser, Page, expect
from test_roles import peopled
from web.console_desk import Desk

from server.app import create_app
from server.appeals import evidence
from server.appeals.models import Appeal, Evidence
from server.kit.files import File, Kind
from server.settings import Settings

PAGE = """{% extends "console/frame.html" %}{% block page_title %}申诉{% endblock %}{% block content %}
<div class="stack"><h1>申诉</h1>{% include "console/_evidence.html" %}</div>{% endblock %}"""


@pytest.fixture(scope="module")
async def house(app: object, servers: Settings) -> AsyncIterator[str]:
    """The application on a socket."""
    second = create_app(servers, name="papers")
    second.config.TOUCHUP = False
    door = socket.create_server(("127.0.0.1", 0))
    server = await second.create_server(sock=door, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.close()
    await server.wait_closed()
    await second.ctx.limiter.close()


@pytest.fixture(autouse=True)
async def everybody(city: City) -> None:
    await peopled(city)


@asynccontextmanager
async def at_desk(house: str, username: str) -> AsyncIterator[Desk]:
    async with httpx.AsyncClient(base_url=house, timeout=20) as client:
        desk = Desk(client)
        assert (await desk.sign_in(username)).status_code == 303
        yield desk


async def sent(
    desk: Desk, appeal: Appeal, name: str, content: bytes, **fields: str
) -> httpx.Response:
    await desk.get(of_agency(appeal))
    form = {"csrf": desk.fields["csrf"]} | fields
    return await desk.client.post(
        f"/console/appeals/{appeal.id}/evidence", data=form, files={"file": (name, content)}
    )


def of_agency(appeal: Appeal) -> str:
    """The page on which the agency reads how its appeal stands."""
    return f"/console/orders/{appeal.order_number}/appeal"


async def test_who_gives_a_file_sees_its_name_its_size_and_its_day_and_no_more(house: str) -> None:
    appeal = await an_appeal()
    async with at_desk(house, "handler") as desk:
        answer = await sent(desk, appeal, '排队 <b>&"现场".jpg', a_photo())
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{of_agency(appeal)}#evidence"
        page = (await desk.get(of_agency(appeal))).text
        assert "排队 b&amp; 现场.jpg" in page
        assert "JPEG 图片 · 1 KB · " in page
        assert "还可以传 4 份" in page
        row = await Evidence.get()
        assert str(row.id) not in page
        opened = await desk.get(f"/console/appeals/{appeal.id}/evidence/{row.id}")
        assert (opened.status_code, evidence.ForRulersOnly.title in opened.text) == (403, True)


async def test_five_files_are_enough_and_to_an_ended_case_no_form_is_shown(house: str) -> None:
    full, ended = await an_appeal(), await an_appeal(state="refused")
    for n in range(5):
        await given(full, a_png((20 + n, 20)))
    async with at_desk(house, "lead") as desk:
        page = (await desk.get(of_agency(full))).text
        assert ("已经有 5 份材料" in page, 'type="file"' in page) == (True, False)
        page = (await desk.get(of_agency(ended))).text
        assert ("还没有材料" in page, 'type="file"' in page) == (True, False)
        answer = await sent(desk, full, "a.png", a_jpeg())
        assert (answer.status_code, "最多 5 份" in answer.text) == (409, True)


@pytest.mark.parametrize("csrf", ["", "x", "0" * 22])
async def test_a_form_from_elsewhere_gives_nothing(house: str, csrf: str) -> None:
    appeal = await an_appeal()
    async with at_desk(house, "handler") as desk:
        answer = await sent(desk, appeal, "a.png", a_png(), csrf=csrf)
        assert (answer.status_code, "已经过期" in answer.text) == (403, True)
    assert await Evidence.all().count() == 0


async def test_the_token_may_stand_behind_the_file(house: str) -> None:
    appeal = await an_appeal()
    async with at_desk(house, "handler") as desk:
        await desk.get(of_agency(appeal))
        parts = [("file", ("a.png", a_png())), ("csrf", (None, desk.fields["csrf"]))]
        address = f"/console/appeals/{appeal.id}/evidence"
        assert (await desk.client.post(address, files=parts)).status_code == 303


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("网页.png", HTML, 422, "只收 JPEG、PNG"), ("图.svg", SVG, 422, "SVG"),
        ("说明.docx", a_zip(), 422, "另存为 PDF"), ("", b"", 422, "请选择一个文件"),
        ("半.jpg", a_jpeg()[:300], 422, "可能没有传完"), ("大.png", a_png() + bytes(9_000_000), 413, "8 MB"),
    ],
)  # fmt: skip
async def test_a_refusal_is_a_page_with_words_and_a_way_back(
    house: str, name: str, content: bytes, status: int, words: str
) -> None:
    appeal = await an_appeal()
    async with at_desk(house, "handler") as desk:
        answer = await sent(desk, appeal, name, content)
        assert (answer.status_code, words in answer.text) == (status, True), answer.text
        assert f'href="/console/appeals/{appeal.id}">返回' in answer.text
        assert "退出" in answer.text, "in the frame of the console"


async def test_what_is_no_upload_is_refused_and_who_is_not_signed_in_is_sent_to_the_case(
    house: str,
) -> None:
    appeal = await an_appeal()
    address = f"/console/appeals/{appeal.id}/evidence"
    async with at_desk(house, "handler") as desk:
        answer = await desk.post(address, text="x")
        assert (answer.status_code, "表单" in answer.text) == (415, True)
    async with httpx.AsyncClient(base_url=house) as client:
        answer = await client.post(address, files={"file": ("a.png", a_png())})
        where = f"/console/login?next=/console/appeals/{appeal.id}"
        assert (answer.status_code, answer.headers["location"]) == (303, where)


async def test_who_rules_sees_a_picture_in_the_window_and_gets_a_pdf_as_a_file(house: str) -> None:
    appeal = await an_appeal()
    rows = [await given(appeal, a_png()), await given(appeal, a_pdf(), "值班 表.pdf")]
    async with at_desk(house, "adjudicator") as desk:
        page = (await desk.get(f"/console/appeals/{appeal.id}")).text
        assert 'type="file"' not in page
        for row, how, media in zip(
            rows, ("inline", "attachment"), ("image/png", "application/pdf"), strict=True
        ):
            assert f'href="/console/appeals/{appeal.id}/evidence/{row.id}"' in page
            head = (await desk.get(f"/console/appeals/{appeal.id}/evidence/{row.id}")).headers
            assert head["content-type"] == media
            assert head["content-disposition"].startswith(f"{how}; ")
            assert unquote(head["content-disposition"]).endswith(row.name)
            assert head["content-security-policy"] == "default-src 'none'; sandbox"
            assert (head["x-content-type-options"], head["cache-control"]) == (
                "nosniff",
                "no-store",
            )


# In Chromium


@pytest.fixture
async def window(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    yield await context.new_page()
    await context.close()


async def signed_in(page: Page, house: str, username: str, to: str) -> None:
    await page.goto(f"{house}{to}")
    for field, value in credentials(username).items():
        await page.fill(f"#{field}", value)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{house}{to}")


async def planted(appeal: Appeal, kind: Kind, content: bytes) -> Evidence:
    """As if the check of its content had failed."""
    file = File(kind, content, hashlib.sha256(content).hexdigest())
    row, _ = await evidence.add(await member("handler"), str(appeal.id), "x", file)
    return row


@pytest.mark.browser
async def test_whatever_lies_in_a_picture_a_browser_runs_nothing_of_it(
    house: str, window: Page
) -> None:
    appeal = await an_appeal()
    good = await given(appeal, a_png((300, 200)))
    bad = [
        await planted(appeal, kind, content)
        for kind, content in ((Kind.PNG, HTML), (Kind.JPEG, SVG), (Kind.PNG, a_png() + HTML))
    ]
    await signed_in(window, house, "adjudicator", f"/console/appeals/{appeal.id}")
    for row in (good, *bad):
        await window.goto(f"{house}/console/appeals/{appeal.id}/evidence/{row.id}")
        assert await window.evaluate("document.contentType") in ("image/png", "image/jpeg")
        assert await window.evaluate("self.origin") == "null", "it is in a sandbox"
        assert await window.title() != "ran"
        assert await window.evaluate("document.scripts.length") == 0
    await window.goto(f"{house}/console/appeals/{appeal.id}/evidence/{good.id}")
    assert await window.evaluate("document.images[0].naturalWidth") == 300


@pytest.mark.browser
async def test_a_pdf_and_a_page_that_calls_itself_one_are_downloaded_and_not_shown(
    house: str, window: Page
) -> None:
    appeal = await an_appeal()
    kept: dict[str, Any] = {"值班表.pdf": a_pdf()}
    await given(appeal, a_pdf(), "值班表.pdf")
    await planted(appeal, Kind.PDF, HTML)
    kept["x.pdf"] = HTML
    here = f"/console/appeals/{appeal.id}"
    await signed_in(window, house, "adjudicator", here)
    for name, content in kept.items():
        async with window.expect_download() as waiting:
            await window.get_by_role("link", name=name).click()
        download = await waiting.value
        assert download.suggested_filename == name
        assert (await download.path()).read_bytes() == content
        assert window.url == f"{house}{here}"


@pytest.mark.browser
async def test_a_file_is_given_with_javascript_off(house: str, browser: Browser) -> None:
    appeal = await an_appeal()
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await signed_in(page, house, "handler", here := of_agency(appeal))
    picked = {"name": "现场.html", "mimeType": "image/jpeg", "buffer": a_photo()}
    await page.get_by_label("补充一份材料").set_input_files(picked)  # type: ignore[arg-type]
    await page.get_by_role("button", name="上传这份材料").click()
    await page.wait_for_url(f"{house}{of_agency(appeal)}#evidence")
    await page.goto(f"{house}{here}")
    await expect(page.get_by_text("现场.html.jpg")).to_be_visible()
    await context.close()
