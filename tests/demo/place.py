"""A demo of its own for a test: a database, a VAR, and the commands of the house on them."""

import asyncio
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pyotp

from server.database import credentials
from server.settings import Settings

ROOT = Path(__file__).parents[2]
KEYS = "a:dGVzdC1rZXktdGVzdC1rZXktdGVzdC1rZXktdGVzdCE="
CATALOGUE = ("regions", "policies", "agencies", "halls", "windows", "officers", "matters", "tags",
             "wordings")  # fmt: skip
TABLES = (*CATALOGUE, "calendar_years", "staff", "clients", "receipts", "reviews", "work_orders",
          "work_order_steps", "order_parts", "escalations", "alerts", "accountability", "flags",
          "opinions", "samples", "call_backs", "sms_phones", "questions", "sms_messages", "sms_replies",
          "beacons")  # fmt: skip
_names = itertools.count(1)


@dataclass
class Place:
    """A database and a VAR, and the commands of the house on them."""

    servers: Settings
    name: str
    var: Path
    callback_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def url(self) -> str:
        return urlunsplit(urlsplit(self.servers.database_url)._replace(path=f"/{self.name}"))

    @property
    def document(self) -> dict[str, Any]:
        return json.loads((self.var / "demo.json").read_text())  # type: ignore[no-any-return]

    def environment(self, **changed: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"], "DATABASE_URL": self.url, "KEYS": KEYS, "DEMO": "1",
            "REDIS_URL": self.servers.redis_url, "BASE_URL": "http://pj.test",
            "VAR": str(self.var), "SMS_GATEWAY": "pocket",
            "SMS_CALLBACK_SECRET": self.callback_secret,
        } | changed  # fmt: skip

    def begin(self, command: str, **changed: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "server", command], cwd=ROOT, env=self.environment(**changed),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, command: str = "seed", **changed: str) -> tuple[int, str]:
        process = self.begin(command, **changed)
        told = "".join(process.communicate(timeout=60))
        return process.returncode, told

    @asynccontextmanager
    async def open(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(**credentials(self.url))
        yield connection
        await connection.close()

    async def fetch(self, statement: str) -> list[asyncpg.Record]:
        async with self.open() as connection:
            return await connection.fetch(statement)  # type: ignore[no-any-return]

    async def everything(self, *without: str) -> dict[str, str]:
        text = "SELECT md5(coalesce(string_agg(t::text, '\n' ORDER BY t::text), '')) d FROM {} t"
        names = [name for name in TABLES if name not in without]
        return {name: (await self.fetch(text.format(name)))[0]["d"] for name in names}


async def a_place(servers: Settings, folder: Path, template: str) -> Place:
    place = Place(servers, f"demo_{next(_names)}", folder / f"var{next(_names)}")
    admin = await asyncpg.connect(**credentials(servers.database_url))
    await admin.execute(f"CREATE DATABASE {place.name} TEMPLATE {template}")
    await admin.close()
    return place


async def sign_in(http: httpx.AsyncClient, member: dict[str, Any]) -> None:
    answer = await http.post("/api/v1/staff/login", json={
        "username": member["username"], "password": member["password"],
        "totp": pyotp.TOTP(member["totp_secret"]).now(),
    })  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["role"] == member["role"]
    assert answer.json()["agency_code"] == member["agency_code"]


async def push(
    http: httpx.AsyncClient, document: dict[str, Any], client: dict[str, Any], number: int
) -> None:
    token = (
        await http.post(
            "/api/v1/token", json={k: client[k] for k in ("client_id", "client_secret")}
        )
    ).json()
    own = {
        name: next(row[key] for row in document[table] if row["agency_code"] == client["agency_code"])
        for table, key, name in (
            ("windows", "window_code", "window_code"), ("matters", "matter_code", "matter_code"),
            ("officers", "officer_number", "officer_number"),
        )
    }  # fmt: skip
    answer = await http.post(
        "/api/v1/receipts", headers={"Authorization": f"Bearer {token['access_token']}"},
        json=own | {
            "case_number": f"test-{number}", "service_number": 1, "channel": "window",
            "handled_at": datetime.now(UTC).isoformat(),
        },
    )  # fmt: skip
    assert answer.status_code == 201, answer.text


@asynccontextmanager
async def a_server(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = place.begin("serve", PORT=str(port))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
            for _ in range(100):
                try:
                    await http.get("/healthz")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            yield http
    finally:
        process.terminate()
        process.communicate(timeout=10)
