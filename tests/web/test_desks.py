"""The rooms around the orders: what must be done now, who is accountable, what an auditor sees."""

import re
from datetime import datetime, timedelta

import httpx
import pytest
from factories import HOUSING, JOINT_MATTER, LABOUR, REGION, City
from kit.calls import Scene
from web.console_desk import Case, a_case, a_desk, listed, some_of_everything, tabs

from server.catalogue import service as catalogue
from server.catalogue.models import CalendarYear
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.people.models import Staff
from server.people.service import Member
from server.reviews import sampling
from server.workorders import accountability, alerts, flags
from server.workorders.accountability import Why
from server.workorders.models import Accountability, Alert, WorkOrder

REAL = {"real_name": True, "contact": {"name": "欧阳锋利", "phone": "13911112222"}}


async def _a_busy_city(http: httpx.AsyncClient, city: City) -> list[Case]:
    """Something in every list of every desk."""
    cases = await some_of_everything(http, city)
    scene = Scene(http, city)
    for moves in (("accept", "ask"), ("accept", "return"), ("extend",)):
        await scene.order(*moves)
    talked, told = await scene.order("accept"), await scene.order("accept", "answer")
    for taken in (talked, told):
        await http.post(f"/api/v1/track/{taken['query_code']}/messages", json={"text": "有人吗"})
    handler = await Staff.get(username="handler")
    await scene.move(await _real(scene), "accept")
    order = await WorkOrder.get(number=talked["number"])
    await accountability.add(order, Why.OVERDUE, clock.now())
    await flags.flag(Member.of(handler), talked["number"], 3, "辱骂")
    await sql.fetch(
        "UPDATE work_orders SET next_due_at = $1 WHERE number = $2",
        clock.now() - timedelta(days=2), told["number"],
    )  # fmt: skip
    return cases


async def _real(scene: Scene) -> dict[str, object]:
    _, taken = await scene.rated(undo_is_over=True, **REAL)
    return taken | {"number": taken["work_order"]["number"]}


