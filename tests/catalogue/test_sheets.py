import csv
import io
import re
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from catalogue.city import (
    BUREAU,
    CITY,
    CITY_FILES,
    DESK,
    MATTER,
    OFFICE,
    PROVINCE,
    WINDOW_HEAD,
    everything,
    files,
    load,
    mistakes_of,
    refused,
)
from hypothesis import given
from hypothesis import strategies as st

from server import database
from server.catalogue import service, sheets, spreadsheet
from server.catalogue.columns import SHEETS
from server.catalogue.filled import Mistake
from server.catalogue.models import Agency, Hall, Matter, Officer, Policy, Region, Tag, Window
from server.catalogue.sheets import Counts, export_sheets, national_tags
from server.kit import sql

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
        "questionnaires": Counts(1, 1, 0),
        "tags": Counts(1, 1, 0), "policies": Counts(1, 1, 0), "wordings": Counts(2, 2, 0),
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
    snapshot = await service.load()
    asked = snapshot.questionnaire(MATTER)
    assert asked and asked.question_2 == "流程顺吗"
    assert snapshot.questionnaire(f"{MATTER}01") is None
    tag = await Tag.get(code="207")
    assert (tag.dictionary, tag.version, tag.primary) == ("national", 2, True)
    policy = await Policy.get(region_code=CITY)
    assert (policy.review_days, policy.simple_days, policy.default_rating) == (10, 5, True)
    assert (policy.sms_sign, policy.wording, policy.hour_from, policy.hour_to) == (
        "云汀政务", 2, 9, 18,
    )  # fmt: skip


async def test_an_import_raises_the_beacon_once_and_the_snapshot_sees_it() -> None:
    await load(files())
    (row,) = await sql.fetch("SELECT value FROM beacons WHERE name = $1", service.BEACON)
    assert row["value"] == 1
    snapshot = await service.load()
    assert snapshot.matters.keys() == {MATTER, f"{MATTER}01"}
    assert snapshot.wording(CITY, "notice", 1).template_code == "SMS_154950909"
    assert snapshot.wording(CITY, "notice", 2).template_code == ""
    assert snapshot.wording(PROVINCE, "notice", 1).text != snapshot.wording(CITY, "notice", 1).text


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
