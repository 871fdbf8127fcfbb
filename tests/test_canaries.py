"""What a citizen says about himself and others reaches nobody at the agency's side, by no channel."""

import html
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from factories import HOUSING, JOINT_MATTER, LABOUR, MATTER, REGION, City
from kit.calls import all_operations
from phones import policy
from stories.town import MONDAY, Citizen, Town, at
from test_roles import peopled
from web.console_desk import a_desk

from server.catalogue.sheets import import_sheets, national_tags
from server.integrity import suspicions
from server.integrity.rules import Rule
from server.kit import query_codes, sql
from server.kit.clock import clock
from server.kit.log import AllowListed
from server.people.guard import AgencySystem, StaffWith
from server.people.models import Staff
from server.people.rules import SEES_ORDERS, Role
from server.people.service import Member
from server.reviews import paper, walls
from server.reviews.paper_rules import Row
from server.workorders.supervision import VIEW_NAMES

DEVICE = "CanaryPhone/7.7 (Harmony; zh-CN)"
ADDRESS = "203.0.113.77"
_GIVEN = "珑琥玥璟珺瑄琰珩瑾璨玘"
_PLATES = "京津沪渝冀豫云辽黑湘皖"
SHOWS = ("now", "late", "contested", "closed", "all")
AGENCY_SIDE = ("handler", "lead", "other", "desk", "parent")
ABOVE = ("supervisor", "elsewhere", "adjudicator", "first")
"""Those who rule on an appeal read what both sides say, and who the citizen is as little as others."""


class Planted:
    """Each with the place where it was put, so that a find tells the hole."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}
        self._n = 0
        self.harmless: dict[str, str] = {}
        """What stands beside the canaries and must get through."""

    def put(self, where: str, secret: str) -> str:
        assert secret not in self.all
        self.all[secret] = where
        return secret

    def person(self, where: str) -> dict[str, str]:
        n, self._n = self._n, self._n + 1
        return {
            "name": self.put(f"{where}: name", f"龚{_GIVEN[n // 11]}{_GIVEN[n % 11]}"),
            "phone": self.put(f"{where}: phone", f"137{n:02}460{n:03}"),
        }

    def words(self, where: str) -> str:
        """Of somebody who tells all about himself and his neighbour."""
        p, n = self.person(where), self._n
        kinds = {
            "id": f"99010119{n:02}0307{n:02}3X", "email": f"canary{n}@example.com",
            "plate": f"{_PLATES[n % 11]}A{n:02}K7Z", "wechat": f"canary_wx_{n}",
            "landline": f"0579-88{n:02}4613", "card": f"62284801{n:02}1234567{n:02}",
            "case": f"CASE-{n:02}-775533",
        }  # fmt: skip
        p |= {kind: self.put(f"{where}: {kind}", value) for kind, value in kinds.items()}
        self.harmless[f"窗口第{n}次没有人"] = where
        return (
            f"我是{p['name']}，电话{p['phone']}，身份证{p['id']}，邮箱{p['email']}，车牌{p['plate']}，"
            f"微信号{p['wechat']}，座机{p['landline']}，卡号{p['card']}，办件编号{p['case']}，窗口第{n}次没有人"
        )

    def found(self, text: str) -> list[str]:
        plain = {text, html.unescape(text), unquote(text)}
        with_codes = "".join(plain)
        return [where for secret, where in self.all.items() if secret in with_codes]


class Ear(logging.Handler):
    """Everything that is logged, as it is written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(AllowListed().format(record))


@contextmanager
def listening() -> Iterator[Ear]:
    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the tests' own
    yield ear
    root.setLevel(level)
    root.removeHandler(ear)


@pytest.fixture
async def town(app: Any, http: httpx.AsyncClient, city: City) -> AsyncIterator[Town]:
    clock.advanced += MONDAY - clock.now()
    await sql.fetch("DELETE FROM tags")
    await import_sheets({"tags": national_tags()}, by="test")
    await policy(invite_minutes=0, remind_hours=0, sample_permille=1000, daily_messages=9)
    await peopled(city)
    head = {"User-Agent": DEVICE, "X-Forwarded-For": ADDRESS}
    transport = httpx.ASGITransport(app=app, client=(ADDRESS, 7))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://pj.test", headers=head
    ) as outside:
        yield Town(http, city, outside=outside)


async def served(town: Town, planted: Planted, where: str, **changed: Any) -> Citizen:
    applicant = planted.person(f"{where}, receipt")
    case_number = planted.put(f"{where}: case of the receipt", f"RCPT-{len(planted.all)}-551177")
    citizen = await town.served(
        applicant={"kind": 1, **applicant}, case_number=case_number, **changed
    )
    planted.put(f"{where}: code", citizen.code)
    return citizen


