"""kill -9 of server, worker and PostgreSQL in the middle of submissions: nothing acknowledged is lost.

The same run with `synchronous_commit=off` must lose something, or the comparison proves nothing.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from durability.comparison import Findings, compare, unfinished
from durability.conftest import Founder
from durability.crowd import Crowd
from durability.household import Household
from durability.killer import PATIENCE_SECONDS, Killer
from durability.ledger import Ledger

DURABLE: Mapping[str, str] = {}
CARELESS = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_buffers": "64MB"}
"""Commits are acknowledged long before they are written."""

UNDERSTOOD = {
    "503", "IncompleteReadError", "ConnectionResetError", "ConnectionRefusedError", "BrokenPipeError",
}  # fmt: skip
"""Why a client may have to ask again: never a time-out, never a 500."""


@dataclass(frozen=True)
class Size:
    kills: int
    acknowledged: int
    errands: int
    seconds: float
    crowd: int = 24


SHORT = Size(kills=6, acknowledged=500, errands=6, seconds=120)
LONG = Size(kills=50, acknowledged=20_000, errands=30, seconds=600)


@dataclass(frozen=True)
class Outcome:
    household: Household
    ledger: Ledger
    findings: Findings
    jobs: list[int]
    silence: float
    """The longest time without an answer, in seconds."""


async def storm(household: Household, size: Size, seed: int) -> Outcome:
    """A crowd, a killer, a last kill of PostgreSQL, and the comparison."""
    ledger, killer = Ledger(), Killer(household, seed)

    def enough() -> bool:
        return killer.kills.total() >= size.kills and ledger.acknowledged >= size.acknowledged

    began = time.monotonic()
    async with asyncio.timeout(size.seconds):
        errands = asyncio.create_task(household.errand("errands", str(size.errands)))
        try:
            async with Crowd(household, ledger, size.crowd, seed):
                await killer.go_round(enough)
            jobs = await errands
        finally:
            errands.cancel()
        await killer.kill("postmaster")
        back = await household.answering(PATIENCE_SECONDS)
    stormed = time.monotonic() - began
    findings = await compare(household, ledger)
    told = (killer.told(), ledger.told(), findings.told())
    print(f"\n{stormed:.0f} s, load {os.getloadavg()[0]:.0f};", "; ".join(told))
    silence = max(back, killer.slowest_return, ledger.longest_silence)
    return Outcome(household, ledger, findings, jobs, silence)


SHORT_AND_LONG = [
    pytest.param(SHORT, 1, id="short"),
    pytest.param(SHORT, 2, id="second-seed", marks=pytest.mark.long),
    pytest.param(LONG, 3, id="long", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("size", "seed"), SHORT_AND_LONG)
async def test_what_was_acknowledged_is_there_exactly_once_after_kills(
    found: Founder, size: Size, seed: int
) -> None:
    outcome = await storm(await found(DURABLE), size, seed)
    assert outcome.findings.all() == []
    assert outcome.ledger.refused == []
    assert outcome.ledger.unequal == []
    assert set(outcome.ledger.retries) <= UNDERSTOOD
    assert outcome.silence <= 10
    waiting = await unfinished(outcome.household, outcome.jobs, 60)
    print(f"jobs {len(outcome.jobs)}, not done {len(waiting)}")
    assert waiting == set()


@pytest.mark.parametrize(("size", "seed"), SHORT_AND_LONG)
async def test_without_synchronous_commit_the_comparison_finds_what_is_lost(
    found: Founder, size: Size, seed: int
) -> None:
    outcome = await storm(await found(CARELESS), size, seed)
    assert outcome.findings.lost
