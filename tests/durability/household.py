"""PostgreSQL, Valkey, server and worker as real processes on a real disk, to be killed at will."""

import asyncio
import base64
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
from durability.wire import Line, Silence
from factories import SMS_SECRET

from server.embedded import Child, Postgres, Valkey

KEY = b"test-key-test-key-test-key-test!"
TESTS = Path(__file__).parents[1]


class Household:
    def __init__(self, folder: Path, postgres_settings: Mapping[str, str] | None = None) -> None:
        self.postgres = Postgres(folder, settings=postgres_settings)
        self.valkey = Valkey(folder)
        self.port = _free_port()
        self.env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": self.postgres.url, "REDIS_URL": self.valkey.url, "DEMO": "0",
            "KEYS": f"a:{base64.b64encode(KEY).decode()}", "BASE_URL": "http://pj.test",
            "HOST": "127.0.0.1", "PORT": str(self.port), "VAR": str(folder),
            "SMS_CALLBACK_SECRET": SMS_SECRET,
        }  # fmt: skip
        self.server = self._command("server", "serve", folder)
        self.worker = self._command("worker", "work", folder)
        self.secrets: dict[str, str] = {}
        self.ended_alone = 0
        self._supervision: asyncio.Task[None] | None = None

    def _command(self, name: str, word: str, folder: Path) -> Child:
        argv = (sys.executable, "-m", "server", word)
        return Child(name, argv, folder / "log" / f"{name}.log", self.env)

    async def open(self) -> None:
        for child in (self.postgres, self.valkey):
            child.begin()
        for child in (self.postgres, self.valkey):
            await until(child.ready, 30)
        self.secrets = await self.errand("city")
        await self.sql("CHECKPOINT")  # the city itself is lost in no run
        for child in (self.server, self.worker):
            child.begin()
        await self.answering(30)
        self._supervision = asyncio.create_task(self._supervise())

    async def close(self) -> None:
        if self._supervision:
            self._supervision.cancel()
        for child in (self.worker, self.server, self.valkey):
            child.stop(2)
        if self.postgres.process:
            kill(family(self.postgres.process.pid))
            self.postgres.wait(2)

    async def errand(self, *words: str) -> Any:
        """Runs durability.preparation in a process of its own; gives what it prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "durability.preparation", *words,
            env=self.env, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), 310)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, f"{words} failed"
        return json.loads(out)

    async def sql(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        """Past the product, on a connection of its own."""
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def answering(self, seconds: float = 10) -> float:
        """Until the whole service answers again; gives how long that took."""
        began, line = time.monotonic(), Line(self.port)
        while not await self._is_ready(line):
            assert self._supervision or self.server.alive(), self.server.words()[-2000:]
            assert time.monotonic() < began + seconds, f"no answer within {seconds} s"
            await asyncio.sleep(0.05)
        line.hang_up()
        return time.monotonic() - began

    async def _is_ready(self, line: Line) -> bool:
        with suppress(Silence):
            return (await line.ask("GET", "/readyz", seconds=1)).status == 200
        return False

    async def _supervise(self) -> None:
        """What `up` does: whoever has ended is started again."""
        while True:
            for child in (self.server, self.worker):
                if not child.alive():
                    self.ended_alone += 1
                    child.begin()
            await asyncio.sleep(0.2)

    async def crash_postgres(self) -> None:
        """The postmaster and all its children at one moment; then started again."""
        assert self.postgres.process
        postmaster = self.postgres.process.pid
        for _ in range(2):  # a child may be born while we look
            kill(family(postmaster), signal.SIGSTOP)
        pids = family(postmaster)
        kill(pids)
        self.postgres.process.wait()
        await until(lambda: all(map(gone, pids)), 5)
        self.postgres.begin()
        await until(self.postgres.ready, 10)

    def backends(self) -> list[int]:
        """Those that serve our processes."""
        assert self.postgres.process
        children = family(self.postgres.process.pid)
        return [pid for pid in children if "[local]" in _command_line(pid)]

    async def token(self, agency: str) -> str:
        answer = await Line(self.port).ask(
            "POST", "/api/v1/token",
            {"client_id": f"c-{agency}", "client_secret": self.secrets[agency]},
        )  # fmt: skip
        return str(answer.content["access_token"])


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += family(int(child))
    return found


def kill(pids: Iterable[int], sign: signal.Signals = signal.SIGKILL) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sign)


def gone(pid: int) -> bool:
    """An orphan that nobody has reaped yet is gone too."""
    try:
        return ") Z " in Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return True


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return ""


async def until(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
