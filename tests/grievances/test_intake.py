"""A clerk takes in what he is told: at the window, by telephone, in a letter."""

import re
from datetime import timedelta
from typing import Any

import pytest
from factories import DESK, HOUSING, JOINT_MATTER, LABOUR, LABOUR_MATTER, MATTER, City
from httpx import AsyncClient, Response
from kit.calls import Scene
from web.console_desk import Desk, a_desk
from workorders.standing import MONDAY, member, set_clock

from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.receipts import qr

WORDS = "我在一号窗口办公租房，材料都齐，工作人员就是不收，说让我下个月再来"
PHONE = "13900001111"


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    set_clock(MONDAY)
    return Scene(http, city)


async def enter(scene: Scene, username: str = "desk", **changed: Any) -> Response:
    body = {
        "source": "stuck", "kind": "refused", "text": WORDS, "matter_code": MATTER,
    } | changed  # fmt: skip
    body = {name: value for name, value in body.items() if value is not None}
    return await scene.http.post(
        "/api/v1/intake", json=body, headers=await scene.staff(username)
    )  # fmt: skip


async def entered(scene: Scene, username: str = "desk", **changed: Any) -> dict[str, Any]:
    answer = await enter(scene, username, **changed)
    assert answer.status_code == 201, answer.text
    return answer.json()


def refused(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def row(number: str) -> Any:
    return await sql.fetch_one(
        "SELECT g.*, o.first_asked_id, o.owner_id, o.state, o.told_how, o.real_name AS named, o.due_at "
        "FROM grievances g JOIN work_orders o ON o.number = g.order_number WHERE o.number = $1",
        number,
    )


async def count() -> int:
    return int((await sql.fetch("SELECT count(*) FROM grievances"))[0]["count"])


async def test_who_takes_it_in_is_on_record_and_is_the_first_asked(scene: Scene) -> None:
    taken = await entered(scene, contact={"name": "王小明", "phone": PHONE})
    stored, clerk = await row(taken["number"]), await Staff.get(username="desk")
    assert (stored["entered_by"], stored["first_asked_id"]) == (clerk.id, clerk.id)
    assert (stored["source"], stored["kind"], stored["agency_code"]) == (
        "stuck",
        "refused",
        HOUSING,
    )
    assert stored["owner_id"] == (await member("handler")).id, "the agency's own owner stays"
    assert (stored["due_at"] + timedelta(hours=8)).date() == MONDAY.date() + timedelta(days=1)
    order = (await scene.http.get(
        f"/api/v1/work-orders/{taken['number']}", headers=await scene.staff("desk")
    )).json()  # fmt: skip
    assert order["first_asked"] and order["may_record"] == ["urge"]
    assert PHONE not in str(order) and "王小明" not in str(order)


@pytest.mark.parametrize(
    ("source", "kind", "channel"),
    [("hotline", None, "phone"), ("letter", None, "paper"), ("visit", None, "web"),
     ("faults", "correction", "web"), ("stuck", "cannot", "web")],
)  # fmt: skip
async def test_every_door_of_a_clerk_has_its_channel(
    scene: Scene, source: str, kind: str | None, channel: str
) -> None:
    taken = await entered(scene, source=source, kind=kind, came_on="2026-09-04")
    stored = await row(taken["number"])
    assert (stored["source"], stored["channel"]) == (source, channel)
    assert stored["came_on"].isoformat() == "2026-09-04"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"text": " \u200b"}, "blank_text"), ({"text": "字" * 1001}, "comment_too_long"),
        ({"kind": None}, "kind_required"), ({"kind": "correction"}, "wrong_kind"),
        ({"source": "national", "kind": None}, None), ({"source": "review"}, None),
        ({"matter_code": "999"}, "unknown_matter"), ({"hall_code": "H9"}, "unknown_hall"),
        ({"hall_code": "H1", "window_code": "Z9"}, "unknown_hall"),
        ({"agency_code": "9"}, "unknown_agency"), ({"came_on": "2026-09-08"}, "bad_day"),
        ({"came_on": "2020-01-01"}, "bad_day"), ({"came_on": "never"}, None),
        ({"contact": {"phone": "12"}}, "invalid_phone"), ({"real_name": True}, "contact_required"),
        ({"contact": {"name": "名" * 101}}, None), ({"external_number": "9" * 65}, None),
        ({"text": "a\0b"}, None), ({"external_number": "a\0b"}, None),
        ({"contact": {"name": "a\0b"}}, None),
    ],
)  # fmt: skip
async def test_what_is_missing_or_wrong_is_said_and_nothing_is_stored(
    scene: Scene, changed: dict[str, Any], code: str | None
) -> None:
    answer = await enter(scene, **changed)
    assert answer.status_code == 422, answer.text
    assert code is None or answer.json()["code"] == code
    assert answer.json()["errors"]
    assert await count() == 0


