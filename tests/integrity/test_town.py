"""Must show: of planted gaming ≥ 95 % is found, of ordinary ratings ≤ 1 % is flagged."""

import ast
import resource
import time
from pathlib import Path

import pytest
from factories import REGION, City
from integrity.plots import Plots
from integrity.settling import Figures, Settled, agency_code
from integrity.town import DAY, Town

from server.catalogue import service as catalogue
from server.catalogue.models import Agency
from server.integrity.insiders import import_insiders
from server.integrity.watch import watch
from server.kit import sql
from server.kit.clock import clock

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


async def gone_through(seed: str, ratings: int, plots: int) -> Figures:
    town = Plots(Town(seed, clock.now() - 32 * DAY).live(ratings)).plant(plots)
    settled = await Settled(town).settle()
    agencies = {window.agency for window in town.windows}
    await Agency.bulk_create(
        [Agency(code=agency_code(n), name=f"第{n}局", region_code=REGION) for n in agencies]
    )
    await catalogue.load()
    await import_insiders(settled.insiders())
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    traced = await watch()
    seconds, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert traced == len(town.ratings)
    figures = await settled.figures()
    print(
        f"\nseed {seed}: {traced} ratings, {len(town.windows)} windows", figures.table(), sep="\n"
    )
    print(
        f"watched in {seconds:.1f} s, {traced / seconds:.0f} a second, {1000 * cpu / traced:.2f} CPU-ms each"
    )
    return figures


async def test_planted_gaming_is_found_and_ordinary_people_are_left_in_peace(city: City) -> None:
    figures = await gone_through("B-small", 10_000, 2)

    assert figures.share_found >= 0.95
    assert figures.share_flagged <= 0.01
    assert await sql.fetch("SELECT 1 FROM suspicions WHERE evidence ~ '[^a-z_0-9{}:,\" ]'") == []


@pytest.mark.long
@pytest.mark.parametrize("seed", ["B-1", "B-2", "B-3"])
async def test_planted_gaming_is_found_among_a_hundred_thousand(city: City, seed: str) -> None:
    figures = await gone_through(seed, 100_000, 10)

    assert figures.share_found >= 0.95
    assert figures.share_flagged <= 0.01
