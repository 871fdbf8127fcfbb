"""What a sheet of the catalogue may hold. Names, lengths and defaults are the models' own."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from server.catalogue import models, wordings

Reader = Callable[[str], Any]
Values = Mapping[str, Any]
Rule = Callable[[Values], tuple[str, str] | None]
"""One row's values → the column that does not fit the others, and why."""


class BadCell(ValueError):
    """One cell cannot be used; the message says why, in the words of who filled it."""


def show(value: str) -> str:
    return f"“{value[:40]}{'…' if len(value) > 40 else ''}”"


_ROUNDED = re.compile(r"\d(\.\d+)?[Ee]\+\d+", re.ASCII)


def matching(pattern: str, words: str) -> Reader:
    shape = re.compile(pattern, re.ASCII)

    def read(cell: str) -> str:
        if shape.fullmatch(cell):
            return cell
        hint = (
            "（表格软件把它改写成了科学记数，请先把这一列设为文本）"
            if _ROUNDED.fullmatch(cell)
            else ""
        )
        raise BadCell(f"应是{words}，现在是{show(cell)}{hint}")

    return read


def whole(low: int, high: int) -> Reader:
    def read(cell: str) -> int:
        if re.fullmatch(r"\d{1,6}", cell, re.ASCII) and low <= int(cell) <= high:
            return int(cell)
        raise BadCell(f"应是 {low} 到 {high} 的整数，现在是{show(cell)}")

    return read


_FLAGS = {"是": True, "true": True, "1": True, "否": False, "false": False, "0": False}


def _flag(cell: str) -> bool:
    if (value := _FLAGS.get(cell.lower())) is None:
        raise BadCell(f"应填 是 或 否，现在是{show(cell)}")
    return value


def listed(reader: Reader) -> Reader:
    def read(cell: str) -> list[str]:
        parts = [part for part in (p.strip() for p in re.split("[;；]", cell)) if part]
        for place, part in enumerate(parts):
            reader(part)
            if part in parts[:place]:
                raise BadCell(f"{show(part)}写了两次")
        return parts

    return read


@dataclass(frozen=True)
class Kind:
    """How values of one type stand in a cell and in SQL."""

    sql: str
    read: Reader
    write: Callable[[Any], str] = str


_KINDS: dict[type[fields.Field[Any]], Kind] = {
    fields.CharField: Kind("text", str),
    fields.SmallIntField: Kind("smallint", whole(0, 32767)),
    fields.BooleanField: Kind("boolean", _flag, lambda value: "是" if value else "否"),
    ArrayField: Kind("text[]", listed(matching(r".{1,50}", "最多 50 个字的文字")), ";".join),
}

REGION = matching(r"\d{12}", " 12 位数字的区划代码")
AGENCY = matching(
    r"[0-9A-HJ-NP-RTUWXY]{18}", " 18 位统一社会信用代码（数字和大写字母，没有 I O Z S V）"
)
MATTER = matching(
    r"[0-9A-Za-z]{31}|[0-9A-Za-z]{33}", " 31 位的实施编码或 33 位的业务办理项编码（数字和字母）"
)
PLACE = matching(r"(?!\.+$)[^\s/\\?#%]+", "不含空白和 / \\ ? # % 的编号（它会写进网址）")
NUMBER = matching(r"\S+", "不含空白的编号")
SIGN = matching(r"[^\s【】\[\]]{2,12}", " 2 到 12 个字的短信签名，不带【】和空白")
PURPOSE = matching("|".join(wordings.PURPOSES), f"用途（{'、'.join(wordings.PURPOSES)}）")
TEMPLATE = matching(r"[0-9A-Za-z_-]{1,32}", "服务商给的模板编号（数字和字母）")
TAG = matching(r"[0-9A-Za-z_-]+", "数字和字母的编码")


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    read: Reader
    required: bool
    default: Any
    longest: int | None

    def value(self, cell: str) -> Any:
        """Raises BadCell."""
        if not cell:
            if self.required:
                raise BadCell("不能空着")
            return self.empty()
        if self.longest is not None and len(cell) > self.longest:
            # The shape first: "12 digits" helps more than "too long".
            self.read(cell)
            raise BadCell(f"最多 {self.longest} 个字，现在有 {len(cell)} 个字")
        return self.read(cell)

    def empty(self) -> Any:
        return self.default() if callable(self.default) else self.default

    def cell(self, value: Any) -> str:
        return "" if value is None else self.kind.write(value)


