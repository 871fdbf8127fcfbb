"""What a clerk may have keyed in, without a database."""

from datetime import date

import pytest

from server.kit.errors import Fault
from server.reviews import paper_rules
from server.reviews.paper_rules import Row, case_of, day_of, level_of, reason_fault, reasons_of

PRINTED, TODAY = date(2026, 10, 1), date(2026, 11, 29)
LEVELS = {"213": 2, "214": 2, "115": 1, "510": 5}


@pytest.mark.parametrize("text", ["1", " 5 ", "３", "\u30002"])
def test_a_level_keyed_twice_alike_is_taken_in_any_width(text: str) -> None:
    assert level_of(text, paper_rules.plain(text)) == int(paper_rules.plain(text))


@pytest.mark.parametrize(
    ("first", "again", "field"),
    [
        ("", "5", "level"), ("5", "", "again"), ("0", "0", "level"), ("6", "6", "level"),
        ("55", "5", "level"), ("5", "55", "again"), ("-1", "-1", "level"), ("٣", "٣", "level"),
        ("五", "五", "level"), ("1\n", "x", "again"), ("5.0", "5", "level"), ("½", "1", "level"),
    ],
)  # fmt: skip
def test_what_is_no_level_is_none(first: str, again: str, field: str) -> None:
    fault = level_of(first, again)
    assert isinstance(fault, Fault) and (fault.field, fault.code) == (field, "bad_level")


def test_every_two_different_levels_are_refused_and_both_are_named() -> None:
    for first in range(1, 6):
        for again in range(1, 6):
            found = level_of(str(first), str(again))
            if first == again:
                assert found == first
            else:
                assert isinstance(found, Fault) and found.code == "level_mismatch"
                assert f"第一次 {first}" in found.detail and f"第二次 {again}" in found.detail


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("11-21", date(2026, 11, 21)), ("11.1", date(2026, 11, 1)), ("11月21日", date(2026, 11, 21)),
        ("11 / 21", date(2026, 11, 21)), ("2026-10-01", date(2026, 10, 1)), ("", None), ("  ", None),
        ("２０２６年１０月２日", date(2026, 10, 2)), ("11-29", TODAY),
    ],
)  # fmt: skip
def test_a_day_is_read_as_people_write_it(text: str, day: date | None) -> None:
    assert day_of(text, PRINTED, TODAY) == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("13-40", "bad_day"), ("2-30", "bad_day"), ("昨天", "bad_day"), ("1121", "bad_day"),
        ("2026-11-30", "in_the_future"), ("2027-01-01", "in_the_future"), ("9-30", "before_printing"),
        ("12-1", "before_printing"), ("2025-11-21", "before_printing"), ("0000-1-1", "bad_day"),
        ("11-21-", "bad_day"), ("99999-1-1", "bad_day"),
    ],
)  # fmt: skip
def test_a_day_that_cannot_be_is_refused(text: str, code: str) -> None:
    fault = day_of(text, PRINTED, TODAY)
    assert isinstance(fault, Fault) and (fault.field, fault.code) == ("day", code)


def test_a_day_of_december_keyed_in_january_is_last_years() -> None:
    assert day_of("12-30", date(2026, 12, 1), date(2027, 1, 4)) == date(2026, 12, 30)
    assert day_of("2-29", date(2028, 1, 1), date(2029, 1, 4)) == date(2028, 2, 29)


def test_reasons_of_another_level_are_no_reasons_of_this_one_and_are_not_lost() -> None:
    found = reasons_of("213，214、115 213", 2, LEVELS)
    assert not isinstance(found, Fault)
    assert (found.tags, found.others) == (["213", "214"], ["115"])
    words = paper_rules.words_of("等了很久", ["服务态度差"])
    assert words == "等了很久\n（表上还勾了：服务态度差）"
    for text in ("999", "21a", "213 x"):
        fault = reasons_of(text, 2, LEVELS)
        assert isinstance(fault, Fault) and fault.code == "unknown_tag"


def test_a_bad_one_has_its_reason_or_the_clerk_says_that_there_is_none() -> None:
    for level in (1, 2):
        missing = reason_fault(level, [], " ", False)
        assert missing and missing.code == "reason_required"
        assert reason_fault(level, [], "", True) is None
        assert reason_fault(level, ["213"], "", False) is None
        assert reason_fault(level, [], "太慢", False) is None
        for tags, words in ((["213"], ""), ([], "太慢")):
            both = reason_fault(level, tags, words, True)
            assert both and both.code == "reason_given"
    assert reason_fault(3, [], "", False) is None


def test_words_and_case_numbers_have_an_end() -> None:
    assert isinstance(paper_rules.words_of("字" * 501, []), Fault)
    assert isinstance(paper_rules.words_of("字" * 490, ["原因" * 8]), Fault)
    assert paper_rules.words_of("\u200b \u3000", []) == ""
    assert case_of(" ３３０-7 ") == "330-7"
    for text in ("9" * 65, "A\u0001B", "A\nB"):
        assert isinstance(case_of(text), Fault)


def test_a_row_tells_nothing_of_the_citizen_when_it_is_printed() -> None:
    row = Row(code="X", words="我是王小明", case_number="C-7", name="王小明", phone="13900139000")
    assert not any(secret in repr(row) for secret in ("王小明", "13900139000", "C-7"))
    assert Row().is_empty and not row.is_empty and not Row(no_reason=True).is_empty
