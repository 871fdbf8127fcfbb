"""随机抽取回访: a share of each day's satisfied reviews, drawn so that an auditor can draw them again.

The order of the draw is that of sha256(seed ‖ review id); the first so many are drawn. What rounding
leaves over is carried to the next day, so that a small region's share is right over the weeks."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from server.catalogue.service import catalogue
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.ids import new_id
from server.kit.transaction import transaction
from server.reviews import questions
from server.reviews.addresses import phone_for
from server.reviews.callbacks import due_of

FROM_HOUR = 8
"""The day before is drawn when its last undo time is long over, and before anybody may be written to."""
LOOK_BACK = 7
"""Days: after a longer standstill nobody is asked about what he has forgotten."""

# Who can be asked: by SMS, or when he looks into the mini-program. Facts that no later act adds to,
# so that a second draw sees no more than the first.
_FRAME = """
FROM reviews r JOIN receipts t ON t.id = r.receipt_id
WHERE r.region_code = $1 AND r.at >= $2 AND r.at < $3 AND r.state = 'standing' AND r.level >= 3
  AND r.channel NOT IN ('static_qr', 'paper') AND r.undo_until <= $4
  AND (r.contact IS NOT NULL OR r.channel = 'sms' AND t.phone_key IS NOT NULL
    OR EXISTS (SELECT 1 FROM claims c WHERE c.review_id = r.id AND NOT c.by_code))
"""
_RANK = "sha256(decode($5, 'hex') || uuid_send(r.id))"
_DAYS = """
SELECT DISTINCT r.region_code FROM reviews r WHERE r.at >= $1 AND r.at < $2
  AND NOT EXISTS (SELECT 1 FROM samples s WHERE s.region_code = r.region_code AND s.day = $3)
ORDER BY 1
"""


def share(population: int, permille: int, before: int, drawn_before: int) -> int:
    """How many of this day are drawn (pure). `before`: the sum of population × permille of the days
    before, `drawn_before`: how many were drawn of them."""
    wanted = (before + population * permille + 500) // 1000 - drawn_before
    return min(max(wanted, 0), population)


def bounds(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time(0), BEIJING)
    return start, start + timedelta(days=1)


class Draws:
    """The tick; a day that is finished is not looked at again by this worker."""

    def __init__(self) -> None:
        self._finished: set[date] = set()

    async def draw(self) -> int:
        now = clock.now()
        today = (now - timedelta(hours=FROM_HOUR)).astimezone(BEIJING).date()
        days = [today - timedelta(days=back) for back in range(LOOK_BACK, 0, -1)]
        self._finished &= set(days)
        drawn = 0
        for day in days:
            if day not in self._finished:
                drawn += await _draw_day(day)
                self._finished.add(day)
        return drawn


async def _draw_day(day: date) -> int:
    rows = await sql.fetch(_DAYS, *bounds(day), day)
    return sum([await draw(row["region_code"], day) for row in rows])


async def draw(region_code: str, day: date) -> int:
    """Of one region and day, once; the second of two workers waits for the first and finds it done."""
    now, seed = clock.now(), secrets.token_hex(32)
    permille = catalogue().policy(region_code).sample_permille
    async with transaction():
        made = await sql.fetch_one(
            "INSERT INTO samples (region_code, day, seed, permille, population, drawn, drawn_at) "
            "VALUES ($1, $2, $3, $4, 0, 0, $5) ON CONFLICT DO NOTHING RETURNING id",
            region_code, day, seed, permille, now,
        )  # fmt: skip
        if made is None:
            return 0
        population, count = await _count(region_code, day, permille, now)
        rows = await _ranked(region_code, day, seed, now, count)
        await sql.fetch(
            "UPDATE samples SET population = $2, drawn = $3 WHERE id = $1",
            made["id"], population, len(rows),
        )  # fmt: skip
        await _ask(rows, made["id"], now)
    return len(rows)


async def _count(region_code: str, day: date, permille: int, now: datetime) -> tuple[int, int]:
    """The day's population, and how many of it are to be drawn."""
    (found,) = await sql.fetch(f"SELECT count(*) {_FRAME}", region_code, *bounds(day), now)
    (before,) = await sql.fetch(
        "SELECT coalesce(sum(population * permille), 0)::bigint AS wanted, "
        "coalesce(sum(drawn), 0)::bigint AS drawn FROM samples WHERE region_code = $1 AND day < $2",
        region_code, day,
    )  # fmt: skip
    population = int(found["count"])
    return population, share(population, permille, before["wanted"], before["drawn"])


