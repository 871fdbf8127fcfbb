"""Words are shown to WeChat before anybody publishes them; the rating counts whatever it says."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from factories import City, a_bad_review
from httpx import AsyncClient
from kit.calls import Scene
from wechat.provider import DOUBTFUL, RISKY, Mood, WeChatDesk

from server.kit import sql
from server.kit.clock import clock
from server.kit.wechat import WeChat
from server.reviews import word_checks

CHECK = "/wxa/msg_sec_check"
OPENID = "demo:wang"


@pytest.fixture
def scene(http: AsyncClient, city: City, desk: WeChatDesk) -> Scene:
    desk.visited[OPENID] = desk.now()
    return Scene(http, city)


async def rate(scene: Scene, comment: str, **headers: str) -> Any:
    code = await scene.city.code(scene.http)
    answer = await scene.http.post(
        f"/api/v1/e/{code}/review", json=a_bad_review(comment=comment),
        headers=headers or await scene.citizen(OPENID),
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.json()


async def checks() -> list[tuple[str, str]]:
    rows = await sql.fetch("SELECT state, reason FROM word_checks ORDER BY review_id")
    return [(row["state"], row["reason"]) for row in rows]


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        ("排队两小时", ("passed", "pass")), (f"来{RISKY}", ("held", "risky")),
        (f"{DOUBTFUL}聊聊", ("held", "review")),
    ],
)  # fmt: skip
async def test_what_is_not_let_pass_is_held_and_counts_none_the_less(
    scene: Scene, wechat: WeChat, comment: str, found: tuple[str, str]
) -> None:
    taken = await rate(scene, comment)
    assert await checks() == [("waiting", "")], "held from the first commit"
    assert await word_checks.check(wechat) == 1
    assert await checks() == [found]
    assert await word_checks.check(wechat) == 0
    (review,) = await sql.fetch("SELECT level, state, comment FROM reviews")
    assert tuple(review) == (1, "standing", comment)
    assert taken["work_order"]


async def test_words_of_nobody_and_no_words_are_not_shown_to_wechat(
    scene: Scene, wechat: WeChat, desk: WeChatDesk
) -> None:
    await scene.rated(comment="没有登录")
    await rate(scene, "  ")
    assert await checks() == []
    await word_checks.check(wechat)
    assert desk.calls[CHECK] == 0


@pytest.mark.parametrize(
    "mood",
    [Mood(answer="nothing"), Mood(answer="html", status=502), Mood(delay=1.0), Mood(code=-1),
     Mood(code=45009)],
)  # fmt: skip
async def test_while_wechat_is_away_the_words_are_held_and_checked_later(
    scene: Scene, wechat: WeChat, desk: WeChatDesk, mood: Mood
) -> None:
    await rate(scene, "排队两小时")
    desk.next(CHECK, mood)
    assert await word_checks.check(wechat) == 0
    assert (await checks())[0][0] == "waiting"
    assert await word_checks.check(wechat) == 0, "not before its time"
    clock.advanced += timedelta(minutes=2)
    assert await word_checks.check(wechat) == 1
    assert await checks() == [("passed", "pass")]


async def test_who_is_away_is_waited_for(scene: Scene, wechat: WeChat, desk: WeChatDesk) -> None:
    await rate(scene, "排队两小时")
    desk.ahead += 7300
    for _ in range(3):
        await word_checks.check(wechat)
        clock.advanced += timedelta(minutes=20)
    assert await checks() == [("waiting", "errcode_61010")]
    assert desk.calls[CHECK] == 1
    desk.visited[OPENID] = desk.now()
    await scene.http.get("/api/v1/me/reviews", headers=await scene.citizen(OPENID))
    assert await word_checks.check(wechat) == 1
    assert await checks() == [("passed", "pass")]


async def test_what_was_added_is_checked_with_the_rest(
    scene: Scene, wechat: WeChat, desk: WeChatDesk
) -> None:
    taken = await rate(scene, "排队两小时")
    await word_checks.check(wechat)
    clock.advanced += timedelta(minutes=11)
    path = f"/api/v1/track/{taken['query_code']}/supplement"
    assert (await scene.http.post(path, json={"comment": f"去{RISKY}"})).status_code == 200
    assert await checks() == [("waiting", "")]
    await word_checks.check(wechat)
    assert await checks() == [("held", "risky")]
    assert desk.checked == ["排队两小时", f"排队两小时\n去{RISKY}"]


async def test_an_opinion_of_older_words_is_not_taken_for_the_newer(
    scene: Scene, wechat: WeChat, desk: WeChatDesk
) -> None:
    taken = await rate(scene, "排队两小时")
    clock.advanced += timedelta(minutes=11)
    desk.next(CHECK, Mood(delay=0.4))
    checking = asyncio.create_task(word_checks.check(wechat))
    await asyncio.sleep(0.15)
    path = f"/api/v1/track/{taken['query_code']}/supplement"
    await scene.http.post(path, json={"comment": f"去{RISKY}"})
    assert await checking == 0
    assert await checks() == [("waiting", "")]
    await word_checks.check(wechat)
    assert await checks() == [("held", "risky")]


async def test_two_workers_ask_once(scene: Scene, wechat: WeChat, desk: WeChatDesk) -> None:
    for number in range(5):
        await rate(scene, f"第{number}次")
    done = await asyncio.gather(*(word_checks.check(wechat) for _ in range(3)))
    assert sum(done) == desk.calls[CHECK] == 5


async def test_a_worker_that_died_leaves_the_words_held_until_another_comes(
    scene: Scene, wechat: WeChat
) -> None:
    await rate(scene, "排队两小时")
    now = clock.now()
    await sql.fetch(word_checks._TAKE, now, now + word_checks.LEASE, 16)
    assert await word_checks.check(wechat) == 0
    clock.advanced += timedelta(seconds=31)
    assert await word_checks.check(wechat) == 1


async def test_words_of_one_who_was_forgotten_stay_held(
    scene: Scene, wechat: WeChat, desk: WeChatDesk
) -> None:
    await rate(scene, "排队两小时")
    await scene.http.post("/api/v1/me/erase", json={}, headers=await scene.citizen(OPENID))
    await word_checks.check(wechat)
    assert await checks() == [("held", "nobody")]
    assert desk.calls[CHECK] == 0
