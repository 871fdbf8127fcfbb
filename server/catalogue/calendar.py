"""Which days are working days: the State Council's yearly arrangements, one file a year.

A file has holiday-cn's shape. It names only the exceptions (days off and make-up working days);
every other day follows its weekday. A year nobody has loaded has no answer: guessing that a
holiday is a working day would set a deadline that nobody can keep.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

FIRST_YEAR, LAST_YEAR = 1949, 2200
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SHIPPED = Path(__file__).parent / "calendars"


class BadCalendar(ValueError):
    """The file cannot be used; the message names the day and the field, in Chinese."""


class YearNotLoaded(LookupError):
    """Nobody has loaded the arrangement of this year."""

    def __init__(self, year: int) -> None:
        super().__init__(f"{year} 年的放假安排还没有载入")
        self.year = year


@dataclass(frozen=True)
class YearCalendar:
    """What one year's notice says; it may name days of the year before or after."""

    year: int
    days: Mapping[date, bool]
    """True is a day off, False a working day."""


@dataclass(frozen=True)
class Calendar:
    """All loaded years. The files are kept apart, so that a replaced one leaves nothing behind."""

    files: Mapping[int, YearCalendar] = field(default_factory=dict)

    @classmethod
    def of(cls, years: Iterable[YearCalendar]) -> "Calendar":
        return cls({file.year: file for file in years})

    def with_year(self, year: YearCalendar) -> "Calendar":
        return Calendar({**self.files, year.year: year})

    @cached_property
    def years(self) -> frozenset[int]:
        return frozenset(self.files)

    @cached_property
    def days(self) -> Mapping[date, bool]:
        """Every named day; the later notice knew the earlier one and has the last word."""
        named: dict[date, bool] = {}
        for year in sorted(self.files):
            named.update(self.files[year].days)
        return named

    def is_working(self, day: date) -> bool:
        if day.year not in self.years:
            raise YearNotLoaded(day.year)
        off = self.days.get(day)
        return is_weekday(day) if off is None else not off


def is_weekday(day: date) -> bool:
    """Monday to Friday, whatever the notices say."""
    return day.weekday() < 5


def shipped() -> list[YearCalendar]:
    """The years that come with the program."""
    return [parse_year(document) for _, document in shipped_documents()]


def shipped_documents() -> list[tuple[str, bytes]]:
    """File name and content of each."""
    return [(path.name, path.read_bytes()) for path in sorted(_SHIPPED.glob("*.json"))]


def parse_year(text: str | bytes) -> YearCalendar:
    """Reads one year's file; raises BadCalendar, and nothing else, for whatever it is given."""
    document = _read_json(text)
    if not isinstance(document, dict):
        raise BadCalendar(f"文件应是一个含 year 和 days 的对象，现在是{_show(document)}")
    year, rows = document.get("year"), document.get("days")
    if not isinstance(year, int) or not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadCalendar(f"year 应是 {FIRST_YEAR} 到 {LAST_YEAR} 的整数，现在是{_show(year)}")
    if not isinstance(rows, list):
        raise BadCalendar(f"days 应是一个列表，现在是{_show(rows)}")
    days: dict[date, bool] = {}
    for place, row in enumerate(rows, start=1):
        day, off = _read_day(f"days 第 {place} 项", row, year)
        if days.setdefault(day, off) != off:
            raise BadCalendar(f"days 第 {place} 项：{day} 前面已经出现过，两处的 isOffDay 不一致")
    return YearCalendar(year, days)


def _read_day(where: str, row: object, year: int) -> tuple[date, bool]:
    if not isinstance(row, dict):
        raise BadCalendar(f"{where}应是含 date 和 isOffDay 的对象，现在是{_show(row)}")
    written, off, name = row.get("date"), row.get("isOffDay"), row.get("name")
    if not isinstance(written, str) or not _ISO_DAY.fullmatch(written):
        raise BadCalendar(f"{where}：date 应写成 2026-01-31 的样子，现在是{_show(written)}")
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise BadCalendar(f"{where}：date 的 {written} 这一天不存在") from None
    if abs(day.year - year) > 1:
        raise BadCalendar(f"{where}：{written} 离 year 的 {year} 年超过一年")
    if not isinstance(off, bool):
        raise BadCalendar(f"{where}（{written}）：isOffDay 应是 true 或 false，现在是{_show(off)}")
    if name is not None and not isinstance(name, str):
        raise BadCalendar(f"{where}（{written}）：name 应是文字，现在是{_show(name)}")
    return day, off


def _read_json(text: str | bytes) -> object:
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            plain.removeprefix("\ufeff"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_refuse_double_keys,
        )
    except BadCalendar:
        raise
    except UnicodeDecodeError as error:
        raise BadCalendar(f"文件不是 UTF-8 编码（第 {error.start + 1} 个字节）") from None
    except json.JSONDecodeError as error:
        raise BadCalendar(f"文件不是 JSON（第 {error.lineno} 行第 {error.colno} 个字）") from None
    except RecursionError:
        raise BadCalendar("文件不是放假安排：括号套得太深") from None
    except ValueError:  # the interpreter's limit on the digits of an integer
        raise BadCalendar("文件里有一个位数过多的数") from None


def _refuse_constant(name: str) -> object:
    raise BadCalendar(f"文件里有 {name}，它不是 JSON 的值")


def _refuse_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of two equal keys JSON readers keep either; a calendar must not depend on which."""
    fields: dict[str, object] = {}
    for key, value in pairs:
        if key in fields:
            raise BadCalendar(f"同一个对象里字段{_show(key)}写了两次")
        fields[key] = value
    return fields


def _show(value: object) -> str:
    """A wrong value as the reader of the message wrote it; never deep, never long."""
    if value is None:
        return "空的"
    if isinstance(value, bool):
        return " true" if value else " false"
    if isinstance(value, (list, dict)):
        return "一个列表" if isinstance(value, list) else "一个对象"
    return f" {value!r}"[:42]
