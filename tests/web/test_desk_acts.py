"""Every form of an order's page: offered exactly where it would be taken, refused kindly elsewhere."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from factories import HOUSING, LABOUR, City
from kit.calls import Scene
from web.console_desk import Desk, a_desk, forms

from server.kit import sql
from server.kit.clock import clock
from server.people.models import AccessLog
from server.people.rules import OF_AN_AGENCY, SEES_ORDERS, Role
from server.web.desk_acts import RUN
from server.web.desk_forms import ACTS, TEXT_LIMIT
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import WHO, WRITES, Record

REAL = {"real_name": True, "contact": {"name": "欧阳锋利", "phone": "13911112222"}}
FIELDS: dict[str, dict[str, str]] = {
    "accept": {},
    "answer": {"disposition": "fixed", "text": "已整改", "legal_basis": ""},
    "part": {"text": "材料已核对"},
    "call-back": {"result": "satisfied", "text": ""},
    "ask": {"text": "请问是哪天？"},
    "plan": {"text": "换新系统", "until": ""},
    "extend": {"working_days": "2", "reason": "要调监控"},
    "return": {"agency_code": LABOUR, "reason": "事项由该部门负责"},
    "verify": {"finding": "true", "how": "records", "text": "查了监控"},
    "verifier": {"username": "handler"},
    "reveal": {"reason": "核实情况"},
    "message": {"text": "正在核实"},
    "flag": {"step_id": "1", "reason": "辱骂"},
    "reassign": {"agency_code": LABOUR},
    "refuse": {"reason": "就是你们的"},
    "supervise": {"text": "三日内重新答复"},
    "rule": {"finding": "proper", "text": "处理得当"},
    "urge": {"text": "请抓紧"},
    "release": {"agency_code": HOUSING, "reason": "与其无关"},
    "takeover": {"reason": "久拖不决"},
    "flag-ruling": {"step_id": "1", "upheld": "no"},
    "accountability": {"why": "retaliation", "text": "有录音"},
    "merge": {"into": "2026AAAAAAAAAA"},
}
STATES = {
    "assigned": (), "accepted": ("accept",), "returned": ("accept", "return"),
    "asking": ("accept", "ask"), "answered": ("accept", "answer"),
    "contested": ("accept", "answer", "contest"),
    "supervised": ("accept", "answer", "contest", "supervise"),
    "closed": ("accept", "answer", "confirm"),
}  # fmt: skip


@pytest.fixture
def scene(http: httpx.AsyncClient, city: City) -> Scene:
    return Scene(http, city)


@pytest.fixture
async def desks(app: object, city: City) -> AsyncIterator[dict[str, Desk]]:
    async with AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(a_desk(app, name))
            for name in ("handler", "lead", "supervisor")
        }


def filled(act: str, order: WorkOrder | None = None) -> dict[str, str]:
    today = {"until": clock.now().date().isoformat()} if act == "plan" else {}
    return FIELDS[act] | today


def test_every_act_of_staff_has_its_form_and_every_form_its_door(app: Any) -> None:
    assert set(RUN) == set(ACTS) == set(FIELDS)
    staff = set(Role)
    assert {str(move) for move, roles in WHO.items() if roles & staff} <= set(ACTS)
    with_a_merge = Record.JOINED  # written by it, and by nothing else
    records = {
        str(r).replace("_", "-") for r in Record if WRITES[r] & staff and r is not with_a_merge
    }
    assert records <= set(ACTS)
    posts = {route.path.rpartition("/")[2] for route in app.router.routes
             if route.path.startswith("console/orders") and "POST" in route.methods}  # fmt: skip
    of_appeals = {"appeal", "withdraw"}  # not the order's: they have a page of their own
    assert posts == set(ACTS) | of_appeals


@pytest.mark.parametrize("state", STATES)
async def test_what_is_not_offered_is_refused_and_changes_nothing(
    scene: Scene, desks: dict[str, Desk], state: str
) -> None:
    number = (await scene.order(*STATES[state]))["number"]
    before = await WorkOrder.get(number=number).values()
    steps = await Step.filter(order_id=number).count()
    for username, desk in desks.items():
        address = f"/console/orders/{number}"
        offered = forms(await desk.get(address))
        for act in set(ACTS) - offered:
            refused = await desk.post(f"{address}/{act}", **filled(act))
            assert refused.status_code in (403, 404, 409, 422), (username, act, refused.status_code)
            if refused.status_code == 422:
                assert act in ("merge", "verifier"), act
    assert await WorkOrder.get(number=number).values() == before
    assert await Step.filter(order_id=number).count() == steps


WAYS: list[tuple[str, str, tuple[str, ...]]] = [
    ("handler", "accept", ()), ("handler", "answer", ("accept",)), ("handler", "ask", ("accept",)),
    ("handler", "message", ("accept",)), ("handler", "verify", ("accept",)),
    ("lead", "plan", ("accept",)), ("lead", "extend", ()), ("lead", "return", ("accept",)),
    ("lead", "verifier", ()), ("supervisor", "reassign", ("accept", "return")),
    ("supervisor", "refuse", ("accept", "return")),
    ("supervisor", "supervise", ("accept", "answer", "contest")),
    ("supervisor", "rule", ("accept", "answer", "contest", "supervise")),
    ("supervisor", "urge", ()), ("supervisor", "takeover", ("accept",)),
    ("supervisor", "accountability", ()),
]  # fmt: skip


@pytest.mark.parametrize(("username", "act", "moves"), WAYS, ids=[way[1] for way in WAYS])
async def test_a_form_that_is_offered_is_taken_and_says_so(
    scene: Scene, app: object, username: str, act: str, moves: tuple[str, ...]
) -> None:
    number = (await scene.order(*moves))["number"]
    address = f"/console/orders/{number}"
    async with a_desk(app, username) as desk:
        page = await desk.get(address)
        assert act in forms(page)
        await _every_fault_stands_at_its_field(desk, address, act)
        done = await desk.post(f"{address}/{act}", **filled(act))
        assert done.status_code == 303, done.text
        page = await desk.get(done.headers["location"])
        assert ACTS[act].done in page.text
        if act not in ("message", "verify", "verifier", "urge"):
            again = await desk.post(f"{address}/{act}", **filled(act))
            assert again.status_code == 409 and "可能有同事先一步" in again.text
            for value in _texts(act):
                assert value in again.text, "what was typed is kept"
    assert (await Step.filter(order_id=number).order_by("-id").first()).move == ACTS[act].step  # type: ignore[union-attr]


def _texts(act: str) -> list[str]:
    return [filled(act)[field.name] for field in ACTS[act].fields if field.kind == "text"
            and filled(act)[field.name]]  # fmt: skip


async def _every_fault_stands_at_its_field(desk: Desk, address: str, act: str) -> None:
    needed = [field for field in ACTS[act].fields if field.missing]
    if not needed:
        return
    empty = await desk.post(f"{address}/{act}")
    assert empty.status_code == 422
    for field in needed:
        assert (
            f'href="#{act}-{field.name}"' in empty.text and f'id="{act}-{field.name}"' in empty.text
        )
        assert html.escape(field.missing) in empty.text
    long = "长</textarea>" * TEXT_LIMIT
    odd = await desk.post(f"{address}/{act}", **dict.fromkeys(filled(act), long[: TEXT_LIMIT + 1]))
    assert odd.status_code == 422 and "长</textarea>长" not in odd.text


async def test_a_merge_names_an_order_that_is_there(scene: Scene, desks: dict[str, Desk]) -> None:
    first, second = (await scene.order("accept"), await scene.order("accept"))
    address, lead = f"/console/orders/{first['number']}", desks["lead"]
    wrong = await lead.post(f"{address}/merge", into="2026AAAAAAAAAA")
    assert wrong.status_code == 422 and 'value="2026AAAAAAAAAA"' in wrong.text
    done = await lead.post(f"{address}/merge", into=f" {second['number'].lower()} ")
    page = await lead.get(done.headers["location"])
    assert f'href="/console/orders/{second["number"]}"' in page.text and "已并案" in page.text


async def test_dates_and_numbers_beyond_the_limits_are_said_at_the_field(
    scene: Scene, desks: dict[str, Desk]
) -> None:
    number, lead = (await scene.order("accept"))["number"], desks["lead"]
    for act, field, values in (
        ("plan", "until", ("2020-01-01", "2999-12-31", "明天", "2026-02-30")),
        ("extend", "working_days", ("0", "99", "三", "-1", "1e3")),
    ):
        for value in values:
            typed = filled(act) | {field: value}
            refused = await lead.post(f"/console/orders/{number}/{act}", **typed)
            assert refused.status_code == 422, (act, value)
            assert f'href="#{act}-{field}"' in refused.text and f'value="{value}"' in refused.text
    assert (await WorkOrder.get(number=number)).state == "accepted"


async def test_the_person_is_shown_once_to_the_verifier_after_his_reason_and_to_nobody_else(
    scene: Scene, app: object, desks: dict[str, Desk]
) -> None:
    _, taken = await scene.rated(undo_is_over=True, **REAL)
    number = taken["work_order"]["number"]
    address, handler = f"/console/orders/{number}", desks["handler"]
    await handler.post(f"{address}/accept")
    assert "reveal" in forms(await handler.get(address))
    blank = await handler.post(f"{address}/reveal", reason=" 　")
    assert (blank.status_code, await AccessLog.all().count()) == (422, 0)
    refused = await desks["lead"].post(f"{address}/reveal", reason="看看")
    assert refused.status_code == 403 and "13911112222" not in refused.text
    assert (await desks["supervisor"].post(f"{address}/reveal", reason="看看")).status_code == 403

    shown = await handler.post(f"{address}/reveal", reason="核实 <情况>")
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    assert "欧阳锋利" in shown.text and "13911112222" in shown.text
    for desk in desks.values():
        later = await desk.get(address)
        assert "欧阳锋利" not in later.text and "13911112222" not in later.text
    entry = await AccessLog.get()
    assert (entry.action, entry.subject, entry.reason) == ("reveal_citizen", number, "核实 <情况>")
    async with a_desk(app, "auditor") as auditor:
        log = await auditor.get("/console/audit", log="reveal_citizen")
        assert "核实 &lt;情况&gt;" in log.text and number in log.text
        other = await auditor.get("/console/audit", log="audit_receipt")
        assert number not in other.text


async def test_a_real_name_order_stands_among_those_to_call_until_the_talk_is_written_down(
    scene: Scene, desks: dict[str, Desk]
) -> None:
    _, taken = await scene.rated(undo_is_over=True, **REAL)
    number, handler = taken["work_order"]["number"], desks["handler"]
    await handler.post(f"/console/orders/{number}/accept")
    waiting = await handler.get("/console", show="call")
    assert number in waiting.text and "0 / 1" in waiting.text and "回访：还剩" in waiting.text
    address = f"/console/orders/{number}/call-back"
    nothing = await handler.post(address, result="unreached", text="")
    assert nothing.status_code == 422 and 'href="#call-back-text"' in nothing.text
    assert 'value="unreached" required checked' in nothing.text
    done = await handler.post(address, result="dissatisfied", text="还是要排队")
    assert "回访已登记" in (await handler.get(done.headers["location"])).text
    waiting = await handler.get("/console", show="call")
    assert number not in waiting.text and "1 / 1" in waiting.text


async def test_talk_flag_and_ruling_fold_a_message_and_unfold_it_again(
    scene: Scene, desks: dict[str, Desk]
) -> None:
    taken = await scene.order("accept")
    number, handler = taken["number"], desks["handler"]
    said = {"text": "你们都是混蛋"}
    sent = await scene.http.post(f"/api/v1/track/{taken['query_code']}/messages", json=said)
    assert sent.status_code == 200, sent.text
    home = await handler.get("/console")
    assert "群众留言待回 1 件" in home.text and "群众有新的留言" in home.text
    address = f"/console/orders/{number}"
    page = await handler.get(address)
    (place,) = re.findall(r'name="step_id" value="(\d+)"', page.text)
    blank = await handler.post(f"{address}/flag", step_id=place, reason="")
    assert blank.status_code == 422 and f'href="#flag{place}-reason"' in blank.text
    flagged = await handler.post(f"{address}/flag", step_id=place, reason="辱骂")
    page = await handler.get(flagged.headers["location"])
    assert "已标记并折叠" in page.text and "这条留言被标记为辱骂，已折叠" in page.text
    again = await handler.post(f"{address}/flag", step_id=place, reason="又一次")
    assert again.status_code == 409 and "已经标记过" in again.text

    supervisor = desks["supervisor"]
    assert number in (await supervisor.get("/console", show="flagged")).text
    ruled = await supervisor.post(f"{address}/flag-ruling", step_id=place, upheld="no")
    page = await supervisor.get(ruled.headers["location"])
    assert "已恢复显示" in page.text and "已折叠" not in page.text.replace("已标记并折叠", "")
    await handler.post(f"{address}/message", text="请您消消气")
    assert number not in (await handler.get("/console", show="talk")).text
    assert "群众有新的留言" not in (await handler.get("/console")).text, "he has acted"


async def test_what_was_typed_is_not_lost_when_the_order_has_gone_to_another_agency(
    scene: Scene, desks: dict[str, Desk]
) -> None:
    number = (await scene.order("accept", "return"))["number"]
    address = f"/console/orders/{number}"
    page = await desks["supervisor"].get(address)
    assert f'<option value="{LABOUR}" selected>' in page.text, "the agency that was proposed"
    await desks["supervisor"].post(f"{address}/reassign", agency_code=LABOUR)
    gone = await desks["handler"].post(
        f"{address}/answer", **(filled("answer") | {"text": "我写了很久"})
    )
    assert gone.status_code == 404 and "我写了很久" in gone.text


async def test_a_released_co_handler_and_both_verdicts_are_on_the_page(
    scene: Scene, app: object, desks: dict[str, Desk]
) -> None:
    joint = await scene.joint()
    address = f"/console/orders/{joint['number']}"
    async with a_desk(app, "other") as lead_agency:
        await lead_agency.post(f"{address}/accept")
        page = await lead_agency.get(address)
        assert "还有 1 个协办部门没有提交意见" in page.text and "answer" not in forms(page)
        done = await desks["supervisor"].post(f"{address}/release", **filled("release"))
        assert done.status_code == 303, done.text
        page = await lead_agency.get(address)
        assert "已免除" in page.text and "answer" in forms(page)
        await lead_agency.post(f"{address}/answer", **filled("answer"))
    verdict = {"satisfied": False, "comment": "没有解决"}
    await scene.http.post(f"/api/v1/track/{joint['query_code']}/confirmation", json=verdict)
    page = await desks["supervisor"].get(address)
    assert "第 1 次，对责任部门" in page.text and "不认可" in page.text


async def test_while_the_citizen_is_asked_the_page_says_that_no_time_runs(
    scene: Scene, desks: dict[str, Desk]
) -> None:
    number = (await scene.order("accept", "ask"))["number"]
    for desk in desks.values():
        assert "等群众答复，期限暂停，最迟到" in (await desk.get(f"/console/orders/{number}")).text


ROLES_OF_ROOMS = {
    "login": None, "logout": set(Role), "alerts/seen": set(Role),
    "audit": {Role.AUDITOR}, "follow": {Role.SUPERVISOR},
    "kiosks/issue": {Role.ADMIN, Role.AGENCY_LEAD}, "kiosks/revoke": {Role.ADMIN, Role.AGENCY_LEAD},
    "resend": {Role.ADMIN}, "handle": {Role.ADMIN}, "restore": {Role.ADMIN},
    "/appeal": set(OF_AN_AGENCY), "appeal/withdraw": set(OF_AN_AGENCY),
    "vote": {Role.ADJUDICATOR}, "recusal": {Role.ADJUDICATOR}, "confirmation": {Role.SUPERVISOR},
    "proposal": {Role.SUPERVISOR}, "decision": {Role.SUPERVISOR, Role.ADJUDICATOR},
    "clearance": {Role.SUPERVISOR, Role.ADJUDICATOR}, "voids/ask": set(OF_AN_AGENCY),
    "decide": {Role.AGENCY_LEAD}, "paper": {Role.ADMIN, Role.SUPERVISOR, Role.AGENCY_LEAD},
    "paper/entry": {Role.ADMIN, Role.SUPERVISOR, Role.AGENCY_LEAD, Role.HANDLER},
    "console/intake": set(SEES_ORDERS),
    "evidence": None,  # reads a form only for an appeal that is there: appeals/test_evidence_pages.py
}  # fmt: skip
"""Who may post where, beside the acts of an order; a new room needs its line."""


async def test_every_post_of_the_console_is_closed_to_every_other_role_and_session(
    scene: Scene, app: Any
) -> None:
    number = (await scene.order("accept"))["number"]
    posts = sorted(route.path for route in app.router.routes
                   if route.path.startswith("console") and "POST" in route.methods)  # fmt: skip
    await sql.fetch("UPDATE staff SET role = 'admin', agency_code = NULL WHERE username = 'desk'")
    await sql.fetch(
        "UPDATE staff SET role = 'adjudicator', agency_code = NULL WHERE username = 'other'"
    )
    roles = {
        "handler": Role.HANDLER, "lead": Role.AGENCY_LEAD, "supervisor": Role.SUPERVISOR,
        "auditor": Role.AUDITOR, "desk": Role.ADMIN, "other": Role.ADJUDICATOR,
    }  # fmt: skip
    before = await WorkOrder.get(number=number).values()
    for username, role in roles.items():
        async with a_desk(app, username) as desk:
            for path in posts:
                allowed = _allowed(path)
                if allowed is None:
                    continue
                address = "/" + re.sub(r"<[^>]+>", number, path)
                act = path.rpartition("/")[2]
                fields = filled(act) if act in ACTS else {}
                if role in allowed:
                    fields = fields | {"csrf": "of-another-session"}
                answer = await desk.post(address, **fields)
                assert answer.status_code == 403, (path, role, answer.status_code)
    assert await WorkOrder.get(number=number).values() == before


def _allowed(path: str) -> set[Any] | None:
    last = path.rpartition("/")[2]
    if path.startswith("console/orders") and last in ACTS:
        return set(ACTS[last].roles)
    key = next(key for key in ROLES_OF_ROOMS if path.endswith(key))
    return ROLES_OF_ROOMS[key]
