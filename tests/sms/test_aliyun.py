"""Aliyun's gateway: the wire, the provider's bad days, and nothing personal in what it says."""

import asyncio
import json
import logging
import os
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from letters import PHONE, SECRET_WORD, TODAY, a_message
from provider import GOOD, Mood

from sms.gateway import Lost, Refused, Report, Retry, Sent


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[str]:
    """A host with a certificate of its own making."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dysmsapi.aliyuncs.com")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "pem").write_bytes(
        key.private_bytes(pem, form, plain) + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(5)

        def open_once() -> None:
            with suppress(OSError):
                context.wrap_socket(door.accept()[0], server_side=True).close()

        thread = threading.Thread(target=open_once)
        thread.start()
        yield f"127.0.0.1:{door.getsockname()[1]}"
        thread.join()


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
    "slow": Mood(delay=1.6),
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

    async def test_a_host_that_cannot_prove_its_name_gets_nothing(
        self, aliyun_with, impostor
    ) -> None:
        with pytest.raises(Refused) as caught:
            await aliyun_with(domain=impostor, protocol="https").send(a_message())
        assert (caught.value.code, caught.value.retry) == ("local.CERTIFICATE", Retry.LATER)

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
