"""The console's door: who gets in, for how long, and where to."""

import dataclasses
from datetime import timedelta
from typing import Any

import httpx
import pytest
from factories import City, credentials
from web.console_desk import a_case, a_desk

from server.kit import sql
from server.kit.clock import clock
from server.workorders.models import WorkOrder

WRONG = "用户名、密码或动态口令不对，或账号暂时锁定"
ANSWER = {"disposition": "fixed", "text": "已增开两个窗口", "legal_basis": ""}


@pytest.mark.parametrize(
    "page", ["/console", "/console/orders/2026ABCDEFGHJK", "/console/audit", "/console/audit/1"]
)
async def test_who_is_not_signed_in_is_sent_to_the_sign_in_and_then_back(
    app: object, city: City, page: str
) -> None:
    async with a_desk(app) as desk:
        answer = await desk.get(page)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/console/login?next={page}"


async def test_an_anonymous_post_changes_nothing_and_is_sent_to_the_sign_in(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app) as desk:
        for act, fields in (("accept", {}), ("answer", ANSWER)):
            answer = await desk.post(f"/console/orders/{case.number}/{act}", **fields)
            assert answer.status_code == 303
            assert (
                answer.headers["location"] == f"/console/login?next=/console/orders/{case.number}"
            )
    assert (await WorkOrder.get(number=case.number)).state == "assigned"


@pytest.mark.parametrize(
    "wrong", [{"password": "no"}, {"totp": "000000"}, {"username": "nobody"}, {"totp": "१२३४५६"}]
)
async def test_the_words_are_the_same_whatever_was_wrong(
    app: object, city: City, wrong: dict[str, str]
) -> None:
    async with a_desk(app) as desk:
        answer = await desk.sign_in(**({"username": "handler"} | wrong))
        assert answer.status_code == 401
        assert WRONG in answer.text
        assert "session" not in desk.client.cookies


async def test_neither_password_nor_one_time_code_is_repeated_on_the_page(
    app: object, city: City
) -> None:
    async with a_desk(app) as desk:
        answer = await desk.sign_in(password="mistyped-secret", totp="876543")
        assert "mistyped-secret" not in answer.text
        assert "876543" not in answer.text
        assert 'value="handler"' in answer.text


async def test_after_five_wrong_tries_the_account_rests_and_then_opens_again(
    app: object, city: City
) -> None:
    async with a_desk(app) as desk:
        for _ in range(5):
            await desk.sign_in(password="no")
        resting = await desk.sign_in()
        assert (resting.status_code, WRONG in resting.text) == (401, True)
        clock.advanced += timedelta(minutes=16)
        assert (await desk.sign_in()).status_code == 303


async def test_a_one_time_code_may_be_typed_in_two_groups(app: object, city: City) -> None:
    code = credentials("handler")["totp"]
    async with a_desk(app) as desk:
        assert (await desk.sign_in(totp=f"{code[:3]} {code[3:]}")).status_code == 303


@pytest.mark.parametrize("token", ["", "x" * 22])
async def test_nobody_is_signed_in_by_a_form_from_elsewhere(
    app: object, city: City, token: str
) -> None:
    async with a_desk(app) as desk:
        await desk.get("/console/login")
        answer = await desk.sign_in(csrf=token)
        assert answer.status_code == 403
        assert "session" not in desk.client.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
    ],
)
async def test_the_browsers_word_that_a_form_is_foreign_is_enough(
    app: object, city: City, headers: dict[str, str]
) -> None:
    async with a_desk(app) as desk:
        await desk.get("/console/login")
        desk.client.headers.update(headers)
        assert (await desk.sign_in()).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "null"}, {"Origin": "http://pj.test"}, {"Sec-Fetch-Site": "same-origin"}]
)
async def test_our_own_form_is_taken_from_every_engine(
    app: object, city: City, headers: dict[str, str]
) -> None:
    async with a_desk(app) as desk:
        desk.client.headers.update(headers)
        assert (await desk.sign_in()).status_code == 303


async def test_the_token_of_the_sign_in_is_worth_nothing_without_its_cookie(
    app: object, city: City
) -> None:
    async with a_desk(app) as desk:
        await desk.get("/console/login")
        desk.client.cookies.clear()
        assert (await desk.sign_in()).status_code == 403


