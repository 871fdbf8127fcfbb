"""The catalogue as CSV sheets: all of them in, or none; all of them out.

Columns are called as the models' fields, in any order. A column that is left out keeps what is
stored (a new row gets the default); an empty cell of an optional column sets the default. Rows
that a sheet does not name stay as they are: nothing is ever deleted, `active` = 否 retires.
"""

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.catalogue import checks, filled, questionnaires, service, spreadsheet
from server.catalogue.columns import SHEETS, Sheet
from server.catalogue.filled import Filled, Mistake, Mistakes, Row
from server.kit import beacon, sql
from server.kit.errors import Conflict
from server.kit.transaction import transaction

log = logging.getLogger(__name__)
CHUNK = 2000
"""Rows a statement: the pool's statement time-out of 1.4 s leaves ten times what they take."""
_LOCK = 0x73686565  # "shee": what an import has checked must still hold when it writes
_NATIONAL_TAGS = Path(__file__).parent / "data" / "tags-national-2.csv"


class ImportRunning(Conflict):
    code = "import_running"
    title = "另一次导入正在进行，请稍后再试"


@dataclass(frozen=True)
class Counts:
    read: int
    added: int
    changed: int


@dataclass(frozen=True)
class Imported:
    by: str
    sheets: dict[str, Counts] = field(default_factory=dict)


async def import_sheets(files: Mapping[str, bytes], *, by: str) -> Imported:
    """One multi-row upsert a chunk of 2,000 rows, all in one transaction; raises Mistakes.

    Reading and checking run in a thread: 130,000 rows must not hold up the server's loop.
    """
    sheets, strange = await asyncio.to_thread(_read_all, files)
    async with transaction():
        await _lock()
        for one in sheets:
            await _keep_what_is_left_out(one)
        await asyncio.to_thread(checks.check, sheets, await _stored(sheets))
        if found := strange + [m for one in sheets for m in sorted(one.mistakes, key=_place)]:
            raise Mistakes(found)
        counts = {one.sheet.name: await _write(one) for one in sheets}
        await beacon.raise_by(service.BEACON)
    done = sum(c.added + c.changed for c in counts.values())
    log.info("the catalogue was imported", extra={"count": done})
    return Imported(by, counts)


def _read_all(files: Mapping[str, bytes]) -> tuple[list[Filled], list[Mistake]]:
    names = "、".join(SHEETS)
    strange = [
        Mistake(name, 0, "", f"没有这张表；可以导入的表有 {names}")
        for name in files
        if name not in SHEETS
    ]
    return [filled.read(s, files[s.name]) for s in SHEETS.values() if s.name in files], strange


def _place(mistake: Mistake) -> tuple[int, int]:
    columns = list(SHEETS[mistake.sheet].columns)
    known = mistake.column in columns
    return mistake.row, columns.index(mistake.column) if known else len(columns)


async def _lock() -> None:
    row = await sql.fetch_one("SELECT pg_try_advisory_xact_lock($1) AS mine", _LOCK)
    if not (row and row["mine"]):
        raise ImportRunning


async def _stored(sheets: list[Filled]) -> checks.Stored:
    """Read under the lock; of the windows only when there is a sheet of them."""
    parents = {
        name: {row["code"]: row["parent_code"] for row in await sql.fetch(statement)}
        for name, statement in (
            ("regions", "SELECT code, parent_code FROM regions"),
            ("agencies", "SELECT code, parent_code FROM agencies"),
            ("halls", "SELECT code, NULL AS parent_code FROM halls"),
            ("questionnaires", "SELECT code, NULL AS parent_code FROM questionnaires"),
        )
    }
    parents["questionnaires"] |= dict.fromkeys(questionnaires.shipped())
    seats = {}
    if any(one.sheet.seat for one in sheets):
        windows = await sql.fetch("SELECT agency_code, code, hall_code FROM windows")
        seats = {(row["agency_code"], row["code"]): row["hall_code"] for row in windows}
    return checks.Stored(parents, seats)


