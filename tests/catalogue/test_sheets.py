import csv
import io
import re
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from server import database
from server.catalogue import service, sheets, spreadsheet
from server.catalogue.columns import SHEETS
from server.catalogue.filled import Mistake, Mistakes
from server.catalogue.models import Agency, Hall, Matter, Officer, Policy, Region, Tag, Window
from server.catalogue.sheets import Counts, Imported, export_sheets, import_sheets, national_tags
from server.kit import sql

PROVINCE, CITY, COUNTY = "330000000000", "330100000000", "330106000000"
BUREAU, OFFICE, DESK = "11330100MB1234567X", "11330100MB7654321A", "11330100MB0000001D"
MATTER = "1133010000000000000000000000001"

CITY_FILES = {
    "regions": f"code,name,parent_code\n{PROVINCE},浙江省,\n{CITY},杭州市,{PROVINCE}\n",
    "agencies": f"""code,name,region_code,parent_code,active
{BUREAU},市市场监管局,{CITY},,是
{OFFICE},市公安局,{CITY},,true
{DESK},市政务服务办,{CITY},,1
""",
    "halls": f"code,name,region_code,desk_agency_code,address\nH1,市民中心,{CITY},{DESK},解放东路\n"
    f"H2,西湖中心,{CITY},{DESK},\n",
    "windows": "code,hall_code,agency_code,name\n"
    f"A1,H1,{BUREAU},综合窗口\nA2,H1,{OFFICE},户籍窗口\n",
    "officers": f"number,agency_code,name\n330100-0042,{BUREAU},王芳\n",
    "matters": "code,name,kind,legal_basis,agency_code,co_agency_codes,channels\n"
    f"{MATTER},个体工商户设立,行政许可,条例第八条,{BUREAU},{OFFICE};{DESK},窗口;短信\n"
    f"{MATTER}01,户口迁移,,,,,\n",
    "tags": "code,level,text,primary\n207,2,没有提供材料样本,是\n",
    "policies": f"region_code,review_days,default_rating\n{CITY},10,是\n",
}


def files(**changed: str) -> dict[str, bytes]:
    return {name: text.encode() for name, text in {**CITY_FILES, **changed}.items()}


async def load(given: Mapping[str, bytes]) -> Imported:
    return await import_sheets(given, by="tester")


async def mistakes_of(**changed: str) -> list[Mistake]:
    """Of these sheets alone, on top of the city."""
    await load(files())
    return await refused({name: text.encode() for name, text in changed.items()})


async def refused(given: Mapping[str, bytes]) -> list[Mistake]:
    before = await everything()
    with pytest.raises(Mistakes) as refusal:
        await load(given)
    assert await everything() == before, "nothing of it may be stored"
    return refusal.value.mistakes


async def everything() -> dict[str, list[tuple[Any, ...]]]:
    tables = [*(sheet.table for sheet in SHEETS.values()), "beacons"]
    return {t: [tuple(r) for r in await sql.fetch(f"SELECT * FROM {t} ORDER BY 1")] for t in tables}


pytestmark = pytest.mark.usefixtures("db")


