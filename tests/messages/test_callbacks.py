"""The provider's door: stored in one statement and answered, whatever comes."""

import asyncio
import gzip
import io
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from factories import SMS_SECRET, run_sql
from httpx import AsyncClient
from messages.pushes import (
    PHONE,
    RECEIVED,
    REPORT,
    UP,
    WORDS,
    a_reply,
    as_bytes_show,
    as_json_holds,
    count,
    dump,
    heard,
    push,
)

from server.kit import metrics, sql
from server.kit.clock import clock
from server.kit.log import AllowListed
from server.kit.privacy import vault
from server.kit.web import BATCH_LIMIT
from server.messages import inbox
from server.settings import Settings


@pytest.fixture(autouse=True)
async def nothing_stored(app: object) -> AsyncIterator[None]:
    await run_sql("emptied")
    clock.advanced *= 0
    yield
    clock.advanced *= 0


@pytest.mark.parametrize(("path", "kind"), [(UP, "up"), (REPORT, "report")])
async def test_a_push_is_stored_sealed_with_its_job_and_answered_in_the_providers_words(
    http: AsyncClient, path: str, kind: str
) -> None:
    body = json.dumps([a_reply(WORDS)], ensure_ascii=False).encode()

    answer = await http.post(path, content=body)

    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    (row,) = await sql.fetch("SELECT * FROM sms_pushes")
    assert (row["kind"], row["read_at"]) == (kind, None)
    assert vault().unseal(row["body"], "push") == body
    assert abs(row["received_at"] - clock.now()) < timedelta(seconds=5)
    (job,) = await sql.fetch("SELECT entrypoint, payload, status FROM pgqueuer")
    assert tuple(job) == ("read_push", b"{}", "queued")


