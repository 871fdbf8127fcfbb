"""The agency's desk: what it sees, what it may do, and what it never learns."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from factories import HOUSING, JOINT_MATTER, LABOUR, City, a_bad_review, a_receipt
from httpx import AsyncClient, Response
from kit.calls import Scene

from server.kit import sql
from server.kit.clock import clock
from server.kit.log import AllowListed
from server.people.models import Staff

ORDERS = "/api/v1/work-orders"
ANSWER = {"disposition": "fixed", "text": "已整改"}


@pytest.fixture
def scene(http: AsyncClient, city: City) -> Scene:
    return Scene(http, city)


async def move(
    scene: Scene, number: str, what: str, username: str = "handler", **body: Any
) -> Response:
    headers = await scene.staff(username)
    return await scene.http.post(f"{ORDERS}/{number}/{what}", json=body, headers=headers)


async def inbox(scene: Scene, username: str = "handler", **query: Any) -> dict[str, Any]:
    answer = await scene.http.get(ORDERS, params=query, headers=await scene.staff(username))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def see(scene: Scene, number: str, username: str = "handler") -> Response:
    return await scene.http.get(f"{ORDERS}/{number}", headers=await scene.staff(username))


def told(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_an_order_is_seen_when_the_undo_time_is_over_and_not_a_second_before(
    scene: Scene,
) -> None:
    _, taken = await scene.rated()
    number = taken["work_order"]["number"]
    clock.advanced += timedelta(minutes=9, seconds=50)
    assert (await inbox(scene))["items"] == []
    assert told(await see(scene, number)) == (404, "unknown_work_order")
    assert told(await move(scene, number, "accept")) == (404, "unknown_work_order")
    clock.advanced += timedelta(seconds=11)
    assert [order["number"] for order in (await inbox(scene))["items"]] == [number]
    assert (await see(scene, number)).status_code == 200


async def test_an_order_has_all_the_contract_names(scene: Scene) -> None:
    order = (await see(scene, (await scene.order())["number"])).json()
    wanted = {
        "number", "origin", "state", "agency_code", "matter", "window", "level", "tags", "words",
        "opened_on", "due_at", "next_due_at", "overdue", "may", "steps",
    }  # fmt: skip
    assert wanted <= set(order)
    assert (order["state"], order["agency_code"], order["level"]) == ("assigned", HOUSING, 1)
    assert (order["may"], order["may_record"]) == (["accept"], [])
    assert order["due_at"].endswith("T23:59:59+08:00")


async def test_each_sees_his_own_part_of_the_world(scene: Scene) -> None:
    number = (await scene.order())["number"]
    for username, seen in (
        ("handler", 1),
        ("lead", 1),
        ("supervisor", 1),
        ("other", 0),
        ("desk", 0),
    ):
        assert len((await inbox(scene, username))["items"]) == seen, username
        assert (await see(scene, number, username)).status_code == (200 if seen else 404), username
    await Staff.filter(username="supervisor").update(region_code="990102000000")
    assert (await see(scene, number, "supervisor")).status_code == 404


async def test_a_co_handler_reads_along_and_moves_nothing(scene: Scene) -> None:
    code = await scene.city.code(scene.http, LABOUR, matter_code=JOINT_MATTER)
    taken = (await scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review())).json()
    clock.advanced += timedelta(minutes=11)
    number = taken["work_order"]["number"]
    order = (await see(scene, number)).json()
    assert (order["agency_code"], order["co_agency_codes"], order["may"]) == (LABOUR, [HOUSING], [])
    assert told(await move(scene, number, "accept")) == (403, "wrong_role")
    assert order["may_record"] == ["part"]
    assert (await see(scene, number, "other")).json()["may"] == ["accept"]


async def test_the_supervisor_sees_and_does_not_do_the_agencys_work(scene: Scene) -> None:
    number = (await scene.order())["number"]
    assert told(await move(scene, number, "accept", "supervisor")) == (403, "wrong_role")
    assert told(await move(scene, number, "answer", "supervisor", **ANSWER)) == (403, "wrong_role")


async def test_the_moves_come_in_the_order_of_the_table(scene: Scene) -> None:
    number = (await scene.order())["number"]
    assert told(await move(scene, number, "answer", **ANSWER)) == (409, "illegal_move")
    accepted = (await move(scene, number, "accept")).json()
    assert (accepted["state"], accepted["may"]) == ("accepted", ["ask", "answer"])
    assert accepted["next_due_at"] == accepted["due_at"]
    assert told(await move(scene, number, "accept", "lead")) == (409, "illegal_move")
    answered = (await move(scene, number, "answer", "lead", **ANSWER)).json()
    assert (answered["state"], answered["may"]) == ("answered", ["merge"])
    assert answered["overdue"] is False
    assert [step["move"] for step in answered["steps"]] == ["open", "accept", "answer"]
    assert told(await move(scene, number, "answer", **ANSWER)) == (409, "illegal_move")


async def test_an_answer_has_words_and_a_disposition(scene: Scene) -> None:
    number = (await scene.order("accept"))["number"]
    for text in ("", "  ", "\u200b\n"):
        assert told(await move(scene, number, "answer", **ANSWER | {"text": text})) == (
            422,
            "blank_text",
        )
    for body, field in (
        ({"text": "x"}, "disposition"), ({"disposition": "fixed"}, "text"),
        (ANSWER | {"disposition": "ignored"}, "disposition"), (ANSWER | {"text": "x" * 2001}, "text"),
        (ANSWER | {"legal_basis": "x" * 1001}, "legal_basis"),
    ):  # fmt: skip
        answer = await move(scene, number, "answer", **body)
        assert told(answer) == (422, "invalid_body")
        assert answer.json()["errors"][0]["field"] == field
    explained = await move(
        scene, number, "answer", disposition="explained", text="x", legal_basis=" 《条例》 "
    )
    assert explained.json()["steps"][-1]["legal_basis"] == "《条例》"


async def test_two_who_accept_at_once_are_one(scene: Scene) -> None:
    number = (await scene.order())["number"]
    await scene.staff("handler")
    await scene.staff("lead")
    answers = await asyncio.gather(
        *(move(scene, number, "accept", username) for username in ("handler", "lead") * 4)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


async def test_an_idempotency_key_makes_a_move_once(scene: Scene) -> None:
    number = (await scene.order())["number"]
    headers = await scene.staff("handler") | {"Idempotency-Key": "k"}
    answers = [
        await scene.http.post(f"{ORDERS}/{number}/accept", json={}, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content


async def test_a_move_that_is_nobodys_at_the_desk_has_no_door(scene: Scene) -> None:
    number = (await scene.order())["number"]
    for what in ("dismiss", "withdraw", "confirm", "contest", "silence", "resume", "open", "q7Zx"):
        assert (await move(scene, number, what)).status_code in (404, 405)


# The list


async def closed(scene: Scene) -> str:
    taken = await scene.order("accept", "answer")
    answer = await scene.http.post(
        f"/api/v1/track/{taken['query_code']}/confirmation", json={"satisfied": True}
    )
    assert answer.json()["work_order"]["state"] == "closed"
    return str(taken["number"])


async def pages(scene: Scene, **query: Any) -> list[str]:
    found: list[str] = []
    cursor = ""
    for _ in range(20):
        page = await inbox(scene, limit=1, **query, **({"cursor": cursor} if cursor else {}))
        found += [order["number"] for order in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found
    raise AssertionError(f"the list has no end: {found}")


async def test_turning_the_pages_shows_every_order_once_closed_ones_too(scene: Scene) -> None:
    numbers = {(await scene.order())["number"], (await scene.order("accept"))["number"]}
    numbers |= {await closed(scene) for _ in range(3)}
    found = await pages(scene)
    assert sorted(found) == sorted(numbers)
    assert set(found[-3:]) == set(await pages(scene, state="closed"))


async def test_what_is_overdue_comes_first_and_can_be_asked_for(scene: Scene) -> None:
    young = (await scene.order())["number"]
    late = (await scene.order())["number"]
    await sql.fetch("UPDATE work_orders SET next_due_at = $1 WHERE number = $2", clock.now(), late)
    clock.advanced += timedelta(seconds=2)
    items = (await inbox(scene))["items"]
    assert [(item["number"], item["overdue"]) for item in items] == [(late, True), (young, False)]
    assert [item["number"] for item in (await inbox(scene, overdue="true"))["items"]] == [late]
    assert [item["number"] for item in (await inbox(scene, overdue="false"))["items"]] == [young]


# What the agency never learns

NAME, PHONE, CASE = "王小明", "13800138000", "CASE-CANARY-20261121-0001"
WORDS = f"我是{NAME}，电话{PHONE}，办件{CASE}，排队两小时"


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """What the product would have written, and what the libraries said below it, as it would stand."""
    written: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record))

    handler, root = Kept(), logging.getLogger()
    handler.setFormatter(AllowListed())
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


async def _whole_loop(scene: Scene, seen: list[str]) -> list[str]:
    """Rates, answers, contests and supplements; gives what must not be seen anywhere."""
    applicant = {"kind": 1, "name": NAME, "phone": PHONE}
    code = await scene.city.code(scene.http, case_number=CASE, applicant=applicant)
    at = clock.now()
    rated = await scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review(comment=WORDS))
    taken = rated.json()
    number, query_code = taken["work_order"]["number"], taken["query_code"]
    clock.advanced += timedelta(hours=3)

    async def look() -> None:
        for username in ("handler", "lead", "supervisor"):
            seen.append((await see(scene, number, username)).text)
            seen.append(str(await inbox(scene, username)))

    await look()
    seen.append((await move(scene, number, "accept")).text)
    seen.append((await move(scene, number, "answer", **ANSWER)).text)
    supplement = {"comment": f"补充：{WORDS}"}
    said = await scene.http.post(f"/api/v1/track/{query_code}/supplement", json=supplement)
    assert said.status_code == 200, said.text
    contest = {"satisfied": False, "comment": f"不认可，{WORDS}"}
    judged = await scene.http.post(f"/api/v1/track/{query_code}/confirmation", json=contest)
    assert judged.status_code == 200, judged.text
    await look()
    exact = [f"{at:%Y-%m-%dT%H:%M}", taken["undo_until"][:16]]
    return [NAME, PHONE, CASE, query_code, code, *exact]


async def test_neither_the_desk_nor_the_log_learns_who_he_is(
    scene: Scene, log_lines: list[str]
) -> None:
    seen: list[str] = []
    secrets = await _whole_loop(scene, seen)
    answers, log = "\n".join(seen), "\n".join(log_lines)
    assert "排队两小时" in answers, "the words themselves are there"
    assert "request" in log
    for secret in secrets:
        assert secret not in answers, secret
    for secret in secrets[:5]:
        assert secret not in log, secret


async def test_a_real_name_is_a_word_to_the_desk_and_not_the_name(scene: Scene) -> None:
    contact = {"name": "李四海", "phone": "13900139000"}
    words = "我是李四海13900139000"
    _, taken = await scene.rated(
        undo_is_over=True, real_name=True, contact=contact, comment=f"{words}，{WORDS[:5]}"
    )
    order = await see(scene, taken["work_order"]["number"])
    assert order.json()["real_name"] is True
    for secret in ("李四海", "13900139000", NAME):
        assert secret not in order.text


async def test_the_snapshot_in_the_table_is_redacted_too(scene: Scene) -> None:
    """A desk that reads the table by another way finds no more than the API shows."""
    body = a_receipt(case_number=CASE)
    headers = await scene.city.system(scene.http)
    receipt = (await scene.http.post("/api/v1/receipts", json=body, headers=headers)).json()
    code = receipt["review_url"].rpartition("/")[2]
    await scene.http.post(f"/api/v1/e/{code}/review", json=a_bad_review(comment=WORDS))
    for table in ("work_orders", "work_order_steps"):
        stored = repr([dict(row) for row in await sql.fetch(f"SELECT * FROM {table}")])
        assert not any(secret in stored for secret in (NAME, PHONE, CASE, code))
