"""Signing in: five failures, one-time codes, the same words for all."""

import asyncio
from datetime import timedelta

import pyotp
import pytest
from factories import HOUSING, PASSWORD, REGION, TOTP, City, credentials
from httpx import AsyncClient

from server.kit import sql
from server.kit.clock import clock
from server.people import service
from server.people.models import Client, Staff
from server.people.rules import LOCKED_FOR, SESSION_IDLE, Role
from server.people.service import WrongSignIn, sign_in


def totp(steps: int = 0) -> str:
    return pyotp.TOTP(TOTP).at(int(clock.now().timestamp()), counter_offset=steps)


def wrong_totp() -> str:
    right = {totp(steps) for steps in range(-2, 3)}
    return next(code for code in map("{:06d}".format, range(9)) if code not in right)


async def fail(times: int, username: str = "handler") -> None:
    for _ in range(times):
        with pytest.raises(WrongSignIn):
            await sign_in(username, "wrong", totp())


@pytest.fixture(autouse=True)
async def middle_of_a_step(city: City) -> None:
    """A test that straddles two steps of 30 seconds would see another code than it made."""
    while clock.now().timestamp() % 30 > 26:
        await asyncio.sleep(0.5)


async def test_the_right_words_let_the_right_person_in(city: City) -> None:
    member = await sign_in("handler", PASSWORD, totp())
    assert (member.role, member.agency_code) == (Role.HANDLER, HOUSING)


async def test_after_five_failures_even_the_right_words_are_refused_for_a_quarter_of_an_hour(
    city: City,
) -> None:
    await fail(5)
    with pytest.raises(WrongSignIn):
        await sign_in("handler", PASSWORD, totp())
    clock.advanced += LOCKED_FOR - timedelta(seconds=30)
    with pytest.raises(WrongSignIn):
        await sign_in("handler", PASSWORD, totp())
    clock.advanced += timedelta(seconds=31)
    assert await sign_in("handler", PASSWORD, totp())


async def test_four_failures_lock_nobody_out_and_a_success_forgets_them(city: City) -> None:
    for _ in range(2):
        await fail(4)
        assert await sign_in("handler", PASSWORD, totp(), reuse_totp=True)


async def test_a_lock_is_one_persons(city: City) -> None:
    await fail(5)
    assert await sign_in("lead", PASSWORD, totp())


async def test_failures_at_the_same_moment_are_all_counted(city: City) -> None:
    tries = [sign_in("handler", "wrong", totp()) for _ in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(result, WrongSignIn) for result in results)
    with pytest.raises(WrongSignIn):
        await sign_in("handler", PASSWORD, totp())


async def test_a_one_time_code_works_once_outside_the_demo(city: City) -> None:
    code = totp()
    assert await sign_in("handler", PASSWORD, code)
    with pytest.raises(WrongSignIn):
        await sign_in("handler", PASSWORD, code)
    clock.advanced += timedelta(seconds=30)
    assert await sign_in("handler", PASSWORD, totp())


async def test_a_one_time_code_used_twice_at_the_same_moment_works_once(city: City) -> None:
    code = totp()
    tries = [sign_in("handler", PASSWORD, code) for _ in range(4)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in results) == 1


async def test_an_older_code_does_not_work_after_a_newer_one(city: City) -> None:
    older, newer = totp(), totp(1)
    assert await sign_in("handler", PASSWORD, newer)
    with pytest.raises(WrongSignIn):
        await sign_in("handler", PASSWORD, older)


async def test_in_the_demo_a_code_works_twice(city: City) -> None:
    for _ in range(2):
        assert await sign_in("handler", PASSWORD, totp(), reuse_totp=True)


async def test_a_clock_may_be_off_by_one_step(city: City) -> None:
    for steps in (-2, 2, 3, -10):
        with pytest.raises(WrongSignIn):
            await sign_in("handler", PASSWORD, totp(steps))
    for steps in (-1, 0, 1):  # in this order: an older code does not work after a newer one
        assert await sign_in("handler", PASSWORD, totp(steps))


