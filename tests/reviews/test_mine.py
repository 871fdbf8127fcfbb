"""A citizen's history is his alone, and he may leave it behind."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient, Response
from kit.calls import CALLS, Scene, all_operations, undo_time_is_over

from server.kit import sql
from server.kit.clock import clock
from server.people import citizens
from server.people.citizens import Rater
from server.reviews import mine, service

REVIEWS, CLAIMS, ERASE = "/api/v1/me/reviews", "/api/v1/me/claims", "/api/v1/me/erase"
EXPORT, GRANTS = "/api/v1/me/export", "/api/v1/me/grants"


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    return Scene(http, city)


async def rate(scene: Scene, headers: dict[str, str], level: int = 1, **changed: Any) -> Any:
    code = await scene.city.code(scene.http)
    body = a_bad_review(**changed) if level < 3 else {"level": level, **changed}
    answer = await scene.http.post(f"/api/v1/e/{code}/review", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def history(scene: Scene, headers: dict[str, str], **query: Any) -> Any:
    answer = await scene.http.get(REVIEWS, headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_he_rated_while_signed_in_is_in_his_history(scene: Scene) -> None:
    me = await scene.citizen()
    taken = await rate(scene, me)
    (item,) = (await history(scene, me))["items"]
    assert (item["query_code"], item["level"], item["state"]) == (
        taken["query_code"],
        1,
        "standing",
    )
    assert (item["matter"], item["agency"]) == ("公租房申请", "住房保障局")
    assert item["work_order"] == {
        "number": taken["work_order"]["number"], "state": "assigned",
        "due_at": taken["work_order"]["due_at"],
    }  # fmt: skip
    (row,) = await sql.fetch("SELECT channel FROM reviews")
    assert row["channel"] == "mini_program"


async def test_a_good_review_has_no_order_and_an_undone_one_says_so(scene: Scene) -> None:
    me = await scene.citizen()
    code = await scene.city.code(scene.http)
    path = f"/api/v1/e/{code}"
    taken = (await scene.http.post(f"{path}/review", json={"level": 5}, headers=me)).json()
    await scene.http.post(f"{path}/undo", json={"query_code": taken["query_code"]}, headers=me)
    again = await scene.http.post(f"{path}/review", json=a_bad_review(), headers=me)
    assert again.status_code == 201
    second, first = (await history(scene, me))["items"]
    assert (first["state"], first["work_order"]) == ("undone", None)
    assert (second["state"], second["level"]) == ("standing", 1)


async def test_two_hundred_reviews_are_read_page_by_page_newest_first(scene: Scene) -> None:
    me = await scene.citizen()
    taken = [await rate(scene, me, 4) for _ in range(23)]
    await rate(scene, await scene.citizen("demo:other"), 4)
    found, cursor = [], None
    while True:
        page = await history(scene, me, limit=5, **({"cursor": cursor} if cursor else {}))
        found += [item["query_code"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == [one["query_code"] for one in reversed(taken)]


async def test_the_history_shows_what_is_open_and_what_is_closed(scene: Scene) -> None:
    me = await scene.citizen()
    numbers = [(await rate(scene, me))["work_order"]["number"] for _ in range(2)]
    await rate(scene, me, 5)
    await sql.fetch(
        "UPDATE work_orders SET state = 'closed', closed_at = $2, next_due_at = NULL WHERE number = $1",
        numbers[0], clock.now(),
    )  # fmt: skip
    for state, wanted in (("open", [numbers[1]]), ("closed", [numbers[0]])):
        items = (await history(scene, me, state=state))["items"]
        assert [item["work_order"]["number"] for item in items] == wanted
    assert len((await history(scene, me, state="all"))["items"]) == 3


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "state=mine", "cursor=x", "cursor=%00"]
)
async def test_a_wrong_query_is_told_by_its_field(scene: Scene, query: str) -> None:
    answer = await scene.http.get(f"{REVIEWS}?{query}", headers=await scene.citizen())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_a_cursor_opens_only_the_history_it_was_given_for(scene: Scene) -> None:
    me, other = await scene.citizen(), await scene.citizen("demo:other")
    for headers in (me, other):
        for _ in range(3):
            await rate(scene, headers, 5)
    cursor = (await history(scene, me, limit=1))["next_cursor"]
    answer = await scene.http.get(f"{REVIEWS}?cursor={cursor}", headers=other)
    assert answer.status_code == 422
    forged = base64.urlsafe_b64encode(b"2026-01-01T00:00:00+00:00 " + b"0" * 32).decode()
    assert (await scene.http.get(f"{REVIEWS}?cursor={forged}", headers=me)).status_code == 422


async def test_a_repeated_submission_is_remembered_once(scene: Scene) -> None:
    me = await scene.citizen() | {"Idempotency-Key": "k1"}
    code = await scene.city.code(scene.http)
    answers = await asyncio.gather(*(
        scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review(), headers=me)
        for _ in range(5)
    ))  # fmt: skip
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len((await history(scene, me))["items"]) == 1


# Claims


async def claim(scene: Scene, headers: dict[str, str], code: str) -> Response:
    return await scene.http.post(CLAIMS, json={"query_code": code}, headers=headers)


async def test_a_review_made_elsewhere_is_claimed_by_its_code(scene: Scene) -> None:
    me = await scene.citizen()
    _, taken = await scene.rated()
    code = taken["query_code"].lower()
    answer = await claim(scene, me, f"{code[:4]}-{code[4:]}")
    assert answer.status_code == 200
    assert answer.json() == (await history(scene, me))["items"][0]
    assert (await claim(scene, me, code)).status_code == 200, "his own, once more"


async def test_whose_a_review_is_it_stays(scene: Scene) -> None:
    me, other = await scene.citizen(), await scene.citizen("demo:other")
    rated = await rate(scene, me)
    _, elsewhere = await scene.rated()
    assert (await claim(scene, me, elsewhere["query_code"])).status_code == 200
    for taken in (rated, elsewhere):
        answer = await claim(scene, other, taken["query_code"])
        assert (answer.status_code, answer.json()["code"]) == (409, "already_claimed")
    assert (await history(scene, other))["items"] == []


async def test_of_ten_who_claim_at_once_one_has_it(scene: Scene) -> None:
    _, taken = await scene.rated()
    people = [await scene.citizen(f"demo:{n}") for n in range(10)]
    answers = await asyncio.gather(*(claim(scene, one, taken["query_code"]) for one in people))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9


async def test_an_unknown_code_is_counted_and_refused(scene: Scene) -> None:
    me = await scene.citizen()
    for code in ("0123456789ABCDEF", "x", "", "é" * 16):
        answer = await claim(scene, me, code)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_query_code")


# Forgetting


async def test_who_is_forgotten_is_nobody_and_his_reviews_stay(scene: Scene) -> None:
    me = await scene.citizen()
    contact = {"name": "王小明", "phone": "13900139000"}
    taken = await rate(scene, me, real_name=True, contact=contact)
    await scene.http.post(GRANTS, json={"template": "answered", "answer": "accept"}, headers=me)
    before = await sql.fetch("SELECT level, state, tags, comment, order_number FROM reviews")

    answer = await scene.http.post(ERASE, json={}, headers=me)

    assert (answer.status_code, answer.json()) == (200, {"state": "erased"})
    assert (
        await sql.fetch("SELECT level, state, tags, comment, order_number FROM reviews") == before
    )
    assert await sql.fetch("SELECT 1 FROM claims UNION ALL SELECT 1 FROM wechat_grants") == []
    (row,) = await sql.fetch("SELECT contact FROM reviews")
    assert row["contact"] is None, "he left it with us as himself"
    (person,) = await sql.fetch("SELECT openid, openid_key FROM citizens")
    assert (person["openid"], person["openid_key"]) == (None, None)
    assert (await scene.http.get(f"/api/v1/track/{taken['query_code']}")).status_code == 200
    for path in (REVIEWS, EXPORT, GRANTS):
        assert (await scene.http.get(path, headers=me)).status_code == 401


async def test_being_forgotten_twice_is_being_forgotten(scene: Scene) -> None:
    me = await scene.citizen()
    for headers in (me, me, me | {"Idempotency-Key": "k"}, me | {"Idempotency-Key": "k"}):
        answer = await scene.http.post(ERASE, json={}, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"state": "erased"})


async def test_who_comes_back_is_somebody_new_and_may_claim_what_was_his(scene: Scene) -> None:
    me = await scene.citizen()
    taken = await rate(scene, me)
    await scene.http.post(ERASE, json={}, headers=me)
    again = await scene.citizen()
    assert (await history(scene, again))["items"] == []
    assert (await claim(scene, again, taken["query_code"])).status_code == 200


async def test_forgetting_him_leaves_the_contact_of_one_whose_review_he_claimed(
    scene: Scene,
) -> None:
    me = await scene.citizen()
    _, taken = await scene.rated(contact={"name": "李四", "phone": "13900139000"})
    await claim(scene, me, taken["query_code"])
    kept = (await scene.http.get(EXPORT, headers=me)).json()["reviews"]
    assert [(one["claimed_by_code"], one["contact"]) for one in kept] == [(True, None)]
    await scene.http.post(ERASE, json={}, headers=me)
    (row,) = await sql.fetch("SELECT contact FROM reviews")
    assert row["contact"] is not None


async def test_a_review_in_the_moment_of_forgetting_is_his_or_nobodys(scene: Scene) -> None:
    """Whichever comes first: afterwards nothing is anybody's who is nobody."""
    for round_ in range(6):
        me = await scene.citizen(f"demo:{round_}")
        codes = [await scene.city.code(scene.http) for _ in range(4)]
        _, elsewhere = await scene.rated()
        await asyncio.gather(
            *(scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review(), headers=me) for code in codes),
            scene.http.post(ERASE, json={}, headers=me),
            claim(scene, me, elsewhere["query_code"]),
            scene.http.post(GRANTS, json={"template": "closed", "answer": "accept"}, headers=me),
        )  # fmt: skip
    left = await sql.fetch(
        "SELECT 1 FROM citizens p WHERE erased_at IS NOT NULL AND (EXISTS "
        "(SELECT 1 FROM claims c WHERE c.citizen_id = p.id) OR EXISTS "
        "(SELECT 1 FROM wechat_grants g WHERE g.citizen_id = p.id))"
    )
    assert left == []


