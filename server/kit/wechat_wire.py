"""WeChat's server API through wechatpy: one thread a call, time-outs, and no word of it in an error."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

API = "https://api.weixin.qq.com"
CONNECT_SECONDS, READ_SECONDS = 2.0, 3.0

# urllib3 writes addresses into its debug log: ours hold the app's secret and a citizen's code.
logging.getLogger("urllib3").setLevel(logging.WARNING)


class WeChatRefused(Exception):
    """WeChat said no; what was asked was not done."""

    def __init__(self, code: int) -> None:
        super().__init__(f"errcode {code}")
        self.code = code


class WeChatSilent(Exception):
    """No answer, or none that can be read. `never_sent`: it surely did not reach WeChat."""

    def __init__(self, *, never_sent: bool = False) -> None:
        super().__init__("never sent" if never_sent else "no answer")
        self.never_sent = never_sent


class _StandIn(HTTPAdapter):
    """Everything that is for WeChat goes to another address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        request.url = request.url.replace(API, self._address, 1)
        return super().send(request, *args, **options | {"proxies": {}})


class Wire:
    """A client for each thread: a session of requests is not made for many."""

    def __init__(self, app_id: str, secret: str, address: str | None) -> None:
        self.app_id = app_id
        self.secret = secret
        self._address = address
        self._own = threading.local()

    def get(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        # A token is not asked for where the secret itself is sent.
        return self._call(
            lambda client: client.get(
                API + path, params={**params, "access_token": None}, allow_redirects=False
            )
        )

    def post(self, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
        return self._call(lambda client: _posted(client, path, body, token))

    def picture(self, path: str, body: dict[str, Any], token: str) -> bytes:
        """Success is a picture, failure JSON."""
        return self._call(lambda client: _posted(client, path, body, token), _is_picture).content

    def _client(self) -> WeChatClient:
        client = getattr(self._own, "client", None)
        if client is None:
            client = WeChatClient(
                self.app_id, self.secret, timeout=(CONNECT_SECONDS, READ_SECONDS), auto_retry=False
            )
            if self._address:
                client._http.mount(API, _StandIn(self._address))
            self._own.client = client
        return client

    def _call(
        self, ask: Callable[[WeChatClient], Any], fits: Callable[[Any], bool] | None = None
    ) -> Any:
        answer, problem = _outcome(ask, self._client())
        # Raised out here: errors of requests and wechatpy hold the address with all that is in it.
        if problem:
            raise problem
        if not (fits or _is_object)(answer):
            raise WeChatSilent
        return answer


def _posted(client: WeChatClient, path: str, body: dict[str, Any], token: str | None) -> Any:
    return client.post(API + path, params={"access_token": token}, data=body, allow_redirects=False)


def _is_object(answer: Any) -> bool:
    return isinstance(answer, dict)


def _is_picture(answer: Any) -> bool:
    return isinstance(answer, requests.Response) and answer.headers.get(
        "content-type", ""
    ).startswith("image/")


def _outcome(
    ask: Callable[[WeChatClient], Any], client: WeChatClient
) -> tuple[Any, WeChatRefused | WeChatSilent | None]:
    try:
        return ask(client), None
    except WeChatClientException as refused:
        return None, WeChatSilent() if refused.errcode is None else WeChatRefused(refused.errcode)
    except requests.ConnectTimeout:
        return None, WeChatSilent(never_sent=True)
    except requests.ConnectionError as error:
        return None, WeChatSilent(never_sent="NewConnectionError" in repr(error))
    except Exception:
        return None, WeChatSilent()
