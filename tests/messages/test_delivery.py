"""A message goes out once, or a person hears of it."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from time import sleep
from uuid import UUID, uuid4

import pytest
from messages.conftest import MORNING, set_clock
from messages.letters_out import PHONE, posted, row_of, state_of, unwanted, wait_of, wanted
from provider import GOOD, Mood, Provider

from server.catalogue.models import Policy
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.privacy import open_vault, vault
from server.messages import outbox
from server.messages.delivery import deliver
from server.messages.rules import TRIES, MessageState, Purpose
from server.messages.service import opt_out
from server.messages.steps import Step, after_refusal, after_silence, days_around, obstacle
from sms.aliyun import Aliyun
from sms.gateway import refusal

LATER = Mood(code="isp.SYSTEM_ERROR")
DROPPED = Mood(answer="nothing")
"""Taken, but its answer never comes."""
VANISHED = Mood(accept=False, answer="nothing")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NEXT_MORNING = datetime(2026, 12, 2, 9, tzinfo=BEIJING)


async def send(message_id: UUID, gateway: Aliyun | None) -> int:
    return await deliver(message_id, wanted=wanted, gateway=gateway)


def sends(provider: Provider) -> int:
    return sum(request["Action"] == "SendSms" for request in provider.requests)


# Accepted and refused


async def test_a_message_is_sent_once_with_its_sign_and_words(
    provider: Provider, aliyun: Aliyun
) -> None:
    message_id = await posted()
    assert [await send(message_id, aliyun) for _ in range(3)] == [1, 0, 0]
    row = await row_of(message_id)
    assert (row["state"], row["tries"], row["next_at"], row["code"]) == ("sent", 1, None, None)
    assert row["sent_at"] is not None
    (taken,) = provider.accepted
    assert (taken.biz_id, taken.out_id) == (row["provider_id"], message_id.hex)
    assert taken.text.startswith("【政务服务】您12月1日在市民中心办理的公租房申请已办结")


@pytest.mark.parametrize(
    ("code", "state", "wait"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", "failed", None),
        ("isv.CUSTOMER_REFUSED", "failed", None),
        ("isv.SMS_SIGNATURE_ILLEGAL", "dead", None),
        ("isv.SMS_TEMPLATE_ILLEGAL", "dead", None),
        ("isv.AMOUNT_NOT_ENOUGH", "dead", None),
        ("isv.BLACK_KEY_CONTROL_LIMIT", "dead", None),
        ("isv.NEW_IN_2027", "dead", None),
        ("isp.SYSTEM_ERROR", "queued", MINUTE),
        ("isv.BUSINESS_LIMIT_CONTROL", "queued", MINUTE),
        ("isv.DAY_LIMIT_CONTROL", "queued", timedelta(hours=23)),
    ],
)
async def test_what_follows_a_refusal_depends_on_who_can_mend_it(
    provider: Provider, aliyun: Aliyun, code: str, state: str, wait: timedelta | None
) -> None:
    provider.next(Mood(code=code))
    message_id = await posted()
    await send(message_id, aliyun)
    row = await row_of(message_id)
    assert (row["state"], row["code"], row["sent_at"]) == (state, code, None)
    assert provider.accepted == []
    if wait:
        assert await wait_of(message_id) == wait
        clock.advanced += wait
        await send(message_id, aliyun)
        assert len(provider.accepted) == 1
    else:
        assert row["next_at"] is None and row["settled_at"] is not None
        clock.advanced += DAY
        await send(message_id, aliyun)
        assert provider.accepted == []


async def test_after_five_tries_with_growing_waits_it_is_a_dead_letter(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.always = LATER
    message_id, waits = await posted(), []
    for _ in range(TRIES):
        await send(message_id, aliyun)
        if (await row_of(message_id))["next_at"]:
            waits.append(await wait_of(message_id))
            clock.advanced += waits[-1]
    assert await state_of(message_id) == ("dead", "isp.SYSTEM_ERROR")
    assert waits == [MINUTE, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE]
    assert sends(provider) == TRIES


# Nobody knows


@pytest.mark.parametrize("mood", [DROPPED, Mood(delay=0.9), Mood(answer="cut"), Mood(status=500)])
async def test_an_answer_that_was_lost_after_taking_is_asked_for_and_nothing_is_sent_again(
    provider: Provider, aliyun: Aliyun, mood: Mood
) -> None:
    provider.next(mood)
    message_id = await posted()
    await send(message_id, aliyun)
    row = await row_of(message_id)
    assert (row["state"], row["next_at"] - row["sent_at"]) == ("lost", timedelta(seconds=20))

    assert await send(message_id, aliyun) == 0, "its records lag: not asked in the same second"
    clock.advanced += timedelta(seconds=21)
    await send(message_id, aliyun)
    assert await state_of(message_id) == ("sent", None)
    assert len(provider.accepted) == sends(provider) == 1


async def test_a_request_that_vanished_is_sent_again_after_the_providers_no(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(VANISHED)
    message_id = await posted()
    await send(message_id, aliyun)
    clock.advanced += timedelta(seconds=21)
    assert await send(message_id, aliyun) == 1
    row = await row_of(message_id)
    assert (row["state"], row["tries"]) == ("sent", 2)
    assert len(provider.accepted) == 1


async def test_a_provider_that_swallows_everything_gets_five_tries(
    provider: Provider, aliyun: Aliyun
) -> None:
    message_id = await posted()
    for _ in range(TRIES):
        provider.next(VANISHED)
        await send(message_id, aliyun)
        clock.advanced += timedelta(seconds=21)
        provider.next(GOOD)  # the question
    await send(message_id, aliyun)
    assert await state_of(message_id) == ("dead", "lost")
    assert (await row_of(message_id))["sent_at"] is None and provider.accepted == []


async def test_while_the_provider_cannot_be_asked_nothing_is_sent_and_after_a_day_a_person_is_told(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(DROPPED)
    message_id, waits = await posted(), []
    await send(message_id, aliyun)
    provider.details_broken = True
    for _ in range(40):
        if (await row_of(message_id))["next_at"] is None:
            break
        waits.append(await wait_of(message_id))
        clock.advanced += waits[-1]
        await send(message_id, aliyun)
    assert waits[-1] == timedelta(hours=1) and 24 <= len(waits) <= 30
    row = await row_of(message_id)
    assert (row["state"], row["code"]) == ("dead", "lost") and row["sent_at"] is not None
    assert sends(provider) == 1


async def test_a_refusal_to_answer_the_question_is_no_no(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(DROPPED, Mood(code="isp.RAM_PERMISSION_DENY"))
    message_id = await posted()
    await send(message_id, aliyun)
    clock.advanced += timedelta(seconds=21)
    await send(message_id, aliyun)
    assert await state_of(message_id) == ("lost", "isp.RAM_PERMISSION_DENY")
    assert sends(provider) == 1


async def test_what_was_filed_under_the_other_side_of_midnight_is_found(
    provider: Provider, aliyun: Aliyun
) -> None:
    midnight = datetime(2026, 12, 2, tzinfo=BEIJING)
    set_clock(midnight - timedelta(seconds=0.5))
    provider.clock = lambda: midnight + timedelta(seconds=2)
    provider.next(DROPPED)
    message_id = await posted(Purpose.REASON)
    await send(message_id, aliyun)
    clock.advanced += timedelta(seconds=21)
    await send(message_id, aliyun)
    assert (await row_of(message_id))["state"] == "sent"
    assert len(provider.accepted) == 1


async def test_a_report_found_by_asking_settles_the_message(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(DROPPED)
    message_id = await posted()
    await send(message_id, aliyun)
    provider.report(provider.accepted[0], delivered=False, code="MK:0001")
    clock.advanced += timedelta(seconds=21)
    await send(message_id, aliyun)
    assert await state_of(message_id) == ("failed", "MK:0001")


# Workers that die, stop, and meet


async def test_what_a_dead_worker_left_is_asked_about_before_it_is_sent(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(Mood(delay=0.4))
    message_id = await posted()
    dying = asyncio.create_task(send(message_id, aliyun))
    while not provider.accepted:
        await asyncio.sleep(0.01)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert (await row_of(message_id))["state"] == "sending"

    assert await send(message_id, aliyun) == 0, "it may still be alive"
    clock.advanced += timedelta(seconds=21)
    await send(message_id, aliyun)
    assert (await row_of(message_id))["state"] == "sent"
    assert sends(provider) == 1


async def test_many_workers_at_one_message_send_it_once(provider: Provider, aliyun: Aliyun) -> None:
    provider.always = Mood(delay=0.1)
    message_id = await posted()
    assert sum(await asyncio.gather(*(send(message_id, aliyun) for _ in range(8)))) == 1
    assert sends(provider) == 1


async def test_many_workers_at_one_lost_message_send_it_once(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(VANISHED)
    message_id = await posted()
    await send(message_id, aliyun)
    clock.advanced += timedelta(seconds=21)
    await asyncio.gather(*(send(message_id, aliyun) for _ in range(8)))
    assert len(provider.accepted) == 1


async def test_a_worker_that_was_held_up_after_taking_the_message_does_not_send_it(
    provider: Provider, aliyun: Aliyun
) -> None:
    """As one that was stopped: its thread begins when others may have sent the message long ago."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(narrow := ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, sleep, 3.3)
    try:
        message_id = await posted()
        assert await send(message_id, aliyun) == 0
    finally:
        await busy
        loop.set_default_executor(ThreadPoolExecutor())
        narrow.shutdown()
    assert await state_of(message_id) == ("queued", "local.TOO_LATE")
    assert provider.requests == []