async def test_a_ticket_of_the_hotline_is_taken_once_and_the_second_entry_is_told_where(
    scene: Scene,
) -> None:
    ticket = {"source": "hotline", "kind": None, "external_number": "RX-0001"}
    first = await entered(scene, **ticket)
    again = await enter(scene, text="完全不同的另一件事情说得很长", not_a_double=True, **ticket)
    assert refused(again) == (409, "ticket_known") and first["number"] in again.json()["detail"]
    await entered(scene, **{**ticket, "source": "letter"}, not_a_double=True)
    assert await count() == 2


async def test_what_may_be_known_already_is_shown_before_it_is_stored(scene: Scene) -> None:
    contact = {"phone": PHONE}
    first = await entered(scene, contact=contact)
    same_phone = await enter(
        scene, text="窗口排队太久，没有叫号", matter_code=LABOUR_MATTER, contact=contact
    )
    assert refused(same_phone) == (409, "looks_known")
    assert first["number"] in same_phone.json()["detail"] and PHONE not in same_phone.text
    alike = await enter(scene, "handler", text=WORDS.replace("下个月", "下周"))
    assert refused(alike) == (409, "looks_known") and WORDS not in alike.text
    other = await entered(scene, text="公租房的租金补贴算错了两个月，要求重新核算")
    assert await count() == 2
    for text in (WORDS, "没人管"):
        await entered(scene, text=text, contact=contact, not_a_double=True)
    assert other["number"] != first["number"] and await count() == 4
    clock.advanced += timedelta(days=31)
    scene.kept.clear()
    await entered(scene, contact={"phone": "13900002222"})


async def test_a_simple_one_is_answered_on_the_spot_and_waits_for_the_citizen_s_own_word(
    scene: Scene,
) -> None:
    spoken = {"disposition": "fixed", "text": "已当场收件并打印回执"}
    taken = await entered(scene, "handler", on_the_spot=spoken)
    stored = await row(taken["number"])
    assert (taken["state"], stored["state"], stored["told_how"]) == (
        "answered",
        "answered",
        "in_person",
    )
    moves = await sql.fetch(
        "SELECT move, actor FROM work_order_steps WHERE order_id = $1 ORDER BY id", taken["number"]
    )
    assert [(m["move"], m["actor"]) for m in moves] == [
        ("open", "system"), ("accept", "handler"), ("answer", "handler"),
    ]  # fmt: skip
    order = (await scene.http.get(
        f"/api/v1/work-orders/{taken['number']}", headers=await scene.staff("handler")
    )).json()  # fmt: skip
    assert not {"confirm", "contest"} & {*order["may"], *order["may_record"]}


@pytest.mark.parametrize(
    ("username", "changed", "code"),
    [
        ("desk", {}, "not_on_the_spot"), ("supervisor", {}, "not_on_the_spot"),
        ("handler", {"source": "hotline", "kind": None}, "not_on_the_spot"),
        ("handler", {"source": "letter", "kind": None}, "not_on_the_spot"),
        ("handler", {"matter_code": LABOUR_MATTER}, "not_on_the_spot"),
        ("other", {"matter_code": JOINT_MATTER}, "illegal_move"),
    ],
)  # fmt: skip
async def test_on_the_spot_answers_whoever_s_matter_it_is_and_nobody_for_another(
    scene: Scene, username: str, changed: dict[str, Any], code: str
) -> None:
    """A matter with a co-handler is not simple."""
    spoken = {"disposition": "fixed", "text": "已办"}
    answer = await enter(scene, username, on_the_spot=spoken, **changed)
    assert refused(answer) == (409, code), answer.text
    assert await count() == 0, "all or nothing"
    blank = await enter(scene, "handler", on_the_spot={"disposition": "fixed", "text": " "})
    assert refused(blank) == (422, "blank_text") and await count() == 0


async def test_the_hotline_is_called_back_every_one_who_gave_his_name(scene: Scene) -> None:
    hotline = {"source": "hotline", "kind": None}
    named = await entered(scene, **hotline, contact={"name": "王", "phone": PHONE}, real_name=True)
    anonymous = await entered(
        scene,
        **hotline,
        text="另一件事：门口的路灯坏了三个星期没有人修",
        contact={"phone": "13900003333"},
    )
    waiting = await sql.fetch("SELECT order_number FROM call_backs WHERE kind = 'real_name'")
    assert [one["order_number"] for one in waiting] == [named["number"]] != [anonymous["number"]]


# The page


FORM = {
    "source": "stuck", "kind_stuck": "refused", "text": WORDS, "matter": "", "agency_code": HOUSING,
    "hall_code": "H1", "window": "1号窗口", "phone": PHONE, "name": "王小明", "identity": "anonymous",
}  # fmt: skip


async def sent(desk: Desk, **changed: str) -> Response:
    await desk.get("/console/intake")
    return await desk.post("/console/intake", **{"once": desk.fields["once"], **FORM, **changed})


def code_on(page: str) -> str:
    found = re.search(r'class="code number">([0-9A-Z ]{19})<', page)
    assert found, page
    return found[1]


