"""作废: with a reason and a second person; the receipt keeps its review, and nobody learns of one."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from factories import HOUSING, LABOUR, City, a_bad_review
from httpx import Response
from phones import Handset, tick

from server.kit import sql
from server.kit.clock import clock
from server.people.models import Staff
from server.people.rules import Role
from server.people.service import Member
from server.receipts import voiding
from server.receipts.models import Receipt, Void
from server.reviews import invitations
from server.settings import Settings


async def ask(
    http: httpx.AsyncClient, city: City, receipt_id: str, agency: str = HOUSING, **body: Any
) -> Response:
    path, system = f"/api/v1/receipts/{receipt_id}/void", await city.system(http, agency)
    return await http.post(path, json={"reason": "办件号录错"} | body, headers=system)


async def lead(username: str = "lead") -> Member:
    return Member.of(await Staff.get(username=username))


async def another_lead(username: str = "deputy", **changed: Any) -> Member:
    (row,) = await Staff.filter(username="lead").values()
    del row["id"]
    await Staff.create(**(row | {"username": username} | changed))
    return await lead(username)


async def voided(http: httpx.AsyncClient, city: City, receipt_id: str) -> Void:
    assert (await ask(http, city, receipt_id)).status_code == 202
    void = await Void.get(receipt_id=int(receipt_id), state="asked")
    return await voiding.decide(await lead(), void.id, agree=True)


def code_of(receipt: dict[str, Any]) -> str:
    return str(receipt["review_url"]).rpartition("/")[2]


async def state(http: httpx.AsyncClient, city: City, receipt_id: str) -> bool:
    answer = await http.get(f"/api/v1/receipts/{receipt_id}", headers=await city.system(http))
    return bool(answer.json()["voided"])


async def test_a_receipt_is_voided_by_a_second_person_and_rates_no_more(
    http: httpx.AsyncClient, city: City
) -> None:
    receipt = await city.receipt(http)
    number = receipt["receipt_id"]
    asked = await ask(http, city, number)
    assert (asked.status_code, asked.json()) == (202, {"receipt_id": number})
    assert not await state(http, city, number), "asked for is not voided"
    void = await Void.get()
    assert (void.reason, void.asked_by, void.state) == (
        "办件号录错",
        f"client:c-{HOUSING}",
        "asked",
    )
    await voiding.decide(await lead(), void.id, agree=True, words="同意")
    assert await state(http, city, number)
    answer = await http.post(f"/api/v1/e/{code_of(receipt)}/review", json=a_bad_review())
    assert (answer.status_code, answer.json()["code"]) == (410, "review_closed")
    void, row = await Void.get(), await Receipt.get(id=int(number))
    assert void.decided_by == (await lead()).id and void.asked_at <= void.decided_at
    assert row.voided_at is not None and abs(row.voided_at - void.decided_at) < timedelta(seconds=2)


async def test_the_answer_is_the_same_whether_it_was_rated_asked_for_or_voided(
    http: httpx.AsyncClient, city: City
) -> None:
    fresh, rated, asked, gone = [await city.receipt(http) for _ in range(4)]
    await http.post(f"/api/v1/e/{code_of(rated)}/review", json=a_bad_review())
    await ask(http, city, asked["receipt_id"])
    await voided(http, city, gone["receipt_id"])
    answers = [await ask(http, city, one["receipt_id"]) for one in (fresh, rated, asked, gone)]
    told = {
        (a.status_code, a.text.replace(one["receipt_id"], "N"), tuple(sorted(a.headers)))
        for a, one in zip(answers, (fresh, rated, asked, gone), strict=True)
    }
    assert len(told) == 1
    assert await Void.all().count() == 4, "asked twice is asked once"


async def test_its_review_stays_and_its_order_goes_on(http: httpx.AsyncClient, city: City) -> None:
    receipt = await city.receipt(http)
    taken = await http.post(f"/api/v1/e/{code_of(receipt)}/review", json=a_bad_review())
    await voided(http, city, receipt["receipt_id"])
    (review,) = await sql.fetch("SELECT * FROM reviews")
    assert (review["state"], review["level"]) == ("standing", 1)
    track = (await http.get(f"/api/v1/track/{taken.json()['query_code']}")).json()
    assert track["work_order"]["number"] == taken.json()["work_order"]["number"]
    undo = await http.post(
        f"/api/v1/e/{code_of(receipt)}/undo", json={"query_code": taken.json()["query_code"]}
    )
    assert undo.status_code == 200, "his ten minutes are his"
    again = await http.post(f"/api/v1/e/{code_of(receipt)}/review", json={"level": 5})
    assert again.json()["code"] == "review_closed"


@pytest.mark.parametrize("reason", ["", "  \u3000", "\u200b", "x" * 201, "x" * 2000])
async def test_a_reason_is_needed_and_has_an_end(
    http: httpx.AsyncClient, city: City, reason: str
) -> None:
    number = (await city.receipt(http))["receipt_id"]
    assert (await ask(http, city, number, reason=reason)).status_code == 422
    for body in ({"reason": None}, {"reason": 7}, {"reason": "a\0b"}):
        assert (await ask(http, city, number, **body)).status_code == 422
    assert await Void.all().count() == 0


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 18, "9" * 40, "1%00", "１"])
async def test_an_unknown_receipt_is_unknown(
    http: httpx.AsyncClient, city: City, number: str
) -> None:
    assert (await ask(http, city, number)).json()["code"] == "unknown_receipt"


async def test_another_agencys_receipt_and_what_is_no_receipt_do_not_exist(
    http: httpx.AsyncClient, city: City
) -> None:
    theirs = (await city.receipt(http, LABOUR))["receipt_id"]
    assert (await ask(http, city, theirs)).json()["code"] == "unknown_receipt"
    await http.post("/api/v1/h/H1/A1/review", json=a_bad_review())
    (visit,) = await sql.fetch("SELECT id FROM receipts WHERE channel = 'wall'")
    assert (await ask(http, city, str(visit["id"]))).json()["code"] == "unknown_receipt"
    grievance = (await city.receipt(http))["receipt_id"]
    await sql.fetch(
        "UPDATE receipts SET channel = 'grievance', phone_key = NULL, invite_at = NULL, "
        "officer_number = NULL WHERE id = $1", int(grievance),
    )  # fmt: skip
    assert (await ask(http, city, grievance)).json()["code"] == "unknown_receipt"
    assert await Void.all().count() == 0


async def test_who_asked_does_not_decide_and_neither_does_a_handler_or_another_agency(
    http: httpx.AsyncClient, city: City
) -> None:
    receipt = await Receipt.get(id=int((await city.receipt(http))["receipt_id"]))
    boss, handler = await lead(), await lead("handler")
    assert await voiding.ask_by_hand(boss, str(receipt.id), receipt.case_number, "录错")
    void = await Void.get()
    with pytest.raises(voiding.AskedByYou):
        await voiding.decide(boss, void.id, agree=True)
    with pytest.raises(voiding.Denied):
        await voiding.decide(handler, void.id, agree=True)
    theirs = await another_lead("theirs", agency_code=LABOUR)
    supervisor = await lead("supervisor")
    for stranger in (theirs, supervisor):
        with pytest.raises(voiding.UnknownVoid):
            await voiding.decide(stranger, void.id, agree=True)
    assert (await Void.get()).state == "asked" and (await Receipt.get()).voided_at is None
    deputy = await another_lead()
    assert (await voiding.decide(deputy, void.id, agree=True)).state == "voided"


async def test_the_database_itself_refuses_the_same_person(
    http: httpx.AsyncClient, city: City
) -> None:
    receipt = await Receipt.get(id=int((await city.receipt(http))["receipt_id"]))
    boss = await lead()
    await voiding.ask_by_hand(boss, str(receipt.id), receipt.case_number, "录错")
    for state_, by, at in (
        ("voided", boss.id, clock.now()), ("voided", None, None), ("voided", boss.id + 1, None),
        ("asked", boss.id + 1, clock.now()),
    ):  # fmt: skip
        with pytest.raises(asyncpg.CheckViolationError, match="void_needs_a_second_person"):
            await sql.fetch(
                "UPDATE voids SET state = $1, decided_by = $2, decided_at = $3", state_, by, at
            )


async def test_by_hand_the_case_number_proves_that_this_one_is_meant(
    http: httpx.AsyncClient, city: City
) -> None:
    receipt = await Receipt.get(id=int((await city.receipt(http))["receipt_id"]))
    theirs = await Receipt.get(id=int((await city.receipt(http, LABOUR))["receipt_id"]))
    handler = await lead("handler")
    details = set()
    for number, case in (
        (str(receipt.id), "CASE-1"), (str(receipt.id), ""), ("999", receipt.case_number),
        (str(theirs.id), theirs.case_number), ("x", receipt.case_number), ("9" * 40, "x"),
    ):  # fmt: skip
        with pytest.raises(voiding.NoSuchReceipt) as refusal:
            await voiding.ask_by_hand(handler, number, case, "录错")
        details.add(refusal.value.detail)
    assert len(details) == 1
    with pytest.raises(voiding.Denied):
        await voiding.ask_by_hand(
            await lead("supervisor"), str(receipt.id), receipt.case_number, "录错"
        )
    assert await voiding.ask_by_hand(handler, f" {receipt.id} ", f" {receipt.case_number} ", "录错")
    assert not await voiding.ask_by_hand(handler, str(receipt.id), receipt.case_number, "录错")


async def test_what_was_refused_may_be_asked_for_anew_and_what_is_voided_stays_so(
    http: httpx.AsyncClient, city: City
) -> None:
    number = (await city.receipt(http))["receipt_id"]
    await ask(http, city, number)
    first = await Void.get()
    with pytest.raises(voiding.ReasonMissing):
        await voiding.decide(await lead(), first.id, agree=False)
    refused = await voiding.decide(await lead(), first.id, agree=False, words="办件是真的")
    assert (refused.state, refused.words) == ("refused", "办件是真的")
    assert not await state(http, city, number)
    await voided(http, city, number)
    for agree in (True, False):
        with pytest.raises(voiding.VoidDecided):
            await voiding.decide(await lead(), first.id, agree=agree, words="x")
    assert await state(http, city, number)
    assert [void.state for void in await voiding.history(int(number))] == ["refused", "voided"]


# At once


async def test_twenty_asks_at_once_are_one(http: httpx.AsyncClient, city: City) -> None:
    number = (await city.receipt(http))["receipt_id"]
    answers = await asyncio.gather(*(ask(http, city, number) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert await Void.all().count() == 1


async def test_of_two_decisions_at_once_one_is_taken(http: httpx.AsyncClient, city: City) -> None:
    boss, deputy = await lead(), await another_lead()
    for _ in range(5):
        number = (await city.receipt(http))["receipt_id"]
        await ask(http, city, number)
        void = await Void.get(receipt_id=int(number))
        done = await asyncio.gather(
            voiding.decide(boss, void.id, agree=True),
            voiding.decide(deputy, void.id, agree=False, words="不同意"),
            voiding.decide(deputy, void.id, agree=True), return_exceptions=True,
        )  # fmt: skip
        assert sum(isinstance(one, Void) for one in done) == 1
        assert sum(isinstance(one, voiding.VoidDecided) for one in done) == 2
        stored = await Void.get(id=void.id)
        assert await state(http, city, number) is (stored.state == "voided")


async def test_who_rates_while_it_is_voided_was_first_or_finds_it_closed(
    http: httpx.AsyncClient, city: City
) -> None:
    boss = await lead()
    seen = set()
    for round_ in range(24):
        receipt = await city.receipt(http)
        await ask(http, city, receipt["receipt_id"])
        void = await Void.get(receipt_id=int(receipt["receipt_id"]))

        async def rate(code: str = code_of(receipt), late: float = round_ % 6 * 0.002) -> Response:
            await asyncio.sleep(late)
            return await http.post(f"/api/v1/e/{code}/review", json=a_bad_review())

        answer, _ = await asyncio.gather(rate(), voiding.decide(boss, void.id, agree=True))
        row = await Receipt.get(id=int(receipt["receipt_id"]))
        reviews = await sql.fetch("SELECT at FROM reviews WHERE receipt_id = $1", row.id)
        assert row.voided_at is not None
        if answer.status_code == 201:
            assert len(reviews) == 1 and reviews[0]["at"] <= row.voided_at
        else:
            assert (answer.status_code, answer.json()["code"]) == (410, "review_closed")
            assert reviews == []
        seen.add(answer.status_code)
    assert seen <= {201, 410}


async def test_a_rating_that_comes_while_the_voiding_is_not_committed_waits_and_finds_it_closed(
    http: httpx.AsyncClient, city: City, servers: Settings
) -> None:
    receipt = await city.receipt(http)
    connection = await asyncpg.connect(servers.database_url)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT 1 FROM receipts WHERE id = $1 FOR UPDATE", int(receipt["receipt_id"])
            )
            await connection.execute("UPDATE receipts SET voided_at = $1", clock.now())
            rating = asyncio.create_task(
                http.post(f"/api/v1/e/{code_of(receipt)}/review", json={"level": 5})
            )
            await asyncio.sleep(0.3)
            assert not rating.done()
        answer = await rating
    finally:
        await connection.close()
    assert answer.json()["code"] == "review_closed"
    assert await sql.fetch("SELECT 1 FROM reviews") == []


# By SMS


async def test_the_open_question_about_it_ends_and_the_phone_is_free(
    http: httpx.AsyncClient, hall: City, phone: Handset
) -> None:
    receipt = await hall.receipt(http)
    await tick()
    assert await phone.questions() == [("level", "open")]
    await voided(http, hall, receipt["receipt_id"])
    (job,) = await sql.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'voided'")
    assert str(receipt["receipt_id"]) in bytes(job["payload"]).decode()
    assert await invitations.end_of_voided(int(receipt["receipt_id"])) == 1
    assert await phone.questions() == [("level", "needless")]
    await phone.writes("5")
    assert await sql.fetch("SELECT 1 FROM reviews") == []


# Reading


async def test_the_agencys_list_names_the_case_and_never_a_rating(
    http: httpx.AsyncClient, city: City
) -> None:
    numbers = [(await city.receipt(http))["receipt_id"] for _ in range(3)]
    for number in numbers:
        await ask(http, city, number)
    await ask(http, city, (await city.receipt(http, LABOUR))["receipt_id"], LABOUR)
    boss = await lead()
    found = await voiding.listed(HOUSING, waiting=True, limit=2)
    assert [str(one.void.receipt_id) for one in found] == numbers[:0:-1]
    rest = await voiding.listed(HOUSING, waiting=True, before=found[-1].void.id)
    assert [str(one.void.receipt_id) for one in rest] == numbers[:1]
    assert rest[0].case_number == (await Receipt.get(id=int(numbers[0]))).case_number
    assert await voiding.waiting_for(boss) == 3
    assert await voiding.waiting_for(await lead("handler")) == 0
    await voiding.decide(boss, found[0].void.id, agree=True)
    assert await voiding.waiting_for(boss) == 2
    assert len(await voiding.listed(HOUSING, waiting=False)) == 1
    assert boss.role is Role.AGENCY_LEAD
