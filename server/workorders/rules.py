"""The life of a work order (pure): one table of moves, and who may make them."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from server.kit.errors import Conflict, Denied, Invalid
from server.kit.words import is_blank


class State(StrEnum):
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    ASKING = "asking"
    PLANNED = "planned"
    ANSWERED = "answered"
    CONTESTED = "contested"
    SUPERVISED = "supervised"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


class Move(StrEnum):
    OPEN = "open"
    ACCEPT = "accept"
    RETURN = "return"
    REASSIGN = "reassign"
    REFUSE = "refuse"
    ASK = "ask"
    RESUME = "resume"
    PLAN = "plan"
    EXTEND = "extend"
    ANSWER = "answer"
    CONFIRM = "confirm"
    SILENCE = "silence"
    CONTEST = "contest"
    SUPERVISE = "supervise"
    RULE = "rule"
    DISMISS = "dismiss"
    WITHDRAW = "withdraw"
    MERGE = "merge"


class Record(StrEnum):
    """What is written beside an order and moves nothing."""

    SUPPLEMENT = "supplement"
    PART = "part"
    RELEASE = "release"
    VERIFY = "verify"
    MESSAGE = "message"
    URGE = "urge"
    TAKEOVER = "takeover"
    ESCALATE = "escalate"
    CALL_BACK = "call_back"
    JOINED = "joined"
    """Another order was merged into this one."""
    CONTENT = "content"
    """One of several citizens accepts the answer; the others have not spoken."""
    LEFT = "left"
    """What one citizen said counts no more; the order goes on for the others."""


class Outcome(StrEnum):
    CONTENT = "content"
    SILENT = "silent"
    RULED = "ruled"


class Disposition(StrEnum):
    FIXED = "fixed"
    EXPLAINED = "explained"


class Ruling(StrEnum):
    PROPER = "proper"
    ACCOUNTABLE = "accountable"


class Finding(StrEnum):
    """核实: what the verifier found the review to be."""

    TRUE = "true"
    PARTLY = "partly"
    UNTRUE = "untrue"
    UNREACHABLE = "unreachable"


class Told(StrEnum):
    """销号: how it is known that the citizen was told the answer."""

    SMS = "sms"
    WECHAT = "wechat"
    PAGE = "page"
    CALL = "call"
    IN_PERSON = "in_person"
    """The clerk told him at the window, when he answered on the spot."""
    NO_CHANNEL = "no_channel"
    """He rated without any way to reach him: his page is the channel that was agreed."""


FINAL = frozenset({State.CLOSED, State.DISMISSED, State.WITHDRAWN, State.MERGED})
OPEN = frozenset(State) - FINAL
AT_THE_AGENCY = frozenset({State.ASSIGNED, State.ACCEPTED, State.PLANNED, State.SUPERVISED})
"""Open, and the next act is the agency's."""

_S, _M = State, Move

