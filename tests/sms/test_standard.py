"""The reasons that the reader knows by heart are those of the dictionary."""

import csv
from pathlib import Path

import pytest

from server import catalogue
from sms import read
from sms.standard import REASONS

DICTIONARY = Path(catalogue.__file__).parent / "data" / "tags-national-2.csv"


def test_they_are_the_dictionarys() -> None:
    with DICTIONARY.open(encoding="utf-8-sig") as file:
        rows = [(int(row["level"]), row["text"]) for row in csv.DictReader(file)]
    assert sorted(rows) == sorted((level, text) for level in REASONS for text in REASONS[level])


@pytest.mark.parametrize("between", ["", " ", "，", "、", "：", "\n", "分 "])
@pytest.mark.parametrize("level", REASONS)
def test_a_reason_copied_after_its_level_is_that_level(level: int, between: str) -> None:
    for reason in REASONS[level]:
        found = read(f"{level}{between}{reason}")
        assert (found.kind, found.level, found.words) == ("level", level, reason)


@pytest.mark.parametrize("level", REASONS)
def test_a_reason_after_another_level_makes_no_level_of_its_own(level: int) -> None:
    for other in REASONS.keys() - {level}:
        for reason in REASONS[level]:
            assert read(f"{other}{reason}").level in (other, None)
            assert read(reason).level is None
