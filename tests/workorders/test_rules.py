"""The life of an order, over every pair of a state and a move, against the contract's table."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.people.rules import Role
from server.workorders.rules import (
    AT_THE_AGENCY,
    FINAL,
    MOVE_NAMES,
    OPEN,
    STATE_NAMES,
    STEP_NAMES,
    TABLE,
    WHO,
    BlankText,
    IllegalMove,
    Move,
    Record,
    State,
    check_text,
    is_blank,
    is_overdue,
    next_state,
    route,
)  # fmt: skip

NOW = datetime(2026, 11, 21, 10, 8, tzinfo=UTC)
DESK, LEAD, SUPERVISOR = {"handler", "agency_lead"}, {"agency_lead"}, {"supervisor"}
CITIZEN, SYSTEM = {"citizen"}, {"system"}
ANY_OPEN = (
    "assigned", "accepted", "returned", "asking", "planned", "answered", "contested", "supervised",
)  # fmt: skip
STAYS = None

# contract.md, "Staff", row by row: move, from, to, who.
CONTRACT: list[tuple[str, tuple[str, ...], str | None, set[str]]] = [
    ("accept", ("assigned",), "accepted", DESK),
    ("return", ("assigned", "accepted"), "returned", LEAD),
    ("reassign", ("returned",), "assigned", SUPERVISOR),
    ("refuse", ("returned",), "accepted", SUPERVISOR),
    ("ask", ("accepted", "planned"), "asking", DESK),
    ("plan", ("accepted",), "planned", LEAD),
    ("answer", ("accepted", "planned", "supervised"), "answered", DESK),
    ("confirm", ("answered",), "closed", CITIZEN),
    ("silence", ("answered",), "closed", SYSTEM),
    ("contest", ("answered",), "contested", CITIZEN),
    ("rule", ("supervised", "contested"), "closed", SUPERVISOR),
    ("dismiss", ANY_OPEN, "dismissed", SYSTEM),
    ("withdraw", ("assigned",), "withdrawn", CITIZEN),
    ("merge", ANY_OPEN, "merged", LEAD | SUPERVISOR),
]
# Rows whose set of states the contract leaves to the builder: what must be in it, what must not.
LOOSE = {
    "extend": ({"assigned", "accepted", "planned"}, {"closed", "answered", "contested"}),
    "supervise": ({"contested", "assigned", "accepted", "planned"}, {"closed", "answered"}),
    "resume": ({"asking"}, {"accepted", "planned", "closed"}),
}


def starts(move: Move) -> set[str]:
    return {str(start) for (start, made) in TABLE if made is move}


@pytest.mark.parametrize(
    ("move", "states", "target", "who"), CONTRACT, ids=[r[0] for r in CONTRACT]
)
def test_a_row_of_the_contract_is_a_row_of_the_table(
    move: str, states: tuple[str, ...], target: str, who: set[str]
) -> None:
    assert starts(Move(move)) == set(states)
    assert {next_state(State(state), Move(move)) for state in states} == {State(target)}
    assert set(WHO[Move(move)]) == who


@pytest.mark.parametrize(("move", "bounds"), LOOSE.items(), ids=list(LOOSE))
def test_a_row_that_names_no_states_one_by_one_has_the_ones_it_must(
    move: str, bounds: tuple[set[str], set[str]]
) -> None:
    within, without = bounds
    assert within <= starts(Move(move))
    assert not without & starts(Move(move))


def test_the_contracts_who_of_the_loose_rows() -> None:
    assert WHO[Move.EXTEND] == LEAD
    assert WHO[Move.SUPERVISE] == SUPERVISOR | SYSTEM
    assert WHO[Move.RESUME] == CITIZEN | SYSTEM


def test_extending_moves_no_order_to_another_state() -> None:
    assert all(next_state(State(s), Move.EXTEND) == s for s in starts(Move.EXTEND))


def test_any_overdue_order_can_be_supervised() -> None:
    """contract.md: "contested, or any overdue → supervised"."""
    overdue = {s for s in State if is_overdue(s, NOW - timedelta(days=1), NOW)}
    assert overdue - {State.SUPERVISED} <= {State(s) for s in starts(Move.SUPERVISE)}


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("state", State)
def test_only_the_table_moves_an_order(state: State, move: Move) -> None:
    if (state, move) in TABLE:
        assert next_state(state, move) is TABLE[state, move]
        return
    with pytest.raises(IllegalMove) as refused:
        next_state(state, move)
    assert STATE_NAMES[state] in refused.value.detail
    assert MOVE_NAMES[move] in refused.value.detail


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_moves_an_order_that_has_ended(state: State) -> None:
    assert not [move for (start, move) in TABLE if start is state]


def test_every_open_state_has_a_way_out_and_a_way_in() -> None:
    reached = {State.ASSIGNED}
    while more := {end for (start, _), end in TABLE.items() if start in reached} - reached:
        reached |= more
    assert reached == set(State)
    assert {start for (start, _) in TABLE} == OPEN


def test_states_are_open_or_final_and_the_agencys_are_open() -> None:
    assert set(State) == OPEN | FINAL
    assert not OPEN & FINAL
    assert AT_THE_AGENCY <= OPEN


def test_auditors_adjudicators_and_admins_move_nothing() -> None:
    watchers = {Role.AUDITOR, Role.ADJUDICATOR, Role.ADMIN}
    assert not any(watchers & set(who) for who in WHO.values())


def test_every_state_and_move_has_a_chinese_name() -> None:
    assert set(STATE_NAMES) == set(State)
    assert set(MOVE_NAMES) == set(Move)
    assert set(STEP_NAMES) == set(Move) | set(Record)
    assert not any(name.isascii() for name in [*STATE_NAMES.values(), *STEP_NAMES.values()])


def test_no_record_has_the_name_of_a_move() -> None:
    assert not {str(record) for record in Record} & {str(move) for move in Move}


@pytest.mark.parametrize(
    ("state", "due", "overdue"),
    [
        (State.ASSIGNED, NOW - timedelta(seconds=1), True),
        (State.ASSIGNED, NOW, False),
        (State.ASSIGNED, NOW + timedelta(seconds=1), False),
        (State.ASSIGNED, None, False),
        (State.SUPERVISED, NOW - timedelta(days=1), True),
        (State.CONTESTED, NOW - timedelta(days=1), True),
        (State.ANSWERED, NOW - timedelta(days=1), False),  # the citizen is silent
        *((state, NOW - timedelta(days=1), False) for state in sorted(FINAL)),
    ],
)
def test_an_order_is_overdue_when_its_desk_let_the_time_pass(
    state: State, due: datetime | None, overdue: bool
) -> None:
    assert is_overdue(state, due, NOW) is overdue


INVISIBLE = ["", " ", "\u3000", "\n\t\r", "\u200b\u200c\u200d", "\ufeff", "\u2060", "\u3164", "\u115f",
             "\u2800", "\u034f", "\u202e\u202c", "\x07\x1b", "\u00ad", "\u00a0 \u2003"]  # fmt: skip


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_that_nobody_can_see_is_blank(text: str) -> None:
    assert is_blank(text)
    with pytest.raises(BlankText):
        check_text(text)


@pytest.mark.parametrize("text", ["好", " 好 ", "。", "5", "\u200b好", "😀", "a"])
def test_one_visible_sign_is_a_text(text: str) -> None:
    assert check_text(text) == text.strip()


@given(st.text(max_size=30))
def test_blankness_never_fails_and_does_not_hang_on_white_space_around(text: str) -> None:
    assert is_blank(text) == is_blank(f" {text}\n")


@pytest.mark.parametrize(
    ("case", "lead", "others"),
    [
        ({"matter_agency": "M", "hall_desk": "D"}, "M", []),
        ({"matter_agency": "M", "co_agencies": ["I", "C"], "hall_desk": "D"}, "M", ["I", "C"]),
        ({"matter_agency": "M", "co_agencies": ["C", "M", "C"]}, "M", ["C"]),
        ({"hall_desk": "D"}, "D", []),
        ({"hall_desk": "D", "co_agencies": ["D", "C"]}, "D", ["C"]),
        ({}, "I", []),
        ({"co_agencies": ["I"]}, "I", []),
    ],
)
def test_an_order_always_has_one_lead_and_each_co_handler_once(
    case: dict[str, object], lead: str, others: list[str]
) -> None:
    asked = {"matter_agency": None, "co_agencies": [], "hall_desk": None, "issuer": "I"} | case
    assert route(**asked) == (lead, others)  # type: ignore[arg-type]