async def _ranked(
    region_code: str, day: date, seed: str, until: datetime, most: int
) -> Sequence[Record]:
    return await sql.fetch(
        f"SELECT r.*, t.agency_code, {_RANK} AS rank {_FRAME} ORDER BY rank, r.id LIMIT $6",
        region_code, *bounds(day), until, seed, most,
    )  # fmt: skip


async def _ask(drawn: Sequence[Record], sample_id: int, now: datetime) -> None:
    """By SMS where there is a phone, after the laws of every question; of the others their page asks."""
    if not drawn:
        return
    receipts = await sql.fetch(
        "SELECT * FROM receipts WHERE id = ANY($1)", [row["receipt_id"] for row in drawn]
    )
    of = {receipt["id"]: receipt for receipt in receipts}
    phones = [phone_for(row, of[row["receipt_id"]]) for row in drawn]
    due = [due_of(row["region_code"], now) for row in drawn]
    await sql.fetch(
        "INSERT INTO call_backs (id, region_code, agency_code, review_id, sample_id, kind, state, "
        "made_at, due_at) SELECT c.id, c.region_code, c.agency_code, c.review_id, $1, 'sample', "
        "c.state, $2::timestamptz, c.due_at "
        "FROM unnest($3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[])"
        " AS c(id, region_code, agency_code, review_id, state, due_at)",
        sample_id, now, [new_id() for _ in drawn], [row["region_code"] for row in drawn],
        [row["agency_code"] for row in drawn], [row["id"] for row in drawn],
        ["asked" if phone else "waiting" for phone in phones], due,
    )  # fmt: skip
    await questions.add([
        questions.New(
            receipt=of[row["receipt_id"]], phone=phone, asking="recall", review_id=row["id"],
            due_at=now, give_up_at=until,
        )
        for row, phone, until in zip(drawn, phones, due, strict=True) if phone
    ])  # fmt: skip


# Drawing again


@dataclass(frozen=True)
class Redraw:
    """A draw as it was stored, and what drawing again from its seed gives."""

    sample: Any
    drawn: list[UUID]
    """In the order of the draw."""
    left: list[UUID]
    """Of the drawn those that would not be in the population now: undone, suspended, excluded, forgotten."""
    unexplained: list[UUID]
    """What the seed says and the draw does not, or the other way round. Nothing, unless it was forged."""


async def draw_again(region_code: str, day: date) -> Redraw | None:
    sample = await sql.fetch_one(
        "SELECT * FROM samples WHERE region_code = $1 AND day = $2", region_code, day
    )
    if sample is None:
        return None
    seed, at = sample["seed"], sample["drawn_at"]
    kept = await sql.fetch(
        "SELECT r.id, sha256(decode($2, 'hex') || uuid_send(r.id)) AS rank FROM call_backs b "
        "JOIN reviews r ON r.id = b.review_id WHERE b.sample_id = $1 ORDER BY rank, r.id",
        sample["id"], seed,
    )  # fmt: skip
    now = await _ranked(region_code, day, seed, at, sample["population"])
    ranks = {row["id"]: row["rank"] for row in [*kept, *now]}
    first = sorted(ranks, key=lambda one: (ranks[one], one))[: sample["drawn"]]
    drawn = [row["id"] for row in kept]
    return Redraw(
        sample, drawn, [one for one in drawn if one not in {row["id"] for row in now}],
        sorted(set(first) ^ set(drawn)),
    )  # fmt: skip
