"""Who may what: every operation of the API and every door of the console, by everybody."""

import re
from dataclasses import replace
from typing import Any

from appeals.papers import given
from factories import DISTRICT, HOUSING, LABOUR, MATTER, REGION, City
from httpx import AsyncClient, Response
from kit.calls import CALLS, Scene, a_suspicion, all_operations
from web.console_desk import a_desk

from server.appeals.models import Appeal
from server.catalogue.models import Agency
from server.catalogue.service import load
from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.people.rules import Role

PARENT = "11990100MB0000008H"
WHO = (
    "nobody", "system", "other system", "handler", "lead", "other", "parent", "supervisor",
    "elsewhere", "adjudicator", "auditor", "admin", "citizen",
)  # fmt: skip


async def peopled(city: City) -> None:
    await Agency.create(code=PARENT, name="城乡建设委员会", region_code=REGION)
    await Agency.filter(code=HOUSING).update(parent_code=PARENT)
    await load()
    (row,) = await Staff.filter(username="handler").values()
    del row["id"]
    for username, role, agency, region in (
        ("parent", Role.AGENCY_LEAD, PARENT, REGION), ("admin", Role.ADMIN, None, REGION),
        ("adjudicator", Role.ADJUDICATOR, None, REGION),
        ("elsewhere", Role.SUPERVISOR, None, DISTRICT),
    ):  # fmt: skip
        changed = {"username": username, "role": role, "agency_code": agency, "region_code": region}
        await Staff.create(**(row | changed))


async def headers_of(scene: Scene, who: str) -> dict[str, str]:
    match who:
        case "nobody":
            return {}
        case "system":
            return await scene.city.system(scene.http)
        case "other system":
            return await scene.city.system(scene.http, LABOUR)
        case "citizen":
            return await scene.citizen("demo:li")
        case _:
            return await scene.staff(who)


