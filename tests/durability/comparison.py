"""What was acknowledged against what is there, read past the product and through it."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
from durability.crowd import repeat
from durability.household import Household
from durability.ledger import Ledger, Pushed, Taken
from durability.wire import Line

READERS = 12
REPEATED = 200
HALVES = {
    "standing bad review without its order": """
        SELECT r.id FROM reviews r LEFT JOIN work_orders w ON w.number = r.order_number
          AND w.origin = 'review' AND w.origin_key = r.id AND w.level = r.level AND w.tags = r.tags
        WHERE r.level <= 2 AND r.state = 'standing' AND w.number IS NULL""",
    "order without its review": """
        SELECT w.number FROM work_orders w
        LEFT JOIN reviews r ON r.id = w.origin_key AND r.order_number = w.number WHERE r.id IS NULL""",
    "good review with an order": "SELECT id FROM reviews WHERE level > 2 AND order_number IS NOT NULL",
    "order without exactly one first step": """
        SELECT w.number FROM work_orders w LEFT JOIN work_order_steps s ON s.order_id = w.number
        GROUP BY 1 HAVING count(s.id) <> 1 OR min(s.move) <> 'open'""",
    "step without its order": """
        SELECT s.id FROM work_order_steps s LEFT JOIN work_orders w ON w.number = s.order_id
        WHERE w.number IS NULL""",
}
DOUBLES = {
    "two orders of one review": "SELECT origin_key FROM work_orders GROUP BY 1 HAVING count(*) > 1",
    "two standing reviews of one receipt": """
        SELECT receipt_id FROM reviews WHERE state = 'standing' GROUP BY 1 HAVING count(*) > 1""",
    "two receipts of one service": """
        SELECT case_number FROM receipts GROUP BY agency_code, case_number, service_number
        HAVING count(*) > 1""",
}


@dataclass
class Findings:
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    found_again: int = 0
    """Reviews whose commit was older than the request that was answered: the key found them."""

    def all(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.different, *self.halves]

    def told(self) -> str:
        return (
            f"lost {len(self.lost)}, doubled {len(self.doubled)}, different {len(self.different)}, "
            f"halves {len(self.halves)}, found again by their key {self.found_again}"
        )


async def compare(household: Household, ledger: Ledger) -> Findings:
    findings = Findings()
    _compare_receipts(findings, await household.sql("SELECT * FROM receipts"), ledger.receipts)
    _compare_reviews(findings, await household.sql("SELECT * FROM reviews"), ledger.reviews)
    for told, statements in ((findings.halves, HALVES), (findings.doubled, DOUBLES)):
        for name, statement in statements.items():
            told += [f"{name}: {row[0]}" for row in await household.sql(statement)]
    await _ask_the_service(household, findings, ledger)
    return findings


def _compare_receipts(
    findings: Findings, rows: Sequence[asyncpg.Record], pushed: Sequence[Pushed]
) -> None:
    found = {(r["agency_code"], r["case_number"], r["service_number"]): r for r in rows}
    for one in pushed:
        row = found.get((one.agency, one.form["case_number"], one.form["service_number"]))
        if row is None:
            findings.lost.append(f"receipt {one.receipt_id}")
        elif _told(row) != _pushed(one):
            findings.different.append(f"receipt {one.receipt_id}: {_told(row)}")


_RECEIPT = ("matter_code", "window_code", "officer_number", "stage", "channel")


def _told(row: asyncpg.Record) -> list[Any]:
    return [row["id"], row["handled_at"], *(row[name] for name in _RECEIPT)]


def _pushed(one: Pushed) -> list[Any]:
    handled_at = datetime.fromisoformat(one.form["handled_at"])
    return [one.receipt_id, handled_at, *(one.form[name] for name in _RECEIPT)]


def _compare_reviews(
    findings: Findings, rows: Sequence[asyncpg.Record], taken: Sequence[Taken]
) -> None:
    found: dict[int, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        found[row["receipt_id"]].append(row)
    for one in taken:
        standing = found[one.receipt_id]
        if not standing:
            findings.lost.append(f"review {one.answer}")
        elif len(standing) > 1:
            findings.doubled.append(f"reviews of receipt {one.receipt_id}")
        elif not _says(standing[0], one):
            findings.different.append(f"review {one.answer}: {dict(standing[0])}")
        else:
            findings.found_again += standing[0]["at"].timestamp() < one.asked_at


def _says(row: Any, one: Taken) -> bool:
    same = all(row[name] == one.form[name] for name in ("level", "tags", "comment"))
    return same and row["order_number"] == one.order and bool(one.order) == (row["level"] <= 2)


async def _ask_the_service(household: Household, findings: Findings, ledger: Ledger) -> None:
    """Every query code finds its review; a repeated request still has its first answer."""
    waiting = iter(ledger.reviews)

    async def reader() -> None:
        line = Line(household.port)
        for one in waiting:
            answer = await line.ask("GET", f"/api/v1/track/{one.answer['query_code']}")
            if answer.status != 200:
                findings.lost.append(f"query code {one.answer['query_code']}: {answer.status}")
            elif not _tracks(answer.content, one):
                findings.different.append(f"track {answer.content} of {one.answer}")
        line.hang_up()

    await asyncio.gather(*(reader() for _ in range(READERS)))
    line = Line(household.port)
    for one in ledger.reviews[:: max(1, len(ledger.reviews) // REPEATED)]:
        await repeat(ledger, line, one)
    line.hang_up()


def _tracks(content: dict[str, Any], one: Taken) -> bool:
    order = content["work_order"]
    row = content["review"] | {"order_number": order["number"] if order else None}
    return _says(row, one) and (order is None or len(order["steps"]) == 1)


async def unfinished(household: Household, ids: Sequence[int], seconds: float) -> set[int]:
    """The jobs that the worker has not done after so many seconds."""
    waiting = set(ids)
    for _ in range(int(seconds * 2)):
        rows = await household.sql(
            "SELECT job_id FROM pgqueuer_log WHERE status = 'successful' AND job_id = ANY($1)", ids
        )
        waiting -= {row["job_id"] for row in rows}
        if not waiting:
            break
        await asyncio.sleep(0.5)
    if waiting:
        for row in await household.sql("SELECT * FROM pgqueuer WHERE id = ANY($1)", list(waiting)):
            print(dict(row))
    return waiting
