"""What a reply means, decided without a database."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from server.kit.clock import BEIJING
from server.messages.rules import Outcome
from server.reviews.conversation import SLACK, Act, Asked, move_of, tags_of
from server.reviews.rules import QuestionState

T = datetime(2026, 11, 23, 10, 0, tzinfo=BEIJING)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
OPEN = Asked(
    id=UUID(int=1), asking="level", state=QuestionState.OPEN, asked_at=T, open_until=T + 24 * HOUR
)  # fmt: skip
REASON = replace(
    OPEN, id=UUID(int=2), asking="reason", level=1, undo_until=T + 10 * MINUTE,
    options=("108", "109", "110"),
)  # fmt: skip
VERDICT = replace(OPEN, id=UUID(int=3), asking="verdict", level=1)
RATED = replace(
    OPEN, state=QuestionState.ANSWERED, ended_at=T + MINUTE, level=5, undo_until=T + 11 * MINUTE
)  # fmt: skip


def move(text: str, *asked: Asked, at: datetime = T + 2 * MINUTE, now: datetime | None = None):  # type: ignore[no-untyped-def]
    found = move_of(text, at, asked, now or max(at, T + 2 * MINUTE))
    return found.act, found.outcome


@pytest.mark.parametrize(
    ("text", "asked", "act", "outcome"),
    [
        ("5", OPEN, Act.RATE, Outcome.RATED),
        ("1 排队太久", OPEN, Act.RATE, Outcome.RATED),
        ("在吗", OPEN, Act.ASK_AGAIN, Outcome.ASKED_AGAIN),
        ("在吗", replace(OPEN, clarified=True), Act.HAND_OVER, Outcome.UNCLEAR),
        ("退订", OPEN, Act.OPT_OUT, Outcome.OPTED_OUT),
        ("B", REASON, Act.GIVE_REASON, Outcome.REASONED),
        ("窗口态度恶劣", REASON, Act.GIVE_REASON, Outcome.REASONED),
        ("1", REASON, Act.KEEP, Outcome.REPEATED),
        ("5", REASON, Act.CORRECT, Outcome.CORRECTED),
        ("5", replace(REASON, undone_before=True), Act.KEEP, Outcome.LATE),
        ("5", replace(REASON, undo_until=T), Act.KEEP, Outcome.LATE),
        ("满意", VERDICT, Act.JUDGE, Outcome.JUDGED),
        ("不满意", VERDICT, Act.JUDGE, Outcome.JUDGED),
        ("你是谁", VERDICT, Act.ASK_AGAIN, Outcome.ASKED_AGAIN),
        ("5", RATED, Act.KEEP, Outcome.REPEATED),
        ("4", RATED, Act.CORRECT, Outcome.CORRECTED),
        ("谢谢", RATED, Act.KEEP, Outcome.REMARK),
        ("5", replace(OPEN, state=QuestionState.NEEDLESS, level=4), Act.KEEP, Outcome.REVIEWED_ELSEWHERE),
        ("5", replace(OPEN, state=QuestionState.NEEDLESS), Act.KEEP, Outcome.LATE),
        ("5", replace(OPEN, state=QuestionState.HANDED_OVER), Act.KEEP, Outcome.LATE),
    ],
)  # fmt: skip
def test_a_reply_means_what_its_question_makes_of_it(
    text: str, asked: Asked, act: Act, outcome: Outcome
) -> None:
    assert move(text, asked) == (act, outcome)


def test_from_a_phone_that_was_never_asked_nothing_is_a_level() -> None:
    assert move("5") == (Act.KEEP, Outcome.UNKNOWN)
    assert move("TD") == (Act.OPT_OUT, Outcome.OPTED_OUT)


def test_a_reply_belongs_to_the_newest_question_that_had_been_asked_when_it_was_written() -> None:
    later = replace(OPEN, id=UUID(int=9), asked_at=T + 2 * HOUR, open_until=T + 9 * HOUR)
    found = move_of("4", T + 5 * MINUTE, [later, RATED], T + 2 * HOUR)
    assert found.question == RATED
    found = move_of("4", T + 3 * HOUR, [later, RATED], T + 3 * HOUR)
    assert found.question == later


def test_the_providers_clock_may_be_a_little_behind_and_no_more() -> None:
    assert move("5", OPEN, at=T - SLACK) == (Act.RATE, Outcome.RATED)
    assert move("5", OPEN, at=T - SLACK - SECOND) == (Act.KEEP, Outcome.UNKNOWN)


def test_in_the_demo_the_clocks_of_others_may_be_behind_by_what_ours_was_advanced() -> None:
    found = move_of("5", T - 5 * HOUR, [OPEN], T + MINUTE, timedelta(hours=5))
    assert found.act is Act.RATE


def test_written_in_time_counts_however_late_it_comes_and_written_late_does_not() -> None:
    expired = replace(OPEN, state=QuestionState.EXPIRED, ended_at=T + 24 * HOUR)
    assert move("5", expired, at=T + 24 * HOUR, now=T + 48 * HOUR) == (Act.RATE, Outcome.RATED)
    assert move("5", expired, at=T + 24 * HOUR + SECOND) == (Act.KEEP, Outcome.LATE)
    unclear = move("在吗", expired, at=T + HOUR, now=T + 48 * HOUR)
    assert unclear == (Act.HAND_OVER, Outcome.UNCLEAR)


def test_a_reason_that_was_written_in_time_but_read_too_late_is_added_to_the_order() -> None:
    expired = replace(REASON, state=QuestionState.EXPIRED)
    assert move("排队太久", expired, now=T + 48 * HOUR) == (Act.ADD_WORDS, Outcome.ADDED)


def test_an_older_reply_never_changes_what_a_newer_one_said() -> None:
    assert move("1", RATED, at=T + 59 * SECOND) == (Act.KEEP, Outcome.REPEATED)


def test_letters_stand_for_the_tags_of_the_message_and_others_for_nothing() -> None:
    found = move_of("A C H", T + MINUTE, [REASON], T + MINUTE)
    assert found.reading is not None
    assert tags_of(REASON, found.reading) == ["108", "110"]
