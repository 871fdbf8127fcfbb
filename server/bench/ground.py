"""Servers of the bench's own and a small city: nothing that it finds, and nothing that it leaves."""

import base64
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from server import database
from server.catalogue import service as catalogue
from server.catalogue import years
from server.catalogue.models import Agency, Hall, Matter, Officer, Policy, Region, Tag, Window
from server.embedded import Child, Postgres, Unavailable, Valkey
from server.kit.privacy import open_vault
from server.people import service as people
from server.people.rules import Role
from server.settings import Settings

REGION = "990100000000"
AGENCIES = [f"119901{number:012d}" for number in range(1, 5)]
AGENCY = AGENCIES[0]
MATTERS = [f"{9901 * 10**6 + number:031d}" for number in range(200)]
WINDOWS = [f"A{number:02d}" for number in range(20)]
OFFICER = "330100-0042"
HALL, WINDOW_NAME = "云汀市政务服务中心", "综合受理{}号窗口"
MATTER_NAME = "企业职工基本养老保险参保登记（第{}项）"
HANDLER = "handler"
CLIENT = "bench-windows"
OPERATIONS, LIVES = "operations", "lives"
"""What a database is filled for."""
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class Web(Child):
    """A process that answers HTTP on loopback."""

    def __init__(
        self,
        name: str,
        module: list[str],
        log: Path,
        port: int,
        env: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, [sys.executable, "-m", *module], log, env)
        self.port = port

    def ready(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return self.alive()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ground:
    """PostgreSQL and Valkey under a folder that goes away afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres, self.valkey = Postgres(folder), Valkey(folder)
        self.keys = {"a": secrets.token_bytes(32)}
        self.callback_secret = secrets.token_urlsafe(24)

    def __enter__(self) -> "Ground":
        try:
            self.postgres.start()
            self.valkey.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.valkey.stop()
        self.postgres.stop(20)

    def settings(self, level: int, kind: str = OPERATIONS) -> Settings:
        url = f"postgres://postgres@/{_name(level, kind)}?host={self.postgres.run}&port=5432"
        return Settings(
            database_url=url, redis_url=self.valkey.url, base_url="https://pj.example.gov.cn",
            keys=self.keys, var=self.folder,
        )  # fmt: skip

    def app(self, level: int, kind: str = OPERATIONS) -> Web:
        """`python -m server serve` as in production; what it logs goes to a file."""
        settings, port = self.settings(level, kind), free_port()
        ours = {
            "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url,
            "BASE_URL": settings.base_url, "HOST": "127.0.0.1", "PORT": str(port), "DEMO": "0",
            "KEYS": f"a:{base64.b64encode(self.keys['a']).decode()}", "VAR": str(self.folder),
            "SMS_CALLBACK_SECRET": self.callback_secret,
        }  # fmt: skip
        log = self.folder / "log" / "app.log"
        return Web("app", ["server", "serve"], log, port, {"PATH": os.environ["PATH"]} | ours)


def _name(level: int, kind: str) -> str:
    return f"{kind}_{level}"


async def create(ground: Ground, level: int, kind: str = OPERATIONS) -> str:
    """An empty, migrated database for this level, and a city in it; says what the server is."""
    connection = await asyncpg.connect(ground.postgres.dsn)
    try:
        for name in _DURABLE:
            if await connection.fetchval(f"SHOW {name}") != "on":
                raise Unavailable(f"{name} is off: what is measured has to be durable")
        version = await connection.fetchval("SHOW server_version")
        await connection.execute(f"CREATE DATABASE {_name(level, kind)}")
    finally:
        await connection.close()
    open_vault(ground.keys)
    await database.migrate(ground.settings(level, kind))
    return f"PostgreSQL {version}, {', '.join(_DURABLE)} on"


async def settle() -> int:
    """The city; gives the handler's number."""
    await Region.create(code=REGION, name="云汀市")
    # At any hour, and of the receipts that the bench issues none while it lasts.
    await Policy.create(region_code=REGION, hour_from=0, hour_to=24, invite_minutes=24 * 60)
    await Agency.bulk_create(
        [
            Agency(code=c, name=f"云汀市第{n}局", region_code=REGION)
            for n, c in enumerate(AGENCIES, 1)
        ]
    )
    await Hall.create(code="H1", name=HALL, region_code=REGION, desk_agency_code=AGENCY)
    await Window.bulk_create([
        Window(code=code, hall_code="H1", agency_code=AGENCY, name=WINDOW_NAME.format(number))
        for number, code in enumerate(WINDOWS)
    ])  # fmt: skip
    await Officer.create(number=OFFICER, agency_code=AGENCY, name="赵一")
    await Matter.bulk_create([
        Matter(code=code, name=MATTER_NAME.format(n), agency_code=AGENCIES[0 if n < 100 else n % 4])
        for n, code in enumerate(MATTERS)
    ])  # fmt: skip
    await Tag.bulk_create([
        Tag(code=f"{level}{n:02d}", level=level, text=f"第{level}等的原因{n:02d}", primary=n < 18)
        for level in range(1, 6) for n in range(13, 20)
    ])  # fmt: skip
    await years.load_shipped("bench")
    await catalogue.load()
    handler = await people.hire(
        username=HANDLER, name="李办", role=Role.HANDLER, password=secrets.token_urlsafe(16),
        totp_secret="JBSWY3DPEHPK3PXP", agency_code=AGENCY, region_code=REGION,
    )  # fmt: skip
    return int(handler.id)