TABLE: dict[tuple[State, Move], State] = {
    (_S.ASSIGNED, _M.ACCEPT): _S.ACCEPTED,
    (_S.ASSIGNED, _M.RETURN): _S.RETURNED,
    (_S.ACCEPTED, _M.RETURN): _S.RETURNED,
    (_S.RETURNED, _M.REASSIGN): _S.ASSIGNED,
    (_S.RETURNED, _M.REFUSE): _S.ACCEPTED,
    (_S.ACCEPTED, _M.ASK): _S.ASKING,
    (_S.PLANNED, _M.ASK): _S.ASKING,
    (_S.ASKING, _M.RESUME): _S.ACCEPTED,  # or planned, if it was asked from there
    (_S.ACCEPTED, _M.PLAN): _S.PLANNED,
    (_S.ASSIGNED, _M.EXTEND): _S.ASSIGNED,
    (_S.ACCEPTED, _M.EXTEND): _S.ACCEPTED,
    (_S.PLANNED, _M.EXTEND): _S.PLANNED,
    (_S.ACCEPTED, _M.ANSWER): _S.ANSWERED,
    (_S.PLANNED, _M.ANSWER): _S.ANSWERED,
    (_S.SUPERVISED, _M.ANSWER): _S.ANSWERED,
    (_S.ANSWERED, _M.CONFIRM): _S.CLOSED,
    (_S.ANSWERED, _M.SILENCE): _S.CLOSED,
    (_S.ANSWERED, _M.CONTEST): _S.CONTESTED,
    (_S.CONTESTED, _M.SUPERVISE): _S.SUPERVISED,
    (_S.ASSIGNED, _M.SUPERVISE): _S.SUPERVISED,
    (_S.ACCEPTED, _M.SUPERVISE): _S.SUPERVISED,
    (_S.PLANNED, _M.SUPERVISE): _S.SUPERVISED,
    (_S.RETURNED, _M.SUPERVISE): _S.SUPERVISED,
    (_S.ASKING, _M.SUPERVISE): _S.SUPERVISED,
    (_S.SUPERVISED, _M.RULE): _S.CLOSED,
    (_S.CONTESTED, _M.RULE): _S.CLOSED,
    (_S.ASSIGNED, _M.WITHDRAW): _S.WITHDRAWN,
    **{(state, _M.DISMISS): _S.DISMISSED for state in OPEN},
    **{(state, _M.MERGE): _S.MERGED for state in OPEN},
}

_DESK = frozenset({"handler", "agency_lead"})
WHO: dict[Move, frozenset[str]] = {
    _M.ACCEPT: _DESK,
    _M.RETURN: frozenset({"agency_lead"}),
    _M.REASSIGN: frozenset({"supervisor"}),
    _M.REFUSE: frozenset({"supervisor"}),
    _M.ASK: _DESK,
    _M.RESUME: frozenset({"citizen", "system"}),
    _M.PLAN: frozenset({"agency_lead"}),
    _M.EXTEND: frozenset({"agency_lead"}),
    _M.ANSWER: _DESK,
    _M.CONFIRM: frozenset({"citizen"}),
    _M.SILENCE: frozenset({"system"}),
    _M.CONTEST: frozenset({"citizen"}),
    _M.SUPERVISE: frozenset({"supervisor", "system"}),
    _M.RULE: frozenset({"supervisor"}),
    _M.DISMISS: frozenset({"system"}),
    _M.WITHDRAW: frozenset({"citizen"}),
    _M.MERGE: frozenset({"agency_lead", "supervisor"}),
}

BESIDE: dict[Record, frozenset[State]] = {
    Record.SUPPLEMENT: frozenset(State),
    Record.PART: OPEN - {_S.ANSWERED},
    Record.RELEASE: OPEN - {_S.ANSWERED},
    Record.VERIFY: OPEN - {_S.ASSIGNED, _S.RETURNED},
    Record.MESSAGE: OPEN - {_S.ASSIGNED, _S.RETURNED},
    Record.URGE: OPEN - {_S.ANSWERED},
    Record.TAKEOVER: OPEN - {_S.ASSIGNED, _S.RETURNED, _S.ANSWERED},
    Record.ESCALATE: OPEN,
    Record.CALL_BACK: OPEN - {_S.ASSIGNED},
    Record.JOINED: OPEN,
    Record.CONTENT: frozenset({_S.ANSWERED}),
    Record.LEFT: OPEN,
}
"""The states in which it is written. An order that waits to be accepted is supervised, not taken over:
who accepts would take it back."""
WRITES: dict[Record, frozenset[str]] = {
    Record.SUPPLEMENT: frozenset({"citizen"}),
    Record.PART: _DESK,
    Record.RELEASE: frozenset({"supervisor"}),
    Record.VERIFY: _DESK,
    Record.MESSAGE: _DESK | {"citizen"},
    Record.URGE: frozenset({"supervisor"}),
    Record.TAKEOVER: frozenset({"supervisor"}),
    Record.ESCALATE: frozenset({"system"}),
    Record.CALL_BACK: _DESK,
    Record.JOINED: frozenset({"agency_lead", "supervisor"}),
    Record.CONTENT: frozenset({"citizen"}),
    Record.LEFT: frozenset({"system"}),
}
OF_OTHER_ACTS = frozenset({Record.CALL_BACK, Record.JOINED, Record.CONTENT, Record.LEFT})
"""Written by an act that has its own door and its own rules: offered to nobody."""


