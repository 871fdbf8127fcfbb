"""Both gateways keep the same promises; Aliyun's also on the provider's bad days."""

import asyncio
import json
import logging
import os
import socket
import time
import traceback
from datetime import date, timedelta

import pytest
from provider import GOOD, FakeClock, Mood, Provider

from sms.aliyun import Aliyun
from sms.callbacks import read_replies, read_reports
from sms.gateway import RETRY, Lost, Message, Refused, Reply, Report, Retry, Sent, refusal

PHONE, TODAY = "13800138000", date(2026, 11, 21)
SECRET_WORD = "居住证丢失补领"


def a_message(out_id: str = "invitation-1", **changes: object) -> Message:
    given: dict[str, object] = {
        "phone": PHONE, "sign": "杭州政务", "template": "SMS_ASK", "out_id": out_id,
        "variables": {"date": "11月21日", "hall": "市民中心", "item": SECRET_WORD},
    }  # fmt: skip
    return Message(**{**given, **changes})  # type: ignore[arg-type]


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


class TestTheWire:
    async def test_the_number_and_the_words_stand_in_no_address(self, aliyun, provider) -> None:
        await aliyun.send(a_message())
        await aliyun.ask(PHONE, "invitation-1", TODAY)
        assert len(provider.lines) == 2
        assert all(PHONE not in line and "TemplateParam" not in line for line in provider.lines)
        assert "OutId" not in provider.lines[0]

    async def test_a_wrong_secret_is_noticed_by_the_provider(self, aliyun_with, provider) -> None:
        with pytest.raises(Refused) as caught:
            await aliyun_with(secret="wrong").send(a_message())
        assert caught.value.retry is Retry.PERMANENT
        assert provider.accepted == []

    async def test_an_unknown_key_is_refused(self, aliyun_with) -> None:
        with pytest.raises(Refused, match=r"InvalidAccessKeyId\.NotFound"):
            await aliyun_with(key_id="nobody").send(a_message())

    async def test_words_in_every_script_are_signed_rightly(self, aliyun, provider) -> None:
        odd = {"date": "~*+ /&=%20", "hall": "á'\"\\ü", "item": "窗口😀㐂"}
        await aliyun.send(a_message(variables=odd))
        assert provider.accepted[0].variables == odd

    async def test_a_number_abroad_goes_without_its_plus(self, aliyun, provider) -> None:
        await aliyun.send(a_message(phone="+85291234567"))
        assert provider.accepted[0].phone == "85291234567"

    async def test_a_clock_that_is_wrong_may_try_again_later(self, aliyun, provider) -> None:
        provider.skew = timedelta(hours=1)
        with pytest.raises(Refused) as caught:
            await aliyun.send(a_message())
        assert caught.value.retry is Retry.LATER

    async def test_a_proxy_of_the_environment_is_not_used(
        self, aliyun, provider, monkeypatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        await aliyun.send(a_message())
        assert len(provider.accepted) == 1

    async def test_it_never_falls_back_to_plain_http(self, aliyun_with, provider) -> None:
        # The SDK asks `is "https"`: an equal string from a settings file would mean http.
        with pytest.raises((Lost, Refused)):
            await aliyun_with(protocol="".join(["ht", "tps"])).send(a_message())
        assert provider.requests == [] and provider.lines == []

    def test_without_keys_it_does_not_start(self, aliyun_with) -> None:
        with pytest.raises(ValueError, match="key id"):
            aliyun_with(secret="")

    async def test_without_an_out_id_nothing_is_sent(self, aliyun, provider) -> None:
        with pytest.raises(ValueError, match="out_id"):
            await aliyun.send(a_message(out_id=""))
        assert provider.requests == []


LOSSES = {
    "dropped": Mood(answer="nothing"),
    "slow": Mood(delay=1.0),
    "cut off": Mood(answer="cut"),
    "html 502": Mood(answer="html", status=502),
    "html 200": Mood(answer="html"),
    "not utf-8": Mood(answer="binary"),
    "not utf-8, 500": Mood(answer="binary", status=500),
    "an array": Mood(answer="garbage"),
    "an array, 400": Mood(answer="garbage", status=400),
    "json 500": Mood(status=503),
}


class TestALostAnswer:
    @pytest.mark.parametrize("mood", LOSSES.values(), ids=LOSSES.keys())
    async def test_is_called_lost_and_asking_finds_it(self, aliyun, provider, mood) -> None:
        provider.next(mood)
        with pytest.raises(Lost):
            await aliyun.send(a_message("a"))
        assert len(provider.accepted) == 1
        assert isinstance(await aliyun.ask(PHONE, "a", TODAY), Sent)

    @pytest.mark.parametrize("mood", LOSSES.values(), ids=LOSSES.keys())
    async def test_is_never_sent_again_by_itself(self, aliyun, provider, mood) -> None:
        provider.always = mood
        with pytest.raises(Lost):
            await aliyun.send(a_message("a"))
        await asyncio.sleep(0.05)
        assert len(provider.requests) == 1

    @pytest.mark.parametrize("mood", LOSSES.values(), ids=LOSSES.keys())
    async def test_of_the_question_leaves_it_open(self, aliyun, provider, mood) -> None:
        await aliyun.send(a_message("a"))
        provider.next(mood)
        with pytest.raises(Lost):
            await aliyun.ask(PHONE, "a", TODAY)

    async def test_that_was_not_accepted_is_not_found(self, aliyun, provider) -> None:
        provider.next(Mood(accept=False, answer="nothing"))
        with pytest.raises(Lost):
            await aliyun.send(a_message("a"))
        assert await aliyun.ask(PHONE, "a", TODAY) is None

    async def test_without_the_question_would_be_a_second_message(self, aliyun, provider) -> None:
        provider.next(Mood(answer="nothing"))
        with pytest.raises(Lost):
            await aliyun.send(a_message("a"))
        await aliyun.send(a_message("a"))
        assert provider.doubles() == ["a"]

    async def test_is_found_on_a_later_page(self, aliyun, provider) -> None:
        for n in range(120):
            await aliyun.send(a_message(f"{n}"))
        assert isinstance(await aliyun.ask(PHONE, "0", TODAY), Sent)
        assert await aliyun.ask(PHONE, "none", TODAY) is None

    async def test_is_not_denied_by_a_list_that_is_not_whole(self, aliyun, provider) -> None:
        await aliyun.send(a_message("a"))
        provider.details_broken = True
        with pytest.raises(Lost):
            await aliyun.ask(PHONE, "a", TODAY)

    async def test_that_failed_at_the_phone_is_told(self, aliyun, provider) -> None:
        await aliyun.send(a_message("a"))
        provider.report(provider.accepted[0], delivered=False, code="MOBILE_NOT_ON_SERVICE")
        found = await aliyun.ask(PHONE, "a", TODAY)
        assert isinstance(found, Report)
        assert (found.delivered, found.code) == (False, "MOBILE_NOT_ON_SERVICE")

    async def test_to_a_request_that_was_played_twice_is_lost_too(self, aliyun, provider) -> None:
        provider.next(Mood(code="SignatureNonceUsed", status=400))
        with pytest.raises(Lost):
            await aliyun.send(a_message())


class TestWhatNeverLeft:
    async def test_a_closed_door_may_be_tried_later(self, aliyun_with) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            domain = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Refused) as caught:
            await aliyun_with(domain=domain).send(a_message())
        assert (caught.value.code, caught.value.retry) == ("local.UNREACHABLE", Retry.LATER)

    async def test_a_door_that_does_not_open_in_time_too(self, aliyun_with) -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            gateway = aliyun_with(domain=f"127.0.0.1:{full.getsockname()[1]}")
            started = time.monotonic()
            with pytest.raises(Refused) as caught:
                await gateway.send(a_message())
            for one in waiting:
                one.close()
        assert caught.value.code == "local.UNREACHABLE" and time.monotonic() - started < 2

    async def test_an_unknown_host_too(self, aliyun_with) -> None:
        with pytest.raises(Refused, match=r"local\.UNREACHABLE"):
            await aliyun_with(domain="nowhere.invalid").send(a_message())

    async def test_what_cannot_be_written_is_refused_for_good(self, aliyun, provider) -> None:
        with pytest.raises(Refused) as caught:
            await aliyun.send(a_message(variables={"date": "\ud800"}))
        assert (caught.value.code, caught.value.retry) == ("local.UNWRITABLE", Retry.PERMANENT)
        assert provider.requests == []

    async def test_the_loop_goes_on_while_the_provider_thinks(self, aliyun, provider) -> None:
        provider.next(Mood(delay=0.3))
        sending = asyncio.create_task(aliyun.send(a_message()))
        started = time.monotonic()
        await asyncio.sleep(0.01)
        assert time.monotonic() - started < 0.2
        await sending


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


