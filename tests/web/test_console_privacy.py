"""No page of the console tells who it was, and none runs what a citizen wrote."""

import random
import re

import httpx
from factories import HOUSING, JOINT_MATTER, LABOUR, City, a_bad_review
from web.console_desk import a_case, a_desk

from server.kit import sql


async def test_no_page_of_the_console_holds_anything_of_the_person(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    dice = random.Random(20261121)
    number = "11990100MB0000001A-20261121-0777"
    said = f"我是王小明，办件编号{number}，打13800138000找我"
    real = {
        "comment": said,
        "real_name": True,
        "contact": {"name": "王小明", "phone": "13800138000"},
    }
    cases = [
        await a_case(http, city, review=real, case_number=number),
        await a_case(http, city, agency=LABOUR, matter_code=JOINT_MATTER, review={"comment": said}),
    ]
    handler, other = await city.staff(http, "handler"), await city.staff(http, "other")
    for case, headers in zip(cases, (handler, other), strict=True):
        address, track = f"/api/v1/work-orders/{case.number}", f"/api/v1/track/{case.query_code}"
        assert (await http.post(f"{track}/supplement", json={"comment": said})).status_code == 200
        await http.post(f"{address}/accept", json={}, headers=headers)
        body = {"disposition": "explained", "text": "说明"}
        await http.post(f"{address}/answer", json=body, headers=headers)
        verdict = {"satisfied": False, "comment": said}
        assert (await http.post(f"{track}/confirmation", json=verdict)).status_code == 200
    planted = ["王小明", "13800138000", "138 0013 8000", number]
    planted += [
        code for case in cases for code in (case.query_code, case.review_code, case.case_number)
    ]
    rows = await sql.fetch("SELECT DISTINCT receipt_id FROM reviews")
    pages = ["/console?show=" + key for key in ("now", "late", "contested", "closed", "all")]
    pages += [f"/console/orders/{case.number}" for case in cases] + [
        "/console?q=王小明",
        "/console/audit",
    ]
    receipts = [str(row["receipt_id"]) for row in rows]
    for username in ("handler", "lead", "other", "desk", "supervisor", "auditor"):
        async with a_desk(app, username) as desk:
            await desk.get("/console/login")
            for receipt in receipts if username == "auditor" else ():
                await desk.get("/console/audit")
                await desk.post("/console/audit", receipt=receipt, reason="抽查")
            tour = pages + [f"/console/audit/{receipt}" for receipt in receipts]
            for address in dice.sample(tour, len(tour)):
                page = await desk.get(address)
                shown = page.text.replace('value="王小明"', "").replace(
                    "“<strong>王小明</strong>”", ""
                )
                found = [secret for secret in planted if secret in shown]
                assert not found, (username, address, found)


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
