# ruff: noqa: E501
"""Whatever comes in over a real socket: never a 5xx, never an echo, and nothing stored by a refusal."""

import asyncio
import base64
import contextlib
import copy
import json
import re
import socket
import subprocess
import sys
import time
import unittest
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import jwt
import pytest
import requests
import schemathesis
from factories import SMS_SECRET, City
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from kit.calls import CALLS, Call, Scene, all_operations
from schemathesis import GenerationMode
from wechat.provider import APP_ID, SECRET, WeChatDesk

from server.kit import sql
from server.kit.privacy import vault
from server.kit.web import BATCH_LIMIT, BODY_LIMIT
from server.settings import Settings

ROOT = Path(__file__).parent.parent
OPERATIONS = all_operations()
POSTS = [name for name, op in OPERATIONS.items() if op.method == "POST" and not op.raw]
"""What reads its bytes itself has its hostile ones in messages/test_callbacks.py."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SPARSE = {"object_to_review": (429,)}
"""Without its proof it is the wish for one, and that is granted once a minute."""
MARK = "q7Zx"
"""In every hostile text: a refusal that holds it has echoed what it was sent."""


# A server of our own, as it is started in earnest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
async def live(
    app: Any, servers: Settings, tmp_path_factory: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The real server on a real socket, on the database of the tests, with its log kept."""
    desk = WeChatDesk()
    desk.standing["demo:wang"] = "demo:wang"  # what the good calls log in with
    port, log = free_port(), tmp_path_factory.mktemp("live") / "log"
    keys = ",".join(f"{i}:{base64.b64encode(key).decode()}" for i, key in servers.keys.items())
    environment = {
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url, "KEYS": keys,
        "BASE_URL": servers.base_url, "PORT": str(port), "UNKNOWN_CODES_PER_MINUTE": "999999999",
        "WALL_REVIEWS_PER_HOUR": "999999999",
        "SMS_CALLBACK_SECRET": SMS_SECRET, "WECHAT_APP_ID": APP_ID, "WECHAT_APP_SECRET": SECRET,
        "WECHAT_API_URL": desk.url,
    }  # fmt: skip
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve"], cwd=ROOT, env=environment,
            stdout=written, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            client.log = log  # type: ignore[attr-defined]
            await _answers(client, process)
            yield client
    finally:
        process.terminate()
        process.wait(10)
        desk.stop()


