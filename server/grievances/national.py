"""国家投诉与建议平台: its cases come in by file, all of them or none, and the answers go back by file."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from server.catalogue import spreadsheet
from server.catalogue.service import catalogue
from server.grievances import about, service
from server.grievances.models import Grievance
from server.grievances.rules import Channel, Source, TicketKnown
from server.grievances.service import Entry
from server.kit import sql
from server.kit.clock import BEIJING, clock
from server.kit.errors import Fault, Invalid
from server.kit.transaction import transaction
from server.people.models import Staff
from server.people.rules import SEES_ORDERS, Role
from server.workorders.rules import STATE_NAMES, Disposition, Outcome, State

SHOWN = 1000
"""Mistakes that are listed one by one."""
OLDEST = timedelta(days=366)
NUMBER, DAY, WORDS, NAME, PHONE, REAL, MATTER, AGENCY, HALL = (
    "单号", "来件日期", "内容", "姓名", "电话", "实名", "事项编码", "部门编码", "大厅编码",
)  # fmt: skip
NEEDED = (NUMBER, DAY, WORDS)
COLUMNS = (*NEEDED, NAME, PHONE, REAL, MATTER, AGENCY, HALL)
_LONGEST = {NUMBER: 64, NAME: 100, PHONE: 24, MATTER: 33, AGENCY: 18, HALL: 32}
_COLUMN_OF = {
    "text": WORDS, "contact.phone": PHONE, "matter_code": MATTER, "agency_code": AGENCY, "hall_code": HALL,
}  # fmt: skip
_YES = {"是": True, "否": False, "": False}


class Mistake(NamedTuple):
    row: int
    """As a spreadsheet shows it; 0 is the file itself."""
    column: str
    detail: str

    def __str__(self) -> str:
        where = (self.row and f"第 {self.row} 行", self.column)
        return f"{' '.join(part for part in where if part)}：{self.detail}".removeprefix("：")


class FileMistakes(Invalid):
    code = "file_mistakes"
    title = "文件里有错，什么都没有导入"

    def __init__(self, found: list[Mistake]) -> None:
        self.mistakes = found[:SHOWN]
        faults = [Fault(f"{m.row}.{m.column}", "mistake", m.detail) for m in self.mistakes]
        super().__init__(
            f"共有 {len(found)} 处错，什么都没有导入。第一处：{found[0]}", errors=faults
        )


class UnknownOperator(Invalid):
    code = "unknown_operator"
    title = "没有这个在岗的经办人、部门负责人或督办员账号"


@dataclass
class Brought:
    new: list[str] = field(default_factory=list)
    """Numbers of the orders that were opened."""
    known: int = 0
    """Lines whose case is here already."""
    differ: list[str] = field(default_factory=list)
    """Of these the cases that now say something else: what is here stays as it is."""


async def bring_in(data: bytes, by: str) -> Brought:
    """One transaction; raises FileMistakes with every mistake of the file."""
    operator = await _operator(by)
    entries = _read(data, operator.id)
    brought = Brought()
    async with transaction():
        stored = {
            g.external_number: g for g in await Grievance.filter(
                source=Source.NATIONAL, external_number__in=[e.external_number for e in entries]
            )
        }  # fmt: skip
        for entry in entries:
            if known := stored.get(entry.external_number):
                brought.known += 1
                if known.words != entry.words:
                    brought.differ.append(entry.external_number or "")
                continue
            try:
                brought.new.append((await service.take(entry)).order.number)
            except TicketKnown:  # another import is a moment ahead of this one
                brought.known += 1
    return brought


async def _operator(username: str) -> Staff:
    staff = await Staff.get_or_none(username=username, active=True)
    if staff is None or Role(staff.role) not in SEES_ORDERS:
        raise UnknownOperator
    return staff


# Reading


def _read(data: bytes, operator_id: int) -> list[Entry]:
    try:
        rows = list(spreadsheet.rows(spreadsheet.decode(data)))
    except spreadsheet.Unreadable as error:
        raise FileMistakes([Mistake(error.row, "", error.detail)]) from None
    if not rows:
        raise FileMistakes([Mistake(0, "", "文件是空的")])
    heads = rows[0][1]
    if found := list(_wrong_heads(heads)):
        raise FileMistakes(found)
    entries, mistakes = [], []
    seen: dict[str, int] = {}
    for number, cells in rows[1:]:
        row = _Row(number, dict(zip(heads, cells, strict=False)))
        if len(cells) > len(heads):
            row.note("", f"这一行有 {len(cells)} 格，表头只有 {len(heads)} 格")
        entry = row.entry(operator_id)
        first = seen.setdefault(row.cell(NUMBER), number)
        if row.cell(NUMBER) and first != number:
            row.note(NUMBER, f"和第 {first} 行的单号相同")
        mistakes += row.mistakes
        if entry:
            entries.append(entry)
    if mistakes:
        raise FileMistakes(mistakes)
    return entries


def _wrong_heads(heads: list[str]) -> Iterator[Mistake]:
    for name in NEEDED:
        if name not in heads:
            yield Mistake(1, name, "缺这一列")
    for place, name in enumerate(heads):
        if name not in COLUMNS:
            yield Mistake(1, name, f"不认识这一列；可以有的列是 {'、'.join(COLUMNS)}")
        elif name in heads[:place]:
            yield Mistake(1, name, "这一列出现了两次")


@dataclass
class _Row:
    number: int
    cells: dict[str, str]
    mistakes: list[Mistake] = field(default_factory=list)

    def note(self, column: str, detail: str) -> None:
        self.mistakes.append(Mistake(self.number, column, detail))

    def cell(self, name: str) -> str:
        return self.cells.get(name, "").strip()

    def entry(self, operator_id: int) -> Entry | None:
        """Checked by every rule that the other doors have; None if something is wrong."""
        for name in NEEDED:
            if not self.cell(name):
                self.note(name, "不能空")
        for name, most in _LONGEST.items():
            if len(self.cell(name)) > most:
                self.note(name, f"最多 {most} 字")
            elif not self.cell(name).isprintable():
                self.note(name, "含有看不见的字符")
        if "\0" in self.cell(WORDS):
            self.note(WORDS, "含有空字符")
        came_on, real_name = self._day(), self._yes(REAL)
        found = self._about()
        if found is None or self.mistakes:
            return None
        try:
            return service.checked(Entry(
                source=Source.NATIONAL, words=self.cell(WORDS), about=found,
                contact_name=self.cell(NAME), contact_phone=self.cell(PHONE) or None,
                real_name=real_name, channel=Channel.WEB, entered_by=operator_id,
                first_asked_id=operator_id, external_number=self.cell(NUMBER), came_on=came_on,
            ))  # fmt: skip
        except Invalid as refusal:
            self._refused(refusal)
            return None

    def _day(self) -> date | None:
        try:
            day = date.fromisoformat(self.cell(DAY))
        except ValueError:
            if self.cell(DAY):
                self.note(DAY, "日期请写成 2026-03-31 这样")
            return None
        today = clock.now().astimezone(BEIJING).date()
        if not today - OLDEST <= day <= today:
            self.note(DAY, "不能晚于今天，也不能早于一年前")
        return day

    def _yes(self, name: str) -> bool:
        if self.cell(name) not in _YES:
            self.note(name, "请写“是”或“否”")
        return _YES.get(self.cell(name), False)

    def _about(self) -> about.About | None:
        try:
            return about.find(
                self.cell(HALL) or None, None, self.cell(MATTER) or None, self.cell(AGENCY) or None
            )
        except Invalid as refusal:
            self._refused(refusal)
            return None

    def _refused(self, refusal: Invalid) -> None:
        for fault in refusal.errors:
            self.note(_COLUMN_OF.get(fault.field, fault.field), fault.detail)
        if not refusal.errors:
            self.note("", refusal.detail)


# Giving back


HEADS = (
    "单号", "工单编号", "状态", "承办部门", "登记日期", "答复期限", "答复日期", "处理结果", "答复",
    "办结日期", "群众评价",
)  # fmt: skip
_RESULTS: dict[str, str] = {Disposition.FIXED: "已整改", Disposition.EXPLAINED: "解释说明"}
_VERDICTS: dict[str, str] = {
    Outcome.CONTENT: "认可",
    Outcome.SILENT: "到期未反馈",
    Outcome.RULED: "督办裁定",
}
# A merged one is answered by the order into which it went.
_CASES = """
SELECT g.external_number, g.order_number, g.at, o.state, o.outcome, o.agency_code, o.due_at, o.closed_at,
  a.at AS answered_at, a.words, a.disposition
