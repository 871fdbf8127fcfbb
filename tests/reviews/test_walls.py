"""Codes on walls: a rating without a slip is taken, marked unverified, and limited; no receipt is touched."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from factories import (
    COMMON_MATTER,
    DESK,
    DISTRICT,
    HOUSING,
    JOINT_MATTER,
    LABOUR,
    LABOUR_MATTER,
    MATTER,
    REGION,
    City,
    a_bad_review,
)
from httpx import AsyncClient

from server.catalogue import service as catalogue
from server.catalogue.models import Hall, Matter, Window
from server.kit import limits, sql
from server.kit.clock import clock
from server.receipts.codes import number_of
from server.reviews import invitations, walls
from server.reviews.questions import values_of
from server.reviews.snapshot import Verdict
from server.reviews.walls import Visitor
from server.reviews.walls_api import attempt_of

WINDOW, HALL = "/api/v1/h/H1/A1", "/api/v1/h/H1"
PHONE = {"name": "王小明", "phone": "13900139000"}
_people = itertools.count(1)


async def rated(http: AsyncClient, at: str = WINDOW, **review: Any) -> dict[str, Any]:
    answer = await http.post(f"{at}/review", json=a_bad_review(**review))
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def receipt_of(taken: dict[str, Any]) -> Any:
    return await sql.fetch_one("SELECT * FROM receipts WHERE id = $1", number_of(taken["code"]))


async def order_of(taken: dict[str, Any]) -> Any:
    number = taken["work_order"]["number"]
    return await sql.fetch_one("SELECT * FROM work_orders WHERE number = $1", number)


async def signed_in(http: AsyncClient, code: str = "") -> dict[str, str]:
    code = code or f"demo:wall-{next(_people)}-{clock.now().timestamp()}"
    answer = await http.post("/api/v1/wechat/login", json={"code": code})
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_window_says_what_is_handled_there(http: AsyncClient, city: City) -> None:
    shown = (await http.get(WINDOW)).json()
    assert (shown["hall"]["name"], shown["window"]["agency"]) == ("市民中心", "住房保障局")
    assert [m["code"] for m in shown["matters"]] == [MATTER, JOINT_MATTER, COMMON_MATTER]
    assert not shown["more_matters"] and len(shown["levels"]) == 5
    shown = (await http.get(HALL)).json()
    assert shown["window"] is None
    assert {m["code"] for m in shown["matters"]} == {
        MATTER, JOINT_MATTER, COMMON_MATTER, LABOUR_MATTER,
    }  # fmt: skip
    found = (await http.get(HALL, params={"q": " 社保 人力 "})).json()["matters"]
    assert [m["name"] for m in found] == ["社保卡补办"]


async def test_a_hall_with_many_matters_lists_fifty_and_finds_the_rest(
    http: AsyncClient, city: City
) -> None:
    await Matter.bulk_create(
        [Matter(code=f"{n:031d}", name=f"事项{n}号", agency_code=HOUSING) for n in range(200)]
    )
    await catalogue.load()
    shown = (await http.get(WINDOW)).json()
    assert (len(shown["matters"]), shown["more_matters"]) == (50, True)
    assert [
        m["name"] for m in (await http.get(WINDOW, params={"q": "事项199"})).json()["matters"]
    ] == ["事项199号"]


async def test_a_place_that_is_unknown_or_closed_is_404(http: AsyncClient, city: City) -> None:
    await Window.create(
        code="C9", hall_code="H1", agency_code=HOUSING, name="停用的窗口", active=False
    )
    await Hall.create(
        code="H9", name="停用", region_code=REGION, desk_agency_code=DESK, active=False
    )
    await catalogue.load()
    for at in ("/api/v1/h/H2", "/api/v1/h/H9", f"{HALL}/A2", f"{HALL}/C9", "/api/v1/h/%00/%FF"):
        for answer in (await http.get(at), await http.post(f"{at}/review", json=a_bad_review())):
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_place"), at
    assert await sql.fetch("SELECT 1 FROM receipts") == []


async def test_codes_of_any_letters_stand_in_an_address(http: AsyncClient, city: City) -> None:
    await Hall.create(code="大厅(1)", name="分中心", region_code=REGION, desk_agency_code=DESK)
    await Window.create(code="3号", hall_code="大厅(1)", agency_code=HOUSING, name="3号窗口")
    await catalogue.load()
    at = "/api/v1" + "/" + walls.find("大厅(1)", "3号").path
    assert (await http.get(at)).json()["window"]["name"] == "3号窗口"
    assert (await receipt_of(await rated(http, at)))["hall_code"] == "大厅(1)"


async def test_a_bad_one_leaves_visit_review_and_order_in_one_commit(
    http: AsyncClient, city: City
) -> None:
    taken = await rated(http, matter_code=MATTER)
    visit, order = await receipt_of(taken), await order_of(taken)
    assert (visit["channel"], visit["hall_code"], visit["window_code"]) == ("wall", "H1", "A1")
    assert (visit["agency_code"], visit["matter_code"], visit["region_code"]) == (
        HOUSING, MATTER, REGION,
    )  # fmt: skip
    assert visit["phone_key"] is visit["invite_at"] is visit["applicant"] is None
    (review,) = await sql.fetch("SELECT * FROM reviews WHERE receipt_id = $1", visit["id"])
    assert (review["channel"], review["state"]) == ("static_qr", "standing")
    assert (order["origin"], order["matter"], order["hall"], order["window"]) == (
        "static_qr", "公租房申请", "市民中心", "1号窗口",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "matter", "lead"),
    [
        (WINDOW, None, HOUSING), (WINDOW, JOINT_MATTER, LABOUR), (WINDOW, COMMON_MATTER, DESK),
        (HALL, None, DESK), (HALL, LABOUR_MATTER, LABOUR), (HALL, COMMON_MATTER, DESK),
    ],
)  # fmt: skip
async def test_the_order_goes_to_who_is_responsible(
    http: AsyncClient, city: City, at: str, matter: str | None, lead: str
) -> None:
    taken = await rated(http, at, matter_code=matter)
    order = await order_of(taken)
    assert order["agency_code"] == lead
    assert order["matter_code"] == matter
    track = (await http.get(f"/api/v1/track/{taken['query_code']}")).json()
    assert track["review"]["matter"] == (order["matter"] or "")
    assert order["matter"] if matter else order["matter"] == "大厅服务（未选事项）"
    assert track["review"]["window"].startswith("市民中心")


async def test_what_a_slip_would_not_pass_a_wall_does_not_either(
    http: AsyncClient, city: City
) -> None:
    for changed, code, field in (
        ({"matter_code": LABOUR_MATTER}, "unknown_matter", "matter_code"),
        ({"matter_code": "nothing"}, "unknown_matter", "matter_code"),
        ({"tags": [], "comment": " "}, "reason_required", "tags"),
        ({"tags": ["213"]}, "tag_not_of_level", "tags[0]"),
        ({"real_name": True}, "contact_required", "contact.phone"),
        ({"case_number": "A\u0001B"}, "invalid_body", "case_number"),
        ({"case_number": "9" * 65}, "invalid_body", "case_number"),
    ):
        answer = await http.post(f"{WINDOW}/review", json=a_bad_review(**changed))
        assert (answer.status_code, answer.json()["code"]) == (422, code), changed
        assert answer.json()["errors"][0]["field"] == field
    assert await sql.fetch("SELECT 1 FROM receipts") == []


async def test_a_typed_case_number_opens_no_receipt_and_only_the_auditor_reads_it(
    http: AsyncClient, city: City
) -> None:
    real = await city.receipt(http, case_number="CASE-7-SECRET")
    words = "编号CASE-7-SECRET，等了两小时"
    taken = await rated(http, matter_code=MATTER, case_number="CASE-7-SECRET", comment=words)
    code = real["review_url"].rpartition("/")[2]
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "open"
    visit = await receipt_of(taken)
    assert b"CASE-7" not in visit["applicant"] and "CASE-7" not in visit["case_number"]
    assert "CASE-7" not in (await order_of(taken))["words"]
    auditor = await city.staff(http, "auditor")
    path = f"/api/v1/audit/receipts/{visit['id']}"
    seen = (await http.get(path, headers=auditor)).json()
    assert (seen["verified"], seen["claimed_case_number"]) == (False, "CASE-7-SECRET")
    seen = (await http.get(f"/api/v1/audit/receipts/{real['receipt_id']}", headers=auditor)).json()
    assert (seen["verified"], seen["claimed_case_number"]) == (True, None)
    # The agency's own push of that case is no repetition of the visit.
    again = await city.receipt(http, case_number="CASE-7-SECRET", service_number=2)
    assert again["receipt_id"] != str(visit["id"])


async def test_no_agency_reads_a_visit_or_issues_one(http: AsyncClient, city: City) -> None:
    visit = await receipt_of(await rated(http))
    system = await city.system(http)
    for path in ("", "/escpos"):
        answer = await http.get(f"/api/v1/receipts/{visit['id']}{path}", headers=system)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_receipt")
    pushed = await http.post(
        "/api/v1/receipts", headers=system,
        json={"case_number": "1", "service_number": 1, "matter_code": MATTER, "channel": "wall",
              "handled_at": clock.now().isoformat()},
    )  # fmt: skip
    assert pushed.status_code == 422


async def test_undone_in_time_and_given_anew(http: AsyncClient, city: City) -> None:
    taken = await rated(http, matter_code=MATTER)
    path = f"/api/v1/e/{taken['code']}"
    undo = {"query_code": taken["query_code"]}
    assert (await http.get(path)).json()["state"] == "reviewed"
    assert (await http.post(f"{path}/undo", json=undo)).status_code == 200
    assert (await order_of(taken))["state"] == "withdrawn"
    shown = (await http.get(path)).json()
    assert (shown["state"], shown["receipt"]["matter"]) == ("open", "公租房申请")
    headers = await signed_in(http)
    second = await http.post(f"{path}/review", json={"level": 5}, headers=headers)
    assert second.status_code == 201
    channels = await sql.fetch("SELECT channel FROM reviews")
    assert {row["channel"] for row in channels} == {"static_qr"}
    assert (await http.post(f"{path}/undo", json=second.json())).status_code == 409
    mine = (await http.get("/api/v1/me/reviews", headers=headers)).json()["items"]
    assert [item["window"] for item in mine] == ["市民中心 1号窗口"]


async def test_the_agency_sees_it_after_the_undo_time_and_the_citizen_hears_the_answer(
    http: AsyncClient, city: City
) -> None:
    taken = await rated(http)
    handler = await city.staff(http, "handler")
    path = f"/api/v1/work-orders/{taken['work_order']['number']}"
    assert (await http.get(path, headers=handler)).status_code == 404
    clock.advanced += timedelta(minutes=11)
    assert (await http.get(path, headers=handler)).json()["origin"] == "static_qr"
    for move, body in (("accept", {}), ("answer", {"disposition": "fixed", "text": "已增开窗口"})):
        done = await http.post(f"{path}/{move}", json=body, headers=handler)
        assert done.status_code == 200, done.text
    confirmed = await http.post(
        f"/api/v1/track/{taken['query_code']}/confirmation", json={"satisfied": True}
    )
    assert confirmed.json()["work_order"]["state"] == "closed"


async def test_who_signed_in_finds_it_in_his_history(http: AsyncClient, city: City) -> None:
    headers = await signed_in(http)
    answer = await http.post(f"{HALL}/review", json={"level": 4}, headers=headers)
    assert answer.status_code == 201
    (mine,) = (await http.get("/api/v1/me/reviews", headers=headers)).json()["items"]
    assert mine["query_code"] == answer.json()["query_code"]
    assert (await sql.fetch("SELECT channel FROM reviews"))[0]["channel"] == "static_qr"


async def test_nobody_is_invited_to_a_visit(http: AsyncClient, city: City) -> None:
    taken = await rated(http, real_name=True, contact=PHONE)
    await http.post(f"/api/v1/e/{taken['code']}/undo", json={"query_code": taken["query_code"]})
    clock.advanced += timedelta(days=1)
    assert await invitations.invite() == 0
    assert await sql.fetch("SELECT 1 FROM questions") == []
    # The answer may be sent to the number he gave; the provider takes no empty value.
    assert all(values_of(await receipt_of(taken)).values())


async def test_the_same_request_once_more_is_one_review(http: AsyncClient, city: City) -> None:
    key = {"Idempotency-Key": "a-key-that-nobody-guesses-0001"}
    body = a_bad_review(matter_code=MATTER)
    answers = await asyncio.gather(
        *(http.post(f"{WINDOW}/review", json=body, headers=key) for _ in range(6))
    )
    assert {a.status_code for a in answers} == {201}
    assert len({a.text for a in answers}) == 1
    other = await http.post(
        f"{WINDOW}/review", json=a_bad_review(matter_code=JOINT_MATTER), headers=key
    )
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert (await sql.fetch("SELECT count(*) FROM receipts"))[0][0] == 1
    assert (await sql.fetch("SELECT count(*) FROM work_orders"))[0][0] == 1


async def test_a_short_key_of_two_people_is_two_reviews(
    http: AsyncClient, city: City, app: Any
) -> None:
    """Whoever uses the key 1 must not be given the query code of another who did."""
    place = walls.find("H1", "A1")
    assert attempt_of(place, "10.0.0.1\n1", "d").key != attempt_of(place, "10.0.0.2\n1", "d").key


@pytest.fixture
async def strict(app: Any) -> AsyncIterator[Any]:
    """Not the demo, whose limits hardly trigger; counters of nobody."""
    await app.ctx.limiter._redis.flushall()
    settings, app.ctx.settings = app.ctx.settings, replace(app.ctx.settings, demo=False)
    yield app
    app.ctx.settings = settings
    await app.ctx.limiter._redis.flushall()


async def test_a_person_rates_three_times_a_day_at_a_window(
    http: AsyncClient, city: City, strict: Any
) -> None:
    strict.ctx.settings = replace(strict.ctx.settings, demo=True)  # this limit holds there too
    clock.advanced += timedelta(days=1) - timedelta(hours=clock.now().hour)  # no midnight between
    headers, good = await signed_in(http, "demo:often"), {"level": 5}
    key = headers | {"Idempotency-Key": "once-more-is-not-counted-0001"}
    for _ in range(3):
        assert (await http.post(f"{WINDOW}/review", json=good, headers=key)).status_code == 201
    for _ in range(2):
        assert (await http.post(f"{WINDOW}/review", json=good, headers=headers)).status_code == 201
    answer = await http.post(f"{WINDOW}/review", json=good, headers=headers)
    assert answer.status_code == 429
    assert "已经评过 3 次" in answer.json()["detail"]
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert (await sql.fetch("SELECT count(*) FROM receipts"))[0][0] == 3, "nothing of it is left"
    for at in (HALL, "/api/v1/h/H1/B1"):
        assert (await http.post(f"{at}/review", json=good, headers=headers)).status_code == 201
    other = await signed_in(http)
    assert (await http.post(f"{WINDOW}/review", json=good, headers=other)).status_code == 201
    clock.advanced += timedelta(days=1)
    headers = await signed_in(http, "demo:often")
    assert (await http.post(f"{WINDOW}/review", json=good, headers=headers)).status_code == 201


async def test_an_address_and_a_window_have_their_hour(
    http: AsyncClient, city: City, strict: Any
) -> None:
    strict.ctx.settings = replace(strict.ctx.settings, wall_reviews_per_hour=8)
    place, good = walls.find("H1", "A1"), Verdict(level=5, tags=[])

    async def by(address: str) -> str:
        visitor = Visitor(strict.ctx.limiter, None, address, per_hour=3, per_hour_of_address=2)
        try:
            await walls.submit(place, walls.About(), good, visitor)
        except limits.Limited as refusal:
            assert refusal.retry_after and refusal.retry_after <= 3600
            return refusal.detail[:4]
        return "taken"

    assert [await by("one") for _ in range(3)] == ["taken", "taken", "这个网络"]
    assert [await by("two") for _ in range(2)] == ["taken", "这里刚才"]
    for _ in range(4):  # a hall's own code stands for both of its windows
        taken = await http.post(f"{HALL}/review", json={"level": 5})
        assert taken.status_code == 201, taken.text
    assert (await http.post(f"{HALL}/review", json={"level": 5})).status_code == 429


async def test_a_visit_of_a_district_stays_in_its_region(http: AsyncClient, city: City) -> None:
    taken = await rated(http, "/api/v1/h/H1/B1")
    assert (await receipt_of(taken))["region_code"] == DISTRICT
