"""Watchers as processes of their own, with a worker's patience."""

import asyncio
import base64
import os
import sys
from pathlib import Path

from server.kit import sql
from server.settings import Settings

HERE = Path(__file__).parent


async def started(servers: Settings) -> asyncio.subprocess.Process:
    (name, key) = next(iter(servers.keys.items()))
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(HERE.parent.parent),
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
        "BASE_URL": servers.base_url, "KEYS": f"{name}:{base64.b64encode(key).decode()}",
    }  # fmt: skip
    return await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "watching.py"), env=environment, cwd=HERE.parent.parent,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def ended(process: asyncio.subprocess.Process) -> str:
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def watched(servers: Settings) -> str:
    return await ended(await started(servers))


async def postgres_seconds() -> float:
    """CPU time of PostgreSQL with all its processes, those that have ended too."""
    (row,) = await sql.fetch("SELECT pg_backend_pid() AS pid")
    postmaster = int(_stat(Path(f"/proc/{row['pid']}/stat"))[1])
    ticks = sum(map(int, _stat(Path(f"/proc/{postmaster}/stat"))[11:15]))
    for file in Path("/proc").glob("[0-9]*/stat"):
        fields = _stat(file)
        if fields and int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _stat(file: Path) -> list[str]:
    try:
        return file.read_text().rpartition(")")[2].split()
    except OSError:
        return []  # it has ended meanwhile
