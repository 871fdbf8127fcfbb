"""No page of the console tells who it was, and none runs what a citizen wrote."""

import random
import re

import httpx
from factories import HOUSING, JOINT_MATTER, LABOUR, City, a_bad_review
from web.console_desk import Case, a_case, a_desk

from server.kit import sql

NAME, PHONE, NUMBER = "王小明", "13800138000", "11990100MB0000001A-20261121-0777"
SAID = f"我是{NAME}，办件编号{NUMBER}，打{PHONE}找我"


async def test_no_page_of_the_console_holds_anything_of_the_person(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    cases = await _talkative_citizens(http, city)
    planted = [NAME, PHONE, "138 0013 8000", NUMBER]
    for case in cases:
        planted += [case.query_code, case.review_code, case.case_number]
    receipts = [str(row["id"]) for row in await sql.fetch("SELECT id FROM receipts")]
    tour = [f"/console?show={key}" for key in ("now", "late", "contested", "closed", "all")]
    tour += [f"/console/orders/{case.number}" for case in cases]
    tour += [f"/console?q={NAME}", "/console/audit", *(f"/console/audit/{r}" for r in receipts)]
    for username in ("handler", "lead", "other", "desk", "supervisor", "auditor"):
        async with a_desk(app, username) as desk:
            for receipt in receipts if username == "auditor" else ():
                noted = await desk.post("/console/audit", receipt=receipt, reason="抽查")
                assert noted.status_code == 303
            for address in random.Random(20261121).sample(tour, len(tour)):
                page = (await desk.get(address)).text
                page = page.replace(f'value="{NAME}"', "").replace(f"<strong>{NAME}<", "")
                found = [secret for secret in planted if secret in page]
                assert not found, (username, address, found)


async def _talkative_citizens(http: httpx.AsyncClient, city: City) -> list[Case]:
    """Who say who they are wherever they may write."""
    real = {"comment": SAID, "real_name": True, "contact": {"name": NAME, "phone": PHONE}}
    joint = {"agency": LABOUR, "matter_code": JOINT_MATTER, "review": {"comment": SAID}}
    cases = [
        await a_case(http, city, review=real, case_number=NUMBER),
        await a_case(http, city, **joint),
    ]
    co_handler = await city.staff(http, "handler")
    part = await http.post(
        f"/api/v1/work-orders/{cases[1].number}/part", json={"text": "已核对"}, headers=co_handler
    )
    assert part.status_code == 200, part.text
    for case, username in zip(cases, ("handler", "other"), strict=True):
        address, track = f"/api/v1/work-orders/{case.number}", f"/api/v1/track/{case.query_code}"
        headers = await city.staff(http, username)
        body = {"disposition": "explained", "text": "说明"}
        for answer in (
            await http.post(f"{track}/supplement", json={"comment": SAID}),
            await http.post(f"{address}/accept", json={}, headers=headers),
            await http.post(f"{address}/answer", json=body, headers=headers),
            await http.post(f"{track}/confirmation", json={"satisfied": False, "comment": SAID}),
        ):
            assert answer.status_code == 200, answer.text
    return cases


async def test_a_name_given_only_with_the_review_stays_out_of_later_words_too(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    contact = {"name": "欧阳锋利", "phone": "13911112222"}
    case = await a_case(http, city, review={"real_name": True, "contact": contact})
    track = f"/api/v1/track/{case.query_code}/supplement"
    await http.post(track, json={"comment": "我是欧阳锋利，请回电"})
    async with a_desk(app, "handler") as desk:
        assert "欧阳锋利" not in (await desk.get(f"/console/orders/{case.number}")).text


async def test_every_page_works_without_scripts_or_styles_of_its_own(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    pages = ["/console", "/console?show=all", f"/console/orders/{case.number}", "/console/login"]
    async with a_desk(app, "handler") as desk, a_desk(app) as stranger:
        for address in pages:
            page = await (stranger if "login" in address else desk).get(address)
            assert page.status_code == 200
            inline = re.findall(
                r"<script(?! src)[^>]*>|<style|\sstyle=|\son\w+=|javascript:", page.text
            )
            assert not inline
            assert page.headers["cache-control"] == "no-store"


async def test_a_review_of_our_agency_by_its_own_desk_is_shown_as_plain_text(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    evil = "<script>alert(1)</script>{{ 7 * 7 }}"
    case = await a_case(http, city, agency=HOUSING, review=a_bad_review(comment=evil))
    async with a_desk(app, "handler") as desk:
        page = await desk.get(f"/console/orders/{case.number}")
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in page.text
