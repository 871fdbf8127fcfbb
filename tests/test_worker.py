"""What the worker does without being asked."""

from datetime import datetime, timedelta

from factories import City, a_bad_review
from httpx import AsyncClient

from server import worker
from server.catalogue import service as catalogue
from server.catalogue.models import CalendarYear
from server.catalogue.years import load_year
from server.kit import jobs, sql
from server.kit.clock import BEIJING, clock
from server.workorders.models import WorkOrder


async def an_order(http: AsyncClient, city: City) -> str:
    taken = await http.post(f"/api/v1/e/{await city.code(http)}/review", json=a_bad_review())
    return str(taken.json()["work_order"]["number"])


async def test_a_deadline_in_a_year_without_calendar_is_provisional_until_it_is_loaded(
    http: AsyncClient, city: City
) -> None:
    clock.advanced = datetime(2026, 12, 29, 10, tzinfo=BEIJING) - datetime.now(BEIJING)
    number = await an_order(http, city)
    before = await WorkOrder.get(number=number)
    assert before.provisional

    await load_year(
        b'{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": true},'
        b'{"date": "2027-01-04", "isOffDay": true}]}',
        source="test", by="test",
    )  # fmt: skip
    changed = await worker.redate(2027)

    after = await WorkOrder.get(number=number)
    assert (changed, after.provisional) == (1, False)
    assert before.due_at.astimezone(BEIJING).date().isoformat() == "2027-01-05"
    assert after.due_at.astimezone(BEIJING).date().isoformat() == "2027-01-07"
    assert after.next_due_at == after.contact_due_at
    assert await worker.redate(2027) == 0


async def test_a_closed_order_keeps_its_deadline_when_the_calendar_changes(
    http: AsyncClient, city: City
) -> None:
    clock.advanced = datetime(2026, 9, 28, 10, tzinfo=BEIJING) - datetime.now(BEIJING)
    number = await an_order(http, city)
    order = await WorkOrder.get(number=number)
    await sql.fetch(
        "UPDATE work_orders SET state = 'closed', closed_at = $1, next_due_at = NULL", clock.now()
    )

    await CalendarYear.filter(year=2026).delete()
    await catalogue.load()
    await worker.redate(2026)

    assert (await WorkOrder.get(number=number)).due_at == order.due_at


async def test_answers_to_idempotency_keys_and_old_sessions_are_forgotten_after_their_time(
    http: AsyncClient, city: City
) -> None:
    headers = await city.staff(http, "handler") | {"Idempotency-Key": "once"}
    number = await an_order(http, city)
    clock.advanced += timedelta(minutes=11)
    await http.post(f"/api/v1/work-orders/{number}/accept", json={}, headers=headers)

    assert await worker.forget() == 0
    clock.advanced += timedelta(hours=25)
    assert await worker.forget() == 1


async def test_a_job_that_was_parked_with_attempts_left_is_found_again(city: City) -> None:
    await jobs.enqueue("redate", once_as="lost", year=2026)
    await jobs.enqueue("redate", once_as="given up", year=2026)
    await sql.fetch("UPDATE pgqueuer SET status = 'failed', slot = 0 WHERE dedupe_key = 'lost'")
    await sql.fetch(
        "UPDATE pgqueuer SET status = 'failed', attempts = $1 WHERE dedupe_key = 'given up'",
        worker.ATTEMPTS,
    )

    assert await jobs.find_lost(worker.ATTEMPTS) == 1

    rows = await sql.fetch("SELECT dedupe_key, status, slot, attempts FROM pgqueuer ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("lost", "queued", None, 1),
        ("given up", "failed", None, worker.ATTEMPTS),
    ]
