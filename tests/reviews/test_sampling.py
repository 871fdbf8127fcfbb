"""随机抽取回访: a share of the satisfied is asked again, drawn so that an auditor can draw it again."""

import asyncio
import hashlib
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from factories import REGION, City
from httpx import AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from phones import Handset, at_o_clock, orders, pass_time, policy, tick
from test_commands import run

from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.errors import Refusal
from server.reviews import callbacks, service
from server.reviews.rules import NoCallBack, ReviewChannel
from server.reviews.sampling import Draws, draw, draw_again, share
from server.settings import Settings

DAY = timedelta(days=1)
CONTACT = b"sealed under a key that is gone"


async def rate(n: int, *, region: str = REGION, level: int = 5, contact: bool = True) -> None:
    """Reviews of this moment, straight into the table; their undo time is over in ten minutes."""
    now = clock.now()
    await sql.fetch(
        "WITH t AS (INSERT INTO receipts (region_code, agency_code, issued_at, case_number,"
        "  service_number, matter_code, stage, channel, handled_at, open_until, digest) "
        " SELECT $1, '11990100MB0000001A', $2, gen_random_uuid()::text, 1, 'M', '签收', 'window', $2,"
        "  $2::timestamptz + interval '7 days', '' FROM generate_series(1, $3) RETURNING id) "
        "INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel,"
        " real_name, contact, at, undo_until, order_number, query_key) "
        "SELECT gen_random_uuid(), id, $1, $4::smallint, '{}', '', 'standing', 'web', FALSE, $5, $2,"
        " $2::timestamptz + interval '10 minutes', CASE WHEN $4::smallint < 3 THEN 'x' || id END,"
        " left(md5(id::text), 22) FROM t",
        region, now, n, level, CONTACT if contact else None,
    )  # fmt: skip


async def drawn() -> list[Any]:
    return await sql.fetch("SELECT * FROM call_backs ORDER BY id")


async def tomorrow() -> date:
    """Nine o'clock of the next day; gives the day that is over."""
    day = clock.now().astimezone(BEIJING).date()
    clock.advanced += datetime.combine(day, datetime.min.time(), BEIJING) + DAY - clock.now()
    clock.advanced += timedelta(hours=9)
    return day


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=40), st.integers(0, 1000))
def test_over_the_days_the_share_is_right_to_the_half_of_a_review(
    days: list[int], permille: int
) -> None:
    wanted = taken = 0
    for population in days:
        k = share(population, permille, wanted, taken)
        assert 0 <= k <= population
        wanted, taken = wanted + population * permille, taken + k
    assert abs(taken * 1000 - wanted) <= 500


async def test_of_a_day_the_share_is_drawn_and_it_is_the_one_that_the_seed_says(
    http: AsyncClient, hall: City
) -> None:
    await policy(sample_permille=100)
    await rate(40)
    await rate(6, level=3)
    await rate(9, level=2)
    await rate(30, contact=False)
    day = await tomorrow()
    assert await Draws().draw() == 5
    (sample,) = await sql.fetch("SELECT * FROM samples")
    assert (sample["day"], sample["population"], sample["drawn"]) == (day, 46, 5)
    seed = bytes.fromhex(sample["seed"])
    assert len(seed) == 32
    all_ = await sql.fetch("SELECT id FROM reviews WHERE level >= 3 AND contact IS NOT NULL")
    ranked = sorted(all_, key=lambda r: hashlib.sha256(seed + r["id"].bytes).digest())
    assert {row["review_id"] for row in await drawn()} == {row["id"] for row in ranked[:5]}
    again = await draw_again(REGION, day)
    assert again is not None
    assert [again.drawn, again.left, again.unexplained] == [[r["id"] for r in ranked[:5]], [], []]


