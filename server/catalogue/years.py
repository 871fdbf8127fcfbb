"""Calendar years into the catalogue, version by version."""

import json

from tortoise.exceptions import IntegrityError

from server.catalogue import service
from server.catalogue.calendar import BadCalendar, YearCalendar, parse_year, shipped_documents
from server.catalogue.models import CalendarYear
from server.kit import beacon, jobs
from server.kit.clock import clock
from server.kit.errors import Conflict, Invalid
from server.kit.transaction import transaction


class CalendarRefused(Invalid):
    code = "bad_calendar"
    title = "放假安排不能用"


class YearBusy(Conflict):
    code = "year_busy"
    title = "这一年的放假安排正被别人载入，请再试一次"


async def load_year(document: bytes, *, source: str, by: str) -> CalendarYear:
    """The year's next version; the same content again gives the row that is there."""
    year, text = _read(document)
    for _ in range(2):
        try:
            return await _store(year.year, text, source[:300], by[:64])
        except IntegrityError:  # one_calendar_per_version: somebody was faster, look again
            continue
    raise YearBusy


async def load_shipped(by: str) -> list[CalendarYear]:
    """The years that come with the program and that nobody has loaded yet."""
    there = set(await CalendarYear.all().distinct().values_list("year", flat=True))
    return [
        await load_year(document, source=f"随系统附带的 {name}", by=by)
        for name, document in shipped_documents()
        if parse_year(document).year not in there
    ]


def _read(document: bytes) -> tuple[YearCalendar, str]:
    try:
        year = parse_year(document)
    except BadCalendar as bad:
        raise CalendarRefused(str(bad)) from None
    if not year.days:
        # holiday-cn keeps such a file for a year whose notice is not out yet.
        raise CalendarRefused(f"days 是空的：{year.year} 年的放假安排可能还没有公布")
    text = document.decode().removeprefix("\ufeff")
    _refuse_unprintable(text)
    return year, text


def _refuse_unprintable(text: str) -> None:
    """Names are kept as they came, and a page must be able to print them."""
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False)
        plain.encode()
    except (UnicodeEncodeError, RecursionError):
        raise CalendarRefused("文件里有不能显示的字（残缺的 \\ud800 一类）") from None
    if "\\u0000" in plain:
        raise CalendarRefused("文件里有空字符（\\u0000）")


async def _store(year: int, text: str, source: str, by: str) -> CalendarYear:
    async with transaction():
        last = await CalendarYear.filter(year=year).order_by("-version").first()
        if last and json.loads(last.document) == json.loads(text):
            return last
        row = await CalendarYear.create(
            year=year,
            version=last.version + 1 if last else 1,
            document=text,
            source=source,
            loaded_by=by,
            loaded_at=clock.now(),
        )
        await beacon.raise_by(service.BEACON)
        await jobs.enqueue("redate", once_as=f"redate:{year}:{row.version}", year=year)
    return row
