"""The city may be founded on any day, at any hour: nothing of it is to come, and nothing left to do."""

from collections import Counter
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from factories import run_sql

from server.catalogue import service as catalogue
from server.catalogue.sheets import import_sheets
from server.catalogue.years import load_shipped
from server.demo import city, history
from server.demo.accounts import staff
from server.demo.life import People
from server.integrity import repeated, suspicions
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.reviews import callbacks, closing, defaults, sampling, sms_reviews
from server.workorders import escalation
from server.workorders.rules import FINAL, State

MOMENTS = (
    "2026-07-01 00:05", "2026-07-06 09:01", "2026-07-05 23:59", "2026-02-24 08:30",
    "2025-10-09 09:10", "2026-11-22 17:40", "2027-01-01 12:00", "2026-03-10 20:30",
)  # fmt: skip
"""Night, a Monday morning, a Sunday night, the mornings after the two long holidays, a year that no
calendar knows."""
Tables = dict[str, list[dict[str, Any]]]


@pytest_asyncio.fixture(scope="module")
async def people(app: object) -> People:
    await run_sql("emptied")
    await import_sheets(city.sheets(), by="test")
    await load_shipped("test")
    await catalogue.load()
    of: dict[tuple[str, str | None], list[int]] = {}
    for number, account in enumerate(staff(), start=1):
        of.setdefault((account.role, account.agency_code), []).append(number)
        await sql.fetch(
            "INSERT INTO staff (id, username, name, role, agency_code, region_code, password, totp,"
            " totp_step, failures, active) VALUES ($1, $2, $2, $3, $4, $5, '', '', 0, 0, TRUE)",
            number, account.username, str(account.role), account.agency_code, account.region_code,
        )  # fmt: skip
    return People(of)


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=BEIJING)


@pytest.mark.parametrize("moment", MOMENTS)
def test_at_whatever_moment_it_is_founded(people: People, moment: str) -> None:
    now = at(moment)
    tables = history.until(now, people)
    _phones_are_asked_nothing_that_cannot_be(tables, now)
    _every_review_was_given_when_it_could_be(tables, now)
    _every_desk_has_something_to_do(tables, now)


def _phones_are_asked_nothing_that_cannot_be(tables: Tables, now: datetime) -> None:
    opened = [q for q in tables["questions"] if q["state"] == "open"]
    assert Counter(q["asking"] for q in opened if q["asking"] != "recall") == {
        "level": 4,
        "reason": 3,
    }
    assert len({q["phone_key"] for q in opened}) == len(opened)
    receipts = {row["id"]: row for row in tables["receipts"]}
    for question in opened:
        # After a long holiday nothing can be rated any more: then the worker ends the question.
        over = receipts[question["receipt_id"]]["open_until"] < now
        assert question["asked_at"] <= now < question["open_until"] or over
    silent = {r["id"] for r in tables["reviews"] if r["state"] == "awaiting_reason"}
    assert silent == {q["review_id"] for q in opened if q["asking"] == "reason"}
    for question in tables["questions"]:
        assert question["ended_at"] is None or question["ended_at"] <= now
    for message in tables["sms_messages"]:
        assert message["created_at"] < now
    for reply in tables["sms_replies"]:
        assert reply["at"] < now


def _every_review_was_given_when_it_could_be(tables: Tables, now: datetime) -> None:
    receipts = {row["id"]: row for row in tables["receipts"]}
    replaced = {r["receipt_id"] for r in tables["reviews"] if r["replaced_at"]}
    assert len(replaced) == 3
    for review in tables["reviews"]:
        receipt = receipts[review["receipt_id"]]
        in_time = receipt["issued_at"] <= review["at"] <= receipt["open_until"]
        late = review["channel"] == "system" or review["receipt_id"] in replaced
        assert in_time is not late
        assert review["undo_until"] < now


def _every_desk_has_something_to_do(tables: Tables, now: datetime) -> None:
    orders = tables["work_orders"]
    states = Counter(row["state"] for row in orders)
    assert set(states) == set(State)
    overdue = [
        o for o in orders
        if o["state"] not in {*FINAL, State.ANSWERED} and o["next_due_at"] < now
    ]  # fmt: skip
    assert 3 <= len(overdue) <= 40
    unseen = [row for row in tables["alerts"] if row["seen_at"] is None]
    assert {row["kind"] for row in unseen} >= {"overdue", "list"}
    for table, column, wanted in (
        ("order_parts", "state", {"waiting", "done", "released"}),
        ("escalations", "rung", {0, 1, 2, 3, 4}),
        ("escalations", "ladder", {"agency", "supervision", "untold"}),
        ("opinions", "about", {"agency", "desk"}),
        ("call_backs", "kind", {"sample", "real_name"}),
        ("accountability", "why", {"overdue", "ruled", "supervision_late", "repeated"}),
    ):  # fmt: skip
        found = {row[column] for row in tables[table]}
        assert found >= wanted, (table, column, wanted - found)
    assert {row["followed"] is None for row in tables["accountability"]} == {True, False}
    assert {(row["upheld"], row["by_id"] > 0) for row in tables["flags"]} == {
        (True, True),
        (None, True),
    }
    assert {row["state"] for row in tables["call_backs"]} >= {"waiting", "asked", "done"}
    assert {row["origin"] for row in orders} == {"review", "static_qr", "paper", "sample"}
    assert any(row["verified_at"] is None for row in orders if row["state"] == "accepted")


@pytest.mark.parametrize("moment", ["2026-07-06 09:01", "2026-11-22 17:40", "2025-10-09 09:10"])
async def test_the_worker_that_starts_there_finds_its_work_done(
    people: People, moment: str
) -> None:
    """The product's own ticks, on the invented rows: they would have written the same."""
    await sql.fetch("TRUNCATE receipts, suspicions, samples, alerts, accountability, sms_phones, "
                    "sms_messages, sms_replies, work_orders RESTART IDENTITY CASCADE")  # fmt: skip
    clock.advanced += at(moment) - clock.now()
    await history.write()

    assert await sms_reviews.call_back() == 0
    assert await defaults.rate() == 0
    assert await closing.close_silent() == 0
    assert await escalation.escalate() == 0
    assert await escalation.forget() > 20
    assert await escalation.escalate() == 0, "every rung is on record"
    assert await callbacks.give_up() == 0
    assert await sampling.Draws().draw() == 0
    assert await repeated.list_officers() == 0
    assert await suspicions.warn() == 0
    for table in ("receipts", "work_order_steps", "samples"):
        await sql.fetch(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))")
    clock.advanced *= 0