FROM grievances g JOIN work_orders own ON own.number = g.order_number
JOIN work_orders o ON o.number = coalesce(own.merged_into, own.number)
LEFT JOIN LATERAL (SELECT s.at, s.words, s.disposition FROM work_order_steps s
  WHERE s.order_id = o.number AND s.move = 'answer' ORDER BY s.id DESC LIMIT 1) a ON TRUE
WHERE g.source = $1 AND g.external_number IS NOT NULL AND (g.at >= $2 OR EXISTS (
  SELECT 1 FROM work_order_steps s WHERE s.order_id IN (o.number, own.number) AND s.at >= $2))
ORDER BY g.at, g.external_number
"""


async def answers(since: date) -> bytes:
    """CSV of the cases on which something has happened since that day. Nothing of the citizen is in it."""
    start = datetime.combine(since, datetime.min.time(), BEIJING)
    rows = await sql.fetch(_CASES, Source.NATIONAL, start)
    return spreadsheet.write([HEADS, *(_case(row) for row in rows)])


def _case(row: Any) -> list[str]:
    return [
        row["external_number"], row["order_number"], STATE_NAMES[State(row["state"])],
        catalogue().agency_name(row["agency_code"]), _day(row["at"]), _day(row["due_at"]),
        _day(row["answered_at"]), _RESULTS.get(row["disposition"] or "", ""), row["words"] or "",
        _day(row["closed_at"]), _VERDICTS.get(row["outcome"] or "", ""),
    ]  # fmt: skip


def _day(at: datetime | None) -> str:
    return at.astimezone(BEIJING).date().isoformat() if at else ""
