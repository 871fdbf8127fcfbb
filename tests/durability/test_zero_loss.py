"""kill -9 of server, worker and PostgreSQL in the middle of submissions: nothing acknowledged is lost.

The same run with `synchronous_commit=off` must lose something, or the comparison proves nothing.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from durability.comparison import Findings, compare, unfinished
from durability.conftest import Founder
from durability.crowd import Crowd
from durability.household import Household
from durability.killer import Killer
from durability.ledger import Ledger

DURABLE: Mapping[str, str] = {}
CARELESS = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_buffers": "64MB"}
"""Commits are acknowledged long before they are written."""


@dataclass(frozen=True)
class Size:
    kills: int
    acknowledged: int
    errands: int
    seconds: float
    crowd: int = 24


SHORT = Size(kills=6, acknowledged=500, errands=6, seconds=60)
LONG = Size(kills=50, acknowledged=20_000, errands=30, seconds=900)


async def storm(household: Household, size: Size, seed: int) -> tuple[Ledger, Findings]:
    """A crowd, a killer, a last kill of PostgreSQL, and the comparison."""
    ledger, killer = Ledger(), Killer(household, seed)

    def enough() -> bool:
        return killer.kills.total() >= size.kills and ledger.acknowledged >= size.acknowledged

    began = time.monotonic()
    async with asyncio.timeout(size.seconds):
        errands = asyncio.create_task(household.errand("errands", str(size.errands)))
        async with Crowd(household, ledger, size.crowd, seed):
            await killer.go_round(enough)
        jobs = await errands
        await killer.kill("postmaster")
        back = await household.answering(10)
    stormed = time.monotonic() - began
    findings = await compare(household, ledger)
    waiting = await unfinished(household, jobs, 45)
    findings.lost += [f"job {job}" for job in waiting]
    tell(household, ledger, killer, findings, stormed)
    assert max(back, killer.slowest_return, ledger.longest_silence) < 10
    return ledger, findings


def tell(
    household: Household, ledger: Ledger, killer: Killer, findings: Findings, seconds: float
) -> None:
    """Figures to be quoted."""
    print(
        f"\n{seconds:.0f} s, kills {dict(killer.kills)}, processes that ended by themselves "
        f"{household.ended_alone}; acknowledged {len(ledger.receipts)} receipts and "
        f"{len(ledger.reviews)} reviews ({sum(one.order is not None for one in ledger.reviews)} bad); "
        f"retries {dict(ledger.retries)}, answered only by repetition {findings.found_again}, "
        f"repeated {ledger.repeated}; longest silence {ledger.longest_silence:.1f} s, "
        f"slowest return {killer.slowest_return:.1f} s; lost {len(findings.lost)}, doubled "
        f"{len(findings.doubled)}, different {len(findings.different)}, halves {len(findings.halves)}, "
        f"refused {len(ledger.refused)}, unequal {len(ledger.unequal)}"
    )


SIZES = [pytest.param(SHORT, id="short"), pytest.param(LONG, id="long", marks=pytest.mark.long)]


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_acknowledged_is_there_exactly_once_after_kills(
    found: Founder, size: Size
) -> None:
    ledger, findings = await storm(await found(DURABLE), size, seed=1)
    assert findings.all() == []
    assert ledger.refused == []
    assert ledger.unequal == []
    assert set(ledger.retries) <= {"503", "IncompleteReadError", "ConnectionResetError", "ConnectionRefusedError", "BrokenPipeError"}


@pytest.mark.parametrize("size", SIZES)
async def test_without_synchronous_commit_the_comparison_finds_what_is_lost(
    found: Founder, size: Size
) -> None:
    _, findings = await storm(await found(CARELESS), size, seed=2)
    assert [lost for lost in findings.lost if lost.startswith(("receipt", "review"))]
