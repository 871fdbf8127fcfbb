"""The catalogue as one snapshot in memory: what a request needs of it costs no query."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from tortoise.models import Model

from server.catalogue.calendar import Calendar, parse_year
from server.catalogue.models import (
    Agency,
    CalendarYear,
    Hall,
    Matter,
    Officer,
    Policy,
    Questionnaire,
    Region,
    Tag,
    Window,
    Wording,
)
from server.catalogue.questionnaires import shipped as shipped_questionnaires
from server.catalogue.wordings import shipped
from server.kit import sql

M = TypeVar("M", bound=Model)
_SLICE = 2000
DICTIONARY = "national"
BEACON = "catalogue"


@dataclass(frozen=True)
class Catalogue:
    """Codes → rows. Rows are read, never written: a new import makes a new snapshot."""

    regions: dict[str, Region] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    agencies: dict[str, Agency] = field(default_factory=dict)
    halls: dict[str, Hall] = field(default_factory=dict)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    """By agency and code."""
    officers: dict[tuple[str, str], Officer] = field(default_factory=dict)
    """By agency and number."""
    matters: dict[str, Matter] = field(default_factory=dict)
    questionnaires: dict[str, Questionnaire] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    """The newest version of the national dictionary, active entries, in its order."""
    wordings: dict[tuple[str, str, int], Wording] = field(default_factory=dict)
    """By region, purpose and variant."""
    calendar: Calendar = field(default_factory=lambda: Calendar.of([]))

    def policy(self, region_code: str) -> Policy:
        """The region's own, or its nearest ancestor's, or the defaults."""
        found = (self.policies.get(code) for code in self.upward(region_code))
        return next(filter(None, found), _DEFAULTS)

    def wording(self, region_code: str, purpose: str, variant: int) -> Wording:
        """The region's own, or its nearest ancestor's, or the shipped one."""
        upward = self.upward(region_code)
        found = (self.wordings.get((code, purpose, variant)) for code in upward)
        return next(filter(None, found), shipped()[purpose, variant])

    def questionnaire(self, matter_code: str | None) -> Questionnaire | None:
        """What may be asked after a rating of this matter; nothing of most."""
        matter = self.matters.get(matter_code or "")
        code = matter.questionnaire if matter else ""
        return self.questionnaires.get(code) or shipped_questionnaires().get(code)

    def upward(self, region_code: str) -> Iterator[str]:
        """The region, its parent, and so on."""
        seen: set[str] = set()
        code: str | None = region_code
        while code and code not in seen:
            yield code
            seen.add(code)
            region = self.regions.get(code)
            code = region.parent_code if region else None

    def within(self, region_code: str) -> frozenset[str]:
        """The region and all below it."""
        below: dict[str, list[str]] = defaultdict(list)
        for region in self.regions.values():
            if region.parent_code:
                below[region.parent_code].append(region.code)
        found: set[str] = set()
        waiting = [region_code]
        while waiting:
            code = waiting.pop()
            if code not in found:
                found.add(code)
                waiting += below[code]
        return frozenset(found)

    @cached_property
    def tag_levels(self) -> dict[str, int]:
        return {tag.code: tag.level for tag in self.tags.values()}

    @cached_property
    def seats(self) -> dict[str, dict[str, Window]]:
        """Hall → its windows by code."""
        found: dict[str, dict[str, Window]] = defaultdict(dict)
        for window in self.windows.values():
            found[window.hall_code][window.code] = window
        return dict(found)

    @cached_property
    def matters_of(self) -> dict[str | None, list[Matter]]:
        """Agency → what it handles, alone or with others; None → what has no agency."""
        found: dict[str | None, list[Matter]] = defaultdict(list)
        for matter in self.matters.values():
            for code in {matter.agency_code, *matter.co_agency_codes}:
                found[code].append(matter)
        return dict(found)

    def tags_of_level(self, level: int) -> list[Tag]:
        return [tag for tag in self.tags.values() if tag.level == level]

    def tag_text(self, code: str) -> str:
        tag = self.tags.get(code)
        return tag.text if tag else code

    def agency_name(self, code: str | None) -> str:
        agency = self.agencies.get(code or "")
        return agency.name if agency else ""


_DEFAULTS = Policy(region_code="")
_current = Catalogue()


def catalogue() -> Catalogue:
    return _current


async def _rows(model: type[M]) -> list[M]:
    """Active rows, built slice by slice: a province's 130,000 matters must not hold up a request."""
    rows = await sql.fetch(f'SELECT * FROM "{model._meta.db_table}" WHERE active')  # noqa: S608
    built: list[M] = []
    for start in range(0, len(rows), _SLICE):
        built += [model._init_from_db(**row) for row in rows[start : start + _SLICE]]
        await asyncio.sleep(0)
    return built


_loading = asyncio.Lock()


async def load() -> Catalogue:
    """Reads the snapshot anew; also the watcher of the `catalogue` beacon."""
    global _current
    # One after the other: what was begun earlier must not end later, over newer rows.
    async with _loading:
        _current = await _read()
        return _current


async def _read() -> Catalogue:
    years: dict[int, CalendarYear] = {}
    for row in await CalendarYear.all().order_by("version"):
        years[row.year] = row
    newest: dict[str, int] = {}
    tags = await Tag.filter(dictionary=DICTIONARY).order_by("-level", "code")
    for tag in tags:
        newest[tag.dictionary] = max(newest.get(tag.dictionary, 0), tag.version)
    return Catalogue(
        regions={row.code: row for row in await Region.all()},
        policies={row.region_code: row for row in await Policy.all()},
        agencies={row.code: row for row in await _rows(Agency)},
        halls={row.code: row for row in await _rows(Hall)},
        windows={(row.agency_code, row.code): row for row in await _rows(Window)},
        officers={(row.agency_code, row.number): row for row in await _rows(Officer)},
        matters={row.code: row for row in await _rows(Matter)},
        questionnaires={row.code: row for row in await Questionnaire.all()},
        tags={t.code: t for t in tags if t.active and t.version == newest[t.dictionary]},
        wordings={(w.region_code, w.purpose, w.variant): w for w in await Wording.all()},
        calendar=Calendar.of([parse_year(row.document) for row in years.values()]),
    )


async def watch(_: int) -> None:
    await load()