@pytest_asyncio.fixture
async def other(postgres: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else's connection."""
    wanted = ("host", "port", "user", "database")
    where = {k: v for k, v in database.credentials(postgres).items() if k in wanted}
    connection = await asyncpg.connect(**where)
    yield connection
    await connection.close()


async def test_a_city_is_imported_whole() -> None:
    done = await load(files())
    assert done.by == "tester"
    assert done.sheets == {
        "regions": Counts(2, 2, 0), "agencies": Counts(3, 3, 0), "halls": Counts(2, 2, 0),
        "windows": Counts(2, 2, 0), "officers": Counts(1, 1, 0), "matters": Counts(2, 2, 0),
        "tags": Counts(1, 1, 0), "policies": Counts(1, 1, 0),
    }  # fmt: skip
    assert (await Region.get(code=CITY)).parent_code == PROVINCE
    assert (await Region.get(code=PROVINCE)).parent_code is None
    assert (await Agency.get(code=OFFICE)).active
    assert (await Hall.get(code="H2")).address == ""
    assert (await Window.get(code="A2")).agency_code == OFFICE
    assert (await Officer.get(number="330100-0042")).name == "王芳"
    matter = await Matter.get(code=MATTER)
    assert (matter.co_agency_codes, matter.channels) == ([OFFICE, DESK], ["窗口", "短信"])
    bare = await Matter.get(code=f"{MATTER}01")
    assert (bare.agency_code, bare.kind, bare.co_agency_codes, bare.active) == (None, "", [], True)
    tag = await Tag.get(code="207")
    assert (tag.dictionary, tag.version, tag.primary) == ("national", 2, True)
    policy = await Policy.get(region_code=CITY)
    assert (policy.review_days, policy.simple_days, policy.default_rating) == (10, 5, True)


async def test_an_import_raises_the_beacon_once_and_the_snapshot_sees_it() -> None:
    await load(files())
    (row,) = await sql.fetch("SELECT value FROM beacons WHERE name = $1", service.BEACON)
    assert row["value"] == 1
    assert (await service.load()).matters.keys() == {MATTER, f"{MATTER}01"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_every_encoding_and_line_end_of_spreadsheet_programs_is_read(
    encoding: str, newline: str
) -> None:
    text = CITY_FILES["regions"].replace("杭州市", "杭州市𠮷").replace("\n", newline)
    await load({"regions": text.encode(encoding)})
    assert (await Region.get(code=CITY)).name == "杭州市𠮷"


async def test_columns_come_in_any_order_and_blank_lines_do_not_count() -> None:
    text = f"name,,code\n\n浙江省,,{PROVINCE}\n,,\n \n杭州市,,{CITY}"
    assert (await load({"regions": text.encode()})).sheets == {"regions": Counts(2, 2, 0)}


async def test_the_same_sheets_again_change_nothing() -> None:
    await load(files())
    before = await everything()
    again = await load(files())
    assert {(c.added, c.changed) for c in again.sheets.values()} == {(0, 0)}
    after = await everything()
    assert {**after, "beacons": before["beacons"]} == before


async def test_rows_that_a_sheet_does_not_name_stay_and_those_it_names_are_changed() -> None:
    await load(files())
    text = f"code,name,region_code,active\n{OFFICE},市公安局,{CITY},否\n"
    assert (await load({"agencies": text.encode()})).sheets["agencies"] == Counts(1, 0, 1)
    assert await Agency.all().order_by("code").values_list("code", "active") == [
        (DESK, True),
        (BUREAU, True),
        (OFFICE, False),
    ]
    assert OFFICE not in (await service.load()).agencies


async def test_a_column_that_is_left_out_keeps_what_is_stored_and_an_empty_cell_does_not() -> None:
    await load(files())
    await load({"matters": f"code,name,kind\n{MATTER},新名称,\n".encode()})
    matter = await Matter.get(code=MATTER)
    assert (matter.name, matter.kind, matter.legal_basis) == ("新名称", "", "条例第八条")
    assert (matter.agency_code, matter.co_agency_codes) == (BUREAU, [OFFICE, DESK])


async def test_a_lead_agency_is_checked_against_stored_co_handlers() -> None:
    text = f"code,name,agency_code\n{MATTER},个体工商户设立,{OFFICE}\n"
    (mistake,) = await mistakes_of(matters=text)
    assert mistake[:3] == ("matters", 2, "co_agency_codes")


async def test_what_is_exported_is_imported_again_to_the_same_rows() -> None:
    await load(files())
    await load({"tags": national_tags()})
    before = await everything()
    exported = await export_sheets()
    assert list(exported) == list(SHEETS)
    assert all(data.startswith(b"\xef\xbb\xbf") for data in exported.values())
    assert all(data.count(b"\n") == data.count(b"\r\n") for data in exported.values())
    again = await load(exported)
    assert {(c.added, c.changed) for c in again.sheets.values()} == {(0, 0)}
    await sql.fetch(f"TRUNCATE {', '.join(sheet.table for sheet in SHEETS.values())}")
    await load(exported)
    assert await export_sheets() == exported
    assert {t: len(rows) for t, rows in (await everything()).items()} == {
        t: len(rows) for t, rows in before.items()
    }


async def test_an_export_of_nothing_is_headers_that_import_to_nothing() -> None:
    exported = await export_sheets()
    assert {c.read for c in (await load(exported)).sheets.values()} == {0}


FORMULAS = ["=1+1", "+8613800138000", "-1", "@SUM(A1)", "＝1", "'=1", "''@x", "'quoted'", "a=b"]


@pytest.mark.parametrize("name", FORMULAS)
async def test_a_name_that_looks_like_a_formula_is_guarded_outside_and_unchanged_inside(
    name: str,
) -> None:
    await Region.create(code=PROVINCE, name=name)
    data = (await export_sheets())["regions"]
    (cell,) = [row["name"] for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))]
    assert cell[0] not in "=+-@＝"
    assert (cell != name) == bool(re.match(r"'*[=+\-@＝]", name))
    await Region.filter(code=PROVINCE).delete()
    await load({"regions": data})
    assert (await Region.get(code=PROVINCE)).name == name


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["C"])), min_size=1)))
def test_whatever_is_written_is_read_back(table: list[list[str]]) -> None:
    text = spreadsheet.decode(spreadsheet.write(table))
    plain = [[cell.strip() for cell in cells] for cells in table]
    assert [cells for _, cells in spreadsheet.rows(text)] == [
        cells for cells in plain if any(cells)
    ]