async def test_the_page_gives_the_code_and_its_picture_once(scene: Scene, app: Any) -> None:
    async with a_desk(app, "desk") as desk:
        answer = await sent(desk)
        assert answer.status_code == 200, answer.text
        assert "<svg" in answer.text and "您反映的事已经登记" in answer.text
        assert PHONE not in answer.text and "王小明" not in answer.text
        code = code_on(answer.text).replace(" ", "")
        assert (
            qr.svg(f"{app.ctx.settings.base_url}/t/{code}").partition("<path d=")[2] in answer.text
        )
        (order,) = await sql.fetch("SELECT * FROM work_orders")
        assert order["window"] == "1号窗口" and order["hall"] == "市民中心"
        page = (await desk.get(f"/console/orders/{order['number']}")).text
        assert code not in page.replace(" ", "") and "您是首问负责人" in page
        again = await desk.post("/console/intake", **{"once": "", **FORM, "phone": ""})
        assert again.status_code == 409, "another page with the same words is asked first"
    async with a_desk(app, "handler") as desk:
        assert (await desk.get(f"/console/orders/{order['number']}")).status_code == 200


async def test_the_page_sent_twice_makes_one_order(scene: Scene, app: Any) -> None:
    async with a_desk(app, "handler") as desk:
        first = await sent(desk, spot="1", disposition="fixed", spot_text="已当面办好")
        csrf, once = desk.fields["csrf"], ""
        await desk.get("/console/intake")
        once = desk.fields["once"]
        twice = [
            await desk.post("/console/intake", **{
                **FORM, "once": once, "csrf": csrf, "anyway": "1", "spot": "1", "phone": "",
                "disposition": "fixed", "spot_text": "已当面办好",
            }) for _ in range(2)
        ]  # fmt: skip
        assert first.status_code == 200 and "满不满意，请您自己说" in first.text
        assert [answer.status_code for answer in twice] == [200, 200]
        assert code_on(twice[0].text) == code_on(twice[1].text) != code_on(first.text)
    assert await count() == 2


async def test_what_is_wrong_on_the_page_is_said_at_its_field_and_nothing_typed_is_lost(
    scene: Scene, app: Any
) -> None:
    async with a_desk(app, "desk") as desk:
        wrong = {
            "source": ({"source": ""}, "请选择群众是怎么来的"),
            "kind": ({"kind_stuck": "correction"}, "请选择是哪一种"),
            "matter": ({"matter": "没有的事项"}, "目录里没有这个事项"),
            "window": ({"window": "九十九号"}, "这个大厅没有这个窗口"),
            "identity": ({"identity": ""}, "请选择实名还是匿名"),
            "phone": ({"phone": "12"}, "手机号须是 11 位"),
            "named": ({"identity": "real", "phone": ""}, "实名反映需要留下手机号"),
            "day": ({"came_on": "昨天"}, "日期请写成"), "late": ({"came_on": "2027-01-01"}, "不能晚于今天"),
            "text": ({"text": " "}, "请写下群众说的事"),
            "spot": ({"spot": "1"}, "当场答复了，请写下怎样答复的"),
        }  # fmt: skip
        for changed, words in wrong.values():
            answer = await sent(desk, **changed)
            assert (answer.status_code, words in answer.text) == (422, True), words
            assert changed.get("text") or WORDS in answer.text
        not_mine = await sent(desk, spot="1", disposition="fixed", spot_text="已办")
        assert not_mine.status_code == 409 and "当场答复只用于" in not_mine.text
    assert await count() == 0


async def test_the_page_shows_what_may_be_the_same_and_takes_it_anyway(
    scene: Scene, app: Any
) -> None:
    async with a_desk(app, "desk") as desk:
        await sent(desk)
        (order,) = await sql.fetch("SELECT number FROM work_orders")
        shown = await sent(desk, text="又来问：排队系统坏了，一直不叫号")
        assert shown.status_code == 409 and order["number"] in shown.text
        assert "同一个手机号" in shown.text and "/console/orders/" in shown.text
        taken = await desk.post("/console/intake", **{
            "once": desk.fields["once"], **FORM, "text": "又来问：排队系统坏了，一直不叫号", "anyway": "1",
        })  # fmt: skip
        assert taken.status_code == 200, taken.text
    async with a_desk(app, "other") as desk:
        shown = await sent(desk, agency_code=LABOUR)
        assert shown.status_code == 409 and order["number"] in shown.text
        assert f"/console/orders/{order['number']}" not in shown.text, "not hers to read"
    assert await count() == 2


async def test_who_names_no_agency_leaves_it_to_the_desk_of_the_hall(
    scene: Scene, app: Any
) -> None:
    async with a_desk(app, "supervisor") as desk:
        page = (await desk.get("/console/intake")).text
        assert "四、简单的事" not in page, "a supervisor answers nothing"
        answer = await sent(desk, agency_code="", window="", matter="")
        assert answer.status_code == 200, answer.text
    (order,) = await sql.fetch("SELECT agency_code, first_asked_id FROM work_orders")
    assert order["agency_code"] == DESK
    assert order["first_asked_id"] == (await Staff.get(username="supervisor")).id