async def _keep_what_is_left_out(one: Filled) -> None:
    """Completes the rows by what is stored, so that the checks see them as they will be."""
    columns = one.sheet.columns
    left_out = [n for n in columns if n not in one.present and n not in one.sheet.key]
    if not left_out:
        return
    for chunk in _chunks(one.rows):
        by_key = {one.sheet.key_of(row.values): row for row in chunk}
        for row in chunk:
            row.values |= {name: columns[name].empty() for name in left_out}
        for found in await sql.fetch(
            _lookup(one.sheet, left_out), _rows_as_json(chunk, one.sheet.key)
        ):
            row = by_key[tuple(found[name] for name in one.sheet.key)]
            row.values |= {name: found[name] for name in left_out}


async def _write(one: Filled) -> Counts:
    added = changed = 0
    if one.sheet.seat:
        for chunk in _chunks(one.rows):
            await sql.fetch(_park(one.sheet), _rows_as_json(chunk, one.sheet.columns))
    for chunk in _chunks(one.rows):
        done = await sql.fetch_one(_upsert(one.sheet), _rows_as_json(chunk, one.sheet.columns))
        assert done is not None
        added, changed = added + done["added"], changed + done["changed"]
    return Counts(len(one.rows), added, changed)


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    return (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))


def _rows_as_json(rows: list[Row], names: Any) -> str:
    return json.dumps([{name: row.values.get(name) for name in names} for row in rows])


def _given(sheet: Sheet) -> str:
    typed = (f'"{column.name}" {column.kind.sql}' for column in sheet.columns.values())
    return f"json_to_recordset($1::text::json) AS given({', '.join(typed)})"


def _same_key(sheet: Sheet) -> str:
    return " AND ".join(f'stored."{name}" = given."{name}"' for name in sheet.key)


def _lookup(sheet: Sheet, names: list[str]) -> str:
    wanted = ", ".join(f'stored."{name}"' for name in (*sheet.key, *names))
    return f"SELECT {wanted} FROM {_given(sheet)} JOIN {sheet.table} stored ON {_same_key(sheet)}"  # noqa: S608


def _park(sheet: Sheet) -> str:
    """Windows that move make room first, so that two may change places."""
    return (
        f"UPDATE {sheet.table} stored SET {sheet.seat} = '~' || stored.id "  # noqa: S608
        f"FROM {_given(sheet)} WHERE {_same_key(sheet)} "
        f"AND stored.{sheet.seat} <> given.{sheet.seat}"
    )


def _upsert(sheet: Sheet) -> str:
    """Rows that are the same already are not written again."""
    names = [f'"{name}"' for name in sheet.columns]
    rest = [f'"{name}"' for name in sheet.columns if name not in sheet.key]
    key = ", ".join(f'"{name}"' for name in sheet.key)
    return (
        f"WITH done AS (INSERT INTO {sheet.table} AS stored ({', '.join(names)}) "  # noqa: S608
        f"SELECT {', '.join(names)} FROM {_given(sheet)} ON CONFLICT ({key}) DO UPDATE "
        f"SET {', '.join(f'{name} = excluded.{name}' for name in rest)} "
        f"WHERE ({', '.join(f'stored.{name}' for name in rest)}) "
        f"IS DISTINCT FROM ({', '.join(f'excluded.{name}' for name in rest)}) "
        "RETURNING xmax = 0 AS added) SELECT count(*) FILTER (WHERE added) AS added, "
        "count(*) FILTER (WHERE NOT added) AS changed FROM done"
    )


async def export_sheets() -> dict[str, bytes]:
    """Every sheet of one moment; an import of them changes nothing."""
    async with transaction() as client, client.acquire_connection() as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return {name: await _export(sheet, connection) for name, sheet in SHEETS.items()}


async def _export(sheet: Sheet, connection: Any) -> bytes:
    columns = sheet.columns.values()
    names, key = (", ".join(f'"{n}"' for n in part) for part in (sheet.columns, sheet.key))
    statement = f"SELECT {names} FROM {sheet.table} ORDER BY {key}"  # noqa: S608
    table = [list(sheet.columns)]
    async for row in connection.cursor(statement, prefetch=CHUNK):
        table.append([column.cell(row[column.name]) for column in columns])
    return await asyncio.to_thread(spreadsheet.write, table)


def national_tags() -> bytes:
    """The national dictionary, version 2, as a sheet of tags."""
    return _NATIONAL_TAGS.read_bytes()
