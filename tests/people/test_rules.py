"""Roles, locks and the life of a session, from values alone."""

from datetime import UTC, datetime, timedelta

import pytest

from server.people.rules import (
    LOCK_AFTER,
    LOCKED_FOR,
    OF_AN_AGENCY,
    ROLE_NAMES,
    SEES_ORDERS,
    SESSION_IDLE,
    SESSION_LIFE,
    Role,
    locked_until,
    session_ended,
)  # fmt: skip

NOW = datetime(2026, 11, 21, 2, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("started", "seen", "ended"),
    [
        (NOW, NOW, False),
        (NOW - SESSION_IDLE, NOW - SESSION_IDLE, False),
        (NOW - SESSION_IDLE - SECOND, NOW - SESSION_IDLE - SECOND, True),
        (NOW - SESSION_LIFE, NOW, False),
        (NOW - SESSION_LIFE - SECOND, NOW, True),
        (NOW - SESSION_LIFE - SECOND, NOW - SESSION_IDLE - SECOND, True),
    ],
)
def test_a_session_ends_when_nobody_used_it_or_after_its_whole_life(
    started: datetime, seen: datetime, ended: bool
) -> None:
    assert session_ended(started, seen, NOW) is ended


@pytest.mark.parametrize("failures", range(LOCK_AFTER + 3))
def test_an_account_rests_after_five_failures_in_a_row(failures: int) -> None:
    expected = NOW + LOCKED_FOR if failures >= 5 else None
    assert locked_until(failures, NOW) == expected


def test_the_roles_are_the_contracts_and_have_chinese_names() -> None:
    assert {*Role} == {"handler", "agency_lead", "supervisor", "adjudicator", "auditor", "admin"}
    assert set(ROLE_NAMES) == set(Role)
    assert not any(name.isascii() for name in ROLE_NAMES.values())


def test_who_judges_and_who_audits_does_not_see_the_desk() -> None:
    assert frozenset({Role.HANDLER, Role.AGENCY_LEAD}) == OF_AN_AGENCY
    assert OF_AN_AGENCY | {Role.SUPERVISOR} == SEES_ORDERS
