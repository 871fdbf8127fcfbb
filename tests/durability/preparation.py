"""In a process of its own, so that the tests' own connection and catalogue stay what they are:

python -m durability.preparation city | errands N
"""

import asyncio
import json
import sys

from factories import a_city

from server import database, settings
from server.kit import jobs, sql
from server.kit.failures import DOWN
from server.kit.privacy import open_vault
from server.kit.transaction import transaction
from server.settings import Settings

PATIENCE_SECONDS = 300


async def city(where: Settings) -> dict[str, str]:
    """Two agencies in an empty database; gives the secrets of their systems."""
    await database.migrate(where)
    await database.connect(where)
    built = await a_city()
    await database.disconnect()
    return built.secrets


async def errands(where: Settings, count: int) -> list[int]:
    """Jobs for the worker, one every 0.3 s; gives the ids whose commit was acknowledged."""
    ids = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        for number in range(count):
            # Of every open order now and then, else of none: there are thousands.
            year = 2026 if number % 5 == 0 else 2024
            ids.append(await _insisted(where, f"errand-{number}", year))
            await asyncio.sleep(0.3)
    return ids


async def _insisted(where: Settings, name: str, year: int) -> int:
    while True:
        try:
            await database.connect(where)
            async with transaction():
                await jobs.enqueue("redate", once_as=name, year=year)
                (row,) = await sql.fetch("SELECT id FROM pgqueuer WHERE dedupe_key = $1", name)
            return int(row["id"])
        except DOWN:
            await asyncio.sleep(0.1)
        finally:
            await database.disconnect()


async def main(what: str, *arguments: str) -> None:
    where = settings.read()
    open_vault(where.keys)
    work = city(where) if what == "city" else errands(where, int(arguments[0]))
    print(json.dumps(await work))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
