"""“被要求好评”: heard by the supervisor alone."""

import asyncio
import json
from typing import Any

import pytest
from factories import HOUSING, City, a_bad_review
from httpx import AsyncClient

from server.integrity.models import Pressure, Suspicion
from server.kit import sql
from server.kit.clock import clock

SAID = {"how": ["asked", "watched"], "words": "站在旁边看着我按的，我叫王小明，电话13800138000"}


async def reports(http: AsyncClient, path: str, **said: Any) -> Any:
    return await http.post(f"/api/v1/{path}/pressure", json=said or SAID)


async def follows(http: AsyncClient, query_code: str) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/pressure/{query_code}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_who_was_pressed_reports_it_before_he_rates_and_rates_as_he_likes(
    http: AsyncClient, city: City
) -> None:
    code = await city.code(http)
    before = (await http.get(f"/api/v1/e/{code}")).json()
    answer = await reports(http, f"e/{code}")
    assert answer.status_code == 201 and len(answer.json()["query_code"]) == 16
    assert (await http.get(f"/api/v1/e/{code}")).json() == before
    suspicion, pressure = await Suspicion.get(), await Pressure.get()
    assert (suspicion.rule, suspicion.review_id, suspicion.agency_code) == (
        "pressed",
        None,
        HOUSING,
    )
    assert json.loads(suspicion.evidence) == {"how": ["asked", "watched"]}
    assert pressure.suspicion_id == suspicion.id
    rated = await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())
    assert rated.status_code == 201


async def test_after_rating_it_is_about_the_review_that_stands(
    http: AsyncClient, city: City
) -> None:
    code = await city.code(http)
    taken = (await http.post(f"/api/v1/e/{code}/review", json={"level": 5, "tags": []})).json()
    answer = await reports(http, f"track/{taken['query_code']}")
    assert answer.status_code == 201
    (review,) = await sql.fetch("SELECT id, state FROM reviews")
    assert (await Suspicion.get()).review_id == review["id"]
    assert review["state"] == "standing"


async def test_his_words_are_kept_without_his_name_and_number(
    http: AsyncClient, city: City
) -> None:
    await reports(http, f"e/{await city.code(http)}")
    words = (await Pressure.get()).words
    assert "站在旁边看着我按的" in words
    assert "王小明" not in words and "13800138000" not in words


@pytest.mark.parametrize("rated", [False, True])
async def test_one_report_of_a_slip_also_of_two_at_once(
    http: AsyncClient, city: City, rated: bool
) -> None:
    code = await city.code(http)
    if rated:
        assert (await http.post(f"/api/v1/e/{code}/review", json={"level": 5})).status_code == 201
    answers = await asyncio.gather(*(reports(http, f"e/{code}") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    late = await reports(http, f"e/{code}")
    assert (late.status_code, late.json()["code"]) == (409, "already_reported")
    assert await Pressure.all().count() == await Suspicion.all().count() == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"how": [], "words": " \u200b"}, "how_required"),
        ({"how": ["bribed"]}, "invalid_body"),
        ({"how": ["asked"] * 21}, "invalid_body"),
        ({"how": ["asked"], "words": "长" * 501}, "comment_too_long"),
        ({"how": ["asked"], "words": "a\u0000b"}, "invalid_body"),
    ],
)
async def test_what_cannot_be_a_report_is_refused_in_words(
    http: AsyncClient, city: City, said: dict[str, Any], code: str
) -> None:
    answer = await reports(http, f"e/{await city.code(http)}", **said)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await Suspicion.all().count() == 0


async def test_the_one_who_reports_follows_it_by_its_own_code(
    http: AsyncClient, city: City
) -> None:
    code = (await reports(http, f"e/{await city.code(http)}")).json()["query_code"]
    found = await follows(http, f"{code[:8]}-{code[8:]}".lower())
    assert (found["state"], found["matter"]) == ("received", "公租房申请")
    assert found["due_at"] > found["reported_at"]
    for state, told in (("confirmed", "属实"), ("cleared", "不能证实")):
        await Suspicion.all().update(
            state=state, proposed_by=1, decided_by=2, decided_at=clock.now(),
            decision="仅内部：监控显示窗口人员站在旁边",
        )  # fmt: skip
        found = await follows(http, code)
        assert (found["state"], told in found["words"]) == (state, True)
        assert "仅内部" not in json.dumps(found, ensure_ascii=False)
    unknown = await http.get("/api/v1/pressure/0000000000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_query_code")


async def test_the_track_page_leads_to_it(http: AsyncClient, city: City) -> None:
    code = (await reports(http, f"e/{await city.code(http)}")).json()["query_code"]
    typed = await http.post("/track", data={"code": f"{code[:4]} {code[4:]}"})
    assert (typed.status_code, typed.headers["location"]) == (303, f"/p/{code}")
    page = await http.get(f"/p/{code}")
    assert page.status_code == 200 and "正在核查" in page.text and "在旁边看着我评" in page.text
    assert (await http.get("/p/0000000000000000")).status_code == 404


async def test_no_desk_of_the_agency_sees_anything_of_it(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    taken = (await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()
    number = taken["work_order"]["number"]
    await sql.fetch("UPDATE work_orders SET visible_from = visible_from - interval '1 hour'")
    head = await city.staff(http, "handler")
    looks = [f"/api/v1/work-orders/{number}", "/api/v1/work-orders", "/api/v1/supervision"]
    before = [(await http.get(path, headers=head)).content for path in looks]
    assert (await reports(http, f"e/{code}")).status_code == 201
    assert [(await http.get(path, headers=head)).content for path in looks] == before
    receipt = await sql.fetch_one("SELECT id FROM receipts")
    system = await city.system(http)
    shown = await http.get(f"/api/v1/receipts/{receipt['id']}", headers=system)  # type: ignore[index]
    assert set(shown.json()) == {"receipt_id", "open_until", "voided"}
