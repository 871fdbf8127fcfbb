"""Who may do what, over every state, move and role, against tables written out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.people.rules import Role
from server.workorders.rights import Facts, Side, check, may, may_record
from server.workorders.rules import (
    FINAL,
    TABLE,
    IllegalMove,
    Move,
    Record,
    State,
    WrongRole,
)

NOW = datetime(2026, 11, 21, 10, 8, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(days=3), NOW - timedelta(days=3)
ROLES = [*(str(role) for role in Role), "citizen", "system"]

# State → role → what it may, while the time runs and nothing has been used up.
IN_TIME: dict[str, dict[str, str]] = {
    "assigned": {
        "handler": "accept", "agency_lead": "accept return extend merge", "supervisor": "merge",
    },
    "accepted": {
        "handler": "ask answer", "agency_lead": "return ask plan extend answer merge",
        "supervisor": "merge",
    },
    "returned": {"agency_lead": "merge", "supervisor": "reassign refuse merge"},
    "asking": {
        "agency_lead": "merge", "supervisor": "merge", "citizen": "resume", "system": "resume",
    },
    "planned": {
        "handler": "ask answer", "agency_lead": "ask extend answer merge", "supervisor": "merge",
    },
    "answered": {"agency_lead": "merge", "supervisor": "merge", "citizen": "confirm contest"},
    "contested": {
        "agency_lead": "merge", "supervisor": "supervise rule merge", "system": "supervise",
    },
    "supervised": {
        "handler": "answer", "agency_lead": "answer merge", "supervisor": "rule merge",
    },
}  # fmt: skip
# The same when the time of the next act, and that of the answer, has passed.
OVERDUE: dict[str, dict[str, str]] = {
    "assigned": {
        "handler": "accept", "agency_lead": "accept return", "supervisor": "supervise merge",
        "system": "supervise",
    },
    "accepted": {
        "handler": "answer", "agency_lead": "return answer", "supervisor": "supervise merge",
        "system": "supervise",
    },
    "returned": {
        "supervisor": "reassign refuse supervise merge", "system": "supervise",
    },
    "asking": {
        "supervisor": "supervise merge", "citizen": "resume", "system": "resume supervise",
    },
    "planned": {
        "handler": "answer", "agency_lead": "answer", "supervisor": "supervise merge",
        "system": "supervise",
    },
    "answered": {
        "agency_lead": "merge", "supervisor": "merge", "citizen": "confirm contest",
        "system": "silence",
    },
    "contested": {"supervisor": "supervise rule merge", "system": "supervise"},
    "supervised": {"handler": "answer", "agency_lead": "answer", "supervisor": "rule merge"},
}  # fmt: skip
BESIDE: dict[str, dict[str, str]] = {
    "assigned": {"supervisor": "release urge"},
    "returned": {"supervisor": "release urge"},
    "answered": {"handler": "verify message", "agency_lead": "verify message"},
    **{
        state: {
            "handler": "verify message", "agency_lead": "verify message",
            "supervisor": "release urge takeover",
        }
        for state in ("accepted", "asking", "planned", "contested", "supervised")
    },
}  # fmt: skip


def facts(state: str, role: str, **changed: Any) -> Facts:
    side = Side.LEAD if role in ("handler", "agency_lead") else Side.ABOVE
    known = {
        "state": State(state), "side": side, "due_at": LATER, "next_due_at": LATER, "told": True,
        "parts_waiting": 0, "is_verifier": True,
    }  # fmt: skip
    return Facts(**known | changed)


def expected(table: dict[str, dict[str, str]], state: str, role: str) -> set[str]:
    usual = set(table.get(state, {}).get(role, "").split())
    dismissed = {"dismiss"} if role == "system" and State(state) not in FINAL else set()
    withdrawn = {"withdraw"} if role == "citizen" and state == "assigned" else set()
    return usual | dismissed | withdrawn


def refused(known: Facts, role: str, act: Move | Record) -> type[Exception] | None:
    try:
        check(known, role, act, NOW)
    except (WrongRole, IllegalMove) as refusal:
        assert refusal.detail
        assert not refusal.detail.isascii()
        return type(refusal)
    return None


@pytest.mark.parametrize(("table", "due"), [(IN_TIME, LATER), (OVERDUE, EARLIER)])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", State)
def test_what_is_offered_is_what_is_not_refused_and_stands_in_the_table(
    state: str, role: str, table: dict[str, dict[str, str]], due: datetime
) -> None:
    known = facts(state, role, due_at=due, next_due_at=None if State(state) in FINAL else due)
    offered = may(known, role, NOW)
    assert set(offered) == expected(table, state, role)
    assert len(set(offered)) == len(offered)
    for move in (move for move in Move if move is not Move.OPEN):
        assert (refused(known, role, move) is None) is (move in offered), move


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", State)
def test_what_may_be_written_beside_an_order(state: str, role: str) -> None:
    known = facts(state, role, parts_waiting=1)
    wanted = set(BESIDE.get(state, {}).get(role, "").split())
    if role == "citizen":
        wanted = {"supplement"} | (
            {"message"} if state in BESIDE and state not in ("assigned", "returned") else set()
        )
    if role == "system":
        wanted = set() if State(state) in FINAL else {"escalate"}
    assert set(may_record(known, role, NOW)) == wanted


@pytest.mark.parametrize("role", ["handler", "agency_lead"])
@pytest.mark.parametrize("state", State)
def test_a_co_handler_gives_its_part_and_nothing_else(state: str, role: str) -> None:
    known = facts(state, role, side=Side.CO, parts_waiting=1, own_part_waiting=True)
    assert may(known, role, NOW) == []
    open_to_parts = State(state) not in FINAL | {State.ANSWERED}
    assert may_record(known, role, NOW) == ([Record.PART] if open_to_parts else [])
    done = replace(known, own_part_waiting=False)
    assert may_record(done, role, NOW) == []
    assert refused(known, role, Move.ANSWER) is WrongRole


ONCE_AND_NOT_YET: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("accepted", "agency_lead", "return", {"returned": True}, "一次"),
    ("accepted", "agency_lead", "extend", {"extended": True}, "一次"),
    ("accepted", "agency_lead", "extend", {"due_at": EARLIER}, "期限已过"),
    ("accepted", "agency_lead", "plan", {"due_at": EARLIER}, "期限已过"),
    ("accepted", "handler", "ask", {"due_at": EARLIER}, "期限已过"),
    ("accepted", "handler", "ask", {"ask_days_left": 0}, "用完"),
    ("accepted", "handler", "answer", {"parts_waiting": 2}, "2 个协办部门"),
    ("supervised", "handler", "answer", {"parts_waiting": 1}, "1 个协办部门"),
    ("accepted", "supervisor", "supervise", {}, "没有逾期"),
    ("accepted", "agency_lead", "merge", {"next_due_at": EARLIER}, "督办员"),
    ("answered", "system", "silence", {}, "还没有到"),
    ("answered", "system", "silence", {"next_due_at": EARLIER, "told": False}, "证据"),
    ("answered", "system", "silence", {"next_due_at": EARLIER, "must_be_called": True}, "回访"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "role", "move", "changed", "why"), ONCE_AND_NOT_YET)
def test_what_the_table_cannot_say_is_refused_in_plain_words(
    state: str, role: str, move: str, changed: dict[str, Any], why: str
) -> None:
    assert (State(state), Move(move)) in TABLE
    with pytest.raises(IllegalMove, match=why):
        check(facts(state, role, **changed), role, Move(move), NOW)


def test_a_handler_verifies_what_is_his_and_a_lead_all_of_his_agency() -> None:
    stranger = facts("accepted", "handler", is_verifier=False)
    assert refused(stranger, "handler", Record.VERIFY) is WrongRole
    assert refused(replace(stranger, is_owner=True), "handler", Record.VERIFY) is None
    assert refused(stranger, "agency_lead", Record.VERIFY) is None


def test_who_has_the_order_does_not_take_it_over_again() -> None:
    mine = facts("accepted", "supervisor", is_owner=True)
    assert refused(mine, "supervisor", Record.TAKEOVER) is IllegalMove


def test_nobody_at_a_desk_is_offered_a_move_of_the_citizen_or_the_system() -> None:
    theirs = {
        Move.OPEN,
        Move.DISMISS,
        Move.WITHDRAW,
        Move.CONFIRM,
        Move.CONTEST,
        Move.SILENCE,
        Move.RESUME,
    }
    for state in State:
        for role in Role:
            assert not theirs & set(may(facts(state, role), role, NOW))