class IllegalMove(Conflict):
    code = "illegal_move"
    title = "工单现在的状态不能这样处理"


class WrongRole(Denied):
    code = "wrong_role"
    title = "您的角色不能这样处理工单"


class BlankText(Invalid):
    code = "blank_text"
    title = "请填写内容"


def next_state(state: State, move: Move) -> State:
    """Where the move leads, or IllegalMove."""
    try:
        return TABLE[state, move]
    except KeyError:
        raise IllegalMove(f"“{STATE_NAMES[state]}”的工单不能{MOVE_NAMES[move]}") from None


def is_overdue(state: State, next_due_at: datetime | None, now: datetime) -> bool:
    """The agency or its supervisor has let its time pass; a citizen who is silent is never overdue."""
    waits = state in OPEN and state is not State.ANSWERED
    return waits and next_due_at is not None and next_due_at < now


def check_text(text: str) -> str:
    if is_blank(text):
        raise BlankText
    return text.strip()


def route(
    *, matter_agency: str | None, co_agencies: Iterable[str], hall_desk: str | None, issuer: str
) -> tuple[str, list[str]]:
    """谁办理、谁负责: the lead agency that answers and its co-handlers; never nobody.

    The matter's own agency leads; a matter without one goes to the hall's service desk; without
    a hall (online, hotline) to the agency that handled the case.
    """
    lead = matter_agency or hall_desk or issuer
    others = [code for code in co_agencies if code != lead]
    return lead, list(dict.fromkeys(others))


STATE_NAMES = {
    _S.ASSIGNED: "待受理",
    _S.ACCEPTED: "办理中",
    _S.RETURNED: "退回待裁定",
    _S.ASKING: "待群众补充",
    _S.PLANNED: "限期整改中",
    _S.ANSWERED: "已答复",
    _S.CONTESTED: "群众不认可",
    _S.SUPERVISED: "督办中",
    _S.CLOSED: "已办结",
    _S.DISMISSED: "不予采纳",
    _S.WITHDRAWN: "已撤回",
    _S.MERGED: "已并案",
}
MOVE_NAMES = {
    _M.OPEN: "派单", _M.ACCEPT: "受理", _M.RETURN: "退回", _M.REASSIGN: "改派", _M.REFUSE: "驳回退单",
    _M.ASK: "向群众了解情况", _M.RESUME: "继续办理", _M.PLAN: "建立台账", _M.EXTEND: "延期",
    _M.ANSWER: "答复", _M.CONFIRM: "群众认可", _M.SILENCE: "逾期未反馈办结", _M.CONTEST: "群众不认可",
    _M.SUPERVISE: "督办", _M.RULE: "裁定", _M.DISMISS: "不予采纳", _M.WITHDRAW: "群众撤回",
    _M.MERGE: "并案",
}  # fmt: skip
RECORD_NAMES = {
    Record.SUPPLEMENT: "群众补充说明",
    Record.PART: "协办意见",
    Record.RELEASE: "免除协办",
    Record.VERIFY: "核实",
    Record.MESSAGE: "留言",
    Record.URGE: "催办",
    Record.TAKEOVER: "提级办理",
    Record.ESCALATE: "逾期提醒",
    Record.CALL_BACK: "电话回访",
    Record.JOINED: "并入另一张工单",
    Record.CONTENT: "一位群众认可",
    Record.LEFT: "一位群众的评价不予采纳",
}
STEP_NAMES = {
    str(what): name for names in (MOVE_NAMES, RECORD_NAMES) for what, name in names.items()
}
