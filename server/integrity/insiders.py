"""Phones and openids of the staff, from a sheet: kept as keyed hashes, only ever compared.

A sheet replaces the rows of the agencies that it names, all of it or nothing. Hashes are made under
every key there is; after a key was added, the sheet is to be imported again.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from server.catalogue import spreadsheet
from server.catalogue.columns import show
from server.catalogue.filled import Mistake, Mistakes
from server.catalogue.service import Catalogue, catalogue
from server.kit import sql
from server.kit.clock import clock
from server.kit.privacy import vault
from server.kit.transaction import transaction
from sms.phone import normalise

SHEET = "insiders"
COLUMNS = ("agency_code", "officer_number", "phone", "openid")
_LONGEST_OPENID = 64


class Insider(NamedTuple):
    agency_code: str
    officer_number: str | None
    kind: str
    value: str


@dataclass
class _Read:
    """A sheet on its way in. Mistakes name rows and columns, never a number of a person."""

    known: Catalogue
    found: list[Insider] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    rows: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def note(self, row: int, column: str, detail: str) -> None:
        self.mistakes.append(Mistake(SHEET, row, column, detail))


async def import_insiders(data: bytes) -> tuple[int, int]:
    """How many agencies have their list anew, and of how many phones and openids."""
    found = await asyncio.to_thread(read, data, catalogue())
    agencies = {one.agency_code for one in found}
    async with transaction():
        # Two imports at once: the later one counts, as if it had come after.
        await sql.fetch("LOCK TABLE insiders IN SHARE ROW EXCLUSIVE MODE")
        await sql.fetch("DELETE FROM insiders WHERE agency_code = ANY($1::text[])", list(agencies))
        await _store(found, clock.now())
    return len(agencies), len(found)


async def _store(found: Sequence[Insider], now: datetime) -> None:
    keys = [(one, key) for one in found for key in vault().fingerprints(one.value, one.kind)]
    await sql.fetch(
        "INSERT INTO insiders (kind, key, agency_code, officer_number, loaded_at) "
        "SELECT i.*, $5::timestamptz FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS i",
        [one.kind for one, _ in keys], [key for _, key in keys],
        [one.agency_code for one, _ in keys], [one.officer_number for one, _ in keys], now,
    )  # fmt: skip


def read(data: bytes, known: Catalogue) -> list[Insider]:
    """Raises Mistakes: all of them, by row (no database)."""
    sheet = _Read(known)
    try:
        numbered = spreadsheet.rows(spreadsheet.decode(data))
        at, header = next(numbered, (1, []))
        _read_header(sheet, at, header)
        if not sheet.mistakes:
            _read_rows(sheet, header, numbered)
    except spreadsheet.Unreadable as error:
        sheet.note(error.row, "", error.detail)
    if not sheet.mistakes and not sheet.found:
        sheet.note(0, "", "表里没有一行内容")
    if sheet.mistakes:
        raise Mistakes(sheet.mistakes)
    return sheet.found


def _read_header(sheet: _Read, at: int, header: list[str]) -> None:
    for place, name in enumerate(header):
        if name not in COLUMNS:
            sheet.note(at, name, f"没有{show(name)}这一列；这张表的列有 {'、'.join(COLUMNS)}")
        elif name in header[:place]:
            sheet.note(at, name, "这一列出现了两次")
    if "agency_code" not in header:
        sheet.note(at, "agency_code", "缺少这一列")
    if not {"phone", "openid"} & set(header):
        sheet.note(at, "phone", "至少要有 phone 和 openid 中的一列")


def _read_rows(sheet: _Read, header: list[str], numbered: Iterator[tuple[int, list[str]]]) -> None:
    for number, cells in numbered:
        if len(cells) > len(header):
            sheet.note(number, "", f"这一行有 {len(cells)} 格，比列名多")
            continue
        values = dict.fromkeys(COLUMNS, "") | dict(zip(header, cells, strict=False))
        _read_row(sheet, number, values)


def _read_row(sheet: _Read, number: int, values: dict[str, str]) -> None:
    agency, officer = values["agency_code"], values["officer_number"]
    if agency not in sheet.known.agencies:
        sheet.note(number, "agency_code", f"没有这个部门：{show(agency)}" if agency else "不能空着")
    elif officer and (agency, officer) not in sheet.known.officers:
        sheet.note(number, "officer_number", f"这个部门没有编号为{show(officer)}的经办人")
    if not values["phone"] and not values["openid"]:
        sheet.note(number, "phone", "手机号和 openid 至少填一个")
    if values["phone"]:
        phone = normalise(values["phone"])
        if phone is None:
            sheet.note(number, "phone", "须是 11 位手机号或 E.164 号码")
        else:
            _add(sheet, number, Insider(agency, officer or None, "phone", phone))
    if values["openid"]:
        if not _is_openid(values["openid"]):
            sheet.note(number, "openid", "应是微信的 openid：最多 64 个字母、数字、- 和 _")
        else:
            _add(sheet, number, Insider(agency, officer or None, "openid", values["openid"]))


def _is_openid(text: str) -> bool:
    plain = text.replace("-", "").replace("_", "")
    return len(text) <= _LONGEST_OPENID and plain.isascii() and plain.isalnum()


def _add(sheet: _Read, number: int, one: Insider) -> None:
    before = sheet.rows.setdefault((one.agency_code, one.kind, one.value), number)
    if before != number:
        sheet.note(number, one.kind, f"与第 {before} 行重复")
    else:
        sheet.found.append(one)