async def test_the_session_cookie_is_strict_and_out_of_reach_of_scripts(
    app: Any, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_desk(app) as desk:
        plain = (await desk.sign_in()).headers.get_list("set-cookie")
    session = next(cookie for cookie in plain if cookie.startswith("session="))
    assert {"httponly", "samesite=strict", "path=/"} <= set(session.lower().split("; "))
    assert "secure" not in session.lower()
    assert "domain" not in session.lower()

    secure = dataclasses.replace(app.ctx.settings, base_url="https://pj.test")
    monkeypatch.setattr(app.ctx, "settings", secure)
    async with a_desk(app, address="https://pj.test") as desk:
        safe = (await desk.sign_in()).headers.get_list("set-cookie")
        assert (await desk.get("/console")).status_code == 200
        secret = desk.client.cookies["__Host-session"]
        desk.client.cookies.clear()
        desk.client.headers["Cookie"] = f"session={secret}"
        assert (await desk.get("/console")).status_code == 303, "a planted cookie without prefix"
    session = next(cookie for cookie in safe if cookie.startswith("__Host-session="))
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= set(session.lower().split("; "))
    assert "domain" not in session.lower()


async def test_each_sign_in_opens_a_new_session_and_ends_the_old_one(
    app: object, city: City
) -> None:
    async with a_desk(app, "handler") as desk:
        first = desk.client.cookies["session"]
        await desk.get("/console")
        await desk.post("/console/logout")
        second_visit = await desk.sign_in()
        assert second_visit.status_code == 303
        assert desk.client.cookies["session"] != first
        desk.client.cookies.set("session", first, domain="pj.test")
        assert (await desk.get("/console")).status_code == 303


@pytest.mark.parametrize("evil", [
    "https://evil.example/console", "//evil.example", "/\\evil.example", "/console/../../evil",
    "/console\\@evil.example", "/consolevil", "/console//evil.example", "javascript:alert(1)", "",
    "/console\r\nSet-Cookie: a=b", "/console/login?next=//evil.example", "/track", "/console#x",
])  # fmt: skip
async def test_after_signing_in_one_lands_only_in_the_console(
    app: object, city: City, evil: str
) -> None:
    async with a_desk(app) as desk:
        await desk.get("/console/login", next=evil)
        assert (await desk.sign_in()).headers["location"] == "/console"
        assert (await desk.get("/console/login", next=evil)).headers["location"] == "/console"
    async with a_desk(app) as desk:
        await desk.get("/console/login")
        assert (await desk.sign_in(next=evil)).headers["location"] == "/console"


async def test_after_signing_in_one_is_back_where_one_wanted_to_go(app: object, city: City) -> None:
    async with a_desk(app) as desk:
        sent = await desk.get("/console", show="all", q="50%")
        await desk.get(sent.headers["location"])
        assert (await desk.sign_in()).headers["location"] == "/console?show=all&q=50%25"


async def test_a_session_ends_after_half_an_hour_without_a_word(app: object, city: City) -> None:
    async with a_desk(app, "handler") as desk:
        clock.advanced += timedelta(minutes=29)
        assert (await desk.get("/console")).status_code == 200
        clock.advanced += timedelta(minutes=29)
        assert (await desk.get("/console")).status_code == 200
        clock.advanced += timedelta(minutes=31)
        ended = await desk.get("/console")
        assert ended.status_code == 303
        page = await desk.get(ended.headers["location"])
        assert "一段时间没有操作" in page.text


async def test_a_session_ends_after_twelve_hours_even_of_work(app: object, city: City) -> None:
    async with a_desk(app, "handler") as desk:
        for _ in range(29):
            clock.advanced += timedelta(minutes=24)
            assert (await desk.get("/console")).status_code == 200
        clock.advanced += timedelta(minutes=28)
        assert (await desk.get("/console")).status_code == 303


async def test_a_long_answer_survives_the_end_of_the_session(
    http: httpx.AsyncClient, app: object, city: City
) -> None:
    case = await a_case(http, city)
    async with a_desk(app, "handler") as desk:
        await desk.get(f"/console/orders/{case.number}")
        await desk.post(f"/console/orders/{case.number}/accept")
        clock.advanced += timedelta(minutes=31)
        ended = await desk.post(f"/console/orders/{case.number}/answer", **ANSWER)
        assert ended.status_code == 401
        assert ANSWER["text"] in ended.text
        assert f"next=/console/orders/{case.number}" in ended.text
    assert (await WorkOrder.get(number=case.number)).state == "accepted"


async def test_a_foreign_form_cannot_put_words_on_our_page(app: object, city: City) -> None:
    async with a_desk(app, "handler") as desk:
        desk.client.headers["Sec-Fetch-Site"] = "cross-site"
        refused = await desk.post("/console/orders/1/answer", csrf="x", text="planted words")
        assert refused.status_code == 403
        assert "planted words" not in refused.text
        clock.advanced += timedelta(minutes=31)
        ended = await desk.post("/console/orders/1/answer", csrf="x", text="planted words")
        assert "planted words" not in ended.text


async def test_signing_out_ends_the_session_and_needs_the_token(app: object, city: City) -> None:
    async with a_desk(app, "handler") as desk:
        secret = desk.client.cookies["session"]
        assert (await desk.post("/console/logout", csrf="")).status_code == 403
        assert (await desk.get("/console/logout")).status_code in (404, 405)
        assert (await desk.get("/console")).status_code == 200
        assert (await desk.post("/console/logout")).status_code == 303
        desk.client.cookies.set("session", secret, domain="pj.test")
        assert (await desk.get("/console")).status_code == 303


async def test_the_secret_of_a_session_stands_in_no_table(app: object, city: City) -> None:
    async with a_desk(app, "handler") as desk:
        secret = desk.client.cookies["session"]
        rows = await sql.fetch("SELECT key FROM sessions")
        assert secret not in {row["key"] for row in rows}
        assert secret not in (await desk.get("/console")).text
