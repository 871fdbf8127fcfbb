"""“不是我评的”: proven by the receipt's phone, and nobody at the window hears of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from factories import HOUSING, City, a_bad_review
from httpx import AsyncClient
from integrity.owner import Owner, another, proofs_on
from phones import PHONE, Handset, at_o_clock, pass_time, policy, tick

from server.appeals.exclusion import Decision, exclude
from server.integrity import objections, proofs
from server.integrity.models import Objection, Suspicion
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.transaction import transaction
from server.messages.rules import MessageState, Purpose
from server.messages.steps import obstacle
from server.receipts.models import Receipt
from server.reviews import service
from server.reviews.models import Review
from server.reviews.rules import Excluded

OTHER = "13900139000"
GOOD = {"level": 5, "tags": [], "comment": ""}


@pytest.fixture
async def hall(city: City) -> AsyncIterator[City]:
    clock.advanced += at_o_clock(10)
    yield city


async def rates(http: AsyncClient, code: str, **review: Any) -> dict[str, Any]:
    answer = await http.post(f"/api/v1/e/{code}/review", json=review or GOOD)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def a_praise(http: AsyncClient, city: City, **receipt: Any) -> tuple[Owner, dict[str, Any]]:
    """A slip that somebody else has rated 5, and its owner."""
    code = await city.code(http, **receipt)
    return Owner(http, code), await rates(http, code)


async def new_code(owner: Owner) -> str:
    answer = await owner.objects()
    assert answer.status_code == 201, answer.text
    return str(answer.json()["review_code"])


async def states(code: str) -> list[tuple[int, str]]:
    rows = await Review.filter(receipt_id=service.number_of(code)).order_by("at", "id")
    return [(row.level, row.state) for row in rows]


async def state_of(http: AsyncClient, code: str) -> dict[str, Any]:
    return dict((await http.get(f"/api/v1/e/{code}")).json())


# What it does


async def test_an_objection_suspends_the_review_and_opens_its_verification(
    http: AsyncClient, hall: City
) -> None:
    owner, _ = await a_praise(http, hall)
    answer = (await owner.objects()).json()
    assert answer["review_url"] == f"http://pj.test/e/{answer['review_code']}"
    assert (
        len(answer["review_url"]) - len("http://pj.test") + len("https://pj.example.gov.cn") <= 62
    )
    until = datetime.fromisoformat(answer["open_until"])
    assert until.date() == clock.now().astimezone(BEIJING).date() + timedelta(days=7)
    assert await states(owner.code) == [(5, "suspended")]
    suspicion, objection = await Suspicion.get(), await Objection.get()
    assert (suspicion.rule, suspicion.state, suspicion.window_code) == ("objected", "open", "A1")
    assert suspicion.review_id == objection.review_id
    assert suspicion.due_at > clock.now() + timedelta(days=4)
    evidence = json.loads(suspicion.evidence)
    assert set(evidence) == {"level", "channel", "objection", "seconds"}
    assert PHONE not in suspicion.evidence


async def test_the_old_code_is_used_up_and_the_new_one_opens_the_ordinary_form(
    http: AsyncClient, hall: City
) -> None:
    owner, _ = await a_praise(http, hall)
    before = await state_of(http, owner.code)
    code = await new_code(owner)
    assert await state_of(http, owner.code) == before, "its holder learns nothing"
    late = await http.post(f"/api/v1/e/{owner.code}/review", json=GOOD)
    assert (late.status_code, late.json()["code"]) == (409, "already_reviewed")
    assert (await state_of(http, code))["state"] == "open"
    taken = await rates(http, code, **a_bad_review())
    assert taken["work_order"]
    assert await states(owner.code) == [(5, "suspended"), (1, "standing")]
    assert (await state_of(http, code))["state"] == "reviewed"
    assert await state_of(http, owner.code) == before


async def test_his_own_review_can_be_undone_once_whatever_the_first_rater_took_back(
    http: AsyncClient, hall: City
) -> None:
    code = await hall.code(http)
    first = await rates(http, code, **a_bad_review())
    undone = await http.post(f"/api/v1/e/{code}/undo", json={"query_code": first["query_code"]})
    assert undone.status_code == 200
    await rates(http, code)
    owner = Owner(http, code)
    mine = await new_code(owner)
    for expected in (200, 409):
        taken = await rates(http, mine, **a_bad_review())
        body = {"query_code": taken["query_code"]}
        answer = await http.post(f"/api/v1/e/{mine}/undo", json=body)
        assert answer.status_code == expected, answer.text


async def test_the_page_of_an_undone_first_review_leads_to_no_newer_code(
    http: AsyncClient, hall: City
) -> None:
    code = await hall.code(http)
    first = await rates(http, code, **a_bad_review())
    await http.post(f"/api/v1/e/{code}/undo", json={"query_code": first["query_code"]})
    clock.advanced += timedelta(seconds=1)
    await rates(http, code)
    mine = await new_code(Owner(http, code))
    page = (await http.get(f"/t/{first['query_code']}")).text
    assert mine not in page and "/e/" not in page
    taken = await rates(http, mine, **a_bad_review())
    await http.post(f"/t/{taken['query_code']}/undo")
    assert f"/e/{mine}" in (await http.get(f"/t/{taken['query_code']}")).text


async def test_the_issuer_sees_the_same_receipt_as_before(http: AsyncClient, hall: City) -> None:
    receipt = await hall.receipt(http)
    head = await hall.system(http)
    path = f"/api/v1/receipts/{receipt['receipt_id']}"
    before = (await http.get(path, headers=head)).content
    code = receipt["review_url"].rpartition("/")[2]
    await rates(http, code)
    mine = await new_code(Owner(http, code))
    await rates(http, mine)
    assert (await http.get(path, headers=head)).content == before
    drawn = await http.get(f"{path}/escpos", headers=head)
    assert mine.encode() not in drawn.content and code.encode() in drawn.content


async def test_after_the_window_the_new_code_has_its_own_days(
    http: AsyncClient, hall: City
) -> None:
    owner, _ = await a_praise(http, hall)
    clock.advanced += timedelta(days=20)
    code = await new_code(owner)
    found = await state_of(http, code)
    assert found["state"] == "open"
    assert datetime.fromisoformat(found["open_until"]) > clock.now() + timedelta(days=6)
    await rates(http, code, **a_bad_review())


async def test_the_new_code_closes_and_the_objection_too(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    code = await new_code(owner)
    clock.advanced += timedelta(days=9)
    assert (await state_of(http, code))["state"] == "closed"
    late = await http.post(f"/api/v1/e/{code}/review", json=GOOD)
    assert (late.status_code, late.json()["code"]) == (410, "review_closed")
    again = await owner.objects()
    assert (again.status_code, again.json()["code"]) == (410, "objection_closed")
    clock.advanced += timedelta(days=30)
    over = await owner.asks()
    assert (over.status_code, over.json()["code"]) == (410, "objection_closed")
    assert "12345" in over.json()["detail"]


async def test_who_lost_the_new_code_proves_himself_again_and_gets_the_same(
    http: AsyncClient, hall: City
) -> None:
    owner, _ = await a_praise(http, hall)
    code = await new_code(owner)
    repeated = await owner.proves((await proofs_on())[-1])
    assert (repeated.status_code, repeated.json()["review_code"]) == (201, code)
    clock.advanced += timedelta(hours=1)
    assert await new_code(owner) == code
    assert await Objection.all().count() == 1


async def test_a_code_that_was_used_does_not_disown_what_was_rated_with_it(
    http: AsyncClient, hall: City
) -> None:
    """The form in the browser's history, sent once more."""
    owner, _ = await a_praise(http, hall)
    code = await new_code(owner)
    await rates(http, code, **a_bad_review())
    again = await owner.proves((await proofs_on())[-1])
    assert (again.status_code, again.json()["code"]) == (410, "proof_over")
    assert await states(owner.code) == [(5, "suspended"), (1, "standing")]