MATRIX = """
                        nobody,    handler lead,  supervisor
                        systems        other,     elsewhere  adjudicator
                        ours theirs    parent                auditor admin  citizen
client_token            yyy        yyyy           yy         yyy            y
staff_login             yyy        yyyy           yy         yyy            y
wechat_login            yyy        yyyy           yy         yyy            y
issue_receipt           1y2        1111           11         111            1
issue_receipts          1yy        1111           11         111            1
receipt_state           1y4        1111           11         111            1
receipt_escpos          1y4        1111           11         111            1
ask_to_void             1y4        1111           11         111            1
qr_svg                  yyy        yyyy           yy         yyy            y
qr_png                  yyy        yyyy           yy         yyy            y
invitation              yyy        yyyy           yy         yyy            y
submit_review           y11        1111           11         111            y
undo_review             yyy        yyyy           yy         yyy            y
track                   yyy        yyyy           yy         yyy            y
supplement_review       yyy        yyyy           yy         yyy            y
confirm_answer          yyy        yyyy           yy         yyy            y
write_message           yyy        yyyy           yy         yyy            y
answer_call_back        yyy        yyyy           yy         yyy            y
my_reviews              111        1111           11         111            y
claim_review            111        1111           11         111            y
erase_me                111        1111           11         111            y
export_me               111        1111           11         111            y
my_grants               111        1111           11         111            y
answer_grant            111        1111           11         111            y
list_orders             111        yyee           ye         333            1
one_order               111        yy44           y4         333            1
accept_order            111        yy44           34         333            1
answer_order            111        yy44           34         333            1
return_order            111        3y44           34         333            1
ask_citizen             111        yy44           34         333            1
plan_order              111        3y44           34         333            1
extend_order            111        3y44           34         333            1
take_in                 111        yyyy           yy         333            1
give_part               111        yy34           33         333            1
verify_order            111        yy44           34         333            1
message_citizen         111        yy44           34         333            1
merge_order             111        3y44           y4         333            1
reassign_order          111        3344           y4         333            1
refuse_return           111        3344           y4         333            1
supervise_order         111        3344           y4         333            1
rule_order              111        3344           y4         333            1
release_part            111        3334           yy         333            1
urge_order              111        3344           y4         333            1
take_over_order         111        3344           y4         333            1
supervision_views       111        yyyy           yy         3y3            1
supervision_view        111        yyee           ye         333            1
accountability_list     111        3333           ye         3y3            1
follow_accountability   111        3333           y4         333            1
list_order_accountable  111        3344           y4         333            1
name_verifier           111        3y44           34         333            1
reveal_citizen          111        y344           34         333            1
record_call_back        111        yy44           34         333            1
list_call_backs         111        yyee           ye         333            1
flag_message            111        yy44           34         333            1
rule_on_flag            111        3344           y4         333            1
audit_receipt           111        3333           33         3y3            1
audit_checks            111        3333           33         3y3            1
list_suspicions         111        3333           yy         yy3            1
one_suspicion           111        3333           y4         yy3            1
propose_suspicion       111        3333           y4         333            1
decide_suspicion        111        3333           y4         y33            1
clear_suspicion         111        3333           y4         y33            1
questionnaire_shown     yyy        yyyy           yy         yyy            y
answer_questionnaire    y11        1111           11         111            y
object_to_review        yyy        yyyy           yy         yyy            y
report_pressure         yyy        yyyy           yy         yyy            y
report_pressure_after   yyy        yyyy           yy         yyy            y
pressure_followed       yyy        yyyy           yy         yyy            y
wall_of_hall            yyy        yyyy           yy         yyy            y
wall_of_window          yyy        yyyy           yy         yyy            y
review_hall             y11        1111           11         111            y
review_window           y11        1111           11         111            y
submit_grievance        y11        1111           11         111            y
ask_on_kiosk            1y4        1111           11         111            1
appeal_review           111        yy44           34         333            1
withdraw_appeal         111        yy44           34         333            1
appeals_of_order        111        yy44           y4         333            1
list_appeals            111        3333           ye         yy3            1
one_appeal              111        3333           34         yy3            1
vote_on_appeal          111        3333           34         y33            1
stand_back              111        3333           34         y33            1
confirm_finding         111        3333           y4         333            1
hear                    yyy        yyyy           yy         yyy            y
give_statement          yyy        yyyy           yy         yyy            y
object_to_exclusion     yyy        yyyy           yy         yyy            y
list_exclusions         111        3333           ye         yyy            1
public_exclusions       yyy        yyyy           yy         yyy            y
add_evidence            111        yy44           33         333            1
list_evidence           111        yy44           y4         yy3            1
open_evidence           111        3344           34         y33            1
receive_replies         yyy        yyyy           yy         yyy            y
receive_reports         yyy        yyyy           yy         yyy            y
"""
"""y: taken; e: taken, and nothing of our agency is in it; else the last digit of 401, 403, 404 or 422.

The orders are ours, but in `give_part` and `release_part`: those are led by the other agency, which
lies in the district, and ours has a part in them. A token of another kind is as good as none.
"""
ROWS = {row.split()[0]: "".join(row.split()[1:]) for row in MATRIX.strip().splitlines()[3:]}
LISTS = frozenset({
    "list_orders", "supervision_view", "accountability_list", "list_call_backs", "list_appeals",
    "list_exclusions",
})  # fmt: skip


def test_every_operation_is_in_the_table_and_the_table_holds_no_other() -> None:
    assert set(ROWS) == set(all_operations())
    assert {len(row) for row in ROWS.values()} == {len(WHO)}


async def test_every_operation_lets_in_whom_the_table_names_and_nobody_else(
    http: AsyncClient, city: City
) -> None:
    await peopled(city)
    scene = Scene(http, city)
    wrong = []
    for name in all_operations():
        target = await CALLS[name](scene)
        for who, expected in zip(WHO, ROWS[name], strict=True):
            head = await headers_of(scene, who)
            answer = await replace(target, headers=head).send(http)
            if (found := await _cell(name, answer)) != expected:
                wrong.append((name, who, f"{expected} expected", found, answer.text[:100]))
            if answer.is_success and target.method == "POST":
                target = await CALLS[name](scene)
    assert not wrong, wrong


async def _cell(name: str, answer: Response) -> str:
    if not answer.is_success:
        assert answer.status_code in (401, 403, 404, 422), (name, answer.text)
        return str(answer.status_code % 10)
    if name not in LISTS:
        return "y"
    rows = await sql.fetch("SELECT number FROM work_orders WHERE agency_code = $1", HOUSING)
    return "y" if any(row["number"] in answer.text for row in rows) else "e"