async def test_a_review_of_one_who_was_forgotten_after_the_door_is_nobodys(scene: Scene) -> None:
    """His token was good at the guard; then he went, and his review came."""
    await scene.citizen()
    (row,) = await sql.fetch("SELECT id FROM citizens")
    code = await scene.city.code(scene.http)
    await citizens.forget(Rater(row["id"]), clock.now())
    verdict = service.Verdict(level=5, tags=[], comment="")
    await service.submit(code, verdict, rater=row["id"])
    assert len(await sql.fetch("SELECT 1 FROM reviews")) == 1
    assert await mine.all_of(Rater(row["id"])) == []


async def test_the_export_holds_all_that_is_kept_of_him(scene: Scene) -> None:
    me = await scene.citizen()
    contact = {"name": "王小明", "phone": "13900139000"}
    await rate(scene, me, real_name=True, contact=contact)
    await rate(scene, me, 5)
    await scene.http.post(GRANTS, json={"template": "answered", "answer": "reject"}, headers=me)
    kept = (await scene.http.get(EXPORT, headers=me)).json()
    assert kept["openid"] == "demo:wang"
    good, bad = kept["reviews"]
    assert (good["track"]["review"]["level"], bad["contact"]) == (5, contact)
    assert bad["track"]["review"]["comment"] == "排队两小时"
    assert [(g["template"], g["rejected"]) for g in kept["grants"]] == [("answered", 1)]


