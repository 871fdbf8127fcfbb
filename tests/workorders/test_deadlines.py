from datetime import UTC, date, datetime, timedelta, timezone

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.catalogue.calendar import Calendar, YearCalendar, YearNotLoaded, shipped
from server.kit.clock import BEIJING
from server.workorders.deadlines import LONGEST, Due, Unit, due, due_or_provisional, end_of_day

CHINA = Calendar.of(shipped())
NOTHING = Calendar.of([])
WORKING, NATURAL = Unit.WORKING, Unit.NATURAL


def at(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def due_day(start: str, n: int, unit: Unit = WORKING, calendar: Calendar = CHINA) -> str:
    end = due(at(start), n, unit, calendar)
    assert end == end_of_day(end.date())
    return end.date().isoformat()


# Every expected day below was counted by hand from the State Council's notices.


@pytest.mark.parametrize(
    ("start", "n", "expected", "reason"),
    [
        # 2025 Spring Festival: off Tue 28 Jan - Tue 4 Feb; working Sun 26 Jan and Sat 8 Feb
        ("2025-01-24", 1, "2025-01-26", "Sat 25 is off, Sun 26 is made up"),
        ("2025-01-24", 2, "2025-01-27", "Mon 27 is the last day before the festival"),
        ("2025-01-24", 3, "2025-02-05", "28 Jan to 4 Feb are off, Wed 5 Feb is the third"),
        ("2025-01-24", 6, "2025-02-08", "5, 6, 7 are 3 to 5, then the made-up Sat 8"),
        ("2025-01-24", 7, "2025-02-10", "Sun 9 is off again"),
        # 2025 National Day with Mid-Autumn: off 1 - 8 Oct; working Sun 28 Sep and Sat 11 Oct
        ("2025-09-26", 1, "2025-09-28", "Sat 27 is off, Sun 28 is made up"),
        ("2025-09-26", 3, "2025-09-30", "28, 29, 30 Sep"),
        ("2025-09-26", 4, "2025-10-09", "1 to 8 Oct are off, also Wed 8"),
        ("2025-09-26", 6, "2025-10-11", "9 and 10 Oct, then the made-up Sat 11"),
        ("2025-09-26", 7, "2025-10-13", "Sun 12 is off again"),
        # 2026 New Year: off Thu 1 - Sat 3 Jan; working Sun 4 Jan
        ("2025-12-31", 1, "2026-01-04", "the first working day of 2026 is a Sunday"),
        # 2026 Spring Festival: off Sun 15 - Mon 23 Feb; working Sat 14 and Sat 28 Feb
        ("2026-02-13", 1, "2026-02-14", "the made-up Saturday before"),
        ("2026-02-13", 2, "2026-02-24", "15 to 23 Feb are off"),
        ("2026-02-13", 3, "2026-02-25", "Wed 25"),
        ("2026-02-13", 6, "2026-02-28", "24 to 27 are 2 to 5, then the made-up Sat 28"),
        ("2026-02-13", 7, "2026-03-02", "Sun 1 Mar is off again"),
        # 2026 Labour Day: off Fri 1 - Tue 5 May; working Sat 9 May
        ("2026-04-30", 1, "2026-05-06", "1 to 5 May are off"),
        ("2026-04-30", 4, "2026-05-09", "6, 7, 8 and the made-up Sat 9"),
        ("2026-04-30", 5, "2026-05-11", "Sun 10 is off"),
        # 2026 Mid-Autumn and National Day: off 25 - 27 Sep and 1 - 7 Oct; working 20 Sep, 10 Oct
        ("2026-09-18", 1, "2026-09-20", "Sat 19 is off, Sun 20 is made up"),
        ("2026-09-18", 5, "2026-09-24", "20 to 24 Sep"),
        ("2026-09-18", 6, "2026-09-28", "25 to 27 are off for Mid-Autumn"),
        ("2026-09-30", 1, "2026-10-08", "1 to 7 Oct are off"),
        ("2026-09-30", 3, "2026-10-10", "8, 9 and the made-up Sat 10"),
        ("2026-09-30", 4, "2026-10-12", "Sun 11 is off again"),
    ],
)
def test_swapped_days_count_as_the_notices_say(
    start: str, n: int, expected: str, reason: str
) -> None:
    assert due_day(start, n) == expected, reason


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-02-17", "2026-02-24"),  # the festival's first day of the lunar year
        ("2026-02-15", "2026-02-24"),  # the Sunday that opens the festival
        ("2026-01-04", "2026-01-05"),  # a make-up Sunday is a start day and does not count
        ("2026-09-20", "2026-09-21"),  # another one
        ("2026-03-07", "2026-03-09"),  # an ordinary Saturday
    ],
)
def test_a_start_on_a_holiday_or_a_make_up_day_does_not_count_itself(
    start: str, expected: str
) -> None:
    assert due_day(start, 1) == expected


def test_natural_days_run_through_holidays_and_year_ends() -> None:
    assert due_day("2026-02-13", 7, NATURAL) == "2026-02-20"
    assert due_day("2026-12-31", 1, NATURAL) == "2027-01-01"
    assert due_day("2024-02-28", 1, NATURAL) == "2024-02-29"


def test_natural_days_never_need_a_calendar() -> None:
    assert due_day("2031-12-30", 3, NATURAL, NOTHING) == "2032-01-02"