async def rates(
    citizen: Citizen, planted: Planted, where: str, level: int = 1, **more: Any
) -> None:
    await citizen.rates(level, comment=planted.words(where), wait=False, **more)
    planted.put(f"{where}: query code", citizen.query_code)


async def by_all_channels(town: Town, planted: Planted) -> list[Citizen]:
    """Bad reviews from slip, mini-program, SMS, with a name, of two agencies; and one undone."""
    await policy(sms=False)
    slip = await served(town, planted, "slip")
    await rates(slip, planted, "slip", contact=planted.person("slip, contact"))
    named = await served(town, planted, "real name")
    await rates(
        named, planted, "real name", real_name=True, contact=planted.person("real name, contact")
    )
    mini = await served(town, planted, "mini-program")
    openid = planted.put("mini-program: openid", "demo:oCANARY77openid")
    login = await town.outside.post("/api/v1/wechat/login", json={"code": openid})
    mini.head = {"Authorization": f"Bearer {login.json()['access_token']}"}
    await rates(mini, planted, "mini-program")
    joint = await served(town, planted, "joint", agency=LABOUR, matter_code=JOINT_MATTER)
    await rates(joint, planted, "joint")
    await policy(sms=True)
    return [slip, named, mini, joint]


async def to_be_contested(town: Town, planted: Planted) -> Citizen:
    await policy(sms=False)
    citizen = await served(town, planted, "contested")
    contact = planted.person("contested, contact")
    await rates(citizen, planted, "contested", contact=contact)
    await policy(sms=True)
    await town.passes(timedelta(minutes=11))
    return citizen


async def by_sms(town: Town, planted: Planted) -> str:
    """All his replies; gives the number of the order."""
    phone = planted.put("SMS: phone", "13700461999")
    applicant = {"kind": 1, "name": planted.person("SMS, receipt")["name"], "phone": phone}
    case_number = planted.put("SMS: case of the receipt", "RCPT-SMS-551177")
    await town.served(applicant=applicant, case_number=case_number)
    await town.works()
    await town.replies(phone, "1")
    await town.replies(phone, f"B {planted.words('SMS, reason')}")
    await town.passes(timedelta(minutes=11))
    (row,) = await sql.fetch(
        "SELECT o.number FROM work_orders o JOIN reviews r ON r.order_number = o.number "
        "WHERE r.channel = 'sms'"
    )
    return str(row["number"])


async def by_paper(planted: Planted) -> None:
    """Keyed in from a form that holds a name, a phone and a case."""
    clerk = Member.of(await Staff.get(username="supervisor"))
    (form,) = await paper.print_blanks(walls.find("H1", "A1"), 1, clerk)
    planted.put("paper: code of the stub", form.stub)
    planted.put("paper: code of the stub, as printed", query_codes.grouped(form.stub))
    person = planted.person("paper, contact")
    row = Row(
        code=form.code, level="1", again="1", words=planted.words("paper"), name=person["name"],
        phone=person["phone"], case_number=planted.put("paper: case", "PAPER-77-551177"),
    )  # fmt: skip
    await paper.enter(row, clerk)


async def conversations(town: Town, planted: Planted, citizens: list[Citizen], sms: str) -> None:
    """Both sides say what can be said."""
    slip, named, mini, joint = citizens
    await joint.town.does("handler", joint.number, "part", text="已核对")
    for one in citizens:
        owner = "other" if one is joint else "handler"
        await one.says("supplement", comment=planted.words("supplement"))
        await town.does(owner, one.number, "accept")
        await town.does(owner, one.number, "ask", text="请问是哪个窗口？")
        await one.says("messages", text=planted.words("relay"))
        await town.does(owner, one.number, "message", text="已在核实")
        await one.says("messages", text=planted.words("relay, later"))
    flagged = (await town.order("handler", mini.number))["steps"]
    last = max(step["step_id"] for step in flagged if step["move"] == "message")
    await town.does("handler", mini.number, "flag", step_id=last, reason="辱骂")
    talk = {"reached": False, "text": planted.words("call-back by a person")}
    await town.does("handler", named.number, "call-back", **talk)

    await town.does("handler", sms, "accept")
    await town.does("handler", sms, "ask", text="请问是哪个窗口？")
    await town.works()
    await town.replies("13700461999", planted.words("SMS, relay"))
    for number in (slip.number, mini.number, sms):
        await town.does("handler", number, "answer", disposition="fixed", text="已整改")
    await town.until(at(8, 11))
    await town.replies("13700461999", f"不满意，{planted.words('SMS, verdict')}")
    verdict = {"satisfied": False, "comment": planted.words("confirmation")}
    await slip.says("confirmation", **verdict)


