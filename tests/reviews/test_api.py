"""The citizen's doors: rate, undo, supplement, judge the answer."""

from datetime import timedelta
from typing import Any

from factories import DISTRICT, LABOUR, City, a_bad_review
from httpx import AsyncClient, Response
from kit.calls import Scene

from server.catalogue.models import Policy
from server.catalogue.service import load
from server.kit import sql
from server.kit.clock import clock
from server.people.models import AccessLog, Staff
from server.receipts.models import Receipt

TEN_MINUTES = timedelta(minutes=10)


async def rate(http: AsyncClient, code: str, key: str | None = None, **review: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await http.post(f"/api/v1/e/{code}/review", json=review, headers=headers)


async def undo(http: AsyncClient, code: str, query_code: str) -> Response:
    return await http.post(f"/api/v1/e/{code}/undo", json={"query_code": query_code})


async def say(http: AsyncClient, query_code: str, comment: str) -> Response:
    return await http.post(f"/api/v1/track/{query_code}/supplement", json={"comment": comment})


async def judge(http: AsyncClient, query_code: str, satisfied: bool, comment: str = "") -> Response:
    body = {"satisfied": satisfied, "comment": comment}
    return await http.post(f"/api/v1/track/{query_code}/confirmation", json=body)


def told(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_a_good_review_needs_nothing_and_opens_no_order(
    http: AsyncClient, city: City
) -> None:
    for level in (3, 4, 5):
        answer = await rate(http, await city.code(http), level=level)
        assert answer.status_code == 201, answer.text
        taken = answer.json()
        assert (taken["level"], taken["work_order"]) == (level, None)
        assert (await http.get(f"/api/v1/track/{taken['query_code']}")).json()[
            "awaiting_you"
        ] is None
    assert await sql.fetch("SELECT 1 FROM work_orders") == []


async def test_every_bad_review_leaves_with_an_order_of_its_own(
    http: AsyncClient, city: City
) -> None:
    for level, tag in ((1, "115"), (2, "215")):
        taken = (await rate(http, await city.code(http), level=level, tags=[tag])).json()
        assert taken["work_order"]["agency"] == "住房保障局"
    orders = await sql.fetch("SELECT owner_id, state FROM work_orders")
    assert len(orders) == 2
    assert all(order["owner_id"] and order["state"] == "assigned" for order in orders)


REFUSED = [
    ({"level": 1}, 422, "reason_required", "tags"),
    ({"level": 2, "comment": " \u200b\n"}, 422, "reason_required", "tags"),
    ({"level": 2, "tags": ["115"]}, 422, "tag_not_of_level", "tags[0]"),
    ({"level": 5, "tags": ["515", "115"]}, 422, "tag_not_of_level", "tags[1]"),
    ({"level": 5, "tags": ["999"]}, 422, "tag_not_of_level", "tags[0]"),
    ({"level": 5, "comment": "慢" * 501}, 422, "comment_too_long", "comment"),
    ({"level": 5, "comment": "😀" * 501}, 422, "comment_too_long", "comment"),
    ({"level": 0}, 422, "invalid_body", "level"),
    ({"level": 6}, 422, "invalid_body", "level"),
    ({"level": True}, 422, "invalid_body", "level"),
    ({"level": "5"}, 422, "invalid_body", "level"),
    ({"level": 4.5}, 422, "invalid_body", "level"),
    ({}, 422, "invalid_body", "level"),
    ({"level": 5, "contact": {"phone": "123"}}, 422, "invalid_phone", "contact.phone"),
    ({"level": 5, "real_name": 1}, 422, "invalid_body", "real_name"),
]


async def test_a_review_that_lacks_something_is_told_what(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    for review, status, word, field in REFUSED:
        answer = await rate(http, code, **review)
        assert told(answer) == (status, word), review
        assert answer.json()["errors"][0]["field"] == field, review
    assert (await rate(http, code, level=5, comment="😀" * 500)).status_code == 201


async def test_a_real_name_needs_a_phone_on_the_review_or_the_receipt(
    http: AsyncClient, city: City
) -> None:
    bare = await city.code(http, applicant=None)
    assert told(await rate(http, bare, level=5, real_name=True)) == (422, "contact_required")
    contact = {"name": "李四", "phone": "139 0013 9000"}
    assert (await rate(http, bare, level=5, real_name=True, contact=contact)).status_code == 201
    assert (await rate(http, await city.code(http), level=5, real_name=True)).status_code == 201
    stored = repr([dict(row) for row in await sql.fetch("SELECT * FROM reviews")])
    assert "李四" not in stored
    assert "13900139000" not in stored


async def test_a_receipt_is_rated_once(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    assert (await rate(http, code, level=5)).status_code == 201
    assert told(await rate(http, code, level=1, tags=["115"])) == (409, "already_reviewed")
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "reviewed"


async def test_whoever_holds_the_code_sees_that_it_is_used_up_and_nothing_else(
    http: AsyncClient, city: City
) -> None:
    bodies = []
    for review in ({"level": 5}, a_bad_review()):
        code = await city.code(http, handled_at=clock.now().replace(microsecond=0).isoformat())
        await rate(http, code, **review)
        shown = (await http.get(f"/api/v1/e/{code}")).json()
        shown["receipt"].pop("handled_at")
        bodies.append(shown)
    assert bodies[0] == bodies[1]


async def test_after_the_last_day_a_receipt_is_closed(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    open_until = (await Receipt.get()).open_until
    clock.advanced = open_until - clock.now() + clock.advanced - timedelta(seconds=5)
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "open"
    clock.advanced += timedelta(seconds=10)
    assert told(await rate(http, code, level=5)) == (410, "review_closed")
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "closed"


async def test_a_voided_receipt_cannot_be_rated(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    await Receipt.all().update(voided_at=clock.now())
    assert told(await rate(http, code, level=5)) == (410, "review_closed")
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "closed"


async def test_the_review_window_is_the_regions(http: AsyncClient, city: City) -> None:
    await Policy.create(region_code=DISTRICT, review_days=1, undo_minutes=2)
    await load()
    code = await city.code(http, LABOUR)
    clock.advanced += timedelta(days=2)
    assert told(await rate(http, code, level=5)) == (410, "review_closed")


# Undo


async def test_a_review_is_undone_once_and_the_receipt_is_open_again(
    http: AsyncClient, city: City
) -> None:
    code = await city.code(http)
    first = (await rate(http, code, **a_bad_review())).json()
    assert (await undo(http, code, first["query_code"])).json() == {"state": "open"}
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "open"
    assert told(await undo(http, code, first["query_code"])) == (410, "undo_closed")
    second = (await rate(http, code, **a_bad_review())).json()
    assert second["query_code"] != first["query_code"]
    assert told(await undo(http, code, second["query_code"])) == (409, "already_undone")
    states = await sql.fetch("SELECT state FROM reviews ORDER BY at")
    assert [row["state"] for row in states] == ["undone", "standing"]
    orders = await sql.fetch("SELECT state FROM work_orders ORDER BY visible_from")
    assert [row["state"] for row in orders] == ["withdrawn", "assigned"]


async def test_an_undone_review_never_reaches_the_agency(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    taken = (await rate(http, code, **a_bad_review())).json()
    await undo(http, code, taken["query_code"])
    clock.advanced += timedelta(hours=1)
    for username in ("handler", "lead", "supervisor"):
        headers = await city.staff(http, username)
        assert (await http.get("/api/v1/work-orders", headers=headers)).json()["items"] == []
        one = await http.get(
            f"/api/v1/work-orders/{taken['work_order']['number']}", headers=headers
        )
        assert one.status_code == 404


async def test_after_ten_minutes_it_is_too_late_to_undo(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    taken = (await rate(http, code, level=5)).json()
    clock.advanced += TEN_MINUTES
    assert told(await undo(http, code, taken["query_code"])) == (410, "undo_closed")


async def test_undo_needs_both_codes_and_they_belong_together(
    http: AsyncClient, city: City
) -> None:
    code, other = await city.code(http), await city.code(http)
    taken = (await rate(http, code, level=5)).json()
    assert told(await undo(http, other, taken["query_code"])) == (404, "unknown_query_code")
    assert told(await undo(http, code, "0" * 16)) == (404, "unknown_query_code")
    assert told(await undo(http, "a" + "A" * 24, taken["query_code"])) == (404, "unknown_code")
    assert (await undo(http, code, taken["query_code"].lower())).status_code == 200


# Idempotency-Key of a submission


async def test_a_repeated_submission_gets_the_first_answer(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    first = await rate(http, code, key="k", **a_bad_review())
    again = await rate(http, code, key="k", **a_bad_review())
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert told(await rate(http, code, key="k", level=5)) == (409, "idempotency_conflict")
    assert told(await rate(http, code, key="other", **a_bad_review())) == (409, "already_reviewed")


async def test_a_late_repetition_of_an_undone_submission_does_not_rate_again(
    http: AsyncClient, city: City
) -> None:
    """A retry that was on its way while the citizen took his review back must not bring it back."""
    code = await city.code(http)
    first = await rate(http, code, key="k", **a_bad_review())
    await undo(http, code, first.json()["query_code"])
    again = await rate(http, code, key="k", **a_bad_review())
    assert again.json() == first.json()
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "open"


async def test_the_first_answer_is_given_again_after_the_receipt_has_closed(
    http: AsyncClient, city: City
) -> None:
    code = await city.code(http)
    first = await rate(http, code, key="k", level=5)
    await Receipt.all().update(voided_at=clock.now())
    again = await rate(http, code, key="k", level=5)
    assert (again.status_code, again.json()) == (201, first.json())


# Supplement and judgement


async def test_a_supplement_is_said_once_after_the_undo_time(http: AsyncClient, city: City) -> None:
    taken = (await rate(http, await city.code(http), **a_bad_review())).json()
    query_code = taken["query_code"]
    assert told(await say(http, query_code, "还有")) == (409, "supplement_too_early")
    clock.advanced += TEN_MINUTES + timedelta(seconds=1)
    for blank in ("", "  ", "\u200b"):
        assert told(await say(http, query_code, blank)) == (422, "blank_text")
    assert told(await say(http, query_code, "慢" * 501)) == (422, "comment_too_long")
    said = await say(http, query_code, "还有，打13800138000也没人接")
    assert said.json()["review"]["supplement"] == "还有，打13800138000也没人接"
    assert told(await say(http, query_code, "再说一次")) == (409, "already_supplemented")
    headers = await city.staff(http, "handler")
    order = await http.get(f"/api/v1/work-orders/{taken['work_order']['number']}", headers=headers)
    assert "还有，打" in order.text
    assert "13800138000" not in order.text


async def test_an_undone_review_is_not_supplemented(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    taken = (await rate(http, code, level=5)).json()
    await undo(http, code, taken["query_code"])
    clock.advanced += TEN_MINUTES + timedelta(seconds=1)
    assert (await say(http, taken["query_code"], "还有")).status_code == 409


async def test_an_answer_is_judged_once(http: AsyncClient, city: City) -> None:
    scene = Scene(http, city)
    taken = await scene.order("accept")
    query_code = taken["query_code"]
    assert told(await judge(http, query_code, True)) == (409, "illegal_move")
    done = await scene.order("accept", "answer")
    assert told(await judge(http, done["query_code"], False)) == (422, "blank_text")
    assert told(await judge(http, done["query_code"], False, "慢" * 501)) == (
        422,
        "comment_too_long",
    )
    contested = await judge(http, done["query_code"], False, "没有解决")
    assert contested.json()["work_order"]["state"] == "contested"
    assert contested.json()["awaiting_you"] is None
    assert told(await judge(http, done["query_code"], True)) == (409, "illegal_move")
    content = await scene.order("accept", "answer")
    assert (await judge(http, content["query_code"], True)).json()["work_order"][
        "state"
    ] == "closed"
    assert told(await judge(http, content["query_code"], True)) == (409, "illegal_move")


async def test_there_is_nothing_to_judge_after_a_good_review(http: AsyncClient, city: City) -> None:
    taken = (await rate(http, await city.code(http), level=5)).json()
    assert told(await judge(http, taken["query_code"], True)) == (409, "nothing_to_confirm")


# Audit


async def test_the_auditor_sees_every_review_of_a_receipt_and_the_look_is_logged(
    http: AsyncClient, city: City
) -> None:
    code = await city.code(http)
    first = (await rate(http, code, **a_bad_review())).json()
    await undo(http, code, first["query_code"])
    assert (await rate(http, code, level=5)).status_code == 201
    number = (await Receipt.get()).id
    path = f"/api/v1/audit/receipts/{number}"
    answer = (await http.get(path, headers=await city.staff(http, "auditor"))).json()
    assert [(r["level"], r["state"]) for r in answer["reviews"]] == [(1, "undone"), (5, "standing")]
    assert answer["reviews"][0]["words"] == "排队两小时"
    assert answer["work_orders"] == [first["work_order"]["number"]]
    (look,) = await AccessLog.all().prefetch_related("staff")
    assert (look.staff.username, look.action, look.subject) == (
        "auditor",
        "audit_receipt",
        str(number),
    )


async def test_another_regions_receipt_does_not_exist_for_an_auditor(
    http: AsyncClient, city: City
) -> None:
    await city.receipt(http)
    ours = (await Receipt.get()).id
    await city.receipt(http, LABOUR)
    theirs = (await Receipt.get(agency_code=LABOUR)).id
    await Staff.filter(username="auditor").update(region_code=DISTRICT)
    headers = await city.staff(http, "auditor")
    for number, status in ((theirs, 200), (ours, 404), (999_999, 404), ("²", 404), ("9" * 30, 404)):
        assert (
            await http.get(f"/api/v1/audit/receipts/{number}", headers=headers)
        ).status_code == status
    assert await AccessLog.all().count() == 1


async def test_nobody_but_an_auditor_audits(http: AsyncClient, city: City) -> None:
    await city.receipt(http)
    path = f"/api/v1/audit/receipts/{(await Receipt.get()).id}"
    for username in ("handler", "lead", "supervisor", "desk"):
        assert (await http.get(path, headers=await city.staff(http, username))).status_code == 403
    assert (await http.get(path)).status_code == 401
    assert await AccessLog.all().count() == 0
