"""Both gateways keep the same promises, and the endpoint of the tests is as strict as Aliyun."""

import asyncio
import time
from datetime import timedelta

import pytest
from letters import PHONE, SECRET_WORD, TODAY, a_message
from provider import GOOD, FakeClock, Mood, Provider

from sms.aliyun import Aliyun
from sms.callbacks import read_replies, read_reports
from sms.gateway import RETRY, Lost, Refused, Reply, Report, Retry, Sent, refusal


class TestBothGateways:
    async def test_a_message_arrives_whole_and_signed(self, desk) -> None:
        sent = await desk.gateway.send(a_message())
        assert sent.provider_id
        (text,) = desk.texts(PHONE)
        assert text.startswith("【杭州政务】您11月21日在市民中心办理的居住证丢失补领已办结")
        assert "${" not in text

    async def test_every_message_has_its_own_id(self, desk) -> None:
        ids = [(await desk.gateway.send(a_message(f"{n}"))).provider_id for n in range(5)]
        assert len(set(ids)) == 5

    async def test_a_message_that_was_held_up_too_long_does_not_leave(self, desk) -> None:
        with pytest.raises(Refused) as caught:
            await desk.gateway.send(a_message(until=time.monotonic() - 0.01))
        assert (caught.value.code, caught.value.retry) == ("local.TOO_LATE", Retry.LATER)
        assert desk.texts(PHONE) == []
        assert await desk.gateway.send(a_message(until=time.monotonic() + 10))

    async def test_many_at_once_all_arrive_once(self, desk) -> None:
        await asyncio.gather(*(desk.gateway.send(a_message(f"{n}")) for n in range(40)))
        assert len(desk.texts(PHONE)) == 40

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"phone": "12345"}, "isv.MOBILE_NUMBER_ILLEGAL"),
            ({"template": "SMS_NONE"}, "isv.SMS_TEMPLATE_ILLEGAL"),
            ({"variables": {"date": "1", "hall": "2"}}, "isv.TEMPLATE_MISSING_PARAMETERS"),
            (
                {"variables": {"date": "1", "hall": "2", "item": "长" * 36}},
                "isv.PARAM_LENGTH_LIMIT",
            ),
        ],
    )
    async def test_what_can_never_be_sent_is_refused_for_good(self, desk, changes, code) -> None:
        with pytest.raises(Refused) as caught:
            await desk.gateway.send(a_message(**changes))
        assert (caught.value.code, caught.value.retry) == (code, Retry.PERMANENT)
        assert desk.texts(PHONE) == []

    async def test_asking_finds_what_was_accepted(self, desk) -> None:
        await desk.gateway.send(a_message("a"))
        assert isinstance(await desk.gateway.ask(PHONE, "a", TODAY), Sent)

    async def test_asking_for_what_was_never_sent_says_no(self, desk) -> None:
        await desk.gateway.send(a_message("a"))
        assert await desk.gateway.ask(PHONE, "b", TODAY) is None
        assert await desk.gateway.ask("13900139000", "a", TODAY) is None
        assert await desk.gateway.ask(PHONE, "a", TODAY - timedelta(days=1)) is None

    async def test_asking_after_the_report_tells_what_became_of_it(self, desk) -> None:
        await desk.gateway.send(a_message("a"))
        desk.clock.advance(seconds=3)
        await desk.reports()
        found = await desk.gateway.ask(PHONE, "a", TODAY)
        assert isinstance(found, Report)
        assert (found.delivered, found.code, found.out_id) == (True, "DELIVERED", "a")
        assert found.at and found.reported_at and found.reported_at - found.at == timedelta(0, 3)

    async def test_its_reports_are_read_as_the_provider_writes_them(self, desk) -> None:
        sent = await desk.gateway.send(a_message("a"))
        (report,) = read_reports(await desk.reports())
        assert isinstance(report, Report)
        assert (report.provider_id, report.out_id, report.phone) == (sent.provider_id, "a", PHONE)
        assert report.delivered and report.at == desk.clock()

    async def test_an_answer_is_read_as_the_provider_writes_it(self, desk) -> None:
        (reply,) = read_replies(await desk.reply(PHONE, "1 排队两个小时😡"))
        assert isinstance(reply, Reply)
        assert (reply.phone, reply.text, reply.at) == (PHONE, "1 排队两个小时😡", desk.clock())
        assert reply.provider_id


