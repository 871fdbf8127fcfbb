"""The window's tablet: who is one, what it shows, and that the window's side learns nothing of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from factories import HOUSING, LABOUR, City

from server.catalogue import service as catalogue
from server.kit import sql
from server.kit.clock import clock
from server.reviews import kiosks
from server.reviews.kiosks import ASK_LIFE, THANKS, KioskChanged, KioskOff, Screen, shown

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ASK = uuid4()


def a_row(**changed: Any) -> dict[str, Any]:
    return {
        "revoked_at": None, "ask": ASK, "asked_at": NOW, "open_until": NOW + timedelta(days=7),
        "voided_at": None, "rated_at": None,
    } | changed  # fmt: skip


@pytest.mark.parametrize(("row", "later", "expected"), [
    (a_row(ask=None, asked_at=None), timedelta(0), "welcome"),
    (a_row(), timedelta(0), "asked"),
    (a_row(), ASK_LIFE - timedelta(seconds=1), "asked"),
    (a_row(), ASK_LIFE, "welcome"),
    (a_row(voided_at=NOW), timedelta(0), "welcome"),
    (a_row(open_until=NOW - timedelta(days=1)), timedelta(0), "welcome"),
    (a_row(rated_at=NOW + timedelta(minutes=1)), timedelta(minutes=1), "thanks"),
    (a_row(rated_at=NOW - timedelta(days=1)), THANKS - timedelta(seconds=1), "thanks"),
    (a_row(rated_at=NOW - timedelta(days=1)), THANKS, "welcome"),
    (a_row(rated_at=NOW, open_until=NOW), timedelta(seconds=3), "thanks"),
    (a_row(revoked_at=NOW), timedelta(0), "off"),
])  # fmt: skip
def test_what_a_tablet_shows_follows_from_its_row_and_the_time(
    row: dict[str, Any], later: timedelta, expected: str
) -> None:
    assert shown(row, NOW + later).screen == expected
    assert (ASK.hex in shown(row, NOW + later).name) is (expected in ("asked", "thanks"))


async def a_key(window: str = "A1", agency: str = HOUSING) -> str:
    return await kiosks.issue(agency, window, instead_of=None, by=None)


async def ask(
    http: httpx.AsyncClient, city: City, receipt_id: str, window: str = "A1", agency: str = HOUSING
) -> httpx.Response:
    return await http.post(
        f"/api/v1/windows/{window}/ask", json={"receipt_id": receipt_id},
        headers=await city.system(http, agency),
    )  # fmt: skip


async def seen(key: str) -> kiosks.Shown:
    return shown(await kiosks.of_key(key), clock.now())


async def test_the_answer_is_the_same_whatever_became_of_the_receipt(
    http: httpx.AsyncClient, city: City
) -> None:
    key = await a_key()
    fresh, rated, old, voided = [await city.receipt(http) for _ in range(4)]
    code = rated["review_url"].rpartition("/")[2]
    assert (await http.post(f"/api/v1/e/{code}/review", json={"level": 5})).status_code == 201
    await sql.fetch(
        "UPDATE receipts SET open_until = $2 WHERE id = $1",
        int(old["receipt_id"]), clock.now() - timedelta(days=1),
    )  # fmt: skip
    await sql.fetch(
        "UPDATE receipts SET voided_at = $2 WHERE id = $1", int(voided["receipt_id"]), clock.now()
    )
    answers, screens = [], []

    for receipt in (fresh, fresh, rated, old, voided, fresh):
        answers.append(await ask(http, city, receipt["receipt_id"]))
        screens.append((await seen(key)).screen)

    assert {(a.status_code, a.content) for a in answers} == {(202, b"{}")}
    assert len({frozenset(a.headers) for a in answers}) == 1
    assert screens == ["asked", "asked", "thanks", "welcome", "welcome", "asked"]


async def test_the_same_receipt_again_leaves_the_form_and_another_one_ends_it(
    http: httpx.AsyncClient, city: City
) -> None:
    key = await a_key()
    first, second = await city.receipt(http), await city.receipt(http)
    await ask(http, city, first["receipt_id"])
    one = await seen(key)
    clock.advanced += timedelta(minutes=3)
    await ask(http, city, first["receipt_id"])
    again = await seen(key)
    await ask(http, city, second["receipt_id"])
    other = await seen(key)
    clock.advanced += ASK_LIFE
    assert (await seen(key)).screen is Screen.WELCOME
    await ask(http, city, second["receipt_id"])

    assert one.ask == again.ask and again.until and one.until and again.until > one.until
    assert len({one.ask, other.ask, (await seen(key)).ask}) == 3


async def test_asking_at_once_shows_one_of_them(http: httpx.AsyncClient, city: City) -> None:
    key = await a_key()
    numbers = [(await city.receipt(http))["receipt_id"] for _ in range(6)]

    answers = await asyncio.gather(*(ask(http, city, number) for number in numbers))

    assert {answer.status_code for answer in answers} == {202}
    assert (await kiosks.of_key(key))["receipt_id"] in map(int, numbers)


async def test_foreign_and_unknown_are_told_alike_and_a_window_without_tablet_says_so(
    http: httpx.AsyncClient, city: City
) -> None:
    ours = (await city.receipt(http))["receipt_id"]
    theirs = (await city.receipt(http, LABOUR))["receipt_id"]
    without = (await city.receipt(http, window_code=None, officer_number=None))["receipt_id"]
    for window, number, agency, status, code in (
        ("A1", ours, HOUSING, 409, "no_kiosk"),
        ("B1", ours, HOUSING, 404, "unknown_window"),
        ("ZZ", ours, HOUSING, 404, "unknown_window"),
        ("B1", ours, LABOUR, 404, "unknown_receipt"),
        ("A1", theirs, HOUSING, 404, "unknown_receipt"),
        ("A1", "999999", HOUSING, 404, "unknown_receipt"),
        ("A1", "x", HOUSING, 404, "unknown_receipt"),
        ("A1", "", HOUSING, 422, "invalid_body"),
    ):
        answer = await ask(http, city, number, window, agency)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (window, number)
    key = await a_key()
    assert (await ask(http, city, without)).status_code == 202
    assert (await seen(key)).screen is Screen.ASKED
    await sql.fetch(
        "INSERT INTO windows (code, hall_code, agency_code, name, active) "
        "VALUES ('A2', 'H1', $1, '3号', TRUE)",
        HOUSING,
    )
    await catalogue.load()
    elsewhere = await ask(http, city, ours, "A2")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "receipt_of_another_window")
    nobody = await http.post("/api/v1/windows/A1/ask", json={"receipt_id": ours})
    assert nobody.status_code == 401


async def test_a_key_is_a_hash_and_a_new_one_ends_the_old(city: City) -> None:
    first = await a_key()
    (row,) = await sql.fetch("SELECT * FROM kiosks")
    assert first not in str(dict(row))
    with pytest.raises(KioskChanged):
        await a_key()
    second = await kiosks.issue(HOUSING, "A1", instead_of=row["id"], by=1)

    with pytest.raises(KioskOff):
        await kiosks.of_key(first)
    assert (await seen(second)).screen is Screen.WELCOME
    with pytest.raises(KioskChanged):
        await kiosks.revoke(row["id"], 1)
    for wrong in ("", "x" * 5000, first[:-1], "\u202e"):
        with pytest.raises(KioskOff):
            await kiosks.of_key(wrong)


async def test_of_two_who_issue_at_once_one_is_refused(city: City) -> None:
    first = await asyncio.gather(a_key(), a_key(), return_exceptions=True)
    (row,) = await sql.fetch("SELECT id FROM kiosks WHERE revoked_at IS NULL")
    then = await asyncio.gather(
        *(kiosks.issue(HOUSING, "A1", instead_of=row["id"], by=None) for _ in range(3)),
        return_exceptions=True,
    )

    for made in (first, then):
        assert sum(isinstance(one, str) for one in made) == 1
        assert sum(isinstance(one, KioskChanged) for one in made) == len(made) - 1


async def test_a_revoked_tablet_shows_nothing_any_more(http: httpx.AsyncClient, city: City) -> None:
    await a_key()
    number = (await city.receipt(http))["receipt_id"]
    await ask(http, city, number)
    (row,) = await sql.fetch("SELECT * FROM kiosks")

    await kiosks.revoke(row["id"], 1)

    (row,) = await sql.fetch("SELECT * FROM kiosks")
    assert row["receipt_id"] is None and row["ask"] is None and row["revoked_by"] == 1
    assert (await ask(http, city, number)).json()["code"] == "no_kiosk"
    with pytest.raises(asyncpg.CheckViolationError):
        await sql.fetch("UPDATE kiosks SET ask = $1, receipt_id = 1, asked_at = $2", ASK, NOW)


async def test_a_tablets_sight_is_not_written_at_every_look(city: City) -> None:
    key = await a_key()
    written = []
    for _ in range(3):
        await kiosks.of_key(key)
        written.append((await sql.fetch("SELECT xmin, seen_at FROM kiosks"))[0])
    clock.advanced += timedelta(minutes=6)
    await kiosks.of_key(key)

    assert len({row["xmin"] for row in written}) == 1 and written[0]["seen_at"]
    (row,) = await sql.fetch("SELECT seen_at FROM kiosks")
    assert row["seen_at"] > written[0]["seen_at"]
