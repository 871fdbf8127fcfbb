"""When a receipt may be reviewed, and which two pushes are the same."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from server.kit.clock import BEIJING
from server.receipts.rules import (
    AHEAD,
    OLDEST,
    Channel,
    Kind,
    Stage,
    is_open,
    open_until,
    time_fault,
)  # fmt: skip

NOW = datetime(2026, 11, 21, 10, 8, tzinfo=BEIJING)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("handled_at", "code"),
    [
        (NOW, None),
        (NOW - timedelta(days=1), None),
        (NOW + AHEAD, None),
        (NOW + AHEAD + SECOND, "in_the_future"),
        (NOW + timedelta(days=400), "in_the_future"),
        (NOW - OLDEST, None),
        (NOW - OLDEST - SECOND, "too_old"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "too_old"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=12))), "in_the_future"),
        ((NOW + AHEAD).astimezone(UTC), None),
    ],
)
def test_a_service_was_handled_within_the_last_year_and_at_most_five_minutes_ahead(
    handled_at: datetime, code: str | None
) -> None:
    fault = time_fault(handled_at, NOW)
    assert (fault and fault.code) == code
    assert fault is None or fault.field == "handled_at"


@pytest.mark.parametrize(
    ("handled_at", "days", "last_day"),
    [
        ("2026-11-21T00:00:00+08:00", 7, "2026-11-28"),
        ("2026-11-21T23:59:59+08:00", 7, "2026-11-28"),
        ("2026-11-20T16:00:00+00:00", 7, "2026-11-28"),  # midnight of the 21st here
        ("2026-11-20T15:59:59+00:00", 7, "2026-11-27"),
        ("2026-12-28T09:00:00+08:00", 7, "2027-01-04"),
        ("2028-02-22T09:00:00+08:00", 7, "2028-02-29"),
        ("2026-11-21T09:00:00+08:00", 0, "2026-11-21"),
    ],
)
def test_a_receipt_is_open_to_the_end_of_its_last_natural_day(
    handled_at: str, days: int, last_day: str
) -> None:
    end = open_until(datetime.fromisoformat(handled_at), days)
    assert end.isoformat() == f"{last_day}T23:59:59+08:00"


@pytest.mark.parametrize(
    ("voided", "now", "expected"),
    [
        (False, NOW, True),
        (False, NOW - SECOND, True),
        (False, NOW + SECOND, False),
        (True, NOW - SECOND, False),
    ],
)
def test_a_receipt_is_open_until_its_time_unless_it_was_voided(
    voided: bool, now: datetime, expected: bool
) -> None:
    assert is_open(NOW, voided, now) is expected


def test_the_words_of_the_contract_are_the_words_of_the_product() -> None:
    assert {*Channel} == {"window", "online", "mobile", "self_service", "hotline"}
    assert {*Stage} == {"咨询", "申报", "补正", "缴费", "签收"}
    assert {*Kind} == {1, 2, 3, 4, 5, 6, 9}