async def contested(town: Town, planted: Planted, citizen: Citizen) -> None:
    """The agency appeals; he states, it is upheld, he objects; all in words that tell who he is."""
    for name in ("first", "second"):
        await town.hires(name, Role.ADJUDICATOR, None)
    claim = {"ground": "mistaken", "text": "监控显示等候八分钟"}
    answer = await town.tries("lead", citizen.number, "appeal", **claim)
    assert answer.status_code == 201, answer.text
    await citizen.says("statement", text=planted.words("statement"))
    for name in ("first", "second"):
        ruled = await town.http.post(
            f"/api/v1/appeals/{answer.json()['id']}/vote", headers=await town.staff(name),
            json={"upheld": True, "reason": "mistaken", "text": "监控为证"},
        )  # fmt: skip
        assert ruled.status_code == 200, ruled.text
    await citizen.says("objection", text=planted.words("objection"))


async def a_no_in_a_call_back(town: Town, planted: Planted) -> Citizen:
    pleased = await served(town, planted, "pleased")
    contact = planted.person("pleased, contact")
    await rates(pleased, planted, "pleased", level=5, contact=contact)
    await town.until(at(9, 10))
    words = planted.words("call-back")
    await pleased.says("call-back", satisfied=False, comment=words)
    return pleased


async def pressed_and_disowned(town: Town, planted: Planted) -> None:
    """The clerk rates a slip himself; its owner tells all, objects, and rates with a code of his own."""
    slip = await served(town, planted, "disowned")
    await rates(slip, planted, "clerk", level=5)
    said = {"how": ["instead"], "words": planted.words("pressed")}
    told = await town.outside.post(f"/api/v1/e/{slip.code}/pressure", json=said)
    planted.put("pressed: query code", told.json()["query_code"])
    phone = next(s for s, where in planted.all.items() if where == "disowned, receipt: phone")
    path = f"/api/v1/e/{slip.code}/objection"
    assert (await town.outside.post(path, json={"phone": phone})).status_code == 202
    await town.works()
    # No canary: six digits stand somewhere by chance.
    proof = re.findall(r"\d{6}", (await town.texts(phone))[-1])[0]
    proven = await town.outside.post(path, json={"phone": phone, "proof": proof})
    assert proven.status_code == 201, proven.text
    slip.code = planted.put("disowned: code", proven.json()["review_code"])
    await rates(slip, planted, "owner", level=4)


async def one_undone(town: Town, planted: Planted) -> None:
    regrets = await served(town, planted, "undone")
    await rates(regrets, planted, "undone")
    body = {"query_code": regrets.query_code}
    undone = await town.outside.post(f"/api/v1/e/{regrets.code}/undo", json=body)
    assert undone.status_code == 200, undone.text


async def test_fifty_canaries_are_in_nothing_that_the_agency_reads(app: Any, town: Town) -> None:
    planted = Planted()
    planted.put("device", DEVICE)
    planted.put("address", ADDRESS)
    with listening() as ear:
        citizens = await by_all_channels(town, planted)
        await pressed_and_disowned(town, planted)
        await one_undone(town, planted)
        sms = await by_sms(town, planted)
        await contested(town, planted, await to_be_contested(town, planted))
        await by_paper(planted)
        await conversations(town, planted, citizens, sms)
        await a_no_in_a_call_back(town, planted)
        await town.until(at(21, 10))
        assert len(planted.all) >= 50
        await suspected()
        first = await Tour(app, town, planted).made(AGENCY_SIDE)
        above = await Tour(app, town, planted).made(ABOVE)
        person = await town.does("handler", citizens[1].number, "reveal", reason="电话核实")
        assert len(planted.found(json.dumps(person, ensure_ascii=False))) == 3
        again = await Tour(app, town, planted).made(("handler", "supervisor"))
    assert sorted({*first.holes, *above.holes, *again.holes}) == []
    hidden = {where for words, where in planted.harmless.items() if words not in first.read}
    assert hidden == {
        "pleased", "undone", "clerk", "owner", "pressed", "statement", "objection",
    }, "the rest of what was said about an order is read"  # fmt: skip
    only_above = {where for words, where in planted.harmless.items() if words in above.read}
    assert {"pressed", "clerk", "statement", "objection"} <= only_above, (
        "who supervises reads what is suspected, who rules what the citizen says"
    )
    said = "\n".join(ear.heard)
    assert '"route"' in said and planted.found(said) == []


