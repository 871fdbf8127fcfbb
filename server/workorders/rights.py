"""Who may do what to an order at this moment (pure): the table, and what it cannot say."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server.kit.errors import Refusal
from server.workorders.rules import (
    BESIDE,
    OF_OTHER_ACTS,
    RECORD_NAMES,
    STATE_NAMES,
    TABLE,
    WHO,
    WRITES,
    IllegalMove,
    Move,
    Record,
    State,
    WrongRole,
    is_overdue,
    next_state,
)


class Side(StrEnum):
    """How the agency of the one who asks stands to the order."""

    LEAD = "lead"
    CO = "co"
    FIRST_ASKED = "first_asked"
    """Of an agency that has no part in it; he is the one whom the citizen asked first."""
    ABOVE = "above"
    """Of no agency: the supervisor, the system, the citizen."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All of an order, and of the one who asks, that his rights hang on."""

    state: State
    side: Side
    due_at: datetime
    next_due_at: datetime | None
    returned: bool = False
    extended: bool = False
    ask_days_left: int = 1
    """How long the clock may still stand, in working days."""
    parts_waiting: int = 0
    own_part_waiting: bool = False
    is_owner: bool = False
    is_first_asked: bool = False
    """首问负责: he may hurry whoever has the order."""
    is_verifier: bool = False
    told: bool = False
    must_be_called: bool = False
    """A real-name review without a call-back yet."""

    def overdue(self, now: datetime) -> bool:
        return is_overdue(self.state, self.next_due_at, now)


def check(facts: Facts, role: str, act: Move | Record, now: datetime) -> None:
    """Raises WrongRole or IllegalMove, with the reason in plain words."""
    if refusal := _refusal(facts, role, act, now):
        raise refusal


def may(facts: Facts, role: str, now: datetime) -> list[Move]:
    """The moves that would not be refused, in the order of the table."""
    moves = (move for (start, move) in TABLE if start is facts.state)
    return [move for move in moves if _refusal(facts, role, move, now) is None]


def may_record(facts: Facts, role: str, now: datetime) -> list[Record]:
    """What he may write beside the order; whether a citizen is called back the desk above knows."""
    beside = (record for record in Record if record not in OF_OTHER_ACTS)
    return [record for record in beside if _refusal(facts, role, record, now) is None]


def _refusal(facts: Facts, role: str, act: Move | Record, now: datetime) -> Refusal | None:
    return (
        _by_role(facts, role, act)
        or _by_state(facts.state, act)
        or next((IllegalMove(why) for unless in _UNLESS.get(act, ()) if (why := unless(facts, now))), None)
    )  # fmt: skip


def _by_role(facts: Facts, role: str, act: Move | Record) -> Refusal | None:
    if act is Record.URGE and facts.is_first_asked:
        return None
    allowed = WHO.get(act, frozenset()) if isinstance(act, Move) else WRITES[act]
    if role not in allowed:
        return WrongRole()
    if act is Record.PART:
        return None if facts.side is Side.CO else WrongRole("只有协办部门提交协办意见")
    if facts.side in (Side.CO, Side.FIRST_ASKED):
        return WrongRole("这张工单由牵头部门办理")
    if act is Record.VERIFY and role == "handler" and not (facts.is_owner or facts.is_verifier):
        return WrongRole("由这张工单的经办人或指定的核实人核实")
    return None


def _by_state(state: State, act: Move | Record) -> Refusal | None:
    if isinstance(act, Record):
        if state in BESIDE[act]:
            return None
        return IllegalMove(f"“{STATE_NAMES[state]}”的工单不能{RECORD_NAMES[act]}")
    try:
        next_state(state, act)
    except IllegalMove as refusal:
        return refusal
    return None


Unless = Callable[[Facts, datetime], str]
"""Why not; empty when nothing stands against it."""


def _in_time(what: str) -> Unless:
    """An agency that let its time pass does not give itself more."""
    return lambda facts, now: f"答复期限已过，不能再{what}" if facts.due_at < now else ""


_UNLESS: dict[Move | Record, tuple[Unless, ...]] = {
    Move.RETURN: (lambda facts, _: "一张工单只能退回一次" if facts.returned else "",),
    Move.EXTEND: (
        lambda facts, _: "一张工单只能延期一次" if facts.extended else "",
        _in_time("延期"),
    ),
    Move.PLAN: (_in_time("建立台账"),),
    Move.ASK: (
        _in_time("停表等候群众，可以给群众留言"),
        lambda facts, _: "" if facts.ask_days_left > 0 else "等候群众的天数已经用完，可以给群众留言",
    ),
    Move.ANSWER: (
        lambda facts, _: f"还有 {facts.parts_waiting} 个协办部门没有办完" if facts.parts_waiting else "",
    ),
    Move.SILENCE: (
        lambda facts, now: "群众反馈的期限还没有到" if facts.next_due_at and facts.next_due_at >= now else "",
        lambda facts, _: "" if facts.told else "还没有群众已被告知的证据，不能办结",
        lambda facts, _: "实名的没有回访，不能办结" if facts.must_be_called else "",
    ),
    Move.SUPERVISE: (
        lambda facts, now: (
            "" if facts.state is State.CONTESTED or facts.overdue(now) else "工单没有逾期，不能督办"
        ),
    ),
    Move.MERGE: (
        lambda facts, now: "逾期的工单由督办员并案" if facts.side is Side.LEAD and facts.overdue(now) else "",
    ),
    Record.PART: (lambda facts, _: "" if facts.own_part_waiting else "本部门没有待办的协办事项",),
    Record.RELEASE: (lambda facts, _: "" if facts.parts_waiting else "没有待办的协办部门",),
    Record.TAKEOVER: (lambda facts, _: "工单已经由您办理" if facts.is_owner else "",),
}  # fmt: skip
"""What stands against an act beside the role and the state."""
