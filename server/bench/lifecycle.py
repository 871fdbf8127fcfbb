"""The lifecycle of a bad review, from the receipt to the confirmed answer, over databases of several sizes.

Every level has its own database and its own server; the rounds go from level to level, so that what
the machine does besides falls on all of them. The undo time is nought here: a life waits for nobody.
No worker runs: the news for the citizen is queued, and told by nobody.
"""

import asyncio
from argparse import Namespace
from dataclasses import dataclass, field
from statistics import median

from server import database
from server.bench import ground, meter, report, stock
from server.bench.ground import Ground, Web
from server.bench.lives import Lived, Lives, live
from server.bench.meter import Spent
from server.bench.script import ANSWER, BAD, Script
from server.catalogue.models import Policy
from server.kit import sql
from server.people import service as people

GOAL_RATE, GOAL_FLAT = 100, 0.20
"""Lives a second on two cores with 32 connections; how far the levels may differ."""
CONNECTIONS = 32
_COUNTED = (
    "receipts", "reviews", "work_orders", "work_order_steps", "opinions", "escalations", "alerts",
)  # fmt: skip


@dataclass
class Level:
    """One size of the database, its server, and what its rounds took."""

    rows: int
    script: Script
    web: Web
    about: str
    each: list[tuple[int, Spent]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    wrong: int = 0
    sample: str = ""

    def cpu(self, what: str) -> float:
        return median(getattr(spent, what) / count for count, spent in self.each)

    @property
    def rate(self) -> float:
        return median(self.rates)

    def note(self, lived: Lived, spent: Spent) -> None:
        self.each.append((len(lived.taken) + lived.wrong, spent))
        self.rates.append(len(lived.taken) / lived.seconds)
        self.taken += lived.taken
        self.wrong += lived.wrong
        self.sample = self.sample or lived.sample


def run(here: Ground, rows: list[int], chosen: Namespace) -> bool:
    levels = [_prepared(here, level) for level in rows]
    try:
        for level in levels:
            level.web.start()
        for number in range(chosen.rounds + 1):
            for level in levels if number % 2 else levels[::-1]:
                spent, lived = _round(here, level, chosen.requests if number else CONNECTIONS * 4)
                if number:
                    level.note(lived, spent)
    finally:
        for level in levels:
            level.web.stop()
    print(*_told(levels), sep="\n", flush=True)
    return not any(level.wrong for level in levels)


def _prepared(here: Ground, rows: int) -> Level:
    script, about = asyncio.run(_filled(here, rows))
    return Level(rows, script, here.app(rows, ground.LIVES), about)


async def _filled(here: Ground, rows: int) -> tuple[Script, str]:
    await ground.create(here, rows, ground.LIVES)
    await database.connect(here.settings(rows, ground.LIVES), command_seconds=None)
    try:
        owner = await ground.settle()
        await Policy.all().update(undo_minutes=0)
        await people.enrol_client(ground.CLIENT, ground.AGENCY, "bench")
        await stock.fill(rows, owner)
        await stock.finish()
        counts = [(await sql.fetch(f"SELECT count(*) AS n FROM {t}"))[0]["n"] for t in _COUNTED]  # noqa: S608
        return Script(owner, here.callback_secret), f"{sum(counts):,} rows in all"
    finally:
        await database.disconnect()


def _round(here: Ground, level: Level, count: int) -> tuple[Spent, Lived]:
    lives = Lives(
        port=level.web.port, receipts=[level.script.life() for _ in range(count)],
        review=BAD, answer=ANSWER, windows=level.script.windows,
        handler=level.script.handler, connections=CONNECTIONS,
    )  # fmt: skip
    before = _read(here, level.web)
    lived = live(lives)
    return before.until(_read(here, level.web)), lived


def _read(here: Ground, web: Web) -> meter.Reading:
    processes = (web.process, here.postgres.process, here.valkey.process)
    pids = (process.pid if process else 0 for process in processes)
    return meter.read(*pids)


def _told(levels: list[Level]) -> list[str]:
    lines = [
        f"\nlifecycle: receipt, bad review, accepted, answered, confirmed; {CONNECTIONS} connections; "
        f"{report.load()}",
        f"{'receipts':>12}{'lives/s':>9}{'CPU-ms':>8}{'app':>8}{'PG':>8}{'Redis':>8}{'p50':>8}{'p99':>8}",
    ]
    for level in levels:
        costs = "".join(
            f"{level.cpu(what):>8.2f}" for what in ("total", "web", "postgres", "redis")
        )
        times = "".join(f"{report.percentile(level.taken, share):>8.1f}" for share in (0.5, 0.99))
        lines.append(f"{level.rows:>12,}{level.rate:>9.1f}{costs}{times}  ({level.about})")
        if level.wrong:
            lines.append(f"  {level.wrong} WRONG lives, for example: {level.sample}")
    return [*lines, _verdict(levels)]


def _verdict(levels: list[Level]) -> str:
    rates, costs = [level.rate for level in levels], [level.cpu("total") for level in levels]
    return (
        f"largest difference: {difference(rates):.0%} in lives/s, {difference(costs):.0%} in CPU-ms "
        f"(goal: {GOAL_FLAT:.0%}); slowest {min(rates):.1f} lives/s (goal on two cores: {GOAL_RATE})"
    )


def difference(values: list[float]) -> float:
    """Of the largest from the smallest."""
    return max(values) / min(values) - 1
