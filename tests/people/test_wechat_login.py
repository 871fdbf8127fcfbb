"""Signing in from the mini-program, and what a token of a citizen opens."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from kit.calls import Scene
from wechat.provider import Mood, WeChatDesk

from server.kit import privacy, sql
from server.kit.clock import clock
from server.kit.privacy import open_vault
from server.kit.wechat import InvalidCode, NoMiniProgram, WeChat
from server.people import citizens, tokens

LOGIN = "/api/v1/wechat/login"
OPENID = "oABCD-the_openid_of_one_1234"


@pytest.fixture
def real(app: Any, wechat: WeChat, monkeypatch: pytest.MonkeyPatch) -> WeChat:
    monkeypatch.setattr(app.ctx, "wechat", wechat)
    return wechat


@pytest.fixture
def rotated() -> Iterator[None]:
    before = privacy._vault
    yield
    privacy._vault = before
    tokens._verify.cache_clear()


async def known() -> list[dict[str, Any]]:
    return [dict(row) for row in await sql.fetch("SELECT * FROM citizens ORDER BY first_seen")]


async def test_a_code_of_wechat_gives_a_token_for_two_hours(
    http: AsyncClient, city: City, real: WeChat, desk: WeChatDesk
) -> None:
    answer = await http.post(LOGIN, json={"code": desk.code_for(OPENID)})
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "expires_in"}
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await http.get("/api/v1/me/reviews", headers=headers)).json()["items"] == []
    clock.advanced += timedelta(hours=2)
    assert (await http.get("/api/v1/me/reviews", headers=headers)).status_code == 401


async def test_neither_openid_nor_session_key_stands_in_the_answer_or_in_the_table(
    http: AsyncClient, city: City, real: WeChat, desk: WeChatDesk
) -> None:
    answer = await http.post(LOGIN, json={"code": desk.code_for(OPENID)})
    (row,) = await known()
    for text in (answer.text, str(answer.headers), repr(row)):
        assert OPENID not in text and "session" not in text
    assert row["erased_at"] is None


async def test_who_comes_again_is_the_same_one(
    http: AsyncClient, city: City, real: WeChat, desk: WeChatDesk
) -> None:
    for openid in (OPENID, "oAnother", OPENID):
        assert (await http.post(LOGIN, json={"code": desk.code_for(openid)})).status_code == 200
        clock.advanced += timedelta(minutes=5)
    first, other = await known()
    assert first["last_seen"] - first["first_seen"] >= timedelta(minutes=10)
    assert other["last_seen"] == other["first_seen"]


async def test_of_many_first_logins_at_once_one_citizen_comes(
    http: AsyncClient, city: City
) -> None:
    answers = await asyncio.gather(
        *(http.post(LOGIN, json={"code": "demo:wang"}) for _ in range(12))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(await known()) == 1


async def test_after_a_change_of_keys_he_is_known_and_carried_over(
    city: City, rotated: None
) -> None:
    old, new = b"o" * 32, b"n" * 32
    open_vault({"o": old})
    first = await citizens._known(OPENID)
    open_vault({"n": new, "o": old})
    assert await citizens._known(OPENID) == first
    open_vault({"n": new})
    assert await citizens._known(OPENID) == first, "the old key may go once he was here"
    (row,) = await known()
    assert citizens.openid_in(row["openid"]) == OPENID


@pytest.mark.parametrize(
    ("mood", "status", "word"),
    [
        (Mood(code=40029), 401, "wechat_code_invalid"), (Mood(code=40163), 401, "wechat_code_used"),
        (Mood(code=45011), 429, "wechat_too_often"), (Mood(code=40226), 403, "wechat_blocked"),
        (Mood(code=-1), 503, "wechat_unavailable"), (Mood(answer="html"), 503, "wechat_unavailable"),
    ],
)  # fmt: skip
async def test_each_refusal_is_told_in_the_citizens_words(
    http: AsyncClient,
    city: City,
    real: WeChat,
    desk: WeChatDesk,
    mood: Mood,
    status: int,
    word: str,
) -> None:
    desk.next("/sns/jscode2session", mood)
    answer = await http.post(LOGIN, json={"code": desk.code_for(OPENID)})
    assert (answer.status_code, answer.json()["code"]) == (status, word)
    assert ("retry-after" in answer.headers) is (status in (429, 503))
    assert OPENID not in answer.text and "rid" not in answer.json()["detail"]
    assert await known() == []


async def test_a_demo_code_opens_nothing_outside_the_demo(
    city: City, wechat: WeChat, desk: WeChatDesk
) -> None:
    with pytest.raises(InvalidCode):
        await citizens.sign_in("demo:wang", wechat, demo=False)
    with pytest.raises(NoMiniProgram):
        await citizens.sign_in("demo:wang", None, demo=False)
    assert await known() == []


@pytest.mark.parametrize("code", ["", " ", "demo:", "demo", "no code"])
async def test_in_the_demo_only_demo_codes_log_in(http: AsyncClient, city: City, code: str) -> None:
    answer = await http.post(LOGIN, json={"code": code})
    assert (answer.status_code, answer.json()["code"]) == (401, "wechat_code_invalid")


async def test_a_token_of_another_audience_is_no_citizens_and_his_is_nobody_elses(
    http: AsyncClient, city: City
) -> None:
    scene = Scene(http, city)
    for headers in (await city.system(http), await scene.staff("handler")):
        assert (await http.get("/api/v1/me/reviews", headers=headers)).status_code == 401
    mine = await scene.citizen()
    for path in ("/api/v1/work-orders", "/api/v1/receipts/1", "/api/v1/audit/receipts/1"):
        assert (await http.get(path, headers=mine)).status_code == 401


async def test_rating_needs_no_token_but_takes_no_bad_one(http: AsyncClient, city: City) -> None:
    code = await city.code(http)
    path, body = f"/api/v1/e/{code}/review", a_bad_review()
    for header in ("Bearer nonsense", "Bearer", "", "Basic YTpi"):
        answer = await http.post(path, json=body, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token"), header
    assert (await http.post(path, json=body)).status_code == 201
    (row,) = await sql.fetch("SELECT channel FROM reviews")
    assert row["channel"] == "receipt_qr"
    assert await sql.fetch("SELECT 1 FROM claims") == []
