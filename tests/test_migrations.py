"""A city that runs already is migrated with what it holds."""

import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from server import database
from server.settings import Settings

ROOT = Path(__file__).parent.parent
NAME = "of_the_first_day"
FIRST = "models.0003_jobs"
TO_FIRST = """
import asyncio, sys
from tortoise.migrations.api import migrate
from server import database
asyncio.run(migrate(config=database.config(sys.argv[1], command_seconds=None), target=sys.argv[2]))
"""
VALUES = {"smallint": "1", "boolean": "FALSE", "character varying": "'1'", "ARRAY": "'{}'"}


async def run(*command: str, **environment: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env=os.environ | environment,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()[-2000:]


async def a_row(connection: asyncpg.Connection, table: str) -> None:
    columns = await connection.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1", table
    )
    names = ", ".join(f'"{column["column_name"]}"' for column in columns)
    values = ", ".join(VALUES[column["data_type"]] for column in columns)
    await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})")


async def test_rows_of_the_first_day_get_the_defaults_of_all_that_came_since(
    servers: Settings,
) -> None:
    admin = await asyncpg.connect(**database.credentials(servers.database_url))
    await admin.execute(f"DROP DATABASE IF EXISTS {NAME}")
    await admin.execute(f"CREATE DATABASE {NAME}")
    url = urlsplit(servers.database_url)._replace(path=f"/{NAME}").geturl()
    await run("-c", TO_FIRST, url, FIRST)
    city = await asyncpg.connect(**database.credentials(url))
    for table in ("policies", "matters"):
        await a_row(city, table)
    await run(
        "-m", "server", "migrate", DATABASE_URL=url, REDIS_URL=servers.redis_url,
        BASE_URL="http://pj.test", KEYS=f"a:{'A' * 43}=",
    )  # fmt: skip
    policy = await city.fetchrow("SELECT * FROM policies")
    assert policy is not None
    assert (policy["appeal_days"], policy["sms"], policy["sms_sign"], policy["review_days"]) == (
        5, True, "政务服务", 1,
    )  # fmt: skip
    assert await city.fetchval("SELECT questionnaire FROM matters") == ""
    await city.close()
    await admin.execute(f"DROP DATABASE {NAME}")
    await admin.close()