async def suspected() -> None:
    """Everything that has an order, by every rule: what supervisors read of it says no more."""
    rows = await sql.fetch(
        "SELECT v.id AS review, v.receipt_id, r.* FROM reviews v JOIN receipts r ON r.id = v.receipt_id "
        "WHERE v.order_number IS NOT NULL AND v.state = 'standing'"
    )
    found = [
        suspicions.Finding(
            rule=rule, region_code=row["region_code"], agency_code=row["agency_code"],
            window_code=row["window_code"], receipt_id=row["receipt_id"], review_id=row["review"],
            evidence={"seconds": 3, "how": ["asked"], "device": DEVICE, "address": ADDRESS},
        )
        for row in rows for rule in Rule
    ]  # fmt: skip
    new = await suspicions.suspect(found, clock.now())
    assert len(found) >= len(new) > 20  # the watch has its own


@dataclass
class Tour:
    """Everything that can be read at the agency's side, by everybody who works there."""

    app: Any
    town: Town
    planted: Planted
    holes: list[tuple[str, str, str]] = field(default_factory=list)
    read: str = ""

    async def made(self, staff: tuple[str, ...]) -> "Tour":
        rows = await sql.fetch("SELECT number FROM work_orders ORDER BY number")
        assert len(rows) == 9
        self.numbers = [row["number"] for row in rows]
        receipts = await sql.fetch("SELECT id FROM receipts ORDER BY id")
        self.receipts = [str(row["id"]) for row in receipts]
        self.appeals = [str(row["id"]) for row in await sql.fetch("SELECT id FROM appeals")]
        flagged = await sql.fetch("SELECT id FROM suspicions ORDER BY id")
        self.suspicions = [str(row["id"]) for row in flagged][:: len(Rule) - 1]
        for who in staff:
            await self._by_api(who)
            await self._in_the_console(who)
        for agency in (HOUSING, LABOUR):
            await self._by_its_system(agency)
        self._look("anybody", "/metrics", (await self.town.http.get("/metrics")).text)
        return self

    def _look(self, who: str, where: str, text: str) -> None:
        self.holes += [(who, where, hole) for hole in self.planted.found(text)]
        self.read += text

    def _filled(self, path: str) -> list[str]:
        things = {
            "number": [*self.numbers, "2026AAAAAAAAAA"], "view": list(VIEW_NAMES),
            "receipt_id": self.receipts, "record": ["1", "2"], "region_code": [REGION],
            "day": ["2026-09-08"], "appeal_id": self.appeals,
            "evidence_id": ["00000000-0000-4000-8000-000000000000"], "suspicion": self.suspicions,
            "hall": ["H1"], "window": ["A1"], "matter_code": [MATTER],
        }  # fmt: skip
        paths = [path]
        for name in re.findall(r"<(\w+)", path):
            paths = [re.sub(rf"<{name}[^>]*>", v, one) for one in paths for v in things[name]]
        return paths

    async def _by_api(self, who: str) -> None:
        head = await self.town.staff(who)
        for operation in all_operations().values():
            if not isinstance(operation.guard, StaffWith) or not operation.guard.roles & (
                SEES_ORDERS | {Role.ADJUDICATOR}
            ):
                continue
            for path in self._filled(operation.path)[:: 1 if operation.method == "GET" else 7]:
                body = None if operation.method == "GET" else {"nonsense": [path]}
                answer = await self.town.http.request(
                    operation.method, path, json=body, headers=head
                )
                assert operation.method == "GET" or not answer.is_success, path
                self._look(who, f"{operation.method} {operation.path}", answer.text)
        listed = await self.town.http.get("/api/v1/work-orders?limit=200&q=1", headers=head)
        self._look(who, "search", listed.text)

    async def _in_the_console(self, who: str) -> None:
        shows = ["/console?show=" + key for key in SHOWS]
        paths = [
            f"/{route.path}" for route in self.app.router.routes
            if route.path.startswith("console") and "GET" in route.methods
        ]  # fmt: skip
        async with a_desk(self.app, who) as desk:
            for path in paths:
                for address in self._filled(path):
                    self._look(who, path, (await desk.get(address)).text)
            for address in shows:
                self._look(who, address, (await desk.get(address)).text)
            for number in self.numbers:
                wrong = await desk.post(f"/console/orders/{number}/answer", text="")
                self._look(who, "a form with a fault", wrong.text)

    async def _by_its_system(self, agency: str) -> None:
        head = await self.town.city.system(self.town.http, agency)
        for operation in all_operations().values():
            if isinstance(operation.guard, AgencySystem) and operation.method == "GET":
                for path in self._filled(operation.path):
                    answer = await self.town.http.get(path, headers=head)
                    text = re.sub(
                        r"/e/[\w-]+", "", answer.text
                    )  # the code is the issuer's to print
                    self._look(agency, operation.path, text)
