"""The queue of suspicions: where every one is written, and who reads them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.catalogue.service import catalogue
from server.integrity.models import Look, Suspicion
from server.integrity.rules import UNDECIDED, Rule, SuspicionState
from server.kit import sql
from server.kit.clock import clock
from server.kit.errors import Missing
from server.kit.transaction import transaction
from server.people.service import Member
from server.workorders import alerts
from server.workorders.opening import working

ALERT = "suspicion"
GROUP = 20
"""Of the others of its group so many are shown."""


class UnknownSuspicion(Missing):
    code = "unknown_suspicion"
    title = "没有这条核查"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule has found about one receipt, and its review if it has one."""

    rule: Rule
    region_code: str
    agency_code: str
    window_code: str | None
    receipt_id: int
    review_id: UUID | None
    evidence: Mapping[str, object]
    """Counts, seconds and thresholds; see `findings` for what is told of them."""

    @classmethod
    def of(
        cls, receipt: Any, rule: Rule, review_id: UUID | None, evidence: Mapping[str, object]
    ) -> "Finding":
        """What a citizen tells us about his own slip."""
        return cls(
            rule=rule, region_code=receipt["region_code"], agency_code=receipt["agency_code"],
            window_code=receipt["window_code"], receipt_id=receipt["id"], review_id=review_id,
            evidence=evidence,
        )  # fmt: skip


_SUSPECTED = """
INSERT INTO suspicions (region_code, agency_code, window_code, receipt_id, review_id, rule, evidence,
  at, due_at)
SELECT f.region_code, f.agency_code, f.window_code, f.receipt_id, f.review_id, f.rule, f.evidence, $9,
  f.due_at
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::text[],
  $8::timestamptz[]) AS f(region_code, agency_code, window_code, receipt_id, review_id, rule, evidence,
    due_at)
ON CONFLICT DO NOTHING RETURNING id
"""


async def suspect(findings: Sequence[Finding], now: datetime) -> list[int]:
    """The one place where suspicions are written. What the same rule has said of the same review once,
    it does not say again, even if it was cleared. In the caller's transaction, if there is one."""
    if not findings:
        return []
    rows = await sql.fetch(
        _SUSPECTED, [f.region_code for f in findings], [f.agency_code for f in findings],
        [f.window_code for f in findings], [f.receipt_id for f in findings],
        [f.review_id for f in findings], [str(f.rule) for f in findings],
        [json.dumps(f.evidence, ensure_ascii=False) for f in findings],
        [_due(f.region_code, now) for f in findings], now,
    )  # fmt: skip
    return [row["id"] for row in rows]


def _due(region_code: str, now: datetime) -> datetime:
    return working(now, catalogue().policy(region_code).supervise_days).at