async def test_every_count_of_every_desk_is_the_length_of_its_list(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    await _a_busy_city(http, city)
    filled: dict[str, set[str]] = {}
    for username in ("handler", "lead", "other", "supervisor"):
        async with a_desk(app, username) as desk:
            counts = tabs(await desk.get("/console"))
            reached: set[str] = set()
            for key, count in counts.items():
                shown = await desk.get("/console", show=key)
                assert len(listed(shown)) == count, (username, key)
                assert tabs(shown) == counts
                reached |= set(listed(shown))
            assert reached == set(listed(await desk.get("/console", show="all")))
            filled[username] = {key for key, count in counts.items() if count}
    assert {"mine", "talk", "call", "part", "verify", "untold"} <= filled["handler"]
    assert {"back", "extendable", "extended", "talk", "part"} <= filled["lead"]
    assert {"verify", "untold", "flagged", "extended", "returned", "part"} <= filled["supervisor"]


async def test_what_only_the_lead_agency_can_do_is_not_asked_of_a_co_handler(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city, agency=LABOUR, matter_code=JOINT_MATTER)
    clock.advanced += timedelta(days=30)
    async with a_desk(app, "handler") as desk, a_desk(app, "other") as lead:
        home = await desk.get("/console")
        assert tabs(home)["late"] == 0 and tabs(home)["part"] == 1
        assert listed(home) == [case.number]
        assert tabs(await lead.get("/console"))["late"] == 1


async def test_a_reminder_stands_on_the_desk_until_it_was_seen_by_its_own_reader(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "supervisor") as supervisor, a_desk(app, "handler") as handler:
        await supervisor.post(f"/console/orders/{case.number}/urge", text="请今天 <b>答复")
        page = await handler.get("/console")
        assert "请今天 &lt;b&gt;答复" in page.text and "催办" in page.text
        one = await Alert.get(kind="urge", staff_id=(await Staff.get(username="handler")).id)
        foreign = await supervisor.post("/console/alerts/seen", ids=str(one.id))
        assert foreign.status_code == 303
        assert "请今天" in (await handler.get("/console")).text
        for odd in ("", "x", "1,,²", "9" * 30):
            assert (await handler.post("/console/alerts/seen", ids=odd)).status_code == 303
        seen = await handler.post("/console/alerts/seen", ids=f"{one.id},{one.id + 1}")
        assert seen.headers["location"] == "/console"
        assert "提醒 1 条" not in (await handler.get("/console")).text


async def test_an_admin_is_told_before_he_goes_to_his_room(app: object, city: City) -> None:
    await sql.fetch("UPDATE staff SET role = 'admin', agency_code = NULL WHERE username = 'desk'")
    admin = await Staff.get(username="desk")
    async with a_desk(app, "desk") as desk:
        assert (await desk.get("/console")).headers["location"] == "/console/messages"
        await alerts.tell([admin.id], "supervisors", "部门逾期未办，已报管理员", clock.now())
        page = await desk.get("/console")
        assert (page.status_code, "已报管理员" in page.text) == (200, True)


async def test_what_followed_is_written_once_by_a_supervisor_and_read_by_the_auditor(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "supervisor") as supervisor, a_desk(app, "auditor") as auditor:
        await supervisor.post(
            f"/console/orders/{case.number}/accountability", why="retaliation", text="有录音"
        )
        assert "1 条还没有写明" in (await supervisor.get("/console")).text
        record = await Accountability.get()
        address = f"/console/accountability/{record.id}/follow"
        blank = await supervisor.post(address, text=" ")
        assert blank.status_code == 422 and "请写明后来怎样处理的" in blank.text
        assert (await auditor.post(address, text="我来写")).status_code == 403
        done = await supervisor.post(address, text="已调离 <岗位>")
        page = await supervisor.get(done.headers["location"])
        assert "处理结果已写明" in page.text and "还没有处理结果 <b>0</b>" in page.text
        again = await supervisor.post(address, text="又写一次")
        assert again.status_code == 409 and "又写一次</textarea>" in again.text
        for unknown in ("0", "x", "999999"):
            missing = await supervisor.post(f"/console/accountability/{unknown}/follow", text="写")
            assert missing.status_code == 404
        read = await auditor.get("/console/accountability", show="all")
        assert "已调离 &lt;岗位&gt;" in read.text and "打击报复" in read.text
        assert "<form" not in read.text.split("<main")[1]
    async with a_desk(app, "lead") as lead:
        assert (await lead.get("/console/accountability")).status_code == 403


async def test_a_long_list_of_records_is_read_page_by_page(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    for n in range(33):
        await accountability.add_officer(HOUSING, f"{n:03d}", 0, "反复", clock.now())
    async with a_desk(app, "auditor") as auditor:
        first = await auditor.get("/console/accountability")
        (following,) = re.findall(r'href="([^"]*cursor=\d+)"', first.text)
        second = await auditor.get(following.replace("&amp;", "&"))
        officers = re.findall(r'窗口人员 <span class="number">(\d+)', first.text + second.text)
        assert len(officers) == 33 == len(set(officers))
        assert (await auditor.get("/console/accountability", cursor="x'")).status_code == 200


async def test_an_auditor_draws_a_sample_again_and_a_forged_one_shows(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    await sql.fetch("UPDATE policies SET sample_permille = 500")
    await catalogue.load()
    contact = {"name": "王小明", "phone": "13800138000"}
    for _ in range(6):
        good = {"level": 5, "tags": [], "comment": "", "contact": contact, "real_name": True}
        code = await city.code(http)
        answer = await http.post(f"/api/v1/e/{code}/review", json=good)
        assert answer.status_code == 201, answer.text
    day = clock.now().astimezone(BEIJING).date()
    clock.advanced += timedelta(days=1)
    assert await sampling.draw(REGION, day) == 3
    async with a_desk(app, "auditor") as auditor, a_desk(app, "supervisor") as supervisor:
        page = await auditor.get("/console/samples")
        address = f"/console/samples/{REGION}/{day}"
        assert address in page.text and "0 / 0" in page.text
        again = await auditor.get(address)
        assert "结果一致" in again.text and again.text.count("<li>") == 3
        assert (await supervisor.get(address)).status_code == 403
        await sql.fetch("UPDATE samples SET seed = repeat('0', 64)")
        forged = await auditor.get(address)
        changed = "对不上" in forged.text
        await sql.fetch(
            "DELETE FROM call_backs WHERE id IN (SELECT id FROM call_backs ORDER BY id LIMIT 1)"
        )
        assert changed or "对不上" in (await auditor.get(address)).text
        for unknown in (
            f"{REGION}/2001-01-01",
            f"{REGION}/x",
            f"000000/{day}",
            f"{REGION}/2026-02-30",
        ):
            assert (await auditor.get(f"/console/samples/{unknown}")).status_code == 404
        assert (await auditor.get("/console/samples", cursor="x")).status_code == 303


async def test_a_missing_calendar_is_said_above_every_page_of_those_who_can_load_it(
    app: object, city: City
) -> None:
    clock.advanced += datetime(2029, 11, 2, 10, tzinfo=BEIJING) - clock.now()
    async with a_desk(app, "supervisor") as supervisor, a_desk(app, "handler") as handler:
        for address in ("/console", "/console/accountability", "/console/messages"):
            assert "放假安排还没有载入" in (await supervisor.get(address)).text
        assert "放假安排还没有载入" not in (await handler.get("/console")).text
    assert await CalendarYear.filter(year=2029).count() == 0
    assert catalogue.catalogue().calendar.years


@pytest.mark.parametrize("username", ["handler", "lead", "supervisor"])
async def test_no_letter_opens_two_things_and_every_one_is_in_the_help(
    http: httpx.AsyncClient, app: object, city: City, username: str
) -> None:
    scene = Scene(http, city)
    numbers = [
        (await scene.order(*moves))["number"]
        for moves in ((), ("accept",), ("accept", "return"), ("accept", "answer", "contest"))
    ]
    async with a_desk(app, username) as desk:
        for address in (
            "/console",
            "/console?show=all",
            *(f"/console/orders/{n}" for n in numbers),
        ):
            page = (await desk.get(address)).text
            keys = re.findall(r'accesskey="(\w)"', page)
            assert len(keys) == len(set(keys)), (address, keys)
            assert {key.upper() for key in keys} <= set(re.findall(r"<kbd>(\w)</kbd>", page))
            ids = re.findall(r'\sid="([^"]+)"', page)
            assert len(ids) == len(set(ids)), address
            assert set(re.findall(r'<label for="([^"]+)"', page)) <= set(ids)
