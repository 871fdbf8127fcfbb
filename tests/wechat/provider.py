"""WeChat's server API on loopback: one-time codes, one token, grants, quotas, its error codes.

Knows nothing of `server/`: it is written from WeChat's documents, so that both can be wrong only in
different ways."""

import json
import re
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

APP_ID, SECRET = "wx0123456789abcdef", "app-secret-of-the-tests-0123456789"
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture"
QUERY = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@._~%-]{0,1024}")
SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@._~-]{1,32}")
VALUES = {
    "thing": re.compile(r".{1,20}", re.DOTALL),
    "phrase": re.compile(r"[\u4e00-\u9fff]{1,5}"),
    "character_string": re.compile(r"[ -~]{1,32}"),
    "time": re.compile(r"\d{4}年\d{1,2}月\d{1,2}日( \d{2}:\d{2})?"),
    "date": re.compile(r"\d{4}年\d{1,2}月\d{1,2}日( \d{2}:\d{2})?"),
}
RISKY, DOUBTFUL = "赌博", "加群"


@dataclass(frozen=True)
class Mood:
    """How one request is answered. `code`: refused with it; `answer`: what comes back."""

    code: int | None = None
    status: int = 200
    answer: str = "json"  # json · html · garbage · cut · nothing
    delay: float = 0.0


GOOD = Mood()


@dataclass
class Code:
    openid: str
    until: float
    used: bool = False


@dataclass
class Sent:
    openid: str
    template_id: str
    data: dict[str, str]
    page: str
    state: str


