"""What happened to an order, in words for the citizen who waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from server.kit.web import local
from server.reviews.models import Review
from server.reviews.relay import thread
from server.reviews.voices import Voice
from server.workorders import joined
from server.workorders import service as orders
from server.workorders.models import Step, WorkOrder
from server.workorders.rules import State

CITIZEN_WORDS = {
    "open": "差评已成为工单，派给责任部门",
    "accept": "责任部门已受理",
    "return": "部门认为不属于自己办理，由督办员裁定",
    "reassign": "督办员已改派责任部门",
    "refuse": "督办员裁定由原部门继续办理",
    "ask": "部门请您补充说明，等候期间暂停计时",
    "resume": "部门继续办理",
    "plan": "部门承诺限期整改",
    "extend": "答复期限延长",
    "answer": "责任部门已答复",
    "confirm": "您已认可答复，工单办结",
    "silence": "您没有表示异议，工单办结",
    "contest": "您不认可答复，转督办",
    "supervise": "上级督办",
    "rule": "督办员裁定，工单办结",
    "dismiss": "经复核不予采纳",
    "withdraw": "您已撤回评价，工单随之撤回",
    "merge": "已与同一问题的另一张工单一并办理",
    "supplement": "您补充了说明",
    "part": "协办部门提出意见",
    "release": "调整了协办部门",
    "verify": "部门安排专人核实",
    "message": "部门给您留言",
    "urge": "督办员催办",
    "takeover": "督办员提级办理",
    "escalate": "期限提醒",
    "call_back": "工作人员电话回访",
    "joined": "另有群众反映同一件事，一并办理",
    "content": "您已认可答复，等一并办理的其他群众表态",
    "left": "经复核不予采纳",
}
FOLLOWED = "一并办理的工单已答复"
OF_OTHERS = {
    "contest": "一并办理的另一位群众不认可答复，转督办", "confirm": "一并办理的群众都已认可答复，工单办结",
}  # fmt: skip
BY_FIRST_ASKED = "首问负责人催办"
GRIEVED = "诉求已成为工单，派给责任部门"
YOU_SAID = "您给部门留言"
REOPENED = "您的异议成立，工单重新派给责任部门"
RECALLED = "您在回访中表示不满意，转成工单核实"
_OPEN_TO_HIM = frozenset({
    "supplement", "ask", "message", "resume", "plan", "extend", "answer", "confirm", "contest",
    "supervise", "rule", "escalate", "content",
})  # fmt: skip
"""Whose words he reads; what offices write to each other they read alone."""


_UNTIL = {
    State.ASSIGNED: "前受理", State.RETURNED: "前裁定责任部门", State.ASKING: "前等您回复",
    State.ANSWERED: "前请您表态", State.CONTESTED: "前督办", State.SUPERVISED: "前重新答复",
}  # fmt: skip


def next_step(order: WorkOrder) -> str:
    """Till which day what is to be done, where that is not the answer's own date."""
    words = _UNTIL.get(State(order.state))
    if words is None or order.next_due_at is None:
        return ""
    day = local(order.next_due_at)
    return f"{day.year}年{day.month}月{day.day}日{words}"


_AWAITED: dict[State, Literal["confirmation", "answer"]] = {
    State.ANSWERED: "confirmation",
    State.ASKING: "answer",
}


class StepShown(Struct):
    at: datetime
    what: str
    words: str


class MessageShown(Struct):
    at: datetime
    sender: Literal["citizen", "agency"] = field(name="from")
    words: str
    """Of the citizen: as the agency reads them, without what leads to a person."""


def messages_shown(steps: Sequence[Step]) -> list[MessageShown]:
    return [MessageShown(local(said.at), said.by, said.words) for said in thread(steps)]


@dataclass(frozen=True)
class Course:
    """What one citizen may know of his order: his own, the one that is dealt with, and the steps."""

    own: WorkOrder
    order: WorkOrder
    steps: list[Step]


async def course_of(own: WorkOrder) -> Course:
    steps = await Step.filter(order_id=own.number).order_by("id")
    if own.merged_into is None:
        return Course(own, own, [step for step in steps if _is_for(own, step)])
    order = await orders.followed(own)
    theirs = await Step.filter(order_id=order.number).order_by("id")
    followed = [step for step in _since(own, theirs) if _is_for(own, step)]
    merged = 1 + next(place for place, step in enumerate(steps) if step.move == "merge")
    later = sorted([*steps[merged:], *followed], key=lambda step: step.at)
    return Course(own, order, [*steps[:merged], *later])


def _since(own: WorkOrder, theirs: list[Step]) -> list[Step]:
    """What has happened since his order was merged, and the answer that stood then."""
    past = [
        place for place, step in enumerate(theirs, 1) if own.closed_at and step.at <= own.closed_at
    ]
    merged = max(past, default=0)
    standing = [step for step in theirs[:merged] if step.move == "answer"][-1:]
    if not standing or theirs[merged - 1].state != State.ANSWERED:
        standing = []
    return [*standing, *theirs[merged:]]


def _is_for(own: WorkOrder, step: Step) -> bool:
    """What another citizen of the same order says is none of his business; that he contested is."""
    if step.actor != "citizen" and step.move != "left":
        return True
    return _is_his(own, step) or step.move in ("contest", "confirm")


def _is_his(own: WorkOrder, step: Step) -> bool:
    return (step.of_order or step.order_id) == own.number


async def awaited_of(course: Course) -> Literal["confirmation", "answer"] | None:
    """Of several citizens each gives his own verdict, once an answer."""
    awaited = _AWAITED.get(State(course.order.state))
    if awaited == "confirmation" and await joined.has_spoken(course.own, course.order):
        return None
    return awaited


def steps_shown(course: Course, voice: Voice) -> list[StepShown]:
    return [_step(step, course.own, voice) for step in course.steps]


def _step(step: Step, own: WorkOrder, voice: Voice) -> StepShown:
    # The agency's first step lies at the end of the undo time; the citizen's at his own submission.
    began = step.move == "open" and bool(voice.order_number)
    at = voice.at if began else step.at
    what = CITIZEN_WORDS.get(step.move, "办理中")
    if began and isinstance(voice, Review) and step.at > voice.undo_until:
        at, what = step.at, REOPENED
    if step.move == "open" and not began:
        what = RECALLED
    if began and not isinstance(voice, Review):
        what = GRIEVED
    if step.actor == "citizen" and step.move == "message":
        what = YOU_SAID
    if step.move == "urge" and step.actor != "supervisor":
        what = BY_FIRST_ASKED
    if step.move == "answer" and step.order_id != own.number:
        what = FOLLOWED
    if step.actor == "citizen" and not _is_his(own, step):
        return StepShown(local(at), OF_OTHERS[step.move], "")
    return StepShown(local(at), what, step.words if step.move in _OPEN_TO_HIM else "")
