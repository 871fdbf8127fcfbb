import asyncio
import json
from datetime import date

import pytest

from server.catalogue import service
from server.catalogue.models import CalendarYear
from server.catalogue.years import CalendarRefused, load_shipped, load_year
from server.kit import sql

pytestmark = pytest.mark.usefixtures("db")


def document(*days: str, name: str = "元旦", indent: int | None = None) -> bytes:
    rows = [{"name": name, "date": day, "isOffDay": True} for day in days]
    return json.dumps({"year": 2027, "days": rows}, ensure_ascii=False, indent=indent).encode()


NEW_YEAR = document("2027-01-01")


async def load(content: bytes) -> CalendarYear:
    return await load_year(content, source="国办发明电", by="admin")


async def beacon() -> int:
    rows = await sql.fetch("SELECT value FROM beacons WHERE name = $1", service.BEACON)
    return rows[0]["value"] if rows else 0


async def test_a_year_is_stored_as_it_came_and_the_snapshot_follows_it() -> None:
    row = await load(NEW_YEAR)
    assert (row.year, row.version, row.source, row.loaded_by) == (2027, 1, "国办发明电", "admin")
    assert row.loaded_at.utcoffset() is not None
    assert (await CalendarYear.get()).document == NEW_YEAR.decode()
    assert await beacon() == 1
    assert not (await service.load()).calendar.is_working(date(2027, 1, 1))


async def test_a_changed_year_is_the_next_version_and_the_newest_counts() -> None:
    await load(NEW_YEAR)
    assert (await load(document("2027-01-04"))).version == 2
    assert await beacon() == 2
    calendar = (await service.load()).calendar
    assert calendar.is_working(date(2027, 1, 1))
    assert not calendar.is_working(date(2027, 1, 4))


@pytest.mark.parametrize(
    "same", [NEW_YEAR, b"\xef\xbb\xbf" + NEW_YEAR, document("2027-01-01", indent=2)]
)
async def test_the_same_content_again_is_no_new_version(same: bytes) -> None:
    first = await load(NEW_YEAR)
    assert (await load(same)).id == first.id
    assert await CalendarYear.all().count() == 1
    assert await beacon() == 1


async def test_an_older_content_that_comes_back_is_a_new_version() -> None:
    for content in (NEW_YEAR, document("2027-01-04"), NEW_YEAR):
        last = await load(content)
    assert last.version == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"year": 2027, "papers": [], "days": []}', "2027 年的放假安排可能还没有公布"),
        (b"\xff", "UTF-8"),
        (b"[]", "一个列表"),
        (document("2027-02-30"), "2027-02-30"),
        (
            b'{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": true, "name": "\x00"}]}',
            "JSON",
        ),
        (NEW_YEAR.replace("元旦".encode(), b"\\u0000"), "空字符"),
        (NEW_YEAR.replace("元旦".encode(), b"\\ud800"), "不能显示"),
    ],
)
async def test_a_document_that_cannot_be_used_is_refused_and_nothing_is_stored(
    content: bytes, words: str
) -> None:
    with pytest.raises(CalendarRefused, match=words) as refusal:
        await load(content)
    assert (refusal.value.status, refusal.value.code) == (422, "bad_calendar")
    assert not await CalendarYear.all()
    assert await beacon() == 0


@pytest.mark.parametrize("round_", range(5))
async def test_two_importers_of_one_content_at_once_make_one_version(round_: int) -> None:
    first, second = await asyncio.gather(load(NEW_YEAR), load(NEW_YEAR))
    assert first.id == second.id
    assert await CalendarYear.all().count() == 1


@pytest.mark.parametrize("round_", range(5))
async def test_two_importers_of_different_contents_at_once_make_two_versions(round_: int) -> None:
    both = await asyncio.gather(load(NEW_YEAR), load(document("2027-01-04")))
    assert sorted(row.version for row in both) == [1, 2]
    assert await beacon() == 2


async def test_the_shipped_years_are_loaded_where_they_are_missing_and_only_there() -> None:
    amended = {"year": 2025, "days": [{"date": "2025-01-01", "isOffDay": True}]}
    await load(json.dumps(amended).encode())
    rows = await load_shipped("system")
    assert [row.year for row in rows] == [2024, 2026]
    assert rows[1].source == "随系统附带的 2026.json"
    assert await load_shipped("system") == []
    assert (await service.load()).calendar.years == {2024, 2025, 2026}
    assert await CalendarYear.all().count() == 3


async def test_two_servers_that_start_together_load_each_shipped_year_once() -> None:
    await asyncio.gather(load_shipped("one"), load_shipped("other"))
    assert await CalendarYear.all().count() == 3
