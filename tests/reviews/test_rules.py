"""What a review must have, from values alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.errors import Refusal
from server.reviews import rules
from server.reviews.rules import COMMENT_LIMIT, Level, ReviewState, is_bad

NOW = datetime(2026, 11, 21, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEVELS = {"115": 1, "215": 2, "315": 3, "515": 5}


def code_of(refusal: type[Refusal] | None) -> str | None:
    return refusal.code if refusal else None


def outcome(rule: object, *arguments: object) -> str | None:
    try:
        rule(*arguments)  # type: ignore[operator]
    except Refusal as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    ("tags", "comment", "given_a_reason"),
    [
        ([], "", False), ([], " \n\u3000\u200b", False), ([], "\u3164\u2800", False), ([], "慢", True),
        (["115"], "", True), (["115"], "慢", True), ([], "。", True),
    ],
)  # fmt: skip
def test_a_bad_review_needs_a_reason_and_no_other_does(
    level: Level, tags: list[str], comment: str, given_a_reason: bool
) -> None:
    refused = level <= 2 and not given_a_reason
    assert outcome(rules.check_reason, level, tags, comment) == (
        "reason_required" if refused else None
    )


def test_the_last_two_levels_are_bad() -> None:
    assert [level for level in Level if is_bad(level)] == [1, 2]
    assert rules.LEVEL_NAMES == {
        5: "非常满意",
        4: "满意",
        3: "基本满意",
        2: "不满意",
        1: "非常不满意",
    }


@pytest.mark.parametrize(
    ("level", "tags", "places"),
    [
        (1, ["115"], []), (1, [], []), (1, ["215"], [0]), (1, ["115", "215", "999"], [1, 2]),
        (2, ["215", "215"], []), (5, ["515"], []), (4, ["515"], [0]), (1, [""], [0]), (1, ["１１５"], [0]),
    ],
)  # fmt: skip
def test_a_tag_is_of_the_level(level: int, tags: list[str], places: list[int]) -> None:
    if not places:
        assert rules.check_tags(level, tags, LEVELS) == list(dict.fromkeys(tags))
        return
    with pytest.raises(rules.TagNotOfLevel) as refused:
        rules.check_tags(level, tags, LEVELS)
    assert [fault.field for fault in refused.value.errors] == [f"tags[{place}]" for place in places]


@pytest.mark.parametrize("sign", ["慢", "😀", "𠮷", "a", "é"])
def test_a_comment_has_500_code_points_whatever_they_are(sign: str) -> None:
    assert rules.check_comment(sign * COMMENT_LIMIT) == sign * 500
    with pytest.raises(rules.CommentTooLong) as refused:
        rules.check_comment(sign * 501)
    assert refused.value.errors[0].field == "comment"


@given(st.text(max_size=40))
def test_a_comment_is_kept_as_it_was_written_or_counts_as_none(comment: str) -> None:
    kept = rules.check_comment(comment)
    assert kept in (comment.strip(), "")
    assert rules.check_comment(kept) == kept


@pytest.mark.parametrize(
    ("real_name", "phones", "refused"),
    [
        (False, [None, None], False), (True, [None, None], True), (True, ["", None], True),
        (True, ["13800138000", None], False), (True, [None, "key"], False), (True, [], True),
    ],
)  # fmt: skip
def test_a_real_name_needs_a_phone_here_or_on_the_receipt(
    real_name: bool, phones: list[str | None], refused: bool
) -> None:
    expected = "contact_required" if refused else None
    assert outcome(rules.check_contact, real_name, phones) == expected


@pytest.mark.parametrize(
    ("state", "until", "before", "expected"),
    [
        (ReviewState.STANDING, NOW + SECOND, False, None),
        (ReviewState.AWAITING_REASON, NOW + SECOND, False, None),
        (ReviewState.STANDING, NOW, False, "undo_closed"),
        (ReviewState.STANDING, NOW - SECOND, False, "undo_closed"),
        (ReviewState.STANDING, NOW + SECOND, True, "already_undone"),
        *((state, NOW + SECOND, False, "undo_closed") for state in ReviewState
          if state not in (ReviewState.STANDING, ReviewState.AWAITING_REASON)),
    ],
)  # fmt: skip
def test_a_review_is_undone_once_and_in_time(
    state: ReviewState, until: datetime, before: bool, expected: str | None
) -> None:
    assert outcome(rules.check_undo, state, until, before, NOW) == expected


@pytest.mark.parametrize(
    ("supplement", "until", "expected"),
    [
        (None, NOW, None), (None, NOW - SECOND, None), (None, NOW + SECOND, "supplement_too_early"),
        ("x", NOW - SECOND, "already_supplemented"), ("", NOW, "already_supplemented"),
    ],
)  # fmt: skip
def test_a_review_is_supplemented_once_and_after_the_undo_time(
    supplement: str | None, until: datetime, expected: str | None
) -> None:
    assert outcome(rules.check_supplement, supplement, until, NOW) == expected


def test_undoing_ends_at_the_moment_in_which_supplementing_begins() -> None:
    for now in (NOW - SECOND, NOW, NOW + SECOND):
        undo = outcome(rules.check_undo, ReviewState.STANDING, NOW, False, now)
        supplement = outcome(rules.check_supplement, None, NOW, now)
        assert (undo is None) is not (supplement is None)
