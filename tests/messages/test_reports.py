"""What the provider says afterwards: doubled, late, too early, contradicting."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from factories import City
from messages.conftest import MORNING, set_clock
from messages.letters_out import posted, row_of, state_of, wanted
from provider import Accepted, Mood, Provider

from server.catalogue import service as catalogue
from server.catalogue.models import Wording
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Missing
from server.messages.delivery import IllegalResend, deliver, resend
from server.messages.reports import apply_reports
from server.messages.rules import FINAL, MessageState
from server.messages.steps import settled_by
from server.people.models import AccessLog, Staff
from sms.aliyun import Aliyun
from sms.gateway import Report


def told(
    taken: Accepted, delivered: bool = True, code: str = "DELIVERED", at: datetime | None = None
) -> Report:
    """As the provider pushes it."""
    return Report(
        taken.biz_id, taken.out_id, taken.phone, delivered, code, at or taken.at, clock.now()
    )


@pytest.fixture
async def message_id(provider: Provider, aliyun: Aliyun) -> UUID:
    """Sent, and not yet reported."""
    message_id = await posted()
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    return message_id


@pytest.fixture
def taken(message_id: UUID, provider: Provider) -> Accepted:
    return provider.accepted[0]


# Settling


async def test_a_report_settles_its_message_by_our_id_or_by_the_providers(
    message_id: UUID, taken: Accepted, provider: Provider, aliyun: Aliyun
) -> None:
    other = await posted(phone="13900139000")
    await deliver(other, wanted=wanted, gateway=aliyun)
    second = provider.accepted[1]
    by_provider = Report(second.biz_id, None, None, False, "MK:0001", second.at, None)
    by_us = Report(None, taken.out_id, None, True, "DELIVERED", None, None)
    assert await apply_reports([by_provider, by_us]) == 2
    assert await state_of(message_id) == ("delivered", "DELIVERED")
    assert await state_of(other) == ("failed", "MK:0001")
    assert (await row_of(other))["settled_at"] is not None


async def test_what_is_settled_stays_so_whatever_comes_later(
    message_id: UUID, taken: Accepted
) -> None:
    assert await apply_reports([told(taken), told(taken, False, "MK:0001"), told(taken)]) == 1
    clock.advanced += timedelta(days=3)
    assert await apply_reports([told(taken, False, "MK:0001")]) == 0
    assert await state_of(message_id) == ("delivered", "DELIVERED")


async def test_reports_of_others_are_left_alone(message_id: UUID, taken: Accepted) -> None:
    strangers = [
        Report("1^1", "a-shop-42", None, True, "DELIVERED", None, None),
        Report(None, uuid4().hex, None, True, "DELIVERED", None, None),
        Report("1^2", "g" * 32, None, True, "DELIVERED", None, None),
    ]
    assert await apply_reports(strangers) == 0
    assert await apply_reports([]) == 0
    assert (await row_of(message_id))["state"] == "sent"


async def test_a_report_that_is_faster_than_our_own_record_stands(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(Mood(delay=0.4))
    message_id = await posted()
    sending = asyncio.create_task(deliver(message_id, wanted=wanted, gateway=aliyun))
    while not provider.accepted:
        await asyncio.sleep(0.01)
    (taken,) = provider.accepted
    early = Report(None, taken.out_id, None, True, "DELIVERED", taken.at, None)
    assert await apply_reports([early]) == 1
    assert await sending == 1
    row = await row_of(message_id)
    assert (row["state"], row["provider_id"]) == ("delivered", taken.biz_id)


async def test_a_report_of_a_lost_message_spares_the_question(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(Mood(answer="nothing"))
    message_id = await posted()
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    await apply_reports([told(provider.accepted[0])])
    clock.advanced += timedelta(minutes=1)
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    assert (await row_of(message_id))["state"] == "delivered"
    assert len(provider.requests) == 1


async def test_the_same_reports_at_once_from_many_sides_settle_once(
    message_id: UUID, taken: Accepted, provider: Provider, aliyun: Aliyun
) -> None:
    for number in range(9):
        other = await posted(phone=f"1390013900{number}")
        await deliver(other, wanted=wanted, gateway=aliyun)
    reports = [told(one) for one in provider.accepted]
    backwards = list(reversed(reports))
    done = await asyncio.gather(*(apply_reports(r) for r in (reports, backwards) * 4))
    assert sum(done) == 10


# By hand


async def a_lead() -> int:
    return (await Staff.get(username="lead")).id


async def test_a_dead_letter_is_sent_again_with_what_was_put_right(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(Mood(code="isv.SMS_TEMPLATE_ILLEGAL"))
    message_id = await posted()
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    await Wording.filter(purpose="notice").update(
        template_code="SMS_2", text="您在${hall}办理的${item}已办结。请回复1至5"
    )
    await catalogue.load()
    provider.templates = {"SMS_2": "您在${hall}办理的${item}已办结。请回复1至5"}
    await sql.fetch("DELETE FROM pgqueuer")
    await resend(message_id, await a_lead(), clock.now())

    row = await row_of(message_id)
    assert (row["state"], row["tries"], row["code"]) == ("queued", 0, None)
    (job,) = await sql.fetch("SELECT dedupe_key FROM pgqueuer")
    assert job["dedupe_key"] == f"send:{message_id.hex}"
    (entry,) = await AccessLog.filter(subject=message_id.hex)
    assert (entry.action, entry.staff_id) == ("resend_message", await a_lead())

    assert await deliver(message_id, wanted=wanted, gateway=aliyun) == 1
    assert provider.accepted[0].text == "【政务服务】您在市民中心办理的公租房申请已办结。请回复1至5"


async def test_a_dead_letter_that_was_perhaps_sent_is_asked_about_first(
    provider: Provider, aliyun: Aliyun
) -> None:
    provider.next(Mood(answer="nothing"))
    message_id = await posted()
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    provider.details_broken = True
    clock.advanced += timedelta(hours=25)
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    assert (await row_of(message_id))["state"] == "dead"

    provider.details_broken = False
    await resend(message_id, await a_lead(), clock.now())
    assert (await row_of(message_id))["state"] == "lost"
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    assert (await row_of(message_id))["state"] == "sent"
    assert len(provider.accepted) == 1


async def test_old_news_of_a_message_that_was_sent_again_says_nothing_about_the_new_one(
    message_id: UUID, taken: Accepted, provider: Provider, aliyun: Aliyun
) -> None:
    failure = told(taken, False, "MK:0001")
    provider.report(taken, delivered=False, code="MK:0001")
    await apply_reports([failure])
    clock.advanced += timedelta(hours=1)
    await resend(message_id, await a_lead(), clock.now())
    assert await apply_reports([failure]) == 0, "while it waits"

    provider.next(Mood(accept=False, answer="nothing"))
    await deliver(message_id, wanted=wanted, gateway=aliyun)
    assert await apply_reports([failure]) == 0, "while nobody knows"
    clock.advanced += timedelta(seconds=21)
    assert await deliver(message_id, wanted=wanted, gateway=aliyun) == 1, (
        "it asked past the old one"
    )
    assert await apply_reports([failure]) == 0, "when it was sent"
    assert await apply_reports([told(provider.accepted[1])]) == 1
    row = await row_of(message_id)
    assert (row["state"], row["provider_id"]) == ("delivered", provider.accepted[1].biz_id)


@pytest.mark.parametrize("state", sorted(set(MessageState) - {"dead", "failed"}))
async def test_only_what_has_failed_is_sent_again(city: City, state: str) -> None:
    set_clock(MORNING)
    message_id = await posted()
    await sql.fetch("UPDATE sms_messages SET state = $1", state)
    with pytest.raises(IllegalResend):
        await resend(message_id, await a_lead(), clock.now())
    assert (await row_of(message_id))["state"] == state


async def test_what_is_over_forgotten_or_unknown_is_not_sent_again(city: City) -> None:
    set_clock(MORNING)
    with pytest.raises(Missing):
        await resend(uuid4(), await a_lead(), clock.now())
    over = await posted(not_after=clock.now())
    clock.advanced += timedelta(minutes=1)
    forgotten = await posted()
    await sql.fetch("UPDATE sms_messages SET state = 'dead'")
    await sql.fetch("UPDATE sms_messages SET content = NULL WHERE id = $1", forgotten)
    for message_id in (over, forgotten):
        with pytest.raises(IllegalResend):
            await resend(message_id, await a_lead(), clock.now())
    assert await AccessLog.all().count() == 0


async def test_two_people_at_one_dead_letter_send_it_once(provider: Provider) -> None:
    message_id, lead = await posted(), await a_lead()
    await sql.fetch("UPDATE sms_messages SET state = 'dead', next_at = NULL")
    tries = (resend(message_id, lead, clock.now()) for _ in range(2))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["IllegalResend", "NoneType"]


# Rules

NOW = MORNING
DELIVERED, FAILURE = (Report("1", "2", None, good, "", NOW, NOW) for good in (True, False))
OPEN = [state for state in MessageState if state not in FINAL]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_changes_what_is_final(state: MessageState) -> None:
    assert settled_by(DELIVERED, state, NOW) is settled_by(FAILURE, state, NOW) is None


@pytest.mark.parametrize("state", OPEN)
def test_what_arrived_was_sent_whatever_we_thought(state: MessageState) -> None:
    assert settled_by(DELIVERED, state, None) is MessageState.DELIVERED


@pytest.mark.parametrize("state", OPEN)
def test_a_failure_counts_only_for_the_try_that_it_is_about(state: MessageState) -> None:
    assert settled_by(FAILURE, state, NOW + timedelta(seconds=59)) is MessageState.FAILED
    assert settled_by(FAILURE, state, NOW + timedelta(seconds=61)) is None
    assert settled_by(FAILURE, state, None) is None