async def test_a_draw_that_somebody_has_put_right_afterwards_does_not_agree_with_its_seed(
    http: AsyncClient, hall: City
) -> None:
    await policy(sample_permille=500)
    await rate(8)
    day = await tomorrow()
    await Draws().draw()
    first = (await drawn())[0]
    (spare,) = await sql.fetch(
        "SELECT id FROM reviews WHERE id NOT IN (SELECT review_id FROM call_backs) LIMIT 1"
    )
    await sql.fetch("UPDATE call_backs SET review_id = $1 WHERE id = $2", spare["id"], first["id"])
    again = await draw_again(REGION, day)
    assert again is not None
    assert set(again.unexplained) == {spare["id"], first["review_id"]}


async def test_an_auditor_draws_again_on_the_command_line(
    http: AsyncClient, hall: City, servers: Settings
) -> None:
    await policy(sample_permille=500)
    await rate(4)
    day = await tomorrow()
    await Draws().draw()
    same = await asyncio.to_thread(run, servers, "sample", REGION, day.isoformat())
    assert (same.returncode, same.stderr) == (0, ""), same.stderr
    assert "结果一致" in same.stdout and "抽取 2 条" in same.stdout
    await sql.fetch("UPDATE samples SET seed = repeat('0', 64)")
    forged = await asyncio.to_thread(run, servers, "sample", REGION, day.isoformat())
    assert (forged.returncode == 3) is ("与种子不符" in forged.stderr)
    for arguments, code in (((REGION, "2020-01-01"), 1), ((REGION, "yesterday"), 2)):
        assert (await asyncio.to_thread(run, servers, "sample", *arguments)).returncode == code


async def test_who_is_excluded_or_forgotten_after_the_draw_explains_himself(
    http: AsyncClient, hall: City
) -> None:
    await policy(sample_permille=500)
    await rate(8)
    day = await tomorrow()
    await Draws().draw()
    gone, forgotten = (row["review_id"] for row in (await drawn())[:2])
    await sql.fetch("UPDATE reviews SET state = 'excluded' WHERE id = $1", gone)
    await sql.fetch("UPDATE reviews SET contact = NULL WHERE id = $1", forgotten)
    again = await draw_again(REGION, day)
    assert again is not None
    assert (set(again.left), again.unexplained) == ({gone, forgotten}, [])


async def test_two_workers_draw_once_and_a_standstill_of_days_is_made_up_for(
    http: AsyncClient, hall: City
) -> None:
    await policy(sample_permille=1000)
    await rate(3)
    day = await tomorrow()
    await asyncio.gather(*(draw(REGION, day) for _ in range(4)), Draws().draw())
    assert len(await drawn()) == 3
    await rate(2)
    clock.advanced += 3 * DAY
    await asyncio.gather(Draws().draw(), Draws().draw())
    assert len(await drawn()) == 5
    await rate(4)
    clock.advanced += 12 * DAY
    assert await Draws().draw() == 0, "who was asked about it after a fortnight would wonder"


async def test_before_eight_and_of_the_running_day_nothing_is_drawn(
    http: AsyncClient, hall: City
) -> None:
    await policy(sample_permille=1000)
    await rate(2)
    ticker = Draws()
    assert await ticker.draw() == 0
    clock.advanced += at_o_clock(7)
    assert await ticker.draw() == 0
    clock.advanced += timedelta(hours=1)
    assert await ticker.draw() == 2
    assert await ticker.draw() == 0


# Asked again


@pytest.fixture
async def asked(http: AsyncClient, hall: City, phone: Handset) -> str:
    """The query code of one who rated 5 by SMS, was drawn, and has had the question."""
    await policy(sample_permille=1000)
    await hall.code(http)
    await tick()
    await phone.writes("5")
    await tomorrow()
    await Draws().draw()
    await tick()
    (review,) = await service.Review.all()
    return service.codes.code_of_key(review.id, review.query_key)


async def test_a_drawn_one_is_asked_by_sms_and_his_yes_is_counted(
    asked: str, phone: Handset
) -> None:
    message = (await phone.messages())[-1]
    assert message["purpose"] == "recall" and "公租房申请" in message["text"]
    await phone.writes("满意，谢谢")
    (row,) = await drawn()
    assert (row["state"], row["satisfied"], row["channel"]) == ("done", True, "sms")
    assert await orders() == []