async def test_one_bad_row_in_the_last_sheet_and_nothing_at_all_is_imported() -> None:
    bad = files(policies=f"region_code,review_days\n{CITY},10\n{PROVINCE},0\n")
    assert await refused(bad) == [
        Mistake("policies", 3, "review_days", "应是 1 到 365 的整数，现在是“0”")
    ]
    assert not await Region.all()


async def test_a_failure_while_writing_leaves_nothing_behind(other: asyncpg.Connection) -> None:
    before = await everything()
    await other.execute("BEGIN; LOCK TABLE policies IN SHARE MODE")
    with pytest.raises((TimeoutError, asyncpg.QueryCanceledError)):
        await load(files())
    assert await everything() == before


AGENCY_HEAD = "code,name,region_code,parent_code"
HALL_HEAD = "code,name,region_code,desk_agency_code"
WINDOW_HEAD = "code,hall_code,agency_code,name"
MATTER_HEAD = "code,name,agency_code,co_agency_codes"
TAG_HEAD = "dictionary,version,code,level,text,primary"
UNKNOWN = "999999999999"


@pytest.mark.parametrize(
    ("sheet", "text", "row", "column", "words"),
    [
        ("regions", "", 1, "", "表是空的.*code,name,parent_code"),
        ("regions", "\n\n", 1, "", "表是空的"),
        ("regions", "code,name,colour\n", 1, "colour", "没有“colour”这一列.*parent_code"),
        ("regions", "code,name,code\n", 1, "code", "两次"),
        ("regions", "code\n", 1, "name", "缺少这一列"),
        ("regions", "code;name\n", 1, "", "英文逗号.*“code;name”"),
        ("regions", "code\tname\n", 1, "", "英文逗号"),
        ("regions", f"code,name\n{CITY},\n", 2, "name", "不能空着"),
        ("regions", f"code,name\n{CITY},　\n", 2, "name", "不能空着"),
        ("regions", f"code,name\n{CITY}\n", 2, "name", "不能空着"),
        ("regions", f"code,name\n{CITY},杭州,多\n", 2, "", "第 3 格“多”上面没有列名"),
        ("regions", "code,name\n3301,杭州\n", 2, "code", "12 位数字.*“3301”"),
        ("regions", "code,name\n3.301E+11,杭州\n", 2, "code", "科学记数"),
        ("regions", "code,name\n３３０１００００００００,杭州\n", 2, "code", "12 位数字"),
        ("regions", f"code,name\n{CITY},{'杭' * 101}\n", 2, "name", "最多 100 个字，现在有 101"),
        ("regions", f"code,name\n{CITY},杭\0州\n", 2, "name", r"第 2 个字是空字符（U\+0000）"),
        ("regions", f'code,name\n{CITY},"杭\n州"\n', 2, "name", "换行"),
        ("regions", f"code,name\n{CITY},杭\x1b州\n", 2, "name", r"控制字符（U\+001B）"),
        ("regions", f"code,name\n{CITY},杭\u202e州\n", 2, "name", r"U\+202E"),
        ("regions", f"code,name\n{CITY},杭\ufffd州\n", 2, "name", "乱码"),
        ("regions", f'code,name\n\n{CITY},"杭州\n', 3, "", "引号没有配对"),
        ("regions", f'code,name\n{CITY},"杭"州\n', 2, "", "引号没有配对"),
        ("regions", f'code,name\n{CITY},"{"杭" * 140_000}"\n', 2, "", "引号没有配对"),
        ("regions", f"code,name\n{CITY},甲\n\n{CITY},乙\n", 4, "code", f"{CITY} 与第 2 行重复"),
        ("regions", f"code,name,parent_code\n{CITY},杭州,{UNKNOWN}\n", 2, "parent_code", UNKNOWN),
        ("regions", f"code,name,parent_code\n{CITY},杭州,{CITY}\n", 2, "parent_code", "自己"),
        (
            "regions", f"code,name,parent_code\n{PROVINCE},浙江,{CITY}\n", 2, "parent_code",
            f"一圈：{PROVINCE} → {CITY} → {PROVINCE}",
        ),
        ("agencies", f"{AGENCY_HEAD}\n11330100MB123456IO,局,{CITY},\n", 2, "code", "I O Z S V"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU.lower()},局,{CITY},\n", 2, "code", "大写字母"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU},局,{UNKNOWN},\n", 2, "region_code", "regions.csv"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU},局,,\n", 2, "region_code", "不能空着"),
        ("agencies", f"{AGENCY_HEAD}\n{BUREAU},局,{CITY},{BUREAU}\n", 2, "parent_code", "自己"),
        ("agencies", f"code,name,region_code,active\n{BUREAU},局,{CITY},停\n", 2, "active", "“停”"),
        ("halls", f"{HALL_HEAD}\nH9,厅,{UNKNOWN},{DESK}\n", 2, "region_code", UNKNOWN),
        ("halls", f"{HALL_HEAD}\nH9,厅,{CITY},{BUREAU[:-1]}2\n", 2, "desk_agency_code", "agencies"),
        ("halls", f"{HALL_HEAD}\nH/9,厅,{CITY},{DESK}\n", 2, "code", "网址"),
        ("halls", f"{HALL_HEAD}\n..,厅,{CITY},{DESK}\n", 2, "code", "网址"),
        ("windows", f"{WINDOW_HEAD}\nA9,H9,{BUREAU},窗\n", 2, "hall_code", "H9.*halls.csv"),
        ("windows", f"{WINDOW_HEAD}\nA9,H1,{BUREAU[:-1]}2,窗\n", 2, "agency_code", "agencies.csv"),
        (
            "windows", f"{WINDOW_HEAD}\nA9,H1,{BUREAU},窗\nA9,H2,{BUREAU},窗\n", 3, "code",
            "A9 与第 2 行重复",
        ),
        (
            "windows", f"{WINDOW_HEAD}\nA9,H1,{BUREAU},窗\nA9,H1,{OFFICE},窗\n", 3, "code",
            f"大厅 H1 的窗口编号 A9 已经属于第 2 行部门 {BUREAU}",
        ),
        (
            "windows", f"{WINDOW_HEAD}\nA1,H1,{OFFICE},窗\n", 2, "code",
            f"大厅 H1 的窗口编号 A1 已经属于系统里已有的部门 {BUREAU}",
        ),
        ("officers", f"number,agency_code,name\n1 2,{BUREAU},王\n", 2, "number", "空白"),
        ("officers", f"number,agency_code,name\n1,{BUREAU[:-1]}2,王\n", 2, "agency_code", "既不"),
        (
            "officers", f"number,agency_code,name\n1,{BUREAU},王\n1,{BUREAU},李\n", 3, "number",
            f"{BUREAU}、1 与第 2 行重复",
        ),
        ("matters", f"{MATTER_HEAD}\n{MATTER}0,事,,\n", 2, "code", "31 位.*33 位"),
        ("matters", f"{MATTER_HEAD}\n1.13301E+30,事,,\n", 2, "code", "科学记数"),
        ("matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU[:-1]}2,\n", 2, "agency_code", "agencies"),
        (
            "matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU},{OFFICE};{BUREAU[:-1]}2\n", 2,
            "co_agency_codes", f"^{BUREAU[:-1]}2 既不在",
        ),
        (
            "matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU},{OFFICE};{OFFICE}\n", 2,
            "co_agency_codes", f"{OFFICE}”写了两次",
        ),
        (
            "matters", f"{MATTER_HEAD}\n{MATTER},事,{BUREAU},{OFFICE}；{BUREAU}\n", 2,
            "co_agency_codes", "不能同时是协办部门",
        ),
        ("tags", f"{TAG_HEAD}\nnational,2,607,6,词,是\n", 2, "level", "1 到 5 .*“6”"),
        ("tags", f"{TAG_HEAD}\n,,107,2,词,是\n", 2, "code", "107 不属于等级 2"),
        ("tags", f"{TAG_HEAD}\nnational,0,107,1,词,是\n", 2, "version", "1 到"),
        ("tags", f"{TAG_HEAD}\nlocal,1,L1,2,词,对\n", 2, "primary", "是 或 否"),
        ("tags", f"{TAG_HEAD}\nlocal,1,L1,2,词,\nlocal,1,L1,2,词,\n", 3, "code", "L1 与第 2 行"),
        ("policies", f"region_code,review_days\n{UNKNOWN},7\n", 2, "region_code", UNKNOWN),
        ("policies", f"region_code,undo_minutes\n{CITY},1441\n", 2, "undo_minutes", "0 到 1440"),
        ("policies", f"region_code,contact_days\n{CITY},0\n", 2, "contact_days", "1 到 250"),
        ("policies", f"region_code,complex_days\n{CITY},251\n", 2, "complex_days", "1 到 250"),
        ("policies", f"region_code,silence_days\n{CITY},91\n", 2, "silence_days", "1 到 90"),
        ("policies", f"region_code,simple_days\n{CITY},3.5\n", 2, "simple_days", "整数"),
        ("people", "code\n", 0, "", "没有这张表；可以导入的表有 regions、"),
    ],
)  # fmt: skip
async def test_a_mistake_is_named_with_its_sheet_row_and_column(
    sheet: str, text: str, row: int, column: str, words: str
) -> None:
    found = await mistakes_of(**{sheet: text})
    assert [mistake[:3] for mistake in found] == [(sheet, row, column)], found
    assert re.search(words, found[0].detail), found[0].detail


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        ("编码,名称".encode("utf-16"), 1, "既不是 UTF-8 也不是 GB18030.*第 1 个字节是 0xFF"),
        (b"code,name\n1,\xff\n", 2, "第 13 个字节是 0xFF"),
        (
            "code,name\n1,杭州市政府".encode() + b"\xe6\n",
            2,
            "UTF-8 编码有损坏.*第 28 个字节是 0xE6",
        ),
        (b"\xef\xbb\xbfcode,\xc1\xab\n", 1, "UTF-8 编码有损坏.*第 9 个字节是 0xC1"),
    ],
)
async def test_bytes_that_are_no_text_are_named(data: bytes, row: int, words: str) -> None:
    (mistake,) = await refused({"regions": data})
    assert mistake.row == row
    assert re.search(words, mistake.detail), mistake.detail


