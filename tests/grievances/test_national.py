"""The national complaint platform: cases come in by file, answers go back by file."""

import csv
import io
from datetime import date
from typing import Any

import pytest
from factories import DESK, HOUSING, LABOUR_MATTER, City
from workorders.standing import MONDAY, member, set_clock

from server.grievances import national
from server.grievances.national import COLUMNS, FileMistakes, Mistake
from server.kit import sql
from server.people.models import Staff
from server.workorders import merging, service
from server.workorders.rules import Disposition

HEAD = ",".join(COLUMNS)
ONE = f"GJ-1,2026-09-01,申请公租房三个月没有答复,王小明,13900001111,是,,{HOUSING},"
TWO = f"GJ-2,2026-09-02,社保卡一直办不下来,,,,{LABOUR_MATTER},,"
THREE = "GJ-3,2026-09-03,大厅早上不开门,,13900002222,否,,,H1"


@pytest.fixture(autouse=True)
def morning(city: City) -> None:
    set_clock(MONDAY)


def a_file(*lines: str, head: str = HEAD) -> bytes:
    return "\r\n".join([head, *lines]).encode()


async def stored() -> list[Any]:
    return await sql.fetch(
        "SELECT g.*, o.agency_code AS lead, o.first_asked_id FROM grievances g "
        "JOIN work_orders o ON o.number = g.order_number ORDER BY external_number"
    )


async def mistakes(data: bytes, by: str = "desk") -> list[Mistake]:
    with pytest.raises(FileMistakes) as caught:
        await national.bring_in(data, by)
    assert await stored() == []
    assert "什么都没有导入" in caught.value.detail
    return caught.value.mistakes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_every_line_becomes_an_order_with_its_operator(encoding: str) -> None:
    data = a_file(ONE, TWO, THREE).decode().encode(encoding)
    brought = await national.bring_in(data, "desk")
    rows, clerk = await stored(), await Staff.get(username="desk")
    assert [row["order_number"] for row in rows] == brought.new
    assert {(row["source"], row["entered_by"], row["first_asked_id"]) for row in rows} == {
        ("national", clerk.id, clerk.id)
    }
    assert [row["real_name"] for row in rows] == [True, False, False]
    assert [row["came_on"] for row in rows] == [date(2026, 9, day) for day in (1, 2, 3)]
    assert rows[0]["lead"] == HOUSING and rows[2]["lead"] == DESK


async def test_the_same_file_again_changes_nothing(city: City) -> None:
    first = await national.bring_in(a_file(ONE, TWO), "desk")
    before = await stored()
    again = await national.bring_in(
        a_file(ONE, TWO.replace("一直办不下来", "办好了"), THREE), "handler"
    )
    assert (len(first.new), len(again.new), again.known, again.differ) == (2, 1, 2, ["GJ-2"])
    assert [dict(row) for row in (await stored())[:2]] == [dict(row) for row in before]


async def test_every_mistake_is_named_by_its_row_and_column_and_nothing_comes_in() -> None:
    data = a_file(
        ONE,
        ",2026-09-31,,王,123,也许,000,9,H9",
        TWO.replace("GJ-2", "GJ-1"),
        f"GJ-5,2027-01-01,{'字' * 1001},,,是,,,",
        "GJ-6,2026-09-01,短,,,,,,,多了一格",
        f"{'9' * 65},2026-09-01,内容,,,,,,",
    )
    found = {(m.row, m.column) for m in await mistakes(data)}
    assert found >= {
        (3, "单号"), (3, "内容"), (3, "来件日期"), (3, "实名"), (3, "大厅编码"), (4, "单号"), (5, "来件日期"),
        (6, ""), (7, "单号"),
    }  # fmt: skip
    assert {row for row, _ in found} == {3, 4, 5, 6, 7}


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        (b"", 0, "空"), (a_file("x", head="单号,内容"), 1, "缺这一列"),
        (a_file(ONE, head=HEAD.replace("姓名", "名字")), 1, "不认识这一列"),
        (a_file(ONE, head=HEAD.replace("姓名", "单号")), 1, "出现了两次"),
        (a_file(ONE) + b'\r\n"', 3, "引号"), (b"\xef\xbb\xbf\xff\xfe", 1, "编码"),
        (a_file("GJ-1,2026-09-01,a\0b,,,,,,"), 2, ""),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 4, "编码"),
    ],
)  # fmt: skip
async def test_a_file_that_is_no_such_table_is_refused_with_the_place(
    data: bytes, row: int, words: str
) -> None:
    found = await mistakes(data)
    assert found[0].row == row and any(words in mistake.detail for mistake in found)


async def test_the_rules_of_the_other_doors_hold_for_a_line() -> None:
    found = await mistakes(a_file(
        ONE.replace("13900001111", ""), THREE.replace("13900002222", "12"),
        TWO.replace(LABOUR_MATTER, "999"),
    ))  # fmt: skip
    assert [(m.row, m.column) for m in found] == [(2, "电话"), (3, "电话"), (4, "事项编码")]


@pytest.mark.parametrize("by", ["auditor", "nobody", "gone"])
async def test_only_a_clerk_who_works_here_brings_them_in(by: str) -> None:
    await Staff.filter(username="other").update(username="gone", active=False)
    with pytest.raises(national.UnknownOperator):
        await national.bring_in(a_file(ONE), by)
    assert await stored() == []


async def test_the_answers_go_back_without_the_citizen() -> None:
    brought = await national.bring_in(a_file(ONE, TWO, THREE), "desk")
    handler, lead = await member("handler"), await member("lead")
    number = brought.new[0]
    await service.accept(handler, number)
    await service.answer(
        handler, number, disposition=Disposition.FIXED, text="=已安排配租", legal_basis="内部"
    )
    await merging.merge(lead, number, into=await _another(number))
    data = await national.answers(MONDAY.date())
    (_, first, *rest) = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
    assert first[:5] == ["GJ-1", number, "办理中", "住房保障局", "2026-09-07"]
    assert [row[0] for row in rest] == ["GJ-2", "GJ-3"] and {row[2] for row in rest} == {"待受理"}
    text = data.decode("utf-8-sig")
    assert "王小明" not in text and "13900001111" not in text and "内部" not in text
    assert (await national.answers(date(2026, 9, 8))).decode("utf-8-sig").count("\n") == 1


async def test_an_answer_is_guarded_against_a_spreadsheet(city: City) -> None:
    (number,) = (await national.bring_in(a_file(ONE), "desk")).new
    handler = await member("handler")
    await service.accept(handler, number)
    await service.answer(
        handler, number, disposition=Disposition.FIXED, text="=已安排配租", legal_basis=None
    )
    rows = list(
        csv.reader(io.StringIO((await national.answers(MONDAY.date())).decode("utf-8-sig")))
    )
    assert rows[1][2] == "已答复" and rows[1][6:9] == ["2026-09-07", "已整改", "'=已安排配租"]


async def _another(number: str) -> str:
    brought = await national.bring_in(
        a_file(ONE.replace("GJ-1", "GJ-0").replace("13900001111", "13900009999")), "handler"
    )
    await sql.fetch("DELETE FROM call_backs WHERE order_number = $1", brought.new[0])
    await service.accept(await member("handler"), brought.new[0])
    await sql.fetch(
        "UPDATE grievances SET external_number = NULL WHERE order_number = $1", brought.new[0]
    )
    return brought.new[0]