@dataclass(frozen=True)
class Sheet:
    name: str
    model: type[Model]
    key: tuple[str, ...]
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Where a column asks for more than its type."""
    refers: Mapping[str, str] = field(default_factory=dict)
    """Column → the sheet whose code it names."""
    rules: tuple[Rule, ...] = ()
    seat: str = ""
    """A column that is unique together with `code`, beside the key."""

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def columns(self) -> dict[str, Column]:
        own = self.model._meta.fields_map.items()
        return {name: self._column(name, of) for name, of in own if not of.generated}

    def _column(self, name: str, of: fields.Field[Any]) -> Column:
        kind = _KINDS[type(of)]
        read = self.readers.get(name, kind.read)
        longest = getattr(of, "max_length", None)
        return Column(name, kind, read, of.required, of.default, longest)

    def key_of(self, values: Values) -> tuple[Any, ...] | None:
        """None while a part of the key is wrong."""
        key = tuple(values.get(name) for name in self.key)
        return None if None in key else key


def _lead_is_no_co_handler(values: Values) -> tuple[str, str] | None:
    lead = values.get("agency_code")
    if lead and lead in values.get("co_agency_codes", ()):
        return "co_agency_codes", f"牵头部门 {lead} 不能同时是协办部门"
    return None


def _hours_are_a_span(values: Values) -> tuple[str, str] | None:
    first, last = values.get("hour_from"), values.get("hour_to")
    if first is None or last is None or first < last:
        return None
    return "hour_to", f"应晚于 hour_from（{first} 点），现在是 {last} 点"


def _text_fits_its_purpose(values: Values) -> tuple[str, str] | None:
    purpose, text = values.get("purpose"), values.get("text")
    found = list(wordings.faults(purpose, text)) if purpose and text else []
    return ("text", "；".join(found)) if found else None


def _national_code_tells_its_level(values: Values) -> tuple[str, str] | None:
    code, level = values.get("code"), values.get("level")
    if values.get("dictionary") != "national" or not code or not level or code[0] == str(level):
        return None
    return "code", f"国家字典的编码首位就是等级：{code} 不属于等级 {level}"


SHEETS = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            "regions", models.Region, ("code",),
            readers={"code": REGION, "parent_code": REGION},
            refers={"parent_code": "regions"},
        ),
        Sheet(
            "agencies", models.Agency, ("code",),
            readers={"code": AGENCY, "parent_code": AGENCY, "region_code": REGION},
            refers={"region_code": "regions", "parent_code": "agencies"},
        ),
        Sheet(
            "halls", models.Hall, ("code",),
            readers={"code": PLACE, "region_code": REGION, "desk_agency_code": AGENCY},
            refers={"region_code": "regions", "desk_agency_code": "agencies"},
        ),
        Sheet(
            "windows", models.Window, ("agency_code", "code"),
            readers={"code": PLACE, "hall_code": PLACE, "agency_code": AGENCY},
            refers={"hall_code": "halls", "agency_code": "agencies"},
            seat="hall_code",
        ),
        Sheet(
            "officers", models.Officer, ("agency_code", "number"),
            readers={"number": NUMBER, "agency_code": AGENCY},
            refers={"agency_code": "agencies"},
        ),
        Sheet("questionnaires", models.Questionnaire, ("code",), readers={"code": TAG}),
        Sheet(
            "matters", models.Matter, ("code",),
            readers={
                "code": MATTER, "agency_code": AGENCY, "co_agency_codes": listed(AGENCY),
                "questionnaire": TAG,
            },
            refers={
                "agency_code": "agencies", "co_agency_codes": "agencies",
                "questionnaire": "questionnaires",
            },
            rules=(_lead_is_no_co_handler,),
        ),
        Sheet(
            "tags", models.Tag, ("dictionary", "version", "code"),
            readers={"code": TAG, "version": whole(1, 32767), "level": whole(1, 5)},
            rules=(_national_code_tells_its_level,),
        ),
        Sheet(
            "policies", models.Policy, ("region_code",),
            readers={
                "region_code": REGION, "review_days": whole(1, 365), "undo_minutes": whole(0, 1440),
                "contact_days": whole(1, 250), "simple_days": whole(1, 250),
                "complex_days": whole(1, 250), "callback_days": whole(1, 250),
                "extension_days": whole(0, 250), "ask_days": whole(0, 250),
                "ruling_days": whole(1, 250), "supervise_days": whole(1, 250),
                "warn_days": whole(0, 30), "climb_days": whole(1, 30),
                "sample_permille": whole(0, 1000), "repeat_bad": whole(0, 1000),
                "repeat_days": whole(1, 366), "late_days": whole(0, 365),
                "appeal_days": whole(1, 250), "adjudicate_days": whole(1, 250),
                "statement_days": whole(1, 250), "refused_days": whole(1, 250),
                "cannot_days": whole(1, 250), "hard_days": whole(1, 250),
                "objection_days": whole(0, 365), "quick_seconds": whole(0, 3600),
                "quick_many": whole(0, 1000), "same_device": whole(0, 1000),
                "same_phone": whole(0, 1000), "same_person": whole(0, 1000), "same_days": whole(1, 366),
                "burst_count": whole(0, 1000), "burst_minutes": whole(1, 1440),
                "same_words": whole(0, 1000), "undone_bad": whole(0, 1000),
                "insider": whole(0, 1000), "voided_days": whole(0, 366),
                "reissued_hours": whole(0, 720), "trace_days": whole(1, 3650),
                "silence_days": whole(1, 90), "sms_sign": SIGN, "wording": whole(1, 2),
                "invite_minutes": whole(0, 10080), "hour_from": whole(0, 23),
                "hour_to": whole(1, 24), "remind_hours": whole(0, 168),
                "daily_messages": whole(1, 3), "question_hours": whole(1, 24),
                "reason_hours": whole(1, 24), "message_days": whole(1, 3650),
                "message_price": whole(0, 1000),
            },
            refers={"region_code": "regions"},
            rules=(_hours_are_a_span,),
        ),
        Sheet(
            "wordings", models.Wording, ("region_code", "purpose", "variant"),
            readers={
                "region_code": REGION, "purpose": PURPOSE, "variant": whole(1, 2),
                "template_code": TEMPLATE,
            },
            refers={"region_code": "regions"},
            rules=(_text_fits_its_purpose,),
        ),
    )
}  # fmt: skip
"""In the order in which one fills them: a sheet refers to those above it."""
