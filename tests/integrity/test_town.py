"""Must show: of planted gaming ≥ 95 % is found, of ordinary ratings ≤ 1 % is flagged."""

import ast
from pathlib import Path

import pytest
from factories import REGION, City
from integrity.plots import Plots
from integrity.processes import postgres_seconds, watched
from integrity.settling import Figures, Settled, agency_code
from integrity.town import DAY, Town

from server.catalogue import service as catalogue
from server.catalogue.models import Agency
from server.integrity.insiders import import_insiders
from server.kit import sql
from server.kit.clock import clock
from server.settings import Settings

HERE = Path(__file__).parent


def test_the_generator_knows_nothing_of_the_rules() -> None:
    for name in ("town", "plots", "wording"):
        tree = ast.parse((HERE / f"{name}.py").read_text())
        imported = {
            alias.name if isinstance(node, ast.Import) else f"{node.module}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        ours = {f"integrity.{known}" for known in ("town", "wording")} | {"integrity"}
        assert {
            one for one in imported if one.split(".")[0] in ("server", "sms", "factories")
        } == set()
        assert imported - ours <= {
            "collections.abc",
            "dataclasses",
            "datetime",
            "itertools",
            "random",
        }


async def gone_through(servers: Settings, seed: str, ratings: int, plots: int) -> Figures:
    town = Plots(Town(seed, clock.now() - 40 * DAY).live(ratings)).plant(plots)
    settled = await Settled(town).settle()
    agencies = {window.agency for window in town.windows}
    await Agency.bulk_create(
        [Agency(code=agency_code(n), name=f"第{n}局", region_code=REGION) for n in agencies]
    )
    await catalogue.load()
    await import_insiders(settled.insiders())
    begun = await postgres_seconds()
    traced, seconds, cpu = (float(word) for word in (await watched(servers)).split())
    behind = await postgres_seconds() - begun
    expected = len(town.ratings)  # on its own: a failure would print the whole town
    assert traced == expected
    figures = await settled.figures()
    print(f"\nseed {seed}: {traced:.0f} ratings, {len(town.windows)} windows")
    print(figures.table())
    print(
        f"watched in {seconds:.1f} s, {traced / seconds:.0f} a second; CPU-ms each: "
        f"{1000 * cpu / traced:.2f} worker, {1000 * behind / traced:.2f} PostgreSQL"
    )
    return figures


async def test_planted_gaming_is_found_and_ordinary_people_are_left_in_peace(
    servers: Settings, city: City
) -> None:
    figures = await gone_through(servers, "B-small", 10_000, 2)

    assert figures.share_found >= 0.95
    assert figures.share_flagged <= 0.01
    assert await sql.fetch("SELECT 1 FROM suspicions WHERE evidence ~ '[^a-z_0-9{}:,\" ]'") == []


@pytest.mark.long
@pytest.mark.parametrize("seed", ["B-1", "B-2", "B-3"])
async def test_planted_gaming_is_found_among_a_hundred_thousand(
    servers: Settings, city: City, seed: str
) -> None:
    figures = await gone_through(servers, seed, 100_000, 10)

    assert figures.share_found >= 0.95
    assert figures.share_flagged <= 0.01