# domain.md 4.2, by heart.
LAW = {
    Retry.PERMANENT: "isv.MOBILE_NUMBER_ILLEGAL isv.SMS_SIGNATURE_ILLEGAL isv.SMS_TEMPLATE_ILLEGAL "
    "isv.TEMPLATE_MISSING_PARAMETERS isv.PARAM_LENGTH_LIMIT isv.BLACK_KEY_CONTROL_LIMIT "
    "isp.RAM_PERMISSION_DENY isv.OUT_OF_SERVICE isv.AMOUNT_NOT_ENOUGH",
    Retry.BUDGET: "isv.DAY_LIMIT_CONTROL",
    Retry.LATER: "isv.BUSINESS_LIMIT_CONTROL isp.SYSTEM_ERROR",
}


class TestTheTableOfCodes:
    @pytest.mark.parametrize(
        ("code", "retry"), [(code, retry) for retry in LAW for code in LAW[retry].split()]
    )
    def test_says_what_the_law_says(self, code: str, retry: Retry) -> None:
        assert RETRY[code] is retry

    async def test_is_what_every_refusal_follows(self, aliyun, provider) -> None:
        for code, retry in RETRY.items():
            for status in (200, 400):
                provider.next(Mood(code=code, status=status))
                with pytest.raises(Refused) as caught:
                    await aliyun.send(a_message())
                assert (caught.value.code, caught.value.retry) == (code, retry), (code, status)
        assert provider.accepted == []

    def test_no_code_stands_in_it_twice_and_unknown_is_no_entry(self) -> None:
        assert Retry.UNKNOWN not in RETRY.values() and len(RETRY) > 60

    async def test_an_unknown_code_is_kept_for_a_person(self, aliyun, provider) -> None:
        provider.next(Mood(code="isv.NEW_IN_2027"))
        with pytest.raises(Refused) as caught:
            await aliyun.send(a_message())
        assert (caught.value.code, caught.value.retry) == ("isv.NEW_IN_2027", Retry.UNKNOWN)

    @pytest.mark.parametrize("code", [PHONE, SECRET_WORD, "a b", "x" * 65, f"isv.{PHONE}", "<h1>"])
    def test_a_code_that_is_none_is_not_repeated(self, code: str) -> None:
        assert refusal(code).code == "unreadable"


class TestThePushes:
    async def test_come_again_after_one_five_and_ten_minutes_and_then_no_more(
        self, provider, clock
    ) -> None:
        provider.reply(PHONE, "1")
        minutes: list[float] = []
        started = clock()

        async def closed(kind: str, body: bytes) -> tuple[int, bytes]:
            minutes.append((clock() - started).total_seconds() / 60)
            return 503, b""

        for _ in range(60):
            await provider.push(closed)
            clock.advance(minutes=1)
        assert minutes == [0, 1, 6, 16]
        assert len(provider.given_up) == 1

    async def test_come_doubled_and_in_disorder_but_all_of_them(self, provider, clock) -> None:
        for n in range(5):
            provider.reply(f"1380013800{n}", "1", number=n % 2 == 0)
        seen: list[str | None] = []

        async def opened(kind: str, body: bytes) -> tuple[int, bytes]:
            seen.extend(r.provider_id for r in read_replies(body) if isinstance(r, Reply))
            return 200, '{"code":0,"msg":"接收成功"}'.encode()

        await provider.push(opened, times=3, disorder=7)
        assert len(seen) == 15 and len(set(seen)) == 5 and seen != sorted(seen)
        assert provider.pushes == []


def test_what_is_personal_shows_in_no_repr() -> None:
    at = FakeClock()()
    values = (
        a_message(),
        Reply("1", PHONE, SECRET_WORD, at, "1069"),
        Report("1", "2", PHONE, True, "DELIVERED", at, at),
    )
    assert not any(word in repr(value) for value in values for word in (PHONE, SECRET_WORD))


def test_the_endpoint_itself_refuses_a_request_played_again(provider: Provider) -> None:
    from_one = dict(_signed(provider))
    assert provider.answer("POST", from_one)[1]["Code"] == "OK"
    status, body, _ = provider.answer("POST", from_one)
    assert (status, body["Code"]) == (400, "SignatureNonceUsed")


def test_the_endpoint_itself_notices_one_changed_letter(provider: Provider) -> None:
    status, body, _ = provider.answer("POST", {**_signed(provider), "SignName": "杭州政府"})
    assert (status, body["Code"]) == (400, "SignatureDoesNotMatch")


def _signed(provider: Provider) -> dict[str, str]:
    """A request of the real SDK, caught on the wire."""
    provider.always = Mood(accept=False, answer="nothing")
    with pytest.raises(Lost):
        asyncio.run(_send_once(provider))
    provider.always = GOOD
    provider._nonces.clear()
    return provider.requests[-1]


async def _send_once(provider: Provider) -> None:
    gateway = Aliyun(provider.key_id, provider.secret, domain=provider.domain, protocol="http")
    await gateway.send(a_message())