async def _answers(client: httpx.AsyncClient, process: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        assert process.poll() is None, client.log.read_text()  # type: ignore[attr-defined]
        try:
            if (await client.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.fixture
async def scene(
    http: httpx.AsyncClient, city: City, live: httpx.AsyncClient
) -> AsyncIterator[Scene]:
    # The live server learns of the city's catalogue by its beacon, within a second.
    await sql.fetch("INSERT INTO beacons VALUES ('catalogue', $1)", time.time_ns() // 1_000_000)
    body = (await CALLS["issue_receipt"](Scene(http, city))).body
    headers = await city.system(http)
    for _ in range(100):
        if (await live.post("/api/v1/receipts", json=body, headers=headers)).is_success:
            break
        await asyncio.sleep(0.05)
    yield Scene(http, city)
    errors = [line for line in live.log.read_text().splitlines() if "unexpected error" in line]  # type: ignore[attr-defined]
    live.log.write_text("")  # type: ignore[attr-defined]
    assert errors == []


_STORED = (
    "receipts", "reviews", "work_orders", "work_order_steps", "answered", "sessions", "access_log", "pgqueuer",
    "questionnaire_answers",
)  # fmt: skip
_DIGEST = " || ".join(
    f"coalesce((SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t), '-')"
    for table in _STORED
)


async def stored() -> str:
    """Changes with every row of every table that a request may write."""
    (row,) = await sql.fetch(f"SELECT {_DIGEST} AS digest")
    return str(row["digest"])


def check_refusal(answer: httpx.Response, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code < 400:
        return
    assert answer.headers["content-type"] == "application/problem+json", what
    told = answer.json()
    assert {"type", "title", "status", "detail", "code", "errors"} <= set(told), what
    assert told["status"] == answer.status_code, what
    assert CHINESE.search(told["title"]), what
    assert CHINESE.search(told["detail"]), what
    for fault in told["errors"]:
        assert set(fault) == {"field", "code", "detail"}, what
        assert CHINESE.search(fault["detail"]), what
    assert MARK not in answer.text, f"{what}: echoed: {answer.text[:300]}"
    assert "<" not in answer.text, f"{what}: {answer.text[:300]}"
    assert "Traceback" not in answer.text
    assert "asyncpg" not in answer.text


# Bodies that are hostile wherever they go


def raw_bodies(good: dict[str, Any]) -> dict[str, bytes]:
    """Every one of them has to be refused."""
    text = json.dumps(good).encode()
    inside = text[1:-1]
    first = next(iter(good), None)
    with_unknown = {
        "NaN": b"NaN", "Infinity": b"Infinity", "-Infinity": b"-Infinity",
        "5,000 digits": b"9" * 5000, "a double key below": b'{"q7Zx":1,"q7Zx":2}',
        "nested deeply": b"[" * 20_000 + b"]" * 20_000, "objects nested deeply": b'{"a":' * 9_000 + b"1" + b"}" * 9_000,
        "a raw NUL": b'"q7Zx\x00"', "a control character": b'"q7Zx\x1b"', "a lone surrogate": b'"q7Zx\\ud800"',
        "raw surrogate bytes": b'"q7Zx\xed\xa0\x80"', "invalid UTF-8": b'"q7Zx\xff\xfe"',
        "an overlong NUL": b'"q7Zx\xc0\x80"', "a short escape": b'"\\u12"', "a bad escape": b'"\\x41"',
        "a number with a zero in front": b"007", "a plus": b"+1", "a bare word": b"q7Zx", "a comment": b"1/*q7Zx*/",
    }  # fmt: skip
    comma = b"," if inside else b""
    bodies = {f"unknown field: {name}": b"{" + inside + comma + b'"unknown":' + value + b"}"
              for name, value in with_unknown.items()}  # fmt: skip
    bodies |= {
        "empty": b"", "white space": b" \n", "cut": text[:-1] or b"{", "null": b"null", "true": b"true",
        "a number": b"7", "a text": b'"q7Zx"', "an array": b"[]", "an array around": b"[" + text + b"]",
        "two bodies": text + text, "a BOM": b"\xef\xbb\xbf" + text, "UTF-16": text.decode().encode("utf-16"),
        "UTF-16 without BOM": text.decode().encode("utf-16-be"), "UTF-32": text.decode().encode("utf-32"),
        "not JSON": b"<q7Zx/>", "a form": urlencode({"q7Zx": 1}).encode(), "gzip": b"\x1f\x8b\x08\x00q7Zx",
        "100,000 brackets": b"[" * 100_000, "100,000 brackets closed": b"[" * 100_000 + b"]" * 100_000,
        "1 MB of text": json.dumps(good | {"unknown": "x" * 2**20}).encode(),
        "over every limit": b'"' + b"x" * (BATCH_LIMIT + 10) + b'"',
    }  # fmt: skip
    if first is not None:
        value = json.dumps(good[first]).encode()
        key = json.dumps(first).encode()
        escaped = b'"\\u%04x' % ord(first[0]) + key[2:]
        for name, second in (("a double key", key), ("a double key in disguise", escaped)):
            bodies[name] = b"{" + inside + b"," + second + b":" + value + b"}"
    return bodies


LAWFUL = ("unknown field: 5,000 digits",)
"""JSON by the book in a field that nobody asked for: may be refused, may be passed over."""
LAWFUL_IN_A_BATCH = ("1 MB of text", "unknown field: a double key below")


def limit_of(name: str) -> int:
    return OPERATIONS[name].limit


@pytest.mark.parametrize("name", POSTS)
async def test_a_body_that_is_not_the_right_json_is_refused_and_leaves_nothing(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    call = await CALLS[name](scene)
    before = await stored()
    taken = []
    for what, body in raw_bodies(call.body or {}).items():
        if what in LAWFUL or (limit_of(name) > BODY_LIMIT and what in LAWFUL_IN_A_BATCH):
            continue
        headers = call.headers | {"content-type": "application/json"}
        try:
            answer = await live.post(call.path, content=body, headers=headers)
        except httpx.TransportError:
            assert what == "over every limit", what  # closed while we were still sending
            continue
        check_refusal(answer, f"{name}: {what}")
        if answer.status_code not in ({413} if len(body) > limit_of(name) else {422, 400}):
            taken.append(f"{what}: {answer.status_code}")
    assert taken == []
    assert await stored() == before
    good = await live.request(call.method, call.path, json=call.body, headers=call.headers)
    assert good.is_success


CONTENT_TYPES = (
    None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=q7Zx",
    "application/xml", "text/json", "application/jsonq7Zx", "application/problem+json", "q7Zx" * 500,
)  # fmt: skip


@pytest.mark.parametrize("name", POSTS)
async def test_a_body_of_another_type_is_415_and_leaves_nothing(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    call = await CALLS[name](scene)
    before = await stored()
    for content_type in CONTENT_TYPES:
        headers = call.headers | ({} if content_type is None else {"content-type": content_type})
        answer = await live.post(call.path, content=json.dumps(call.body), headers=headers)
        check_refusal(answer, f"{name}: {content_type}")
        assert answer.status_code == 415, f"{name}: {content_type}"
    assert await stored() == before


# Values that are hostile in a field


class Token(str):
    """Stands in the JSON as it is written here, without quotes."""


WRONG_TYPES: dict[str, Any] = {
    "true": True, "one": 1, "zero": 0, "minus one": -1, "a fraction": 1.5, "a text": MARK, "nothing": None,
    "an array": [], "an array of arrays": [[MARK]], "an object": {}, "an object with our names": {"level": 1},
    "2^31": 2**31, "2^63": 2**63, "2^64": 2**64, "-2^63-1": -(2**63) - 1, "5,000 digits": Token("9" * 5000),
    "1e999": Token("1e999"), "-1e999": Token("-1e999"), "NaN": Token("NaN"), "Infinity": Token("Infinity"),
    "1e-400": Token("1e-400"), "minus zero": Token("-0"), "a number in text": "1", "deep": Token("[" * 9000 + "]" * 9000),
}  # fmt: skip
TEXTS: dict[str, str] = {
    "NUL": f"{MARK}\0", "only NUL": "\0", "RTL override": f"\u202e{MARK}\u202c", "zero width": f"{MARK}\u200b\ufeff",
    "emoji": f"{MARK}👨‍👩‍👧‍👦🏳️‍🌈", "combining": f"{MARK}" + "\u0301" * 300, "noncharacter": f"{MARK}\ufffe\uffff\U0010ffff",
    "60,000 letters": MARK + "x" * 60_000, "SQL": f"{MARK}'; DROP TABLE reviews;--", "SQL 2": f"{MARK}' OR '1'='1",
    "SQL 3": f"{MARK}\\'; SELECT pg_sleep(9);--", "script": f"<script>alert('{MARK}')</script>",
    "template": f"{{{{7*7}}}}${{7*7}}{MARK}", "format": f"%s%n{MARK}{{0}}", "path": f"../../../etc/passwd{MARK}",
    "line feeds": f"{MARK}\r\nSet-Cookie: a=b\r\n\r\n", "formula": f"=cmd|'/c {MARK}'!A0", "spaces": "   ",
    "empty": "", "digits of elsewhere": "²५५５", "control": f"{MARK}\x1b[31m\x07", "a date": "0001-01-01T00:00:00+23:59",
    "a last date": "9999-12-31T23:59:59.999999-23:59", "a date that is none": "2026-02-30T10:00:00+08:00",
    "a date without zone": "2026-11-21T10:00:00", "leap second": "2026-12-31T23:59:60+08:00",
}  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field, however deep."""
    if at:
        yield at
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, (*at, name))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))


def changed(body: dict[str, Any], place: tuple[Any, ...], value: Any) -> bytes:
    body = copy.deepcopy(body)
    inner: Any = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = "@TOKEN@" if isinstance(value, Token) else value
    return json.dumps(body).replace('"@TOKEN@"', str(value)).encode()


def without(body: dict[str, Any], place: tuple[Any, ...]) -> bytes:
    body = copy.deepcopy(body)
    inner: Any = body
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "name", [name for name in POSTS if name not in ("accept_order", "erase_me", "withdraw_appeal")]
)
async def test_no_value_in_any_field_breaks_an_operation(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    call = await CALLS[name](scene)
    assert call.body
    documented = {*OPERATIONS[name].answers, 401, 404, 409, 410, 413, 422, *SPARSE.get(name, ())}
    before = await stored()
    for place in places(call.body):
        attacks = [(w, changed(call.body, place, v)) for w, v in (WRONG_TYPES | TEXTS).items()]
        for what, body in [*attacks, ("missing", without(call.body, place))]:
            headers = call.headers | {"content-type": "application/json"}
            answer = await live.post(call.path, content=body, headers=headers)
            told = f"{name}: {place}: {what}"
            check_refusal(answer, told)
            assert answer.status_code in documented, told
            if answer.is_success:  # harmless there: a new target for the next one
                call = replace(call, path=(await CALLS[name](scene)).path)
                before = await stored()
            else:
                assert await stored() == before, told


@pytest.mark.parametrize("name", POSTS)
async def test_fields_that_nobody_asked_for_change_nothing(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    """Mass assignment."""
    call = await CALLS[name](scene)
    smuggled = {
        "id": 1, "state": "excluded", "order_number": "1", "agency_code": MARK, "region_code": MARK,
        "role": "admin", "voided_at": None, "visible_from": "2020-01-01T00:00:00Z", "channel_": MARK,
        "__class__": MARK, "__proto__": {"role": "admin"}, "undo_until": "2099-01-01T00:00:00Z",
    }  # fmt: skip
    answer = await live.post(call.path, json=smuggled | (call.body or {}), headers=call.headers)
    assert answer.is_success, answer.text
    for table in ("receipts", "reviews", "work_orders"):
        rows = repr([dict(row) for row in await sql.fetch(f"SELECT * FROM {table}")])
        assert MARK not in rows
        assert "excluded" not in rows or name == "object_to_exclusion", "that one was before"


# Paths, queries, headers

SEGMENTS = (
    "%00", "a%00b", "%2F", "%2e%2e%2f", "..", "%252e", "a" * 5000, "²", "५५", "%ED%A0%80", "%FF", "%", "%zz",
    "'%3B%20DROP%20TABLE%20reviews--", "%3Cscript%3Eq7Zx%3C/script%3E", "%0d%0aX-Evil:%20q7Zx", "-1", "0", "1.5",
    "9" * 18, "9" * 19, "9" * 400, "9223372036854775808", "null", "undefined", "NaN", "{}", "%7B%7D", "q7Zx",
    "~", "*", ";", "a;b=c", "%E2%80%AE", "１２", "true", "%20", "+", "a" * 25, "A" * 16, "\\", "|", "^", "%5C",
)  # fmt: skip


def with_segment(path: str, segment: str) -> bytes:
    """As bytes: a polite client would tidy the path before it is sent."""
    return re.sub(r"<\w+>", lambda _: ascii_only(segment), path).encode()


def ascii_only(text: str) -> str:
    return "".join(char if char.isascii() else quote(char) for char in text)


@pytest.mark.parametrize("name", [name for name, op in OPERATIONS.items() if "<" in op.path])
async def test_no_path_breaks_an_operation(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    call = await CALLS[name](scene)
    before = await stored()
    for segment in SEGMENTS:
        path = with_segment(OPERATIONS[name].path, segment)
        url = httpx.URL(str(live.base_url)).copy_with(raw_path=path)
        answer = await live.request(call.method, url, json=call.body, headers=call.headers)
        check_refusal(answer, f"{name}: {segment[:40]}")
        assert answer.status_code >= 400, f"{name}: {segment[:40]}"
    assert await stored() == before


QUERIES = (
    "limit=²", "limit=-1", "limit=0", "limit=201", "limit=1e9", "limit=" + "9" * 5000, "limit=५", "limit=1%00",
    "limit=true", "limit=1;DROP", "limit=0x10", "limit=%201", "overdue=q7Zx", "overdue=1%00", "overdue=²",
    "state=q7Zx", "state=%00", "state=assigned'--", "state=ASSIGNED", "cursor=q7Zx", "cursor=%00", "cursor=²",
    "cursor=" + "A" * 9000, "cursor=====", "cursor=%FF",
    *("cursor=" + base64.urlsafe_b64encode(c.encode()).decode().rstrip("=") for c in (
        "q7Zx", "0001-01-01T00:00:00+23:59 1", "9999-12-31T23:59:59-23:59 1", "2026-01-01 1", "2026-01-01T00:00:00 1",
        "2026-01-01T00:00:00+08:00 \0", "0001-01-01T00:00:00+00:00 ")),
)  # fmt: skip
HARMLESS_QUERIES = (
    "q=%00", "q=%25", "q=_", "q=%5C", "q=%ED%A0%80", "q=%FF", "q=" + "x" * 6000, "q='%3B%20DROP%20TABLE%20x--",
    "limit=", "state=", "limit=1&limit=2", "%00=%00", "&&&", "=", "?", "q7Zx", "overdue=", "cursor=", "q=%E2%80%AE",
    "__proto__=1", "q[]=1", "limit[]=1", "sort=;DROP",
)  # fmt: skip


async def test_no_query_breaks_the_list(live: httpx.AsyncClient, scene: Scene) -> None:
    await scene.order()
    headers = await scene.staff("handler")
    for query in (*QUERIES, *HARMLESS_QUERIES):
        url = httpx.URL(str(live.base_url)).copy_with(
            raw_path=f"/api/v1/work-orders?{ascii_only(query)}".encode()
        )
        answer = await live.get(url, headers=headers)
        check_refusal(answer, query)
        usual = {200} if query in HARMLESS_QUERIES else {422}
        usual |= {413} if len(query) > 4000 else {200} if query.startswith("cursor") else set()
        assert answer.status_code in usual, (
            f"{query[:60]}: {answer.status_code} {answer.text[:200]}"
        )


async def test_a_percent_sign_is_searched_for_and_not_a_wildcard(
    live: httpx.AsyncClient, scene: Scene
) -> None:
    await scene.order()
    headers = await scene.staff("handler")
    for text, found in (("%", 0), ("_", 0), ("\\", 0), ("公租房", 1), ("房%请", 0)):
        answer = await live.get("/api/v1/work-orders", params={"q": text}, headers=headers)
        assert len(answer.json()["items"]) == found, text


KEYS: dict[str, bytes] = {
    "10 kB": b"q7Zx" * 2500, "256": b"a" * 256, "empty": b"", "a tab": b"q7Zx\tq7Zx", "not ASCII": "键q7Zx".encode(),
    "Latin": b"q7Zx\xe9", "DEL": b"q7Zx\x7f", "escape": b"q7Zx\x1b",
}  # fmt: skip


async def raw(live: httpx.AsyncClient, request: bytes) -> tuple[int, bytes]:
    """What no library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", live.base_url.port)
    writer.write(request)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(), 8)
    writer.close()
    status = int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0
    return status, answer


def request_bytes(call: Call, headers: dict[bytes, bytes], body: bytes | None = None) -> bytes:
    body = json.dumps(call.body or {}).encode() if body is None else body
    head = {b"Host": b"pj.test", b"Connection": b"close", b"Content-Type": b"application/json",
            b"Content-Length": str(len(body)).encode()}  # fmt: skip
    head |= {name.encode(): value.encode() for name, value in call.headers.items()} | headers
    lines = [
        f"{call.method} {call.path} HTTP/1.1".encode(),
        *(n + b": " + v for n, v in head.items()),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.mark.parametrize("name", [name for name in POSTS if OPERATIONS[name].once])
async def test_no_idempotency_key_breaks_an_operation(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    call = await CALLS[name](scene)
    before = await stored()
    for what, key in KEYS.items():
        status, answer = await raw(live, request_bytes(call, {b"Idempotency-Key": key}))
        assert 400 <= status < 500, f"{name}: {what}: {answer[:300]!r}"
        assert MARK.encode() not in answer, f"{name}: {what}"
    assert await stored() == before


HEADERS: dict[str, dict[bytes, bytes]] = {
    "an unknown expectation": {b"Expect": b"q7Zx"},
    "a range": {b"Range": b"bytes=9-1"},
    "a range that is none": {b"Range": b"q7Zx"},
    "a host with a script": {b"Host": b"<script>q7Zx</script>"},
    "no host": {b"Host": b""},
    "an outside host": {b"Host": b"evil.example", b"X-Forwarded-Host": b"evil.example"},
    "forwarded": {
        b"Forwarded": b'for="q7Zx";host=<script>',
        b"X-Forwarded-For": b"q7Zx, ::1, 999.9.9.9",
    },
    "cookies": {b"Cookie": b"session=q7Zx; large=\xff; ;;==; a=" + b"b" * 3000},
    "accept": {b"Accept": b"q7Zx/<script>;q=NaN, */*;q=-1"},
    "language": {b"Accept-Language": b"\xff\xfe, *;q=1e999"},
    "agent": {b"User-Agent": b"\xff\xfe<script>q7Zx" + b"x" * 4000},
    "method override": {b"X-HTTP-Method-Override": b"DELETE"},
    "an etag": {b"If-None-Match": b'"q7Zx', b"If-Modified-Since": b"q7Zx"},
    "an upgrade": {b"Upgrade": b"websocket", b"Connection": b"Upgrade, close"},
    "h2c": {b"Upgrade": b"h2c", b"HTTP2-Settings": b"q7Zx", b"Connection": b"close, Upgrade"},
    "encoding": {b"Accept-Encoding": b"q7Zx;q=-1"},
    "a content encoding": {b"Content-Encoding": b"gzip"},
    "a header of 20 kB": {b"X-Long": b"q7Zx" * 5000},
    "a length that is none": {b"Content-Length": b"q7Zx"},
    "a negative length": {b"Content-Length": b"-1"},
    "both lengths": {b"Transfer-Encoding": b"chunked"},
    "an odd transfer": {b"Transfer-Encoding": b"q7Zx", b"Content-Length": b"0"},
    "a charset": {b"Content-Type": b"application/json; charset=q7Zx"},
    "a boundary": {b"Content-Type": b"multipart/form-data"},
}


@pytest.mark.parametrize(
    "name", ["submit_review", "invitation", "qr_svg", "list_orders", "issue_receipt"]
)
async def test_no_header_breaks_an_operation(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    broken = []
    for what, headers in HEADERS.items():
        call = await CALLS[name](scene)
        status, answer = await raw(live, request_bytes(call, headers))
        echoed = MARK.encode() in answer or b"evil.example" in answer
        if not 200 <= status < 500 or echoed or b": None\r\n" in answer:
            broken.append(f"{what}: {answer[:30]!r}{' echoed' if echoed else ''}")
    assert broken == []


LINES = (
    b"GET / HTTP/9.9\r\n\r\n", b"q7Zx\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"q7Zx /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nNo colon\r\nConnection: close\r\n\r\n",
)  # fmt: skip


async def test_no_request_line_breaks_the_server(live: httpx.AsyncClient) -> None:
    for line in LINES:
        status, answer = await raw(live, line)
        assert status < 500, f"{line[:60]!r}: {answer[:300]!r}"
        assert MARK.encode() not in answer, f"{line[:60]!r}: {answer[:300]!r}"
    assert (await live.get("/healthz")).status_code == 200


async def test_a_chunked_body_over_the_limit_is_413(live: httpx.AsyncClient, scene: Scene) -> None:
    call = await CALLS["submit_review"](scene)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    try:
        answer = await live.post(
            call.path, content=endless(), headers={"content-type": "application/json"}
        )
    except httpx.TransportError:
        return  # closed while we were still sending: as good an answer
    check_refusal(answer, "chunks")
    assert answer.status_code == 413


# Tokens


def forged_tokens(good: str) -> dict[str, bytes]:
    now = int(time.time())
    claims = {"iss": "haochaping", "aud": "staff", "sub": "1", "iat": now, "exp": now + 600}
    key, kid = vault().subkey("a", "token"), {"kid": "a"}

    def unsigned(header: dict[str, Any]) -> str:
        parts = (json.dumps(part).encode() for part in (header, claims))
        return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts) + "."

    return {name: token.encode() for name, token in {
        "garbage": "q7Zx", "dots": "...", "half": good[: len(good) // 2], "twice": f"{good} {good}",
        "alg none": unsigned({"alg": "none", "kid": "a"}), "alg None": unsigned({"alg": "None", "kid": "a"}),
        "another audience": jwt.encode(claims | {"aud": "agency"}, key, headers=kid),
        "expired": jwt.encode(claims | {"exp": now - 1}, key, headers=kid),
        "another key": jwt.encode(claims, b"x" * 32, headers=kid),
        "another issuer": jwt.encode(claims | {"iss": "q7Zx"}, key, headers=kid),
        "an unknown kid": jwt.encode(claims, key, headers={"kid": "q7Zx"}),
        "a kid of 10 kB": jwt.encode(claims, key, headers={"kid": "q7Zx" * 2500}),
        "a kid of 4 kB": jwt.encode(claims, key, headers={"kid": "q7Zx" * 1000}),
        "a kid that is a list": unsigned({"alg": "HS256", "kid": [["a"]]}),
        "nested deeply": base64.urlsafe_b64encode(b'{"kid":' + b"[" * 4000).decode() + ".e30.AA",
        "a member who never was": jwt.encode(claims | {"sub": "2147483000"}, key, headers=kid),
        "an endless token": jwt.encode(claims | {"exp": 10**18}, b"x" * 32, headers=kid),
    }.items()} | {"not ASCII": "令牌q7Zx".encode(), "Latin": b"q7Zx\xe9.\xe9.\xe9", "a tab": b"q7Zx\tq7Zx"}  # fmt: skip


@pytest.mark.parametrize("name", ["list_orders", "issue_receipt", "audit_receipt", "answer_order"])
async def test_no_token_but_ours_opens_a_door(
    live: httpx.AsyncClient, scene: Scene, name: str
) -> None:
    call = await CALLS[name](scene)
    good = call.headers["Authorization"].partition(" ")[2]
    before = await stored()
    forged = {what: b"Bearer " + token for what, token in forged_tokens(good).items()}
    forged |= {"empty": b"", "no token": b"Bearer", "Basic": b"Basic cTdaeDpx", "no scheme": good.encode(),
               "10 kB": b"Bearer " + b"q7Zx" * 2500, "spaces": b"   Bearer    "}  # fmt: skip
    for what, header in forged.items():
        status, answer = await raw(live, request_bytes(call, {b"Authorization": header}))
        expected = {400, 401, 413, 431} if len(header) > 8000 else {401}
        assert status in expected, f"{name}: {what}: {status} {answer[:300]!r}"
        assert MARK.encode() not in answer, f"{name}: {what}"
    assert await stored() == before


# Other people's things


async def test_what_belongs_to_others_does_not_exist(live: httpx.AsyncClient, scene: Scene) -> None:
    order, (code, taken) = await scene.order(), await scene.rated()
    receipt = await scene.city.receipt(scene.http)
    other_code = await scene.city.code(scene.http)
    system, staff = (
        await scene.city.system(scene.http, "11990100MB0000002B"),
        await scene.staff("other"),
    )
    before = await stored()
    calls = [
        ("GET", f"/api/v1/receipts/{receipt['receipt_id']}", None, system),
        ("GET", f"/api/v1/receipts/{receipt['receipt_id']}/escpos", None, system),
        ("GET", f"/api/v1/work-orders/{order['number']}", None, staff),
        ("POST", f"/api/v1/work-orders/{order['number']}/accept", {}, staff),
        ("POST", f"/api/v1/work-orders/{order['number']}/answer", {"disposition": "fixed", "text": "x"}, staff),
        ("POST", f"/api/v1/e/{other_code}/undo", {"query_code": taken["query_code"]}, {}),
        ("POST", f"/api/v1/e/{code}/undo", {"query_code": order["query_code"]}, {}),
    ]  # fmt: skip
    for method, path, body, headers in calls:
        answer = await live.request(method, path, json=body, headers=headers)
        check_refusal(answer, path)
        assert answer.status_code == 404, path
    assert await stored() == before


# Pages: whatever they have as forms


def form_routes(app: Any) -> list[str]:
    machines = ("api/", "callbacks/", "demo")
    return sorted({
        f"/{route.path}" for route in app.router.routes
        if "POST" in route.methods and not route.path.startswith(machines)
    })  # fmt: skip


FIELD_NAMES = (
    "level", "tags", "tags1", "comment", "real_name", "name", "phone", "attempt", "step", "code", "query_code",
    "username", "password", "totp", "csrf", "disposition", "text", "legal_basis", "satisfied", "receipt_id", "reason",
)  # fmt: skip
FORM_BODIES: dict[str, bytes] = {
    "empty": b"", "junk": b"q7Zx\xff\x00&&&===", "json": b'{"level":1}', "many": b"a=1&" * 12_000,
    "a long name": b"a" * 60_000, "percent": b"level=%&comment=%zz&%00=%00", "deep": b"a[b][c]=" * 3000,
    "1 MB": b"comment=" + b"x" * 2**20,
    **{f"all: {what}": urlencode(dict.fromkeys(FIELD_NAMES, text), errors="surrogatepass").encode()
       for what, text in TEXTS.items() if what != "60,000 letters"},
    **{f"level 1: {what}": urlencode(dict.fromkeys(FIELD_NAMES, text) | {"level": "1", "step": "confirm"}).encode()
       for what, text in TEXTS.items() if what != "60,000 letters"},
    "surrogates everywhere": "&".join(f"{name}=%ED%A0%80" for name in FIELD_NAMES).encode(),
    "surrogates": b"level=1&step=confirm&comment=" + quote(b"q7Zx\xed\xa0\x80").encode(),
    "not UTF-8": b"level=1&step=confirm&comment=" + quote(b"q7Zx\xff").encode(),
    "levels": b"level=1&level=5&level=%C2%B2&tags=%00&tags1=%00", "level of elsewhere": "level=५".encode(),
    "60,000 letters": b"level=1&step=confirm&comment=" + b"x" * 60_000,
}  # fmt: skip


async def test_no_form_breaks_a_page(live: httpx.AsyncClient, scene: Scene, app: Any) -> None:
    routes = form_routes(app)
    assert routes, "the pages have no form yet"
    form = {"content-type": "application/x-www-form-urlencoded"}
    for route in routes:
        for what, body in FORM_BODIES.items():
            _, taken = await _fresh_for(route, scene)
            path = re.sub(r"<[^>]+>", lambda _, taken=taken: taken, route)
            answer = await live.post(path, content=body, headers=form)
            told = f"{route}: {what}: {answer.status_code}"
            assert answer.status_code < 500, told
            assert answer.status_code == 303 or "text/html" in answer.headers["content-type"], told
            assert f"<script>alert('{MARK}')" not in answer.text, told
            assert "\r\nSet-Cookie: a=b" not in str(answer.headers.get("location", "")), told


async def test_no_answer_says_none(live: httpx.AsyncClient, scene: Scene, app: Any) -> None:
    """An answer without a body has no type; Sanic writes `content-type: None` if nobody says so."""
    drawn = (await scene.city.receipt(scene.http))["qr"]["svg"].partition("pj.test")[2]
    etag = {"If-None-Match": (await live.get(drawn)).headers["etag"]}
    form = {"content-type": "application/x-www-form-urlencoded"}
    answers = [await live.get(drawn, headers=etag), await live.get("/console")]
    for route in form_routes(app):
        path = re.sub(r"<[^>]+>", (await _fresh_for(route, scene))[1], route)
        answers.append(await live.post(path, content=b"", headers=form))
    wrong = {
        f"{answer.request.url.path}: {answer.status_code}"
        for answer in answers if "None" in answer.headers.values()
    }  # fmt: skip
    assert wrong == set()


async def _fresh_for(route: str, scene: Scene) -> tuple[str, str]:
    """A code that still may be rated, or a query code, as the route asks for; one for many is enough."""
    kind = "e" if route.startswith("/e/") else "t" if route.startswith("/t/") else "order"
    kept = scene.kept.setdefault("pages", {})
    if kind == "e":
        return kind, await scene.city.code(scene.http)
    if kind not in kept:
        made = await scene.order("accept", "answer")
        kept["t"], kept["order"] = made["query_code"], made["number"]
    return kind, kept[kind]


async def test_multipart_and_odd_types_break_no_page(
    live: httpx.AsyncClient, scene: Scene, app: Any
) -> None:
    types = (
        "multipart/form-data", "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "x" * 300,
        "application/json", "text/plain; charset=utf-7", "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=q7Zx", "", "/", "multipart/form-data; boundary=\"",
    )  # fmt: skip
    part = b'--x\r\nContent-Disposition: form-data; name="comment"; filename="q7Zx.html"\r\n\r\n\xff\x00\r\n--x--\r\n'
    for route in form_routes(app):
        path = re.sub(r"<[^>]+>", (await _fresh_for(route, scene))[1], route)
        for content_type in types:
            for body in (
                part,
                b"--x",
                b"",
                b"--x\r\nContent-Disposition: q7Zx\r\n\r\n",
                b"level=1",
            ):
                answer = await live.post(path, content=body, headers={"content-type": content_type})
                assert answer.status_code < 500, f"{route}: {content_type}: {body[:30]!r}"


# Schemathesis


def _schema(live: httpx.AsyncClient, document: dict[str, Any]) -> Any:
    """With ECMA's end of text where Python's `\\Z` stands."""
    plain = json.loads(json.dumps(document).replace("\\\\Z", "$"))
    schema = schemathesis.openapi.from_dict(plain)
    schema.config.update(base_url=str(live.base_url))
    return schema


SECONDS = 40
"""What `make test` gives to it, whatever the machine; the long run has no such limit."""


def _attack(
    live: httpx.AsyncClient,
    document: dict[str, Any],
    targets: dict[str, Call],
    budget: int,
    seconds: float,
) -> "Seen":
    """So many cases over all operations, half of them against targets that exist."""
    found = [result.ok() for result in _schema(live, document).get_all_operations()]
    seen = Seen()
    with requests.Session() as session:
        for operation in found:
            target = targets[operation.definition.raw["operationId"]]
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                share = Share(
                    cases=max(1, budget // (2 * len(found))),
                    until=time.perf_counter() + seconds / (2 * len(found)),
                )
                # Nothing is negative where there is nothing to say.
                with contextlib.suppress(Unsatisfiable, unittest.SkipTest):
                    _run(session, operation, mode, share, target, seen)
    return seen


@dataclass(frozen=True)
class Share:
    cases: int
    until: float


@dataclass
class Seen:
    """Faults are kept and told at the end: hypothesis would look for smaller ones, in vain, since
    what was taken is taken."""

    cases: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def _run(
    session: requests.Session, operation: Any, mode: GenerationMode, share: Share, target: Call,
    seen: Seen,
) -> None:  # fmt: skip
    quick = settings(
        max_examples=share.cases, deadline=None, database=None, print_blob=False,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip

    @seed(20261121)
    @quick
    @given(
        case=operation.as_strategy(generation_mode=mode), real=st.booleans(), known=st.booleans()
    )
    def run(case: Any, real: bool, known: bool) -> None:
        if time.perf_counter() > share.until:
            raise unittest.SkipTest  # the one exception that ends a run at once
        if real:
            case.path_parameters = _path_of(operation.path, target)
        response = case.call(session=session, headers=target.headers if known else None, timeout=20)
        seen.cases[operation.label] = seen.cases.get(operation.label, 0) + 1
        routed = (
            response.status_code in (400, 404, 405) and response.json()["code"] in _OF_THE_ROUTER
        )
        documented = str(response.status_code) in operation.definition.raw["responses"]
        if response.status_code >= 500 or not (documented or routed):
            told = (
                f"{response.status_code} {response.text[:200]} for {case.as_curl_command()[:600]}"
            )
            seen.faults.setdefault(f"{operation.label}: {response.status_code}", told)

    run()


def _path_of(template: str, target: Call) -> dict[str, str]:
    names = re.findall(r"\{(\w+)\}", template)
    values = re.fullmatch(re.sub(r"\{\w+\}", "([^/?]+)", template), target.path.partition("?")[0])
    assert values
    return dict(zip(names, values.groups(), strict=True))


_OF_THE_ROUTER = ("not_found", "method_not_allowed", "bad_request")
"""A path that leads to no operation, or bytes that are no HTTP: no operation's answers."""


@pytest.mark.parametrize(
    ("budget", "seconds"), [(3_000, SECONDS), pytest.param(24_000, 3600, marks=pytest.mark.long)]
)
async def test_schemathesis_finds_no_5xx_and_no_undocumented_status(
    live: httpx.AsyncClient, scene: Scene, app: Any, budget: int, seconds: float
) -> None:
    document = json.loads(json.dumps(app.ctx.openapi))
    targets = {name: await make(scene) for name, make in CALLS.items()}
    started = time.perf_counter()
    seen = await asyncio.to_thread(_attack, live, document, targets, budget, seconds)
    cases = sum(seen.cases.values())
    print(f"{cases} cases in {time.perf_counter() - started:.0f} s")
    assert seen.faults == {}
    assert len(seen.cases) == len(OPERATIONS)
    assert budget < 20_000 or cases >= 20_000
