# ruff: noqa: E501
"""Puts an invented town into the database in a few statements, and reads what the watch made of it."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from factories import REGION
from integrity.town import MATTERS, Rating, Slip, Town

from server.kit import sql
from server.kit.privacy import vault

_RECEIPTS = """
INSERT INTO receipts (id, region_code, agency_code, case_number, service_number, matter_code,
  window_code, officer_number, stage, channel, handled_at, issued_at, open_until, phone_key, digest)
SELECT r.id, $1, r.agency, r.case_number, r.service, r.matter, r.win, r.officer, r.stage, r.channel,
  r.at, r.at, r.at + interval '30 days', r.phone, ''
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::text[], $11::timestamptz[], $12::text[])
  AS r(id, agency, case_number, service, matter, win, officer, stage, channel, at, phone)
"""
_REVIEWS = """
INSERT INTO reviews (id, receipt_id, region_code, level, tags, comment, state, channel, real_name, at,
  undo_until, undone_at, order_number, query_key, device_key)
SELECT r.id, r.receipt, $1, r.level, '{}', r.comment, CASE WHEN r.undone_at IS NULL THEN 'standing'
  ELSE 'undone' END, r.channel, FALSE, r.at, r.at + interval '10 minutes', r.undone_at,
  CASE WHEN r.level <= 2 THEN 'GD' || r.receipt END, left(md5(r.id::text), 22), r.device
FROM unnest($2::uuid[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::timestamptz[],
  $8::timestamptz[], $9::text[]) AS r(id, receipt, level, comment, channel, at, undone_at, device)
"""
_CITIZENS = """
INSERT INTO citizens (id, openid_key, first_seen, last_seen)
SELECT id, key, $3::timestamptz, $3 FROM unnest($1::uuid[], $2::text[]) AS c(id, key)
"""
_CLAIMS = """
INSERT INTO claims (review_id, region_code, citizen_id, reviewed_at, by_code)
SELECT c.review, $1, c.citizen, c.at, FALSE FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[])
  AS c(review, citizen, at)
"""
_VOIDS = """
INSERT INTO voids (region_code, agency_code, receipt_id, reason, asked_by, asked_at, state, decided_by,
  decided_at)
SELECT $1, v.agency, v.receipt, '重复出具', 'staff:1', v.asked_at, 'voided', 2, v.decided_at
FROM unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
  AS v(agency, receipt, asked_at, decided_at)
"""
_CHUNK = 2_000


def agency_code(agency: int) -> str:
    return f"11990100MB{agency:08d}"


def _key(text: str | None, purpose: str) -> str | None:
    return vault().fingerprint(text, purpose) if text else None


def _chunks(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK))


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


@dataclass
class Settled:
    town: Town
    ids: dict[UUID, Rating] = field(default_factory=dict)

    async def settle(self) -> "Settled":
        slips = list(dict.fromkeys(rating.slip for rating in self.town.ratings))
        numbers = {slip: n for n, slip in enumerate(slips, 1)}
        for chunk in _chunks(slips):
            rows = [_receipt(numbers[slip], slip) for slip in chunk]
            await sql.fetch(_RECEIPTS, REGION, *_columns(rows))
        self.ids = {uuid.UUID(int=self.town.dice.getrandbits(128)): r for r in self.town.ratings}
        for chunk in _chunks(list(self.ids.items())):
            rows = [_review(id_, numbers[rating.slip], rating) for id_, rating in chunk]
            await sql.fetch(_REVIEWS, REGION, *_columns(rows))
        await self._people()
        voids = [
            (agency_code(v.slip.agency), numbers[v.slip], v.asked_at, v.decided_at)
            for v in self.town.voids
        ]
        if voids:
            await sql.fetch(_VOIDS, REGION, *_columns(voids))
        await sql.fetch("ANALYZE receipts, reviews, claims")
        return self

    async def _people(self) -> None:
        signed_in = {id_: r for id_, r in self.ids.items() if r.person}
        people = {r.person: uuid.uuid4() for r in signed_in.values()}
        for known in _chunks(list(people.items())):
            keys = [_key(name, "openid") for name, _ in known]
            await sql.fetch(_CITIZENS, [id_ for _, id_ in known], keys, self.town.first)
        for chunk in _chunks(list(signed_in.items())):
            claims = [(id_, people[r.person], r.at) for id_, r in chunk]
            await sql.fetch(_CLAIMS, REGION, *_columns(claims))

    def insiders(self) -> bytes:
        rows = ["agency_code,officer_number,phone,openid"]
        for agency, kind, value in self.town.staff:
            rows.append(f"{agency_code(agency)},,{value if kind == 'phone' else ''},"
                        f"{value if kind == 'openid' else ''}")  # fmt: skip
        return "\n".join(rows).encode()

    async def figures(self) -> "Figures":
        found: dict[UUID, set[str]] = defaultdict(set)
        for row in await sql.fetch("SELECT review_id, rule FROM suspicions"):
            found[row["review_id"]].add(row["rule"])
        figures = Figures()
        for id_, rating in self.ids.items():
            figures.add(rating, found.get(id_, set()))
        return figures


def _receipt(number: int, slip: Slip) -> tuple[Any, ...]:
    return (
        number, agency_code(slip.agency), slip.case, slip.service, MATTERS[slip.matter],
        slip.window.code if slip.window else None, slip.officer, slip.step, slip.by, slip.issued,
        _key(slip.phone, "phone"),
    )  # fmt: skip


def _review(id_: UUID, receipt: int, rating: Rating) -> tuple[Any, ...]:
    return (
        id_, receipt, rating.level, rating.words, rating.channel, rating.at, rating.undone_at,
        _key(rating.device, "device"),
    )  # fmt: skip


@dataclass
class Figures:
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    plots: dict[str, dict[int, list[bool]]] = field(default_factory=lambda: defaultdict(dict))
    ordinary: int = 0
    flagged: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, rating: Rating, rules: set[str]) -> None:
        if not rating.pattern:
            self.ordinary += 1
            self.flagged += bool(rules)
            self.by_rule.update(rules)
            return
        self.planted[rating.pattern] += 1
        self.found[rating.pattern] += bool(rules)
        self.plots[rating.pattern].setdefault(rating.plot, []).append(bool(rules))

    @property
    def share_found(self) -> float:
        return self.found.total() / self.planted.total()

    @property
    def share_flagged(self) -> float:
        return self.flagged / self.ordinary

    def table(self) -> str:
        lines = [
            f"{name:14}{self.found[name]:6} of {self.planted[name]:6} ({self.found[name] / self.planted[name]:.1%}),"
            f" plots noticed {sum(map(any, self.plots[name].values()))} of {len(self.plots[name])}"
            for name in sorted(self.planted)
        ]  # fmt: skip
        lines.append(
            f"planted, all   {self.found.total()} of {self.planted.total()} ({self.share_found:.2%})"
        )
        lines.append(
            f"ordinary       {self.flagged} of {self.ordinary} flagged ({self.share_flagged:.2%})"
        )
        lines += [
            f"  by {rule:12}{many:6} ({many / self.ordinary:.2%})"
            for rule, many in self.by_rule.most_common()
        ]
        return "\n".join(lines)
