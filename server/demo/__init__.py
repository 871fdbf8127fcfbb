"""The demo city: `python -m server seed`."""

import os
import sys

import asyncpg

from server import database
from server.catalogue import service as catalogue
from server.catalogue.sheets import import_sheets
from server.catalogue.years import load_shipped
from server.demo import (
    accounts,
    city,
    clerks,
    contested,
    document,
    grievances,
    history,
    marks,
    tablets,
)
from server.demo.accounts import Secrets
from server.demo.marks import NotTheDemo, demo_rows_only
from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import open_vault
from server.kit.transaction import transaction
from server.settings import Settings

__all__ = ["NotTheDemo", "demo_rows_only", "seed"]
_LOCK = 0x64656D6F  # "demo": of two seeds at once the second finds the city there
COMMAND_SECONDS = 60.0
_BY = "demo"


async def seed(settings: Settings) -> int:
    """The whole city into an empty database, or nothing; into its own only what sign-in needs."""
    try:
        marks.check_surroundings(settings, os.environ)
        open_vault(settings.keys)
        await database.connect(settings, command_seconds=COMMAND_SECONDS)
        await _seed(settings)
    except NotTheDemo as refusal:
        print(f"haochaping: {refusal}", file=sys.stderr)
        return 1
    except asyncpg.UndefinedTableError:
        print("haochaping: the database has no tables yet: run `migrate` first", file=sys.stderr)
        return 1
    finally:
        await database.disconnect()
    return 0


async def _seed(settings: Settings) -> None:
    path = settings.var / accounts.FILE
    kept = Secrets.kept(path)
    if await marks.is_marked() and kept and await kept.fit():
        await demo_rows_only()
        await catalogue.load()
        document.write(settings, kept, await tablets.standing(tablets.kept(path)))
        return
    fresh = Secrets.fresh()
    passwords = await accounts.hashed(fresh)
    async with transaction():
        await sql.fetch("SET LOCAL idle_in_transaction_session_timeout = 0")
        await sql.fetch("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await demo_rows_only()
        if await marks.is_marked():
            await accounts.store(fresh, passwords)
        else:
            await _found(fresh, passwords)
        keys = await tablets.standing({})
    await catalogue.load()
    document.write(settings, fresh, keys)


async def _found(secrets: Secrets, passwords: dict[str, str]) -> None:
    """One transaction with the mark: an interrupted seed leaves nothing."""
    await import_sheets(city.sheets(), by=_BY)
    await load_shipped(_BY)
    await catalogue.load()
    await accounts.store(secrets, passwords)
    counts = await history.write() | {
        "appeals": await contested.write(clock.now()),
        "grievances": await grievances.write() + await clerks.write(),
    }
    await marks.set_mark()
    told = ", ".join(f"{number} {table.replace('_', ' ')}" for table, number in counts.items())
    print(f"haochaping: the demo city stands: {told}")
