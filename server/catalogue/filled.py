"""One filled sheet: its rows as values, and what is wrong with them cell by cell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from server.catalogue import spreadsheet
from server.catalogue.columns import BadCell, Sheet, show
from server.kit.errors import Fault, Invalid

SHOWN = 1000
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffd]")
"""With them the signs that turn the direction of writing, and the scar of an earlier conversion."""
_NAMED = {"\0": "空字符", "\n": "换行", "\r": "换行", "\t": "制表符", "\ufffd": "乱码"}


class Mistake(NamedTuple):
    sheet: str
    row: int
    """As a spreadsheet shows it: the header is 1. 0 is the sheet itself."""
    column: str
    detail: str

    def __str__(self) -> str:
        where = (f"{self.sheet}.csv", self.row and f"第 {self.row} 行", self.column)
        return f"{' '.join(part for part in where if part)}：{self.detail}"


class Mistakes(Invalid):
    code = "catalogue_mistakes"
    title = "表里有错，什么都没有导入"

    def __init__(self, found: list[Mistake]) -> None:
        self.mistakes, self.more = found[:SHOWN], max(0, len(found) - SHOWN)
        shown = f"，这里列出前 {SHOWN} 处，还有 {self.more} 处" if self.more else ""
        detail = f"共有 {len(found)} 处错{shown}；什么都没有导入。第一处：{found[0]}"
        faults = [
            Fault(f"{m.sheet}.{m.row}.{m.column}", "mistake", m.detail) for m in self.mistakes
        ]
        super().__init__(detail, errors=faults)


@dataclass
class Row:
    number: int
    values: dict[str, Any]
    """Only what could be read."""


@dataclass
class Filled:
    sheet: Sheet
    present: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def note(self, row: int, column: str, detail: str) -> None:
        self.mistakes.append(Mistake(self.sheet.name, row, column, detail))


def read(sheet: Sheet, data: bytes) -> Filled:
    filled = Filled(sheet)
    try:
        numbered = spreadsheet.rows(spreadsheet.decode(data))
        header_at, header = next(numbered, (1, []))
        _read_header(filled, header_at, header)
        if not filled.mistakes:
            _read_rows(filled, header, numbered)
    except spreadsheet.Unreadable as error:
        filled.note(error.row, "", error.detail)
    return filled


def _read_header(filled: Filled, at: int, header: list[str]) -> None:
    known = filled.sheet.columns
    if not header:
        filled.note(at, "", f"表是空的，第一行应是列名：{','.join(known)}")
        return
    if len(header) == 1 and re.search(r"[;\t，；]", header[0]):
        filled.note(at, "", f"各列之间应是英文逗号，现在是{show(header[0])}")
        return
    for place, name in enumerate(header):
        if name and name not in known:
            filled.note(at, name, f"没有{show(name)}这一列；这张表的列有 {'、'.join(known)}")
        elif name and name in header[:place]:
            filled.note(at, name, "这一列出现了两次")
    for column in known.values():
        if column.required and column.name not in header:
            filled.note(at, column.name, "缺少这一列")
    filled.present = tuple(name for name in header if name)


def _read_rows(
    filled: Filled, header: list[str], numbered: Iterator[tuple[int, list[str]]]
) -> None:
    first: dict[tuple[Any, ...], int] = {}
    for number, cells in numbered:
        row = Row(number, _read_cells(filled, number, header, cells))
        for name in filled.sheet.key:
            if name not in header:
                row.values[name] = filled.sheet.columns[name].empty()
        key = filled.sheet.key_of(row.values)
        if key is None or (before := first.setdefault(key, number)) == number:
            filled.rows.append(row)
        else:
            detail = f"{'、'.join(map(str, key))} 与第 {before} 行重复"
            filled.note(number, filled.sheet.key[-1], detail)


def _read_cells(filled: Filled, number: int, header: list[str], cells: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    cells += [""] * (len(header) - len(cells))
    for place, cell in enumerate(cells):
        name = header[place] if place < len(header) else ""
        try:
            if not name:
                if cell:
                    raise BadCell(f"第 {place + 1} 格{show(cell)}上面没有列名")
                continue
            if found := _CONTROL.search(cell):
                raise BadCell(_unprintable(found))
            values[name] = filled.sheet.columns[name].value(cell)
        except BadCell as bad:
            filled.note(number, name, str(bad))
    return values


def _unprintable(found: re.Match[str]) -> str:
    sign = found.group()
    what = _NAMED.get(sign, "控制字符")
    return f"第 {found.start() + 1} 个字是{what}（U+{ord(sign):04X}），请删除"
