"""Small builders in the words of the domain."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp

from server.catalogue import calendar
from server.catalogue import service as catalogue
from server.catalogue.calendar import shipped
from server.catalogue.models import (
    Agency,
    CalendarYear,
    Hall,
    Matter,
    Officer,
    Policy,
    Region,
    Tag,
    Window,
)  # fmt: skip
from server.kit import sql
from server.kit.clock import clock
from server.people import service as people
from server.people.models import Staff
from server.people.rules import Role

REGION, DISTRICT = "990100000000", "990102000000"
HOUSING = "11990100MB0000001A"
LABOUR = "11990100MB0000002B"
DESK = "11990100MB0000009J"
MATTER, LABOUR_MATTER, COMMON_MATTER, JOINT_MATTER = (
    f"{n:031d}" for n in (990101, 990201, 990301, 990401)
)
PASSWORD = "correct horse battery staple"
SMS_SECRET = "callbacks-of-the-tests-1"
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
_numbers = itertools.count(1)
_TABLES = (
    "citizens, sms_replies, sms_set_aside, sms_pushes, sms_messages, sms_phones, questions, wordings, "
    "appeals, call_backs, samples, opinions, flags, accountability, alerts, escalations, order_parts, "
    "work_order_steps, work_orders, reviews, receipts, access_log, sessions, clients, staff, answered, "
    "beacons, regions, policies, agencies, halls, windows, officers, matters, tags, calendar_years, "
    "questionnaires, paper_forms, appeals, traces, watermarks, suspicions, insiders, pgqueuer"
)


async def run_sql(what: str) -> None:
    assert what == "emptied"
    await sql.fetch(f"TRUNCATE {_TABLES} RESTART IDENTITY CASCADE")
    people.clients.forget()


@dataclass
class City:
    """Two agencies with a window, an officer, a matter and a system of its own each."""

    secrets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    async def system(self, http: httpx.AsyncClient, agency: str = HOUSING) -> dict[str, str]:
        """Headers of an agency's system."""
        if agency not in self.tokens:
            answer = await http.post(
                "/api/v1/token",
                json={"client_id": f"c-{agency}", "client_secret": self.secrets[agency]},
            )
            self.tokens[agency] = answer.json()["access_token"]
        return {"Authorization": f"Bearer {self.tokens[agency]}"}

    async def staff(self, http: httpx.AsyncClient, username: str) -> dict[str, str]:
        """Headers of a member of staff."""
        answer = await http.post("/api/v1/staff/login", json=credentials(username))
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    async def receipt(
        self, http: httpx.AsyncClient, agency: str = HOUSING, **changed: Any
    ) -> dict[str, Any]:
        answer = await http.post(
            "/api/v1/receipts",
            json=a_receipt(agency, **changed),
            headers=await self.system(http, agency),
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def code(self, http: httpx.AsyncClient, agency: str = HOUSING, **changed: Any) -> str:
        receipt = await self.receipt(http, agency, **changed)
        return str(receipt["review_url"]).rpartition("/")[2]


def credentials(username: str) -> dict[str, str]:
    return {
        "username": username, "password": PASSWORD,
        "totp": pyotp.TOTP(TOTP).at(int(clock.now().timestamp())),
    }  # fmt: skip


def a_receipt(agency: str = HOUSING, **changed: Any) -> dict[str, Any]:
    ours = agency == HOUSING
    return {
        "case_number": f"{agency}-{next(_numbers):06d}", "service_number": 1,
        "matter_code": MATTER if ours else LABOUR_MATTER, "window_code": "A1" if ours else "B1",
        "officer_number": "001" if ours else "101", "stage": "签收", "channel": "window",
        "handled_at": (clock.now() - timedelta(minutes=3)).isoformat(),
        "applicant": {"kind": 1, "name": "王小明", "phone": "13800138000"},
    } | changed  # fmt: skip


def a_bad_review(**changed: Any) -> dict[str, Any]:
    return {"level": 1, "tags": ["115"], "comment": "排队两小时", **changed}


async def a_city() -> City:
    await Region.bulk_create(
        [
            Region(code=REGION, name="云汀市"),
            Region(code=DISTRICT, name="临溪区", parent_code=REGION),
        ]
    )
    await Policy.create(region_code=REGION)
    await Agency.bulk_create(
        [
            Agency(code=HOUSING, name="住房保障局", region_code=REGION),
            Agency(code=LABOUR, name="人力资源局", region_code=DISTRICT),
            Agency(code=DESK, name="大厅综合服务台", region_code=REGION),
        ]
    )
    await Hall.create(code="H1", name="市民中心", region_code=REGION, desk_agency_code=DESK)
    await Window.bulk_create(
        [
            Window(code="A1", hall_code="H1", agency_code=HOUSING, name="1号窗口"),
            Window(code="B1", hall_code="H1", agency_code=LABOUR, name="2号窗口"),
        ]
    )
    await Officer.bulk_create(
        [
            Officer(number="001", agency_code=HOUSING, name="赵一"),
            Officer(number="101", agency_code=LABOUR, name="钱二"),
        ]
    )
    await Matter.bulk_create(
        [
            Matter(code=MATTER, name="公租房申请", agency_code=HOUSING),
            Matter(code=LABOUR_MATTER, name="社保卡补办", agency_code=LABOUR),
            Matter(code=COMMON_MATTER, name="综合咨询", agency_code=None),
            Matter(
                code=JOINT_MATTER,
                name="新居一件事",
                agency_code=LABOUR,
                co_agency_codes=[HOUSING],
                questionnaire="national",
            ),
        ]
    )
    await Tag.bulk_create([
        Tag(code=f"{level}{n:02d}", level=level, text=f"原因{level}{n:02d}", primary=n < 16)
        for level in range(1, 6) for n in (13, 14, 15, 16, 17, 18, 19)
    ])  # fmt: skip
    for year in shipped():
        await CalendarYear.create(
            year=year.year, version=1, loaded_at=clock.now(), document=_document(year.year)
        )
    await catalogue.load()
    city = City()
    for agency in (HOUSING, LABOUR):
        city.secrets[agency] = await people.enrol_client(f"c-{agency}", agency, "窗口系统")
    await _hire()
    return city


_hired: list[dict[str, Any]] = []


async def _hire() -> None:
    """Six passwords take a third of a second to hash: once for all tests."""
    if _hired:
        await Staff.bulk_create([Staff(**row) for row in _hired])
        return
    for username, role, agency_code in (
        ("handler", Role.HANDLER, HOUSING), ("lead", Role.AGENCY_LEAD, HOUSING),
        ("other", Role.HANDLER, LABOUR), ("desk", Role.HANDLER, DESK),
        ("supervisor", Role.SUPERVISOR, None), ("auditor", Role.AUDITOR, None),
    ):  # fmt: skip
        await people.hire(
            username=username, name=username, role=role, password=PASSWORD, totp_secret=TOTP,
            agency_code=agency_code, region_code=REGION,
        )  # fmt: skip
    _hired.extend({k: v for k, v in row.items() if k != "id"} for row in await Staff.all().values())


def _document(year: int) -> str:
    return (Path(calendar.__file__).parent / "calendars" / f"{year}.json").read_text()