@pytest.mark.parametrize(
    "content_type",
    ["application/json;charset=UTF-8", "application/json; charset=GBK", "text/plain", "", "q/q",
     "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None],
)  # fmt: skip
async def test_any_content_type_is_taken(http: AsyncClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await http.post(UP, content=json.dumps([a_reply()]), headers=headers)
    assert answer.status_code == 200
    assert await inbox.read() == 1


async def test_an_empty_push_is_a_push(http: AsyncClient) -> None:
    assert await heard(http) == 0


async def test_a_key_against_repetition_is_ignored(http: AsyncClient) -> None:
    for _ in range(2):
        answer = await http.post(UP, json=[], headers={"Idempotency-Key": "same"})
        assert answer.status_code == 200
    assert (await count("sms_pushes"), await count("answered")) == (2, 0)


async def test_nobody_is_locked_out_by_a_storm(http: AsyncClient) -> None:
    answers = await asyncio.gather(*(push(http, a_reply()) for _ in range(400)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {200, 503}, "busy, at most"
    assert await count("sms_pushes") == statuses[200]
    assert (await push(http, a_reply())).status_code == 200


# Refusals


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"null", b"{}", b'{"phone_number":"13800138000"}', b'"[]"', b"[1,]", b"[1][2]",
     b"[" * 50_000, gzip.compress(b"[]", mtime=0), "[1]".encode("utf-16"), b"<xml/>", b"a=1&b=2", b"[q]"],
)  # fmt: skip
@pytest.mark.parametrize("path", [UP, REPORT])
async def test_what_is_no_json_array_is_refused(http: AsyncClient, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_array")
    assert PHONE not in answer.text
    assert (await count("sms_pushes"), await count("pgqueuer")) == (0, 0)


async def test_two_mebibytes_are_taken_and_one_byte_more_is_not(http: AsyncClient) -> None:
    longest = b"[" + b" " * (BATCH_LIMIT - 2) + b"]"
    assert (await http.post(UP, content=longest)).status_code == 200
    answer = await http.post(UP, content=longest + b" ")
    assert answer.status_code == 413
    assert await count("sms_pushes") == 1


WRONG = (
    "x", "None", "null", SMS_SECRET[:-1], SMS_SECRET + "x", SMS_SECRET.upper(), "%00", "%FF",
    "密" * 24, f"{SMS_SECRET}%20", "..;", "a" * 3000, f"%{ord(SMS_SECRET[0]):x}{SMS_SECRET[1:]}%0a",
)  # fmt: skip


@pytest.mark.parametrize("secret", WRONG)
async def test_a_wrong_secret_looks_like_any_unknown_address(
    http: AsyncClient, secret: str
) -> None:
    unknown = await push(http, a_reply(), path=f"/callbacks/nothing/{secret}/up")
    for kind in ("up", "report"):
        answer = await push(http, a_reply(), path=f"/callbacks/sms/{secret}/{kind}")
        assert answer.status_code == 404
        assert without_its_number(answer.json()) == without_its_number(unknown.json())
        assert answer.headers.keys() == unknown.headers.keys()
    assert await count("sms_pushes") == 0


def without_its_number(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "instance"}


@pytest.fixture
def no_secret(app: Any, servers: Settings) -> Iterator[None]:
    app.ctx.settings = replace(servers, sms_callback_secret=None)
    yield
    app.ctx.settings = servers


@pytest.mark.usefixtures("no_secret")
async def test_without_a_secret_in_the_settings_there_is_no_door(http: AsyncClient) -> None:
    for secret in (*WRONG, SMS_SECRET, ""):
        answer = await push(http, a_reply(), path=f"/callbacks/sms/{secret}/up")
        assert answer.status_code == 404, secret


async def test_only_posts_are_taken(http: AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert (await http.request(method, UP)).status_code == 405


@asynccontextmanager
async def pushes_locked(servers: Settings) -> AsyncIterator[None]:
    holder = await asyncpg.connect(servers.database_url)
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE sms_pushes IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await holder.close()


async def test_what_could_not_be_stored_is_503_and_the_retry_is_kept_once(
    http: AsyncClient, servers: Settings
) -> None:
    reply = a_reply()
    async with pushes_locked(servers):
        began = time.monotonic()
        answer = await push(http, reply)
        assert time.monotonic() - began < 3
        assert answer.status_code == 503
    await asyncio.sleep(0.2)
    assert await count("sms_pushes") == 0

    clock.advanced += timedelta(minutes=1)
    assert await heard(http, reply) == 1
    clock.advanced += timedelta(minutes=5)
    assert await heard(http, reply) == 0


async def test_a_push_that_was_begun_is_stored_although_the_provider_has_hung_up(
    http: AsyncClient, servers: Settings
) -> None:
    async with pushes_locked(servers):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(push(http, a_reply()), 0.3)
    async with asyncio.timeout(2):
        while not await inbox.read():
            await asyncio.sleep(0.02)


# Hostile bodies: never a 5xx, and nothing in them is lost


def item(text: str) -> bytes:
    """Put together by hand: no library writes it like this."""
    return json.dumps(a_reply("@")).replace('"@"', text).encode()


HOSTILE: dict[str, tuple[bytes, int]] = {
    "a raw NUL": (b"[" + item('"a\0b"') + b"]", 1),
    "an escaped NUL": (b"[" + item(r'"1\u0000"') + b"]", 1),
    "lone surrogates": (b"[" + item(r'"\ud800 1 \udc00"') + b"]", 1),
    "a raw line feed": (b"[" + item('"1\n2"') + b"]", 1),
    "invalid UTF-8": (b"[" + item('"@"').replace(b"@", b"\xff\xfe\xed\xa0\x80") + b"]", 1),
    "GB18030": (b"[" + item('"@"').replace(b"@", "不满意".encode("gb18030")) + b"]", 1),
    "nested deeply": (b"[" + item('"1"') + b"," + b"[" * 9000 + b"]" * 9000 + b"]", 2),
    "objects nested deeply": (b"[" + item('{"a":' * 9000 + "1" + "}" * 9000) + b"]", 1),
    "only brackets": (b"[" * 100_000 + b"]" * 100_000, 1),
    "a huge number": (b"[" + item("9" * 100_000) + b"]", 1),
    "a huge exponent": (b"[" + item("1e999999999") + b", -1e-999999999]", 2),
    "NaN": (b"[" + item("NaN") + b",Infinity]", 2),
    "no objects": (b'[1,"x",null,true,[],{},[[]]]', 7),
    "a long text": (b"[" + item(f'"{"x" * 2**20}"') + b"]", 1),
    "a double key": (b'[{"content":"1","content":"5"}]', 1),
    "a BOM": (b"\xef\xbb\xbf[" + item('"1"') + b"]", 1),
    "10,000 items": (json.dumps([a_reply(str(n)) for n in range(10_000)]).encode(), 10_000),
    "10,000 malformed": (json.dumps([{"content": n} for n in range(10_000)]).encode(), 10_000),
    "formats": (json.dumps([a_reply("%s'; DROP TABLE sms_replies;--\\")]).encode(), 1),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_push_is_stored_and_every_item_is_kept_or_set_aside(
    http: AsyncClient, what: str
) -> None:
    body, items = HOSTILE[what]
    answer = await http.post(UP, content=body)
    assert answer.status_code == 200, answer.text[:200]
    await inbox.read()
    assert await count("sms_replies") + await count("sms_set_aside") == items
    (row,) = await sql.fetch("SELECT read_at, body FROM sms_pushes")
    assert row["read_at"] and vault().unseal(row["body"], "push") == body


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_report_breaks_nothing(http: AsyncClient, what: str) -> None:
    answer = await http.post(REPORT, content=HOSTILE[what][0])
    assert answer.status_code == 200, answer.text[:200]
    await inbox.read()
    assert await count("sms_pushes WHERE read_at IS NULL") == 0


# Personal data


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that the process would have logged, in the form in which it does."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(AllowListed())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


async def test_no_phone_no_word_and_no_secret_leaves_the_vault(
    http: AsyncClient, servers: Settings, log: io.StringIO
) -> None:
    text = "我叫王小明，电话见上"
    malformed = a_reply(text, send_time="昨天")
    answers = [
        await push(http, a_reply(text), malformed),
        await http.post(UP, content=json.dumps(a_reply(text))),
        await push(http, a_reply(text), path=f"/callbacks/sms/{SMS_SECRET}x/up"),
        await push(http, {"phone_number": PHONE, "success": True, "biz_id": "1"}, path=REPORT),
        await http.get(UP),
    ]
    async with pushes_locked(servers):
        answers.append(await push(http, a_reply(text)))
    assert [a.status_code for a in answers] == [200, 400, 404, 200, 405, 503]
    await inbox.read()
    assert (await count("sms_replies"), await count("sms_set_aside")) == (1, 1)

    said = [log.getvalue(), metrics.exposition().decode(), *(answer.text for answer in answers)]
    stored = await dump()
    assert "request" in log.getvalue() and "138****8000" in stored
    for private in (PHONE, text, "王小明", "昨天", SMS_SECRET):
        for shown in (private, as_json_holds(private), as_bytes_show(private)):
            assert all(shown not in where for where in (*said, stored)), private