async def test_a_code_that_is_none_is_refused(city: City) -> None:
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in totp())
    for code in (
        "",
        "12345",
        "0000000",
        full_width,
        "²²²²²²",
        "abcdef",
        " ",
        "-1",
        f"{totp()} ",
    ):
        with pytest.raises(WrongSignIn):
            await sign_in("handler", PASSWORD, code)
        await Staff.all().update(failures=0, locked_until=None)
    assert await sign_in("handler", PASSWORD, totp())


async def test_whatever_was_wrong_the_words_are_the_same(http: AsyncClient, city: City) -> None:
    await fail(5, "lead")
    await Staff.filter(username="other").update(active=False)
    tries = [
        {"username": "nobody"}, {"password": "wrong"}, {"password": ""}, {"totp": wrong_totp()},
        {"totp": ""}, {"username": "lead"}, {"username": "other"}, {"username": "HANDLER"},
    ]  # fmt: skip
    answers = [
        await http.post("/api/v1/staff/login", json=credentials("handler") | wrong)
        for wrong in tries
    ]
    assert {answer.status_code for answer in answers} == {401}
    bodies = [{k: v for k, v in answer.json().items() if k != "instance"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)


async def test_an_unknown_name_costs_a_password_hash_too(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed."""
    asked: list[str] = []
    real = service._password_fits

    def noted(hashed: str, typed: str) -> bool:
        asked.append(hashed)
        return real(hashed, typed)

    monkeypatch.setattr(service, "_password_fits", noted)
    for username in ("nobody", "handler"):
        with pytest.raises(WrongSignIn):
            await sign_in(username, "wrong", totp())
    assert len(asked) == 2
    assert next(hashed.split("$")[:4] for hashed in asked) == asked[1].split("$")[:4]


async def test_a_member_who_was_dismissed_loses_his_token_at_once(
    http: AsyncClient, city: City
) -> None:
    headers = await city.staff(http, "handler")
    assert (await http.get("/api/v1/work-orders", headers=headers)).status_code == 200
    await Staff.filter(username="handler").update(active=False)
    assert (await http.get("/api/v1/work-orders", headers=headers)).status_code == 401


async def test_a_role_that_changed_counts_at_once(http: AsyncClient, city: City) -> None:
    headers = await city.staff(http, "handler")
    await Staff.filter(username="handler").update(role="admin")
    assert (await http.get("/api/v1/work-orders", headers=headers)).status_code == 403


async def test_a_system_that_was_shut_off_is_refused_within_seconds(
    http: AsyncClient, city: City
) -> None:
    headers = await city.system(http)
    assert (await http.get("/api/v1/receipts/1", headers=headers)).status_code == 404
    await Client.filter(agency_code=HOUSING).update(active=False)
    clock.advanced += timedelta(seconds=11)
    assert (await http.get("/api/v1/receipts/1", headers=headers)).status_code == 401


async def test_a_session_is_found_by_its_secret_and_ends_by_itself(city: City) -> None:
    member = await sign_in("handler", PASSWORD, totp())
    secret = await service.open_session(member)
    found = await service.session_of(secret)
    assert found is not None
    assert found[0] == member
    assert await service.session_of(secret + "x") is None
    clock.advanced += SESSION_IDLE + timedelta(seconds=1)
    assert await service.session_of(secret) is None


async def test_a_closed_session_is_over(city: City) -> None:
    secret = await service.open_session(await sign_in("handler", PASSWORD, totp()))
    await service.close_session(secret)
    assert await service.session_of(secret) is None


async def test_no_secret_stands_in_the_database(city: City) -> None:
    secret = await service.open_session(await sign_in("handler", PASSWORD, totp()))
    stored = ""
    for table in ("staff", "sessions", "clients"):
        stored += repr([dict(row) for row in await sql.fetch(f"SELECT * FROM {table}")])
    assert not any(word in stored for word in (secret, PASSWORD, TOTP, city.secrets[HOUSING]))


async def test_a_handler_needs_an_agency_of_the_catalogue(city: City) -> None:
    with pytest.raises(service.BadAccount):
        await service.hire(
            username="x", name="x", role=Role.HANDLER, password="x", totp_secret=TOTP,
            agency_code="nowhere", region_code=REGION,
        )  # fmt: skip