async def test_every_mistake_of_every_sheet_is_told_at_once_in_order() -> None:
    found = await refused(
        files(
            agencies=f"{AGENCY_HEAD}\n{BUREAU},局,{UNKNOWN},\n{OFFICE},,{CITY},\n{DESK},办,{CITY},\n",
            matters=f"{MATTER_HEAD}\n{MATTER},,{BUREAU},x\n",
        )
    )
    assert [mistake[:3] for mistake in found] == [
        ("agencies", 2, "region_code"),
        ("agencies", 3, "name"),
        ("matters", 2, "name"),
        ("matters", 2, "co_agency_codes"),
    ]


async def test_a_row_with_a_mistake_still_counts_for_those_that_refer_to_it() -> None:
    found = await refused(files(agencies=CITY_FILES["agencies"].replace("市公安局", "")))
    assert [mistake[:3] for mistake in found] == [("agencies", 3, "name")]


async def test_a_thousand_mistakes_are_shown_and_the_others_counted() -> None:
    text = "code,name\n" + "x,名\n" * 1234
    with pytest.raises(Mistakes) as refusal:
        await load({"regions": text.encode()})
    assert (len(refusal.value.mistakes), refusal.value.more) == (1000, 234)
    assert refusal.value.code == "catalogue_mistakes"
    assert "1234" in refusal.value.detail
    assert "234 处" in refusal.value.detail
    first = refusal.value.errors[0]
    assert (first.field, first.code) == ("regions.2.code", "mistake")


