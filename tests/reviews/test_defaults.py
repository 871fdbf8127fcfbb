"""Rating by default: only where the policy wants it, never over anybody's word, and never as one."""

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from phones import Handset, notified, orders, pass_time, policy, reviews

from server.database import credentials
from server.kit import sql
from server.kit.clock import clock
from server.reviews import defaults
from server.reviews.defaults import Facts, Fate, fate_of
from server.settings import Settings

DAY = timedelta(days=1)
WINDOW, LATE = 8 * DAY, 30 * DAY
SERVER = Path(__file__).parents[2] / "server"


@pytest.fixture
async def counted(hall: City) -> City:
    """A region whose policy rates by default."""
    await policy(default_rating=True)
    return hall


async def after_the_window(by: timedelta = WINDOW) -> int:
    """How many were rated by default in that time."""
    await pass_time(by)
    return await defaults.rate()


async def states() -> list[tuple[str, str, int]]:
    return [(row["state"], row["channel"], row["level"]) for row in await reviews()]


async def open_state(http: AsyncClient, code: str) -> str:
    return str((await http.get(f"/api/v1/e/{code}")).json()["state"])


async def rates(http: AsyncClient, code: str, **form: Any) -> Any:
    return await http.post(f"/api/v1/e/{code}/review", json={"level": 5, "tags": []} | form)


@pytest.mark.parametrize(
    ("facts", "fate"),
    [
        (Facts(wanted=True, voided=False, spoken=False, asked=False), Fate.RATE),
        (Facts(wanted=True, voided=False, spoken=False, asked=True), Fate.WAIT),
        (Facts(wanted=True, voided=False, spoken=True, asked=True), Fate.LEAVE),
        (Facts(wanted=True, voided=True, spoken=False, asked=True), Fate.LEAVE),
        (Facts(wanted=False, voided=False, spoken=False, asked=False), Fate.LEAVE),
    ],
)
def test_only_silence_is_rated_and_a_question_is_waited_for(facts: Facts, fate: Fate) -> None:
    assert fate_of(facts) is fate


async def test_who_said_nothing_in_time_is_on_record_as_that_and_as_nothing_else(
    http: AsyncClient, counted: City
) -> None:
    receipt = await counted.receipt(http, applicant=None)
    code = receipt["review_url"].rpartition("/")[2]
    until = datetime.fromisoformat(receipt["open_until"])
    await pass_time(until - clock.now() - timedelta(seconds=2))
    assert await defaults.rate() == 0, "the last second is the citizen's"

    assert await after_the_window(timedelta(seconds=4)) == 1

    assert await states() == [("default", "system", 3)]
    assert await orders() == []
    assert (await http.get("/metrics")).text.count('channel="system"') == 0
    shown = (await http.get(f"/api/v1/e/{code}")).json()
    assert shown["state"] == "open"
    assert datetime.fromisoformat(shown["open_until"]) == until + LATE
    counted.tokens.clear()
    head = await counted.system(http)
    issuer = await http.get(f"/api/v1/receipts/{receipt['receipt_id']}", headers=head)
    assert issuer.json() == {
        "receipt_id": receipt["receipt_id"], "open_until": receipt["open_until"], "voided": False,
    }  # fmt: skip


async def test_a_region_that_did_not_want_it_when_the_slip_was_printed_has_none(
    http: AsyncClient, hall: City
) -> None:
    await hall.code(http, applicant=None)
    await policy(default_rating=True)
    await hall.code(http, applicant=None, handled_at=(clock.now() - 40 * DAY).isoformat())
    assert await after_the_window() == 0, "of before the switch, and of a day that was over"
    hall.tokens.clear()
    await hall.code(http, applicant=None)
    await policy(default_rating=False)
    assert await after_the_window() == 0, "switched off again"
    await policy(default_rating=True)
    assert await after_the_window() == 0


async def test_no_word_of_a_citizen_is_rated_over(http: AsyncClient, counted: City) -> None:
    codes = [await counted.code(http, applicant=None) for _ in range(5)]
    assert (await rates(http, codes[0], **a_bad_review())).status_code == 201
    for code, state in zip(codes[1:4], ("suspended", "excluded", "undone"), strict=True):
        query_code = (await rates(http, code)).json()["query_code"]
        if state == "undone":
            await http.post(f"/api/v1/e/{code}/undo", json={"query_code": query_code})
    first, second, third = [row["id"] for row in await reviews() if row["level"] == 5]
    await sql.fetch("UPDATE reviews SET state = 'suspended' WHERE id = $1", first)
    await sql.fetch("UPDATE reviews SET state = 'excluded' WHERE id = $1", second)
    await sql.fetch(
        "UPDATE receipts SET voided_at = issued_at WHERE id = (SELECT max(id) FROM receipts)"
    )

    assert await after_the_window() == 1, "only the one that was taken back"

    (default,) = [row for row in await reviews() if row["state"] == "default"]
    undone = await sql.fetch("SELECT receipt_id FROM reviews WHERE id = $1", third)
    assert default["receipt_id"] == undone[0]["receipt_id"]
    assert await open_state(http, codes[1]) == "closed"
    assert await open_state(http, codes[4]) == "closed"


