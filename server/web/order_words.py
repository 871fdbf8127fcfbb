"""One order in the words of its page (pure)."""

from collections.abc import Collection
from datetime import date
from typing import Any

from server.kit.web import local
from server.people.rules import Role
from server.people.service import Member
from server.reviews.relay import SAID
from server.web.desk_words import day
from server.workorders.models import Opinion, WorkOrder
from server.workorders.rules import (
    FINAL,
    STATE_NAMES,
    Finding,
    Move,
    State,
    Told,
)
from server.workorders.shown import OrderShown, StepShown, Whole

DISPOSITION_NAMES = {"fixed": "已整改", "explained": "解释说明"}
ORIGIN_NAMES = {"callback": "短信差评未说明原因", "sample": "满意评价抽样回访"}
TOLD_NAMES = {
    Told.SMS: "短信已送达群众", Told.WECHAT: "微信通知已送达群众", Told.PAGE: "群众打开过查询页",
    Told.CALL: "工作人员在电话里告知", Told.IN_PERSON: "工作人员在窗口当面告知",
    Told.NO_CHANNEL: "群众没有留联系方式，以查询页为准",
}  # fmt: skip
FINDING_NAMES = {
    Finding.TRUE: "属实", Finding.PARTLY: "部分属实", Finding.UNTRUE: "不属实",
    Finding.UNREACHABLE: "联系不上，无法核实",
}  # fmt: skip
PART_NAMES = {"waiting": "待提交", "done": "已提交", "released": "已免除"}
RULING_NAMES = {"proper": "处理得当", "accountable": "应予问责"}
ALERT_NAMES = {
    "urge": "催办", "warn": "期限将到", "overdue": "逾期", "leads": "逾期上报", "supervisors": "逾期上报",
    "list": "问责", "untold": "待告知", "verifier": "核实", "message": "群众留言", "calendar": "放假安排",
    "suspicion": "核查",
    "appeal": "申诉", "appeal_due": "申诉期限将到", "appeal_late": "申诉逾期", "appeal_confirm": "申诉待确认",
    "appeal_ruled": "申诉结果", "excluded": "不予采纳通报", "restored": "恢复计入",
    "followed": "首问跟踪",
}  # fmt: skip
_AGENCY_FIRST = {
    State.ASSIGNED: ("accept",), State.ACCEPTED: ("answer",), State.PLANNED: ("answer",),
    State.SUPERVISED: ("answer",), State.ANSWERED: ("call-back",), State.CLOSED: ("call-back",),
}  # fmt: skip
_SUPERVISOR_FIRST = {
    State.RETURNED: ("reassign", "refuse"), State.CONTESTED: ("supervise",),
    State.SUPERVISED: ("rule",),
}  # fmt: skip


def main_acts(state: State, role: Role, offered: Collection[str]) -> list[str]:
    """What stands open on the page: the next act; the others are a click away."""
    if role is Role.SUPERVISOR:
        wanted: tuple[str, ...] = _SUPERVISOR_FIRST.get(state, ("supervise",))
    else:
        wanted = ("part", *_AGENCY_FIRST.get(state, ()))
    return [key for key in wanted if key in offered]


def beside_the_table(of: Whole, member: Member) -> list[str]:
    """Acts that hang on the citizen or on a list, which the moves of an order do not know."""
    order, role = of.order, member.role
    lead = role is Role.AGENCY_LEAD and member.agency_code == order.agency_code
    named = member.id == order.verifier_id and member.agency_code == order.agency_code
    ended, called = State(order.state) in FINAL, order.called_back_at is not None
    rights = {
        "call-back": order.real_name and not called and order.state != State.ASSIGNED
        and (lead or named),
        "verifier": lead and not ended,
        "reveal": named and order.real_name and not (ended and called),
        "accountability": role is Role.SUPERVISOR,
    }  # fmt: skip
    return [key for key, may in rights.items() if may]


def deadlines(order: WorkOrder) -> list[tuple[str, date]]:
    named = [("受理期限", order.contact_due_at), ("答复期限", order.due_at)]
    state = State(order.state)
    if state in _LIMIT_NAMES and order.next_due_at:
        named.append((_LIMIT_NAMES[state], order.next_due_at))
    return [(name, local(at).date()) for name, at in named]


_LIMIT_NAMES = {
    State.ANSWERED: "群众确认期限", State.CONTESTED: "督办期限", State.RETURNED: "裁定期限",
    State.SUPERVISED: "督办答复期限", State.ASKING: "停表最迟到",
}  # fmt: skip


def standing_still(order: WorkOrder) -> str:
    """Why no time runs, while it does not."""
    if order.state != State.ASKING or order.next_due_at is None:
        return ""
    until = day(local(order.next_due_at).date())
    return f"等群众答复，期限暂停，最迟到{until}；群众一答复就接着算。"


def waiting_for(order: WorkOrder, told: OrderShown, member: Member, lead: str) -> str:
    """What is said where this member has no next act."""
    state, until = State(order.state), ""
    if order.next_due_at:
        until = f"（期限{day(local(order.next_due_at).date())}）"
    if told.first_asked and member.agency_code and member.agency_code != order.agency_code:
        return f"您是首问负责人，由{lead}办理和答复{until}。请跟踪到底；办得慢，可以催办。"
    if member.agency_code and member.agency_code != order.agency_code:
        return f"本单位是协办部门，由{lead}牵头办理和答复。现在没有要本单位办的事。"
    if state in FINAL:
        return "这张工单已经结束，没有要办的事。"
    waiting = sum(part.state == "waiting" for part in told.parts)
    if waiting and state in (State.ACCEPTED, State.PLANNED, State.SUPERVISED):
        return f"还有 {waiting} 个协办部门没有提交意见，提交后才能答复群众。"
    if state in _SENTENCES:
        return _SENTENCES[state].format(until=until)
    return f"现在由{lead}办理{until}。"


_SENTENCES = {
    State.ANSWERED: "已经答复，等群众确认是否认可{until}。现在没有要办的事。",
    State.ASKING: "已请群众补充，等群众答复。现在没有要办的事。",
    State.CONTESTED: "群众不认可答复，等督办员处理{until}。",
    State.RETURNED: "已退回，等督办员裁定{until}。",
}


def opened_words(move: str, what: str, door: str) -> str:
    """The first step tells whose the order is; the others are moves."""
    if move != Move.OPEN:
        return what
    return f"{'诉求' if door else '差评'}成为工单，派到责任部门"


def is_said(step: StepShown) -> bool:
    """A word of the relay, which stands in its own place on the page."""
    return step.move in SAID and bool(step.words)


def opinions_shown(opinions: Collection[Opinion], names: Any) -> list[dict[str, Any]]:
    return [
        {
            "round": opinion.round, "whom": names(opinion.agency_code),
            "part": "服务台" if opinion.about == "desk" else "责任部门",
            "satisfied": opinion.satisfied,
        }
        for opinion in opinions
    ]  # fmt: skip


def not_done(title: str, state: State, why: str) -> str:
    return (
        f"刚才的{title}没有执行：{why}。这张工单现在是“{STATE_NAMES[state]}”，"
        "可能有同事先一步处理了。下面是最新情况。"
    )