class TestNothingPersonalEscapes:
    @pytest.mark.parametrize(
        "mood",
        [
            *LOSSES.values(),
            Mood(code=PHONE),
            Mood(code="isv.MOBILE_NUMBER_ILLEGAL", status=400),
            Mood(code="SignatureDoesNotMatch", status=400),
            Mood(code="SignatureNonceUsed", status=400),
            GOOD,
        ],
    )
    async def test_from_an_error_a_log_or_the_screen(
        self, aliyun_with, provider, mood, caplog, capfd, monkeypatch
    ) -> None:
        # The SDK prints requests when DEBUG=sdk; every mood's answer repeats what was sent.
        monkeypatch.setitem(os.environ, "DEBUG", "sdk")
        caplog.set_level(logging.DEBUG)
        aliyun = aliyun_with()
        said = [repr(a_message()), repr(aliyun)]
        for call in (aliyun.send(a_message()), aliyun.ask(PHONE, "a", TODAY)):
            provider.next(mood)
            try:
                said.append(repr(await call))
            except (Refused, Lost) as error:
                assert error.__context__ is None and error.__cause__ is None
                said += [
                    str(error),
                    repr(error),
                    repr(error.args),
                    *traceback.format_exception(error),
                ]
        said += [caplog.text, *capfd.readouterr()]
        for secret in (PHONE, SECRET_WORD, json.dumps(SECRET_WORD)[1:-1], "test-secret"):
            assert not any(secret in one for one in said), secret

    def test_from_the_values_themselves(self) -> None:
        at = FakeClock()()
        values = (
            Reply("1", PHONE, SECRET_WORD, at, "1069"),
            Report("1", "2", PHONE, True, "DELIVERED", at, at),
        )
        assert not any(word in repr(value) for value in values for word in (PHONE, SECRET_WORD))


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
