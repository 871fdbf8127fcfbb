"""What happened to an order, in words for the citizen who waits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct, field

from server.kit.web import local
from server.reviews.models import Review
from server.reviews.relay import thread
from server.reviews.voices import Voice
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
    "left": "一并办理的另一位群众的评价不予采纳，工单继续办理",
}
FOLLOWED = "一并办理的工单已答复"
BY_FIRST_ASKED = "首问负责人催办"
GRIEVED = "诉求已成为工单，派给责任部门"
YOU_SAID = "您给部门留言"
RECALLED = "您在回访中表示不满意，转成工单核实"
_OPEN_TO_HIM = frozenset({
    "supplement", "ask", "message", "resume", "plan", "extend", "answer", "confirm", "contest",
    "supervise", "rule", "escalate",
})  # fmt: skip
"""Whose words he reads; what offices write to each other they read alone."""
_ANSWERS = ("answer", "rule")


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


async def steps_shown(order: WorkOrder, steps: Sequence[Step], voice: Voice) -> list[StepShown]:
    shown = [_step(step, voice) for step in steps]
    if order.merged_into:
        other = await orders.followed(order)
        answers = Step.filter(order_id=other.number, move__in=_ANSWERS).order_by("id")
        shown += [StepShown(local(step.at), FOLLOWED, step.words) for step in await answers]
    return shown


def _step(step: Step, voice: Voice) -> StepShown:
    # The agency's first step lies at the end of the undo time; the citizen's at his own submission.
    began = step.move == "open" and bool(voice.order_number)
    at = voice.at if began else step.at
    what = CITIZEN_WORDS.get(step.move, "办理中")
    if step.move == "open" and not began:
        what = RECALLED
    if began and not isinstance(voice, Review):
        what = GRIEVED
    if step.actor == "citizen" and step.move == "message":
        what = YOU_SAID
    if step.move == "urge" and step.actor != "supervisor":
        what = BY_FIRST_ASKED
    return StepShown(local(at), what, step.words if step.move in _OPEN_TO_HIM else "")
