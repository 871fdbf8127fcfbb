"""What we ask of WeChat. Blocking calls run in threads of their own, with time-outs; nobody here keeps
an openid, and a session_key is read by nobody."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

from server.kit import limits, metrics
from server.kit.errors import Denied, Limited, Missing, Refusal, Unauthenticated, Unavailable
from server.kit.kept import Kept
from server.kit.wechat_token import SharedToken
from server.kit.wechat_wire import WeChatRefused, WeChatSilent, Wire
from server.settings import Settings

log = logging.getLogger(__name__)
AT_ONCE = 16
LONGEST_SECONDS = 6.0
"""A server that sends its answer byte by byte ends no time-out of requests."""
COMMENT_SCENE = 2
WORDS_LIMIT = 2500
PICTURES_PER_MINUTE = 4000
"""Of the 5,000 that WeChat draws: a city that prints its codes leaves some to others."""
PICTURE_KEPT = 7 * 86_400
LINK_DAYS, LINK_KEPT = 30, 28 * 86_400
"""A link lives thirty days at most; the last one that is handed out still has two of them."""
BUSY = -1
_STALE_TOKEN = frozenset({40001, 40014, 42001})
_STATES = {"release": "formal", "trial": "trial", "develop": "developer"}


class InvalidCode(Unauthenticated):
    code = "wechat_code_invalid"
    title = "微信登录凭证无效或已过期，请重新打开小程序"


class UsedCode(Unauthenticated):
    code = "wechat_code_used"
    title = "微信登录凭证已经用过，请重新打开小程序"


class TooOften(Limited):
    code = "wechat_too_often"
    title = "登录过于频繁，请过一分钟再试；评价不需要登录"


class BlockedByWeChat(Denied):
    code = "wechat_blocked"
    title = "微信认为这个账号有风险，暂时不能登录；评价不需要登录"


class WeChatUnavailable(Unavailable):
    code = "wechat_unavailable"
    title = "暂时连不上微信，请稍后再试；评价不需要登录"


class NoMiniProgram(Missing):
    code = "no_mini_program"
    title = "这里没有开通微信小程序；评价不需要登录"


LOGIN_REFUSALS = (
    InvalidCode, UsedCode, TooOften, BlockedByWeChat, WeChatUnavailable, NoMiniProgram,
)  # fmt: skip
_LOGIN: dict[int, type[Refusal]] = {
    40029: InvalidCode, 40163: UsedCode, 45011: TooOften, 40226: BlockedByWeChat,
    BUSY: WeChatUnavailable,
}  # fmt: skip


class WeChat:
    def __init__(self, settings: Settings) -> None:
        self._wire = Wire(
            settings.wechat_app_id, settings.wechat_app_secret or "", settings.wechat_api_url
        )
        self._state = _STATES[settings.wechat_version]
        self._version = settings.wechat_version
        self._redis = limits.client(settings.redis_url)
        self._kept = Kept(self._redis, f"wechat:{settings.wechat_app_id}:{settings.wechat_version}")
        self._limiter = limits.Limiter(self._redis)
        self._token = SharedToken(self._redis, settings.wechat_app_id, self._new_token)
        self._threads = ThreadPoolExecutor(AT_ONCE, "wechat")

    async def openid_of(self, code: str) -> str:
        """Whose code this is, which `wx.login` gave him; it is good once, for five minutes."""
        asked = {
            "appid": self._wire.app_id, "secret": self._wire.secret, "js_code": code,
            "grant_type": "authorization_code",
        }  # fmt: skip
        try:
            answer = await self._call(
                "login", partial(self._wire.get, "/sns/jscode2session", asked)
            )
        except WeChatRefused as refused:
            kind = _LOGIN.get(refused.code, WeChatUnavailable)
            if refused.code not in _LOGIN:
                log.error("WeChat refuses our logins", extra={"reason": f"errcode {refused.code}"})
        except WeChatSilent:
            kind = WeChatUnavailable
        else:
            if (openid := answer.get("openid")) and isinstance(openid, str):
                return openid
            kind = WeChatUnavailable
        raise kind

    async def write(self, openid: str, template_id: str, data: dict[str, str], page: str) -> None:
        """A subscribe message. Not idempotent at WeChat, and it cannot be asked about afterwards."""
        body = {
            "touser": openid, "template_id": template_id, "page": page, "lang": "zh_CN",
            "miniprogram_state": self._state, "data": {k: {"value": v} for k, v in data.items()},
        }  # fmt: skip
        await self._with_token("write", "/cgi-bin/message/subscribe/send", body)

    async def opinion_of(self, openid: str, words: str) -> Literal["pass", "review", "risky"]:
        """`errcode` is 0 for risky words too; only `suggest` says what WeChat thinks of them."""
        body = {
            "openid": openid,
            "scene": COMMENT_SCENE,
            "version": 2,
            "content": words[:WORDS_LIMIT],
        }
        answer = await self._with_token("check", "/wxa/msg_sec_check", body)
        result = answer.get("result")
        suggest = result.get("suggest") if isinstance(result, dict) else None
        if suggest not in ("pass", "review", "risky"):
            raise WeChatSilent
        return suggest

    async def picture_of(self, scene: str, page: str) -> bytes:
        """A mini-program code, as JPEG or PNG."""
        body = {"scene": scene, "page": page, "check_path": False, "env_version": self._version}
        path = "/wxa/getwxacodeunlimit"
        return await self._with_token("picture", path, body, self._wire.picture)

    async def kept_picture_of(self, scene: str, page: str) -> bytes:
        """It never changes: drawn once for all processes."""

        async def drawn() -> bytes:
            await self._limiter.count("wechat_pictures", self._wire.app_id, PICTURES_PER_MINUTE)
            return await self.picture_of(scene, page)

        return await self._kept.once(f"picture:{page}:{scene}", PICTURE_KEPT, drawn)

    async def link_to(self, page: str, query: str) -> str:
        """An address that opens this page of the mini-program from a browser."""

        async def made() -> bytes:
            body = {
                "path": page, "query": query, "expire_type": 1, "expire_interval": LINK_DAYS,
                "env_version": self._version,
            }  # fmt: skip
            answer = await self._with_token("link", "/wxa/generate_urllink", body)
            link = answer.get("url_link")
            if not isinstance(link, str) or not link.startswith("https://"):
                raise WeChatSilent
            return link.encode()

        try:
            return (await self._kept.once(f"link:{page}?{query}", LINK_KEPT, made)).decode()
        except (WeChatRefused, WeChatSilent):
            pass
        raise WeChatUnavailable("暂时打不开微信小程序，请返回，直接在网页上评价")

    async def _with_token(
        self, what: str, path: str, body: dict[str, Any], ask: Callable[..., Any] | None = None
    ) -> Any:
        """Once more with another token if WeChat does not take this one any more."""
        ask = ask or self._wire.post
        token = await self._get_token()
        try:
            return await self._call(what, partial(ask, path, body, token))
        except WeChatRefused as refused:
            if refused.code not in _STALE_TOKEN:
                raise
        fresh = await self._get_token(refused=token)
        return await self._call(what, partial(ask, path, body, fresh))

    async def _get_token(self, refused: str | None = None) -> str:
        try:
            return await self._token.get(refused=refused)
        except WeChatSilent:
            pass
        raise WeChatSilent(never_sent=True)

    async def _new_token(self) -> tuple[str, int]:
        """The stable one: asking for it ends no token that another process holds."""
        asked = {
            "grant_type": "client_credential", "appid": self._wire.app_id,
            "secret": self._wire.secret,
        }  # fmt: skip
        answer = await self._call("token", partial(self._wire.post, "/cgi-bin/stable_token", asked))
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not isinstance(seconds, int):
            raise WeChatSilent
        return token, seconds

    async def _call(self, what: str, ask: Callable[[], Any]) -> Any:
        result = "lost"
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
            result = "done"
            return answer
        except TimeoutError:
            pass
        except WeChatRefused as refused:
            result = str(refused.code)
            raise
        finally:
            metrics.wechat.labels(what, result).inc()
        raise WeChatSilent

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._redis.aclose()


def wechat_of(settings: Settings) -> WeChat | None:
    """None: this installation has no mini-program."""
    return WeChat(settings) if settings.wechat_app_id else None