async def test_three_times_and_then_a_person_is_needed(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    codes = []
    for _ in range(3):
        codes.append(await new_code(owner))
        await rates(http, codes[-1])
        clock.advanced += timedelta(days=1)
    refused = await owner.objects()
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_objections")
    assert "12345" in refused.json()["detail"] and "大厅" in refused.json()["detail"]
    assert len(set(codes)) == 3
    assert await states(owner.code) == [(5, "suspended")] * 3 + [(5, "standing")]
    for used_up in (owner.code, *codes):
        assert (await state_of(http, used_up))["state"] == "reviewed"
    with pytest.raises(asyncpg.CheckViolationError, match="objections_are_few"):
        await sql.fetch(
            "INSERT INTO objections (id, region_code, receipt_id, review_id, generation, at) "
            "SELECT gen_random_uuid(), region_code, receipt_id, gen_random_uuid(), 4, at "
            "FROM objections LIMIT 1"
        )


async def test_the_first_reviews_order_and_words_stay(http: AsyncClient, hall: City) -> None:
    """A neighbour's bad review: its order goes on, and what he adds is kept."""
    code = await hall.code(http)
    first = await rates(http, code, **a_bad_review())
    clock.advanced += timedelta(minutes=11)
    mine = await new_code(Owner(http, code))
    taken = await rates(http, mine, level=2, tags=["213"], comment="我等了一上午")
    assert taken["work_order"]["number"] != first["work_order"]["number"]
    added = await http.post(
        f"/api/v1/track/{first['query_code']}/supplement", json={"comment": "还有一点"}
    )
    assert added.status_code == 200
    review = await Review.get(order_number=first["work_order"]["number"])
    assert (review.state, review.supplement) == ("suspended", "还有一点")
    head = await hall.staff(http, "handler")
    shown = await http.get(f"/api/v1/work-orders/{first['work_order']['number']}", headers=head)
    assert shown.json()["state"] == "assigned"


async def test_questions_about_the_first_review_end(http: AsyncClient, hall: City) -> None:
    await policy(invite_minutes=0)
    code = await hall.code(http)
    phone = Handset()
    await tick()
    await phone.writes("2")
    assert ("reason", "open") in await phone.questions()
    mine = await new_code(Owner(http, code))
    assert ("reason", "needless") in await phone.questions()
    assert await states(code) == [(2, "suspended")]
    await rates(http, mine)


async def test_the_receipts_phone_may_answer_its_open_question_again(
    http: AsyncClient, hall: City
) -> None:
    """Its owner is proven there anyway: the level goes to the newest right, and the code is used up."""
    await policy(invite_minutes=0)
    code = await hall.code(http)
    phone = Handset()
    await tick()
    assert ("level", "open") in await phone.questions()
    await rates(http, code)
    mine = await new_code(Owner(http, code))
    await phone.writes("1 态度很差")
    assert await states(code) == [(5, "suspended"), (1, "standing")]
    assert (await state_of(http, mine))["state"] == "reviewed"


# Who is told what


async def test_the_first_rater_sees_his_review_as_it_stood(http: AsyncClient, hall: City) -> None:
    """Perhaps it was the clerk: he must not learn that the citizen objected."""
    owner, first = await a_praise(http, hall)
    path = f"/api/v1/track/{first['query_code']}"
    before = (await http.get(path)).json()
    page = (await http.get(f"/t/{first['query_code']}")).text
    await new_code(owner)
    assert (await http.get(path)).json() == before
    assert (await http.get(f"/t/{first['query_code']}")).text == page
    undone = await http.post(
        f"/api/v1/e/{owner.code}/undo", json={"query_code": first["query_code"]}
    )
    assert (undone.status_code, undone.json()["detail"]) == (410, "可以撤回的时间已过")
    assert await states(owner.code) == [(5, "suspended")]


async def test_right_phone_wrong_phone_and_no_phone_are_answered_alike(
    http: AsyncClient, hall: City
) -> None:
    with_phone, _ = await a_praise(http, hall)
    without, _ = await a_praise(http, hall, applicant=None)
    answers = []
    for owner, phone in ((with_phone, PHONE), (with_phone, OTHER), (without, PHONE)):
        seen = [await owner.asks(phone), await owner.asks(phone)]
        proof = (await proofs_on() or ["000000"])[-1]
        for _ in range(6):
            seen.append(await owner.proves(another(proof), phone))
        for _ in range(3):
            clock.advanced += timedelta(seconds=61)
            seen.append(await owner.asks(phone))
        clock.advanced -= timedelta(seconds=183)
        answers.append([
            (one.status_code, {k: v for k, v in one.json().items() if k != "instance"})
            for one in seen
        ])  # fmt: skip
    assert answers[0] == answers[1] == answers[2]
    told = [status for status, _ in answers[0]]
    assert told == [202, 429, 422, 422, 422, 422, 410, 410, 202, 202, 429]
    assert len(await proofs_on()) == 3 and await proofs_on(OTHER) == []


async def test_what_is_refused_before_the_proof_is_what_the_slip_tells_anyway(
    http: AsyncClient, hall: City
) -> None:
    code = await hall.code(http)
    unrated = await Owner(http, code).asks()
    assert (unrated.status_code, unrated.json()["code"]) == (409, "nothing_to_object")
    assert "直接评价" in unrated.json()["detail"]
    owner, _ = await a_praise(http, hall)
    number = service.number_of(owner.code)
    await Receipt.filter(id=number).update(voided_at=clock.now())
    voided = await owner.asks()
    assert (voided.status_code, voided.json()["code"]) == (410, "objection_closed")
    unknown = await Owner(http, "a" * 25).asks()
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_code")
    assert await proofs_on() == []


async def test_the_console_shows_no_proof(http: AsyncClient, hall: City) -> None:
    from server.web.message_rows import message  # noqa: PLC0415  pages load the whole house

    owner, _ = await a_praise(http, hall)
    await owner.asks()
    (row,) = await sql.fetch("SELECT * FROM sms_messages WHERE purpose = 'proof'")
    (proof,) = await proofs_on()
    assert proof not in message(row).text
    assert "验证码" in message(row).text


# The proof


async def test_a_code_lives_ten_minutes(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    (proof,) = await proofs_on()
    clock.advanced += timedelta(minutes=10, seconds=1)
    late = await owner.proves(proof)
    assert (late.status_code, late.json()["code"]) == (410, "proof_over")
    assert await states(owner.code) == [(5, "standing")]


async def test_a_newer_code_takes_the_place_of_the_older(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    early = await owner.asks()
    assert (early.status_code, early.json()["code"]) == (429, "proof_too_soon")
    assert 0 < int(early.headers["retry-after"]) <= 60
    clock.advanced += timedelta(seconds=61)
    await owner.asks()
    first, second = await proofs_on()
    if first != second:
        assert (await owner.proves(first)).status_code == 422
    assert (await owner.proves(second)).status_code == 201


async def test_three_codes_a_day_and_new_ones_tomorrow(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    for _ in range(3):
        assert (await owner.asks()).status_code == 202
        clock.advanced += timedelta(minutes=2)
    spent = await owner.asks()
    assert (spent.status_code, spent.json()["code"]) == (429, "proofs_spent")
    assert int(spent.headers["retry-after"]) > 3600
    clock.advanced += timedelta(days=1)
    assert (await owner.asks()).status_code == 202


async def test_five_wrong_tries_burn_the_code_also_under_an_idempotency_key(
    http: AsyncClient, hall: City
) -> None:
    """A refusal is rolled back there; the try that it cost is not."""
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    (proof,) = await proofs_on()
    told = []
    for place in range(5):
        owner.head = {"Idempotency-Key": f"try-{place}"}
        told.append((await owner.proves(another(proof))).json()["code"])
    assert told == ["wrong_proof"] * 4 + ["proof_over"]
    owner.head = {}
    assert (await owner.proves(proof)).status_code == 410
    assert await states(owner.code) == [(5, "standing")]


async def test_a_hundred_tries_at_once_are_five(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    (proof,) = await proofs_on()
    answers = await asyncio.gather(*(owner.proves(another(proof)) for _ in range(40)))
    codes = [answer.json()["code"] for answer in answers]
    assert codes.count("wrong_proof") == 4
    assert codes.count("proof_over") == 36


@pytest.mark.parametrize("typed", ["１２３４５６", "123 456", " 123-456 "])
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert proofs.plain(typed) == "123456"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "六六六六六六"])
async def test_what_can_be_no_code_costs_no_try(http: AsyncClient, hall: City, typed: str) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    for _ in range(6):
        answer = await owner.proves(typed)
        assert (answer.status_code, answer.json()["code"]) == (422, "wrong_proof")
    assert (await owner.proves((await proofs_on())[-1])).status_code == 201


async def test_a_code_of_one_slip_proves_nothing_about_another(
    http: AsyncClient, hall: City
) -> None:
    one, _ = await a_praise(http, hall)
    other, _ = await a_praise(http, hall)
    await one.asks()
    (proof,) = await proofs_on()
    assert (await other.proves(proof)).json()["code"] == "proof_over"
    await Owner(http, other.code, OTHER).asks()
    assert (await other.proves(proof, OTHER)).json()["code"] == "wrong_proof"


def test_a_proof_goes_out_at_night_on_a_full_day_and_to_one_who_opted_out() -> None:
    from server.catalogue.models import Policy  # noqa: PLC0415

    rules, night = Policy(region_code="x"), datetime(2026, 9, 7, 2, tzinfo=BEIJING)
    full, soon = rules.daily_messages, night + timedelta(minutes=10)
    for out in (False, True):
        assert obstacle(Purpose.PROOF, soon, night, rules, opted_out=out, sent_today=full) is None
    step = obstacle(Purpose.PROOF, soon, night, rules, opted_out=False, sent_today=full + 1)
    assert step is not None and step.state is MessageState.CANCELLED


async def test_proofs_of_earlier_days_are_forgotten(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    await owner.asks(OTHER)
    assert await proofs.forget() == 0
    clock.advanced += timedelta(days=1)
    assert await proofs.forget() == 2


# At once


async def test_two_objections_at_once_are_one(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    (proof,) = await proofs_on()
    answers = await asyncio.gather(owner.proves(proof), owner.proves(proof), owner.proves(proof))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["review_code"] for answer in answers}) == 1
    assert await Objection.all().count() == await Suspicion.all().count() == 1


async def test_an_objection_and_an_undo_at_once_leave_one_of_both(
    http: AsyncClient, hall: City
) -> None:
    seen = set()
    for place in range(8):
        owner, first = await a_praise(
            http, hall, applicant={"kind": 1, "phone": f"1370000000{place}"}
        )
        owner.phone = f"1370000000{place}"
        await owner.asks()
        (proof,) = await proofs_on(owner.phone)
        body = {"query_code": first["query_code"]}
        undoing = http.post(f"/api/v1/e/{owner.code}/undo", json=body)
        both = [undoing, owner.proves(proof)]
        if place % 2:
            both.reverse()
        answers = await asyncio.gather(*both)
        undone, objected = reversed(answers) if place % 2 else answers
        found = await states(owner.code)
        assert found in ([(5, "undone")], [(5, "suspended")])
        if found == [(5, "undone")]:
            assert (undone.status_code, objected.status_code) == (200, 409)
            assert (await state_of(http, owner.code))["state"] == "open"
        else:
            assert (undone.status_code, objected.status_code) == (410, 201)
        seen.add(found[0][1])
    assert seen <= {"undone", "suspended"}


async def test_the_old_code_rates_nothing_in_the_moment_of_the_objection(
    http: AsyncClient, hall: City
) -> None:
    """The clerk waits with his finger on the button: his submission begins before the objection has
    committed, and is decided after it."""
    owner, _ = await a_praise(http, hall)
    receipt = await objections.service.receipts.by_code(owner.code)
    async with transaction():
        await sql.fetch("SELECT 1 FROM receipts WHERE id = $1 FOR UPDATE", receipt["id"])
        await Review.filter(receipt_id=receipt["id"]).update(state="suspended")
        await sql.fetch(
            "UPDATE receipts SET generation = 1, reopened_until = $2 WHERE id = $1",
            receipt["id"], clock.now() + timedelta(days=7),
        )  # fmt: skip
        clerk = asyncio.create_task(_alone(http, owner.code))
        await _waits_for_a_lock()
    refused = await clerk
    assert (refused.status_code, refused.json()["code"]) == (409, "already_reviewed")
    assert await states(owner.code) == [(5, "suspended")]


async def _alone(http: AsyncClient, code: str) -> Any:
    """Outside the transaction of the test, whose connection a task would inherit."""
    import contextvars  # noqa: PLC0415

    return await asyncio.create_task(
        http.post(f"/api/v1/e/{code}/review", json=GOOD), context=contextvars.Context()
    )


async def _waits_for_a_lock() -> None:
    for _ in range(200):
        rows = await sql.fetch_alone(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%redeemed%'"
        )
        if rows:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nobody waits")


async def test_an_excluded_review_is_not_objected_to(http: AsyncClient, hall: City) -> None:
    owner, _ = await a_praise(http, hall)
    await owner.asks()
    (proof,) = await proofs_on()
    review = await Review.get()
    decision = Decision(
        reason=Excluded.GAMED, words="刷评", first_id=1, second_id=2, at=clock.now()
    )
    async with transaction():
        await exclude(review, HOUSING, decision)
    answer = await owner.proves(proof)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_object")
    assert await states(owner.code) == [(5, "excluded")]


async def test_the_first_rater_supplements_and_judges_while_he_is_objected_to(
    http: AsyncClient, hall: City
) -> None:
    code = await hall.code(http)
    first = await rates(http, code, **a_bad_review())
    number = first["work_order"]["number"]
    clock.advanced += timedelta(minutes=11)
    head = await hall.staff(http, "handler")
    for move, body in (("accept", {}), ("answer", {"disposition": "fixed", "text": "已整改"})):
        moved = await http.post(f"/api/v1/work-orders/{number}/{move}", json=body, headers=head)
        assert moved.status_code == 200
    owner = Owner(http, code)
    await owner.asks()
    (proof,) = await proofs_on()
    track = f"/api/v1/track/{first['query_code']}"
    answers = await asyncio.gather(
        owner.proves(proof), http.post(f"{track}/supplement", json={"comment": "补充"}),
        http.post(f"{track}/confirmation", json={"satisfied": True}),
    )  # fmt: skip
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    review = await Review.get(id=UUID(str((await Review.first()).id)))  # type: ignore[union-attr]
    assert (review.state, review.supplement) == ("suspended", "补充")
    await pass_time(timedelta(seconds=1))
    shown = await http.get(f"/api/v1/work-orders/{number}", headers=head)
    assert shown.json()["state"] == "closed"
