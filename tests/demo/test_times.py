"""The city may be founded on any day, at any hour: its phones are asked nothing that cannot be."""

from datetime import datetime

import pytest
import pytest_asyncio

from server.catalogue import service as catalogue
from server.catalogue.sheets import import_sheets
from server.catalogue.years import load_shipped
from server.demo import city, history
from server.demo.accounts import staff
from server.demo.lives import People
from server.kit import sql
from server.kit.clock import BEIJING

MOMENTS = (
    "2026-07-01 00:05", "2026-07-06 09:01", "2026-07-05 23:59", "2026-02-24 08:30",
    "2025-10-09 09:10", "2026-11-22 17:40", "2027-01-01 12:00", "2026-03-10 20:30",
)  # fmt: skip
"""Night, a Monday morning, a Sunday night, the mornings after the two long holidays, a year that no
calendar knows."""


@pytest_asyncio.fixture(scope="module")
async def people(app: object) -> People:
    tables = ("calendar_years", "regions", "policies", "agencies", "halls", "windows", "officers",
              "matters", "tags", "wordings", "beacons")  # fmt: skip
    await sql.fetch(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
    await import_sheets(city.sheets(), by="test")
    await load_shipped("test")
    await catalogue.load()
    of: dict[tuple[str, str | None], list[int]] = {}
    for number, account in enumerate(staff(), start=1):
        of.setdefault((account.role, account.agency_code), []).append(number)
    return People(of)


@pytest.mark.parametrize("moment", MOMENTS)
def test_at_whatever_moment_it_is_founded(people: People, moment: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=BEIJING)
    tables = history.until(now, people)
    opened = [q for q in tables["questions"] if q["state"] == "open"]
    assert len(opened) == 7
    assert len({q["phone_key"] for q in opened}) == 7
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
    for review in tables["reviews"]:
        receipt = receipts[review["receipt_id"]]
        assert receipt["issued_at"] <= review["at"] <= receipt["open_until"]
        assert review["undo_until"] < now