def test_the_day_ends_one_second_before_midnight_in_beijing() -> None:
    assert end_of_day(date(2026, 2, 25)).isoformat() == "2026-02-25T23:59:59+08:00"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-02-13T15:59:59+00:00", "2026-02-14"),  # still the 13th in Beijing
        ("2026-02-13T16:00:00+00:00", "2026-02-24"),  # midnight: the 14th has begun
        ("2026-02-13T16:30:00Z", "2026-02-24"),
        ("2026-02-14T00:30:00+14:00", "2026-02-14"),  # the 13th, 18:30 in Beijing
        ("2026-02-12T23:00:00-12:00", "2026-02-14"),  # the 13th, 19:00 in Beijing
        ("2026-02-13T23:59:59+08:00", "2026-02-14"),
        ("2026-02-13T00:00:00+08:00", "2026-02-14"),
        ("2025-12-31T16:30:00Z", "2026-01-04"),  # New Year's Day in Beijing
    ],
)
def test_the_start_day_is_the_day_in_beijing(start: str, expected: str) -> None:
    assert due_day(start, 1) == expected


@pytest.mark.parametrize("unit", Unit)
def test_no_days_at_all_end_with_the_start_day_even_on_a_holiday_or_in_an_unknown_year(
    unit: Unit,
) -> None:
    assert due_day("2026-02-17", 0, unit) == "2026-02-17"
    assert due_day("2030-05-01T20:00:00Z", 0, unit, NOTHING) == "2030-05-02"


def test_working_days_that_reach_an_unloaded_year_are_refused() -> None:
    assert due_day("2026-12-30", 1) == "2026-12-31"
    with pytest.raises(YearNotLoaded) as refusal:
        due(at("2026-12-30"), 2, WORKING, CHINA)
    assert refusal.value.year == 2027


def test_a_start_in_an_unloaded_year_needs_only_the_days_after_it() -> None:
    assert due_day("2023-12-31", 1) == "2024-01-02"


def test_a_later_notice_moves_a_deadline_of_the_year_before() -> None:
    taken = YearCalendar(2027, {date(2026, 12, 31): True, date(2027, 1, 1): True})
    assert due_day("2026-12-30", 1, calendar=CHINA.with_year(taken)) == "2027-01-04"


def test_a_provisional_deadline_leaves_out_weekends_only_and_says_so() -> None:
    # Thu 31 Dec 2026 is known; Fri 1 Jan 2027 will be a holiday, but nobody has said so yet.
    start = at("2026-12-30")
    assert due_or_provisional(start, 1, WORKING, CHINA) == Due(at("2026-12-31T23:59:59"), False)
    assert due_or_provisional(start, 2, WORKING, CHINA) == Due(at("2027-01-01T23:59:59"), True)
    assert due_or_provisional(start, 3, WORKING, CHINA) == Due(at("2027-01-04T23:59:59"), True)


def test_natural_days_are_never_provisional() -> None:
    expected = Due(at("2027-01-09T23:59:59"), False)
    assert due_or_provisional(at("2026-12-30"), 10, NATURAL, CHINA) == expected


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("n", [-1, LONGEST + 1, 10**30])
def test_an_absurd_number_of_days_is_refused(n: int, unit: Unit) -> None:
    with pytest.raises(ValueError, match="天数"):
        due_or_provisional(at("2026-01-01"), n, unit, CHINA)


def test_the_longest_limit_is_still_counted() -> None:
    assert due_or_provisional(at("2026-01-01"), LONGEST, WORKING, CHINA).provisional


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(
    "start",
    [
        datetime(9999, 12, 31, tzinfo=BEIJING),
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_day_outside_the_calendar_of_the_world_is_refused(start: datetime, unit: Unit) -> None:
    with pytest.raises(ValueError, match="9999"):
        due_or_provisional(start, 1, unit, NOTHING)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="时区"):
        due(datetime(2026, 1, 1), 1, NATURAL, CHINA)  # noqa: DTZ001


# A hundred working days from any of these starts end within 2026.
STARTS = st.datetimes(datetime(2023, 12, 31), datetime(2026, 6, 30)).map(  # noqa: DTZ001
    lambda naive: naive.replace(tzinfo=BEIJING)
)
DAYS = st.integers(0, 50)
UNITS = st.sampled_from(Unit)


@given(STARTS, DAYS, DAYS, UNITS)
def test_more_days_never_end_earlier(start: datetime, a: int, b: int, unit: Unit) -> None:
    fewer, more = due(start, min(a, b), unit, CHINA), due(start, max(a, b), unit, CHINA)
    assert (fewer < more) == (a != b)


@given(STARTS, DAYS, DAYS, UNITS)
def test_days_counted_in_two_parts_end_as_in_one(
    start: datetime, a: int, b: int, unit: Unit
) -> None:
    assert due(start, a + b, unit, CHINA) == due(due(start, a, unit, CHINA), b, unit, CHINA)


@given(STARTS, st.integers(1, 100))
def test_a_limit_of_working_days_ends_on_one_and_holds_exactly_so_many(
    start: datetime, n: int
) -> None:
    last, first = due(start, n, WORKING, CHINA).date(), start.date()
    after = [first + timedelta(i) for i in range(1, (last - first).days + 1)]
    assert chinese_calendar.is_workday(last)
    assert sum(map(chinese_calendar.is_workday, after)) == n


@given(STARTS, st.integers(0, 100), UNITS)
def test_with_every_year_loaded_the_provisional_answer_is_the_final_one(
    start: datetime, n: int, unit: Unit
) -> None:
    assert due_or_provisional(start, n, unit, CHINA) == (due(start, n, unit, CHINA), False)


@given(STARTS, st.integers(0, 100), st.integers(-12, 14), UNITS)
def test_the_same_instant_written_in_any_zone_ends_the_same(
    start: datetime, n: int, hours: int, unit: Unit
) -> None:
    elsewhere = start.astimezone(timezone(timedelta(hours=hours)))
    assert due(elsewhere, n, unit, CHINA) == due(start, n, unit, CHINA)