class Error(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class WeChatDesk:
    templates: dict[str, list[str]] = field(default_factory=dict)
    """Template id → its keywords."""
    pages: tuple[str, ...] = ("pages/mine/mine", "pages/scan/scan")
    token_seconds: int = 7200
    logins_per_minute: int = 100
    pictures_per_minute: int = 5000
    links_per_day: int = 500_000
    published: bool = True
    always: Mood = GOOD
    ahead: float = 0.0  # how far its clock was advanced
    sent: list[Sent] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codes: dict[str, Code] = {}
        self.standing: dict[str, str] = {}  # codes that stay good, for those who ask often
        self.grants: Counter[tuple[str, str]] = Counter()
        self.visited: dict[str, float] = {}
        self.blocked: set[str] = set()
        self._logins: Counter[tuple[str, int]] = Counter()
        self._pictures: Counter[int] = Counter()
        self.links: list[str] = []
        self._token, self._token_until = "", 0.0
        self._moods: deque[tuple[str, Mood]] = deque()
        self._lock = threading.Lock()
        handler = type("_Handler", (_Handler,), {"desk": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def next(self, path: str, *moods: Mood) -> None:
        """For the next requests of this path, one each."""
        self._moods.extend((path, mood) for mood in moods)

    # -- what happens on the phone --------------------------------------------------------------

    def code_for(self, openid: str) -> str:
        """`wx.login` in the mini-program."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = Code(openid, self.now() + 300)
        self.visited[openid] = self.now()
        return code

    def accept(self, openid: str, template_id: str) -> None:
        """The citizen lets us write once."""
        self.grants[openid, template_id] += 1

    def revoke_token(self) -> None:
        """Somebody reset it on WeChat's side."""
        self._token = ""

    def now(self) -> float:
        return time.monotonic() + self.ahead

    # -- requests -------------------------------------------------------------------------------

    def answer(self, path: str, query: dict[str, str], body: bytes) -> tuple[Any, Mood]:
        with self._lock:
            self.calls[path] += 1
            mood = self._mood(path)
            try:
                if mood.code is not None:
                    raise Error(mood.code, f"by the test {query}")
                act: dict[str, Callable[[dict[str, str], Any], Any]] = {
                    "/sns/jscode2session": self._login,
                    "/cgi-bin/stable_token": self._stable_token,
                    "/cgi-bin/message/subscribe/send": self._send,
                    "/wxa/msg_sec_check": self._check,
                    "/wxa/getwxacodeunlimit": self._picture,
                    "/wxa/generate_urllink": self._link,
                }
                return act[path](query, json.loads(body) if body else None), mood
            except Error as error:
                # As the real ones do: what was asked stands in the message.
                message = f"{error.message} rid: {secrets.token_hex(4)} {query}"
                return {"errcode": error.code, "errmsg": message}, mood

    def _mood(self, path: str) -> Mood:
        for place, (of, mood) in enumerate(self._moods):
            if of == path:
                del self._moods[place]
                return mood
        return self.always

    def _know(self, app_id: str | None, secret: str | None) -> None:
        if app_id != APP_ID:
            raise Error(40013, "invalid appid")
        if secret != SECRET:
            raise Error(40125, "invalid appsecret")

    def _login(self, query: dict[str, str], _: Any) -> Any:
        self._know(query.get("appid"), query.get("secret"))
        if query.get("grant_type") != "authorization_code":
            raise Error(40002, "invalid grant_type")
        if openid := self.standing.get(query.get("js_code", "")):
            return {"openid": openid, "session_key": "session-key"}
        code = self.codes.get(query.get("js_code", ""))
        if code is None or self.now() > code.until:
            raise Error(40029, "invalid code")
        if code.used:
            raise Error(40163, "code been used")
        minute = (code.openid, int(self.now() // 60))
        self._logins[minute] += 1
        if self._logins[minute] > self.logins_per_minute:
            raise Error(45011, "api minute-quota reach limit")
        code.used = True
        if code.openid in self.blocked:
            raise Error(40226, "code blocked")
        return {"openid": code.openid, "session_key": f"session-key-of-{code.openid}"}

    def _stable_token(self, _: dict[str, str], body: Any) -> Any:
        self._know(body.get("appid"), body.get("secret"))
        if body.get("grant_type") != "client_credential":
            raise Error(40002, "invalid grant_type")
        if not self._token or self._token_until - self.now() < 300 or body.get("force_refresh"):
            self._token = f"token-{secrets.token_hex(12)}"
            self._token_until = self.now() + self.token_seconds
        return {"access_token": self._token, "expires_in": int(self._token_until - self.now())}

    def _admit(self, query: dict[str, str]) -> None:
        if not self._token or query.get("access_token") != self._token:
            raise Error(40001, "invalid credential, access_token is invalid or not latest")
        if self.now() > self._token_until:
            raise Error(42001, "access_token expired")

    def _send(self, query: dict[str, str], body: Any) -> Any:
        self._admit(query)
        openid, template_id = body["touser"], body["template_id"]
        if openid not in self.visited:
            raise Error(40003, "invalid openid")
        if template_id not in self.templates:
            raise Error(40037, "invalid template_id")
        if body["page"].partition("?")[0] not in self.pages:
            raise Error(41030, "invalid page")
        data = {key: given["value"] for key, given in body["data"].items()}
        for key in self.templates[template_id]:
            pattern = VALUES[re.sub(r"\d+$", "", key)]
            if not pattern.fullmatch(data.get(key, "")):
                raise Error(47003, f"argument invalid! data.{key}.value invalid")
        if self.grants[openid, template_id] < 1:
            raise Error(43101, "user refuse to accept the msg")
        self.grants[openid, template_id] -= 1
        self.sent.append(Sent(openid, template_id, data, body["page"], body["miniprogram_state"]))
        return {"errcode": 0, "errmsg": "ok", "msgid": len(self.sent)}

    def _check(self, query: dict[str, str], body: Any) -> Any:
        self._admit(query)
        if body["version"] != 2 or body["scene"] not in (1, 2, 3, 4) or not body["content"]:
            raise Error(47001, "data format error")
        if len(body["content"]) > 2500:
            raise Error(40129, "content too long")
        if self.now() - self.visited.get(body["openid"], -1e9) > 7200:
            raise Error(61010, "code is expired")
        self.checked.append(body["content"])
        words = body["content"]
        suggest = "risky" if RISKY in words else "review" if DOUBTFUL in words else "pass"
        label = 100 if suggest == "pass" else 20006
        return {"errcode": 0, "errmsg": "ok", "result": {"suggest": suggest, "label": label}}

    def _picture(self, query: dict[str, str], body: Any) -> Any:
        self._admit(query)
        if not SCENE.fullmatch(body.get("scene", "")):
            raise Error(40169, "invalid length for scene, or the data is not json string")
        if body["page"].startswith("/") or (body["check_path"] and body["page"] not in self.pages):
            raise Error(41030, "invalid page")
        self._pictures[int(self.now() // 60)] += 1
        if self._pictures[int(self.now() // 60)] > self.pictures_per_minute:
            raise Error(45009, "reach max api minute limit")
        return PNG

    def _link(self, query: dict[str, str], body: Any) -> Any:
        self._admit(query)
        if not self.published:
            raise Error(85079, "miniprogram has no online release")
        if body.get("path", "").removeprefix("/") not in self.pages:
            raise Error(40165, "invalid weapp pagepath")
        if not QUERY.fullmatch(body.get("query", "")):
            raise Error(40212, "invalid query")
        if body.get("expire_type") != 1 or not 1 <= body.get("expire_interval", 0) <= 30:
            raise Error(85401, "time limit between 1min and 1year")
        if len(self.links) >= self.links_per_day:
            raise Error(45009, "reach max api daily quota limit")
        self.links.append(body["query"])
        return {
            "errcode": 0,
            "errmsg": "ok",
            "url_link": f"https://wxaurl.cn/{len(self.links):06d}",
        }


class _Handler(BaseHTTPRequestHandler):
    desk: WeChatDesk
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.desk.lines.append(self.requestline)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer, mood = self.desk.answer(parts.path, dict(parse_qsl(parts.query)), body)
        time.sleep(mood.delay)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kind = "image/png" if isinstance(answer, bytes) else "application/json; encoding=utf-8"
        match mood.answer:
            case "nothing":
                self.close_connection = True
            case "cut":
                self._write(mood.status, content[: len(content) // 2], kind, len(content))
                self.close_connection = True
            case "html":
                self._write(mood.status, b"<html>502 Bad Gateway</html>", "text/html", None)
            case "garbage":
                self._write(mood.status, b'["what"]', kind, None)
            case _:
                self._write(mood.status, content, kind, None)

    do_POST = do_GET

    def _write(self, status: int, content: bytes, kind: str, length: int | None) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)
        except OSError:  # a client that did not wait
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass
