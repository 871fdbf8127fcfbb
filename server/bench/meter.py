"""CPU seconds of process trees, from /proc."""

import os
import time
from collections.abc import Awaitable
from dataclasses import astuple, dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """CPU milliseconds between two readings."""

    web: float
    postgres: float
    """Of the backends that serve clients."""
    redis: float
    background: float
    """PostgreSQL's own processes: checkpointer, walwriter, autovacuum, io workers."""

    @property
    def total(self) -> float:
        return self.web + self.postgres + self.redis

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            *(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True))
        )


@dataclass(frozen=True)
class Reading:
    web: float
    redis: float
    backends: dict[int, float]
    background: dict[int, float]
    reaped: float
    """Of PostgreSQL's processes that have ended."""

    def until(self, later: "Reading") -> Spent:
        backends = _grown(self.backends, later.backends)
        background = _grown(self.background, later.background)
        reaped = later.reaped - self.reaped
        # The postmaster knows only the sum of what ended: a client's backend, if one is gone.
        if self.backends.keys() - later.backends.keys():
            backends += reaped - sum(
                seconds for pid, seconds in self.backends.items() if pid not in later.backends
            )
        else:
            background += max(0.0, reaped)
        return Spent(
            (later.web - self.web) * 1000, backends * 1000, (later.redis - self.redis) * 1000,
            background * 1000,
        )  # fmt: skip


def _grown(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def read(web: int, postmaster: int, redis: int) -> Reading:
    return Reading(_tree(web), _tree(redis), *_postgres(postmaster))


async def measured(work: Awaitable[None], postmaster: int) -> Spent:
    """By this process, without those that it started, and by the database."""
    before, started = _postgres(postmaster), time.process_time()
    await work
    spent = time.process_time() - started
    return Reading(0.0, 0.0, *before).until(Reading(spent, 0.0, *_postgres(postmaster)))


def _postgres(postmaster: int) -> tuple[dict[int, float], dict[int, float], float]:
    backends: dict[int, float] = {}
    background = {postmaster: _own(postmaster)}
    for pid in _children(postmaster):
        title = _text(f"/proc/{pid}/cmdline")
        (backends if "[local]" in title else background)[pid] = _own(pid)
    return backends, background, _reaped(postmaster)


def _tree(pid: int) -> float:
    return _own(pid) + _reaped(pid) + sum(_tree(child) for child in _children(pid))


def _own(pid: int) -> float:
    """Of its living threads, to the nanosecond where the kernel counts so."""
    nanoseconds = [
        _text(str(path)).split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")
    ]
    if nanoseconds:
        return sum(int(fields[0]) for fields in nanoseconds if fields) / 1e9
    return sum(int(field) for field in _stat(pid)[11:13]) / _TICK


def _reaped(pid: int) -> float:
    return sum(int(field) for field in _stat(pid)[13:15]) / _TICK


def _stat(pid: int) -> list[str]:
    return _text(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in _text(str(task)).split()]


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