async def test_a_circle_is_found_over_the_sheet_and_what_is_stored() -> None:
    text = f"code,name,parent_code\n{PROVINCE},浙江,{COUNTY}\n{COUNTY},西湖,{CITY}\n"
    found = await mistakes_of(regions=text)
    assert [mistake[:3] for mistake in found] == [
        ("regions", 2, "parent_code"),
        ("regions", 3, "parent_code"),
    ]


async def test_a_long_way_up_is_no_circle() -> None:
    text = "code,name,parent_code\n" + "".join(
        f"{code:012},村,{code + 1:012}\n" for code in range(3000)
    )
    await load({"regions": (text + f"{3000:012},省,\n").encode()})
    assert await Region.all().count() == 3001


async def test_two_windows_may_change_their_halls_in_one_sheet() -> None:
    await load(files(windows=f"{WINDOW_HEAD}\nA1,H1,{BUREAU},窗\nA1,H2,{OFFICE},窗\n"))
    swapped = f"{WINDOW_HEAD}\nA1,H2,{BUREAU},窗\nA1,H1,{OFFICE},窗\n"
    done = await load({"windows": swapped.encode()})
    assert done.sheets["windows"] == Counts(2, 0, 2)
    assert (await Window.get(agency_code=BUREAU)).hall_code == "H2"
    assert (await Window.get(agency_code=OFFICE)).hall_code == "H1"