async def test_the_late_news_of_a_slow_worker_does_not_undo_what_another_has_done(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(Mood(code="isp.SYSTEM_ERROR", delay=0.4), GOOD, Mood(delay=0.4))
    message_id = await posted()
    slow = asyncio.create_task(send(message_id, aliyun))
    while not provider.requests:
        await asyncio.sleep(0.01)
    clock.advanced += timedelta(seconds=21)
    other = asyncio.create_task(send(message_id, aliyun))
    assert await slow == 0
    assert (await row_of(message_id))["state"] == "sending", "it is the other's now"
    assert await other == 1
    assert (await row_of(message_id))["state"] == "sent" and len(provider.accepted) == 1


# Not now, or not at all


async def test_what_nobody_waits_for_any_more_is_not_sent(
    provider: Provider, aliyun: Aliyun
) -> None:
    asked = await posted(about=uuid4())
    assert await deliver(asked, wanted=unwanted, gateway=aliyun) == 0
    assert await state_of(asked) == ("cancelled", "needless")
    thanks = await posted(Purpose.THANKS, about=uuid4())
    assert await deliver(thanks, wanted=unwanted, gateway=aliyun) == 1
    assert [taken.out_id for taken in provider.accepted] == [thanks.hex]


async def test_who_opted_out_gets_nothing_whatever_it_is(
    provider: Provider, aliyun: Aliyun
) -> None:
    messages = [await posted(purpose) for purpose in (Purpose.NOTICE, Purpose.THANKS)]
    await opt_out([PHONE], clock.now())
    for message_id in messages:
        await send(message_id, aliyun)
        assert await state_of(message_id) == ("cancelled", "opted_out")
    assert provider.requests == []


async def test_what_comes_too_late_is_not_sent(provider: Provider, aliyun: Aliyun) -> None:
    message_id = await posted(not_after=clock.now() + MINUTE)
    clock.advanced += 2 * MINUTE
    await send(message_id, aliyun)
    assert await state_of(message_id) == ("cancelled", "expired")
    assert provider.requests == []


async def test_nobody_is_disturbed_at_night_but_an_answer_to_a_citizen_goes_at_once(
    provider: Provider, aliyun: Aliyun
) -> None:
    set_clock(MORNING.replace(hour=21))
    notice, reason = await posted(), await posted(Purpose.REASON)
    assert [await send(one, aliyun) for one in (notice, reason)] == [0, 1]
    row = await row_of(notice)
    assert (row["state"], row["next_at"], row["tries"]) == ("queued", NEXT_MORNING, 0)
    set_clock(NEXT_MORNING)
    assert await send(notice, aliyun) == 1


async def test_the_fourth_message_of_a_day_waits_for_the_next_morning_also_when_all_go_at_once(
    provider: Provider, aliyun: Aliyun
) -> None:
    messages = [await posted(purpose) for purpose in (Purpose.NOTICE, Purpose.THANKS) * 3]
    other = await posted(phone="13900139000")
    assert sum(await asyncio.gather(*(send(m, aliyun) for m in (*messages, other)))) == 4
    assert (len(provider.texts(PHONE)), len(provider.texts("13900139000"))) == (3, 1)
    left = [row for m in messages if (row := await row_of(m))["state"] == "queued"]
    assert {(row["code"], row["next_at"]) for row in left} == {("daily_limit", NEXT_MORNING)}
    set_clock(NEXT_MORNING)
    for row in left:
        await send(row["id"], aliyun)
    assert len(provider.texts(PHONE)) == 6


async def test_without_a_gateway_the_outbox_waits(city: object) -> None:
    set_clock(MORNING)
    message_id = await posted()
    assert await send(message_id, None) == 0
    assert (await row_of(message_id))["state"] == "queued"
    assert await wait_of(message_id) == 10 * MINUTE


async def test_what_cannot_be_opened_any_more_is_a_dead_letter(
    provider: Provider, aliyun: Aliyun
) -> None:
    message_id = await posted()
    keys = vault()._keys
    open_vault({"z": b"another-key-another-key-another-"})
    try:
        await send(message_id, aliyun)
    finally:
        open_vault(keys)
    assert await state_of(message_id) == ("dead", "unreadable")


async def test_no_phone_and_no_word_is_logged_whatever_happens(
    provider: Provider, aliyun: Aliyun, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for mood in (GOOD, LATER, DROPPED, Mood(code="isv.AMOUNT_NOT_ENOUGH"), Mood(answer="garbage")):
        provider.next(mood)
        await send(await posted(Purpose.THANKS, phone="13700137000"), aliyun)
        clock.advanced += DAY
    assert "a message waits for a person" in caplog.text
    assert not any(word in caplog.text for word in ("13700137000", "公租房", "\\u516c"))


# Finding


async def jobs_of(message_id: UUID) -> int:
    rows = await sql.fetch(
        "SELECT payload FROM pgqueuer WHERE dedupe_key = $1", f"send:{message_id.hex}"
    )
    assert all(row["payload"].decode() == f'{{"message": "{message_id.hex}"}}' for row in rows)
    return len(rows)


async def test_a_message_whose_job_was_lost_gets_another_when_it_is_due(city: object) -> None:
    set_clock(MORNING)
    now, later = await posted(), await posted(not_before=clock.now() + MINUTE)
    assert [await jobs_of(m) for m in (now, later)] == [1, 0], "in the commit of its cause"
    assert await outbox.find_due() == 0
    await sql.fetch("DELETE FROM pgqueuer")
    assert [await outbox.find_due() for _ in range(2)] == [1, 0]
    clock.advanced += MINUTE
    assert await outbox.find_due() == 1
    assert [await jobs_of(m) for m in (now, later)] == [1, 1]
    await sql.fetch("UPDATE pgqueuer SET status = 'picked'")
    assert await outbox.find_due() == 0


async def test_what_is_settled_is_not_found(provider: Provider, aliyun: Aliyun) -> None:
    message_id = await posted()
    await send(message_id, aliyun)
    await sql.fetch("DELETE FROM pgqueuer")
    clock.advanced += DAY
    assert await outbox.find_due() == 0


# Rules


POLICY = Policy(region_code="")


def hindered(purpose: Purpose, hour: int, **known: object) -> Step | None:
    now = MORNING.replace(hour=hour)
    given = {"not_after": None, "opted_out": False, "sent_today": 0, **known}
    not_after = given.pop("not_after")
    return obstacle(purpose, not_after, now, POLICY, **given)  # type: ignore[arg-type]


def test_an_opt_out_is_stronger_than_every_wait() -> None:
    assert hindered(Purpose.NOTICE, 22, opted_out=True, sent_today=9) == Step(
        MessageState.CANCELLED, "opted_out"
    )


def test_what_could_only_go_after_its_end_is_cancelled_at_once() -> None:
    end = NEXT_MORNING - MINUTE
    assert hindered(Purpose.NOTICE, 21, not_after=end) == Step(MessageState.CANCELLED, "expired")
    assert hindered(Purpose.NOTICE, 21, not_after=NEXT_MORNING) == Step(
        MessageState.QUEUED, "hours", NEXT_MORNING
    )


def test_the_limit_holds_for_answers_to_citizens_too() -> None:
    assert hindered(Purpose.REASON, 3) is None
    assert hindered(Purpose.REASON, 3, sent_today=3) == Step(
        MessageState.QUEUED, "daily_limit", NEXT_MORNING
    )


def test_the_fifth_refusal_is_the_last_also_for_a_budget() -> None:
    for code in ("isp.SYSTEM_ERROR", "isv.DAY_LIMIT_CONTROL"):
        assert after_refusal(refusal(code), TRIES, MORNING, POLICY) == Step(MessageState.DEAD, code)
        assert after_refusal(refusal(code), 4, MORNING, POLICY).state == MessageState.QUEUED


def test_a_silence_is_asked_about_ever_more_rarely() -> None:
    for passed, wait in ((5, 15), (20, 100), (130, 470), (3000, 600), (7000, 3600)):
        step = after_silence(MORNING, MORNING + timedelta(seconds=passed), "lost")
        assert step.perhaps_sent and step.state is MessageState.LOST
        assert step.next_at == MORNING + timedelta(seconds=passed + wait)
    assert after_silence(MORNING, MORNING + DAY, "lost").state is MessageState.DEAD


def test_only_around_midnight_two_days_are_asked() -> None:
    first, second = date(2026, 12, 1), date(2026, 12, 2)
    midnight = datetime(2026, 12, 2, tzinfo=BEIJING)
    assert days_around(MORNING) == [first]
    assert days_around(midnight - timedelta(seconds=1)) == [first, second]
    assert days_around(midnight + timedelta(seconds=1)) == [first, second]
