"""Who may appeal, who may rule, and what two opinions make, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from server.appeals import refusals as no
from server.appeals import rules
from server.appeals.figures import period, rounded
from server.appeals.rules import AppealState, Ballot, Docket, Outcome, Round, Ties
from server.kit.web import BadQuery
from server.reviews.rules import Excluded, ReviewState

NOW = datetime(2026, 9, 7, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
YES = Ballot(True, Excluded.MISTAKEN)
NO = Ballot(False)


def check(**changed: object) -> None:
    facts = {
        "of_a_review": True, "level": 1, "state": ReviewState.STANDING, "until": NOW + HOUR,
        "now": NOW,
    }  # fmt: skip
    rules.check_appeal(**(facts | changed))  # type: ignore[arg-type]


def test_a_standing_bad_review_is_appealed_against_in_its_days_and_nothing_else() -> None:
    check()
    check(level=2)
    check(until=NOW)
    for wrong in ({"level": 3}, {"level": None}, {"of_a_review": False}):
        with pytest.raises(no.NotAppealable):
            check(**wrong)
    for state in set(ReviewState) - {ReviewState.STANDING}:
        with pytest.raises(no.NotAppealable):
            check(state=state)
    with pytest.raises(no.AppealClosed):
        check(until=NOW - HOUR)


def test_whoever_is_bound_to_the_case_is_told_why_he_may_not_rule() -> None:
    sides, kin = frozenset({"A", "B"}), frozenset({"P"})
    assert rules.bias(Ties(sides=sides, kin=kin)) == ""
    assert rules.bias(Ties(agency="C", sides=sides, kin=kin)) == ""
    bound = [
        Ties(agency="A", sides=sides), Ties(agency="P", sides=sides, kin=kin), Ties(acted=True),
        Ties(appellant=True), Ties(accountable=True), Ties(ruled_before=True), Ties(stood_back=True),
    ]  # fmt: skip
    words = [rules.bias(ties) for ties in bound]
    assert all(words) and len(set(words)) == len(words)


DOCKET = Docket(
    round=Round.APPEAL, state=AppealState.OPEN, statement_given=True, statement_until=NOW + HOUR
)


def test_nothing_is_ruled_before_the_statement_is_given_or_its_time_is_over() -> None:
    rules.check_vote(DOCKET, YES, NOW)
    waiting = replace(DOCKET, statement_given=False)
    for ballot in (YES, NO):
        with pytest.raises(no.StatementPending):
            rules.check_vote(waiting, ballot, NOW)
    rules.check_vote(waiting, YES, NOW + 2 * HOUR)
    rules.check_vote(replace(waiting, statement_until=None), YES, NOW)


def test_a_real_name_review_goes_only_after_its_call_back_and_may_always_stay() -> None:
    named = replace(DOCKET, must_be_called=True)
    with pytest.raises(no.NotCalledBack):
        rules.check_vote(named, YES, NOW)
    rules.check_vote(named, NO, NOW)
    rules.check_vote(replace(named, round=Round.OBJECTION), Ballot(True), NOW)


def test_who_is_bound_has_voted_or_comes_too_late_is_refused() -> None:
    for docket, refusal in (
        (replace(DOCKET, bias="您参与办理过"), no.NotImpartial),
        (replace(DOCKET, voted=True), no.AlreadyVoted),
        *((replace(DOCKET, state=state), no.AppealEnded) for state in set(AppealState) - {"open"}),
    ):
        with pytest.raises(refusal):
            rules.check_vote(docket, YES, NOW)
        with pytest.raises(refusal):
            rules.check_ruler(docket)


def test_a_reason_is_named_by_who_upholds_an_appeal_and_by_nobody_else() -> None:
    wrong = [Ballot(True), Ballot(False, Excluded.MISTAKEN), Ballot(True, Excluded.GAMED)]
    for ballot in wrong:
        with pytest.raises(no.ReasonMismatch):
            rules.check_vote(DOCKET, ballot, NOW)
    objection = replace(DOCKET, round=Round.OBJECTION)
    for upheld in (True, False):
        rules.check_vote(objection, Ballot(upheld), NOW)
    with pytest.raises(no.ReasonMismatch):
        rules.check_vote(objection, YES, NOW)


def test_of_every_two_opinions_only_the_same_reason_twice_excludes_a_review() -> None:
    opinions = [NO, *(Ballot(True, ground) for ground in rules.GROUNDS)]
    for first, second in product(opinions, opinions):
        agreed = first == second != NO
        expected = Outcome(True, first.reason) if agreed else Outcome(False)
        assert rules.outcome(Round.APPEAL, [first, second]) == expected
    assert rules.outcome(Round.APPEAL, []) is rules.outcome(Round.APPEAL, [YES]) is None


def test_in_doubt_an_objection_is_upheld() -> None:
    for first, second in product((True, False), repeat=2):
        result = rules.outcome(Round.OBJECTION, [Ballot(first), Ballot(second)])
        assert result == Outcome(first or second)
    assert rules.outcome(Round.OBJECTION, [Ballot(True)]) is None


def test_only_a_second_malicious_finding_about_one_person_needs_the_supervisor() -> None:
    malicious = Outcome(True, Excluded.MALICIOUS)
    assert rules.needs_confirmation(malicious, 1) and not rules.needs_confirmation(malicious, 0)
    assert not rules.needs_confirmation(Outcome(True, Excluded.MISTAKEN), 3)
    assert not rules.needs_confirmation(Outcome(False), 3)


def test_public_counts_of_reviews_are_rounded_so_that_no_single_one_shows() -> None:
    assert [rounded(n) for n in (0, 1, 4, 5, 6, 10, 11)] == [0, 5, 5, 5, 10, 10, 15]
    today = NOW.date()
    of = period(None, None, today)
    assert of.last == today - timedelta(days=1) and (of.last - of.first).days == 89
    assert period(today - timedelta(days=5), today + timedelta(days=9), today).last == of.last
    for first, last in ((today, today), (today - timedelta(days=400), None)):
        with pytest.raises(BadQuery):
            period(first, last, today)
