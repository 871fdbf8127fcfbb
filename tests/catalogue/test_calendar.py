import json
import re
from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.catalogue.calendar import (
    BadCalendar,
    Calendar,
    YearCalendar,
    YearNotLoaded,
    parse_year,
    shipped,
)

CHINA = Calendar.of(shipped())
NEW_YEARS_EVE = date(2026, 12, 31)  # a Thursday; no notice of 2026 names it


def file_of(year: object = 2027, **day: object) -> str:
    row = {"name": "元旦", "date": "2027-01-01", "isOffDay": True, **day}
    return json.dumps({"year": year, "days": [row]})


def test_every_day_of_2024_to_2026_agrees_with_chinese_calendar() -> None:
    first = date(2024, 1, 1)
    days = [first + timedelta(i) for i in range(1096)]
    assert days[-1] == NEW_YEARS_EVE
    assert [d for d in days if CHINA.is_working(d) != chinese_calendar.is_workday(d)] == []


@pytest.mark.parametrize("file", shipped(), ids=lambda file: str(file.year))
def test_a_shipped_file_names_each_holiday_and_make_up_day_of_the_library_and_no_other(
    file: YearCalendar,
) -> None:
    off = {d for d in chinese_calendar.constants.holidays if d.year == file.year}
    made_up = {d for d in chinese_calendar.constants.workdays if d.year == file.year}
    assert file.days == dict.fromkeys(off, True) | dict.fromkeys(made_up, False)


def test_a_make_up_day_is_always_a_weekend_day() -> None:
    assert {d.weekday() for d, off in CHINA.days.items() if not off} <= {5, 6}


def test_a_year_that_nobody_loaded_has_no_answer() -> None:
    with pytest.raises(YearNotLoaded) as refusal:
        CHINA.is_working(date(2027, 1, 4))
    assert refusal.value.year == 2027
    assert "2027" in str(refusal.value)


def test_an_added_year_answers_and_leaves_the_first_calendar_as_it_was() -> None:
    more = CHINA.with_year(parse_year(file_of()))
    assert more.years == {2024, 2025, 2026, 2027}
    assert CHINA.years == {2024, 2025, 2026}
    assert not more.is_working(date(2027, 1, 1))
    assert more.is_working(date(2027, 1, 4))


def test_the_notice_of_2027_may_take_the_last_day_of_2026() -> None:
    more = CHINA.with_year(parse_year(file_of(date="2026-12-31")))
    assert CHINA.is_working(NEW_YEARS_EVE)
    assert not more.is_working(NEW_YEARS_EVE)


def test_a_file_that_names_a_day_of_another_year_does_not_load_that_year() -> None:
    only_2027 = Calendar.of([parse_year(file_of(date="2026-12-31"))])
    with pytest.raises(YearNotLoaded):
        only_2027.is_working(NEW_YEARS_EVE)


@pytest.mark.parametrize("order", [1, -1])
def test_where_two_files_name_one_day_the_later_year_wins_in_any_order_of_loading(
    order: int,
) -> None:
    earlier = parse_year(file_of(2026, date="2026-12-31", isOffDay=False))
    later = parse_year(file_of(2027, date="2026-12-31", isOffDay=True))
    assert not Calendar.of([earlier, later][::order]).is_working(NEW_YEARS_EVE)


def test_replacing_a_year_takes_back_all_that_its_earlier_file_said() -> None:
    first = CHINA.with_year(parse_year(file_of(date="2026-12-31")))
    second = first.with_year(parse_year(file_of(date="2027-01-01")))
    assert second.is_working(NEW_YEARS_EVE)
    assert not second.is_working(date(2027, 1, 1))


def test_replacing_a_year_leaves_what_its_neighbours_said_about_it() -> None:
    with_2027 = CHINA.with_year(parse_year(file_of(date="2026-12-31")))
    amended = with_2027.with_year(parse_year(file_of(2026, date="2026-03-03")))
    assert not amended.is_working(NEW_YEARS_EVE)
    assert not amended.is_working(date(2026, 3, 3))
    assert not amended.is_working(date(2026, 2, 14)), "the make-up Saturday went with the old file"


def test_a_file_is_read_from_bytes_or_text_with_or_without_a_byte_order_mark() -> None:
    expected = YearCalendar(2027, {date(2027, 1, 1): True})
    for text in (file_of(), "\ufeff" + file_of()):
        assert parse_year(text) == parse_year(text.encode()) == expected


def test_names_and_unknown_keys_are_not_needed_and_do_no_harm() -> None:
    bare = '{"year": 2027, "days": [{"date": "2027-01-01", "isOffDay": true}]}'
    rich = '{"$id": 1, "year": 2027, "papers": [], "days": [{"date": "2027-01-01", "isOffDay": true, "x": [1]}]}'  # noqa: E501
    assert parse_year(bare) == parse_year(rich) == parse_year(file_of())


@pytest.mark.parametrize("year", [1949, 2200])
def test_the_first_and_the_last_year_are_years_like_any_other(year: int) -> None:
    assert parse_year(file_of(year, date=f"{year}-10-01")).year == year


