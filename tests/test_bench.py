"""The bench measures what it says: every operation, right answers, and a floor that stores the same rows."""

import os
import re
import subprocess
import sys

import pytest

from server.bench import channel, lifecycle, meter, proof, report
from server.bench.meter import Reading, Spent
from server.bench.report import Tally
from server.bench.script import OPERATIONS


@pytest.fixture(scope="module")
def small_run() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "server", "bench", "--requests", "20", "--rounds", "1",
         "--receipts", "0,2000", "--rows", "0,2000", "--rate", "50", "--seconds", "1"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_a_run_ends_well(small_run: subprocess.CompletedProcess[str]) -> None:
    assert small_run.returncode == 0, small_run.stdout + small_run.stderr
    assert "fsync, synchronous_commit, full_page_writes on" in small_run.stdout


@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
def test_every_operation_has_a_row_with_a_ratio(
    small_run: subprocess.CompletedProcess[str], name: str
) -> None:
    rows = re.findall(rf"^{name} {{2,}}(.+)$", small_run.stdout, re.M)
    assert len(rows) == 2, small_run.stdout  # one a level
    for row in rows:
        requests, *costs, ratio, _, _, _ = row.split()
        assert int(requests) == (2 if name == "batch" else 20)
        assert len(costs) == 7 and float(costs[3]) > 0
        assert 0 < float(ratio) < 1000


@pytest.mark.parametrize("name", channel.ROWS)
def test_the_worker_has_rows_of_its_own(
    small_run: subprocess.CompletedProcess[str], name: str
) -> None:
    rows = re.findall(rf"^{name} {{2,}}(\d.+)$", small_run.stdout, re.M)
    assert len(rows) == 2, small_run.stdout
    for row in rows:
        items, process, postgres, total, *_ = row.split()
        assert 20 <= int(items) <= channel.LEAST
        assert 0 < float(process) < float(total) and 0 < float(postgres) < float(total)


def test_what_an_inbound_reply_costs_from_the_callback_to_the_review_is_told(
    small_run: subprocess.CompletedProcess[str],
) -> None:
    told = re.findall(r"^callback item and reading it, CPU-ms: (.+)$", small_run.stdout, re.M)
    assert len(told) == 2
    for line in told:
        assert [part.rpartition(" ")[0] for part in line.split("; ")] == [
            reading.name for reading in channel.READINGS
        ]


def test_floor_and_application_store_rows_of_one_shape(
    small_run: subprocess.CompletedProcess[str],
) -> None:
    line = next(l for l in small_run.stdout.splitlines() if "rows of one shape" in l)  # noqa: E741
    assert all(what in line for what in proof.ROWS)
    assert {what.partition(": ")[2] for what in proof.ROWS} == {
        "receipts", "reviews", "work_orders", "work_order_steps", "questions", "sms_phones",
        "sms_messages", "sms_replies", "sms_pushes", "pgqueuer",
    }  # fmt: skip


def test_levels_and_the_steady_rate_are_compared(
    small_run: subprocess.CompletedProcess[str],
) -> None:
    for name in ("good", "bad"):
        assert re.search(rf"^submit {name} at 0 → 2,000 receipts: app .+ %", small_run.stdout, re.M)
    assert small_run.stdout.count("50 right, 0 wrong") == 2


def test_lifecycles_are_lived_on_databases_of_several_sizes(
    small_run: subprocess.CompletedProcess[str],
) -> None:
    told = small_run.stdout
    rows = re.findall(r"^ +([\d,]+) +([\d.]+) +([\d.]+) .+\(([\d,]+) rows in all\)$", told, re.M)
    assert [row[0] for row in rows] == ["0", "2,000"]
    assert all(float(rate) > 0 and float(cpu) > 0 for _, rate, cpu, _ in rows)
    assert rows[0][3] == "0"
    assert int(rows[1][3].replace(",", "")) > 3000  # reviews, orders and steps beside the receipts
    assert re.search(r"^largest difference: \d+% in lives/s, \d+% in CPU-ms .+ slowest", told, re.M)


def test_the_largest_difference_is_taken_from_the_smallest() -> None:
    assert lifecycle.difference([100.0, 80.0, 90.0]) == pytest.approx(0.25)
    assert lifecycle.difference([80.0]) == 0


ROW = {"id": 7, "comment": "x", "contact": None, "row_bytes": 200}


@pytest.mark.parametrize(
    ("floor", "fault"),
    [
        (ROW | {"id": 8, "row_bytes": 205}, None),
        (ROW | {"comment": None}, "the floor leaves comment empty"),
        (ROW | {"contact": b"y"}, "only the floor stores contact"),
        (ROW | {"row_bytes": 150}, "150 bytes in the floor's row, 200 in ours"),
        (None, "the floor stored no row"),
    ],
)
def test_a_floor_that_stores_less_is_found(
    floor: dict[str, object] | None, fault: str | None
) -> None:
    found = proof.faults("reviews", ROW, floor)
    assert found == ([f"reviews: {fault}"] if fault else [])


@pytest.mark.parametrize("arguments", ["--receipts=many", "--rows=-1", "--rounds=0"])
def test_nonsense_is_refused_before_anything_starts(arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", "bench", arguments], capture_output=True, timeout=60
    )
    assert done.returncode == 2 and not done.stdout


def test_a_reading_tells_backends_from_background_even_when_one_has_ended() -> None:
    before = Reading(1.0, 0.5, {10: 2.0, 11: 1.0}, {20: 4.0}, reaped=3.0)
    after = Reading(1.5, 0.5, {10: 2.2, 12: 0.1}, {20: 4.05}, reaped=4.2)
    spent = before.until(after)
    assert spent.web == pytest.approx(500)
    assert spent.postgres == pytest.approx(
        200 + 100 + 200
    )  # grown, new, and the end of the lost one
    assert spent.background == pytest.approx(50)


def test_a_process_that_works_is_seen_to_work() -> None:
    before = meter._tree(os.getpid())
    sum(i * i for i in range(2_000_000))
    assert 0.02 < meter._tree(os.getpid()) - before < 5


async def test_work_of_this_process_is_measured_without_that_of_its_children() -> None:
    async def work() -> None:
        sum(i * i for i in range(1_000_000))
        subprocess.run([sys.executable, "-c", "sum(i * i for i in range(9_000_000))"], check=True)

    spent = await meter.measured(work(), 0)
    assert 5 < spent.web < 400 and spent.postgres == 0
    assert (spent + spent).total == pytest.approx(2 * spent.total)


def test_ratios_are_taken_round_by_round() -> None:
    app = Tally([(10, Spent(10, 10, 0, 0)), (10, Spent(30, 10, 0, 99))])
    floor = Tally([(10, Spent(5, 5, 0, 0)), (20, Spent(30, 10, 0, 0))])
    assert report.ratios(app, floor) == [2.0, 2.0]
    assert report.percentile([3.0, 1.0, 2.0], 0.99) == 3.0