async def test_an_import_is_refused_while_another_one_runs(other: asyncpg.Connection) -> None:
    await other.execute("BEGIN")
    await other.execute("SELECT pg_advisory_xact_lock($1)", sheets._LOCK)
    with pytest.raises(sheets.ImportRunning):
        await load(files())
    await other.execute("ROLLBACK")
    await load(files())


async def test_the_national_dictionary_is_whole_and_shows_three_tags_of_each_level() -> None:
    await load({"tags": national_tags()})
    tags = await Tag.all()
    assert len(tags) == 40
    assert {(tag.dictionary, tag.version, tag.active) for tag in tags} == {("national", 2, True)}
    for level in range(1, 6):
        of_level = sorted((tag for tag in tags if tag.level == level), key=lambda tag: tag.code)
        assert [tag.primary for tag in of_level] == [True] * 3 + [False] * 5


async def test_twenty_thousand_matters_are_imported_quickly() -> None:
    await load(files())
    lines = (
        f"{number:031},事项{number},{BUREAU},{OFFICE};{DESK},窗口;短信" for number in range(20_000)
    )
    text = "\r\n".join(["code,name,agency_code,co_agency_codes,channels", *lines])
    started = time.perf_counter()
    done = await load({"matters": text.encode("gb18030")})
    print(f"20,000 matters: {time.perf_counter() - started:.2f} s")
    assert done.sheets["matters"] == Counts(20_000, 20_000, 0)
