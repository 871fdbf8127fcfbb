import json
import subprocess
import sys
from pathlib import Path

import pytest

from server.due import run

ROOT = Path(__file__).parents[1]
HEAVY = {"tortoise", "sanic", "msgspec", "asyncpg", "pgqueuer", "redis", "jinja2"}


@pytest.fixture
def file_2027(tmp_path: Path) -> str:
    days = [{"name": "元旦", "date": day, "isOffDay": True} for day in ("2026-12-31", "2027-01-01")]
    file = tmp_path / "2027.json"
    file.write_text(json.dumps({"year": 2027, "days": days}), "utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("start", "n", "unit", "expected"),
    [
        ("2026-02-13", "3", "working", "2026-02-25T23:59:59+08:00"),
        ("2026-02-13", "7", "natural", "2026-02-20T23:59:59+08:00"),
        ("2026-02-13", "0", "working", "2026-02-13T23:59:59+08:00"),
        ("2026-02-13T16:30:00", "1", "working", "2026-02-14T23:59:59+08:00"),
        ("2026-02-13 16:30", "1", "working", "2026-02-14T23:59:59+08:00"),
        ("2026-02-13T16:30:00Z", "1", "working", "2026-02-24T23:59:59+08:00"),
        ("2026-02-13T16:30:00.123z", "1", "working", "2026-02-24T23:59:59+08:00"),
        ("2026-02-13T23:30:00-0500", "1", "working", "2026-02-24T23:59:59+08:00"),
        ("2026-02-14T09:00:00+14:00", "1", "working", "2026-02-24T23:59:59+08:00"),
        ("2026-02-14T01:00:00+14:00", "1", "working", "2026-02-14T23:59:59+08:00"),
        ("2099-12-31", "1", "natural", "2100-01-01T23:59:59+08:00"),
    ],
)
def test_the_due_time_is_printed_and_nothing_else(
    start: str, n: str, unit: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(start, n, unit, None) == 0
    assert capsys.readouterr() == (expected + "\n", "")


def test_a_year_that_is_not_loaded_is_3_and_the_message_says_which_and_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("2026-12-30", "2", "working", None) == 3
    out, message = capsys.readouterr()
    assert out == ""
    assert "2027" in message
    assert "--calendar" in message


def test_a_calendar_file_adds_its_year(file_2027: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("2026-12-30", "1", "working", file_2027) == 0
    assert capsys.readouterr().out == "2027-01-04T23:59:59+08:00\n"


def test_a_calendar_file_replaces_the_shipped_year(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "amended.json"
    file.write_text('{"year": 2026, "days": [{"date": "2026-02-16", "isOffDay": true}]}', "utf-8")
    assert run("2026-02-13", "1", "working", str(file)) == 0
    # Without the shipped swaps Sat 14 is a weekend day, Mon 16 is off, and Tue 17 is a weekday.
    assert capsys.readouterr().out == "2026-02-17T23:59:59+08:00\n"


def test_a_calendar_file_that_names_no_day_leaves_its_year_to_the_weekends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "2027.json"
    file.write_text('{"year": 2027, "days": []}', "utf-8")
    assert run("2026-12-31", "2", "working", str(file)) == 0
    assert capsys.readouterr().out == "2027-01-04T23:59:59+08:00\n"


@pytest.mark.parametrize(
    ("start", "n", "unit", "named"),
    [
        ("", "1", "working", "START"),
        ("tomorrow", "1", "working", "START"),
        ("2026-02-30", "1", "working", "START"),
        ("2026-02-13T25:00:00", "1", "working", "START"),
        ("2026-02-13?16:30:00", "1", "working", "START"),
        ("2026-02-13T16:30:00+24:00", "1", "working", "START"),
        ("２０２６-02-13", "1", "working", "START"),
        ("9999-12-31", "1", "natural", "9999"),
        ("0001-01-01T00:00:00+14:00", "1", "natural", "9999"),
        ("2026-02-13", "-1", "working", "N "),
        ("2026-02-13", "1.5", "working", "N "),
        ("2026-02-13", "1_0", "working", "N "),
        ("2026-02-13", "五", "working", "N "),
        ("2026-02-13", "9" * 5000, "working", "N "),
        ("2026-02-13", "3651", "natural", "3650"),
        ("2026-02-13", "1", "calendar", "natural"),
    ],
)
def test_bad_input_is_2_and_the_message_says_which_part(
    start: str, n: str, unit: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(start, n, unit, None) == 2
    out, message = capsys.readouterr()
    assert out == ""
    assert named in message


@pytest.mark.parametrize("unit", ["working", "natural"])
@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[]", b'{"year": 2027}'])
def test_a_calendar_file_that_cannot_be_used_is_2_for_natural_days_too(
    content: bytes | None, unit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "calendar.json"
    if content is not None:
        file.write_bytes(content)
    assert run("2026-02-13", "1", unit, str(file)) == 2
    out, message = capsys.readouterr()
    assert out == ""
    assert str(file) in message


@pytest.mark.parametrize("file", ["/", "a\x00b"])
def test_a_calendar_file_that_is_no_file_is_2(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("2026-02-13", "1", "working", file) == 2
    out, message = capsys.readouterr()
    assert out == ""
    assert message.startswith("日历文件")


def test_the_command_answers_without_loading_the_server() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "server", "due"]
    done = subprocess.run(
        [*command, "2026-02-13", "3", "working"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (0, "2026-02-25T23:59:59+08:00\n"), done.stderr
    # -X importtime writes a line `import time: … | … | package.module` for each import.
    lines = [ln for ln in done.stderr.splitlines() if ln.startswith("import time:")]
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}
    assert "server" in loaded, "the listing was read"
    assert not loaded & HEAVY