async def test_a_co_handler_reads_the_order_and_gives_its_part_and_nothing_else(
    http: AsyncClient, city: City
) -> None:
    await peopled(city)
    scene = Scene(http, city)
    of_order = re.compile(r"/api/v1/work-orders/([^/?]+)/")
    taken = []
    for name, operation in all_operations().items():
        if not operation.path.startswith("/api/v1/work-orders/<number>/"):
            continue
        joint, call = await scene.joint(), await CALLS[name](scene)
        path = of_order.sub(f"/api/v1/work-orders/{joint['number']}/", call.path)
        for who in ("handler", "lead"):
            call = replace(call, path=path, headers=await scene.staff(who))
            answer = await call.send(http)
            if answer.is_success:
                taken.append(name)
            else:
                assert answer.status_code in (403, 404, 409), (name, who, answer.text)
    assert set(taken) == {"give_part"}


# The console

ROOMS = """
                                                     handler    supervisor
                                                      lead       elsewhere
                                                       other                adjudicator
                                                        parent               auditor
                                             nobody                           admin
GET  console                                 1       yyyy       yy         yyy
GET  console/accountability                  1       3333       yy         3y3
POST console/accountability/<record>/follow  1       3333       y4         333
POST console/alerts/seen                     1       yyyy       yy         yyy
GET  console/appeals                         1       3333       yy         yy3
POST console/appeals/<appeal_id>/evidence    1       yy44       33         333
GET  console/appeals/<appeal_id>/evidence/<evidence_id>  1  3344  34      y33
GET  console/appeals/<appeal_id>             1       3333       34         yy3
POST console/appeals/<appeal_id>/confirmation 1      3333       34         333
POST console/appeals/<appeal_id>/vote        1       3333       33         y33
POST console/appeals/<appeal_id>/recusal     1       3333       33         y33
GET  console/audit                           1       3333       33         3y3
POST console/audit                           1       3333       33         3y3
GET  console/audit/<receipt_id>              1       3333       33         3y3
GET  console/exclusions                      1       3333       yy         yyy
GET  console/intake                          1       yyyy       yy         333
POST console/intake                          1       yyyy       yy         333
GET  console/kiosks                          1       3y3y       33         33y
POST console/kiosks/issue                    1       3434       33         334
POST console/kiosks/revoke                   1       3434       33         334
GET  console/messages                        1       3333       yy         3yy
GET  console/messages/costs                  1       3333       yy         3yy
GET  console/messages/dead                   1       3333       yy         3yy
GET  console/messages/opt-outs               1       3333       yy         3yy
GET  console/messages/replies                1       3333       yy         3yy
GET  console/messages/set-aside              1       3333       yy         3yy
POST console/messages/dead/resend            1       3333       33         334
POST console/messages/opt-outs/restore       1       3333       33         33y
POST console/messages/replies/handle         1       3333       33         334
POST console/messages/set-aside/handle       1       3333       33         334
GET  console/paper                           1       3333       yy         33y
POST console/paper                           1       3333       44         334
GET  console/paper/entered                   1       3333       yy         3y3
GET  console/paper/entry                     1       3333       yy         33y
POST console/paper/entry                     1       3333       yy         33y
GET  console/questionnaires                  1       3y3y       yy         333
GET  console/questionnaires/<matter_code>    1       3y3y       yy         333
GET  console/receipts/voids                  1       yyyy       33         333
POST console/receipts/voids/ask              1       yyyy       33         333
POST console/receipts/voids/decide           1       3434       33         333
GET  console/suspicions                      1       3333       yy         yy3
GET  console/suspicions/<suspicion>          1       3333       y4         yy3
POST console/suspicions/<suspicion>/clearance  1     3333       y4         y33
POST console/suspicions/<suspicion>/decision   1     3333       y4         y33
POST console/suspicions/<suspicion>/proposal   1     3333       y4         333
GET  console/samples                         1       3333       33         3y3
GET  console/samples/<region_code>/<day>     1       3333       33         3y3
GET  console/walls                           1       3y3y       yy         33y
GET  console/walls/<hall>                    1       3434       y4         33y
GET  console/walls/<hall>/<window>           1       3y34       y4         33y
GET  console/orders/<number>                 1       yy44       y4         333
POST console/orders/<number>/accept          1       yy44       33         333
POST console/orders/<number>/accountability  1       3333       y4         333
POST console/orders/<number>/answer          1       yy44       33         333
GET  console/orders/<number>/appeal          1       yy44       y4         333
POST console/orders/<number>/appeal          1       yy44       33         333
POST console/orders/<number>/appeal/withdraw 1       yy44       33         333
POST console/orders/<number>/ask             1       yy44       33         333
POST console/orders/<number>/call-back       1       yy44       33         333
POST console/orders/<number>/extend          1       3y34       33         333
POST console/orders/<number>/flag            1       yy44       33         333
POST console/orders/<number>/flag-ruling     1       3333       y4         333
POST console/orders/<number>/merge           1       3y34       y4         333
POST console/orders/<number>/message         1       yy44       33         333
POST console/orders/<number>/part            1       3344       33         333
POST console/orders/<number>/plan            1       3y34       33         333
POST console/orders/<number>/reassign        1       3333       y4         333
POST console/orders/<number>/refuse          1       3333       y4         333
POST console/orders/<number>/release         1       3333       y4         333
POST console/orders/<number>/return          1       3y34       33         333
POST console/orders/<number>/reveal          1       yy44       33         333
POST console/orders/<number>/rule            1       3333       y4         333
POST console/orders/<number>/supervise       1       3333       y4         333
POST console/orders/<number>/takeover        1       3333       y4         333
POST console/orders/<number>/urge            1       3344       y4         333
POST console/orders/<number>/verifier        1       3y34       33         333
POST console/orders/<number>/verify          1       yy44       33         333
"""
"""y: let in; 1: sent to the sign-in; 3, 4: refused with 403 or 404. Of the messages there is none."""
DOORS = {
    " ".join(row.split()[:2]): "".join(row.split()[2:]) for row in ROOMS.strip().splitlines()[5:]
}
OPEN_TO_ALL = frozenset({"GET console/login", "POST console/login", "POST console/logout"})


