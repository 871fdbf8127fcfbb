"""The tables."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from server.bench.meter import Spent
from server.bench.script import OPERATIONS, ROWS

_TITLE = 14
HEAD = (
    f"{'operation':<{_TITLE}}{'requests':>9}{'app':>8}{'PG':>8}{'Redis':>8}{'sum':>8}"
    f"{'floor':>8}{'app':>8}{'PG':>8}{'ratio':>8}{'(from–to)':>15}{'p50':>8}{'p99':>8}"
)
WORKER_HEAD = (
    f"{'worker':<{_TITLE}}{'items':>9}{'process':>8}{'PG':>8}{'sum':>8}"
    f"{'floor':>8}{'process':>8}{'PG':>8}{'ratio':>8}{'(from–to)':>15}"
)


@dataclass
class Tally:
    """One operation on one side: every round's CPU, all latencies."""

    each: list[tuple[int, Spent]] = field(default_factory=list)
    taken: list[float] = field(default_factory=list)
    wrong: int = 0
    sample: str = ""

    def per_request(self, what: str) -> float:
        return median(getattr(spent, what) / count for count, spent in self.each)

    @property
    def requests(self) -> int:
        return sum(count for count, _ in self.each)

    @property
    def background(self) -> float:
        return sum(spent.background for _, spent in self.each)


Tallies = dict[tuple[str, str], Tally]


def ratios(app: Tally, floor: Tally) -> list[float]:
    """Round by round, what the application needed over what the floor needed."""
    return [
        (ours.total / count) / (theirs.total / other) if theirs.total else math.inf
        for (count, ours), (other, theirs) in zip(app.each, floor.each, strict=True)
    ]


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def table(tallies: Tallies) -> str:
    lines = [HEAD]
    for operation in OPERATIONS:
        taken = tallies[operation.name, "app"].taken
        costs = _costs(tallies, operation.name, ("web", "postgres", "redis", "total"))
        times = (percentile(taken, share) for share in (0.5, 0.99))
        lines.append(costs + "".join(f"{time:>8.1f}" for time in times))
    return "\n".join(lines)


def table_of_worker(tallies: Tallies, rows: Sequence[str]) -> str:
    """The costs of an item, of what answers nobody."""
    costs = (_costs(tallies, row, ("web", "postgres", "total")) for row in rows)
    return "\n".join([WORKER_HEAD, *costs])


def _costs(tallies: Tallies, name: str, columns: Sequence[str]) -> str:
    app, floor = tallies[name, "app"], tallies[name, "floor"]
    each = ratios(app, floor)
    spread = f"({min(each):.2f}–{max(each):.2f})"
    parts = [app.per_request(what) for what in columns]
    parts += [floor.per_request(what) for what in ("total", "web", "postgres")]
    numbers = "".join(f"{part:>8.3f}" for part in parts)
    return f"{name:<{_TITLE}}{app.requests:>9}{numbers}{median(each):>8.2f}{spread:>15}"


def inbound(callback: Tally, readings: Mapping[str, Tally]) -> str:
    """A citizen's reply from the callback to the stored review."""
    received = callback.per_request("total")
    sums = (f"{name} {received + t.per_request('total'):.3f}" for name, t in readings.items())
    return f"callback item and reading it, CPU-ms: {'; '.join(sums)}"


def background(tallies: Tallies) -> str:
    parts = [
        f"{side} {sum(t.background for (_, of), t in tallies.items() if of == side):.0f}"
        for side in ("app", "floor")
    ]
    return (
        "PostgreSQL's own processes (checkpointer, walwriter, autovacuum, io workers), CPU-ms in all, "
        f"not in the table: {', '.join(parts)}"
    )


def growth(first: int, level: int, before: Tallies, now: Tallies) -> list[str]:
    """The submissions of a level beside those of the first; the floor's show what the machine did."""
    lines = []
    for name in ("submit good", "submit bad"):
        told = []
        for side in ("app", "floor"):
            was, is_ = (each[name, side].per_request("total") for each in (before, now))
            told.append(f"{side} {was:.3f} → {is_:.3f} CPU-ms ({(is_ / was - 1) * 100:+.0f} %)")
        lines.append(f"{name} at {first:,} → {level:,} receipts: {', '.join(told)}")
    return lines


def steady(taken: list[float], wrong: int, rate: float) -> str:
    shares = " ".join(
        f"p{share * 100:.0f} {percentile(taken, share):.1f}" for share in (0.5, 0.95, 0.99)
    )
    return (
        f"steady {rate:g}/s (9 good : 1 bad), {len(taken)} right, {wrong} wrong; "
        f"ms from the due time: {shares} max {max(taken, default=0):.1f}"
    )


def load() -> str:
    return f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"


LEGEND = (
    "CPU-ms per request, median of the rounds: the application's process, PostgreSQL's backends, "
    "Redis, their sum; then the hand-written floor's sum and its parts; the ratio of the sums round by "
    f"round, median and range. p50 and p99 are the application's, in ms. A batch is {ROWS} receipts. "
    "The worker's work for the SMS channel is done in the bench's own process, without its queue: "
    "replies are read from one push of 50, from ten pushes of one that wait, and each alone."
)
