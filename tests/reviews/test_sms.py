"""The channel on which one digit is enough, from the receipt to the verdict on the answer."""

import asyncio
from datetime import timedelta

import pytest
from factories import LABOUR, City
from httpx import AsyncClient
from phones import Handset, at_o_clock, notified, orders, pass_time, policy, reviews, tick

from server.kit import sql
from server.kit.clock import clock
from server.reviews import replies

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def test_a_handled_service_is_announced_once(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await tick()
    (message,) = await phone.messages()
    assert message["purpose"] == "notice"
    assert "请回复数字" in message["text"] and message["parts"] == 1
    assert await phone.questions() == [("level", "open")]


@pytest.mark.parametrize(("text", "level"), [("5", 5), ("4", 4), ("基本满意", 3)])
async def test_one_digit_is_enough(
    http: AsyncClient, hall: City, phone: Handset, text: str, level: int
) -> None:
    await notified(http, hall)
    await phone.writes(text)
    (review,) = await reviews()
    assert (review["level"], review["state"], review["channel"]) == (level, "standing", "sms")
    assert await phone.purposes() == ["notice"]
    assert await phone.outcomes() == ["rated"]


async def test_thanks_are_said_where_the_policy_says_so(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(thank=True)
    await notified(http, hall)
    await phone.writes("5")
    assert await phone.purposes() == ["notice", "thanks"]


async def test_a_bad_level_occupies_the_receipt_and_is_asked_for_its_reason(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    code = await notified(http, hall)
    await phone.writes("1")
    (review,) = await reviews()
    assert (review["state"], review["order_number"]) == ("awaiting_reason", None)
    assert (await http.get(f"/api/v1/e/{code}")).json()["state"] == "reviewed"
    question = (await phone.messages())[-1]
    assert question["purpose"] == "reason"
    assert "A" in question["text"] and "H" in question["text"]
    assert await orders() == []


async def test_letters_and_words_become_the_reason_and_the_order_has_both_without_the_phone(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("B 排队两个小时，电话13800138000")
    (review,) = await reviews()
    (order,) = await orders()
    assert (review["state"], review["tags"]) == ("standing", ["109"])
    assert (order["origin"], order["level"], order["tags"]) == ("review", 1, ["109"])
    assert "排队两个小时" in order["words"]
    assert "13800138000" not in order["words"]
    assert await phone.purposes() == ["notice", "reason"]


async def test_a_bad_level_with_its_reason_is_not_asked_again(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1 排队太久")
    (review,) = await reviews()
    assert (review["state"], review["comment"]) == ("standing", "排队太久")
    assert len(await orders()) == 1
    assert await phone.purposes() == ["notice"]


async def test_the_whole_story_by_sms_only(http: AsyncClient, hall: City, phone: Handset) -> None:
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("B 排队两个小时")
    await pass_time(11 * MINUTE)
    handler = await hall.staff(http, "handler")
    (row,) = (await http.get("/api/v1/work-orders", headers=handler)).json()["items"]
    path = f"/api/v1/work-orders/{row['number']}"
    seen = (await http.get(path, headers=handler)).json()
    assert (seen["level"], seen["tags"], seen["words"]) == (1, ["109"], "排队两个小时")
    assert (await http.post(f"{path}/accept", json={}, headers=handler)).status_code == 200
    answer = {"disposition": "fixed", "text": "已增开两个窗口，并向您致歉。"}
    assert (await http.post(f"{path}/answer", json=answer, headers=handler)).status_code == 200
    await tick()
    told = (await phone.messages())[-1]
    assert told["purpose"] == "answer" and "已增开两个窗口" in told["text"]
    await phone.writes("不满意")
    (order,) = await orders()
    assert order["state"] == "contested"
    assert await phone.outcomes() == ["rated", "reasoned", "judged"]


async def test_content_with_the_answer_closes_the_order(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("2 没人管")
    await pass_time(11 * MINUTE)
    handler = await hall.staff(http, "handler")
    (order,) = await orders()
    base = f"/api/v1/work-orders/{order['number']}"
    await http.post(f"{base}/accept", json={}, headers=handler)
    answer = {"disposition": "fixed", "text": "已整改"}
    await http.post(f"{base}/answer", json=answer, headers=handler)
    await tick()
    await phone.writes("满意")
    (order,) = await orders()
    assert (order["state"], order["outcome"]) == ("closed", "content")


async def test_a_reason_that_never_comes_opens_a_call_back_order(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    await pass_time(23 * HOUR)
    assert await orders() == []
    await pass_time(2 * HOUR)
    (order,) = await orders()
    (review,) = await reviews()
    assert (order["origin"], order["level"], order["words"]) == ("callback", 1, "")
    assert (review["state"], review["level"]) == ("standing", 1)
    assert review["order_number"] == order["number"]
    await tick()
    assert len(await orders()) == 1


async def test_a_reason_that_was_written_in_time_and_comes_late_goes_to_the_order(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    written = clock.now() + HOUR
    await pass_time(25 * HOUR)
    await phone.writes("服务态度差", at=written)
    (step, *_) = await sql.fetch("SELECT words FROM work_order_steps WHERE move = 'supplement'")
    assert step["words"] == "服务态度差"
    assert (await phone.outcomes())[-1] == "added"


async def test_who_is_not_understood_is_asked_once_and_then_a_person_reads(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("你们是谁啊？")
    assert await phone.purposes() == ["notice", "unclear"]
    await phone.writes("什么意思？")
    assert await phone.purposes() == ["notice", "unclear"]
    assert await phone.outcomes() == ["asked_again", "unclear"]
    assert await reviews() == []
    assert await phone.questions() == [("level", "handed_over")]


async def test_the_same_phone_corrects_itself_inside_the_undo_time_and_both_are_kept(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("5")
    await pass_time(5 * MINUTE)
    await phone.writes("按错了，应该是4")
    first, second = await reviews()
    assert (first["level"], first["state"]) == (5, "undone")
    assert (second["level"], second["state"]) == (4, "standing")
    assert await phone.outcomes() == ["rated", "corrected"]
    await phone.writes("3")
    assert len(await reviews()) == 2
    assert (await phone.outcomes())[-1] == "late"


async def test_a_bad_level_pressed_by_mistake_is_corrected_instead_of_giving_a_reason(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("5")
    first, second = await reviews()
    assert (first["level"], first["state"]) == (1, "undone")
    assert (second["level"], second["state"]) == (5, "standing")
    await pass_time(2 * DAY)
    assert await orders() == []


async def test_after_the_undo_time_a_level_changes_nothing_and_a_person_sees_it(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("5")
    await pass_time(11 * MINUTE)
    await phone.writes("1")
    (review,) = await reviews()
    assert review["level"] == 5
    assert (await phone.outcomes())[-1] == "late"


async def test_opting_out_ends_the_question_and_every_invitation_after_it(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("TD")
    await notified(http, hall)
    await pass_time(3 * DAY)
    assert await phone.purposes() == ["notice"]
    assert await phone.questions() == [("level", "needless"), ("level", "needless")]
    assert await phone.outcomes() == ["opted_out"]


async def test_a_bad_review_of_one_who_then_opts_out_still_becomes_an_order(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await phone.writes("1")
    await phone.writes("退订")
    await pass_time(11 * MINUTE)
    (order,) = await orders()
    assert order["origin"] == "callback"
    assert await phone.purposes() == ["notice", "reason"]


async def test_who_rated_on_another_way_is_not_invited_and_his_late_reply_changes_nothing(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    code = await notified(http, hall)
    answer = await http.post(f"/api/v1/e/{code}/review", json={"level": 4})
    assert answer.status_code == 201
    await phone.writes("1 排队太久")
    (review,) = await reviews()
    assert (review["level"], review["channel"]) == (4, "receipt_qr")
    assert await phone.outcomes() == ["reviewed_elsewhere"]
    code = await hall.code(http)
    await http.post(f"/api/v1/e/{code}/review", json={"level": 4})
    await pass_time(3 * DAY)
    assert await phone.purposes() == ["notice"]


async def test_one_question_at_a_time_and_the_next_waits_for_the_answer(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await notified(http, hall, LABOUR)
    assert await phone.purposes() == ["notice"]
    await phone.writes("5")
    assert await phone.purposes() == ["notice"]
    await pass_time(11 * MINUTE)
    assert await phone.purposes() == ["notice", "notice"]
    await phone.writes("3")
    assert [(r["level"], r["region_code"][:6]) for r in await reviews()] == [
        (5, "990100"), (3, "990102"),
    ]  # fmt: skip


async def test_at_most_three_messages_a_day_over_all_agencies(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    for _ in range(5):
        await hall.code(http)
    await tick()
    for _ in range(4):
        await phone.writes("5")
        await pass_time(11 * MINUTE)
    assert len(await phone.messages()) == 3
    await pass_time(at_o_clock(9, 1))
    assert len(await phone.messages()) == 4


async def test_nothing_unasked_is_sent_at_night(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    clock.advanced += at_o_clock(21)
    await notified(http, hall)
    assert await phone.messages() == []
    await pass_time(at_o_clock(8, 59))
    assert await phone.messages() == []
    await pass_time(2 * MINUTE)
    assert await phone.purposes() == ["notice"]


async def test_one_reminder_at_most_and_never_after_an_answer(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    await pass_time(25 * HOUR)
    assert await phone.purposes() == ["notice"]
    await pass_time(24 * HOUR)
    assert await phone.purposes() == ["notice", "reminder"]
    for _ in range(6):
        await pass_time(DAY)
    assert await phone.purposes() == ["notice", "reminder"]


async def test_what_starves_behind_other_questions_is_counted(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(daily_messages=1, remind_hours=0)
    for _ in range(9):
        await hall.code(http)
    for _ in range(9):
        await pass_time(DAY)
    states = [state for _, state in await phone.questions()]
    assert states.count("starved") > 0
    assert set(states) == {"starved", "expired"}


async def test_a_reply_after_the_window_is_kept_for_a_person(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(remind_hours=0)
    await notified(http, hall)
    await pass_time(3 * DAY)
    await phone.writes("5")
    assert await reviews() == []
    assert await phone.outcomes() == ["late"]


async def test_a_reply_that_comes_late_but_was_written_in_time_counts(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await policy(remind_hours=0)
    await notified(http, hall)
    written = clock.now() + HOUR
    await pass_time(2 * DAY)
    await phone.writes("4", at=written)
    assert [review["level"] for review in await reviews()] == [4]


async def test_a_phone_that_nobody_asked_rates_nothing(hall: City) -> None:
    stranger = Handset("13900139000")
    await stranger.writes("5")
    assert await reviews() == []
    assert await stranger.outcomes() == ["unknown"]


async def test_replies_that_overtake_each_other_are_read_in_the_order_of_writing(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    now = clock.now()
    await phone.writes("5", at=now + 20 * timedelta(seconds=1), read=False)
    await phone.writes("1", at=now + 10 * timedelta(seconds=1), read=False)
    clock.advanced += MINUTE
    await tick()
    assert [(r["level"], r["state"]) for r in await reviews()] == [(1, "undone"), (5, "standing")]


async def test_an_older_reply_that_arrives_after_a_newer_one_undoes_nothing(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    await notified(http, hall)
    now = clock.now()
    clock.advanced += MINUTE
    await phone.writes("5", at=now + 20 * timedelta(seconds=1))
    await phone.writes("1", at=now + 10 * timedelta(seconds=1))
    assert [(r["level"], r["state"]) for r in await reviews()] == [(5, "standing")]
    assert await phone.outcomes() == ["rated", "repeated"]


async def test_two_workers_at_once_read_every_reply_once(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    others = [Handset(f"138001380{n:02d}") for n in range(20)]
    for other in others:
        await hall.code(http, applicant={"kind": 1, "name": "", "phone": other.number})
    await tick()
    for other in others:
        await other.writes("5", read=False)
    await asyncio.gather(*(replies.converse() for _ in range(4)))
    assert [review["level"] for review in await reviews()] == [5] * 20
    assert {outcome for other in others for outcome in await other.outcomes()} == {"rated"}


async def test_a_level_and_the_page_at_once_make_one_review(
    http: AsyncClient, hall: City, phone: Handset
) -> None:
    code = await notified(http, hall)
    await phone.writes("5", read=False)
    _, answer = await asyncio.gather(
        replies.converse(), http.post(f"/api/v1/e/{code}/review", json={"level": 4})
    )
    standing = [review for review in await reviews() if review["state"] == "standing"]
    assert len(standing) == 1
    assert answer.status_code in (201, 409)