def test_one_day_twice_is_harmless_while_both_say_the_same() -> None:
    row = {"date": "2027-01-01", "isOffDay": True}
    assert parse_year(json.dumps({"year": 2027, "days": [row, row]})) == parse_year(file_of())


ROW = '{"date": "2027-01-01", "isOffDay": true}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "不是 JSON"),
        ("year: 2027", "第 1 行"),
        (b"\xff\xfe{", "UTF-8"),
        ("[]", "一个列表"),
        ("{}", "year"),
        (file_of(2027.0), "year.*2027.0"),
        (file_of(True), "year.*true"),
        (file_of("2027"), "year.*'2027'"),
        (file_of(1948), "year.*1948"),
        (file_of(2201), "year.*2201"),
        ('{"year": 2027}', "days.*空的"),
        ('{"year": 2027, "days": {}}', "days.*一个对象"),
        ('{"year": 2027, "days": [[]]}', "第 1 项.*一个列表"),
        (f'{{"year": 2027, "days": [{ROW}, null]}}', "第 2 项"),
        (file_of(date=None), "第 1 项：date"),
        (file_of(date="2027-02-29"), "2027-02-29.*不存在"),
        (file_of(date="20270101"), "date.*20270101"),
        (file_of(date="2027-W01-1"), "date"),
        (file_of(date="2027-01-01T00:00:00"), "date"),
        (file_of(date="２０２７-01-01"), "date"),
        (file_of(date="2025-12-31"), "超过一年"),
        (file_of(date="2029-01-01"), "超过一年"),
        (file_of(isOffDay=1), "2027-01-01.*isOffDay.*1"),
        (file_of(isOffDay="true"), "isOffDay"),
        (file_of(isOffDay=None), "isOffDay"),
        (file_of(name=5), "2027-01-01.*name"),
        (
            f'{{"year": 2027, "days": [{ROW}, {ROW.replace("true", "false")}]}}',
            "第 2 项.*2027-01-01.*不一致",
        ),
        (f'{{"year": 2027, "year": 2026, "days": [{ROW}]}}', "'year'.*两次"),
        (f'{{"year": 2027, "days": [{ROW}], "x": NaN}}', "NaN"),
        (f'{{"year": 2027, "days": [{ROW}], "x": -Infinity}}', "-Infinity"),
        (f'{{"year": {"9" * 5000}, "days": [{ROW}]}}', "位数过多"),
        ("[" * 200_000, "套得太深"),
        ('{"days":' * 200_000, "套得太深"),
    ],
)
def test_a_wrong_file_is_refused_in_words_that_name_the_place(
    text: str | bytes, words: str
) -> None:
    with pytest.raises(BadCalendar) as refusal:
        parse_year(text)
    assert re.search(words, str(refusal.value))
    assert len(str(refusal.value)) < 200, "a wrong value is not repeated at length"


def test_a_year_that_names_no_day_follows_the_weekdays() -> None:
    year = parse_year('{"year": 2027, "papers": [], "days": []}')
    assert year == YearCalendar(2027, {})
    calendar = CHINA.with_year(year)
    assert calendar.is_working(date(2027, 1, 1))
    assert not calendar.is_working(date(2027, 1, 2))


def test_a_wrong_value_nested_almost_too_deep_is_refused_like_any_other() -> None:
    for depth in range(1, 1200):
        with pytest.raises(BadCalendar):
            parse_year(f'{{"days": [], "year": {"[" * depth}{"]" * depth}}}')


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2027-01-01")
)
ANY_JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
NEARLY_A_DAY = st.fixed_dictionaries(
    {},
    optional={
        "date": st.dates(date(2025, 12, 1), date(2028, 2, 1)).map(str) | ANY_JSON,
        "isOffDay": st.booleans() | ANY_JSON,
        "name": st.text() | ANY_JSON,
    },
)
NEARLY_A_YEAR = st.fixed_dictionaries(
    {}, optional={"year": st.just(2027) | ANY_JSON, "days": st.lists(NEARLY_A_DAY) | ANY_JSON}
)


@settings(max_examples=400)
@given(st.binary() | st.text() | ANY_JSON.map(json.dumps) | NEARLY_A_YEAR.map(json.dumps))
@example('{"year": 2027, "days": [{"date": "\\ud800"}]}')
@example(b"\xef\xbb\xbf")
@example("\x00")
def test_whatever_the_file_holds_it_is_a_calendar_or_a_refusal(text: str | bytes) -> None:
    try:
        file = parse_year(text)
    except BadCalendar as refusal:
        str(refusal).encode()  # a message that cannot be printed would be a crash one step later
        return
    assert all(abs(day.year - file.year) <= 1 for day in file.days)


@given(st.dictionaries(st.dates(date(2026, 1, 1), date(2028, 12, 31)), st.booleans()))
def test_a_written_calendar_is_read_back_the_same(days: dict[date, bool]) -> None:
    rows = [{"date": d.isoformat(), "isOffDay": off} for d, off in days.items()]
    assert parse_year(json.dumps({"year": 2027, "days": rows})) == YearCalendar(2027, days)
