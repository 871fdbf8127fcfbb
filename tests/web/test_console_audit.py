"""The auditor's room: first the reason, then the receipt."""

from datetime import timedelta

import httpx
import pytest
from factories import PASSWORD, TOTP, City
from web.console_desk import a_case, a_desk

from server.kit import sql
from server.kit.clock import clock
from server.people import service as people
from server.people.models import AccessLog
from server.people.rules import Role


async def test_an_auditor_sees_a_receipt_only_after_his_reason_is_written_down(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city, review={"comment": "我是王小明，电话13800138000，太慢"})
    (row,) = await sql.fetch("SELECT receipt_id FROM reviews WHERE order_number = $1", case.number)
    receipt = str(row["receipt_id"])
    async with a_desk(app, "auditor") as desk:
        assert (await desk.get("/console")).headers["location"] == "/console/audit"
        closed = await desk.get(f"/console/audit/{receipt}")
        assert closed.headers["location"] == f"/console/audit?receipt={receipt}"
        await desk.get("/console/audit")
        blank = await desk.post("/console/audit", receipt=receipt, reason=" \u3000")
        assert (blank.status_code, await AccessLog.all().count()) == (422, 0)
        assert f'value="{receipt}"' in blank.text

        noted = await desk.post("/console/audit", receipt=receipt, reason="季度抽查 <3>")
        page = await desk.get(noted.headers["location"])
        assert case.number in page.text and "非常不满意" in page.text and "太慢" in page.text
        entry = await AccessLog.get()
        assert (entry.action, entry.subject) == ("audit_receipt", receipt)
        assert entry.reason == "季度抽查 <3>"
        log = await desk.get("/console/audit")
        assert "季度抽查 &lt;3&gt;" in log.text and receipt in log.text

        clock.advanced += timedelta(minutes=29)
        await desk.get("/console/audit")
        clock.advanced += timedelta(minutes=2)
        again = await desk.get(f"/console/audit/{receipt}")
        assert again.status_code == 303, "a reason opens the page for half an hour"


@pytest.mark.parametrize(
    "receipt", ["", "0", "999999999999999999", "-1", "١", "1" * 40, "abc", "1.5"]
)
async def test_an_unknown_receipt_is_said_to_be_unknown(
    app: object, city: City, receipt: str
) -> None:
    async with a_desk(app, "auditor") as desk:
        answer = await desk.post("/console/audit", receipt=receipt, reason="抽查")
        assert answer.status_code == 422
        assert "没有这个编号的回执" in answer.text and 'value="抽查"' in answer.text
    assert await AccessLog.all().count() == 0


async def test_an_auditor_of_another_region_finds_nothing_and_no_log(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    (row,) = await sql.fetch("SELECT receipt_id FROM reviews WHERE order_number = $1", case.number)
    receipt = str(row["receipt_id"])
    async with a_desk(app, "auditor") as desk:
        await desk.post("/console/audit", receipt=receipt, reason="先看一次")
    await people.hire(
        username="far",
        name="远处",
        role=Role.AUDITOR,
        password=PASSWORD,
        totp_secret=TOTP,
        agency_code=None,
        region_code="110000000000",
    )
    async with a_desk(app, "far") as desk:
        page = await desk.get("/console/audit")
        assert "先看一次" not in page.text
        answer = await desk.post("/console/audit", receipt=receipt, reason="好奇")
        assert answer.status_code == 422
        assert (await desk.get(f"/console/audit/{receipt}")).status_code == 404
