"""What a row needs of other rows and of what is stored already. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.catalogue.filled import Filled, Row

Parents = Mapping[str, str | None]


@dataclass(frozen=True)
class Stored:
    """What the database holds of the sheets that others refer to."""

    parents: Mapping[str, Parents] = field(default_factory=dict)
    """Sheet → code → the code above it."""
    seats: Mapping[tuple[Any, ...], str] = field(default_factory=dict)
    """Agency and window code → hall."""


def check(sheets: Iterable[Filled], stored: Stored) -> None:
    """Notes every mistake in its sheet."""
    known = {name: set(codes) for name, codes in stored.parents.items()}
    every = list(sheets)
    for filled in every:
        if filled.sheet.name in known:
            known[filled.sheet.name] |= {row.values.get("code", "") for row in filled.rows}
    for filled in every:
        _check_references(filled, known)
        _check_rules(filled)
        if filled.sheet.refers.get("parent_code") == filled.sheet.name:
            _check_tree(filled, stored.parents[filled.sheet.name])
        if filled.sheet.seat:
            _check_seats(filled, stored.seats)


def _check_references(filled: Filled, known: Mapping[str, set[str]]) -> None:
    for column, other in filled.sheet.refers.items():
        for row in filled.rows:
            value = row.values.get(column)
            for code in value if isinstance(value, list) else filter(None, [value]):
                if code not in known[other]:
                    detail = f"{code} 既不在 {other}.csv 里，也不在系统里"
                    filled.note(row.number, column, detail)


def _check_rules(filled: Filled) -> None:
    for rule in filled.sheet.rules:
        for row in filled.rows:
            if wrong := rule(row.values):
                filled.note(row.number, *wrong)


def _check_tree(filled: Filled, stored: Parents) -> None:
    rows: dict[str, Row] = {r.values["code"]: r for r in filled.rows if "code" in r.values}
    above = {**stored, **{code: row.values.get("parent_code") for code, row in rows.items()}}
    for circle in _circles(rows, above):
        for code in circle:
            if code in rows:
                filled.note(rows[code].number, "parent_code", _round(code, circle))


def _circles(codes: Iterable[str], above: Parents) -> Iterator[list[str]]:
    """Each circle once; every code is walked over once."""
    seen: set[str] = set()
    for start in codes:
        path: dict[str, None] = {}
        code: str | None = start
        while code and code not in seen and code not in path:
            path[code] = None
            code = above.get(code)
        if code in path:
            way = list(path)
            yield way[way.index(code) :]
        seen.update(path)


def _round(code: str, circle: list[str]) -> str:
    if len(circle) == 1:
        return "上级不能是自己"
    at = circle.index(code)
    way = [*circle[at:], *circle[:at], code]
    return f"上下级绕成了一圈：{' → '.join(way if len(way) < 7 else [*way[:5], '…', code])}"


def _check_seats(filled: Filled, stored: Mapping[tuple[Any, ...], str]) -> None:
    """One code, one window of a hall; a row of the sheet replaces its stored one."""
    seat, key_of = filled.sheet.seat, filled.sheet.key_of
    replaced = {key_of(row.values) for row in filled.rows}
    taken = {
        (hall, key[-1]): f"系统里已有的部门 {key[0]} 的窗口"
        for key, hall in stored.items()
        if key not in replaced
    }
    for row in filled.rows:
        key, hall = key_of(row.values), row.values.get(seat)
        if key is None or hall is None:
            continue
        if other := taken.get((hall, key[-1])):
            filled.note(row.number, "code", f"大厅 {hall} 的窗口编号 {key[-1]} 已经属于{other}")
        else:
            taken[hall, key[-1]] = f"第 {row.number} 行部门 {key[0]} 的窗口"
