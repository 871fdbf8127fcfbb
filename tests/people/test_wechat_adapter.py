"""What WeChat says, and what it leaves unsaid, in our words; no secret and no openid in any of them."""

import asyncio
import logging
import socket
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis
from wechat.provider import APP_ID, DOUBTFUL, PNG, RISKY, SECRET, Mood, WeChatDesk

from server.kit.errors import Refusal
from server.kit.log import AllowListed
from server.kit.wechat import (
    BlockedByWeChat,
    InvalidCode,
    TooOften,
    UsedCode,
    WeChat,
    WeChatUnavailable,
)
from server.kit.wechat_wire import WeChatRefused, WeChatSilent
from server.settings import Settings

OPENID = "oABCD-the_openid_of_one_1234"
TOKEN = "/cgi-bin/stable_token"


@pytest.fixture
def written() -> Iterator[list[str]]:
    """All that any logger says at its most talkative, with its arguments."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(AllowListed().format(record))
            if record.name.startswith(("server", "wechatpy", "urllib3", "requests")):
                lines.append(record.getMessage())

    handler, root = Kept(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)


async def test_a_code_is_good_once(wechat: WeChat, desk: WeChatDesk) -> None:
    code = desk.code_for(OPENID)
    assert await wechat.openid_of(code) == OPENID
    with pytest.raises(UsedCode):
        await wechat.openid_of(code)
    assert desk.calls[TOKEN] == 0, "no token is needed where the secret is sent"


async def test_a_code_is_good_for_five_minutes(wechat: WeChat, desk: WeChatDesk) -> None:
    code = desk.code_for(OPENID)
    desk.ahead += 301
    with pytest.raises(InvalidCode):
        await wechat.openid_of(code)


@pytest.mark.parametrize(
    ("code", "refusal", "status"),
    [
        (40029, InvalidCode, 401), (40163, UsedCode, 401), (45011, TooOften, 429),
        (40226, BlockedByWeChat, 403), (-1, WeChatUnavailable, 503),
        (40125, WeChatUnavailable, 503), (99999, WeChatUnavailable, 503),
    ],
)  # fmt: skip
async def test_each_error_of_a_login_has_its_words(
    wechat: WeChat, desk: WeChatDesk, code: int, refusal: type[Refusal], status: int
) -> None:
    desk.next("/sns/jscode2session", Mood(code=code))
    with pytest.raises(refusal) as raised:
        await wechat.openid_of(desk.code_for(OPENID))
    assert raised.value.status == status
    assert (raised.value.retry_after is not None) is (status in (429, 503))


async def test_who_is_blocked_and_who_comes_too_often_is_told_so(
    wechat: WeChat, desk: WeChatDesk
) -> None:
    desk.logins_per_minute = 2
    for _ in range(2):
        await wechat.openid_of(desk.code_for(OPENID))
    with pytest.raises(TooOften):
        await wechat.openid_of(desk.code_for(OPENID))
    desk.blocked.add("oBlocked")
    with pytest.raises(BlockedByWeChat):
        await wechat.openid_of(desk.code_for("oBlocked"))


BAD_DAYS = [
    Mood(answer="html", status=502), Mood(answer="html"), Mood(answer="garbage"),
    Mood(answer="cut"), Mood(answer="nothing"), Mood(status=500), Mood(delay=1.0),
]  # fmt: skip


@pytest.mark.parametrize("mood", BAD_DAYS, ids=lambda m: f"{m.answer}-{m.status}-{m.delay}")
async def test_an_answer_that_cannot_be_read_is_no_answer(
    wechat: WeChat, desk: WeChatDesk, mood: Mood
) -> None:
    desk.next("/sns/jscode2session", mood)
    with pytest.raises(WeChatUnavailable):
        await wechat.openid_of(desk.code_for(OPENID))
    desk.next("/cgi-bin/message/subscribe/send", mood)
    with pytest.raises(WeChatSilent) as silent:
        await wechat.write(OPENID, "TMPL_CLOSED", {}, "pages/mine/mine")
    assert not silent.value.never_sent, "it may have been sent"


async def test_what_never_reached_wechat_is_known_to_be_unsent(
    with_wechat: Settings, wechat: WeChat, desk: WeChatDesk
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    nowhere = WeChat(replace(with_wechat, wechat_api_url=f"http://127.0.0.1:{port}"))
    with pytest.raises(WeChatSilent) as silent:
        await nowhere.write(OPENID, "TMPL_CLOSED", {}, "pages/mine/mine")
    assert silent.value.never_sent
    with pytest.raises(WeChatUnavailable):
        await nowhere.openid_of("code")
    desk.next(TOKEN, Mood(answer="nothing"))
    with pytest.raises(WeChatSilent) as silent:
        await wechat.write(OPENID, "TMPL_CLOSED", {}, "pages/mine/mine")
    assert silent.value.never_sent, "it was the token that did not come"
    await nowhere.close()


@pytest.mark.parametrize("mood", [*BAD_DAYS, Mood(code=40029), Mood(code=43101), Mood()])
async def test_no_secret_code_openid_or_token_is_in_an_error_or_a_log_line(
    wechat: WeChat, desk: WeChatDesk, written: list[str], mood: Mood
) -> None:
    code = desk.code_for(OPENID)
    desk.always = mood
    shown = [repr(wechat), repr(wechat.__dict__.get("_wire"))]
    for ask in (
        lambda: wechat.openid_of(code),
        lambda: wechat.write(OPENID, "TMPL_CLOSED", {"thing1": "公租房"}, "pages/mine/mine"),
        lambda: wechat.opinion_of(OPENID, "words of a citizen"),
    ):
        try:
            await ask()
        except Exception as error:
            assert error.__context__ is None
            shown.append("".join(traceback.format_exception(error)) + repr(error) + str(error.args))
    known = (SECRET, code, OPENID, "session-key", desk._token or "no token", "words of a")
    for text in shown + written:
        assert not [word for word in known if word in text], text


# The token


async def test_all_processes_use_one_token(
    wechat: WeChat, with_wechat: Settings, desk: WeChatDesk
) -> None:
    other = WeChat(with_wechat)
    for one in (wechat, other, wechat):
        desk.code_for(OPENID)
        assert await one.opinion_of(OPENID, "很好") == "pass"
    assert desk.calls[TOKEN] == 1
    await other.close()


async def test_of_twenty_who_need_a_token_at_once_one_asks(
    wechat: WeChat, desk: WeChatDesk
) -> None:
    desk.code_for(OPENID)
    desk.next(TOKEN, Mood(delay=0.2))
    await asyncio.gather(*(wechat.opinion_of(OPENID, "很好") for _ in range(20)))
    assert desk.calls[TOKEN] == 1


async def test_without_redis_each_process_has_its_own_memory(
    with_wechat: Settings, wechat: WeChat, desk: WeChatDesk
) -> None:
    desk.code_for(OPENID)
    alone = WeChat(replace(with_wechat, redis_url="redis://127.0.0.1:1"))
    for _ in range(3):
        assert await alone.opinion_of(OPENID, "很好") == "pass"
    assert desk.calls[TOKEN] == 1
    await alone.close()


async def test_a_lost_redis_takes_no_token_away(
    wechat: WeChat, with_wechat: Settings, desk: WeChatDesk
) -> None:
    desk.code_for(OPENID)
    await wechat.opinion_of(OPENID, "很好")
    redis = Redis.from_url(with_wechat.redis_url)
    await redis.flushall()
    await wechat.opinion_of(OPENID, "很好")
    assert desk.calls[TOKEN] == 1
    other = WeChat(with_wechat)
    await other.opinion_of(OPENID, "很好")
    assert desk.calls[TOKEN] == 2, "whoever has none asks, and gets the same one"
    await other.close()
    await redis.aclose()


async def test_the_token_lies_sealed_and_ends_before_wechat_ends_it(
    wechat: WeChat, with_wechat: Settings, desk: WeChatDesk
) -> None:
    desk.code_for(OPENID)
    await wechat.opinion_of(OPENID, "很好")
    redis = Redis.from_url(with_wechat.redis_url)
    name = f"wechat:token:{APP_ID}"
    assert desk._token.encode() not in (await redis.get(name) or b"")
    assert 0 < await redis.pttl(name) <= (7200 - 300) * 1000
    await redis.set(name, b"what is this", px=60_000)
    other = WeChat(with_wechat)
    assert await other.opinion_of(OPENID, "很好") == "pass"
    await other.close()
    await redis.aclose()


async def test_a_token_that_was_reset_elsewhere_is_replaced_for_all(
    wechat: WeChat, with_wechat: Settings, desk: WeChatDesk
) -> None:
    other = WeChat(with_wechat)
    desk.code_for(OPENID)
    for one in (wechat, other):
        await one.opinion_of(OPENID, "很好")
    desk.revoke_token()
    for one in (wechat, other):
        assert await one.opinion_of(OPENID, "很好") == "pass"
    assert desk.calls[TOKEN] == 2
    await other.close()


async def test_a_token_that_is_refused_again_and_again_ends_in_a_refusal(
    wechat: WeChat, desk: WeChatDesk
) -> None:
    desk.code_for(OPENID)
    desk.next("/wxa/msg_sec_check", Mood(code=40001), Mood(code=42001))
    with pytest.raises(WeChatRefused) as refused:
        await wechat.opinion_of(OPENID, "很好")
    assert refused.value.code == 42001
    assert desk.calls["/wxa/msg_sec_check"] == 2


# Words and pictures


@pytest.mark.parametrize(
    ("words", "opinion"),
    [("排队太久", "pass"), (f"来{RISKY}吧", "risky"), (f"{DOUBTFUL}聊", "review")],
)
async def test_risky_words_are_known_by_what_is_suggested(
    wechat: WeChat, desk: WeChatDesk, words: str, opinion: str
) -> None:
    desk.code_for(OPENID)
    assert await wechat.opinion_of(OPENID, words) == opinion


async def test_who_was_not_here_for_two_hours_cannot_be_checked(
    wechat: WeChat, desk: WeChatDesk
) -> None:
    desk.code_for(OPENID)
    desk.ahead += 7201
    with pytest.raises(WeChatRefused) as refused:
        await wechat.opinion_of(OPENID, "很好")
    assert refused.value.code == 61010


async def test_words_beyond_what_wechat_reads_are_cut(wechat: WeChat, desk: WeChatDesk) -> None:
    desk.code_for(OPENID)
    await wechat.opinion_of(OPENID, "好" * 3000)
    assert desk.checked == ["好" * 2500]


async def test_a_code_for_a_hall_is_a_picture(wechat: WeChat, desk: WeChatDesk) -> None:
    assert await wechat.picture_of("h=H1&w=A1", "pages/scan/scan") == PNG
    with pytest.raises(WeChatRefused) as refused:
        await wechat.picture_of("大厅", "pages/scan/scan")
    assert refused.value.code == 40169


async def test_a_dripping_answer_holds_nobody_for_long(
    wechat: WeChat, desk: WeChatDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.kit.wechat.LONGEST_SECONDS", 0.2)
    desk.next("/sns/jscode2session", Mood(delay=0.45))
    started = time.monotonic()
    with pytest.raises(WeChatUnavailable):
        await wechat.openid_of(desk.code_for(OPENID))
    assert time.monotonic() - started < 0.4
