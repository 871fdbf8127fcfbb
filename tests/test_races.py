"""Whoever comes at the same moment: one wins, the others are told, nothing is done twice.

Half of the requests go to a server process of its own, so that the race is in the database.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest
from durability.neighbour import neighbour
from factories import City, a_bad_review, a_city, a_receipt, run_sql

from server.kit import sql
from server.settings import Settings


@pytest.fixture(scope="module")
async def second(servers: Settings, app: object) -> AsyncIterator[httpx.AsyncClient]:
    """Another server process on the same database."""
    await run_sql("emptied")
    await a_city()  # it reads the catalogue when it starts
    async with neighbour(servers) as client:
        yield client


@pytest.fixture
def doors(
    second: httpx.AsyncClient, http: httpx.AsyncClient, city: City
) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    return http, second


Doors = tuple[httpx.AsyncClient, httpx.AsyncClient]


async def post_at_once(
    doors: Doors, path: str, forms: Iterable[Any], *headers: dict[str, str]
) -> list[httpx.Response]:
    """Every form in turn to the one and the other door, with each of the headers in turn."""
    return await asyncio.gather(*(
        doors[n % 2].post(path, json=form, headers=headers[n // 2 % len(headers)] if headers else {})
        for n, form in enumerate(forms)
    ))  # fmt: skip


def statuses(answers: Iterable[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def count(table: str) -> int:
    (row,) = await sql.fetch(f"SELECT count(*) FROM {table}")
    return int(row[0])


async def assert_one_review_and_one_order(receipt_id: str) -> None:
    rows = await sql.fetch(
        "SELECT r.id, w.number, s.id AS step FROM reviews r "
        "JOIN work_orders w ON w.number = r.order_number AND w.origin_key = r.id "
        "JOIN work_order_steps s ON s.order_id = w.number WHERE r.receipt_id = $1",
        int(receipt_id),
    )
    assert len(rows) == 1
    assert await count("reviews") == await count("work_orders") == await count("work_order_steps")


# Receipts and reviews


async def test_of_fifty_submissions_at_once_one_is_taken_and_every_other_told_so(
    doors: Doors, city: City
) -> None:
    for _ in range(10):
        receipt = await city.receipt(doors[0])
        code = receipt["review_url"].rpartition("/")[2]
        answers = await asyncio.gather(
            *(
                doors[n % 2].post(f"/api/v1/e/{code}/review", json=a_bad_review())
                for n in range(26)
            ),
            *(post_page(doors[n % 2], code, n) for n in range(24)),
        )
        taken = [answer for answer in answers if answer.status_code in (201, 303)]
        assert len(taken) == 1, statuses(answers)
        assert statuses(answers)[409] == 49
        await assert_one_review_and_one_order(receipt["receipt_id"])


async def post_page(door: httpx.AsyncClient, code: str, number: int) -> httpx.Response:
    """A form of the page, filled in and confirmed."""
    form = {
        "level": "1", "tags1": "115", "comment": "排队两小时", "step": "confirm",
        "attempt": f"attempt-of-the-race-{number}",
    }  # fmt: skip
    return await door.post(f"/e/{code}", data=form, headers={"Accept": "text/html"})


async def test_the_same_page_form_sent_twenty_times_at_once_is_one_review(
    doors: Doors, city: City
) -> None:
    receipt = await city.receipt(doors[0])
    code = receipt["review_url"].rpartition("/")[2]
    answers = await asyncio.gather(*(post_page(doors[n % 2], code, 0) for n in range(20)))
    assert statuses(answers) == {303: 20}
    assert len({answer.headers["location"] for answer in answers}) == 1
    await assert_one_review_and_one_order(receipt["receipt_id"])


async def test_the_same_receipt_pushed_twenty_times_at_once_is_one_receipt(
    doors: Doors, city: City
) -> None:
    system, form = await city.system(doors[0]), a_receipt()
    answers = await post_at_once(doors, "/api/v1/receipts", [form] * 20, system)
    assert statuses(answers) == {201: 1, 200: 19}
    assert len({answer.json()["receipt_id"] for answer in answers}) == 1
    assert await count("receipts") == 1


async def test_of_different_contents_for_one_service_exactly_one_is_issued(
    doors: Doors, city: City
) -> None:
    system, form = await city.system(doors[0]), a_receipt()
    forms = [form | {"applicant": {"kind": 1, "name": f"王{n}"}} for n in range(20)]
    answers = await post_at_once(doors, "/api/v1/receipts", forms, system)
    assert statuses(answers) == {201: 1, 409: 19}
    refusals = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(refusals) == {"receipt_conflict"}
    assert await count("receipts") == 1


async def test_batches_that_overlap_in_opposite_order_do_not_block_each_other(
    doors: Doors, city: City
) -> None:
    system = await city.system(doors[0])
    for _ in range(5):
        rows = [a_receipt() for _ in range(400)]
        batches = [{"receipts": rows[:300]}, {"receipts": rows[:99:-1]}] * 3
        answers = await post_at_once(doors, "/api/v1/receipts/batch", batches, system)
        assert statuses(answers) == {200: 6}
        results = [row for answer in answers for row in answer.json()["results"]]
        assert Counter(row["status"] for row in results) == {201: 400, 200: 1400}


async def test_a_submission_against_a_voided_receipt_is_taken_or_refused_but_never_fails(
    doors: Doors, city: City
) -> None:
    for _ in range(10):
        receipt = await city.receipt(doors[0])
        code = receipt["review_url"].rpartition("/")[2]
        void = sql.fetch(
            "UPDATE receipts SET voided_at = now() WHERE id = $1", int(receipt["receipt_id"])
        )
        answers, _ = await asyncio.gather(
            post_at_once(doors, f"/api/v1/e/{code}/review", [a_bad_review()] * 6), void
        )
        assert set(statuses(answers)) <= {201, 409, 410}
        assert statuses(answers)[201] <= 1


# Idempotency-Key


async def test_twenty_requests_with_one_key_are_one_receipt_and_one_answer(
    doors: Doors, city: City
) -> None:
    keyed = await city.system(doors[0]) | {"Idempotency-Key": "one"}
    answers = await post_at_once(doors, "/api/v1/receipts", [a_receipt()] * 20, keyed)
    assert statuses(answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    assert await count("receipts") == 1


async def test_twenty_requests_with_one_key_are_one_review_and_one_answer(
    doors: Doors, city: City
) -> None:
    receipt = await city.receipt(doors[0])
    path = f"/api/v1/e/{receipt['review_url'].rpartition('/')[2]}/review"
    answers = await post_at_once(doors, path, [a_bad_review()] * 20, {"Idempotency-Key": "one"})
    assert statuses(answers) == {201: 20}
    assert len({answer.content for answer in answers}) == 1
    await assert_one_review_and_one_order(receipt["receipt_id"])


async def test_twenty_requests_with_one_key_accept_an_order_once(doors: Doors, city: City) -> None:
    number, _ = await a_visible_order(doors, city)
    keyed = await city.staff(doors[0], "handler") | {"Idempotency-Key": "one"}
    answers = await post_at_once(doors, f"/api/v1/work-orders/{number}/accept", [{}] * 20, keyed)
    assert statuses(answers) == {200: 20}
    assert len({answer.content for answer in answers}) == 1
    assert await moves_of(number) == ["open", "accept"]


@pytest.mark.parametrize("what", ["receipts", "review"])
async def test_of_two_contents_under_one_key_at_once_one_is_refused(
    doors: Doors, city: City, what: str
) -> None:
    keyed = {"Idempotency-Key": "one"}
    if what == "receipts":
        path, forms = "/api/v1/receipts", [a_receipt(), a_receipt()]
        keyed |= await city.system(doors[0])
    else:
        path = f"/api/v1/e/{await city.code(doors[0])}/review"
        forms = [a_bad_review(), a_bad_review(comment="态度不好")]
    answers = await post_at_once(doors, path, [forms[n // 2 % 2] for n in range(20)], keyed)
    assert statuses(answers) == {201: 10, 409: 10}
    refusals = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert set(refusals) == {"idempotency_conflict"}
    assert await count("receipts") == 1


# Orders


async def a_visible_order(doors: Doors, city: City) -> tuple[str, str]:
    """Number and query code of an order whose undo time is over, whatever clock one has."""
    code = await city.code(doors[0])
    taken = (await doors[0].post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()
    for statement in (
        "UPDATE work_orders SET visible_from = visible_from - interval '11 minutes'",
        "UPDATE reviews SET undo_until = undo_until - interval '11 minutes'",
    ):
        await sql.fetch(statement)
    return taken["work_order"]["number"], taken["query_code"]


async def moves_of(number: str) -> list[str]:
    rows = await sql.fetch(
        "SELECT move FROM work_order_steps WHERE order_id = $1 ORDER BY id", number
    )
    return [row["move"] for row in rows]


async def test_of_two_handlers_who_accept_at_once_one_has_the_order(
    doors: Doors, city: City
) -> None:
    handlers = [await city.staff(doors[0], name) for name in ("handler", "lead")]
    for _ in range(5):
        number, _ = await a_visible_order(doors, city)
        path = f"/api/v1/work-orders/{number}/accept"
        answers = await asyncio.gather(
            *(
                door.post(path, json={}, headers=who)
                for door, who in zip(doors, handlers, strict=True)
            )
        )
        assert statuses(answers) == {200: 1, 409: 1}
        assert await moves_of(number) == ["open", "accept"]


async def test_of_content_and_not_content_at_once_one_counts(doors: Doors, city: City) -> None:
    handler = await city.staff(doors[0], "handler")
    for _ in range(5):
        number, query_code = await a_visible_order(doors, city)
        for move, form in (
            ("accept", {}),
            ("answer", {"disposition": "fixed", "text": "已增开窗口"}),
        ):
            path = f"/api/v1/work-orders/{number}/{move}"
            assert (await doors[0].post(path, json=form, headers=handler)).status_code == 200
        verdicts = [{"satisfied": True}, {"satisfied": False, "comment": "没有改"}]
        answers = await post_at_once(doors, f"/api/v1/track/{query_code}/confirmation", verdicts)
        assert statuses(answers) == {200: 1, 409: 1}
        assert await moves_of(number) in (
            ["open", "accept", "answer", "confirm"], ["open", "accept", "answer", "contest"],
        )  # fmt: skip


# Undo


async def a_fresh_review(door: httpx.AsyncClient, city: City) -> tuple[str, dict[str, Any]]:
    code = await city.code(door)
    return code, (await door.post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()


async def test_of_two_undos_at_once_one_counts(doors: Doors, city: City) -> None:
    for _ in range(5):
        code, taken = await a_fresh_review(doors[0], city)
        undo = {"query_code": taken["query_code"]}
        answers = await post_at_once(doors, f"/api/v1/e/{code}/undo", [undo] * 6)
        assert statuses(answers)[200] == 1
        assert set(statuses(answers)) <= {200, 409, 410}
        assert await moves_of(taken["work_order"]["number"]) == ["open", "withdraw"]
        assert (await doors[1].get(f"/api/v1/e/{code}")).json()["state"] == "open"