async def test_every_door_of_the_console_lets_in_whom_the_table_names_and_nobody_else(
    http: AsyncClient, app: Any, city: City
) -> None:
    await peopled(city)
    rooms = {
        f"{method} {route.path.replace(':str', '')}": route.path
        for route in app.router.routes for method in sorted(route.methods)
        if route.path.startswith("console")
    }  # fmt: skip
    assert set(rooms) - OPEN_TO_ALL == set(DOORS)
    filled = await _things_behind_the_doors(Scene(http, city))
    wrong = []
    for place, who in enumerate(("", *WHO[3:-1])):
        async with a_desk(app, who) as desk:
            for door, expected in DOORS.items():
                address = re.sub(r"<(\w+):str>", lambda of: filled[of[1]], rooms[door])
                if door.startswith("GET"):
                    answer = await desk.get(f"/{address}")
                else:
                    answer = await desk.post(f"/{address}", text="写明")
                if (found := _door(answer)) != expected[place]:
                    wrong.append((door, who, f"{expected[place]} expected", found))
    assert not wrong, wrong


async def _things_behind_the_doors(scene: Scene) -> dict[str, str]:
    number = (await scene.order("accept"))["number"]
    listed = await scene.http.post(
        f"/api/v1/work-orders/{number}/accountability", json={"why": "retaliation", "text": "有录音"},
        headers=await scene.staff("supervisor"),
    )  # fmt: skip
    (receipt,) = await sql.fetch("SELECT max(id) AS id FROM receipts")
    case = await _a_case(scene)
    evidence = await given(await Appeal.get(id=case))
    await sql.fetch(
        "INSERT INTO samples (region_code, day, seed, permille, population, drawn, drawn_at) "
        "VALUES ($1, '2026-09-07', repeat('0', 64), 10, 0, 0, $2)",
        REGION, clock.now(),
    )  # fmt: skip
    return {
        "number": number, "record": str(listed.json()["id"]), "receipt_id": str(receipt["id"]),
        "region_code": REGION, "day": "2026-09-07", "suspicion": str(await a_suspicion(scene)),
        "hall": "H1", "window": "A1", "matter_code": MATTER,
        "appeal_id": str(evidence.appeal_id), "evidence_id": str(evidence.id),
    }  # fmt: skip


async def _a_case(scene: Scene) -> str:
    return (await CALLS["one_appeal"](scene)).path.rpartition("/")[2]


def _door(answer: Response) -> str:
    """Who is let in may still have left out what the form needs."""
    if answer.headers.get("location", "").startswith("/console/login"):
        return "1"
    if answer.status_code in (403, 404):
        return str(answer.status_code % 10)
    assert answer.status_code in (200, 303, 409, 415, 422), answer.text
    return "y"