# Reading


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which of them; without a state those that nobody has decided on yet."""

    state: SuspicionState | None = None
    rule: Rule | None = None
    agency_code: str = ""

    @property
    def decided(self) -> bool:
        return self.state is not None and self.state not in UNDECIDED


def _regions(member: Member) -> list[str]:
    return sorted(catalogue().within(member.region_code))


async def listed(
    member: Member, wanted: Wanted, *, after: tuple[datetime, int] | None = None, limit: int = 50
) -> list[Suspicion]:
    """Undecided ones by their due time, so overdue ones on top; decided ones newest first. `after` is
    the due time (or that of the decision) and id of the last one."""
    where, values = _condition(member, wanted)
    if after:
        values += after
        later = "<" if wanted.decided else ">"
        place = f"(${len(values) - 1}::timestamptz, ${len(values)}::bigint)"
        where += f" AND ({_order(wanted)}) {later} {place}"
    down = " DESC" if wanted.decided else ""
    order = ", ".join(f"{column}{down}" for column in _order(wanted).split(", "))
    rows = await sql.fetch(
        f"SELECT * FROM suspicions WHERE {where} ORDER BY {order} LIMIT {int(limit)}",  # noqa: S608
        *values,
    )
    return [Suspicion._init_from_db(**dict(row)) for row in rows]


def _order(wanted: Wanted) -> str:
    return "decided_at, id" if wanted.decided else "due_at, id"


def moment_of(suspicion: Suspicion, wanted: Wanted) -> datetime:
    """By which the list goes on behind it."""
    return (suspicion.decided_at if wanted.decided else None) or suspicion.due_at


def _condition(member: Member, wanted: Wanted) -> tuple[str, list[Any]]:
    states = [wanted.state] if wanted.state else sorted(UNDECIDED)
    values: list[Any] = [_regions(member), [str(state) for state in states]]
    where = "region_code = ANY($1::text[]) AND state = ANY($2::text[])"
    for column, value in (("rule", wanted.rule), ("agency_code", wanted.agency_code)):
        if value:
            values.append(str(value))
            where += f" AND {column} = ${len(values)}"
    return where, values


async def counts(member: Member) -> dict[SuspicionState, int]:
    rows = await sql.fetch(
        "SELECT state, count(*) FROM suspicions WHERE region_code = ANY($1::text[]) GROUP BY 1",
        _regions(member),
    )
    found = {row["state"]: row["count"] for row in rows}
    return {state: found.get(state, 0) for state in SuspicionState}


async def waiting(member: Member) -> int:
    """How many nobody has decided on yet."""
    rows = await sql.fetch(
        "SELECT count(*) FROM suspicions WHERE region_code = ANY($1::text[]) "
        "AND state IN ('open', 'proposed')",
        _regions(member),
    )
    return int(rows[0]["count"])


async def agencies(member: Member) -> list[str]:
    """Those about which there is anything."""
    rows = await sql.fetch(
        "SELECT DISTINCT agency_code FROM suspicions WHERE region_code = ANY($1::text[]) ORDER BY 1",
        _regions(member),
    )
    return [row["agency_code"] for row in rows]


async def find(member: Member, suspicion_id: int) -> Suspicion:
    """Another region's does not exist."""
    found = await Suspicion.get_or_none(id=suspicion_id, region_code__in=_regions(member))
    if found is None:
        raise UnknownSuspicion
    return found


async def looks(suspicion: Suspicion) -> list[Look]:
    return await Look.filter(suspicion_id=suspicion.id).order_by("id")


async def about_same(suspicion: Suspicion) -> list[Suspicion]:
    """Whatever else is suspected of the same receipt."""
    same = Suspicion.filter(receipt_id=suspicion.receipt_id).exclude(id=suspicion.id)
    return await same.order_by("id")


async def of_same_group(suspicion: Suspicion) -> tuple[int, list[Suspicion]]:
    """What the same rule says of the same window (or of the agency, without one) in the days that the
    rules look back: how many, and the nearest in time."""
    days = timedelta(days=catalogue().policy(suspicion.region_code).same_days)
    rows = await sql.fetch(
        "SELECT *, count(*) OVER () AS many FROM suspicions WHERE agency_code = $1 AND rule = $2 "
        "AND window_code IS NOT DISTINCT FROM $3 AND at BETWEEN $4 AND $5 AND receipt_id <> $6 "
        "ORDER BY abs(id - $7::bigint), id LIMIT $8",
        suspicion.agency_code, suspicion.rule, suspicion.window_code, suspicion.at - days,
        suspicion.at + days, suspicion.receipt_id, suspicion.id, GROUP,
    )  # fmt: skip
    found = [
        Suspicion._init_from_db(**{k: v for k, v in row.items() if k != "many"}) for row in rows
    ]
    return (rows[0]["many"] if rows else 0), found


# The system


_DUE = """
UPDATE suspicions SET overdue_at = $1 WHERE id IN (
  SELECT id FROM suspicions WHERE due_at < $1 AND decided_at IS NULL AND overdue_at IS NULL
  ORDER BY due_at LIMIT 1000 FOR UPDATE SKIP LOCKED)
RETURNING region_code
"""


async def warn() -> int:
    """Supervisors hear once of each that nobody has decided on in time; gives how many those were."""
    now = clock.now()
    async with transaction():
        found = [row["region_code"] for row in await sql.fetch(_DUE, now)]
        for region_code in sorted(set(found)):
            words = f"有 {found.count(region_code)} 条可疑评价的核查已经到期，请到“核查”里处理"
            await alerts.tell(await alerts.supervisors(region_code), ALERT, words, now)
    return len(found)