async def test_an_open_question_is_waited_for_and_a_bad_answer_to_it_comes_first(
    http: AsyncClient, counted: City, phone: Handset
) -> None:
    await notified(http, counted)
    (receipt,) = await sql.fetch("SELECT open_until FROM receipts")
    await sql.fetch("UPDATE questions SET open_until = $1", receipt["open_until"])
    clock.advanced += receipt["open_until"] - clock.now() + timedelta(seconds=1)
    assert await defaults.rate() == 0
    await phone.writes("1", at=receipt["open_until"] - timedelta(minutes=1))
    assert await states() == [("awaiting_reason", "sms", 1)]
    assert await after_the_window(2 * DAY) == 0, (
        "without its reason it goes to a person, no default"
    )


async def test_silence_to_the_question_is_silence_and_a_strange_answer_is_not(
    http: AsyncClient, counted: City, phone: Handset
) -> None:
    await policy(remind_hours=0)
    await notified(http, counted)
    await phone.writes("你们是哪个单位")
    await phone.writes("那天我已经走了")
    await counted.code(http, applicant={"kind": 1, "name": "李", "phone": "13900139000"})
    await pass_time(timedelta())
    assert await after_the_window() == 1
    assert (await phone.questions())[-1] == ("level", "handed_over")
    (default,) = await reviews()
    (other,) = await sql.fetch("SELECT max(id) AS id FROM receipts")
    assert default["receipt_id"] == other["id"]


