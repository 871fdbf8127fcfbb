"""What the provider pushes to us, and the job that reads it."""

import itertools
import json
from datetime import timedelta
from typing import Any

from factories import SMS_SECRET
from httpx import AsyncClient, Response

from server.kit import sql
from server.kit.clock import clock
from server.messages import inbox

UP, REPORT = f"/callbacks/sms/{SMS_SECRET}/up", f"/callbacks/sms/{SMS_SECRET}/report"
PHONE, WORDS = "13800138000", "排队两个小时"
RECEIVED = {"code": 0, "msg": "接收成功"}
_ids = itertools.count(7_000_000_000)


def a_reply(text: str = "1", phone: str = PHONE, **changed: Any) -> dict[str, Any]:
    return {
        "phone_number": phone, "content": text, "send_time": provider_time(),
        "dest_code": "10690000", "sequence_id": str(next(_ids)), **changed,
    }  # fmt: skip


def provider_time(*, ago: timedelta = timedelta()) -> str:
    return f"{clock.now() - ago:%Y-%m-%d %H:%M:%S}"


async def push(http: AsyncClient, *items: Any, path: str = UP) -> Response:
    return await http.post(path, json=list(items))


async def unread() -> list[int]:
    rows = await sql.fetch("SELECT id FROM sms_pushes WHERE read_at IS NULL ORDER BY id")
    return [row["id"] for row in rows]


async def heard(http: AsyncClient, *items: Any, path: str = UP) -> int:
    """Pushed and read; gives how much of it was news."""
    answer = await push(http, *items, path=path)
    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    return await inbox.read()


async def count(table: str) -> int:
    (row,) = await sql.fetch(f"SELECT count(*) FROM {table}")
    return int(row[0])


async def dump() -> str:
    """Every row of every table as text, and what looks like bytes also as the text that it is."""
    tables = await sql.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows = [
        row[0]
        for table in tables
        for row in await sql.fetch(f'SELECT to_jsonb(t)::text FROM "{table["tablename"]}" t')
    ]
    return "\n".join(rows)


def as_bytes_show(text: str) -> str:
    """How PostgreSQL writes a bytea that holds it."""
    return text.encode().hex()


def as_json_holds(text: str) -> str:
    return json.dumps(text)[1:-1]
