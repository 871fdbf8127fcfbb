"""The models in floor order, the pool and its time-outs, migrations under a lock."""

import pkgutil
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.api import migrate as apply_migrations

from server import migrations
from server.kit import sql
from server.kit.lanes import Lanes
from server.settings import Settings

MODELS = [
    "server.kit.models",
    "server.catalogue.models",
    "server.people.models",
    "server.messages.models",
    "server.receipts.models",
    "server.workorders.models",
    "server.grievances.models",
    "server.reviews.models",
    "server.appeals.models",
    "server.integrity.models",
]
_MIGRATION_LOCK = (
    0x68616F63  # "haoc": two instances that start together migrate one after the other
)
COMMAND_SECONDS = 1.4
"""With the time-out of a connection together under the three seconds in which we answer 503."""


async def _keep_session(connection: asyncpg.Connection) -> None:
    """asyncpg's reset costs a round trip a statement, and no session state is kept on pooled
    connections; only one that was cut short inside a transaction must not go to the next."""
    if connection.is_in_transaction():
        connection.terminate()


def credentials(url: str) -> dict[str, Any]:
    """`postgres://user:password@host,host/name?host=/socket/dir` → what asyncpg takes."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    netloc = parts.netloc.rpartition("@")[2]
    hosts = [h for h in netloc.split(",") if h]
    host: Any = query.pop("host", None) or [h.partition(":")[0] for h in hosts] or "127.0.0.1"
    ports = [int(h.partition(":")[2] or 5432) for h in hosts]
    return {
        "host": host,
        "port": int(query.pop("port", 5432)) if isinstance(host, str) or not ports else ports,
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": parts.path.lstrip("/") or "postgres",
        "target_session_attrs": query.pop("target_session_attrs", "read-write"),
        **({"ssl": query["sslmode"]} if "sslmode" in query else {}),
    }


def config(
    url: str, *, pool_size: int = 16, command_seconds: float | None = COMMAND_SECONDS
) -> dict[str, Any]:
    """What Tortoise takes."""
    how = _connection(url, command_seconds) | {
        "minsize": min(4, pool_size),
        "maxsize": pool_size,
        "reset": _keep_session,
    }
    app = {
        "models": MODELS,
        "default_connection": "default",
        "migrations": migrations.__name__,
    }
    return {
        "connections": {
            "default": {"engine": "tortoise.backends.asyncpg", "credentials": how},
        },
        "apps": {"models": app},
        "use_tz": True,
        "timezone": "UTC",
    }


def _connection(url: str, command_seconds: float | None) -> dict[str, Any]:
    """What asyncpg takes: where, and for how long at most."""
    where = credentials(url)
    if isinstance(where["host"], list) and len(where["host"]) == 1:
        where["host"], where["port"] = where["host"][0], where["port"][0]
    return where | {
        "timeout": 1.0,
        "command_timeout": command_seconds,
        "server_settings": {
            "application_name": "haochaping",
            "statement_timeout": str(int((command_seconds or 0) * 1000)),
            "idle_in_transaction_session_timeout": "10000",
            "jit": "off",
        },
    }


async def connect(settings: Settings, *, command_seconds: float | None = COMMAND_SECONDS) -> None:
    where = config(
        settings.database_url, pool_size=settings.pool_size, command_seconds=command_seconds
    )
    await Tortoise.init(config=where, _enable_global_fallback=True)
    how = _connection(settings.database_url, command_seconds)
    sql.open_lanes(Lanes(lambda: asyncpg.connect(**how), settings.pool_size))


async def disconnect() -> None:
    await sql.close_lanes()
    await Tortoise.close_connections()


async def migrate(settings: Settings) -> None:
    """Brings the schema up to date; safe to run from several machines at once."""
    where = config(settings.database_url)["connections"]["default"]["credentials"]
    guard = await asyncpg.connect(
        **{k: where[k] for k in ("host", "port", "user", "password", "database")}
    )
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        unbounded = config(settings.database_url, pool_size=2, command_seconds=None)
        await apply_migrations(config=unbounded)
    finally:
        await Tortoise.close_connections()
        await guard.close()


async def careless_settings() -> list[str]:
    """Settings of the server with which a crash may lose what was committed."""
    rows = await sql.fetch(
        "SELECT name FROM pg_settings WHERE setting = 'off' "
        "AND name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
    )
    return [row["name"] for row in rows]


def migrations_on_disk() -> set[str]:
    return {m.name for m in pkgutil.iter_modules(migrations.__path__) if m.name[0] != "_"}


async def pending_migrations() -> set[str]:
    """Names of migrations that this database has not seen."""
    applied = await sql.fetch("SELECT name FROM tortoise_migrations WHERE app = 'models'")
    return migrations_on_disk() - {row["name"] for row in applied}