async def test_a_late_review_takes_its_place_with_its_order_and_nothing_is_deleted(
    http: AsyncClient, counted: City
) -> None:
    code = await counted.code(http, applicant=None)
    await after_the_window()
    page = await http.get(f"/e/{code}", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "<form" in page.text

    taken = await rates(http, code, **a_bad_review())

    assert taken.status_code == 201 and taken.json()["work_order"], taken.text
    assert sorted(await states()) == [("excluded", "system", 3), ("standing", "receipt_qr", 1)]
    (system,) = [row for row in await reviews() if row["channel"] == "system"]
    assert system["replaced_at"] is not None
    assert (await rates(http, code)).json()["code"] == "already_reviewed"
    # He may think again, like anybody: then the code is open, and no default comes back.
    query_code = taken.json()["query_code"]
    undo = await http.post(f"/api/v1/e/{code}/undo", json={"query_code": query_code})
    assert undo.status_code == 200, undo.text
    track = await http.get(
        f"/t/{query_code}", headers={"Accept": "text/html"}, follow_redirects=True
    )
    assert f"/e/{code}" in track.text
    assert await defaults.rate() == 0
    assert (await rates(http, code, level=4)).status_code == 201
    assert [row["state"] for row in await reviews()].count("standing") == 1


async def test_after_the_late_days_it_stays_what_it_is(http: AsyncClient, counted: City) -> None:
    code = await counted.code(http, applicant=None)
    await after_the_window()
    clock.advanced += LATE
    assert await open_state(http, code) == "closed"
    answer = await rates(http, code)
    assert (answer.status_code, answer.json()["code"]) == (410, "review_closed")
    assert await states() == [("default", "system", 3)]


async def test_a_reply_that_was_written_in_time_and_came_late_takes_its_place(
    http: AsyncClient, counted: City, phone: Handset
) -> None:
    await policy(remind_hours=0)
    await notified(http, counted)
    written = clock.now() + timedelta(hours=1)
    assert await after_the_window() == 1

    await phone.writes("5", at=written)

    assert await phone.outcomes() == ["rated"]
    assert sorted(await states()) == [("excluded", "system", 3), ("standing", "sms", 5)]
    (standing,) = [row for row in await reviews() if row["channel"] == "sms"]
    assert standing["at"] == written


async def test_a_request_that_is_repeated_after_its_undo_replaces_nothing(
    http: AsyncClient, counted: City
) -> None:
    code = await counted.code(http, applicant=None)
    head, form = {"Idempotency-Key": "once"}, {"level": 5, "tags": []}
    first = await http.post(f"/api/v1/e/{code}/review", json=form, headers=head)
    await http.post(f"/api/v1/e/{code}/undo", json={"query_code": first.json()["query_code"]})
    await after_the_window()

    again = await http.post(f"/api/v1/e/{code}/review", json=form, headers=head)

    assert again.json()["query_code"] == first.json()["query_code"]
    assert sorted(await states()) == [("default", "system", 3), ("undone", "receipt_qr", 5)]


async def test_of_many_late_reviews_at_once_one_replaces_the_default(
    http: AsyncClient, counted: City
) -> None:
    codes = [await counted.code(http, applicant=None) for _ in range(3)]
    await after_the_window()
    answers = await asyncio.gather(*(rates(http, code) for code in codes * 6))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 15
    kept = await states()
    assert kept.count(("excluded", "system", 3)) == kept.count(("standing", "receipt_qr", 5)) == 3


async def test_two_workers_and_citizens_in_the_same_moment_leave_one_verdict_each(
    http: AsyncClient, counted: City
) -> None:
    codes = [await counted.code(http, applicant=None) for _ in range(12)]
    # What the citizens sent in the last second is under way when the workers come.
    await sql.fetch("UPDATE receipts SET default_at = $1", clock.now() - DAY)
    *answers, first, second = await asyncio.gather(
        *(rates(http, code) for code in codes[:6]), defaults.rate(), defaults.rate()
    )
    assert {answer.status_code for answer in answers} == {201}
    assert 6 <= first + second <= 12
    rows = await sql.fetch(
        "SELECT array_agg(state ORDER BY state) AS states FROM reviews GROUP BY receipt_id"
    )
    kept = sorted(row["states"] for row in rows)
    assert kept.count(["default"]) == 6
    assert all(
        one in (["standing"], ["excluded", "standing"]) for one in kept if one != ["default"]
    )
    assert len(kept) == 12


async def test_a_review_under_way_is_waited_for_by_the_default_and_the_default_by_a_review(
    http: AsyncClient, counted: City, servers: Settings
) -> None:
    """The one that comes second finds the first, whatever it saw when it began."""
    code = await counted.code(http, applicant=None)
    await sql.fetch("UPDATE receipts SET default_at = $1", clock.now() - DAY)
    (row,) = await sql.fetch("SELECT id, region_code FROM receipts")
    other = await asyncpg.connect(**credentials(servers.database_url))
    async with other.transaction():
        await other.execute(
            "INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel,"
            " real_name, at, undo_until, query_key) VALUES (gen_random_uuid(), $1, $2, 3, '{}', '',"
            " 'default', 'system', false, now(), now(), 'nobody')", row["id"], row["region_code"],
        )  # fmt: skip
        rating = asyncio.create_task(rates(http, code))
        tick = asyncio.create_task(defaults.rate())
        await asyncio.sleep(0.3)
    await other.close()
    assert (await rating).status_code == 201
    assert await tick == 0
    assert sorted(await states()) == [("excluded", "system", 3), ("standing", "receipt_qr", 5)]


async def test_the_database_knows_no_other_rating_by_the_system(
    counted: City, http: AsyncClient
) -> None:
    code = await counted.code(http, applicant=None)
    await rates(http, code)
    for change in (
        "channel = 'system'", "state = 'default'", "channel = 'system', state = 'default'",
    ):  # fmt: skip
        with pytest.raises(asyncpg.CheckViolationError):
            await sql.fetch(f"UPDATE reviews SET {change}")


def test_nothing_but_a_submission_and_the_default_writes_a_review() -> None:
    """Beside the two, only the invented city and the bench, in databases of their own."""
    writes = re.compile(
        r"INSERT INTO reviews|\bReview\(|Review\.(create|bulk_create|get_or_create)"
    )
    found = {
        str(path.relative_to(SERVER)) for path in SERVER.rglob("*.py")
        if writes.search(re.sub(r"class Review\(Model\)", "", path.read_text()))
    }  # fmt: skip
    allowed = {"reviews/submission.py", "reviews/defaults.py"}
    assert {name for name in found if not name.startswith(("demo/", "bench/"))} == allowed
    calls = [
        path.name for path in SERVER.rglob("*.py")
        if re.search(r"submission\.store|store_all\(", path.read_text()) and path.parent.name != "bench"
    ]  # fmt: skip
    assert sorted(calls) == [
        "paper.py",
        "service.py",
        "sms_reviews.py",
        "submission.py",
        "walls.py",
    ]