@pytest.mark.parametrize(("text", "words"), [("不满意，还没办成", "还没办成"), ("2", "")])
async def test_his_no_opens_an_order_and_changes_nothing_of_his_review(
    http: AsyncClient, hall: City, asked: str, phone: Handset, text: str, words: str
) -> None:
    await phone.writes(text)
    (order,), (row,) = await orders(), await drawn()
    assert (order["origin"], order["level"], order["words"]) == ("sample", 5, words)
    assert (row["state"], row["satisfied"], row["order_number"]) == ("done", False, order["number"])
    (review,) = await sql.fetch("SELECT * FROM reviews")
    assert (review["level"], review["state"], review["order_number"]) == (5, "standing", None)
    track = (await http.get(f"/api/v1/track/{asked}")).json()
    assert track["work_order"]["number"] == order["number"] and track["call_back"] is None
    assert track["work_order"]["steps"][0]["what"] == "您在回访中表示不满意，转成工单核实"


async def test_such_an_order_is_answered_and_judged_like_any_other(
    http: AsyncClient, hall: City, asked: str, phone: Handset
) -> None:
    await phone.writes("不满意")
    await pass_time(timedelta(minutes=11))
    (order,), handler = await orders(), await hall.staff(http, "handler")
    base = f"/api/v1/work-orders/{order['number']}"
    await http.post(f"{base}/accept", json={}, headers=handler)
    said = await http.post(f"/api/v1/track/{asked}/messages", json={"text": "三号窗口"})
    assert said.status_code == 200, said.text
    answer = {"disposition": "fixed", "text": "已补办"}
    assert (await http.post(f"{base}/answer", json=answer, headers=handler)).status_code == 200
    await tick()
    assert (await phone.messages())[-1]["purpose"] == "answer"
    await phone.writes("满意")
    assert (await http.get(base, headers=handler)).json()["state"] == "closed"


async def test_on_his_page_he_is_asked_until_he_has_answered(
    http: AsyncClient, hall: City, asked: str
) -> None:
    path = f"/api/v1/track/{asked}"
    assert (await http.get(path)).json()["call_back"]["question"].startswith("回访")
    both = await asyncio.gather(*(
        http.post(f"{path}/call-back", json={"satisfied": False, "comment": "电话13800138000"})
        for _ in range(2)
    ))  # fmt: skip
    assert sorted(answer.status_code for answer in both) == [200, 409]
    (order,) = await orders()
    assert order["words"] == "电话▇▇"
    refused = await http.post(f"{path}/call-back", json={"satisfied": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_call_back")


async def test_who_does_not_answer_in_time_is_not_reached_and_who_was_not_drawn_not_asked(
    http: AsyncClient, hall: City, asked: str
) -> None:
    clock.advanced += 12 * DAY
    assert await callbacks.give_up() == 1
    assert [row["state"] for row in await drawn()] == ["unreachable"]
    assert (await http.get(f"/api/v1/track/{asked}")).json()["call_back"] is None
    hall.tokens.clear()
    other = await http.post(f"/api/v1/e/{await hall.code(http)}/review", json={"level": 5})
    review = await service.review_of(other.json()["query_code"])
    with pytest.raises(Refusal) as refused:
        await callbacks.answer(review, satisfied=True, comment="", channel=ReviewChannel.WEB)
    assert isinstance(refused.value, NoCallBack)


async def test_who_has_opted_out_is_not_asked_by_sms(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(sample_permille=1000)
    await hall.code(http)
    await tick()
    await phone.writes("5")
    await phone.writes("TD")
    await tomorrow()
    assert await Draws().draw() == 1
    await tick()
    assert "recall" not in await phone.purposes()
    assert (await phone.questions())[-1] == ("recall", "needless")


async def test_what_was_said_to_a_wall_is_not_drawn(http: AsyncClient, hall: City) -> None:
    """G10: nobody verified who stood before it."""
    await policy(sample_permille=1000)
    await rate(2)
    await sql.fetch("UPDATE reviews SET channel = 'static_qr'")
    await tomorrow()
    assert await Draws().draw() == 0
