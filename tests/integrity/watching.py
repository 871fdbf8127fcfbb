"""A worker that does nothing but watch, once: `python watching.py`. Prints what it traced and what it
cost its own process."""

import asyncio
import os
import time

from server import database
from server import settings as environment
from server.catalogue import service as catalogue
from server.integrity.watch import watch
from server.kit.privacy import open_vault
from server.worker import COMMAND_SECONDS


async def main() -> None:
    settings = environment.read()
    open_vault(settings.keys)
    await database.connect(settings, command_seconds=COMMAND_SECONDS)
    await catalogue.load()
    begun, before = time.perf_counter(), os.times()
    traced = await watch()
    after = os.times()
    cpu = after.user + after.system - before.user - before.system
    print(f"{traced} {time.perf_counter() - begun:.3f} {cpu:.3f}")
    await database.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