# No citizen's data is ever reachable by another

MINE = sorted(n for n, op in all_operations().items() if op.path.startswith("/api/v1/me/"))
MARKS = ("公租房的悄悄话", "13900139000", "王小明")


async def _marked(scene: Scene, headers: dict[str, str]) -> list[str]:
    """All by which one of his may be known: his words, contact, codes, order."""
    contact = {"name": "王小明", "phone": "13900139000"}
    taken = await rate(scene, headers, comment=MARKS[0], real_name=True, contact=contact)
    await scene.http.post(
        GRANTS, json={"template": "answered", "answer": "accept"}, headers=headers
    )
    await undo_time_is_over(taken)
    return [*MARKS, taken["query_code"], taken["work_order"]["number"], "demo:one"]


def test_every_door_of_mine_is_tried() -> None:
    assert set(MINE) >= {"my_reviews", "claim_review", "erase_me", "export_me", "answer_grant"}
    assert set(MINE) <= set(CALLS)


@pytest.mark.parametrize("name", MINE)
async def test_nothing_of_one_citizen_is_reached_by_another(scene: Scene, name: str) -> None:
    one = await scene.citizen("demo:one")
    marks = await _marked(scene, one)
    untouched = await _all_of(scene, one)
    mine = (await history(scene, one))["items"][0]

    call = await CALLS[name](scene)
    tries: list[Callable[[], Awaitable[Response]]] = [lambda: call.send(scene.http)]
    for other in (await scene.citizen("demo:two"), await scene.staff("handler")):
        for extra in ("", f"?cursor={mine['query_code']}", f"?query_code={mine['query_code']}",
                      "?openid=demo:one", "?citizen_id=1"):  # fmt: skip
            bodies = [call.body] + [{"query_code": mine["query_code"]}] * (name == "claim_review")
            tries += [
                lambda o=other, e=extra, b=body: scene.http.request(  # type: ignore[misc]
                    call.method, call.path.partition("?")[0] + e, json=b, headers=o
                )
                for body in bodies
            ]
    for attempt in tries:
        answer = await attempt()
        assert not [mark for mark in marks if mark in answer.text], answer.text
    assert await _all_of(scene, one) == untouched, "and nothing of his was changed"


async def _all_of(scene: Scene, headers: dict[str, str]) -> list[str]:
    answers = [await scene.http.get(path, headers=headers) for path in (REVIEWS, EXPORT, GRANTS)]
    assert {answer.status_code for answer in answers} == {200}
    return [json.dumps(answer.json(), ensure_ascii=False) for answer in answers]


async def test_an_answer_kept_for_one_is_not_given_to_another_with_the_same_key(
    scene: Scene,
) -> None:
    _, taken = await scene.rated()
    one, two = await scene.citizen("demo:one"), await scene.citizen("demo:two")
    body = {"query_code": taken["query_code"]}
    answers = [
        await scene.http.post(CLAIMS, json=body, headers=who | {"Idempotency-Key": "same"})
        for who in (one, one, two)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 409]


async def test_the_agency_sees_nothing_of_who_was_signed_in(scene: Scene) -> None:
    me = await scene.citizen("demo:one")
    taken = await rate(scene, me)
    await undo_time_is_over(taken)
    number = taken["work_order"]["number"]
    answer = await scene.http.get(
        f"/api/v1/work-orders/{number}", headers=await scene.staff("handler")
    )
    assert answer.status_code == 200
    assert not [word for word in ("demo:one", "mini_program", "citizen") if word in answer.text]
