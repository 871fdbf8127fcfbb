"""The agency's doors beside accepting and answering."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta
from sanic import Request

from server.kit.forms import Form
from server.kit.web import Door
from server.people.service import Member
from server.workorders import handling, merging
from server.workorders.api import DESK, with_steps
from server.workorders.handling import BadExtension, BadPlan, Verified
from server.workorders.moves import UnknownAgency, UnknownOrder
from server.workorders.rules import BlankText, Finding, IllegalMove, WrongRole
from server.workorders.shown import OrderShown

door = Door("work-orders-handling")
ORDER = "/api/v1/work-orders/<number>"
REFUSALS = (UnknownOrder, WrongRole, IllegalMove, BlankText)
Text = Annotated[str, Meta(max_length=2000)]
Reason = Annotated[str, Meta(max_length=1000)]
AgencyCode = Annotated[str, Meta(max_length=18)]


class ReturnForm(Form):
    agency_code: AgencyCode
    reason: Reason


class TextForm(Form):
    text: Text


class PlanForm(Form):
    text: Text
    until: date


class ExtendForm(Form):
    working_days: int
    reason: Reason


class VerifyForm(Form):
    finding: Finding
    how: Literal["relay", "call", "visit", "records"]
    text: Text


class MergeForm(Form):
    into: Annotated[str, Meta(max_length=16)]


@door.post(
    f"{ORDER}/return", guard=DESK, form=ReturnForm, answers={200: OrderShown},
    refusals=(*REFUSALS, UnknownAgency),
    summary="退回督办员裁定：写明应由哪个部门办理，一张工单一次",
)  # fmt: skip
async def return_order(request: Request, who: Member, number: str, form: ReturnForm) -> OrderShown:
    order = await handling.give_back(
        who, number, agency_code=form.agency_code, reason=form.reason
    )  # fmt: skip
    return await with_steps(order, who)


@door.post(
    f"{ORDER}/ask", guard=DESK, form=TextForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="向群众了解情况：等候期间停表，总天数有上限",
)  # fmt: skip
async def ask_citizen(request: Request, who: Member, number: str, form: TextForm) -> OrderShown:
    return await with_steps(await handling.ask(who, number, text=form.text), who)


@door.post(
    f"{ORDER}/plan", guard=DESK, form=PlanForm, answers={200: OrderShown},
    refusals=(*REFUSALS, BadPlan), summary="建立台账，限期整改：答复期限改为承诺的日期",
)  # fmt: skip
async def plan_order(request: Request, who: Member, number: str, form: PlanForm) -> OrderShown:
    order = await handling.plan(who, number, text=form.text, until=form.until)
    return await with_steps(order, who)


@door.post(
    f"{ORDER}/extend", guard=DESK, form=ExtendForm, answers={200: OrderShown},
    refusals=(*REFUSALS, BadExtension), summary="延期：期限之内提出，一张工单一次",
)  # fmt: skip
async def extend_order(request: Request, who: Member, number: str, form: ExtendForm) -> OrderShown:
    order = await handling.extend(
        who, number, working_days=form.working_days, reason=form.reason
    )  # fmt: skip
    return await with_steps(order, who)


@door.post(
    f"{ORDER}/part", guard=DESK, form=TextForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="协办部门提交协办意见；全部提交后牵头部门才能答复",
)  # fmt: skip
async def give_part(request: Request, who: Member, number: str, form: TextForm) -> OrderShown:
    return await with_steps(await handling.part(who, number, text=form.text), who)


@door.post(
    f"{ORDER}/verify", guard=DESK, form=VerifyForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="核实：true 属实、partly 部分属实、untrue 不属实、unreachable 联系不上",
)  # fmt: skip
async def verify_order(request: Request, who: Member, number: str, form: VerifyForm) -> OrderShown:
    verified = Verified(form.finding, form.how, form.text)
    return await with_steps(await handling.verify(who, number, verified), who)


@door.post(
    f"{ORDER}/message", guard=DESK, form=TextForm, answers={200: OrderShown}, refusals=REFUSALS,
    summary="给群众留言：经系统转达，互不知道身份；期限照常计算",
)  # fmt: skip
async def message_citizen(request: Request, who: Member, number: str, form: TextForm) -> OrderShown:
    return await with_steps(await handling.message(who, number, text=form.text), who)


@door.post(
    f"{ORDER}/merge", guard=DESK, form=MergeForm, answers={200: OrderShown},
    refusals=(UnknownOrder, WrongRole, IllegalMove),
    summary="并案：并入本部门另一张未办结的工单，群众看到那张工单的答复",
)  # fmt: skip
async def merge_order(request: Request, who: Member, number: str, form: MergeForm) -> OrderShown:
    return await with_steps(await merging.merge(who, number, into=form.into), who)
